/*
 * PRF, PRF+ and the derivation of keys against what others have published.
 * HKDF (RFC 5869) is the same construction: HKDF-Expand is PRF+ of RFC 7296
 * 2.13 as long as 255 blocks last, and HKDF-Extract with a salt is the PRF. So
 * RFC 5869's own test cases are test cases of ours, and OpenSSL's HKDF derives
 * the keys of 2.14, 2.17 and 2.18 a second time.
 */
#include "tests/unit/ike_test.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "ike/keys.h"

/* -------------------------------------------------------------- published */

/* RFC 5869 A.1 to A.3, with SHA-256; A.3 has no salt, which is no key. */
static const struct {
	const char *input, *salt, *key, *info, *output;
} expansions[] = {
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "000102030405060708090a0b0c",
	  "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
	  "f0f1f2f3f4f5f6f7f8f9",
	  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
	  "34007208d5b887185865" },
	{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	  "404142434445464748494a4b4c4d4e4f",
	  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
	  "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
	  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
	  "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
	  "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
	  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
	  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
	  "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
	{ NULL, NULL,
	  "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
	  "",
	  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
	  "9d201395faa4b61a96c8" },
};

static void published(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(expansions) / sizeof(expansions[0]);
	     i++) {
		uint8_t salt[80], in[80], key[32], info[80], stream[128];
		struct ike_bytes part = { in, 0 };
		struct secret output;
		size_t len;

		if (expansions[i].salt) {
			part.len = hex(expansions[i].input, in);
			len = hex(expansions[i].salt, salt);
			assert_true(crypto_prf(test_crypto(),
					       IKE_PRF_HMAC_SHA2_256,
				(struct ike_bytes){ salt, len }, &part, 1,
				&output));
			assert_int_equal(output.len, 32);
			assert_hex(output.bytes, expansions[i].key);
		}
		hex(expansions[i].key, key);
		len = hex(expansions[i].info, info);
		assert_true(crypto_prf_plus(test_crypto(),
					    IKE_PRF_HMAC_SHA2_256, VIEW(key),
			(struct ike_bytes){ info, len }, stream,
			strlen(expansions[i].output) / 2));
		assert_hex(stream, expansions[i].output);
	}
}

/* RFC 4231 4.2 and 4.7 (a key longer than a block), by all three. */
static const struct {
	uint16_t prf;
	unsigned key_octet, key_len;
	const char *data, *output;
} macs[] = {
	{ IKE_PRF_HMAC_SHA2_256, 0x0b, 20, "Hi There",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ IKE_PRF_HMAC_SHA2_384, 0x0b, 20, "Hi There",
	  "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
	  "faea9ea9076ede7f4af152e8b2fa9cb6" },
	{ IKE_PRF_HMAC_SHA2_512, 0x0b, 20, "Hi There",
	  "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
	{ IKE_PRF_HMAC_SHA2_256, 0xaa, 131,
	  "Test Using Larger Than Block-Size Key - Hash Key First",
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	{ IKE_PRF_HMAC_SHA2_384, 0xaa, 131,
	  "Test Using Larger Than Block-Size Key - Hash Key First",
	  "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
	  "0c2ef6ab4030fe8296248df163f44952" },
	{ IKE_PRF_HMAC_SHA2_512, 0xaa, 131,
	  "Test Using Larger Than Block-Size Key - Hash Key First",
	  "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
	  "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
};

static void published_macs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(macs) / sizeof(macs[0]); i++) {
		struct ike_bytes part = { (const uint8_t *)macs[i].data,
					  strlen(macs[i].data) };
		struct secret output;
		uint8_t key[131];

		memset(key, (int)macs[i].key_octet, sizeof(key));
		assert_true(crypto_prf(test_crypto(),
				       macs[i].prf, (struct ike_bytes){
			key, macs[i].key_len }, &part, 1, &output));
		assert_int_equal(output.len, strlen(macs[i].output) / 2);
		assert_hex(output.bytes, macs[i].output);
	}
}

/* ------------------------------------------------------- OpenSSL's HKDF */

static const struct {
	uint16_t prf;
	const char *digest;
	size_t len;
} hashes[] = {
	{ IKE_PRF_HMAC_SHA2_256, "SHA256", 32 },
	{ IKE_PRF_HMAC_SHA2_384, "SHA384", 48 },
	{ IKE_PRF_HMAC_SHA2_512, "SHA512", 64 },
};

static uint8_t ni[32], nr[48], shared_bytes[66];
static struct secret_wide shared_secret;
enum { SPI_I = 0x01020304, SPI_R = 0x11121314, STREAM = 512 };

static void hkdf(const char *digest, int mode, struct ike_bytes key,
		 struct ike_bytes other, uint8_t *ret_bytes, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST,
				       (void *)(uintptr_t)digest, 0),
		OSSL_PARAM_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY,
					(void *)(uintptr_t)key.data, key.len),
		OSSL_PARAM_octet_string(mode ==
					EVP_KDF_HKDF_MODE_EXTRACT_ONLY ?
					OSSL_KDF_PARAM_SALT :
					OSSL_KDF_PARAM_INFO,
					(void *)(uintptr_t)other.data,
					other.len),
		OSSL_PARAM_END
	};

	assert_int_equal(EVP_KDF_derive(ctx, ret_bytes, len, params), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

static struct keys_input input(void)
{
	for (size_t i = 0; i < sizeof(shared_bytes); i++)
		shared_bytes[i] = (uint8_t)(3 * i + 1);
	memset(ni, 0xaa, sizeof(ni));
	memset(nr, 0xbb, sizeof(nr));
	memcpy(shared_secret.bytes, shared_bytes, sizeof(shared_bytes));
	shared_secret.len = sizeof(shared_bytes);
	return (struct keys_input){
		.ni = VIEW(ni), .nr = VIEW(nr), .shared = &shared_secret,
		.spi_i = SPI_I, .spi_r = SPI_R
	};
}

struct joined {
	uint8_t bytes[256];
	size_t len;
};

static void join(struct joined *joined, const void *bytes, size_t len)
{
	memcpy(joined->bytes + joined->len, bytes, len);
	joined->len += len;
}

static struct ike_bytes view(const struct joined *joined)
{
	return (struct ike_bytes){ joined->bytes, joined->len };
}

/* Ni | Nr, after g^ir if there is one, before both SPIs if asked. */
static struct joined seed(bool shared, bool spis)
{
	const uint8_t both[16] = { [4] = 1, 2, 3, 4, [12] = 0x11, 0x12, 0x13,
				   0x14 };
	struct joined joined = { .len = 0 };

	if (shared)
		join(&joined, shared_bytes, sizeof(shared_bytes));
	join(&joined, ni, sizeof(ni));
	join(&joined, nr, sizeof(nr));
	if (spis)
		join(&joined, both, sizeof(both));
	return joined;
}

static const uint8_t *
check(const uint8_t *stream, const struct secret *key, size_t len)
{
	assert_int_equal(key->len, len);
	assert_memory_equal(stream, key->bytes, len);
	return stream + len;
}

/* SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr (RFC 7296 2.14). */
static void check_ike(const char *digest, size_t prf_len,
		      const uint8_t *skeyseed, const struct keys_ike *keys)
{
	const struct joined info = seed(false, true);
	uint8_t stream[STREAM];
	const uint8_t *at = stream;

	hkdf(digest, EVP_KDF_HKDF_MODE_EXPAND_ONLY,
	     (struct ike_bytes){ skeyseed, prf_len }, view(&info), stream,
	     sizeof(stream));
	at = check(at, &keys->d, prf_len);
	at = check(at, &keys->ai, 32);
	at = check(at, &keys->ar, 32);
	at = check(at, &keys->ei, 16);
	at = check(at, &keys->er, 16);
	at = check(at, &keys->pi, prf_len);
	check(at, &keys->pr, prf_len);
}

/* SKEYSEED of the first IKE SA (2.14), and of one that replaces it (2.18). */
static void ike_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		const struct selection selection = {
			.protocol = IKE_PROTOCOL_IKE, .encr = IKE_ENCR_AES_CBC,
			.encr_key_bits = 128, .prf = hashes[i].prf,
			.integ = IKE_INTEG_HMAC_SHA2_256_128
		};
		const struct keys_input in = input();
		const struct joined nonces = seed(false, false);
		const struct joined rekeyed = seed(true, false);
		struct keys_ike first, second;
		const struct keys_old old = { hashes[i].prf, &first.d };
		uint8_t skeyseed[64];

		assert_true(keys_ike_derive(test_crypto(),
					    &selection, &in, NULL, &first));
		hkdf(hashes[i].digest, EVP_KDF_HKDF_MODE_EXTRACT_ONLY,
		     VIEW(shared_bytes), view(&nonces), skeyseed,
		     hashes[i].len);
		check_ike(hashes[i].digest, hashes[i].len, skeyseed, &first);
		assert_true(keys_ike_derive(test_crypto(),
					    &selection, &in, &old, &second));
		hkdf(hashes[i].digest, EVP_KDF_HKDF_MODE_EXTRACT_ONLY,
		     view(&rekeyed), (struct ike_bytes){
			first.d.bytes, first.d.len }, skeyseed, hashes[i].len);
		check_ike(hashes[i].digest, hashes[i].len, skeyseed, &second);
	}
}

/* KEYMAT without and with a key exchange of its own (2.17). */
static void child_keys(void **state)
{
	const struct selection esp = {
		.protocol = IKE_PROTOCOL_ESP, .encr = IKE_ENCR_NULL,
		.integ = IKE_INTEG_HMAC_SHA2_512_256
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(hashes) / sizeof(hashes[0]); i++) {
		const bool shared = i % 2;
		const struct joined info = seed(shared, false);
		struct secret d = { .len = hashes[i / 2].len };
		struct keys_input in = input();
		struct keys_child keys;
		uint8_t stream[STREAM];

		memset(d.bytes, 0xdd, d.len);
		in.shared = shared ? &shared_secret : NULL;
		assert_true(keys_child_derive(test_crypto(),
					      hashes[i / 2].prf, &d, &esp, &in,
					      &keys));
		hkdf(hashes[i / 2].digest, EVP_KDF_HKDF_MODE_EXPAND_ONLY,
		     (struct ike_bytes){ d.bytes, d.len }, view(&info), stream,
		     sizeof(stream));
		check(check(stream, &keys.initiator, 64), &keys.responder, 64);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published),
		cmocka_unit_test(published_macs),
		cmocka_unit_test(ike_keys),
		cmocka_unit_test(child_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
