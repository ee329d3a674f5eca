#include "sidecar/pki_crl.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

static bool add_times(X509_CRL *crl, time_t from, time_t until)
{
	ASN1_TIME *begin = ASN1_TIME_set(NULL, from);
	ASN1_TIME *end = ASN1_TIME_set(NULL, until);
	bool done = begin != NULL && end != NULL &&
		    X509_CRL_set1_lastUpdate(crl, begin) == 1 &&
		    X509_CRL_set1_nextUpdate(crl, end) == 1;

	ASN1_TIME_free(begin);
	ASN1_TIME_free(end);
	return done;
}

/* RFC 5280 5.2.3: one more each time. */
static bool add_number(X509_CRL *crl, const X509_CRL *old)
{
	ASN1_INTEGER *before = old == NULL ? NULL :
		X509_CRL_get_ext_d2i(old, NID_crl_number, NULL, NULL);
	BIGNUM *number = before == NULL ? BN_new() :
			 ASN1_INTEGER_to_BN(before, NULL);
	ASN1_INTEGER *next = NULL;
	bool done = number != NULL && BN_add_word(number, 1) == 1 &&
		    (next = BN_to_ASN1_INTEGER(number, NULL)) != NULL &&
		    X509_CRL_add1_ext_i2d(crl, NID_crl_number, next, 0,
					  0) == 1;

	ASN1_INTEGER_free(before);
	ASN1_INTEGER_free(next);
	BN_free(number);
	return done;
}

static bool add_key_id(X509_CRL *crl, X509 *ca)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	bool done;

	X509V3_set_ctx(&ctx, ca, NULL, NULL, crl, 0);
	ext = X509V3_EXT_nconf_nid(NULL, &ctx, NID_authority_key_identifier,
				   "keyid:always");
	done = ext != NULL && X509_CRL_add_ext(crl, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return done;
}

static bool copy_entries(X509_CRL *crl, X509_CRL *old)
{
	const STACK_OF(X509_REVOKED) *entries =
		old == NULL ? NULL : X509_CRL_get_REVOKED(old);

	for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
		X509_REVOKED *copy = X509_REVOKED_dup(
			sk_X509_REVOKED_value(entries, i));

		if (copy == NULL || X509_CRL_add0_revoked(crl, copy) != 1) {
			X509_REVOKED_free(copy);
			return false;
		}
	}
	return true;
}

/* Once is enough. */
static bool revoke(X509_CRL *crl, const X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	X509_REVOKED *entry = NULL;
	ASN1_INTEGER *copy;

	copy = ASN1_INTEGER_dup(serial);
	if (copy == NULL)
		return false;
	if (X509_CRL_get0_by_serial(crl, &entry, copy) != 0) {
		ASN1_INTEGER_free(copy);
		return true;
	}
	entry = X509_REVOKED_new();
	if (entry != NULL && X509_REVOKED_set_serialNumber(entry, copy) == 1 &&
	    X509_REVOKED_set_revocationDate(entry, (ASN1_TIME *)(uintptr_t)
					    X509_CRL_get0_lastUpdate(crl)) == 1 &&
	    X509_CRL_add0_revoked(crl, entry) == 1) {
		ASN1_INTEGER_free(copy);
		return true;
	}
	ASN1_INTEGER_free(copy);
	X509_REVOKED_free(entry);
	return false;
}

static bool fill(X509_CRL *crl, const struct pki_pair *ca, X509_CRL *old,
		 const STACK_OF(X509) *certs)
{
	if (X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert)) !=
	    1 || !add_key_id(crl, ca->cert) || !add_number(crl, old) ||
	    !copy_entries(crl, old))
		return false;
	for (int i = 0; i < sk_X509_num(certs); i++)
		if (!revoke(crl, sk_X509_value(certs, i)))
			return false;
	return X509_CRL_sort(crl) == 1 &&
	       X509_CRL_sign(crl, ca->key, pki_digest(ca->key)) > 0;
}

char *pki_crl_pem(const struct pki_pair *ca, X509_CRL *old,
		  const STACK_OF(X509) *certs, time_t from, time_t until)
{
	X509_CRL *crl = X509_CRL_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem = NULL;
	long len;

	if (crl != NULL && bio != NULL && add_times(crl, from, until) &&
	    fill(crl, ca, old, certs) && PEM_write_bio_X509_CRL(bio, crl) == 1) {
		len = BIO_get_mem_data(bio, &data);
		if (len > 0)
			pem = OPENSSL_strndup(data, (size_t)len);
	}
	BIO_free(bio);
	X509_CRL_free(crl);
	return pem;
}
