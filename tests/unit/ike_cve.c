/*
 * One test for each class of published IKE vulnerability that a parser or a
 * primitive can have. Those of an engine with state: tests/sim/ike_cve_*.c; of
 * certificates: policy_cve.c.
 */
#include "tests/unit/ike_test.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ike/proposal.h"
#include "ike/signature.h"
#include "tests/sim/profile.h"

#define OCTETS TEXT("octets to be signed")

/* ------------------------------------------------- keys of certificates */

struct identity {
	EVP_PKEY *key;
	uint8_t der[4096];
	struct ike_bytes certificate;
};

static struct identity good, signer;

static EVP_PKEY *rsa_key(unsigned bits, unsigned e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *exponent = BN_new();
	EVP_PKEY *key = NULL;

	assert_int_equal(BN_set_word(exponent, e), 1);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, exponent),
			 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	BN_free(exponent);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* A certificate of this key, signed by another; `spki` in place of the key's
 * own algorithm parameters and bits, if there is one. */
static struct ike_bytes certify(EVP_PKEY *key, const char *spki, uint8_t *der)
{
	X509 *x509 = X509_new();
	size_t len;
	uint8_t *bits;

	X509_set_version(x509, 2);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	assert_int_equal(X509_set_pubkey(x509, key), 1);
	if (spki) {
		bits = OPENSSL_malloc(strlen(spki) / 2);
		len = hex(spki, bits);
		assert_int_equal(X509_PUBKEY_set0_param(
			X509_get_X509_PUBKEY(x509),
			OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL,
			bits, (int)len), 1);
	}
	assert_true(X509_sign(x509, signer.key, EVP_sha256()) > 0);
	len = (size_t)i2d_X509(x509, &der);
	X509_free(x509);
	return (struct ike_bytes){ der - len, len };
}

static int setup(void **state)
{
	(void)state;
	signer.key = EVP_EC_gen("P-256");
	good.key = EVP_EC_gen("P-256");
	good.certificate = certify(good.key, NULL, good.der);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(signer.key);
	EVP_PKEY_free(good.key);
	return 0;
}

/* Algorithm (with its length) and a real signature by key. */
static size_t real_auth(EVP_PKEY *key, const char *algorithm, uint8_t *ret_auth)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t start = hex(algorithm, ret_auth), len = 512;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
					    key), 1);
	assert_int_equal(EVP_DigestSign(ctx, ret_auth + start, &len,
					OCTETS.data, OCTETS.len), 1);
	EVP_MD_CTX_free(ctx);
	return start + len;
}

#define ECDSA_SHA256 "0c300a06082a8648ce3d040302"
#define RSA_SHA256 "0f300d06092a864886f70d01010b0500"

static enum ike_reason verify(struct ike_bytes certificate, EVP_PKEY *key,
			      const char *algorithm)
{
	uint8_t bytes[600];
	size_t len = real_auth(key, algorithm, bytes);

	return signature_verify(test_crypto(), certificate,
				IKE_AUTH_METHOD_DIGITAL_SIGNATURE,
				(struct ike_bytes){ bytes, len }, OCTETS);
}

/* The RSAPublicKey (RFC 8017 A.1.1) of a key, with another exponent, as hex. */
static char *with_exponent(EVP_PKEY *key, const char *exponent)
{
	static char text[2048];
	uint8_t der[600], *at = der;
	size_t len = (size_t)i2d_PublicKey(key, &at) - 5, total;

	/* 30 82 xx xx, the modulus, and at the end 02 03 01 00 01 */
	assert_true(der[0] == 0x30 && der[1] == 0x82 && der[len] == 0x02);
	total = len - 4 + strlen(exponent) / 2;
	der[2] = (uint8_t)(total >> 8);
	der[3] = (uint8_t)total;
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", der[i]);
	strcpy(text + 2 * len, exponent);
	return text;
}

/* A good modulus, and an exponent that makes forgeries easy or verifying
 * slow. */
static void absurd_rsa_exponents(void **state)
{
	static const struct {
		const char *e;		/* as INTEGER */
		enum ike_reason expected;
	} cases[] = {
		{ "0203010001", IKE_REASON_AUTH },	/* not of this key */
		{ "020100", IKE_REASON_CERTIFICATE },
		{ "020101", IKE_REASON_CERTIFICATE },
		{ "020103", IKE_REASON_CERTIFICATE },
		{ "020111", IKE_REASON_CERTIFICATE },
		{ "0203010000", IKE_REASON_CERTIFICATE },	/* even */
		{ "0209010000000000000001", IKE_REASON_CERTIFICATE },
		{ "0221010000000000000000000000000000000000000000000000000000"
		  "00000000000001", IKE_REASON_CERTIFICATE },
	};
	EVP_PKEY *key = rsa_key(2048, 65537), *other = rsa_key(2048, 65537);
	uint8_t der[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_bytes certificate = certify(
			key, with_exponent(key, cases[i].e), der);

		assert_int_equal(verify(certificate, other, RSA_SHA256),
				 cases[i].expected);
	}
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

/* CVE-2018-16151, -16152, CVE-2026-50721, -50722 (e = 3), CVE-2018-17540 (a
 * tiny modulus), CVE-2026-14957 (e = 0): no such key is ever used, whatever
 * the algorithm that AUTH names. */
static void absurd_rsa_keys_are_refused_before_use(void **state)
{
	static const struct {
		unsigned bits, e;
		const char *spki;
	} cases[] = {
		{ 512, 65537, NULL }, { 1024, 65537, NULL },
		{ 2048, 65537, "3006020100020100" },	/* n = 0, e = 0 */
		{ 2048, 65537, "3006020101020101" },	/* 1, 1 */
		{ 2048, 65537, "300602010f020103" },	/* 15, 3 */
		{ 2048, 65537, "3006020181020103" },	/* negative */
		{ 2048, 65537, "300702020100020100" },	/* e = 0 */
		{ 2048, 65537, "30" },
		{ 2048, 65537, "308400ffffff" },
	};
	uint8_t der[4096];

	(void)state;
	assert_int_equal(verify(good.certificate, good.key, ECDSA_SHA256),
			 IKE_REASON_NONE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EVP_PKEY *key = rsa_key(cases[i].bits, cases[i].e);
		struct ike_bytes certificate = certify(key, cases[i].spki,
						       der);

		assert_int_equal(verify(certificate, key, ECDSA_SHA256),
				 IKE_REASON_CERTIFICATE);
		assert_int_not_equal(verify(certificate, key, RSA_SHA256),
				     IKE_REASON_NONE);
		EVP_PKEY_free(key);
	}
}

/*
 * The forgery itself: the cube of each of these numbers begins 00 01 ff .. 00
 * DigestInfo SHA2-256(OCTETS), with garbage behind, so that with e = 3 a
 * verifier that does not look at the whole block takes it for a signature
 * under any key. Made by an integer cube root in Python.
 */
static const char *const forgeries[] = {
		"32c38624845911817bf125c3cf15343cee1389f8cefe82cf7c86777f9e03"
		"a323ac2e736a61912656cc89f5cde8517d8c47194fccb872eeb456867c7e"
		"8027e3f1c7dbe6a972d20082344a49d79e836cc6dd6195b1fe",
		"32cbfd4a7adc7905583d767520f51640759176d37826f2ef63ae3dc7a755"
		"52b52e360d76f77d28b1dc1c464dc5ed78455f31d80de5f8fb1ae6dadba8"
		"3e6cda586b71241750c935207110f0e55bb95c020b828f00df",
};

static void pkcs1_padding_forgery(void **state)
{
	uint8_t der[4096], auth[600] = { 0 }, root[256];
	EVP_PKEY *key = rsa_key(2048, 3);
	struct ike_bytes certificate = certify(key, NULL, der);
	size_t start = hex(RSA_SHA256, auth);

	(void)state;
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
		size_t len = hex(forgeries[i], root);

		memset(auth + start, 0, 256);
		memcpy(auth + start + 256 - len, root, len);
		/* with such an exponent nothing else is looked at; padding that
		 * is not looked at is padding_is_strict's (ike_signature.c) */
		for (unsigned method = 0; method < 16; method++)
			assert_int_equal(
				signature_verify(test_crypto(),
						 certificate, (uint8_t)method,
						 (struct ike_bytes){
						 auth, start + 256 }, OCTETS),
				(method >= 9 && method <= 11) || method == 14 ?
				IKE_REASON_CERTIFICATE :
				IKE_REASON_AUTH_METHOD);
	}
	EVP_PKEY_free(key);
}

/* CVE-2018-6459: parameters of RSASSA-PSS, absent, empty or absurd; and other
 * spellings of our own algorithm's identifier, SHA-1 among them. */
static void strange_algorithm_identifiers(void **state)
{
	static const char *const algorithms[] = {
		"0d300b06092a864886f70d01010a",		/* PSS, bare */
		"0f300d06092a864886f70d01010a3000",
		"0f300d06092a864886f70d01010a0500",
		"11300f06092a864886f70d01010a3002a000",
		"14301206092a864886f70d01010a3005a203020100",
		"17301506092a864886f70d01010a3008a206020400ffffff",
		"0b300906072a8648ce3d0401",		/* SHA-1 */
		"0e300c06082a8648ce3d0403020500",	/* NULL */
		"0d300b06082a8648ce3d04030200",
		"0c308006082a8648ce3d040302",		/* indefinite */
		"0d30810a06082a8648ce3d040302",
		"0b300a06082a8648ce3d040302",		/* one octet short */
		"0d300a06082a8648ce3d040302",		/* one too long */
		"00", "02300a", "ff300a06082a8648ce3d040302",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		assert_int_not_equal(verify(good.certificate, good.key,
					    algorithms[i]), IKE_REASON_NONE);
}

/* Both of iked's of 2020, and of any caller of OpenSSL's: -1 is no success. A
 * signature that makes EVP_DigestVerify() fail and not only refuse. */
static void openssl_errors_are_no_success(void **state)
{
	static const char *const signatures[] = {
		"", "00", "30", "3000", "3080", "30060201000201", "0500",
		"3006020100020100", "3006028100020100", "30847fffffff",
		"3003020101", "300602010102010100",
		"3009020101020101020101"
	};
	uint8_t auth[600];

	(void)state;
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]);
	     i++) {
		size_t len = hex(ECDSA_SHA256, auth);

		len += hex(signatures[i], auth + len);
		assert_int_not_equal(
			signature_verify(test_crypto(), good.certificate, 14,
					 (struct ike_bytes){ auth, len },
					 OCTETS), IKE_REASON_NONE);
	}
}

/* ------------------------------------------------------- keys of no length */

/* CVE-2018-10811: a PRF without a key; an AEAD with a short one. */
static void keys_of_no_length(void **state)
{
	struct secret out = { .len = 77 }, key = { .len = 36 };
	struct crypto_protection gcm = {
		test_crypto(), IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE, &key,
		NULL
	};
	struct ike_bytes nothing = TEXT(""), part = TEXT("part");
	struct crypto_shape shape;
	uint8_t bytes[64], message[128] = { 0 };

	(void)state;
	assert_true(crypto_prf(test_crypto(),
			       IKE_PRF_HMAC_SHA2_256, part, &part, 1, &out));
	out.len = 77;
	assert_false(crypto_prf(test_crypto(),
				IKE_PRF_HMAC_SHA2_256, nothing, &part, 1,
				&out));
	assert_int_equal(out.len, 77);
	assert_true(crypto_prf_plus(test_crypto(),
				    IKE_PRF_HMAC_SHA2_256, part, part, bytes,
				    64));
	assert_false(crypto_prf_plus(test_crypto(),
				     IKE_PRF_HMAC_SHA2_256, nothing, part,
				     bytes, 64));
	for (key.len = 0; key.len < 64; key.len++) {
		assert_int_equal(crypto_shape(&gcm, &shape), key.len == 36);
		assert_int_equal(crypto_seal(&gcm, 1, message, 4, 4),
				 key.len == 36);
	}
}

static void derivation_needs_its_inputs(void **state)
{
	struct selection selection = {
		.encr = IKE_ENCR_AES_GCM_16, .encr_key_bits = 256,
		.prf = IKE_PRF_HMAC_SHA2_256, .ke = IKE_KE_X25519
	};
	struct selection esp = { .encr = IKE_ENCR_NULL,
				 .integ = IKE_INTEG_HMAC_SHA2_256_128 };
	struct secret d = { .len = 32 }, none = { .len = 0 };
	struct secret_wide shared = { .len = 32 };
	uint8_t nonce[32] = { 1 };
	struct keys_input input = { VIEW(nonce), VIEW(nonce), 1, 2, &shared };
	struct keys_old old = { IKE_PRF_HMAC_SHA2_256, &none };
	struct keys_ike keys;
	struct keys_child child;

	(void)state;
	assert_true(keys_ike_derive(test_crypto(),
				    &selection, &input, NULL, &keys));
	assert_false(keys_ike_derive(test_crypto(),
				     &selection, &input, &old, &keys));
	input.ni = input.nr = (struct ike_bytes){ NULL, 0 };
	assert_false(keys_ike_derive(test_crypto(),
				     &selection, &input, NULL, &keys));
	input.ni = input.nr = (struct ike_bytes)VIEW(nonce);
	input.shared = NULL;
	assert_true(keys_child_derive(test_crypto(),
				      IKE_PRF_HMAC_SHA2_256, &d, &esp,
				      &input, &child));
	assert_int_equal(child.initiator.len, 32);
	assert_false(keys_child_derive(test_crypto(),
				       IKE_PRF_HMAC_SHA2_256, &none, &esp,
				       &input, &child));
}

/* CVE-2024-3652 and its like: key lengths of 0, of a few bits, of too many,
 * none where one must be, one where none may be; NULL without integrity. */
static void key_lengths_of_0(void **state)
{
#define ESP_HEAD(len, count) "000000" len "010304" count "11223344"
#define SHA256 "030000080300000c"
#define ESN "0000000805000001"
	static const struct {
		const char *sa;
		enum ike_protocol protocol;
		bool good;
	} cases[] = {
		{ ESP_HEAD("24", "03") "030000080100000b" SHA256 ESN,
		  IKE_PROTOCOL_ESP, true },
		{ ESP_HEAD("1c", "02") "030000080100000b" ESN,
		  IKE_PROTOCOL_ESP, false },	/* no integrity */
		{ ESP_HEAD("24", "03") "030000080100000b" "0300000803000000"
		  ESN, IKE_PROTOCOL_ESP, false },
		{ ESP_HEAD("28", "03") "0300000c0100000b800e0000" SHA256 ESN,
		  IKE_PROTOCOL_ESP, false },	/* NULL has none */
		{ ESP_HEAD("20", "02") "0300000c01000015800e0000" ESN,
		  IKE_PROTOCOL_ESP, false },	/* GMAC */
		{ ESP_HEAD("1c", "02") "0300000801000015" ESN,
		  IKE_PROTOCOL_ESP, false },
		{ ESP_HEAD("20", "02") "0300000c01000014800e0000" ESN,
		  IKE_PROTOCOL_ESP, false },	/* GCM */
#define IKE_REST "0300000802000005" "000000080400001f"
		{ "00000024" "01010003" "0300000c01000014800e0100" IKE_REST,
		  IKE_PROTOCOL_IKE, true },
		{ "00000024" "01010003" "0300000c01000014800e0000" IKE_REST,
		  IKE_PROTOCOL_IKE, false },
		{ "00000024" "01010003" "0300000c01000014800e0001" IKE_REST,
		  IKE_PROTOCOL_IKE, false },
		{ "00000024" "01010003" "0300000c01000014800effff" IKE_REST,
		  IKE_PROTOCOL_IKE, false },
		{ "00000020" "01010003" "0300000801000014" IKE_REST,
		  IKE_PROTOCOL_IKE, false },
		{ "00000020" "01010003" "030000080100000b" IKE_REST,
		  IKE_PROTOCOL_IKE, false },	/* NULL */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct selection selection;
		uint8_t bytes[128];
		struct ike_bytes sa = { bytes, hex(cases[i].sa, bytes) };
		enum proposal_ke ke = cases[i].protocol == IKE_PROTOCOL_IKE ?
			PROPOSAL_KE_NEEDED : PROPOSAL_KE_IGNORED;
		enum ike_reason reason;

		reason = proposal_choose(profile(IKE_PROFILE_DEFAULT), sa,
					 cases[i].protocol, ke, 0, &selection);
		if ((reason == IKE_REASON_NONE) != cases[i].good)
			fail_msg("case %zu: %s", i, ike_reason_name(reason));
		reason = proposal_accept(profile(IKE_PROFILE_DEFAULT), sa,
					 cases[i].protocol, ke, &selection);
		if ((reason == IKE_REASON_NONE) != cases[i].good)
			fail_msg("case %zu: %s", i, ike_reason_name(reason));
	}
}

/* ----------------------------------------------------------- public values */

static bool count_up(void *ctx, uint8_t *ret_bytes, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++)
		ret_bytes[i] = (uint8_t)(i + 1);
	return true;
}

/* RFC 6989 2.3, RFC 8031 2: every point of small order of Curve25519; for
 * P-256 0, 1, p - 1, p, the group's order, and one off the curve by a bit. */
static void public_values(void **state)
{
#define FF28 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define ZERO30 "000000000000000000000000000000000000000000000000000000000000"
#define P256_P "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
#define P256_X "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define P256_Y "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define ZERO ZERO30 "0000"
	static const struct {
		uint16_t group;
		const char *public;
		bool good;
	} cases[] = {
		{ IKE_KE_X25519, "0900" ZERO30, true },
		{ IKE_KE_X25519, ZERO, false },
		{ IKE_KE_X25519, "0100" ZERO30, false },
		{ IKE_KE_X25519, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c"
		  "32b1fd866205165f49b800", false },
		{ IKE_KE_X25519, "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c"
		  "8e86d8224eddd09f1157", false },
		{ IKE_KE_X25519, "ecffff" FF28 "7f", false },	/* p - 1 */
		{ IKE_KE_X25519, "edffff" FF28 "7f", false },	/* p */
		{ IKE_KE_X25519, "eeffff" FF28 "7f", false },	/* p + 1 */
		{ IKE_KE_X25519, "", false },
		{ IKE_KE_X25519, "09" ZERO30, false },
		{ IKE_KE_X25519, "0900" ZERO, false },
		{ IKE_KE_P256, P256_X P256_Y, true },
		{ IKE_KE_P256, ZERO ZERO, false },
		{ IKE_KE_P256, ZERO P256_Y, false },
		{ IKE_KE_P256, P256_X ZERO, false },
		{ IKE_KE_P256, P256_Y P256_X, false },
		{ IKE_KE_P256, P256_P P256_P, false },
		{ IKE_KE_P256, P256_P P256_Y, false },
		{ IKE_KE_P256, P256_X P256_P, false },
		{ IKE_KE_P256, "04" P256_X P256_Y, false },
		{ IKE_KE_P256, "02" P256_X, false },
		{ IKE_KE_P256, P256_X, false },
		{ IKE_KE_P256, "00", false },
		{ IKE_KE_P256, "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct secret_wide shared = { .len = 77 };
		struct crypto_ke ke;
		uint8_t bytes[128];
		struct ike_bytes public = { bytes,
					    hex(cases[i].public, bytes) };
		enum ike_reason reason;

		assert_true(crypto_ke_make(test_crypto(),
					   cases[i].group, count_up, NULL,
					   &ke));
		reason = crypto_ke_shared(test_crypto(), &ke, public, &shared);
		if (reason != (cases[i].good ? IKE_REASON_NONE :
			       IKE_REASON_PUBLIC_VALUE))
			fail_msg("case %zu: %s", i, ike_reason_name(reason));
		assert_int_equal(shared.len, cases[i].good ? 32 : 77);
		crypto_ke_wipe(&ke);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absurd_rsa_keys_are_refused_before_use),
		cmocka_unit_test(absurd_rsa_exponents),
		cmocka_unit_test(pkcs1_padding_forgery),
		cmocka_unit_test(strange_algorithm_identifiers),
		cmocka_unit_test(openssl_errors_are_no_success),
		cmocka_unit_test(keys_of_no_length),
		cmocka_unit_test(derivation_needs_its_inputs),
		cmocka_unit_test(key_lengths_of_0),
		cmocka_unit_test(public_values),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
