#include "policy/revocation.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/x509v3.h>

#include "policy/certificate.h"
#include "policy/crl.h"
#include "policy/text.h"

enum {
	/* The clocks of two routers differ; later news is still news. */
	EARLY = 3600
};

#define REFUSE(text, reason, ...) \
	(text_format(text, POLICY_TEXT_SIZE, __VA_ARGS__), reason)

bool revocation_may_issue(X509 *ca, char *ret_why, size_t size)
{
	/* all bits are set if there is no keyUsage */
	if ((X509_get_key_usage(ca) & KU_CRL_SIGN) != 0)
		return true;
	text_format(ret_why, size, "is of a CA whose keyUsage lacks cRLSign");
	return false;
}

/* The newest CRL that this CA has signed. *ret_named: there is one that names
 * it. */
static X509_CRL *newest_of(const struct policy_crls *crls, const X509 *ca,
			   bool *ret_named)
{
	X509_CRL *newest = NULL;

	*ret_named = false;
	for (size_t i = 0; i < crls->count; i++) {
		const STACK_OF(X509_CRL) *in = crls->files[i].crls;

		for (int j = 0; j < sk_X509_CRL_num(in); j++) {
			X509_CRL *crl = sk_X509_CRL_value(in, j);

			if (!crl_names(crl, ca))
				continue;
			*ret_named = true;
			if (crl_signed_by(crl, ca) && (newest == NULL ||
			    crl_from(crl) > crl_from(newest)))
				newest = crl;
		}
	}
	return newest;
}

/* Not one, or none that counts. */
static enum policy_refusal refuse_missing(const struct policy_request *request,
					  const X509 *ca, bool named,
					  char *ret_text)
{
	char name[CERTIFICATE_NAME_SIZE];

	certificate_subject(ca, name, sizeof(name));
	if (named)
		return REFUSE(ret_text, POLICY_CRL_BAD_SIGNATURE, "the CRL of "
			      "%s is not signed by it: get it anew", name);
	return REFUSE(ret_text, POLICY_CRL_MISSING, "%s issued a certificate "
		      "that peer %s sent, but no usable CRL of it is listed: "
		      "get it, and name the file with crl", name,
		      request->peer_name);
}

static enum policy_refusal check_times(const X509_CRL *crl, time_t now,
				       char *ret_text)
{
	char issuer[CERTIFICATE_NAME_SIZE], limit[TEXT_TIME_SIZE];
	char text[TEXT_TIME_SIZE];

	crl_issuer(crl, issuer, sizeof(issuer));
	text_time(now, text);
	if (crl_until(crl) <= now)
		return REFUSE(ret_text, POLICY_CRL_EXPIRED, "the CRL of %s ran "
			      "out on %s, now it is %s: get a fresh one",
			      issuer, text_time(crl_until(crl), limit), text);
	if (crl_from(crl) > now + EARLY)
		return REFUSE(ret_text, POLICY_CRL_NOT_YET_VALID, "the CRL of "
			      "%s is not valid before %s, now it is %s: set "
			      "the clock, or get another one", issuer,
			      text_time(crl_from(crl), limit), text);
	return POLICY_ALLOWED;
}

static enum policy_refusal refuse_revoked(const struct policy_request *request,
					  const X509 *cert,
					  const X509_REVOKED *entry,
					  char *ret_text)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert),
					    NULL);
	char *serial = number == NULL ? NULL : BN_bn2hex(number);
	char subject[CERTIFICATE_NAME_SIZE], when[TEXT_TIME_SIZE];
	time_t time = 0;

	certificate_subject(cert, subject, sizeof(subject));
	/* a malformed date is 1970: the certificate is revoked all the same */
	(void)certificate_time(X509_REVOKED_get0_revocationDate(entry), &time);
	text_format(ret_text, POLICY_TEXT_SIZE, "certificate 0x%.40s of %s "
		    "(%s) was revoked on %s", serial == NULL ? "?" : serial,
		    request->peer_name, subject, text_time(time, when));
	OPENSSL_free(serial);
	BN_free(number);
	return POLICY_REVOKED;
}

/* One certificate, by the CRL of the CA above it. */
static enum policy_refusal check_one(const struct policy_request *request,
				     X509 *cert, X509_CRL *crl,
				     struct policy_span *crl_span,
				     char *ret_text)
{
	enum policy_refusal refusal;
	X509_REVOKED *entry = NULL;

	/* also "removeFromCRL", which a complete CRL has no use for */
	if (X509_CRL_get0_by_cert(crl, &entry, cert) != 0)
		return refuse_revoked(request, cert, entry, ret_text);
	refusal = check_times(crl, request->now, ret_text);
	if (refusal == POLICY_ALLOWED &&
	    (crl_span->until == 0 || crl_until(crl) < crl_span->until))
		*crl_span = (struct policy_span){ crl_from(crl),
						  crl_until(crl) };
	return refusal;
}

enum policy_refusal revocation_check(const struct policy_request *request,
				     STACK_OF(X509) *chain,
				     struct policy_span *ret_crl,
				     char *ret_text)
{
	enum policy_refusal refusal = POLICY_ALLOWED;
	char why[POLICY_TEXT_SIZE];
	struct policy_span span = { 0, 0 };

	if (request->crls == NULL)
		return POLICY_ALLOWED;
	for (int i = 0; i + 1 < sk_X509_num(chain); i++) {
		X509 *ca = sk_X509_value(chain, i + 1);
		bool named;
		X509_CRL *crl = newest_of(request->crls, ca, &named);

		if (crl == NULL && (named || i == 0))
			return refuse_missing(request, ca, named, ret_text);
		if (crl == NULL)
			continue;
		if (!revocation_may_issue(ca, why, sizeof(why)))
			return REFUSE(ret_text, POLICY_KEY_USAGE, "a CRL "
				      "listed for peer %s %s",
				      request->peer_name, why);
		refusal = check_one(request, sk_X509_value(chain, i), crl,
				    &span, ret_text);
		if (refusal != POLICY_ALLOWED)
			return refusal;
	}
	*ret_crl = span;
	return POLICY_ALLOWED;
}
