/* What a stranger may send to two engines, and a peer that has gone mad.
 * SEED=n runs one seed only; SEEDS=n that many; an argument picks the tests
 * whose names it is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { SEEDS = 200 };

/* Our own request sent back to us is dropped, in clear and protected. */
static void reflected_message_is_dropped(void **state)
{
	const uint64_t *counters;
	uint8_t copy[IKE_MAX_MESSAGE];
	struct sim sim;
	size_t len;

	(void)state;
	sim_open(&sim, 1);
	sim.network.cut = true;
	sim_input(&sim, 0, IKE_INPUT_START);
	counters = ike_counters(sim.sides[0].ike);
	sim_deliver(&sim, 0, sim.last[0], sim.last_len[0]);
	sim_assert(&sim, counters[IKE_REASON_WRONG_ROLE] == 1);
	sim.network.cut = false;
	sim_start_both(&sim);
	sim_run(&sim, IKE_SECONDS(30));
	len = sim.last_len[0];
	memcpy(copy, sim.last[0], len);
	sim_deliver(&sim, 0, copy, len);
	sim_assert(&sim, counters[IKE_REASON_WRONG_ROLE] == 2);
	sim_assert(&sim, sim_settled(&sim));
	sim_close(&sim);
}

/* Every datagram of a handshake, truncated at every byte and with every bit
 * flipped, changes nothing. */
static bool mutilate(struct sim *sim, int from, const uint8_t *data, size_t len)
{
	uint8_t copy[IKE_MAX_MESSAGE];
	bool (*tap)(struct sim *, int, const uint8_t *, size_t) = sim->tap;

	sim->tap = NULL;
	sim->network.cut = true;
	for (size_t cut = 0; cut < len; cut++)
		sim_deliver(sim, !from, data, cut);
	for (size_t cut = 28; cut < len; cut++) {
		/* the same with a length that agrees */
		memcpy(copy, data, cut);
		copy[24] = copy[25] = 0;
		copy[26] = (uint8_t)(cut >> 8);
		copy[27] = (uint8_t)cut;
		sim_deliver(sim, !from, copy, cut);
	}
	sim->network.cut = false;
	sim->tap = tap;
	return true;
}

static void truncated_at_every_byte(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim.tap = mutilate;
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_input(&sim, 1, IKE_INPUT_START);
	sim_run(&sim, IKE_SECONDS(60));
	sim.tap = NULL;
	sim_run_settled(&sim, IKE_SECONDS(60));
	sim_close(&sim);
}

static bool flip(struct sim *sim, int from, const uint8_t *data, size_t len)
{
	uint8_t copy[IKE_MAX_MESSAGE];
	bool (*tap)(struct sim *, int, const uint8_t *, size_t) = sim->tap;

	/* IKE_SA_INIT is not protected: flipped bits there may well do what
	 * they say; see bad_network_converges */
	if (len < 28 || data[18] == IKE_EXCHANGE_SA_INIT)
		return true;
	sim->tap = NULL;
	sim->network.cut = true;
	memcpy(copy, data, len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		sim_deliver(sim, !from, copy, len);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	sim->network.cut = false;
	sim->tap = tap;
	return true;
}

static void every_bit_flipped(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim.tap = flip;
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_input(&sim, 1, IKE_INPUT_START);
	sim_run_settled(&sim, IKE_SECONDS(60));
	sim_assert(&sim, sim.sides[0].failures == 0);
	sim_assert(&sim, sim.sides[1].failures == 0);
	sim_assert(&sim, sim.sides[1].installs == 4);
	sim_assert(&sim, ike_counters(sim.sides[1].ike)[
			   IKE_REASON_INTEGRITY] > 1000);
	sim_close(&sim);
}

/* A captured first message with another SPI each: half-open IKE SAs stay
 * bounded, cookies are asked for, and the peer gets through. */
static uint8_t first_message[IKE_MAX_MESSAGE];
static size_t first_len;

static bool capture(struct sim *sim, int from, const uint8_t *data, size_t len)
{
	(void)sim, (void)from;
	if (first_len == 0) {
		memcpy(first_message, data, len);
		first_len = len;
	}
	return true;
}

/* Its NAT detection would not match with another SPI: make that a notify that
 * nobody knows. */
static void drop_nat_detection(void)
{
	static const uint8_t pattern[] = { 0, 0, 0, 28, 0, 0, 0x40 };

	for (size_t i = 1; i + sizeof(pattern) < first_len; i++)
		if (!memcmp(first_message + i + 1, pattern + 1,
			    sizeof(pattern) - 1))
			first_message[i + 6] = 0x50;
}

/* The first message with the cookie that an engine would make whose secret is
 * still zeros; -1: without. */
static size_t with_cookie(int generation, uint8_t ret[IKE_MAX_MESSAGE])
{
	static const uint8_t zeros[CRYPTO_SHA256_SIZE];
	struct writer writer = writer_of(ret, IKE_MAX_MESSAGE);
	struct ike_bytes body = { first_message + MESSAGE_HEADER_SIZE,
				  first_len - MESSAGE_HEADER_SIZE };
	uint8_t cookie[1 + CRYPTO_SHA256_SIZE] = { (uint8_t)generation };
	struct message_header header;
	struct payloads payloads;
	struct secret mac;

	assert_int_equal(message_parse_header((struct ike_bytes){
			first_message, first_len }, &header), IKE_REASON_NONE);
	assert_int_equal(payloads_parse(header.first, body, &payloads),
			 IKE_REASON_NONE);
	assert_true(crypto_prf(test_crypto(), IKE_PRF_HMAC_SHA2_256,
			       (struct ike_bytes){ zeros, sizeof(zeros) },
			       (struct ike_bytes[]){
				       { (uint8_t *)&header.spi_i, 8 },
				       payloads.nonce }, 2, &mac));
	memcpy(cookie + 1, mac.bytes, mac.len);
	message_begin(&writer, &header);
	if (generation >= 0)
		payload_write_notify(&writer, IKE_NOTIFY_COOKIE,
				     (struct ike_bytes){ cookie,
							 sizeof(cookie) });
	assert_true(message_finish(&writer));
	/* the payloads that were there, behind it */
	ret[generation >= 0 ? MESSAGE_HEADER_SIZE : 16] = header.first;
	memcpy(ret + writer.len, body.data, body.len);
	ret[26] = (uint8_t)((writer.len + body.len) >> 8);
	ret[27] = (uint8_t)(writer.len + body.len);
	return writer.len + body.len;
}

static void flood(struct sim *sim, int side, int generation)
{
	uint8_t bytes[IKE_MAX_MESSAGE];
	size_t len;

	drop_nat_detection();
	for (unsigned i = 0; i < 100; i++) {
		uint64_t spi = sim_random(sim);

		memcpy(first_message, &spi, sizeof(spi));
		len = with_cookie(generation, bytes);
		sim_deliver(sim, side, bytes, len);
		sim_assert(sim, sa_half_open(sim->sides[side].ike) <=
			   IKE_MAX_HALF_OPEN);
	}
}

/* Two engines that have not heard of each other for a while. */
static void open_for_flood(struct sim *sim)
{
	first_len = 0;
	sim_open(sim, 1);
	sim->tap = capture;
	sim_input(sim, 1, IKE_INPUT_START);
	sim_run(sim, IKE_SECONDS(1));
	sim_close(sim);
	sim_open(sim, 2);
	sim_input(sim, 1, IKE_INPUT_START);
	sim->network.cut = true;
	sim_input(sim, 0, IKE_INPUT_START);
	/* let side 0's own attempt end, so that it does not just yield */
	sim_run(sim, IKE_SECONDS(16));
}

static void flood_of_first_messages(void **state)
{
	struct sim sim;

	(void)state;
	open_for_flood(&sim);
	flood(&sim, 0, -1);
	flood(&sim, 1, -1);
	sim_assert(&sim, ike_counters(sim.sides[1].ike)[IKE_REASON_COOKIE]);
	sim.network.cut = false;
	sim_run_settled(&sim, IKE_SECONDS(60));
	flood(&sim, 0, -1);
	sim_assert(&sim, sim_settled(&sim));
	sim_close(&sim);
}

/* Before the first cookie is given, and after it, nobody can make one. */
static void forged_cookies(void **state)
{
	static const int generations[] = { 255, 0, 1, -1, 0, 1, 2 };
	struct sim sim;

	(void)state;
	open_for_flood(&sim);
	for (size_t i = 0; i < sizeof(generations) / sizeof(int); i++) {
		flood(&sim, 0, generations[i]);
		sim_assert(&sim, sa_half_open(sim.sides[0].ike) ==
			   IKE_COOKIE_THRESHOLD);
	}
	sim_close(&sim);
}

/* The peer begins anew again and again and returns every cookie: half-open IKE
 * SAs stay bounded, the oldest goes, and the last one gets through. */
static bool no_auth(struct sim *sim, int from, const uint8_t *data, size_t len)
{
	(void)sim, (void)len;
	return from == 0 || data[18] != IKE_EXCHANGE_AUTH;
}

static void handshakes_that_do_not_go_on(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim_input(&sim, 1, IKE_INPUT_START);
	sim_input(&sim, 0, IKE_INPUT_START);
	sim.network.cut = true;
	/* side 0's own attempt ends, and the next comes half a second later at
	 * the earliest: it would come first */
	sim_run(&sim, IKE_MSECONDS(15510));
	sim.network.cut = false;
	sim.tap = no_auth;
	for (unsigned i = 0; i < 3 * IKE_MAX_HALF_OPEN; i++) {
		sim_restart(&sim, 1);
		sim_clear_sad(&sim, 1);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run(&sim, IKE_MSECONDS(20));
		sim_assert(&sim, sa_half_open(sim.sides[0].ike) <=
			   IKE_MAX_HALF_OPEN);
	}
	sim_assert(&sim, ike_counters(sim.sides[0].ike)[IKE_REASON_COOKIE] > 0);
	sim_assert(&sim, ike_counters(sim.sides[0].ike)[
			   IKE_REASON_HALF_OPEN] > IKE_MAX_HALF_OPEN);
	sim.tap = NULL;
	sim_run_settled(&sim, IKE_SECONDS(60));
	sim_close(&sim);
}

/* The peer authenticates anew once more before any DELETE of the old one
 * arrives: the oldest are forgotten, and traffic goes on. */
static bool no_informational(struct sim *sim, int from, const uint8_t *data,
			     size_t len)
{
	(void)sim, (void)from, (void)len;
	return data[18] != IKE_EXCHANGE_INFORMATIONAL;
}

static void authenticated_again_and_again(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim_start_both(&sim);
	sim.check_flow = true;
	sim.tap = no_informational;
	for (unsigned i = 0; i < 2 * IKE_MAX_ESTABLISHED; i++) {
		sa_best(sim.sides[0].ike)->reauth_at = sim.now;
		sim_run(&sim, IKE_MSECONDS(500));
		for (int side = 0; side < SIM_SIDES; side++)
			sim_assert(&sim, sim_sas(&sim, side, SA_ESTABLISHED) +
				   sim_sas(&sim, side, SA_REPLACED) <=
				   IKE_MAX_ESTABLISHED);
	}
	sim_assert(&sim, sim_sas(&sim, 1, SA_ESTABLISHED) +
		   sim_sas(&sim, 1, SA_REPLACED) == IKE_MAX_ESTABLISHED);
	sim.tap = NULL;
	sim_run_settled(&sim, IKE_SECONDS(60));
	sim_close(&sim);
}

/* Garbage, and errors told in clear, do not disturb what is established. */
static void garbage(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS / 4) {
		sim_open(&sim, seed);
		sim_start_both(&sim);
		sim.check_flow = true;
		for (unsigned i = 0; i < 500; i++) {
			uint8_t bytes[300];
			size_t len = sim_random(&sim) % sizeof(bytes);

			for (size_t j = 0; j < len; j++)
				bytes[j] = (uint8_t)sim_random(&sim);
			if (len >= 28 && i & 1) {
				/* a header that passes */
				memcpy(bytes, sim.last[1], 16);
				bytes[17] = 0x20;
				bytes[18] = (uint8_t)(34 + i / 2 % 4);
				bytes[24] = bytes[25] = 0;
				bytes[26] = (uint8_t)(len >> 8);
				bytes[27] = (uint8_t)len;
			}
			sim_deliver(&sim, (int)(i / 4 & 1), bytes, len);
		}
		sim_assert(&sim, sim_settled(&sim));
		sim_assert(&sim, sim.sides[0].failures == 0);
		sim_close(&sim);
	}
}

/* ---------------------------------------- what an authenticated peer does */

/* A chain of payloads of known types with bodies that are nearly right. */
static void write_nonsense(struct sim *sim, struct writer *inner)
{
	static const char bodies[][48] = {
		"\0\0\0\x24\1\3\4\3\x11\x22\x33\x44\3\0\0\x8\1\0\0\xb\3\0\0"
		"\x8\3\0\0\xc\0\0\0\x8\5\0\0\1",
		"\0\0\0\x2c\1\1\x8\3\1\1\1\1\2\2\2\2\3\0\0\xc\1\0\0\x14"
		"\x80\xe\1\0\3\0\0\x8\2\0\0\5\0\0\0\x8\4\0\0\x1f",
		"\1\0\0\0\7\6\0\x10\0\0\xff\xff\xc0\0\2\1\xc0\0\2\1",
		"\1\0\0\0\7\0\0\x10\0\0\xff\xff\0\0\0\0\xff\xff\xff\xff",
		"\3\4\0\1\x11\x22\x33\x44", "\1\0\0\0", "\3\4\x40\x9\0\0\1\0",
		"\1\4\x40\x9\0\0\1\0", "\0\0\x40\x7", "\0\0\0\x18",
		"\0\x1f\0\0" "01234567890123456789012345678901",
		"01234567890123456789012345678901",
	};
	unsigned count = (unsigned)(sim_random(sim) % 7);

	for (unsigned i = 0; i < count; i++) {
		const char *body = bodies[sim_random(sim) % 12];
		size_t len = sim_random(sim) % 48;

		write_payload(inner, (enum ike_payload_type)(
				33 + sim_random(sim) % 16));
		write_bytes(inner, body, len);
	}
}

/* Seal it as side 1 would, and hand it to side 0. */
static bool send_nonsense(struct sim *sim)
{
	struct sa *from = sa_best(sim->sides[1].ike);
	struct sa *to = sa_best(sim->sides[0].ike);
	uint8_t bytes[1024], plain[512];
	struct writer inner = writer_of(plain, sizeof(plain));
	struct writer outer = writer_of(bytes, sizeof(bytes));
	struct message_header header = { 0 };
	struct crypto_protection protection;
	uint64_t counter;

	if (!from || !to || sa_spi_i(from) != sa_spi_i(to))
		return false;
	header.spi_i = sa_spi_i(to);
	header.spi_r = sa_spi_r(to);
	header.initiator = from->initiator;
	header.id = to->recv_id;
	header.exchange = (uint8_t)(35 + sim_random(sim) % 3);
	if (!request_idle(to) && sim_random(sim) % 4 == 0) {
		header.response = true;
		header.id = to->out.id;
		header.exchange = to->out.exchange;
	}
	protection = sa_protection(test_crypto(), from, true);
	counter = 1000000 + to->recv_id;
	write_nonsense(sim, &inner);
	assert_true(writer_finish(&inner));
	assert_true(message_seal(&outer, &header, &inner, &protection,
				 &counter, SIZE_MAX));
	sim_deliver(sim, 0, bytes, outer.len);
	return true;
}

/* A peer gone mad can harm itself only: everything stays bounded, and once it
 * is sane again, the pair recovers. */
static void authenticated_nonsense(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		sim_open(&sim, seed);
		sim_start_both(&sim);
		for (unsigned i = 0; i < 200; i++) {
			if (!send_nonsense(&sim))
				break;
			if (i % 20 == 19)
				sim_run(&sim, IKE_MSECONDS(300));
			sim_assert(&sim, sim_children(&sim, 0) <=
				   IKE_MAX_CHILDREN);
			sim_assert(&sim, sim_sas(&sim, 0, SA_ESTABLISHED) +
				   sim_sas(&sim, 0, SA_REPLACED) <=
				   IKE_MAX_SAS);
		}
		sim_restart(&sim, 1);
		sim_clear_sad(&sim, 1);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run_settled(&sim, IKE_SECONDS(600));
		sim_close(&sim);
	}
}

/* An error in clear in answer to the first message neither ends the attempt
 * nor stops it. */
static void clear_notify_does_not_end_the_attempt(void **state)
{
	uint8_t forged[36] = { 0 };
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim.network.cut = true;
	sim_input(&sim, 0, IKE_INPUT_START);
	memcpy(forged, sim.last[0], 8);
	forged[16] = IKE_PAYLOAD_NOTIFY;
	forged[17] = 0x20;
	forged[18] = IKE_EXCHANGE_SA_INIT;
	forged[19] = 0x20;
	forged[27] = sizeof(forged);
	forged[31] = 8;
	forged[35] = IKE_NOTIFY_NO_PROPOSAL_CHOSEN;
	sim_deliver(&sim, 0, forged, sizeof(forged));
	sim_assert(&sim, ike_counters(sim.sides[0].ike)[
			   IKE_REASON_CLEAR_NOTIFY] == 1);
	sim_assert(&sim, sim.sides[0].failures == 0);
	sim_input(&sim, 1, IKE_INPUT_START);
	sim.network.cut = false;
	sim_run_settled(&sim, IKE_SECONDS(20));
	sim_assert(&sim, sim.sides[0].failures == 0);
	sim_close(&sim);
}

/* INVALID_KE_PAYLOAD: tried again with the group that the peer wants. */
static void other_group_on_request(void **state)
{
	uint8_t forged[38] = { 0 };
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim_input(&sim, 1, IKE_INPUT_START);
	sim.network.cut = true;
	sim_run(&sim, IKE_SECONDS(1));
	sim_input(&sim, 0, IKE_INPUT_START);
	memcpy(forged, sim.last[0], 8);
	forged[16] = IKE_PAYLOAD_NOTIFY;
	forged[17] = 0x20;
	forged[18] = IKE_EXCHANGE_SA_INIT;
	forged[19] = 0x20;
	forged[27] = sizeof(forged);
	forged[31] = 10;
	forged[35] = IKE_NOTIFY_INVALID_KE_PAYLOAD;
	forged[37] = IKE_KE_P256;
	sim.network.cut = false;
	sim_deliver(&sim, 0, forged, sizeof(forged));
	sim_run_settled(&sim, IKE_SECONDS(20));
	sim_assert(&sim, sim.sides[0].info.ke == IKE_KE_P256);
	sim_assert(&sim, sim.sides[1].info.ke == IKE_KE_P256);
	sim_close(&sim);
}

/* A NAT on the way: told as the reason when the attempt has ended. */
static bool other_port(struct sim *sim, int from, const uint8_t *data,
		       size_t len)
{
	struct ike_input input = {
		.type = IKE_INPUT_DATAGRAM,
		.datagram = { .bytes = { data, len },
			      .local_port = 500, .peer_port = 1024 }
	};

	if (sim->sides[!from].ike)
		ike_input(sim->sides[!from].ike, sim->now, &input);
	return false;
}

static void nat_is_named(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim_input(&sim, 1, IKE_INPUT_START);
	sim.tap = other_port;
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_run(&sim, IKE_SECONDS(60));
	sim_assert(&sim, ike_counters(sim.sides[0].ike)[IKE_REASON_NAT] ||
		   ike_counters(sim.sides[1].ike)[IKE_REASON_NAT]);
	sim_assert(&sim, sim.sides[0].sad_count == 0);
	sim_close(&sim);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reflected_message_is_dropped),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(every_bit_flipped),
		cmocka_unit_test(flood_of_first_messages),
		cmocka_unit_test(forged_cookies),
		cmocka_unit_test(handshakes_that_do_not_go_on),
		cmocka_unit_test(authenticated_again_and_again),
		cmocka_unit_test(garbage),
		cmocka_unit_test(authenticated_nonsense),
		cmocka_unit_test(clear_notify_does_not_end_the_attempt),
		cmocka_unit_test(other_group_on_request),
		cmocka_unit_test(nat_is_named),
	};

	sim_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
