/* Who the two sides are: a key of each kind, made when it is first wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tests/sim/sim.h"

static struct {
	EVP_PKEY *key;
	uint8_t der[2048];
	size_t der_len;
} identities[SIM_IDENTITIES];

static EVP_PKEY *make_key(int i)
{
	switch (i) {
	case 2:
		return EVP_EC_gen("P-384");
	case 3:
		return EVP_EC_gen("P-521");
	case 4:
		return EVP_RSA_gen(2048);
	case SIM_ED25519:
	case SIM_ED25519_OTHER:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case 6:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	}
	return EVP_EC_gen("P-256");
}

static void make_identity(int i)
{
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);
	uint8_t *at = identities[i].der;
	EVP_PKEY *key = make_key(i);

	assert_non_null(key);
	X509_set_version(x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), i + 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
	X509_set_pubkey(x509, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)"router", -1, -1, 0);
	X509_set_issuer_name(x509, name);
	assert_true(X509_sign(x509, key, i > 4 ? NULL : EVP_sha256()) > 0);
	identities[i].der_len = (size_t)i2d_X509(x509, &at);
	identities[i].key = key;
	X509_free(x509);
}

struct ike_bytes sim_certificate(int i)
{
	if (!identities[i].key)
		make_identity(i);
	return (struct ike_bytes){ identities[i].der, identities[i].der_len };
}

size_t sim_sign(int i, uint16_t hash, struct ike_bytes octets,
		uint8_t ret[IKE_MAX_SIGNATURE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = IKE_MAX_SIGNATURE;
	EVP_PKEY_CTX *padding;
	const EVP_MD *md = i > 4 ? NULL :
		hash == IKE_HASH_SHA2_384 ? EVP_sha384() :
		hash == IKE_HASH_SHA2_512 ? EVP_sha512() : EVP_sha256();

	assert_int_equal(EVP_DigestSignInit(ctx, &padding, md, NULL,
					    identities[i].key), 1);
	if (EVP_PKEY_is_a(identities[i].key, "RSA"))
		assert_true(EVP_PKEY_CTX_set_rsa_padding(
				padding, RSA_PKCS1_PSS_PADDING) == 1 &&
			    EVP_PKEY_CTX_set_rsa_pss_saltlen(
				padding, RSA_PSS_SALTLEN_DIGEST) == 1);
	assert_int_equal(EVP_DigestSign(ctx, ret, &len, octets.data,
					octets.len), 1);
	EVP_MD_CTX_free(ctx);
	return len;
}
