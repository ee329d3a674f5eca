#include "tests/unit/ike_test.h"

#include "ike/crypto.h"
#include "ike/payload.h"

/* KE(P-256 group number, 4 octets), Nonce(16), N(COOKIE), D(ESP, 2 SPIs) */
#define CHAIN \
	"2800000c" "0013" "0000" "01020304" \
	"29000014" "000102030405060708090a0b0c0d0e0f" \
	"2a00000a" "00004006" "aabb" \
	"00000010" "03040002" "11111111" "22222222"

static enum ike_reason parse(uint8_t first, const char *text,
			     struct payloads *ret_payloads)
{
	static uint8_t bytes[8192];

	return payloads_parse(first,
			      (struct ike_bytes){ bytes, hex(text, bytes) },
			      ret_payloads);
}

static void parses_a_chain(void **state)
{
	struct payloads p;
	const struct payload_notify *notify;

	(void)state;
	assert_int_equal(parse(IKE_PAYLOAD_KE, CHAIN, &p), IKE_REASON_NONE);
	assert_true(PAYLOAD_HAS(&p, KE) && PAYLOAD_HAS(&p, NONCE));
	assert_true(PAYLOAD_HAS(&p, NOTIFY) && PAYLOAD_HAS(&p, DELETE));
	assert_false(PAYLOAD_HAS(&p, SA));
	assert_int_equal(p.ke_group, IKE_KE_P256);
	assert_int_equal(p.ke.len, 4);
	assert_int_equal(p.nonce.len, 16);
	notify = payloads_notify(&p, IKE_NOTIFY_COOKIE);
	assert_non_null(notify);
	assert_int_equal(notify->data.len, 2);
	assert_null(payloads_error(&p));
	assert_int_equal(p.deletes_count, 1);
	assert_int_equal(p.deletes[0].count, 2);
}

static void refuse_one(struct ike_bytes bytes)
{
	struct payloads p = { .present = 77 };

	assert_int_equal(payloads_parse(IKE_PAYLOAD_KE, bytes, &p),
			 IKE_REASON_PAYLOAD);
	assert_int_equal(p.present, 77);
}

static void survive_one(struct ike_bytes bytes)
{
	struct payloads p;

	if (payloads_parse(IKE_PAYLOAD_KE, bytes, &p) == IKE_REASON_NONE)
		assert_true(p.notifies_count <= IKE_MAX_NOTIFIES);
}

static void truncated_at_every_byte(void **state)
{
	uint8_t bytes[256];
	size_t len = hex(CHAIN, bytes);

	(void)state;
	each_truncation((struct ike_bytes){ bytes, len }, refuse_one);
}

static void every_bit_flipped(void **state)
{
	uint8_t bytes[256];
	size_t len = hex(CHAIN, bytes);

	(void)state;
	each_flip((struct ike_bytes){ bytes, len }, survive_one);
}

/* Ours is the first half of the SHA-256 of a sentence, and no other counts. */
static void vendor_of_udp(void **state)
{
	uint8_t hash[CRYPTO_SHA256_SIZE], bytes[20];
	struct writer writer = writer_of(bytes, sizeof(bytes));
	struct payloads p;

	(void)state;
	assert_true(crypto_sha256(test_crypto(),
				  TEXT("bgpward: ESP in UDP (RFC 3948) is "
				       "preferred, with or without a NAT; 1"),
				  hash));
	payload_write_vendor_udp(&writer);
	assert_int_equal(writer.len, sizeof(bytes));
	assert_memory_equal(bytes + 4, hash, 16);
	bytes[3] = 20;
	assert_int_equal(payloads_parse(IKE_PAYLOAD_VENDOR, VIEW(bytes), &p),
			 IKE_REASON_NONE);
	assert_true(p.vendor_udp);
	bytes[19] ^= 1;
	assert_int_equal(payloads_parse(IKE_PAYLOAD_VENDOR, VIEW(bytes), &p),
			 IKE_REASON_NONE);
	assert_false(p.vendor_udp);
	bytes[19] ^= 1;
	bytes[3] = 19;
	assert_int_equal(payloads_parse(IKE_PAYLOAD_VENDOR, (struct ike_bytes){
			 bytes, 19 }, &p), IKE_REASON_NONE);
	assert_false(p.vendor_udp);
}

/* One line each: what is wrong with it. */
static const struct {
	const char *why;
	uint8_t first;
	const char *bytes;
	enum ike_reason expected;
} cases[] = {
	{ "length 0", IKE_PAYLOAD_VENDOR, "00000000", IKE_REASON_PAYLOAD },
	{ "length 3", IKE_PAYLOAD_VENDOR, "00000003", IKE_REASON_PAYLOAD },
	{ "length beyond the end", IKE_PAYLOAD_VENDOR, "0000000500"
	  , IKE_REASON_NONE },
	{ "length one too long", IKE_PAYLOAD_VENDOR, "0000000600",
	  IKE_REASON_PAYLOAD },
	{ "octets behind the chain", IKE_PAYLOAD_VENDOR, "0000000400",
	  IKE_REASON_PAYLOAD },
	{ "nothing where a payload should be", IKE_PAYLOAD_SA, "",
	  IKE_REASON_PAYLOAD },
	{ "an empty chain", IKE_PAYLOAD_NONE, "", IKE_REASON_NONE },
	{ "octets without a payload", IKE_PAYLOAD_NONE, "00",
	  IKE_REASON_PAYLOAD },
	{ "nonce of 15 octets", IKE_PAYLOAD_NONCE,
	  "00000013000102030405060708090a0b0c0d0e", IKE_REASON_PAYLOAD },
	{ "two KE", IKE_PAYLOAD_KE, "2200000a001f00000101"
	  "0000000a001f00000101", IKE_REASON_PAYLOAD },
	{ "empty KE", IKE_PAYLOAD_KE, "00000008001f0000",
	  IKE_REASON_PAYLOAD },
	{ "empty ID", IKE_PAYLOAD_IDI, "0000000801000000",
	  IKE_REASON_PAYLOAD },
	{ "empty AUTH", IKE_PAYLOAD_AUTH, "000000080e000000",
	  IKE_REASON_PAYLOAD },
	{ "empty CERT", IKE_PAYLOAD_CERT, "0000000504", IKE_REASON_PAYLOAD },
	{ "CERT of another encoding", IKE_PAYLOAD_CERT, "000000060c00",
	  IKE_REASON_NONE },
	{ "notify SPI beyond its payload", IKE_PAYLOAD_NOTIFY,
	  "0000000803ff4009", IKE_REASON_PAYLOAD },
	{ "delete with 65535 SPIs of 4", IKE_PAYLOAD_DELETE,
	  "000000080304ffff", IKE_REASON_PAYLOAD },
	{ "delete of IKE with SPI size 8", IKE_PAYLOAD_DELETE,
	  "00000010010800010000000000000000", IKE_REASON_PAYLOAD },
	{ "delete of ESP with SPI size 0", IKE_PAYLOAD_DELETE,
	  "0000000803000001", IKE_REASON_PAYLOAD },
	{ "unknown payload", 200, "00000004", IKE_REASON_NONE },
	{ "unknown payload, critical", 200, "00800004",
	  IKE_REASON_PAYLOAD_CRITICAL },
	{ "known payload, critical bit ignored", IKE_PAYLOAD_VENDOR,
	  "00800004", IKE_REASON_NONE },
	{ "payload number below the known", 1, "00000004", IKE_REASON_NONE },
	{ "SK that is not the last", IKE_PAYLOAD_SK, "2b0000040000000400",
	  IKE_REASON_PAYLOAD },
	{ "SK", IKE_PAYLOAD_SK, "27000005ff", IKE_REASON_NONE },
};

static void cases_one_line_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct payloads p = { .present = 0 };
		enum ike_reason reason = parse(cases[i].first, cases[i].bytes,
					       &p);

		if (reason != cases[i].expected)
			fail_msg("%s: %s, expected %s", cases[i].why,
				 ike_reason_name(reason),
				 ike_reason_name(cases[i].expected));
		if (reason == IKE_REASON_PAYLOAD_CRITICAL)
			assert_int_equal(p.critical, 200);
	}
}

static void chain_of(unsigned count, uint8_t type, const char *body,
		     enum ike_reason expected)
{
	static uint8_t bytes[8192];
	struct writer writer = writer_of(bytes, sizeof(bytes));
	uint8_t inner[64];
	size_t len = hex(body, inner);
	struct payloads p;

	for (unsigned i = 0; i < count; i++) {
		write_payload(&writer, (enum ike_payload_type)type);
		write_bytes(&writer, inner, len);
	}
	assert_true(writer_finish(&writer));
	assert_int_equal(payloads_parse(type, (struct ike_bytes){
				bytes, writer.len }, &p), expected);
}

static void every_count_is_bounded(void **state)
{
	(void)state;
	chain_of(IKE_MAX_PAYLOADS, IKE_PAYLOAD_VENDOR, "00", IKE_REASON_NONE);
	chain_of(IKE_MAX_PAYLOADS + 1, IKE_PAYLOAD_VENDOR, "00",
		 IKE_REASON_PAYLOAD);
	chain_of(IKE_MAX_CERTS, IKE_PAYLOAD_CERT, "0430", IKE_REASON_NONE);
	chain_of(IKE_MAX_CERTS + 1, IKE_PAYLOAD_CERT, "0430",
		 IKE_REASON_PAYLOAD);
	chain_of(IKE_MAX_NOTIFIES, IKE_PAYLOAD_NOTIFY, "00004000",
		 IKE_REASON_NONE);
	chain_of(IKE_MAX_NOTIFIES + 1, IKE_PAYLOAD_NOTIFY, "00004000",
		 IKE_REASON_PAYLOAD);
	chain_of(IKE_MAX_DELETES, IKE_PAYLOAD_DELETE, "01000000",
		 IKE_REASON_NONE);
	chain_of(IKE_MAX_DELETES + 1, IKE_PAYLOAD_DELETE, "01000000",
		 IKE_REASON_PAYLOAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_a_chain),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(every_bit_flipped),
		cmocka_unit_test(vendor_of_udp),
		cmocka_unit_test(cases_one_line_each),
		cmocka_unit_test(every_count_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
