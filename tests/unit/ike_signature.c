/* AUTH: what verifies, and everything that must not. */
#include "tests/unit/ike_test.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ike/signature.h"

#define ALGORITHM "0c" "300a06082a8648ce3d040302"

struct identity {
	EVP_PKEY *key;
	uint8_t der[4096];
	struct ike_bytes certificate;
};

static struct identity p256, other, p384, p521, p224, rsa, rsa4096, rsa1024,
	rsa_e3, ed25519, ed448;

static void make(struct identity *identity, EVP_PKEY *key)
{
	X509 *x509 = X509_new();
	uint8_t *at = identity->der;

	assert_non_null(key);
	identity->key = key;
	X509_set_version(x509, 2);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, key);
	/* who signed it is not looked at here */
	assert_true(X509_sign(x509, p256.key, EVP_sha256()) > 0);
	identity->certificate = (struct ike_bytes){
		identity->der, (size_t)i2d_X509(x509, &at) };
	X509_free(x509);
}

static EVP_PKEY *e3_key(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	BIGNUM *e = BN_new();

	BN_set_word(e, 3);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static int setup(void **state)
{
	(void)state;
	make(&p256, EVP_EC_gen("P-256"));
	make(&other, EVP_EC_gen("P-256"));
	make(&p384, EVP_EC_gen("P-384"));
	make(&p521, EVP_EC_gen("P-521"));
	make(&p224, EVP_EC_gen("P-224"));
	make(&rsa, EVP_RSA_gen(2048));
	make(&rsa4096, EVP_RSA_gen(4096));
	make(&rsa1024, EVP_RSA_gen(1024));
	make(&rsa_e3, e3_key());
	make(&ed25519, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	make(&ed448, EVP_PKEY_Q_keygen(NULL, NULL, "ED448"));
	return 0;
}

static int teardown(void **state)
{
	struct identity *const all[] = {
		&p256, &other, &p384, &p521, &p224, &rsa, &rsa4096, &rsa1024,
		&rsa_e3, &ed25519, &ed448
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		EVP_PKEY_free(all[i]->key);
	return 0;
}

/* AUTH data: algorithm, signature over octets. */
static size_t auth(const struct identity *identity, const EVP_MD *md,
		   struct ike_bytes octets, uint8_t *ret_auth)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t start = hex(ALGORITHM, ret_auth), len = 512;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, md, NULL,
					    identity->key), 1);
	assert_int_equal(EVP_DigestSign(ctx, ret_auth + start, &len,
					octets.data, octets.len), 1);
	EVP_MD_CTX_free(ctx);
	return start + len;
}

static enum ike_reason
verify(const struct identity *shown, const struct identity *signer,
       const EVP_MD *md, uint8_t method, struct ike_bytes octets)
{
	uint8_t bytes[600];
	size_t len = auth(signer, md, TEXT("octets to be signed"), bytes);

	return signature_verify(test_crypto(), shown->certificate, method,
				(struct ike_bytes){ bytes, len }, octets);
}

static void verifies(void **state)
{
	(void)state;
	assert_int_equal(verify(&p256, &p256, EVP_sha256(), 14,
				TEXT("octets to be signed")), IKE_REASON_NONE);
}

static void does_not_verify(void **state)
{
	struct ike_bytes octets = TEXT("octets to be signed");

	(void)state;
	assert_int_equal(verify(&other, &p256, EVP_sha256(), 14, octets),
			 IKE_REASON_AUTH);
	assert_int_equal(verify(&p256, &p256, EVP_sha256(), 14,
				TEXT("octets to be Signed")), IKE_REASON_AUTH);
	assert_int_equal(verify(&p256, &p256, EVP_sha384(), 14, octets),
			 IKE_REASON_AUTH);
	assert_int_equal(verify(&p224, &p224, EVP_sha256(), 14, octets),
			 IKE_REASON_CERTIFICATE);
	/* the key is good, but not for ECDSA */
	assert_int_equal(verify(&rsa, &rsa, EVP_sha256(), 14, octets),
			 IKE_REASON_AUTH);
	for (unsigned method = 0; method < 256; method++)
		if (method != 14 && method != 9 && method != 10 &&
		    method != 11)
			assert_int_equal(verify(&p256, &p256, EVP_sha256(),
						(uint8_t)method, octets),
					 IKE_REASON_AUTH_METHOD);
}

/* What verifies is kept from one signature to the next, and never takes the
 * key of the one before. */
static void one_after_the_other(void **state)
{
	static const struct identity *const all[] = { &p256, &other, &p384 };
	static const uint8_t none[] = { 0x30, 0 };

	(void)state;
	for (unsigned n = 0; n < 9 * 9; n++) {
		const struct identity *shown = all[n % 3];
		const struct identity *signer = all[(n / 3 + n / 9) % 3];

		assert_int_equal(verify(shown, signer, EVP_sha256(), 14,
					TEXT("octets to be signed")),
				 shown == signer ? IKE_REASON_NONE :
						   IKE_REASON_AUTH);
		if (n % 5 == 0)
			assert_int_equal(signature_verify(
				test_crypto(), (struct ike_bytes){ none, 2 },
				14, TEXT("x"), TEXT("x")),
				IKE_REASON_CERTIFICATE);
	}
}

static uint8_t good[600];
static size_t good_len;

/* Any truncated or altered AUTH is refused. */
static void refuse_one(struct ike_bytes bytes)
{
	assert_int_not_equal(signature_verify(test_crypto(),
					      p256.certificate, 14, bytes,
					      TEXT("octets to be signed")),
			     IKE_REASON_NONE);
}

static void mutilated(void **state)
{
	(void)state;
	good_len = auth(&p256, EVP_sha256(), TEXT("octets to be signed"),
			good);
	each_truncation((struct ike_bytes){ good, good_len }, refuse_one);
	each_flip((struct ike_bytes){ good, good_len }, refuse_one);
}

static void no_signature_at_all(void **state)
{
	uint8_t bytes[1024] = { 0 };
	size_t len = hex(ALGORITHM, bytes);

	(void)state;
	refuse_one((struct ike_bytes){ bytes, 0 });
	refuse_one((struct ike_bytes){ bytes, len });
	refuse_one((struct ike_bytes){ bytes, sizeof(bytes) });
	/* r = s = 0 */
	len += hex("3006020100020100", bytes + len);
	refuse_one((struct ike_bytes){ bytes, len });
}

/* A certificate that is none, or has octets behind it. */
static void bad_certificates(void **state)
{
	uint8_t bytes[4096];
	struct ike_bytes octets = TEXT("octets to be signed");

	(void)state;
	good_len = auth(&p256, EVP_sha256(), octets, good);
	memcpy(bytes, p256.der, p256.certificate.len);
	bytes[p256.certificate.len] = 0;
	assert_int_equal(signature_verify(test_crypto(), (struct ike_bytes){
			bytes, p256.certificate.len + 1 }, 14,
			(struct ike_bytes){ good, good_len }, octets),
			IKE_REASON_CERTIFICATE);
	for (size_t len = 0; len < p256.certificate.len; len++)
		assert_int_equal(signature_verify(test_crypto(),
			(struct ike_bytes){ p256.der, len }, 14,
			(struct ike_bytes){ good, good_len }, octets),
			IKE_REASON_CERTIFICATE);
}

/* message | nonce | prf(SK_p, id), RFC 7296 2.15 */
static void octets_are_put_together(void **state)
{
	struct secret key = { .len = 4 };
	struct signature_octets in = {
		.message = TEXT("message"), .nonce = TEXT("nonce"),
		.id_body = TEXT("what do ya want for nothing?"),
		.prf = IKE_PRF_HMAC_SHA2_256, .sk_p = &key
	};
	uint8_t *octets;
	size_t len;

	(void)state;
	memcpy(key.bytes, "Jefe", 4);
	assert_true(signature_octets(test_crypto(), &in, &octets, &len));
	assert_int_equal(len, 7 + 5 + 32);
	assert_memory_equal(octets, "messagenonce", 12);
	assert_hex(octets + 12, "5bdcc146bf60754e6a042426089575c75a003f089d2739"
		   "839dec58b964ec3843");
	free(octets);
	key.len = 0;
	assert_false(signature_octets(test_crypto(), &in, &octets, &len));
}

/* ------------------------------------------------- every algorithm there is */

#define SHA2(n) "300d06096086480165030402" n "0500"
#define SHA2_BARE(n) "300b06096086480165030402" n
#define PSS(n, salt) "43" "304106092a864886f70d01010a3034" \
	"a00f" SHA2(n) "a11c301a06092a864886f70d010108" SHA2(n) \
	"a2030201" salt
#define PSS_BARE(n, salt) "3f" "303d06092a864886f70d01010a3030" \
	"a00d" SHA2_BARE(n) "a11a301806092a864886f70d010108" SHA2_BARE(n) \
	"a2030201" salt
#define PSS_SHA1 "0f" "300d06092a864886f70d01010a3000"
#define PKCS1(n) "0f" "300d06092a864886f70d0101" n "0500"
#define ECDSA(n) "0c" "300a06082a8648ce3d0403" n

static const struct {
	struct identity *identity;
	const char *algorithm, *md;
	bool pss;
	int salt;
	enum ike_reason expected;
} rows[] = {
#define OK IKE_REASON_NONE
#define METHOD IKE_REASON_AUTH_METHOD
#define CERT IKE_REASON_CERTIFICATE
#define BAD IKE_REASON_AUTH
	{ &p256, ECDSA("02"), "SHA256", false, 0, OK },
	{ &p256, ECDSA("03"), "SHA384", false, 0, OK },
	{ &p384, ECDSA("02"), "SHA256", false, 0, OK },
	{ &p384, ECDSA("03"), "SHA384", false, 0, OK },
	{ &p521, ECDSA("04"), "SHA512", false, 0, OK },
	{ &p256, ECDSA("01"), "SHA224", false, 0, METHOD },
	{ &p256, "0b" "300906072a8648ce3d0401", "SHA1", false, 0, METHOD },
	{ &p224, ECDSA("02"), "SHA256", false, 0, CERT },
	{ &p384, ECDSA("03"), "SHA256", false, 0, BAD },
	{ &rsa, PKCS1("0b"), "SHA256", false, 0, OK },
	{ &rsa, PKCS1("0c"), "SHA384", false, 0, OK },
	{ &rsa, PKCS1("0d"), "SHA512", false, 0, OK },
	{ &rsa, PKCS1("05"), "SHA1", false, 0, METHOD },
	{ &rsa, PKCS1("04"), "MD5", false, 0, METHOD },
	{ &rsa, PKCS1("0b"), "SHA1", false, 0, BAD },
	{ &rsa, PKCS1("0b"), "SHA256", true, 32, BAD },
	{ &rsa4096, PKCS1("0b"), "SHA256", false, 0, OK },
	{ &rsa1024, PKCS1("0b"), "SHA256", false, 0, CERT },
	{ &rsa_e3, PKCS1("0b"), "SHA256", false, 0, CERT },
	{ &rsa, PSS("01", "20"), "SHA256", true, 32, OK },
	{ &rsa, PSS("02", "30"), "SHA384", true, 48, OK },
	{ &rsa, PSS("03", "40"), "SHA512", true, 64, OK },
	{ &rsa, PSS_BARE("01", "20"), "SHA256", true, 32, OK },
	{ &rsa, PSS_BARE("03", "40"), "SHA512", true, 64, OK },
	{ &rsa4096, PSS("01", "20"), "SHA256", true, 32, OK },
	{ &rsa, PSS("01", "20"), "SHA256", true, 0, BAD },
	{ &rsa, PSS("01", "20"), "SHA256", true, 20, BAD },
	{ &rsa, PSS("01", "00"), "SHA256", true, 0, METHOD },
	{ &rsa, PSS("01", "20"), "SHA256", false, 0, BAD },
	{ &rsa, PSS_SHA1, "SHA1", true, 20, METHOD },
	{ &ed25519, "07" "300506032b6570", NULL, false, 0, OK },
	{ &ed448, "07" "300506032b6571", NULL, false, 0, OK },
	{ &ed448, "07" "300506032b6570", NULL, false, 0, BAD },
	{ &ed25519, ECDSA("02"), NULL, false, 0, BAD },
	{ &p256, "07" "300506032b6570", "SHA256", false, 0, BAD },
};

static size_t sign_with(const struct identity *identity, const char *name,
			bool pss, int salt, struct ike_bytes octets,
			uint8_t ret_signature[512])
{
	const EVP_MD *md = name ? EVP_get_digestbyname(name) : NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding;
	size_t len = 512;

	assert_int_equal(EVP_DigestSignInit(ctx, &padding, md, NULL,
					    identity->key), 1);
	if (pss) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(
				padding, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(padding,
				salt), 1);
	}
	assert_int_equal(EVP_DigestSign(ctx, ret_signature, &len, octets.data,
					octets.len), 1);
	EVP_MD_CTX_free(ctx);
	return len;
}

static void every_algorithm(void **state)
{
	struct ike_bytes octets = TEXT("octets to be signed");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[700];
		size_t len = hex(rows[i].algorithm, bytes);
		enum ike_reason reason;

		len += sign_with(rows[i].identity, rows[i].md, rows[i].pss,
				 rows[i].salt, octets, bytes + len);
		reason = signature_verify(test_crypto(),
					  rows[i].identity->certificate, 14,
					  (struct ike_bytes){ bytes, len },
					  octets);
		if (reason != rows[i].expected)
			fail_msg("row %zu (%s %s): %s", i, rows[i].algorithm,
				 rows[i].md, ike_reason_name(reason));
		if (reason != IKE_REASON_NONE)
			continue;
		bytes[len - 1] ^= 1;
		assert_int_equal(signature_verify(test_crypto(),
			rows[i].identity->certificate, 14,
			(struct ike_bytes){ bytes, len }, octets),
			IKE_REASON_AUTH);
	}
}

/* PKCS#1 v1.5 with rubbish behind the hash or in the padding: the classic
 * forgery (CVE-2018-16151). The key's owner makes it, so that e does not
 * matter; strict verification refuses it all the same. */
static void padding_is_strict(void **state)
{
	static const char info[] = "003031300d060960864801650304020105000420";
	struct ike_bytes octets = TEXT("octets to be signed");
	uint8_t bytes[700];
	size_t len, head = hex(PKCS1("0b"), bytes);

	(void)state;
	for (unsigned garbage = 0; garbage < 3; garbage++) {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(rsa.key, NULL);
		uint8_t block[256];
		/* where the hash ends: at the end, or 20 before */
		size_t end = garbage == 1 ? 236 : 256;

		memset(block, 0xff, sizeof(block));
		block[0] = 0;
		block[1] = 1;
		hex(info, block + end - 52);
		assert_true(crypto_sha256(test_crypto(),
					  octets, block + end - 32));
		if (garbage == 2)
			block[9] = 0x17;
		len = sizeof(bytes) - head;
		assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(
				ctx, RSA_NO_PADDING), 1);
		assert_int_equal(EVP_PKEY_sign(ctx, bytes + head, &len, block,
					       sizeof(block)), 1);
		EVP_PKEY_CTX_free(ctx);
		assert_int_equal(signature_verify(test_crypto(),
						  rsa.certificate, 14,
			(struct ike_bytes){ bytes, head + len }, octets),
			garbage ? IKE_REASON_AUTH : IKE_REASON_NONE);
	}
}

/* ------------------------------------------------------- choice and writing */

static struct payloads listing(const char *hashes, uint8_t *bytes)
{
	struct payloads p = { .notifies_count = hashes ? 1 : 0 };

	if (hashes) {
		p.notifies[0].type = IKE_NOTIFY_SIGNATURE_HASH_ALGORITHMS;
		p.notifies[0].data = (struct ike_bytes){
			bytes, hex(hashes, bytes) };
	}
	return p;
}

static void choices(void **state)
{
	static const struct {
		enum signature_key key;
		const char *hashes;
		uint8_t method;		/* 0: no choice */
		uint16_t hash;
	} cases[] = {
		{ SIGNATURE_P256, "0002", 14, 2 },
		{ SIGNATURE_P256, "000100030002", 14, 2 },
		{ SIGNATURE_P256, "0003", 14, 3 },
		{ SIGNATURE_P256, "0001", 0, 0 },
		{ SIGNATURE_P256, "", 0, 0 },
		{ SIGNATURE_P256, "00", 0, 0 },
		{ SIGNATURE_P256, "0005", 0, 0 },
		{ SIGNATURE_P256, NULL, 9, 2 },
		{ SIGNATURE_P384, "000200030004", 14, 3 },
		{ SIGNATURE_P384, "0002", 14, 2 },
		{ SIGNATURE_P384, NULL, 10, 3 },
		{ SIGNATURE_P521, "00020004", 14, 4 },
		{ SIGNATURE_P521, NULL, 11, 4 },
		{ SIGNATURE_RSA, "00040002", 14, 2 },
		{ SIGNATURE_RSA, "0004", 14, 4 },
		{ SIGNATURE_RSA, "0001", 0, 0 },
		{ SIGNATURE_RSA, NULL, 0, 0 },	/* would be SHA-1 */
		{ SIGNATURE_ED25519, "00020005", 14, 5 },
		{ SIGNATURE_ED25519, "000200030004", 0, 0 },
		{ SIGNATURE_ED448, "0005", 14, 5 },
		{ SIGNATURE_ED448, NULL, 0, 0 },
		{ SIGNATURE_NONE, "0002", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[16];
		struct payloads p = listing(cases[i].hashes, bytes);
		struct signature_choice choice;

		if (signature_choose(cases[i].key, &p, &choice) !=
		    (cases[i].method != 0))
			fail_msg("case %zu", i);
		if (cases[i].method == 0)
			continue;
		assert_int_equal(choice.method, cases[i].method);
		assert_int_equal(choice.hash, cases[i].hash);
	}
}

/* What we write, we and the row's identifier agree about; old methods too. */
static void written_and_verified(void **state)
{
	static const struct {
		struct identity *identity;
		const char *hashes, *md;
		size_t size;		/* of AUTH data; 0: varies */
	} cases[] = {
		{ &p256, "0002", "SHA256", 0 }, { &p384, "0003", "SHA384", 0 },
		{ &p521, "0004", "SHA512", 0 },
		{ &rsa, "0002", "SHA256", 1 + 67 + 256 },
		{ &rsa4096, "0003", "SHA384", 1 + 67 + 512 },
		{ &ed25519, "0005", NULL, 1 + 7 + 64 },
		{ &ed448, "0005", NULL, 1 + 7 + 114 },
		{ &p256, NULL, "SHA256", 64 }, { &p384, NULL, "SHA384", 96 },
		{ &p521, NULL, "SHA512", 132 },
	};
	struct ike_bytes octets = TEXT("octets to be signed");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	for (unsigned round = 0; round < 20; round++) {
		const struct identity *identity = cases[i].identity;
		uint8_t list[16], signature[512], buffer[800];
		struct payloads p = listing(cases[i].hashes, list);
		struct writer writer = writer_of(buffer, sizeof(buffer));
		struct signature_choice choice;
		struct ike_bytes auth;
		size_t len;

		assert_true(signature_choose(signature_key_of(identity->key),
					     &p, &choice));
		len = sign_with(identity, cases[i].md,
				signature_key_of(identity->key) ==
				SIGNATURE_RSA, RSA_PSS_SALTLEN_DIGEST, octets,
				signature);
		signature_write(&writer, &choice, (struct ike_bytes){
				signature, len });
		assert_true(writer_finish(&writer));
		auth = (struct ike_bytes){ buffer + 8, writer.len - 8 };
		if (cases[i].size)
			assert_int_equal(auth.len, cases[i].size);
		assert_int_equal(signature_verify(test_crypto(),
						  identity->certificate,
			buffer[4], auth, octets), IKE_REASON_NONE);
		buffer[writer.len - 1] ^= 1;
		assert_int_equal(signature_verify(test_crypto(),
						  identity->certificate,
			buffer[4], auth, octets), IKE_REASON_AUTH);
		auth.len--;
		assert_int_not_equal(signature_verify(test_crypto(),
						      identity->certificate,
			buffer[4], auth, octets), IKE_REASON_NONE);
		if (round == 0 && cases[i].identity == &rsa4096)
			break;
	}
}

/* Methods 9 to 11 go with their own curve only, and never with r = s = 0. */
static void old_methods(void **state)
{
	uint8_t zero[132] = { 0 };
	struct ike_bytes octets = TEXT("octets to be signed");

	(void)state;
	for (uint8_t method = 9; method <= 11; method++) {
		assert_int_equal(signature_verify(test_crypto(),
						  p256.certificate, method,
			(struct ike_bytes){ zero, 64 }, octets),
			method == 9 ? IKE_REASON_AUTH :
			IKE_REASON_CERTIFICATE);
		assert_int_equal(signature_verify(test_crypto(),
						  p521.certificate, method,
			(struct ike_bytes){ zero, 132 }, octets),
			method == 11 ? IKE_REASON_AUTH :
			IKE_REASON_CERTIFICATE);
		assert_int_equal(signature_verify(test_crypto(),
						  rsa.certificate, method,
			(struct ike_bytes){ zero, 64 }, octets),
			IKE_REASON_CERTIFICATE);
		assert_int_equal(signature_verify(test_crypto(),
						  p224.certificate, method,
			(struct ike_bytes){ zero, 64 }, octets),
			IKE_REASON_CERTIFICATE);
		assert_int_not_equal(signature_verify(test_crypto(),
						      p256.certificate,
			method, (struct ike_bytes){ zero, 0 }, octets),
			IKE_REASON_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies),
		cmocka_unit_test(does_not_verify),
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(mutilated),
		cmocka_unit_test(no_signature_at_all),
		cmocka_unit_test(bad_certificates),
		cmocka_unit_test(octets_are_put_together),
		cmocka_unit_test(every_algorithm),
		cmocka_unit_test(padding_is_strict),
		cmocka_unit_test(choices),
		cmocka_unit_test(written_and_verified),
		cmocka_unit_test(old_methods),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
