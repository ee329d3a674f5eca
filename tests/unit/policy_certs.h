/* Certificates for tests, right and wrong, from a few words. Every test
 * program that includes this uses what it needs. */
#ifndef TESTS_UNIT_POLICY_CERTS_H
#define TESTS_UNIT_POLICY_CERTS_H

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A fixed "now" for what is told the time: 2026-01-15 08:00:00 UTC. */
#define NOW ((time_t)1768464000)
#define DAYS(n) ((time_t)(n) * 86400)

struct made {
	X509 *cert;
	EVP_PKEY *key;
	unsigned char *der;
	int der_len;
};

enum key_type { KEY_P256, KEY_P384, KEY_P521, KEY_P224, KEY_EXPLICIT,
		KEY_RSA_2048, KEY_RSA_1024, KEY_RSA_512, KEY_RSA_E0,
		KEY_RSA_E3, KEY_ED25519, KEY_ED448 };

struct spec {
	const char *name;
	const struct made *issuer;	/* NULL: itself */
	bool ca;			/* the usual extensions of a CA */
	const char *as, *addresses, *san;	/* OpenSSL syntax; NULL: none */
	const char *usage;		/* NULL: the usual, "": none */
	const char *constraints;	/* NULL: the usual */
	const char *extra_name, *extra;
	time_t not_before, not_after;	/* 0: NOW ± 30 days */
	enum key_type key_type;
	const char *digest;		/* NULL: SHA256 */
	bool pss;			/* RSA issuer: with that padding */
	EVP_PKEY *key;			/* reuse; NULL: a new one */
	const char *skid;		/* NULL: hash */
};

static void fail_hard(const char *what)
{
	fprintf(stderr, "# test certificates: %s\n", what);
	abort();
}

static void must(int ok, const char *what)
{
	if (!ok)
		fail_hard(what);
}

static EVP_PKEY *explicit_key(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string("group", (char[]){ "P-256" },
						 0),
		OSSL_PARAM_construct_utf8_string("encoding",
						 (char[]){ "explicit" }, 0),
		OSSL_PARAM_construct_end()
	};

	must(EVP_PKEY_keygen_init(ctx) == 1 &&
	     EVP_PKEY_CTX_set_params(ctx, params) == 1 &&
	     EVP_PKEY_generate(ctx, &key) == 1, "explicit key");
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *rsa_e3_key(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	BIGNUM *e = BN_new();

	must(BN_set_word(e, 3) == 1 && EVP_PKEY_keygen_init(ctx) == 1 &&
	     EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1 &&
	     EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) == 1 &&
	     EVP_PKEY_generate(ctx, &key) == 1, "e = 3");
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *make_key(enum key_type type)
{
	switch (type) {
	case KEY_P256:
		return EVP_EC_gen("P-256");
	case KEY_P384:
		return EVP_EC_gen("P-384");
	case KEY_P521:
		return EVP_EC_gen("P-521");
	case KEY_P224:
		return EVP_EC_gen("P-224");
	case KEY_EXPLICIT:
		return explicit_key();
	case KEY_RSA_1024:
		return EVP_RSA_gen(1024);
	case KEY_RSA_E3:
		return rsa_e3_key();
	case KEY_ED448:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	case KEY_RSA_2048:
		return EVP_RSA_gen(2048);
	case KEY_RSA_512:
	case KEY_RSA_E0:
		return EVP_RSA_gen(512);
	case KEY_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
	return NULL;
}

/* RSAPublicKey { n = 64 bytes, e = 0 }, as no library would make it. */
static void set_e0(X509 *cert)
{
	unsigned char *der = OPENSSL_malloc(2 + 67 + 3);
	static const unsigned char head[] = { 0x30, 70, 0x02, 65, 0x00, 0xc5 };

	memset(der, 0x5b, 72);
	memcpy(der, head, sizeof(head));
	memcpy(der + 69, "\x02\x01\x00", 3);
	must(X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(cert),
				    OBJ_nid2obj(NID_rsaEncryption),
				    V_ASN1_NULL, NULL, der, 72) == 1, "e = 0");
}

static void put(X509 *cert, X509V3_CTX *ctx, const char *name,
		const char *value)
{
	X509_EXTENSION *ext;

	if (value == NULL || *value == '\0')
		return;
	ext = X509V3_EXT_nconf(NULL, ctx, name, value);
	must(ext != NULL && X509_add_ext(cert, ext, -1) == 1, name);
	X509_EXTENSION_free(ext);
}

static void put_all(X509 *cert, const struct spec *s)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, s->issuer == NULL ? cert : s->issuer->cert, cert,
		       NULL, NULL, 0);
	put(cert, &ctx, "subjectKeyIdentifier",
	    s->skid == NULL ? "hash" : s->skid);
	put(cert, &ctx, "authorityKeyIdentifier", "keyid:always");
	put(cert, &ctx, "basicConstraints", s->constraints != NULL ?
	    s->constraints : s->ca ? "critical,CA:TRUE" : NULL);
	put(cert, &ctx, "keyUsage", s->usage != NULL ? s->usage : s->ca ?
	    "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	put(cert, &ctx, "sbgp-autonomousSysNum", s->as);
	put(cert, &ctx, "sbgp-ipAddrBlock", s->addresses);
	put(cert, &ctx, "subjectAltName", s->san);
	if (s->extra_name != NULL)
		put(cert, &ctx, s->extra_name, s->extra);
}

static void sign(X509 *cert, const struct spec *s, EVP_PKEY *own)
{
	EVP_PKEY *key = s->issuer == NULL ? own : s->issuer->key;
	const EVP_MD *md = EVP_get_digestbyname(s->digest == NULL ? "SHA256" :
						s->digest);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_base_id(key) == EVP_PKEY_ED448)
		md = NULL;
	must(EVP_DigestSignInit(ctx, &padding, md, NULL, key) == 1, "sign");
	must(!s->pss || EVP_PKEY_CTX_set_rsa_padding(
			padding, RSA_PKCS1_PSS_PADDING) == 1, "PSS");
	must(X509_sign_ctx(cert, ctx) > 0, "sign");
	EVP_MD_CTX_free(ctx);
}

static struct made make(const struct spec *s)
{
	static long serial = 1000;
	struct made made = { X509_new(), NULL, NULL, 0 };
	X509_NAME *name = X509_get_subject_name(made.cert);

	if (s->key != NULL) {
		EVP_PKEY_up_ref(s->key);
		made.key = s->key;
	} else {
		made.key = make_key(s->key_type);
	}
	must(made.key != NULL, "key");
	X509_set_version(made.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.cert), serial++);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
				   (const unsigned char *)s->name, -1, -1, 0);
	X509_set_issuer_name(made.cert, s->issuer == NULL ? name :
			     X509_get_subject_name(s->issuer->cert));
	ASN1_TIME_set(X509_getm_notBefore(made.cert), s->not_before != 0 ?
		      s->not_before : NOW - DAYS(30));
	ASN1_TIME_set(X509_getm_notAfter(made.cert), s->not_after != 0 ?
		      s->not_after : NOW + DAYS(30));
	must(X509_set_pubkey(made.cert, made.key) == 1, "public key");
	if (s->key_type == KEY_RSA_E0)
		set_e0(made.cert);
	put_all(made.cert, s);
	sign(made.cert, s, made.key);
	made.der_len = i2d_X509(made.cert, &made.der);
	must(made.der_len > 0, "DER");
	return made;
}

static void unmake(struct made *made)
{
	X509_free(made->cert);
	EVP_PKEY_free(made->key);
	OPENSSL_free(made->der);
}

#endif
