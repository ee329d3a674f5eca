/*
 * What the tests of published IKE vulnerabilities share (sim/ike_cve_*): one
 * engine in a chosen state, messages sealed as its peer would, its answers.
 */
#ifndef TESTS_SIM_CVE_H
#define TESTS_SIM_CVE_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/engine.h"

static struct ike *ike;
static const struct engine_out *const out = &engine_out;

/* The group's set-up. */
static inline int fix_randomness(void **state)
{
	(void)state;
	engine_fix_randomness();
	return 0;
}

static inline void enter(enum engine_state state)
{
	ike = engine_in(state);
}

static inline void feed(const uint8_t *data, size_t len)
{
	engine_feed(ike, data, len);
}

static inline uint64_t counted(enum ike_reason reason)
{
	return ike_counters(ike)[reason];
}

static inline struct sa *the_sa(void)
{
	struct sa *sa = engine_sa(ike, false);

	assert_non_null(sa);
	return sa;
}

/* Seal it as the peer, under the message id that is due. */
static inline size_t seal(uint8_t exchange, bool response,
			  struct writer *inner,
			  uint8_t ret_bytes[IKE_MAX_MESSAGE])
{
	size_t len;

	assert_true(writer_finish(inner));
	len = engine_seal(the_sa(), exchange, response, inner->first,
			  (struct ike_bytes){ inner->base, inner->len },
			  ret_bytes);
	assert_true(len > 0);
	return len;
}

static inline void feed_sealed(uint8_t exchange, bool response,
			       struct writer *inner)
{
	uint8_t bytes[IKE_MAX_MESSAGE];

	feed(bytes, seal(exchange, response, inner, bytes));
}

/* The first notify in our last answer; 0: none. */
static inline uint16_t answered(void)
{
	struct ike_bytes bytes = { out->last, out->last_len };
	struct message_header header;
	struct payloads payloads;
	const struct crypto_protection own =
		sa_protection(test_crypto(), the_sa(), true);
	uint8_t *plain;
	uint16_t type;
	size_t len;

	assert_int_equal(message_parse_header(bytes, &header),
			 IKE_REASON_NONE);
	assert_int_equal(payloads_parse(header.first, (struct ike_bytes){
			bytes.data + MESSAGE_HEADER_SIZE,
			bytes.len - MESSAGE_HEADER_SIZE }, &payloads),
			IKE_REASON_NONE);
	assert_true(message_open(bytes, &payloads, &own, &plain, &len));
	assert_int_equal(payloads_parse(payloads.sk_first, (struct ike_bytes){
			plain, len }, &payloads), IKE_REASON_NONE);
	type = payloads.notifies_count ? payloads.notifies[0].type : 0;
	message_free_plaintext(plain, len);
	return type;
}

/* A Delete payload of `count` SPIs that are 0. */
static inline void write_delete(struct writer *inner, uint8_t protocol,
				uint8_t spi_size, uint16_t count)
{
	static const uint8_t zeros[64];

	write_payload(inner, IKE_PAYLOAD_DELETE);
	write_u8(inner, protocol);
	write_u8(inner, spi_size);
	write_u16(inner, count);
	write_bytes(inner, zeros, (size_t)spi_size * count);
}

#endif
