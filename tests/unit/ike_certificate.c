/* The key of a certificate: the one that OpenSSL's own parser finds, or none. */
#include "tests/unit/ike_test.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ike/certificate.h"

enum { KINDS = 7, VERSION_1 = 0, VERSION_3 = 2 };

/* A certificate of another key of each kind. */
static struct ike_bytes others[KINDS];
static uint8_t ders[KINDS][2048];

static EVP_PKEY *make_key(int kind)
{
	switch (kind) {
	case 0:
		return EVP_EC_gen("P-256");
	case 1:
		return EVP_EC_gen("P-384");
	case 2:
		return EVP_EC_gen("P-521");
	case 3:
		return EVP_RSA_gen(2048);
	case 4:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	case 5:
		return EVP_EC_gen("P-224");
	}
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static size_t make(EVP_PKEY *key, long version, uint8_t ret_der[2048])
{
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);
	EVP_PKEY *signer = EVP_EC_gen("P-256");
	int len;

	X509_set_version(x509, version);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 0x1234567);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)"router", -1, -1, 0);
	X509_set_issuer_name(x509, name);
	X509_set_pubkey(x509, key);
	/* who signed it is not looked at here */
	assert_true(X509_sign(x509, signer, EVP_sha256()) > 0);
	len = i2d_X509(x509, &ret_der);
	EVP_PKEY_free(signer);
	X509_free(x509);
	return (size_t)len;
}

/* Whatever key there was before, it is never that one. */
static void after_others(struct ike_bytes bytes, const EVP_PKEY *expected)
{
	for (int kind = 0; kind < KINDS; kind++) {
		enum signature_key found;
		EVP_PKEY *key = certificate_key(test_crypto(), others[kind],
						&found);

		assert_non_null(key);
		assert_int_equal(found, signature_key_of(key));
		EVP_PKEY_free(key);
		key = certificate_key(test_crypto(), bytes, &found);
		assert_int_equal(!key, !expected);
		if (expected) {
			assert_int_equal(EVP_PKEY_eq(key, expected), 1);
			assert_int_equal(found, signature_key_of(expected));
		}
		EVP_PKEY_free(key);
	}
}

static void every_kind(void **state)
{
	uint8_t der[2048];

	(void)state;
	for (int kind = 0; kind < KINDS; kind++)
		for (long v = VERSION_1; v <= VERSION_3; v += VERSION_3) {
			EVP_PKEY *key = make_key(kind);
			size_t len = make(key, v, der);

			after_others((struct ike_bytes){ der, len }, key);
			EVP_PKEY_free(key);
		}
}

static void none_in(struct ike_bytes bytes)
{
	enum signature_key kind;

	assert_null(certificate_key(test_crypto(), bytes, &kind));
}

/* Never another key than OpenSSL's. */
static void same_in(struct ike_bytes bytes)
{
	const uint8_t *at = bytes.data;
	enum signature_key kind;
	EVP_PKEY *found = certificate_key(test_crypto(), bytes, &kind), *key;
	EVP_PKEY *copy = found ? EVP_PKEY_dup(found) : NULL;
	X509 *x509 = d2i_X509(NULL, &at, (long)bytes.len);

	key = x509 ? X509_get0_pubkey(x509) : NULL;
	if (key && found)
		assert_int_equal(EVP_PKEY_eq(found, key), 1);
	/* nothing that it takes is refused, but what follows the end */
	if (key && at == bytes.data + bytes.len)
		assert_non_null(found);
	after_others(bytes, copy);
	X509_free(x509);
	EVP_PKEY_free(found);
	EVP_PKEY_free(copy);
}

static void damaged(void **state)
{
	uint8_t der[2048] = { 0 };

	(void)state;
	for (int kind = 0; kind < KINDS; kind += 3) {
		EVP_PKEY *key = make_key(kind);
		size_t len = make(key, VERSION_3, der);

		each_truncation((struct ike_bytes){ der, len }, none_in);
		none_in((struct ike_bytes){ der, len + 1 });
		each_flip((struct ike_bytes){ der, len }, same_in);
		EVP_PKEY_free(key);
	}
}

/* The last octet of the point, one bit flipped. */
static void off_the_curve(void **state)
{
	EVP_PKEY *key = make_key(0);
	uint8_t der[2048], point[65];
	size_t len = make(key, VERSION_3, der), point_len;
	uint8_t *at;

	(void)state;
	assert_int_equal(EVP_PKEY_get_octet_string_param(key, "pub", point,
			 sizeof(point), &point_len), 1);
	at = memmem(der, len, point, point_len);
	assert_non_null(at);
	at[point_len - 1] ^= 1;
	after_others((struct ike_bytes){ der, len }, NULL);
	EVP_PKEY_free(key);
}

static int make_others(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		EVP_PKEY *key = make_key(kind);

		others[kind].data = ders[kind];
		others[kind].len = make(key, VERSION_3, ders[kind]);
		EVP_PKEY_free(key);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(damaged),
		cmocka_unit_test(off_the_curve),
	};

	return cmocka_run_group_tests(tests, make_others, NULL);
}
