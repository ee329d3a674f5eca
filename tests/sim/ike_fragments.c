/*
 * Messages in fragments (RFC 7383): between two engines over a path that takes
 * no long datagram, and by hand, with numbers that no peer should send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/fragment.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --------------------------------------------------- two engines, one path */

static unsigned fragments, whole, number_to_lose, lost, lose_from;

static bool is_fragment(const uint8_t *data)
{
	return data[16] == IKE_PAYLOAD_SKF;
}

/* Loses one fragment by its number, once, and all that is too long. */
static bool narrow(struct sim *sim, int from, const uint8_t *data, size_t len)
{
	unsigned number;

	(void)sim;
	if (len > MESSAGE_FRAGMENT_SIZE)
		return false;
	if (!is_fragment(data)) {
		whole++;
		return true;
	}
	fragments++;
	number = (unsigned)data[32] << 8 | data[33];
	if (number != number_to_lose || (unsigned)from != lose_from || lost)
		return true;
	lost = 1;
	return false;
}

/* Three certificates and more: with RSA keys, with ECDSA. */
static void open_narrow(struct sim *sim, uint64_t seed)
{
	sim_open(sim, seed);
	sim->chain = seed & 1 ? 3 : IKE_MAX_CERTS;
	sim->ipv6 = seed & 2;
	sim->sides[0].identity = seed & 1 ? 4 : 0;
	sim->sides[1].identity = seed & 1 ? 4 : 1;
	sim->sides[seed & 4 ? 0 : 1].profile = IKE_PROFILE_LEGACY;
	sim->tap = narrow;
	fragments = whole = lost = number_to_lose = 0;
}

static void a_chain_over_a_narrow_path(void **state)
{
	struct sim sim;

	(void)state;
	for (uint64_t seed = 1; seed < 9; seed++) {
		open_narrow(&sim, seed);
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_run(&sim, IKE_MSECONDS(1));
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run_settled(&sim, IKE_SECONDS(10));
		/* IKE_AUTH both ways; what follows is short */
		sim_assert(&sim, fragments >= 4 && fragments <= 8);
		sim_assert(&sim, sim.sides[0].failures == 0);
		sim_close(&sim);
	}
}

/* The next IKE SA is the same association: what was agreed on holds. */
static void a_rekeyed_one_cuts_as_well(void **state)
{
	struct sim sim;
	uint64_t spi;

	(void)state;
	open_narrow(&sim, 1);
	sim.ike_lifetime = sim.child_lifetime = IKE_SECONDS(60);
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_input(&sim, 1, IKE_INPUT_START);
	sim_run_settled(&sim, IKE_SECONDS(10));
	spi = sim.sides[0].info.spi_initiator;
	sim_run(&sim, IKE_SECONDS(60));
	for (int i = 0; i < 2; i++) {
		const struct sa *best = sa_best(sim.sides[i].ike);

		sim_assert(&sim, best && sa_spi_i(best) != spi &&
			   best->fragmentation);
	}
	sim_close(&sim);
}

/* Without fragments that path carries no IKE_AUTH: the tap tells. */
static void the_path_is_narrow(void **state)
{
	struct sim sim;

	(void)state;
	open_narrow(&sim, 1);
	/* so that there is time between IKE_SA_INIT and IKE_AUTH */
	sim.sides[0].late = sim.sides[1].late = true;
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_input(&sim, 1, IKE_INPUT_START);
	for (unsigned i = 0; i < 7000; i++) {
		for (int side = 0; side < 2; side++)
			for (struct sa *sa = sim.sides[side].ike->sas; sa;
			     sa = sa->next)
				sa->fragmentation = false;
		sim_run(&sim, IKE_MSECONDS(1));
	}
	sim_assert(&sim, !sim_settled(&sim) && whole > 0 && fragments == 0);
	sim_close(&sim);
}

/* Any one of them lost: the retransmission brings it, and nothing else is
 * needed. */
static void each_fragment_lost_once(void **state)
{
	struct sim sim;

	(void)state;
	for (unsigned number = 1; number <= 2; number++)
		for (lose_from = 0; lose_from < 2; lose_from++) {
			open_narrow(&sim, 1);
			number_to_lose = number;
			sim_input(&sim, 1, IKE_INPUT_START);
			sim_run(&sim, IKE_MSECONDS(1));
			sim_input(&sim, 0, IKE_INPUT_START);
			sim_run_settled(&sim, IKE_MSECONDS(1500));
			sim_assert(&sim, lost);
			sim_assert(&sim, sim.sides[0].failures +
				   sim.sides[1].failures == 0);
			sim_close(&sim);
		}
}

/* Loss, duplicates, reordering, corruption. */
static void bad_narrow_path(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, 1000) {
		open_narrow(&sim, seed);
		sim.check_flow = true;
		sim.sides[0].late = seed & 8;
		sim.network = (struct sim_network){
			.lose = (unsigned)(sim_random(&sim) % 250),
			.duplicate = (unsigned)(sim_random(&sim) % 300),
			.corrupt = (unsigned)(sim_random(&sim) % 100),
			.delay_us = sim_random(&sim) % 50000,
			.jitter_us = sim_random(&sim) % 2000000
		};
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_run(&sim, (struct ike_time){
				sim_random(&sim) % 3000000 });
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run(&sim, IKE_SECONDS(40));
		sim.network = (struct sim_network){ .delay_us = 2000 };
		sim_run_settled(&sim, IKE_SECONDS(180));
		sim_assert(&sim, fragments > 0);
		sim_close(&sim);
	}
}

/* -------------------------------------------------------- one, by hand */

/* One datagram: fragment number of total, or with total 0 the whole message;
 * what it causes. */
struct step {
	uint16_t number, total;
	uint8_t how;
	enum ike_reason counted;	/* NONE: nothing */
	unsigned sends, parts;		/* sent; kept afterwards */
};
enum {
	FLIPPED = 1,		/* one bit of it */
	OLD = 2,		/* under the message id before */
	NEXT = 4,		/* under the one after */
	LATE = 8		/* 30 s after the one before */
};
enum { STEPS = 7 };

static const struct script {
	const char *what;
	struct step steps[STEPS];
} scripts[] = {
	{ "in order", { { 1, 2, 0, 0, 0, 1 }, { 2, 2, 0, 0, 1, 0 } } },
	{ "backwards", { { 3, 3, 0, 0, 0, 1 }, { 2, 3, 0, 0, 0, 2 },
			 { 1, 3, 0, 0, 1, 0 } } },
	{ "one of one", { { 1, 1, 0, 0, 1, 0 } } },
	{ "duplicates", { { 1, 2, 0, 0, 0, 1 },
			  { 1, 2, 0, IKE_REASON_RETRANSMISSION, 0, 1 },
			  { 2, 2, 0, 0, 1, 0 } } },
	{ "as many as may be", {
		{ 1, IKE_MAX_FRAGMENTS, 0, 0, 0, 1 },
		{ IKE_MAX_FRAGMENTS, IKE_MAX_FRAGMENTS, 0, 0, 0, 2 } } },
	{ "numbers off by one", {
		{ 1, 2, 0, 0, 0, 1 },
		{ 0, 2, 0, IKE_REASON_PAYLOAD, 0, 1 },
		{ 3, 2, 0, IKE_REASON_PAYLOAD, 0, 1 },
		{ 1, IKE_MAX_FRAGMENTS + 1, 0, IKE_REASON_PAYLOAD, 0, 1 },
		{ 0xffff, 0xffff, 0, IKE_REASON_PAYLOAD, 0, 1 },
		{ 2, 2, 0, 0, 1, 0 } } },
	{ "no total", { { 1, 2, 0, 0, 0, 1 },
			{ 0xffff, IKE_MAX_FRAGMENTS, 0, IKE_REASON_PAYLOAD, 0,
			  1 } } },
	{ "not authentic", {
		{ 1, 2, FLIPPED, IKE_REASON_INTEGRITY, 0, 0 },
		{ 2, 2, 0, 0, 0, 1 },
		{ 1, 3, FLIPPED, IKE_REASON_INTEGRITY, 0, 1 },
		{ 1, 2, FLIPPED, IKE_REASON_INTEGRITY, 0, 1 },
		{ 1, 2, 0, 0, 1, 0 } } },
	{ "cut again, into more", {
		{ 1, 2, 0, 0, 0, 1 }, { 2, 3, 0, 0, 0, 1 },
		{ 2, 2, 0, IKE_REASON_FRAGMENT, 0, 1 },
		{ 1, 3, 0, 0, 0, 2 }, { 3, 3, 0, 0, 1, 0 } } },
	{ "whole after all", {
		{ 1, 2, 0, 0, 0, 1 }, { 0, 0, 0, 0, 1, 0 },
		{ 2, 2, OLD, IKE_REASON_RETRANSMISSION, 0, 0 },
		{ 1, 2, OLD, IKE_REASON_RETRANSMISSION, 1, 0 },
		{ 0, 0, OLD, IKE_REASON_RETRANSMISSION, 1, 0 } } },
	{ "the answer again, to the first fragment only", {
		{ 1, 2, 0, 0, 0, 1 }, { 2, 2, 0, 0, 1, 0 },
		{ 1, 2, OLD, IKE_REASON_RETRANSMISSION, 1, 0 },
		{ 2, 2, OLD, IKE_REASON_RETRANSMISSION, 0, 0 },
		{ 1, 3, OLD, IKE_REASON_RETRANSMISSION, 1, 0 },
		{ 1, 2, OLD | FLIPPED, IKE_REASON_INTEGRITY, 0, 0 } } },
	{ "of another message", {
		{ 1, 2, 0, 0, 0, 1 },
		{ 2, 2, OLD, IKE_REASON_MESSAGE_ID, 0, 1 },
		{ 2, 2, NEXT, IKE_REASON_MESSAGE_ID, 0, 1 } } },
	{ "too late", {
		{ 1, 2, 0, 0, 0, 1 },
		{ 2, 2, LATE, IKE_REASON_FRAGMENT, 0, 1 },
		{ 1, 2, 0, 0, 1, 0 } } },
};

static struct ike *ike;

static uint64_t total_counted(void)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < IKE_REASONS; i++)
		total += ike_counters(ike)[i];
	return total;
}

/* An INFORMATIONAL request with a notify that nobody knows, cut evenly. */
static size_t make(const struct step *step, uint8_t *ret_bytes)
{
	static const uint8_t chain[130] = { 0, 0, 0, 130, 0, 0, 0xa0, 0 };
	struct fragment fragment = {
		.exchange = IKE_EXCHANGE_INFORMATIONAL,
		.number = step->number, .total = step->total,
		.first = step->number == 1 ? IKE_PAYLOAD_NOTIFY : 0
	};
	size_t n = step->number, total = step->total;
	uint32_t back = step->how & OLD ? 1 : step->how & NEXT ? -1u : 0;
	struct sa *sa = engine_sa(ike, false);
	size_t len;

	if (n >= 1 && n <= total)
		fragment.part = (struct ike_bytes){
			chain + 130 * (n - 1) / total,
			130 * n / total - 130 * (n - 1) / total };
	if (total > 0)
		return fragment_seal(sa, &fragment, back, ret_bytes);
	sa->recv_id -= back;
	len = engine_seal(sa, fragment.exchange, false, IKE_PAYLOAD_NOTIFY,
			  (struct ike_bytes){ chain, 130 }, ret_bytes);
	sa->recv_id += back;
	return len;
}

static void take(const char *what, const struct step *step)
{
	uint8_t bytes[IKE_MAX_MESSAGE];
	uint64_t counted, all, sends = engine_out.sends;
	const struct sa *sa = engine_sa(ike, false);
	size_t len = make(step, bytes);

	assert_true(len > 0);
	if (step->how & FLIPPED)
		bytes[len / 2] ^= 4;
	counted = ike_counters(ike)[step->counted];
	all = total_counted();
	if (step->how & LATE)
		engine_wait(ike, IKE_SECONDS(30));
	sends = step->how & LATE ? engine_out.sends : sends;
	engine_feed(ike, bytes, len);
	if (total_counted() != all + (step->counted != 0) ||
	    (step->counted && ike_counters(ike)[step->counted] !=
	     counted + 1) || engine_out.sends != sends + step->sends ||
	    (sa->collected[0] ? sa->collected[0]->count : 0) != step->parts)
		fail_msg("%s: %u of %u: sent %u, kept %u", what, step->number,
			 step->total, (unsigned)(engine_out.sends - sends),
			 sa->collected[0] ? sa->collected[0]->count : 0);
}

static void by_hand(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		ike = engine_in(ENGINE_ESTABLISHED);
		/* no checks of our own in between */
		ike->config.hold_time = IKE_NEVER;
		for (size_t j = 0; j < STEPS && (scripts[i].steps[j].number ||
						 scripts[i].steps[j].parts ||
						 scripts[i].steps[j].sends ||
						 scripts[i].steps[j].counted);
		     j++)
			take(scripts[i].what, &scripts[i].steps[j]);
	}
}

/* Who has not said that it knows fragments (RFC 7383 2.3) sends none. */
static void not_agreed(void **state)
{
	static const struct step step = {
		1, 1, 0, IKE_REASON_PAYLOAD_FORBIDDEN, 0, 0
	};

	(void)state;
	ike = engine_in(ENGINE_ESTABLISHED);
	engine_sa(ike, false)->fragmentation = false;
	take("not agreed", &step);
}

/* Before there are keys, and in IKE_SA_INIT, which is never sealed. */
static void before_the_keys(void **state)
{
	struct sa fake = { .initiator = true };
	uint8_t bytes[IKE_MAX_MESSAGE];
	struct fragment fragment = {
		.exchange = IKE_EXCHANGE_SA_INIT, .response = true,
		.number = 1, .total = 1
	};
	size_t len;

	(void)state;
	ike = engine_in(ENGINE_ESTABLISHED);
	fake = *engine_sa(ike, false);
	ike = engine_in(ENGINE_CONNECTING);
	fake.initiator = true;
	fake.spi_own = ike->sas->spi_own;
	fake.out.id = 0;
	for (unsigned i = 0; i < 4; i++) {
		fragment.exchange = (uint8_t)(IKE_EXCHANGE_SA_INIT + i);
		fake.spi_peer = i & 1 ? 0 : 77;
		len = fragment_seal(&fake, &fragment, 0, bytes);
		engine_feed(ike, bytes, len);
		assert_null(ike->sas->collected[0]);
		assert_null(ike->sas->collected[1]);
	}
	assert_int_equal(total_counted(), 4);
	assert_int_equal(engine_out.sends, 0);
	assert_int_equal(ike->sas->state, SA_INIT_SENT);
}

/* A response in two: only while its request is out. */
static void a_response(void **state)
{
	static const uint8_t chain[] = { 0, 0, 0, 8, 0, 0, 0, 24 };
	struct fragment fragment = {
		.exchange = IKE_EXCHANGE_AUTH, .response = true, .total = 2,
	};
	uint8_t bytes[2][IKE_MAX_MESSAGE];
	size_t len[2];

	(void)state;
	ike = engine_in(ENGINE_AUTH_SENT);
	for (uint16_t i = 0; i < 2; i++) {
		fragment.number = (uint16_t)(i + 1);
		fragment.first = i ? 0 : IKE_PAYLOAD_NOTIFY;
		fragment.part = (struct ike_bytes){ chain + 5 * i,
						    i ? 3 : 5 };
		len[i] = fragment_seal(engine_sa(ike, false), &fragment, 0,
				       bytes[i]);
	}
	engine_feed(ike, bytes[1], len[1]);
	assert_int_equal(engine_sa(ike, false)->collected[1]->count, 1);
	assert_int_equal(engine_out.failures, 0);
	engine_feed(ike, bytes[0], len[0]);
	/* AUTHENTICATION_FAILED */
	assert_int_equal(engine_out.failures, 1);
	assert_int_equal(ike_counters(ike)[IKE_REASON_PEER_REFUSED], 1);
	ike = engine_in(ENGINE_ESTABLISHED);
	fragment.exchange = IKE_EXCHANGE_INFORMATIONAL;
	len[0] = fragment_seal(engine_sa(ike, false), &fragment, 0, bytes[0]);
	engine_feed(ike, bytes[0], len[0]);
	assert_int_equal(ike_counters(ike)[IKE_REASON_MESSAGE_ID], 1);
	assert_null(engine_sa(ike, false)->collected[1]);
}

/* Longer than any message may be: all is forgotten at once. */
static void too_much_altogether(void **state)
{
	static const uint8_t zeros[9000];
	uint8_t bytes[IKE_MAX_MESSAGE];
	struct fragment fragment = {
		.exchange = IKE_EXCHANGE_INFORMATIONAL, .total = 3,
		.part = { zeros, sizeof(zeros) }
	};

	(void)state;
	ike = engine_in(ENGINE_ESTABLISHED);
	for (fragment.number = 1; fragment.number < 3; fragment.number++)
		engine_feed(ike, bytes, fragment_seal(engine_sa(ike, false),
						      &fragment, 0, bytes));
	assert_int_equal(ike_counters(ike)[IKE_REASON_FRAGMENT], 1);
	assert_null(engine_sa(ike, false)->collected[0]);
	assert_int_equal(engine_out.sends, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_over_a_narrow_path),
		cmocka_unit_test(a_rekeyed_one_cuts_as_well),
		cmocka_unit_test(the_path_is_narrow),
		cmocka_unit_test(each_fragment_lost_once),
		cmocka_unit_test(bad_narrow_path),
		cmocka_unit_test(by_hand),
		cmocka_unit_test(not_agreed),
		cmocka_unit_test(before_the_keys),
		cmocka_unit_test(a_response),
		cmocka_unit_test(too_much_altogether),
	};

	sim_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
