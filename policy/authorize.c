#include "policy/authorize.h"

#include <openssl/err.h>
#include <string.h>

#include "policy/address.h"
#include "policy/certificate.h"
#include "policy/path.h"
#include "policy/resources.h"
#include "policy/revocation.h"
#include "policy/text.h"

/* Everything that one decision works on. */
struct decision {
	const struct policy_request *request;
	STACK_OF(X509) *presented;	/* the end certificate is the first */
	STACK_OF(X509) *chain;		/* end to anchor, once verified */
	struct policy_verdict *verdict;
};

const char *policy_refusal_name(enum policy_refusal refusal)
{
	static const char *const names[] = {
#define X(name, text) text,
		POLICY_REFUSALS(X)
#undef X
	};

	return refusal < POLICY_REFUSAL_COUNT ? names[refusal] : "unknown";
}

#define REFUSE(decision, reason, ...) \
	(text_format((decision)->verdict->text, POLICY_TEXT_SIZE, \
		     __VA_ARGS__), reason)

static X509 *end_certificate(const struct decision *d)
{
	return sk_X509_value(d->presented, 0);
}

/* ---------------------------------------------------- before verification */

static enum policy_refusal decode(struct decision *d)
{
	const struct policy_request *request = d->request;
	size_t i;

	if (request->certs_count == 0)
		return REFUSE(d, POLICY_MALFORMED, "peer %s sent no "
			      "certificate", request->peer_name);
	if (request->certs_count > POLICY_MAX_CHAIN)
		return REFUSE(d, POLICY_TOO_MANY, "peer %s sent %zu "
			      "certificates, at most %d are accepted",
			      request->peer_name, request->certs_count,
			      POLICY_MAX_CHAIN);
	for (i = 0; i < request->certs_count; i++) {
		const struct policy_bytes *der = &request->certs[i];
		X509 *cert = certificate_decode(der->data, der->len);

		if (cert == NULL)
			return REFUSE(d, POLICY_MALFORMED, "certificate %zu "
				      "of %zu that peer %s sent (%zu bytes) "
				      "is malformed", i + 1,
				      request->certs_count,
				      request->peer_name, der->len);
		if (sk_X509_push(d->presented, cert) <= 0) {
			X509_free(cert);
			return REFUSE(d, POLICY_MALFORMED, "out of memory");
		}
	}
	return POLICY_ALLOWED;
}

/* No key that we did not choose is ever computed with: an RSA key with a tiny
 * modulus or e = 0 (CVE-2018-17540, CVE-2026-14957) ends here. */
static enum policy_refusal check_algorithms(struct decision *d)
{
	char *text = d->verdict->text;
	int i;

	for (i = 0; i < sk_X509_num(d->presented); i++) {
		X509 *cert = sk_X509_value(d->presented, i);

		if (!certificate_key_accepted(cert, text, POLICY_TEXT_SIZE) ||
		    !certificate_signature_accepted(cert, text,
						    POLICY_TEXT_SIZE))
			return POLICY_ALGORITHM;
	}
	return POLICY_ALLOWED;
}

/* ------------------------------------------- the end certificate's content */

static enum policy_refusal check_key_usage(struct decision *d)
{
	if (certificate_may_sign(end_certificate(d)))
		return POLICY_ALLOWED;
	return REFUSE(d, POLICY_KEY_USAGE, "keyUsage of certificate %.90s "
		      "lacks digitalSignature, which signing AUTH needs",
		      d->verdict->subject);
}

static enum policy_refusal check_as(struct decision *d)
{
	char holds[CERTIFICATE_NAME_SIZE];

	/* Inherited numbers do not count: the certificate names the AS. */
	if (resources_hold_as(end_certificate(d), d->request->as))
		return POLICY_ALLOWED;
	resources_as_text(end_certificate(d), holds, sizeof(holds));
	return REFUSE(d, POLICY_WRONG_AS, "certificate holds %s, peer %s is "
		      "configured with AS %u", holds, d->request->peer_name,
		      d->request->as);
}

static void identity_text(const struct policy_request *request,
			  char *ret_text, size_t size)
{
	struct in6_addr address = IN6ADDR_ANY_INIT;
	char text[INET6_ADDRSTRLEN];

	if (!request->id_is_address ||
	    (request->id.len != 4 && request->id.len != 16)) {
		text_format(ret_text, size, "no IP address");
		return;
	}
	if (request->id.len == 4) {
		memset(&address.s6_addr[10], 0xff, 2);
		memcpy(&address.s6_addr[12], request->id.data, 4);
	} else {
		memcpy(&address, request->id.data, 16);
	}
	text_format(ret_text, size, "%s", address_text(&address, text));
}

/* What would be right, if a NAT is the reason why it is not: both addresses,
 * and the cure. */
static const char *nat_text(const struct policy_request *request,
			    const char *is, char *ret_text, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	text_format(ret_text, size, "%s", "");
	if (!IN6_IS_ADDR_UNSPECIFIED(&request->outside))
		text_format(ret_text, size, "; a NAT shows it as %s: if the "
			    "peer's own address is %s, add inside = {\"%s\"} "
			    "to its section",
			    address_text(&request->outside, text), is, is);
	return ret_text;
}

static enum policy_refusal check_address(struct decision *d)
{
	const struct in6_addr *address = &d->request->address;
	char holds[CERTIFICATE_NAME_SIZE], text[INET6_ADDRSTRLEN];
	char is[CERTIFICATE_NAME_SIZE], nat[POLICY_TEXT_SIZE];

	if (resources_hold_address(end_certificate(d), address) ||
	    resources_name_address(end_certificate(d), address))
		return POLICY_ALLOWED;
	resources_address_text(end_certificate(d), holds, sizeof(holds));
	identity_text(d->request, is, sizeof(is));
	return REFUSE(d, POLICY_WRONG_ADDRESS, "certificate holds %s, peer %s "
		      "is configured with %s%s", holds, d->request->peer_name,
		      address_text(address, text),
		      nat_text(d->request, is, nat, sizeof(nat)));
}

static enum policy_refusal check_identity(struct decision *d)
{
	const struct policy_request *request = d->request;
	char is[CERTIFICATE_NAME_SIZE], text[INET6_ADDRSTRLEN];
	char nat[POLICY_TEXT_SIZE];
	const uint8_t *bytes;
	size_t len;

	bytes = address_bytes(&request->address, &len);
	if (request->id_is_address && request->id.len == len &&
	    memcmp(request->id.data, bytes, len) == 0)
		return POLICY_ALLOWED;
	identity_text(request, is, sizeof(is));
	return REFUSE(d, POLICY_WRONG_IDENTITY, "IKE identity is %s, peer %s "
		      "is configured with %s%s", is, request->peer_name,
		      address_text(&request->address, text),
		      nat_text(request, is, nat, sizeof(nat)));
}

/*
 * An anchor without AS numbers could vouch for any AS. path_verify() sees to
 * that as long as the end certificate has the extension; the addresses it
 * sees only if the end certificate lists them as resources, not when they are
 * in its subjectAltName. Then each issuer must hold the address, unless it
 * lists none or inherits its own issuer's, which the anchor has not (RFC 3779
 * 2.3).
 */
static enum policy_refusal check_issuer_address(struct decision *d,
						const X509 *issuer, bool anchor)
{
	const enum resources_state state = resources_address_state(issuer);
	char subject[CERTIFICATE_NAME_SIZE], holds[CERTIFICATE_NAME_SIZE];
	const struct policy_request *request = d->request;
	char text[INET6_ADDRSTRLEN];

	if (state == RESOURCES_ABSENT ||
	    (state == RESOURCES_INHERITED && !anchor) ||
	    resources_hold_address(issuer, &request->address))
		return POLICY_ALLOWED;
	certificate_subject(issuer, subject, sizeof(subject));
	resources_address_text(issuer, holds, sizeof(holds));
	return REFUSE(d, POLICY_RESOURCES, "%s %s holds %s, peer %s is "
		      "configured with %s", anchor ? "trust anchor" :
		      "issuer", subject, holds, request->peer_name,
		      address_text(&request->address, text));
}

static enum policy_refusal check_issuers(struct decision *d)
{
	const int last = sk_X509_num(d->chain) - 1;
	const X509 *anchor = sk_X509_value(d->chain, last);
	char subject[CERTIFICATE_NAME_SIZE], holds[CERTIFICATE_NAME_SIZE];
	const struct policy_request *request = d->request;
	enum policy_refusal refusal = POLICY_ALLOWED;

	if (!resources_hold_as(anchor, request->as)) {
		certificate_subject(anchor, subject, sizeof(subject));
		resources_as_text(anchor, holds, sizeof(holds));
		return REFUSE(d, POLICY_RESOURCES, "trust anchor %s holds %s, "
			      "peer %s is configured with AS %u", subject,
			      holds, request->peer_name, request->as);
	}
	for (int i = last; refusal == POLICY_ALLOWED && i > 0; i--)
		refusal = check_issuer_address(d, sk_X509_value(d->chain, i),
					       i == last);
	return refusal;
}

static enum policy_refusal check_content(struct decision *d)
{
	enum policy_refusal refusal = check_as(d);

	if (refusal == POLICY_ALLOWED)
		refusal = check_address(d);
	return refusal;
}

/* ------------------------------------------------------------ verification */

/* Signatures and validity have been checked when it is the resources that are
 * refused. So the plain mistake, a wrong AS or address, can be named as such;
 * more than the issuer may vouch for is the rarer one. */
static enum policy_refusal verify(struct decision *d)
{
	enum policy_refusal refusal, plain = POLICY_ALLOWED;

	refusal = path_verify(d->request, d->presented, &d->chain,
			      d->verdict->text);
	if (refusal == POLICY_RESOURCES) {
		char text[POLICY_TEXT_SIZE];

		memcpy(text, d->verdict->text, sizeof(text));
		plain = check_content(d);
		if (plain == POLICY_ALLOWED)
			memcpy(d->verdict->text, text, sizeof(text));
	}
	return plain != POLICY_ALLOWED ? plain : refusal;
}

static enum policy_refusal check_revocation(struct decision *d)
{
	return revocation_check(d->request, d->chain, &d->verdict->crl,
				d->verdict->text);
}

/* ------------------------------------------------------------ the decision */

/* The times of this certificate count if it ends before those so far. */
static void take_times(struct policy_verdict *verdict, const X509 *cert)
{
	time_t from, until;

	if (!certificate_not_before(cert, &from) ||
	    !certificate_not_after(cert, &until) ||
	    (verdict->not_after != 0 && until >= verdict->not_after))
		return;
	verdict->not_before = from;
	verdict->not_after = until;
}

static void describe_end(struct decision *d)
{
	certificate_subject(end_certificate(d), d->verdict->subject,
			    POLICY_TEXT_SIZE);
	take_times(d->verdict, end_certificate(d));
}

static void find_not_after(struct decision *d)
{
	for (int i = 0; i < sk_X509_num(d->chain); i++)
		take_times(d->verdict, sk_X509_value(d->chain, i));
}

static enum policy_refusal decide(struct decision *d)
{
	static enum policy_refusal (*const checks[])(struct decision *d) = {
		check_algorithms, verify, check_revocation, check_key_usage,
		check_as, check_address, check_issuers, check_identity,
	};
	enum policy_refusal refusal = decode(d);
	size_t i;

	if (refusal != POLICY_ALLOWED)
		return refusal;
	describe_end(d);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		refusal = checks[i](d);
		if (refusal != POLICY_ALLOWED)
			return refusal;
	}
	find_not_after(d);
	return POLICY_ALLOWED;
}

void policy_authorize(const struct policy_request *request,
		      struct policy_verdict *ret_verdict)
{
	struct policy_verdict verdict = { .refusal = POLICY_UNTRUSTED };
	struct decision d = { .request = request, .verdict = &verdict };

	ERR_set_mark();
	d.presented = sk_X509_new_null();
	if (d.presented != NULL && request->anchors != NULL)
		verdict.refusal = decide(&d);
	else
		text_format(verdict.text, sizeof(verdict.text), "peer %s has "
			    "no trust anchor", request->peer_name);
	sk_X509_pop_free(d.presented, X509_free);
	sk_X509_pop_free(d.chain, X509_free);
	/* what a stranger's certificate left in OpenSSL's error queue */
	ERR_pop_to_mark();
	*ret_verdict = verdict;
}
