/* CRLs for tests, right and wrong, from a few words; beside policy_certs.h. */
#ifndef TESTS_UNIT_POLICY_CRLS_H
#define TESTS_UNIT_POLICY_CRLS_H

#include "tests/unit/policy_certs.h"

struct crl_spec {
	const struct made *issuer;
	const struct made *revoked;	/* NULL: nothing */
	time_t from, until;		/* 0: NOW - 1 day, NOW + 7 days */
	EVP_PKEY *key;			/* NULL: the issuer's */
	const char *digest;		/* NULL: SHA256 */
	const char *extra_name, *extra;	/* an extension, OpenSSL syntax */
	const char *entry_name, *entry;	/* of the entry */
	bool no_until, no_key_id, pss, twice;
};

struct made_crl {
	X509_CRL *crl;
	unsigned char *der;
	int der_len;
};

static void crl_put(X509_CRL *crl, X509V3_CTX *ctx, const char *name,
		    const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_nconf(NULL, ctx, name, value);

	must(ext != NULL && X509_CRL_add_ext(crl, ext, -1) == 1, name);
	X509_EXTENSION_free(ext);
}

static void crl_revoke(X509_CRL *crl, const struct crl_spec *s)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *when = ASN1_TIME_set(NULL, NOW - DAYS(2));

	must(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(
						s->revoked->cert)) == 1 &&
	     X509_REVOKED_set_revocationDate(entry, when) == 1, "entry");
	if (s->entry_name != NULL) {
		X509_EXTENSION *ext = X509V3_EXT_nconf(NULL, NULL,
						       s->entry_name, s->entry);

		must(ext != NULL && X509_REVOKED_add_ext(entry, ext, -1) == 1,
		     s->entry_name);
		X509_EXTENSION_free(ext);
	}
	must(X509_CRL_add0_revoked(crl, entry) == 1, "entry");
	ASN1_TIME_free(when);
}

static void crl_sign(X509_CRL *crl, const struct crl_spec *s)
{
	EVP_PKEY *key = s->key != NULL ? s->key : s->issuer->key;
	const EVP_MD *md = EVP_get_digestbyname(s->digest == NULL ? "SHA256" :
						s->digest);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519)
		md = NULL;
	must(EVP_DigestSignInit(ctx, &padding, md, NULL, key) == 1, "sign");
	must(!s->pss || EVP_PKEY_CTX_set_rsa_padding(
			padding, RSA_PKCS1_PSS_PADDING) == 1, "PSS");
	must(X509_CRL_sign_ctx(crl, ctx) > 0, "sign");
	EVP_MD_CTX_free(ctx);
}

static struct made_crl make_crl(const struct crl_spec *s)
{
	struct made_crl made = { X509_CRL_new(), NULL, 0 };
	ASN1_TIME *from = ASN1_TIME_set(NULL, s->from != 0 ? s->from :
					NOW - DAYS(1));
	ASN1_TIME *until = ASN1_TIME_set(NULL, s->until != 0 ? s->until :
					 NOW + DAYS(7));
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, s->issuer->cert, NULL, NULL, made.crl, 0);
	must(X509_CRL_set_version(made.crl, X509_CRL_VERSION_2) == 1 &&
	     X509_CRL_set_issuer_name(made.crl, X509_get_subject_name(
						s->issuer->cert)) == 1 &&
	     X509_CRL_set1_lastUpdate(made.crl, from) == 1, "CRL");
	if (!s->no_until)
		X509_CRL_set1_nextUpdate(made.crl, until);
	if (!s->no_key_id)
		crl_put(made.crl, &ctx, "authorityKeyIdentifier",
			"keyid:always");
	if (s->extra_name != NULL)
		crl_put(made.crl, &ctx, s->extra_name, s->extra);
	if (s->twice)
		crl_put(made.crl, &ctx, s->extra_name, s->extra);
	if (s->revoked != NULL)
		crl_revoke(made.crl, s);
	crl_sign(made.crl, s);
	made.der_len = i2d_X509_CRL(made.crl, &made.der);
	must(made.der_len > 0, "DER");
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	return made;
}

static void unmake_crl(struct made_crl *made)
{
	X509_CRL_free(made->crl);
	OPENSSL_free(made->der);
}

#endif
