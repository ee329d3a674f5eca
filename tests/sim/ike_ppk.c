/* Post-quantum preshared keys (RFC 8784) on both sides, on one, required or
 * not, the same or not. SEED=n runs one seed only; SEEDS=n that many. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "ike/ppk.h"
#include "tests/sim/sim.h"

enum { SEEDS = 8 };

static const char one[] = "0123456789abcdef0123456789abcdef";
static const char two[] = "fedcba9876543210fedcba9876543210, longer";
static const char secret[] = "sixteen octets, and more";

struct side {
	const char *ppk, *id;
	bool required;
};

static const struct {
	struct side a, b;
	enum ike_reason refused;	/* IKE_REASON_NONE: they meet */
	bool mixed;
} table[] = {
	{ { one, "id", true }, { one, "id", true }, IKE_REASON_NONE, true },
	{ { one, "id", true }, { one, "id", false }, IKE_REASON_NONE, true },
	{ { one, "id", false }, { one, "id", true }, IKE_REASON_NONE, true },
	{ { one, "id", false }, { one, "id", false }, IKE_REASON_NONE, true },
	{ { two, "x", true }, { two, "x", true }, IKE_REASON_NONE, true },
	/* one side has none */
	{ { one, "id", false }, { NULL, NULL, false }, IKE_REASON_NONE,
	  false },
	{ { NULL, NULL, false }, { one, "id", false }, IKE_REASON_NONE,
	  false },
	{ { one, "id", true }, { NULL, NULL, false }, IKE_REASON_PPK, false },
	{ { NULL, NULL, false }, { one, "id", true }, IKE_REASON_PPK, false },
	/* another name */
	{ { one, "id", false }, { one, "di", false }, IKE_REASON_NONE, false },
	{ { one, "id", true }, { one, "di", false }, IKE_REASON_PPK, false },
	{ { one, "id", false }, { one, "idx", true }, IKE_REASON_PPK, false },
	{ { one, "id", true }, { one, "i", true }, IKE_REASON_PPK, false },
	/* another key under the same name: nothing to fall back to */
	{ { one, "id", true }, { two, "id", true }, IKE_REASON_AUTH, false },
	{ { one, "id", false }, { two, "id", false }, IKE_REASON_AUTH, false },
};

static void give(struct sim_side *to, const struct side *side)
{
	to->ppk = side->ppk;
	to->ppk_id = side->id;
	to->ppk_required = side->required;
}

/* seed & 1: who starts; & 2, & 4: who answers late; & 8: the other side starts
 * too */
static void open_row(struct sim *sim, uint64_t seed, size_t row, bool shared)
{
	sim_open(sim, seed);
	give(&sim->sides[0], &table[row].a);
	give(&sim->sides[1], &table[row].b);
	for (int i = 0; i < SIM_SIDES; i++) {
		sim->sides[i].late = seed & (2u << i);
		sim->sides[i].secret = shared ? secret : NULL;
	}
	sim_input(sim, (int)(seed & 1), IKE_INPUT_START);
	if (seed & 8)
		sim_run(sim, IKE_SECONDS(1));
	sim_input(sim, !(seed & 1), IKE_INPUT_START);
}

static void check_refused(struct sim *sim, size_t row)
{
	const enum ike_reason reason = table[row].refused;
	uint64_t found = 0;

	sim_run(sim, IKE_SECONDS(60));
	for (int i = 0; i < SIM_SIDES; i++) {
		const struct sim_side *side = &sim->sides[i];

		sim_assert(sim, side->sad_count == 0);
		sim_assert(sim, side->state != IKE_ESTABLISHED);
		found += ike_counters(side->ike)[reason];
	}
	sim_assert(sim, found > 0);
}

static void they_meet_or_not(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, 2 * SEEDS)
	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++)
	for (int shared = 0; shared < 2; shared++) {
		open_row(&sim, seed, row, shared);
		if (table[row].refused) {
			check_refused(&sim, row);
		} else {
			sim_run_settled(&sim, IKE_SECONDS(30));
			for (int i = 0; i < SIM_SIDES; i++) {
				sim_assert(&sim, sim.sides[i].info.ppk ==
					   table[row].mixed);
				sim_assert(&sim, sim.sides[i].failures == 0);
			}
		}
		sim_close(&sim);
	}
}

/* Each side alone begins. */
static void either_side_begins(void **state)
{
	struct sim sim;

	(void)state;
	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++)
	for (int first = 0; first < SIM_SIDES; first++) {
		sim_open(&sim, 1);
		give(&sim.sides[0], &table[row].a);
		give(&sim.sides[1], &table[row].b);
		sim_input(&sim, !first, IKE_INPUT_START);
		sim_run(&sim, IKE_MSECONDS(1));
		/* its own attempt is dropped */
		sim.sides[!first].ike->retry_at = IKE_NEVER;
		engine_attempt_abandon(sim.sides[!first].ike, false);
		sim_input(&sim, first, IKE_INPUT_START);
		sim_run(&sim, IKE_SECONDS(3));
		sim_assert(&sim, (sim.sides[0].state == IKE_ESTABLISHED) ==
			   !table[row].refused);
		if (!table[row].refused) {
			sim_assert(&sim, sim.sides[first].info.initiator);
			sim_assert(&sim, sim.sides[0].info.ppk ==
				   table[row].mixed);
		}
		sim_close(&sim);
	}
}

/* SK_d, SK_pi, SK_pr of each side, seen before they are mixed. */
static uint8_t plain[SIM_SIDES][3 * SECRET_MAX];
static size_t plain_len[SIM_SIDES];

static bool see_keys(struct sim *sim, int from, const uint8_t *data,
		     size_t len)
{
	(void)len;
	if (data[18] != IKE_EXCHANGE_AUTH || data[19] & 0x20)
		return true;
	for (const struct sa *sa = sim->sides[from].ike->sas; sa; sa = sa->next)
		if (sa->state == SA_AUTH_SENT) {
			struct writer writer = writer_of(plain[from],
							 sizeof(plain[0]));

			write_bytes(&writer, sa->keys.d.bytes, sa->keys.d.len);
			write_bytes(&writer, sa->keys.pi.bytes,
				    sa->keys.pi.len);
			write_bytes(&writer, sa->keys.pr.bytes,
				    sa->keys.pr.len);
			plain_len[from] = writer.len;
		}
	return true;
}

/* The keys of the IKE SA are those of RFC 8784 3, and without a PPK those of
 * RFC 7296 2.14. */
static void keys_are_mixed(void **state)
{
	struct sim sim;

	(void)state;
	for (size_t row = 0; row < 6; row++) {
		const bool mixed = table[row].mixed;
		uint8_t keys[3 * SECRET_MAX];
		const struct sa *sa;
		const char *ppk;
		int first;

		sim_open(&sim, 1);
		give(&sim.sides[0], &table[row].a);
		give(&sim.sides[1], &table[row].b);
		sim.tap = see_keys;
		sim_start_both(&sim);
		first = !sim.sides[0].info.initiator;
		sa = sa_best(sim.sides[first].ike);
		ppk = sim.sides[0].ppk;
		assert_int_equal(plain_len[first], 3 * sa->keys.d.len);
		memcpy(keys, plain[first], plain_len[first]);
		if (mixed)
			assert_true(ppk_mix(test_crypto(), sa->algorithms.prf,
					    (struct ike_bytes){
					    (const uint8_t *)ppk, strlen(ppk)
					    }, (struct ike_bytes){ plain[first],
					    plain_len[first] }, keys));
		assert_int_equal(mixed, !!memcmp(keys, plain[first],
						 plain_len[first]));
		assert_memory_equal(sa->keys.d.bytes, keys, sa->keys.d.len);
		assert_memory_equal(sa->keys.pr.bytes,
				    keys + 2 * sa->keys.d.len,
				    sa->keys.pr.len);
		sim_close(&sim);
	}
}

/* An IKE SA that has one keeps it, through loss and rekeying. */
static void rekeying_keeps_it(void **state)
{
	struct sim sim;
	uint64_t spi;

	(void)state;
	FOR_SEEDS(seed, SEEDS)
	for (size_t row = 0; row < 6; row++) {
		open_row(&sim, seed, row, seed & 4);
		sim_run_settled(&sim, IKE_SECONDS(30));
		spi = sim.sides[0].info.spi_initiator;
		for (int i = 0; i < SIM_SIDES; i++)
			sa_best(sim.sides[i].ike)->rekey_at = sim.now;
		sim.check_flow = true;
		sim.network.lose = (unsigned)(seed % 3 * 50);
		sim_run(&sim, IKE_SECONDS(60));
		sim.network.lose = 0;
		/* a Child SA of a handshake that one side gave up may be left
		 * until ORPHAN_TIME is over */
		sim_run_settled(&sim, IKE_SECONDS(240));
		sim_assert(&sim, sim.sides[0].info.spi_initiator != spi);
		for (int i = 0; i < SIM_SIDES; i++)
			sim_assert(&sim, sim.sides[i].info.ppk ==
				   table[row].mixed);
		sim_close(&sim);
	}
}

/* USE_PPK taken out on its way, by somebody who wants an IKE SA without: AUTH
 * covers it. */
static bool strip_response;
static unsigned stripped;

static bool strip(struct sim *sim, int from, const uint8_t *data, size_t len)
{
	uint8_t copy[IKE_MAX_MESSAGE];

	if (data[18] != IKE_EXCHANGE_SA_INIT ||
	    !!(data[19] & 0x20) != strip_response)
		return true;
	memcpy(copy, data, len);
	for (size_t i = 0; i + 8 <= len; i++)
		if (copy[i + 2] == 0 && copy[i + 3] == 8 &&
		    copy[i + 6] == IKE_NOTIFY_USE_PPK >> 8 &&
		    copy[i + 7] == (IKE_NOTIFY_USE_PPK & 0xff)) {
			copy[i + 7] ^= 0x80;
			stripped++;
		}
	sim_deliver(sim, !from, copy, len);
	return false;
}

static void no_downgrade(void **state)
{
	struct sim sim;

	(void)state;
	for (size_t row = 0; row < 4; row++)
	for (int response = 0; response < 2; response++) {
		stripped = 0;
		strip_response = response;
		sim_open(&sim, 1);
		give(&sim.sides[0], &table[row].a);
		give(&sim.sides[1], &table[row].b);
		sim.tap = strip;
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run(&sim, IKE_SECONDS(60));
		sim_assert(&sim, stripped > 0);
		sim_assert(&sim, sim.sides[0].state != IKE_ESTABLISHED);
		sim_assert(&sim, sim.sides[1].state != IKE_ESTABLISHED);
		sim.tap = NULL;
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_assert(&sim, sim.sides[0].info.ppk);
		sim_close(&sim);
	}
}

/* Whoever has the key gives no answer. */
static void no_mixed_keys(void **state)
{
	struct sim sim;

	(void)state;
	for (int i = 0; i < SIM_SIDES; i++) {
		sim_open(&sim, 1);
		give(&sim.sides[0], &table[0].a);
		give(&sim.sides[1], &table[0].b);
		sim.sides[i].cannot_sign = true;
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run(&sim, IKE_SECONDS(60));
		sim_assert(&sim, ike_counters(sim.sides[i].ike)[
				   IKE_REASON_SIGNATURE] > 0);
		sim_assert(&sim, sim.sides[0].sad_count == 0);
		sim.sides[i].cannot_sign = false;
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_close(&sim);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_meet_or_not),
		cmocka_unit_test(either_side_begins),
		cmocka_unit_test(keys_are_mixed),
		cmocka_unit_test(rekeying_keeps_it),
		cmocka_unit_test(no_downgrade),
		cmocka_unit_test(no_mixed_keys),
	};

	sim_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
