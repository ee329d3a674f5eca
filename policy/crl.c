#include "policy/crl.h"

#include <openssl/x509v3.h>

#include "policy/certificate.h"
#include "policy/limits.h"
#include "policy/text.h"

/* What we know of extensions. Freshest CRL points to delta CRLs, which nobody
 * fetches. */
static const struct {
	int nid;
	const char *refused;	/* NULL: harmless, critical or not */
} extensions[] = {
	{ NID_authority_key_identifier, NULL },
	{ NID_crl_number, NULL },
	{ NID_delta_crl, "is a delta CRL" },
	{ NID_issuing_distribution_point, "is indirect or for a part of the "
	  "certificates only (issuingDistributionPoint)" },
};

/* ------------------------------------------------------------- extensions */

static const char *extension_refused(X509_EXTENSION *extension)
{
	const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (extensions[i].nid == nid)
			return extensions[i].refused;
	return X509_EXTENSION_get_critical(extension) ?
	       "has a critical extension that is not known" : NULL;
}

static bool stands_twice(const X509_CRL *crl, int at)
{
	const ASN1_OBJECT *name =
		X509_EXTENSION_get_object(X509_CRL_get_ext(crl, at));

	return X509_CRL_get_ext_by_OBJ(crl, name, at) >= 0;
}

static const char *extensions_refused(const X509_CRL *crl)
{
	const int count = X509_CRL_get_ext_count(crl);
	const char *refused;

	if (count > POLICY_MAX_EXTENSIONS)
		return "has too many extensions";
	if (count > 0 && X509_CRL_get_version(crl) != X509_CRL_VERSION_2)
		return "is malformed";
	for (int i = 0; i < count; i++) {
		refused = extension_refused(X509_CRL_get_ext(crl, i));
		if (refused != NULL)
			return refused;
		if (stands_twice(crl, i))
			return "is malformed";
	}
	return NULL;
}

/* certificateIssuer, which makes a CRL indirect, is critical (RFC 5280
 * 5.3.3). */
static const char *entries_refused(X509_CRL *crl)
{
	const STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);

	for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
		const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);

		if (X509_REVOKED_get_ext_by_critical(entry, 1, -1) >= 0)
			return "has an entry with a critical extension";
	}
	return NULL;
}

/* ----------------------------------------------------------------- decode */

static const char *times_refused(const X509_CRL *crl)
{
	time_t from, until;

	if (X509_CRL_get0_nextUpdate(crl) == NULL)
		return "does not say how long it is good (no nextUpdate)";
	if (!certificate_time(X509_CRL_get0_lastUpdate(crl), &from) ||
	    !certificate_time(X509_CRL_get0_nextUpdate(crl), &until) ||
	    until < from)
		return "has malformed times";
	return NULL;
}

static bool crl_fits(X509_CRL *crl, char *ret_why, size_t size)
{
	const X509_ALGOR *algorithm;
	const char *refused = times_refused(crl);

	if (refused == NULL)
		refused = extensions_refused(crl);
	if (refused == NULL)
		refused = entries_refused(crl);
	if (refused != NULL) {
		text_format(ret_why, size, "%s", refused);
		return false;
	}
	X509_CRL_get0_signature(crl, NULL, &algorithm);
	return certificate_algorithm_accepted(algorithm, ret_why, size);
}

X509_CRL *crl_decode(const uint8_t *der, size_t len, char *ret_why,
		     size_t size)
{
	const unsigned char *end = der;
	X509_CRL *crl = NULL;

	if (len > 0 && len <= POLICY_MAX_FILE_SIZE)
		crl = d2i_X509_CRL(NULL, &end, (long)len);
	if (crl == NULL || end != der + len)
		text_format(ret_why, size, "is malformed");
	else if (crl_fits(crl, ret_why, size))
		return crl;
	X509_CRL_free(crl);
	return NULL;
}

/* ---------------------------------------------------------------- content */

time_t crl_from(const X509_CRL *crl)
{
	time_t time = 0;

	return certificate_time(X509_CRL_get0_lastUpdate(crl), &time) ?
	       time : 0;
}

time_t crl_until(const X509_CRL *crl)
{
	time_t time = 0;

	return certificate_time(X509_CRL_get0_nextUpdate(crl), &time) ?
	       time : 0;
}

void crl_issuer(const X509_CRL *crl, char *ret_text, size_t size)
{
	certificate_name(X509_CRL_get_issuer(crl), ret_text, size);
}

bool crl_names(const X509_CRL *crl, const X509 *ca)
{
	AUTHORITY_KEYID *key;
	bool names;

	if (X509_NAME_cmp(X509_CRL_get_issuer(crl),
			  X509_get_subject_name(ca)) != 0)
		return false;
	/* two CAs of one name, as while a CA changes its key */
	key = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL,
				   NULL);
	names = X509_check_akid(ca, key) == X509_V_OK;
	AUTHORITY_KEYID_free(key);
	return names;
}

bool crl_signed_by(X509_CRL *crl, const X509 *ca)
{
	EVP_PKEY *key = X509_get0_pubkey(ca);

	return key != NULL && X509_CRL_verify(crl, key) == 1;
}
