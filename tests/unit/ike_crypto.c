/* Known answers made by Python's hashlib, hmac and cryptography; ike_kdf.c has
 * the published ones. */
#include "tests/unit/ike_test.h"

#include <openssl/bn.h>

#include "ike/keys.h"

static uint8_t scalar;

static bool fixed(void *ctx, uint8_t *ret_bytes, size_t len)
{
	(void)ctx;
	memset(ret_bytes, scalar, len);
	return true;
}

static bool no_random(void *ctx, uint8_t *ret_bytes, size_t len)
{
	(void)ctx, (void)ret_bytes, (void)len;
	return false;
}

static void prf(void **state)
{
	struct ike_bytes parts[] = { TEXT("what do ya want "),
				     TEXT("for nothing?") };
	struct secret output;
	uint8_t stream[100];

	(void)state;
	assert_true(crypto_prf(test_crypto(),
			       IKE_PRF_HMAC_SHA2_256, TEXT("Jefe"), parts, 2,
			       &output));
	assert_int_equal(output.len, 32);
	assert_hex(output.bytes, "5bdcc146bf60754e6a042426089575c75a003f089d27"
		   "39839dec58b964ec3843");
	/* RFC 4231 4.3 */
	assert_true(crypto_prf(test_crypto(),
			       IKE_PRF_HMAC_SHA2_384, TEXT("Jefe"), parts, 2,
			       &output));
	assert_int_equal(output.len, 48);
	assert_hex(output.bytes, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a0"
		   "1b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
	assert_true(crypto_prf(test_crypto(),
			       IKE_PRF_HMAC_SHA2_512, TEXT("Jefe"), parts, 2,
			       &output));
	assert_int_equal(output.len, 64);
	assert_hex(output.bytes, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e83"
		   "1fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1"
		   "a34d4a6b4b636e070a38bce737");
	assert_true(crypto_prf_plus(test_crypto(),
				    IKE_PRF_HMAC_SHA2_256, TEXT("key"),
				    TEXT("seed"), stream, sizeof(stream)));
	assert_hex(stream, "a2392e429a99b173341b368bb5ce320bfd483d89567c14ec187"
		   "c2d77e3c0a208ba45d21d42611712996c0cd4b329ac8681e093a8a5bbb"
		   "bf0fb8c9d1cf674f7423fe3d2fbd6641ff544749daa37804f04be0b1be"
		   "ba59ddc3867c3016209779fa74e8b8654");
}

static void prf_refuses(void **state)
{
	static uint8_t stream[255 * 32 + 1];
	struct ike_bytes part = TEXT("data");
	struct secret output;

	(void)state;
	/* CVE-2018-10811 was a PRF without a key */
	assert_false(crypto_prf(test_crypto(), IKE_PRF_HMAC_SHA2_256,
				(struct ike_bytes){ NULL, 0 }, &part, 1,
				&output));
	assert_false(crypto_prf(test_crypto(),
				IKE_PRF_HMAC_SHA1, TEXT("key"), &part, 1,
				&output));
	assert_false(crypto_prf_plus(test_crypto(),
				     IKE_PRF_HMAC_SHA2_256, TEXT("key"),
				     TEXT("seed"), stream, sizeof(stream)));
}

/* Both sides' public values and the shared secret. */
static const struct {
	uint16_t group;
	const char *a, *b, *shared;
} exchanges[] = {
	{ IKE_KE_P384,
	  "43e3af2a0db9086750976877650f426d2157a45e10de646ff857198b226df0d4"
	  "b2243408e03ba711d9c34c51cb344413dd12e3cea20d5112f06b0831d2ea139b"
	  "a34061f8310e9744fd18d915ef34f6f2c670e34c63eeb80bcc613ecb91f2c196",
	  "316140c268c8841cddd1dcbb51a11d516d285cdda6979f1db9230b9a9436f07e"
	  "a3bacb8f4200e382634338484d19cdf494a1a457df42b3e7e22a255300495305"
	  "b5d6f0208f2aada1741af1a9baaa73c39db971ef06d180d9524e1a2a4d33dfa0",
	  "49ca5424673f106fc1968da5deb509bb51af15f9a4ffda8f0a41dd2528a086e7"
	  "a9f0f24b9b2ac7f90577c5363ce9a445" },
	{ IKE_KE_P521,
	  "011cf67653aafb732264dca4afb887bfdbccf09f2737335b0effb8a2febd42f6"
	  "02784cf51b59981c2b22de8ffd26444634764737001b574656c6d5435791e745"
	  "e8d2013e0168bff2a54151e5cd6e6db0dbf79f2c6da9576d52f9b45f33c1101a"
	  "d5c66930c998ea4d69b4a31e4cd83aaace9f5d6eba48d96da5097e583d3fb771"
	  "d1fa91b2",
	  "00b1b761a308f6b7634dbb7e9ca55faf54b8dde7b7c9e9a08a4943ce94023884"
	  "95a2a902a813b11df6517f61112c8d28d85a59a6c3c51fa405d6a09ecaec257b"
	  "21cb00044ddeec02fd227dc5b6e65c444c3dd2654ad65cfa24642a2b0761fe7c"
	  "9a86566a2b17141f204b8a400531a12d62c5b783c0d8005f176dbaa57608fe65"
	  "21314d63",
	  "006c23ea48a661c0d1f8f3da56dd60a18e560514f1b0f0ee5a4409d4d71ebf64"
	  "7c965065762928971922e62bb984e76d6a3dd0ef6a1fd63985e71646643d900c"
	  "9c76" },
	{ IKE_KE_P256,
	  "6ff03b949241ce1dadd43519e6960e0a85b41a69a05c328103aa2bce1594ca16"
	  "3c4f753a55bf01dc53f6c0b0c7eee78b40c6ff7d25a96e2282b989cef71c144a",
	  "550f471003f3df97c3df506ac797f6721fb1a1fb7b8f6f83d224498a65c88e24"
	  "136093d7012e509a73715cbd0b00a3cc0ff4b5c01b3ffa196ab1fb327036b8e6",
	  "eb459a6b30d70eb4c0ddcd34ea96ed59e8f8d1843c22dd895ab603aa13d9a81d" },
	{ IKE_KE_X25519,
	  "a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209",
	  "ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59",
	  "2ed76ab549b1e73c031eb49c9448f0798aea81b698279a0c3dc3e49fbfc4b953" },
};

static void key_exchange(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
		struct secret_wide shared = { .len = 0 };
		struct crypto_ke a, b;

		scalar = 1;
		assert_true(crypto_ke_make(test_crypto(),
					   exchanges[i].group, fixed, NULL,
					   &a));
		scalar = 2;
		assert_true(crypto_ke_make(test_crypto(),
					   exchanges[i].group, fixed, NULL,
					   &b));
		assert_hex(a.public, exchanges[i].a);
		assert_hex(b.public, exchanges[i].b);
		assert_int_equal(crypto_ke_shared(test_crypto(),
			&a, (struct ike_bytes){ b.public, b.public_len },
			&shared), IKE_REASON_NONE);
		assert_int_equal(shared.len, strlen(exchanges[i].shared) / 2);
		assert_hex(shared.bytes, exchanges[i].shared);
		crypto_ke_wipe(&a);
		crypto_ke_wipe(&b);
	}
}

/* SHA-256 of both public values and of the secret. The primes of RFC 3526
 * were made from its formulas for this, not taken from a library. */
static const struct {
	uint16_t group;
	size_t size;
	const char *a, *b, *shared;
} modp[] = {
	{ IKE_KE_MODP_2048, 256,
	  "8256a65903b9629ebcb63cec1900ac13d2e503bcff3d1f717864098d1bdc1760",
	  "28646dd3ab909973679ac46a2c79b3b3558f6a5fe5c8e7cacd6f1032f646dafb",
	  "1ddaa3312bd8c42e3b52b1d68f4c937c80c0eee1795c7aad5bcb9992b2b8fbb3" },
	{ IKE_KE_MODP_3072, 384,
	  "c59e7d0ab69df33e524b1e3afa5de0b1bd53f87f527ae87681345dbf94c85f39",
	  "197ca632a3a1731cbeafcfca8f16fca3c7f8d8bfdd056fecff90f38d87282f7a",
	  "4811e4c42967d5c676064bd18e0dbf61790182cd1cbda3c39565a045f8d94216" },
	{ IKE_KE_MODP_4096, 512,
	  "1ee67b1276a82e649a63a2ce1ae2add2ed6a3c6fbe1cdee56757746dcf3e4b58",
	  "91d04a6f96bd402ddd3467437b8520d0ca6b7a9eaa2a38566084803c38031970",
	  "da0fc9ac3e69da7aa762de3e13e788140e08276a8332f02718de51376ef4a1c1" },
};

static void assert_hash(const uint8_t *bytes, size_t len, const char *expected)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];

	assert_true(crypto_sha256(test_crypto(),
				  (struct ike_bytes){ bytes, len }, hash));
	assert_hex(hash, expected);
}

static void modp_exchange(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(modp) / sizeof(modp[0]); i++) {
		struct secret_wide shared = { .len = 0 };
		struct crypto_ke a, b;

		scalar = 1;
		assert_true(crypto_ke_make(test_crypto(),
					   modp[i].group, fixed, NULL, &a));
		scalar = 2;
		assert_true(crypto_ke_make(test_crypto(),
					   modp[i].group, fixed, NULL, &b));
		assert_int_equal(a.public_len, modp[i].size);
		assert_hash(a.public, a.public_len, modp[i].a);
		assert_hash(b.public, b.public_len, modp[i].b);
		assert_int_equal(crypto_ke_shared(test_crypto(),
			&a, (struct ike_bytes){ b.public, b.public_len },
			&shared), IKE_REASON_NONE);
		assert_int_equal(shared.len, modp[i].size);
		assert_hash(shared.bytes, shared.len, modp[i].shared);
		crypto_ke_wipe(&a);
		crypto_ke_wipe(&b);
		assert_int_equal(a.group + b.group, IKE_KE_NONE);
	}
}

/* RFC 6989 2.1: 1 < y < p - 1 */
static void modp_public_values(void **state)
{
	static const struct {
		const char *why;
		int first, middle, last;	/* octets */
		int shorter;
		bool prime;			/* start from p */
	} values[] = {
		{ "0", 0, 0, 0, 0, false }, { "1", 0, 0, 1, 0, false },
		{ "2^n - 1", 0xff, 0xff, 0xff, 0, false },
		{ "one octet less", 0, 0, 5, 1, false },
		{ "p - 1", 0, 0, 0xfe, 0, true }, { "p", 0, 0, 0xff, 0, true },
	};
	uint8_t public[512];

	(void)state;
	scalar = 3;
	for (size_t g = 0; g < sizeof(modp) / sizeof(modp[0]); g++)
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		size_t size = modp[g].size - (size_t)values[i].shorter;
		struct secret_wide shared = { .len = 55 };
		struct crypto_ke ke;
		BIGNUM *p;

		memset(public, values[i].middle, size);
		public[0] = (uint8_t)values[i].first;
		if (values[i].prime) {
			p = modp[g].size == 256 ?
				BN_get_rfc3526_prime_2048(NULL) :
				modp[g].size == 384 ?
				BN_get_rfc3526_prime_3072(NULL) :
				BN_get_rfc3526_prime_4096(NULL);
			BN_bn2bin(p, public);
			BN_free(p);
		}
		public[size - 1] = (uint8_t)values[i].last;
		assert_true(crypto_ke_make(test_crypto(),
					   modp[g].group, fixed, NULL, &ke));
		if (crypto_ke_shared(test_crypto(),
				     &ke, (struct ike_bytes){ public, size },
				     &shared) != IKE_REASON_PUBLIC_VALUE)
			fail_msg("%s was not refused", values[i].why);
		assert_int_equal(shared.len, 55);
	}
}

static void no_randomness_no_key(void **state)
{
	struct crypto_ke ke = { .group = 77 };

	(void)state;
	assert_false(crypto_ke_make(test_crypto(),
				    IKE_KE_X25519, no_random, NULL, &ke));
	assert_false(crypto_ke_make(test_crypto(),
				    IKE_KE_X448, fixed, NULL, &ke));
	/* a scalar that is not below the order of the group */
	scalar = 0xff;
	assert_false(crypto_ke_make(test_crypto(),
				    IKE_KE_P256, fixed, NULL, &ke));
	scalar = 0;
	assert_false(crypto_ke_make(test_crypto(),
				    IKE_KE_P256, fixed, NULL, &ke));
	assert_int_equal(ke.group, 77);
}

#define ZERO16 "00000000000000000000000000000000"
#define ZERO32 ZERO16 ZERO16
#define P256_P \
	"ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"

/* Public values that must be refused (RFC 6989 2.3, RFC 8031 2). */
static const struct {
	const char *why;
	uint16_t group;
	const char *public;
} invalid[] = {
	{ "x25519: zero", IKE_KE_X25519, ZERO32 },
	{ "x25519: one, of small order", IKE_KE_X25519,
	  "0100000000000000000000000000000000000000000000000000000000000000" },
	{ "x25519: order 8", IKE_KE_X25519,
	  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800" },
	{ "x25519: p, the same as zero", IKE_KE_X25519,
	  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
	{ "x25519: 31 octets", IKE_KE_X25519,
	  "a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a2" },
	{ "x25519: 33 octets", IKE_KE_X25519,
	  "a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9"
	  "dc2b4409f8a20900" },
	{ "P-256: not on the curve", IKE_KE_P256,
	  "550f471003f3df97c3df506ac797f6721fb1a1fb7b8f6f83d224498a65c88e24"
	  "136093d7012e509a73715cbd0b00a3cc0ff4b5c01b3ffa196ab1fb327036b8e7" },
	{ "P-256: zero", IKE_KE_P256, ZERO32 ZERO32 },
	{ "P-256: x = p", IKE_KE_P256, P256_P
	  "136093d7012e509a73715cbd0b00a3cc0ff4b5c01b3ffa196ab1fb327036b8e6" },
	{ "P-256: only x", IKE_KE_P256,
	  "550f471003f3df97c3df506ac797f6721fb1a1fb7b8f6f83d224498a65c88e24" },
	{ "P-256: compressed with its type octet", IKE_KE_P256,
	  "02550f471003f3df97c3df506ac797f6721fb1a1fb7b8f6f83"
	  "d224498a65c88e24" },
	{ "P-256: with its type octet", IKE_KE_P256,
	  "04550f471003f3df97c3df506ac797f6721fb1a1fb7b8f6f83d224498a65c88e24"
	  "136093d7012e509a73715cbd0b00a3cc0ff4b5c01b3ffa196ab1fb327036b8e6" },
};

static void invalid_public_values(void **state)
{
	(void)state;
	scalar = 3;
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		uint8_t public[128];
		size_t len = hex(invalid[i].public, public);
		struct secret_wide shared = { .len = 55 };
		struct crypto_ke ke;

		assert_true(crypto_ke_make(test_crypto(),
					   invalid[i].group, fixed, NULL,
					   &ke));
		if (crypto_ke_shared(test_crypto(),
				     &ke, (struct ike_bytes){ public, len },
				     &shared) != IKE_REASON_PUBLIC_VALUE)
			fail_msg("%s was not refused", invalid[i].why);
		assert_int_equal(shared.len, 55);
		crypto_ke_wipe(&ke);
	}
}

/* IV, ciphertext, ICV of one message under keys 00 01 02 ... and 80 81 ... */
static const struct {
	uint16_t encr, bits, integ;
	const char *sealed;
} messages[] = {
	{ IKE_ENCR_AES_GCM_16, 128, 0,
	  "0001020304050607265a0e9fdb46be0ca250e3119a9df3aec0b77d2891365628ec8a"
	  "16c2c1a91f443e2b46df1c3df782f17397bc0b6875ae" },
	{ IKE_ENCR_AES_GCM_16, 256, 0,
	  "00010203040506070f2ecffea8c472e19026ca47b2fe8c177b6ab2e3f1d995761f58"
	  "05d1f079ceae04b2db54cda05b5279246122e0467698" },
	{ IKE_ENCR_CHACHA20_POLY1305, 0, 0,
	  "000102030405060799e2cbc17c4fb264b43b35f2457512163b9ff08bb0db915892e9"
	  "6e3e46b64e6077d6a03dfc7cf4ebd006c8486c96ffbe" },
	{ IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_256_128,
	  "8c3aa04b92680bc8a943167f795b19119ba41c9dfcf5053842ffdf35be779edb5966"
	  "265aa9306c4414b7111e25da2be5d1536beeb4602cc1ef837205b1d4954f" },
	{ IKE_ENCR_AES_CBC, 128, IKE_INTEG_HMAC_SHA2_384_192,
	  "f4275e434da74e9f929f404d18753284cdec704d2b89bee67e0a9e0f3f6fe134f10d"
	  "eeb9a7d1e71de0bda0b903fd13f2c1a7c3052c348673b79b97a2cb273a64ad9ede80"
	  "42ae2c7a" },
	{ IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_512_256,
	  "8c3aa04b92680bc8a943167f795b19119ba41c9dfcf5053842ffdf35be779edb5966"
	  "265aa9306c4414b7111e25da2be5872f89d6b9bffa22639e8e4db5d519d5dc21959b"
	  "296900ac7a44de53d5c9d40a" },
};

static void make_keys(size_t i, struct secret *e, struct secret *a)
{
	e->len = crypto_encr_key_size(messages[i].encr, messages[i].bits);
	a->len = crypto_integ_key_size(messages[i].integ);
	for (uint8_t n = 0; n < 64; n++) {
		e->bytes[n] = n;
		a->bytes[n] = (uint8_t)(n + 128);
	}
}

static void sealed_messages(void **state)
{
	static const char aad[] = "header bytes";
	static const char plain[32] = "plaintext of a message";

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		struct secret e, a;
		struct crypto_protection with = {
			test_crypto(), messages[i].encr, messages[i].bits,
			messages[i].integ, &e, &a
		};
		size_t total = 12 + strlen(messages[i].sealed) / 2, len = 7;
		struct crypto_shape shape;
		uint8_t message[128], opened[128];

		make_keys(i, &e, &a);
		assert_true(crypto_shape(&with, &shape));
		assert_int_equal(total, 12 + shape.iv + 32 + shape.icv);
		memcpy(message, aad, 12);
		memcpy(message + 12 + shape.iv, plain, 32);
		assert_true(crypto_seal(&with, 0x0001020304050607, message, 12,
					32));
		assert_hex(message + 12, messages[i].sealed);
		for (size_t bit = 0; bit < total * 8; bit++) {
			message[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_false(crypto_open(&with, (struct ike_bytes){
				message, total }, 12, opened, &len));
			message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t cut = 0; cut < total; cut++)
			assert_false(crypto_open(&with, (struct ike_bytes){
				message, cut }, 12, opened, &len));
		assert_int_equal(len, 7);
		assert_true(crypto_open(&with, (struct ike_bytes){
			message, total }, 12, opened, &len));
		assert_int_equal(len, 32);
		assert_memory_equal(opened, plain, 32);
	}
}

/* ------------------------------------------------------------------ keys */

static const struct selection algorithms = {
	.protocol = IKE_PROTOCOL_IKE, .encr = IKE_ENCR_AES_GCM_16,
	.encr_key_bits = 256, .prf = IKE_PRF_HMAC_SHA2_256
};
static const struct selection esp = {
	.protocol = IKE_PROTOCOL_ESP, .encr = IKE_ENCR_NULL,
	.integ = IKE_INTEG_HMAC_SHA2_256_128
};
static uint8_t ni[32], nr[16];
static struct secret_wide shared_secret;
static const struct secret some_key = { .len = 32 };

static struct keys_input input(void)
{
	memset(ni, 0xaa, sizeof(ni));
	memset(nr, 0xbb, sizeof(nr));
	for (uint8_t i = 0; i < 32; i++)
		shared_secret.bytes[i] = i;
	shared_secret.len = 32;
	return (struct keys_input){
		.ni = VIEW(ni), .nr = VIEW(nr), .shared = &shared_secret,
		.spi_i = 0x0102030405060708, .spi_r = 0x1112131415161718
	};
}

static void keys_of_an_ike_sa(void **state)
{
	struct keys_input in = input();
	struct keys_ike keys, again;
	struct keys_old old = { IKE_PRF_HMAC_SHA2_256, &keys.d };

	(void)state;
	assert_true(keys_ike_derive(test_crypto(),
				    &algorithms, &in, NULL, &keys));
	assert_int_equal(keys.d.len, 32);
	assert_int_equal(keys.ei.len, 36);
	assert_hex(keys.d.bytes, "2dce6135f727cd3c38148e80498fde"
	   "d43f6c9fa28920fa"
		   "5c78593e514cf43e57");
	assert_hex(keys.ei.bytes, "20f1dd9a529d5f04fa4a99ce1cf62"
	   "034c2b847b425827"
		   "4893eb606ba2e09811e4b442c02");
	assert_hex(keys.er.bytes, "7717a367c6ce018bbd0ebc7187ae6"
	   "06ea00d2f1c48b37"
		   "d3fc2cd1a9e323393646583747c");
	assert_hex(keys.pi.bytes, "26d34603d88c985a851e326b9d89f"
	   "a95675f7709f3f9a"
		   "3daed37a47711e95d3b");
	assert_hex(keys.pr.bytes, "1dafc18359d3568ed0df85c209e5e"
	   "03a82a0d146bf035"
		   "30b965891946fd10361");
	assert_true(keys_ike_derive(test_crypto(),
				    &algorithms, &in, &old, &again));
	assert_hex(again.d.bytes, "5c4d1312ab012c2df1fb14f3a6a35"
	   "8c79f1adb8602c57"
		   "3e3c45767027f50a868");
	assert_hex(again.pr.bytes, "37528f20468703560b7275f86e3e"
	   "eb44501b871ead93"
		   "2e5def03d6c3a8fc2a05");
}

static void keys_of_a_child_sa(void **state)
{
	struct keys_input in = input();
	struct keys_child child;
	struct keys_ike keys;

	(void)state;
	assert_true(keys_ike_derive(test_crypto(),
				    &algorithms, &in, NULL, &keys));
	assert_true(keys_child_derive(test_crypto(),
				      algorithms.prf, &keys.d, &esp, &in,
				      &child));
	assert_int_equal(child.initiator.len, 32);
	assert_hex(child.initiator.bytes, "6507a7df71a97bb62bc05"
	   "c2a87feb894ebd0d"
		   "3b8816f2181e48ec1af0825a954");
	assert_hex(child.responder.bytes, "08ea4dbda66b772901b18"
	   "01642a0bdd39257b"
		   "ba891fe0bb455d86b6748c6b69c");
	in.shared = NULL;
	assert_true(keys_child_derive(test_crypto(),
				      algorithms.prf, &keys.d, &esp, &in,
				      &child));
	assert_hex(child.initiator.bytes, "5598ed06ef370a12e6a02"
	   "d97f4f01910bdce6"
		   "81f524b4ab5d9368e887aca9e3e");
	assert_hex(child.responder.bytes, "6bcaaf490d72d42bb1fda"
	   "a3adb20d5508455d"
		   "0cf7904c992c87fc2559febd73b");
}

/* AES-CBC has SK_ai and SK_ar between SK_d and SK_ei; with GMAC the salt is at
 * the key's end: lengths by RFC 7296 2.14, RFC 4543 5.1. */
static void layouts(void **state)
{
	struct selection cbc = algorithms, gmac = esp;
	struct keys_input in = input();
	struct keys_child child;
	struct keys_ike keys, with_gcm;

	(void)state;
	assert_true(keys_ike_derive(test_crypto(),
				    &algorithms, &in, NULL, &with_gcm));
	cbc.encr = IKE_ENCR_AES_CBC;
	cbc.integ = IKE_INTEG_HMAC_SHA2_384_192;
	assert_true(keys_ike_derive(test_crypto(), &cbc, &in, NULL, &keys));
	assert_int_equal(keys.d.len, 32);
	assert_int_equal(keys.ai.len, 48);
	assert_int_equal(keys.ar.len, 48);
	assert_int_equal(keys.ei.len, 32);
	assert_int_equal(keys.pr.len, 32);
	assert_int_equal(with_gcm.ai.len, 0);
	/* one stream, cut otherwise */
	assert_memory_equal(keys.d.bytes, with_gcm.d.bytes, 32);
	assert_memory_equal(keys.ai.bytes, with_gcm.ei.bytes, 36);
	gmac.encr = IKE_ENCR_NULL_AUTH_AES_GMAC;
	gmac.encr_key_bits = 128;
	assert_false(keys_child_derive(test_crypto(),
				       algorithms.prf, &keys.d, &gmac, &in,
				       &child));
	gmac.integ = IKE_INTEG_NONE;
	assert_true(keys_child_derive(test_crypto(),
				      algorithms.prf, &keys.d, &gmac, &in,
				      &child));
	assert_int_equal(child.initiator.len, 20);
	gmac.encr_key_bits = 0;
	assert_false(keys_child_derive(test_crypto(),
				       algorithms.prf, &keys.d, &gmac, &in,
				       &child));
}

static void no_keys_of_nothing(void **state)
{
	struct selection unknown = algorithms, none = esp;
	struct keys_input in = input();
	struct keys_child child;
	struct keys_ike keys;

	(void)state;
	unknown.prf = IKE_PRF_HMAC_SHA1;
	assert_false(keys_ike_derive(test_crypto(),
				     &unknown, &in, NULL, &keys));
	unknown = algorithms;
	unknown.encr = IKE_ENCR_AES_CBC;
	assert_false(keys_ike_derive(test_crypto(),
				     &unknown, &in, NULL, &keys));
	/* CVE-2024-3652: key length 0 */
	none.integ = IKE_INTEG_NONE;
	assert_false(keys_child_derive(test_crypto(),
				       algorithms.prf, &some_key, &none,
				       &in, &child));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prf),
		cmocka_unit_test(prf_refuses),
		cmocka_unit_test(key_exchange),
		cmocka_unit_test(modp_exchange),
		cmocka_unit_test(modp_public_values),
		cmocka_unit_test(no_randomness_no_key),
		cmocka_unit_test(invalid_public_values),
		cmocka_unit_test(sealed_messages),
		cmocka_unit_test(keys_of_an_ike_sa),
		cmocka_unit_test(keys_of_a_child_sa),
		cmocka_unit_test(layouts),
		cmocka_unit_test(no_keys_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
