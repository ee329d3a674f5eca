#include "tests/unit/ike_test.h"

#include "ike/wire.h"

static void reads_big_endian(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
					 12, 13, 14, 15, 16 };
	struct reader reader = reader_of(VIEW(bytes));
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	(void)state;
	assert_true(read_u8(&reader, &u8) && u8 == 1);
	assert_true(read_u16(&reader, &u16) && u16 == 0x0203);
	assert_true(read_u32(&reader, &u32) && u32 == 0x04050607);
	assert_true(read_u64(&reader, &u64) && u64 == 0x08090a0b0c0d0e0f);
	assert_int_equal(reader.left, 1);
}

static void failure_touches_nothing(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3 };
	struct reader reader = reader_of(VIEW(bytes)), before = reader;
	struct ike_bytes view = { NULL, 7 };
	uint32_t u32 = 99;
	uint64_t u64 = 99;

	(void)state;
	assert_false(read_u32(&reader, &u32));
	assert_false(read_u64(&reader, &u64));
	assert_false(read_bytes(&reader, 4, &view));
	assert_false(read_bytes(&reader, SIZE_MAX, &view));
	assert_int_equal(u32, 99);
	assert_int_equal(u64, 99);
	assert_int_equal(view.len, 7);
	assert_memory_equal(&reader, &before, sizeof(reader));
}

static void payloads_close_themselves(void **state)
{
	uint8_t bytes[64];
	struct writer writer = writer_of(bytes, sizeof(bytes));

	(void)state;
	write_payload(&writer, IKE_PAYLOAD_NONCE);
	write_u16(&writer, 0x0102);
	write_payload(&writer, IKE_PAYLOAD_NOTIFY);
	write_u8(&writer, 9);
	assert_true(writer_finish(&writer));
	assert_int_equal(writer.first, IKE_PAYLOAD_NONCE);
	assert_int_equal(writer.len, 11);
	assert_hex(bytes, "29000006" "0102" "00000005" "09");
}

static void error_is_sticky(void **state)
{
	uint8_t bytes[6];
	struct writer writer = writer_of(bytes, sizeof(bytes));

	(void)state;
	write_u32(&writer, 1);
	write_u32(&writer, 2);
	write_u8(&writer, 3);
	assert_true(writer.failed);
	assert_int_equal(writer.len, 4);
	assert_false(writer_finish(&writer));
}

static void too_long_for_a_payload(void **state)
{
	size_t size = 70000;
	uint8_t *bytes = calloc(1, size);
	struct writer writer = writer_of(bytes, size);

	(void)state;
	write_payload(&writer, IKE_PAYLOAD_CERT);
	write_bytes(&writer, bytes + 4, 66000);
	assert_false(writer_finish(&writer));
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_big_endian),
		cmocka_unit_test(failure_touches_nothing),
		cmocka_unit_test(payloads_close_themselves),
		cmocka_unit_test(error_is_sticky),
		cmocka_unit_test(too_long_for_a_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
