/* Cookies (RFC 7296 2.6): who has not had one from us has none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/engine.h"

enum { COOKIE_SIZE = 1 + CRYPTO_SHA256_SIZE, NOTIFY_SIZE = 8 };

/* A first message of the peer's. */
static uint8_t first[IKE_MAX_MESSAGE];
static size_t first_len;

static bool capture(struct sim *sim, int from, const uint8_t *data, size_t len)
{
	(void)sim;
	if (from == 1 && first_len == 0) {
		memcpy(first, data, len);
		first_len = len;
	}
	return true;
}

/* NAT detection would not match with another SPI: make it a notify that nobody
 * knows. */
static void drop_nat_detection(void)
{
	static const uint8_t pattern[] = { 0, 0, 28, 0, 0, 0x40 };

	for (size_t i = 0; i + sizeof(pattern) < first_len; i++)
		if (!memcmp(first + i, pattern, sizeof(pattern)))
			first[i + 5] = 0x9f;
}

static int setup(void **state)
{
	static struct sim sim;

	(void)state;
	engine_fix_randomness();
	sim_open(&sim, 1);
	sim.tap = capture;
	sim_input(&sim, 1, IKE_INPUT_START);
	sim_close(&sim);
	drop_nat_detection();
	return first_len == 0;
}

/* ------------------------------------------------------------------ floods */

static struct ike *ike;
static uint8_t number;

static uint64_t asked(void)
{
	return ike_counters(ike)[IKE_REASON_COOKIE];
}

/* The message of SPI `spi`, with a cookie in front or without. */
static void feed(uint8_t spi, const uint8_t *cookie)
{
	uint8_t bytes[IKE_MAX_MESSAGE];
	size_t len = first_len;

	memcpy(bytes, first, first_len);
	bytes[0] = spi;
	if (cookie) {
		static const uint8_t notify[NOTIFY_SIZE] = {
			0, 0, 0, NOTIFY_SIZE + COOKIE_SIZE, 0, 0,
			IKE_NOTIFY_COOKIE >> 8, IKE_NOTIFY_COOKIE & 0xff
		};
		uint8_t *at = bytes + MESSAGE_HEADER_SIZE;

		memmove(at + NOTIFY_SIZE + COOKIE_SIZE, at,
			first_len - MESSAGE_HEADER_SIZE);
		memcpy(at, notify, NOTIFY_SIZE);
		memcpy(at + NOTIFY_SIZE, cookie, COOKIE_SIZE);
		at[0] = bytes[16];
		bytes[16] = IKE_PAYLOAD_NOTIFY;
		len += NOTIFY_SIZE + COOKIE_SIZE;
		bytes[26] = (uint8_t)(len >> 8);
		bytes[27] = (uint8_t)len;
	}
	engine_feed(ike, bytes, len);
}

/* So many half-open ones that cookies are wanted. */
static void flood(void)
{
	while (sa_half_open(ike) < IKE_COOKIE_THRESHOLD)
		feed(++number, NULL);
}

static void enter(void)
{
	number = 0;
	ike = engine_in(ENGINE_HALF_OPEN);
	flood();
	assert_int_equal(asked(), 0);
}

static bool let_in(uint8_t spi, const uint8_t *cookie)
{
	size_t before = sa_half_open(ike);
	uint64_t times = asked();

	feed(spi, cookie);
	assert_int_equal(asked() - times, sa_half_open(ike) == before);
	return sa_half_open(ike) > before;
}

/* The cookie that is asked for. */
static void ask(uint8_t spi, uint8_t ret_cookie[COOKIE_SIZE])
{
	assert_false(let_in(spi, NULL));
	assert_int_equal(engine_out.last_len, MESSAGE_HEADER_SIZE +
			 NOTIFY_SIZE + COOKIE_SIZE);
	memcpy(ret_cookie, engine_out.last + MESSAGE_HEADER_SIZE + NOTIFY_SIZE,
	       COOKIE_SIZE);
}

/* What a stranger would compute who knows how they are made, under a secret
 * that is nothing but zeros. */
static void forge(uint8_t spi, uint8_t generation,
		  uint8_t ret_cookie[COOKIE_SIZE])
{
	static const uint8_t zeros[CRYPTO_SHA256_SIZE];
	struct message_header header;
	struct payloads payloads;
	uint8_t copy[IKE_MAX_MESSAGE];
	struct ike_bytes parts[2];
	struct secret mac;

	memcpy(copy, first, first_len);
	copy[0] = spi;
	assert_int_equal(message_parse_header((struct ike_bytes){
		copy, first_len }, &header), IKE_REASON_NONE);
	assert_int_equal(payloads_parse(header.first, (struct ike_bytes){
		copy + MESSAGE_HEADER_SIZE, first_len - MESSAGE_HEADER_SIZE },
		&payloads), IKE_REASON_NONE);
	parts[0] = (struct ike_bytes){ (const uint8_t *)&header.spi_i, 8 };
	parts[1] = payloads.nonce;
	assert_true(crypto_prf(test_crypto(),
			       IKE_PRF_HMAC_SHA2_256, (struct ike_bytes){
		zeros, sizeof(zeros) }, parts, 2, &mac));
	ret_cookie[0] = generation;
	memcpy(ret_cookie + 1, mac.bytes, CRYPTO_SHA256_SIZE);
}

/* ------------------------------------------------------------------- tests */

static void one_that_was_asked_for(void **state)
{
	uint8_t cookie[COOKIE_SIZE], copy[COOKIE_SIZE];

	(void)state;
	enter();
	ask(100, cookie);
	assert_false(let_in(101, cookie));	/* another SPI's */
	for (size_t bit = 0; bit < sizeof(copy) * 8; bit++) {
		memcpy(copy, cookie, sizeof(copy));
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(let_in(100, copy));
	}
	assert_true(let_in(100, cookie));
}

/* Whoever has overheard it and sends other octets under the same SPI and nonce
 * gets no half-open IKE SA by it; the very same octets are answered again. */
static void one_that_was_overheard(void **state)
{
	uint8_t cookie[COOKIE_SIZE];
	size_t half_open;

	(void)state;
	enter();
	ask(100, cookie);
	assert_true(let_in(100, cookie));
	half_open = sa_half_open(ike);
	engine_out.sends = 0;
	for (unsigned i = 1; i < 50; i++) {
		/* the last octet of all is one of a notify */
		first[first_len - 1] ^= (uint8_t)i;
		feed(100, cookie);
		first[first_len - 1] ^= (uint8_t)i;
		assert_int_equal(sa_half_open(ike), half_open);
	}
	assert_int_equal(engine_out.sends, 0);
	feed(100, cookie);
	assert_int_equal(engine_out.sends, 1);
	assert_int_equal(sa_half_open(ike), half_open);
}

/* Neither before there is a secret nor after. */
static void under_no_secret(void **state)
{
	uint8_t cookie[COOKIE_SIZE], real[COOKIE_SIZE];

	(void)state;
	for (unsigned generation = 0; generation < 256; generation++) {
		forge(100, (uint8_t)generation, cookie);
		enter();
		assert_false(let_in(100, cookie));
		ask(101, real);
		assert_false(let_in(100, cookie));
		assert_true(let_in(101, real));
	}
}

/* It lives for one to two minutes. */
static void of_the_day_before(void **state)
{
	uint8_t old[COOKIE_SIZE], cookie[COOKIE_SIZE];

	(void)state;
	enter();
	ask(100, old);
	for (unsigned minute = 0; minute < 2; minute++) {
		engine_wait(ike, IKE_SECONDS(61));
		flood();
		ask(101, cookie);
		assert_int_equal(let_in(100, old), minute == 0);
		assert_true(let_in(101, cookie));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_was_asked_for),
		cmocka_unit_test(one_that_was_overheard),
		cmocka_unit_test(under_no_secret),
		cmocka_unit_test(of_the_day_before),
	};

	sim_arguments(argc, argv);
	return cmocka_run_group_tests(tests, setup, NULL);
}
