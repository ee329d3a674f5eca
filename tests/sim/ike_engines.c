/* Two engines against each other, and what may happen between them.
 * SEED=n runs one seed only; SEEDS=n that many; an argument picks the tests
 * whose names it is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { SEEDS = 200 };

/* The peer is away for a minute: its Child SAs stay. */
static void lost_liveness_keeps_children(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS / 4) {
		sim_open(&sim, seed);
		sim_start_both(&sim);
		sim.check_flow = true;
		sim.network.cut = true;
		sim_run(&sim, IKE_SECONDS(60));
		sim_assert(&sim, sim.sides[0].state == IKE_CONNECTING);
		sim_assert(&sim, sim.sides[0].failed[IKE_REASON_PEER_DEAD]);
		sim_assert(&sim, sim.sides[0].removes == 0);
		sim_assert(&sim, sim.sides[1].removes == 0);
		sim.network.cut = false;
		sim_run_settled(&sim, IKE_SECONDS(180));
		sim_close(&sim);
	}
}

/* Ten lifetimes, no packet lost. */
static void rekey_keeps_traffic(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		sim_open(&sim, seed);
		sim.ike_lifetime = sim.child_lifetime = IKE_SECONDS(200);
		sim_start_both(&sim);
		sim.check_flow = true;
		sim.network.lose = (unsigned)(seed % 4 * 50);
		sim.network.duplicate = (unsigned)(seed % 3 * 50);
		sim.network.jitter_us = seed % 5 * 100000;
		sim_run(&sim, IKE_SECONDS(2000));
		sim_assert(&sim, sim.sides[0].installs > 36);
		sim_assert(&sim, sim.sides[0].failed[IKE_REASON_LIFETIME] == 0);
		sim_assert(&sim, sim.sides[1].failed[IKE_REASON_LIFETIME] == 0);
		sim_calm(&sim, IKE_SECONDS(180));
		sim_close(&sim);
	}
}

/* A peer that has died at any moment, whatever was going on, is given up and
 * called anew within half the hold time of BGP; its Child SAs stay. */
static void dead_within_hold_time(void **state)
{
	static const unsigned hold_times[] = { 3, 9, 30, 90, 180, 300 };
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS)
	for (size_t i = 0; i < sizeof(hold_times) / sizeof(hold_times[0]);
	     i++) {
		const int side = (int)(seed & 1);

		sim_open(&sim, seed);
		sim.hold_time = IKE_SECONDS(hold_times[i]);
		sim_start_both(&sim);
		sim_run(&sim, (struct ike_time){
			sim_random(&sim) % 40000000 });
		sim_assert(&sim, sim.sides[side].failures == 0);
		if (seed & 2)
			sa_best(sim.sides[side].ike)->rekey_at = sim.now;
		if (seed & 4)
			sim.sides[side].ike->children->rekey_at = sim.now;
		sim_run(&sim, (struct ike_time){ sim_random(&sim) % 5000 });
		sim.network.cut = true;
		sim_run(&sim, (struct ike_time){ sim.hold_time.us / 2 });
		sim_assert(&sim, sim_sas(&sim, side, SA_INIT_SENT) +
			   sim.sides[side].failed[IKE_REASON_NO_RESPONSE] > 0);
		sim_assert(&sim, sim.sides[side].failed[IKE_REASON_PEER_DEAD]
			   == 1);
		for (unsigned k = 0; k < IKE_CHILD_KINDS; k++)
			sim_assert(&sim, sim_flows(&sim, side,
						   (enum ike_child_kind)k));
		sim_close(&sim);
	}
}

/* And a slow one is not: it answers after a ninth of the hold time. */
static void slow_is_not_dead(void **state)
{
	static const unsigned hold_times[] = { 3, 9, 30, 90 };
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS / 4)
	for (size_t i = 0; i < sizeof(hold_times) / sizeof(hold_times[0]);
	     i++) {
		sim_open(&sim, seed);
		sim.hold_time = IKE_SECONDS(hold_times[i]);
		sim_start_both(&sim);
		sim.network.delay_us = sim.hold_time.us / 9 / 2;
		sim_run(&sim, IKE_SECONDS(300));
		sim_assert(&sim, sim.sides[0].failures == 0);
		sim_assert(&sim, sim.sides[1].failures == 0);
		sim_close(&sim);
	}
}

/* Each kind has a lifetime of its own, down to the least that may be
 * configured, which rekeys every few seconds. */
static void lifetimes_of_their_own(void **state)
{
	static const unsigned lifetimes[][2] = {	/* s: IKE SA, Child SA */
		{ 5, 5 }, { 5, 1000 }, { 1000, 5 }, { 7, 11 }, { 30, 8 },
	};
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS / 4) {
		const unsigned *life = lifetimes[seed % 5];

		sim_open(&sim, seed);
		sim.ike_lifetime = IKE_SECONDS(life[0]);
		sim.child_lifetime = IKE_SECONDS(life[1]);
		sim.network.jitter_us = seed % 3 * 10000;
		sim_start_both(&sim);
		sim.check_flow = true;
		sim_run(&sim, IKE_SECONDS(200));
		for (int i = 0; i < SIM_SIDES; i++) {
			const struct sim_side *side = &sim.sides[i];

			/* two of each Child SA, two at the beginning */
			sim_assert(&sim, side->installs >=
				   4 + 4 * (200 / life[1]));
			sim_assert(&sim, life[1] != 1000 ||
				   side->installs == 4);
			sim_assert(&sim, side->states >= 200 / life[0]);
			sim_assert(&sim, life[0] != 1000 ||
				   side->states <= 3);
			sim_assert(&sim, side->failures == 0);
		}
		sim_close(&sim);
	}
}

/* Force both sides to rekey at the very same moment (RFC 7296 2.8). */
static void rekey_at_once(struct sim *sim, bool ike, bool child)
{
	for (int side = 0; side < 2; side++) {
		struct ike *engine = sim->sides[side].ike;

		if (ike)
			sa_best(engine)->rekey_at = sim->now;
		for (struct child *c = engine->children; child && c;
		     c = c->next)
			c->rekey_at = sim->now;
	}
}

static void simultaneous_rekey(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS * 2) {
		sim_open(&sim, seed);
		sim_start_both(&sim);
		sim.check_flow = true;
		sim.network.jitter_us = seed % 4 * 30000;
		sim.network.lose = (unsigned)(seed % 5 * 60);
		for (unsigned i = 0; i < 4; i++) {
			unsigned which = (unsigned)(1 + (seed + i) % 3);

			rekey_at_once(&sim, which & 1, which & 2);
			sim_run(&sim, IKE_SECONDS(40));
			sim.network.lose = 0;
			sim_run_settled(&sim, IKE_SECONDS(60));
		}
		sim_assert(&sim, sim.sides[0].failures == 0 ||
			   seed % 5 != 0);
		sim_close(&sim);
	}
}

/*
 *	a	b
 *	|--rekey--  --|	both at once; a's answer does not get through
 *	|<-rekey-->---|
 *	|<--answer----|	a knows all now, and who has won
 *	|--rekey----->|	the one that it made, once more
 *	|---answer--->|	b must come to the same as a did
 */
static bool swallow_answers(struct sim *sim, int from, const uint8_t *data,
			    size_t len)
{
	(void)len;
	return from != (int)(sim->seed & 1) ||
		data[18] != IKE_EXCHANGE_CREATE_CHILD_SA ||
		!(data[19] & 0x20);
}

static void rekey_kind(struct sim *sim, int side, enum ike_child_kind kind)
{
	for (struct child *c = sim->sides[side].ike->children; c; c = c->next)
		if (c->info.kind == kind && c->state <= CHILD_CURRENT)
			c->rekey_at = sim->now;
}

static void rekeyed_before_it_is_settled(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		int side = (int)(seed & 1);

		sim_open(&sim, seed);
		sim_start_both(&sim);
		sim_run(&sim, IKE_SECONDS(2));
		sim.check_flow = true;
		sim.tap = swallow_answers;
		rekey_kind(&sim, side, IKE_CHILD_PASSIVE);
		rekey_kind(&sim, !side, IKE_CHILD_ACTIVE);
		sim_run(&sim, IKE_SECONDS(1));
		rekey_kind(&sim, side, IKE_CHILD_PASSIVE);
		sim_run(&sim, IKE_MSECONDS(500));
		sim.tap = NULL;
		sim_run(&sim, IKE_SECONDS(60));
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_assert(&sim, sim.sides[0].failures == 0);
		sim_assert(&sim, sim.sides[1].failures == 0);
		sim_close(&sim);
	}
}

static void reauthentication_keeps_traffic(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		sim_open(&sim, seed);
		sim.sides[0].valid_for = IKE_SECONDS(300);
		if (seed & 1)
			sim.sides[1].valid_for = IKE_SECONDS(300);
		sim.sides[1].late = seed & 2;
		sim_start_both(&sim);
		sim.check_flow = true;
		sim.network.lose = (unsigned)(seed % 3 * 50);
		sim.network.jitter_us = seed % 5 * 50000;
		sim_run(&sim, IKE_SECONDS(2000));
		sim_assert(&sim, sim.sides[0].failed[
				   IKE_REASON_AUTHORIZATION_END] == 0);
		sim_calm(&sim, IKE_SECONDS(300));
		sim_close(&sim);
	}
}

/* A certificate that cannot be renewed closes the pair, on time. */
static void authorization_ends(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim.sides[0].valid_for = IKE_SECONDS(300);
	sim_start_both(&sim);
	sim.sides[0].refuse = true;
	sim_run(&sim, IKE_SECONDS(290));
	sim_assert(&sim, sim.sides[0].sad_count == 4);
	sim_assert(&sim, sim.sides[0].failed[IKE_REASON_UNAUTHORIZED] > 0);
	sim_run(&sim, IKE_SECONDS(12));
	sim_assert(&sim, sim.sides[0].sad_count == 0);
	sim_assert(&sim, sim.sides[0].state == IKE_CONNECTING);
	sim_assert(&sim,
		   sim.sides[0].failed[IKE_REASON_AUTHORIZATION_END] == 1);
	sim.sides[0].refuse = false;
	sim_run_settled(&sim, IKE_SECONDS(60));
	sim_close(&sim);
}

static void stop_tells_the_peer(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim_start_both(&sim);
	sim_input(&sim, 0, IKE_INPUT_STOP);
	sim_assert(&sim, sim.sides[0].state == IKE_DOWN);
	sim_assert(&sim, sim.sides[0].sad_count == 0);
	sim_run(&sim, IKE_SECONDS(1));
	sim_assert(&sim, sim.sides[1].sad_count == 0);
	sim_assert(&sim, sim.sides[1].state == IKE_CONNECTING);
	sim_assert(&sim, sim.sides[1].failed[IKE_REASON_PEER_DELETED] == 1);
	sim_run(&sim, IKE_SECONDS(60));
	sim_assert(&sim, !sim.sides[0].ike->sas);
	sim_assert(&sim, ike_counters(sim.sides[0].ike)[
			   IKE_REASON_NOT_STARTED] > 0);
	sim_assert(&sim, ike_deadline(sim.sides[0].ike).us == UINT64_MAX);
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_run_settled(&sim, IKE_SECONDS(60));
	sim_close(&sim);
}

/* Stop without anybody answering: it ends all the same. */
static void stop_without_peer(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim_start_both(&sim);
	sim.network.cut = true;
	sim_input(&sim, 0, IKE_INPUT_STOP);
	sim_run(&sim, IKE_SECONDS(17));
	sim_assert(&sim, !sim.sides[0].ike->sas);
	sim_close(&sim);
}

static void refused_keeps_trying(void **state)
{
	struct sim sim;

	(void)state;
	for (int side = 0; side < 2; side++) {
		sim_open(&sim, 1);
		sim.sides[side].refuse = true;
		sim.sides[side].late = true;
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run(&sim, IKE_SECONDS(120));
		sim_assert(&sim, sim.sides[0].installs == 0 ||
			   sim.sides[0].sad_count == 0);
		sim_assert(&sim, sim.sides[side].sad_count == 0);
		sim_assert(&sim, sim.sides[side].failed[
				   IKE_REASON_UNAUTHORIZED] > 3);
		sim_assert(&sim, sim.sides[!side].failed[
				   IKE_REASON_PEER_REFUSED] > 3);
		sim.sides[side].refuse = false;
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_close(&sim);
	}
}

static void cannot_sign(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim.sides[0].cannot_sign = true;
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_input(&sim, 1, IKE_INPUT_START);
	sim_run(&sim, IKE_SECONDS(60));
	sim_assert(&sim, sim.sides[0].failed[IKE_REASON_SIGNATURE] > 0);
	sim_assert(&sim, sim.sides[0].sad_count == 0);
	sim.sides[0].cannot_sign = false;
	sim_run_settled(&sim, IKE_SECONDS(60));
	sim_close(&sim);
}

/* A Child SA that the SAD refuses or loses is negotiated anew. */
static void child_failure_recovers(void **state)
{
	struct sim sim;

	(void)state;
	for (int side = 0; side < 2; side++) {
		sim_open(&sim, 1);
		sim_start_both(&sim);
		sim_child_failed(&sim, side,
				 sim.sides[side].ike->children->info.id);
		sim_assert(&sim, !sim_settled(&sim));
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_assert(&sim, sim.sides[side].failed[IKE_REASON_INSTALL]);
		sim_close(&sim);
	}
}

static unsigned created;

/* Who answers the first CREATE_CHILD_SA cannot install what it agrees to, and
 * the answer gets lost. */
static bool refuse_the_first(struct sim *sim, int from, const uint8_t *data,
			     size_t len)
{
	bool response = data[19] & 0x20;

	if (len < MESSAGE_HEADER_SIZE ||
	    data[18] != IKE_EXCHANGE_CREATE_CHILD_SA || created == 2)
		return true;
	sim->sides[response ? from : !from].reject = response ? 0 : 1000;
	created += response ? 2 : 0;
	return !response;
}

/* So its DELETE comes first, for a Child SA that this side has not yet. */
static void child_is_stillborn(void **state)
{
	struct sim sim;

	(void)state;
	for (int side = 0; side < 2; side++) {
		sim_open(&sim, 1);
		sim.tap = refuse_the_first;
		created = 0;
		sim_input(&sim, side, IKE_INPUT_START);
		sim_run(&sim, IKE_MSECONDS(1));
		sim_input(&sim, !side, IKE_INPUT_START);
		sim_run_settled(&sim, IKE_SECONDS(10));
		sim_assert(&sim, created == 2);
		sim_close(&sim);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_liveness_keeps_children),
		cmocka_unit_test(rekey_keeps_traffic),
		cmocka_unit_test(dead_within_hold_time),
		cmocka_unit_test(slow_is_not_dead),
		cmocka_unit_test(lifetimes_of_their_own),
		cmocka_unit_test(simultaneous_rekey),
		cmocka_unit_test(rekeyed_before_it_is_settled),
		cmocka_unit_test(reauthentication_keeps_traffic),
		cmocka_unit_test(authorization_ends),
		cmocka_unit_test(stop_tells_the_peer),
		cmocka_unit_test(stop_without_peer),
		cmocka_unit_test(refused_keeps_trying),
		cmocka_unit_test(cannot_sign),
		cmocka_unit_test(child_failure_recovers),
		cmocka_unit_test(child_is_stillborn),
	};

	sim_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
