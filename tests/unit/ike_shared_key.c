/* AUTH by pre-shared key. Known answers made by Python's hmac. */
#include "tests/unit/ike_test.h"

#include "ike/engine.h"
#include "ike/shared_key.h"

static void known_answers(void **state)
{
	static const struct {
		uint16_t prf;
		const char *mac;
	} rows[] = {
		{ IKE_PRF_HMAC_SHA2_256, "83855b3a7cfe8e7e89150cc176c6cc501ed8"
		  "89d2423d347c977792e39bc8808f" },
		{ IKE_PRF_HMAC_SHA2_384, "ae976e166672cfbf4f3dab8138fa771526e1"
		  "c835260117e6fbe47ada59aa822e9d6163ed958f1c6090215f04615b6c"
		  "3b" },
		{ IKE_PRF_HMAC_SHA2_512, "24efe39efb968767ceef8a46b01e182fff39"
		  "70a5e59a757aebdc413d226345ebc289a54942e1e87cc3af09522202e4"
		  "b73321fe560f6fbe9db16a4d227620e4ad" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct secret mac;

		assert_true(shared_key_mac(test_crypto(), rows[i].prf,
					   TEXT("0123456789abcdef"),
					   TEXT("octets"), &mac));
		assert_int_equal(mac.len, strlen(rows[i].mac) / 2);
		assert_hex(mac.bytes, rows[i].mac);
	}
}

static void refuses(void **state)
{
	struct secret mac = { .len = 9 };

	(void)state;
	assert_false(shared_key_mac(test_crypto(), IKE_PRF_HMAC_SHA1,
				    TEXT("0123456789abcdef"), TEXT("octets"),
				    &mac));
	assert_false(shared_key_mac(test_crypto(), IKE_PRF_HMAC_SHA2_256,
				    TEXT("0123456789abcde"), TEXT("octets"),
				    &mac));
	/* CVE-2024-2357: no key at all */
	assert_false(shared_key_mac(test_crypto(), IKE_PRF_HMAC_SHA2_256,
				    (struct ike_bytes){ NULL, 0 },
				    TEXT("octets"), &mac));
	assert_int_equal(mac.len, 9);
}

/* The identity is the pair's address, the method 2, the length the PRF's. */
static void checks(void **state)
{
	static const struct {
		const char *why;
		bool six;
		uint8_t method, type;
		const char *id;
		size_t len;
		enum ike_reason expected;
	} cases[] = {
		{ "good", false, 2, 1, "c0000202", 32, IKE_REASON_NONE },
		{ "good, IPv6", true, 2, 5,
		  "20010db8000000000000000000000002", 32, IKE_REASON_NONE },
		{ "another address", false, 2, 1, "c0000203", 32,
		  IKE_REASON_IDENTITY },
		{ "IPv6 as FQDN", true, 2, 2,
		  "20010db8000000000000000000000002", 32,
		  IKE_REASON_IDENTITY },
		{ "IPv4 as IPv6", false, 2, 5,
		  "00000000000000000000ffffc0000202", 32,
		  IKE_REASON_IDENTITY },
		{ "cut", false, 2, 1, "c00002", 32, IKE_REASON_IDENTITY },
		{ "none", false, 2, 1, "", 32, IKE_REASON_IDENTITY },
		{ "FQDN", false, 2, 2, "c0000202", 32, IKE_REASON_IDENTITY },
		{ "signature", false, 14, 1, "c0000202", 32,
		  IKE_REASON_AUTH_METHOD },
		{ "ECDSA", false, 9, 1, "c0000202", 64,
		  IKE_REASON_AUTH_METHOD },
		{ "short", false, 2, 1, "c0000202", 31, IKE_REASON_AUTH },
		{ "empty", false, 2, 1, "c0000202", 0, IKE_REASON_AUTH },
		{ "long", false, 2, 1, "c0000202", 33, IKE_REASON_AUTH },
	};
	static const uint8_t mac[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	for (int initiator = 0; initiator < 2; initiator++) {
		uint8_t id[16], *to;
		struct ike ike = { .now = { 0 } };
		struct sa sa = { .initiator = initiator, .algorithms.prf =
				 IKE_PRF_HMAC_SHA2_256 };
		struct payloads p = { .auth_method = cases[i].method,
				      .auth = { mac, cases[i].len } };
		struct payload_id *peer = initiator ? &p.idr : &p.idi;

		to = ike.config.inside.s6_addr;
		hex(cases[i].six ? "20010db8000000000000000000000002" :
		    "00000000000000000000ffffc0000202", to);
		peer->type = cases[i].type;
		peer->bytes = (struct ike_bytes){ id, hex(cases[i].id, id) };
		if (shared_key_check(&ike, &sa, &p) != cases[i].expected)
			fail_msg("%s", cases[i].why);
	}
}

static void matches(void **state)
{
	uint8_t mac[32];
	struct payloads p = { .auth = VIEW(mac) };
	uint8_t expected[32];

	(void)state;
	memset(mac, 7, sizeof(mac));
	memset(expected, 7, sizeof(expected));
	assert_true(shared_key_matches(&p, VIEW(expected)));
	assert_false(shared_key_matches(&p, (struct ike_bytes){
				expected, 31 }));
	assert_false(shared_key_matches(&p, (struct ike_bytes){ NULL, 0 }));
	for (size_t bit = 0; bit < 256; bit++) {
		expected[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(shared_key_matches(&p, VIEW(expected)));
		expected[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	p.auth.len = 0;
	assert_false(shared_key_matches(&p, (struct ike_bytes){ NULL, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(refuses),
		cmocka_unit_test(checks),
		cmocka_unit_test(matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
