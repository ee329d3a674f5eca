#include "tests/unit/ike_test.h"

#include "tests/unit/ike_protection.h"

static const struct message_header header = {
	.spi_i = 0x0102030405060708, .spi_r = 0x1112131415161718,
	.exchange = IKE_EXCHANGE_INFORMATIONAL, .initiator = true, .id = 7
};

/* One sealed message with a NONCE inside. */
static size_t sealed(uint8_t *buffer, size_t size)
{
	struct crypto_protection key = test_key();
	uint8_t inner_bytes[64];
	struct writer inner = writer_of(inner_bytes, sizeof(inner_bytes));
	struct writer outer = writer_of(buffer, size);
	uint64_t counter = 3;

	write_payload(&inner, IKE_PAYLOAD_NONCE);
	write_bytes(&inner, "0123456789abcdef", 16);
	assert_true(writer_finish(&inner));
	assert_true(message_seal(&outer, &header, &inner, &key, &counter,
				 SIZE_MAX));
	assert_int_equal(counter, 4);
	return outer.len;
}

/* The whole way in; true if the message was opened. */
static bool opens(struct ike_bytes bytes)
{
	struct crypto_protection key = test_key();
	struct message_header parsed;
	struct payloads outer, inner;
	uint8_t *plaintext;
	bool opened;
	size_t len;

	if (message_parse_header(bytes, &parsed) != IKE_REASON_NONE ||
	    payloads_parse(parsed.first, (struct ike_bytes){
			bytes.data + MESSAGE_HEADER_SIZE,
			bytes.len - MESSAGE_HEADER_SIZE }, &outer) !=
	    IKE_REASON_NONE ||
	    !PAYLOAD_HAS(&outer, SK) ||
	    !message_open(bytes, &outer, &key, &plaintext, &len))
		return false;
	opened = payloads_parse(outer.sk_first, (struct ike_bytes){
			plaintext, len }, &inner) == IKE_REASON_NONE &&
		PAYLOAD_HAS(&inner, NONCE);
	message_free_plaintext(plaintext, len);
	return opened;
}

static void seals_and_opens(void **state)
{
	(void)state;
	EACH_KIND {
	uint8_t buffer[256];
	size_t len = sealed(buffer, sizeof(buffer));
	struct message_header parsed;

	/* 20 octets and the length of padding fill two blocks */
	assert_int_equal(len, 28 + 4 + kinds[kind].iv + kinds[kind].icv +
			 (kinds[kind].block == 1 ? 20 + 1 : 32));
	assert_int_equal(message_parse_header((struct ike_bytes){
				buffer, len }, &parsed), IKE_REASON_NONE);
	assert_int_equal(parsed.spi_i, header.spi_i);
	assert_int_equal(parsed.spi_r, header.spi_r);
	assert_int_equal(parsed.id, 7);
	assert_true(parsed.initiator && !parsed.response);
	assert_true(opens((struct ike_bytes){ buffer, len }));
	}
}

static void refuse_one(struct ike_bytes bytes)
{
	assert_false(opens(bytes));
}

static void mutilated(void **state)
{
	(void)state;
	EACH_KIND {
	uint8_t buffer[256];
	size_t len = sealed(buffer, sizeof(buffer));

	each_truncation((struct ike_bytes){ buffer, len }, refuse_one);
	/* the minor version too: all of the header is authenticated */
	each_flip((struct ike_bytes){ buffer, len }, refuse_one);
	}
}

/* strongSwan pads; the padding and its length are taken off (RFC 7296 3.14). */
static void padding(void **state)
{
	uint8_t plain[64] = { 0 }, buffer[256];

	(void)state;
	EACH_KIND
	for (unsigned pad = 0; pad < 30; pad++) {
		uint8_t inner_bytes[64] = { 0 };
		uint64_t counter = pad;
		struct writer inner = writer_of(inner_bytes,
						sizeof(inner_bytes));
		struct writer outer = writer_of(buffer, sizeof(buffer));
		struct crypto_protection key = test_key();

		write_payload(&inner, IKE_PAYLOAD_NONCE);
		write_bytes(&inner, "0123456789abcdef", 16);
		assert_true(writer_finish(&inner));
		/* behind the payload: pad octets, their number; then the 0
		 * that message_seal() adds makes the number a pad octet */
		write_bytes(&inner, plain, pad);
		write_u8(&inner, (uint8_t)pad);
		assert_true(message_seal(&outer, &header, &inner, &key,
					 &counter, SIZE_MAX));
		/* so the result must not parse: octets behind the chain */
		assert_false(opens((struct ike_bytes){ buffer, outer.len }));
	}
}

/* All padding, or more padding than there is; with any block. */
static void padding_beyond(void **state)
{
	(void)state;
	EACH_KIND
	for (unsigned last = 0; last < 20; last++) {
		struct crypto_protection key = test_key();
		size_t head = 32 + kinds[kind].iv, len;
		uint8_t buffer[256] = { 0 }, *plaintext;
		size_t total = head + 16 + kinds[kind].icv;
		struct payloads outer = { .sk_offset = 4 };
		bool valid = last < 16;

		buffer[head + 15] = (uint8_t)last;
		assert_true(crypto_seal(&key, 9, buffer, 32, 16));
		outer.sk = (struct ike_bytes){ buffer + 32, total - 32 };
		assert_int_equal(message_open((struct ike_bytes){
					buffer, total }, &outer, &key,
					&plaintext, &len), valid);
		if (!valid)
			continue;
		assert_int_equal(len, 15 - last);
		message_free_plaintext(plaintext, len);
	}
}

/* Keys that do not fit, and algorithms that protect nothing. */
static void no_protection(void **state)
{
	(void)state;
	EACH_KIND {
		uint8_t buffer[256] = { 0 };
		struct crypto_shape shape;
		struct crypto_protection key = test_key();

		key_e.len--;
		assert_false(crypto_shape(&key, &shape));
		assert_false(crypto_seal(&key, 1, buffer, 32, 16));
		key = test_key();
		key_a.len--;
		assert_int_equal(crypto_shape(&key, &shape),
				 kinds[kind].a == 0);
		key = test_key();
		key.integ = kinds[kind].a ? 0 : IKE_INTEG_HMAC_SHA2_256_128;
		assert_false(crypto_shape(&key, &shape));
		key = test_key();
		key.encr = IKE_ENCR_NULL;
		assert_false(crypto_shape(&key, &shape));
		key.encr = IKE_ENCR_NULL_AUTH_AES_GMAC;
		assert_false(crypto_shape(&key, &shape));
	}
	kind = 0;
}

static const struct {
	const char *why, *bytes;
	enum ike_reason expected;
} headers[] = {
	{ "good", "010203040506070811121314151617182e20250800000007"
	  "0000001c", IKE_REASON_NONE },
	{ "minor version 9", "010203040506070811121314151617182e29250800000007"
	  "0000001c", IKE_REASON_NONE },
	{ "major version 3", "010203040506070811121314151617182e30250800000007"
	  "0000001c", IKE_REASON_VERSION },
	{ "major version 1", "010203040506070811121314151617182e10250800000007"
	  "0000001c", IKE_REASON_HEADER },
	{ "length too long", "010203040506070811121314151617182e20250800000007"
	  "0000001d", IKE_REASON_HEADER },
	{ "length too short", "010203040506070811121314151617182e2025080000000"
	  "70000001b", IKE_REASON_HEADER },
	{ "length 0", "010203040506070811121314151617182e20250800000007"
	  "00000000", IKE_REASON_HEADER },
	{ "no initiator SPI", "000000000000000011121314151617182e202508000000"
	  "070000001c", IKE_REASON_HEADER },
	{ "27 octets", "010203040506070811121314151617182e20250800000007"
	  "000000", IKE_REASON_HEADER },
	{ "nothing", "", IKE_REASON_HEADER },
};

static void headers_one_line_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		uint8_t bytes[64];
		struct message_header parsed;
		enum ike_reason reason = message_parse_header(
			(struct ike_bytes){ bytes,
					    hex(headers[i].bytes, bytes) },
			&parsed);

		if (reason != headers[i].expected)
			fail_msg("%s: %s", headers[i].why,
				 ike_reason_name(reason));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals_and_opens),
		cmocka_unit_test(mutilated),
		cmocka_unit_test(padding),
		cmocka_unit_test(padding_beyond),
		cmocka_unit_test(no_protection),
		cmocka_unit_test(headers_one_line_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
