/* Two engines that start: one or both, once or again, and their messages lost,
 * late or crossing.
 * SEED=n runs one seed only; SEEDS=n that many; an argument picks the tests
 * whose names it is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { SEEDS = 200 };

static void set_time(struct sim *sim, uint64_t at)
{
	sim_run(sim, (struct ike_time){ at });
}

static struct sim_network bad_network(struct sim *sim)
{
	return (struct sim_network){
		.lose = (unsigned)(sim_random(sim) % 300),
		.duplicate = (unsigned)(sim_random(sim) % 300),
		.corrupt = (unsigned)(sim_random(sim) % 100),
		.delay_us = sim_random(sim) % 50000,
		.jitter_us = sim_random(sim) % 2000000
	};
}

/* The other side has been started, and nobody has heard it. */
static void start_unheard(struct sim *sim, int side, struct ike_time span)
{
	sim_input(sim, side, IKE_INPUT_START);
	sim->network.cut = true;
	sim_run(sim, span);
	sim->network.cut = false;
}

static void one_starts(void **state)
{
	struct sim sim;

	(void)state;
	for (int side = 0; side < 2; side++) {
		sim_open(&sim, 1);
		start_unheard(&sim, !side, IKE_SECONDS(3));
		sim_input(&sim, side, IKE_INPUT_START);
		sim_run_settled(&sim, IKE_SECONDS(20));
		sim_assert(&sim, sim.sides[0].failures == 0);
		sim_assert(&sim, sim.sides[1].failures == 0);
		sim_close(&sim);
	}
}

static void both_start_at_once(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		sim_open(&sim, seed);
		sim.ipv6 = seed & 1;
		sim.sides[0].late = seed & 2;
		sim.sides[1].late = seed & 4;
		sim.check_flow = true;
		sim.network.jitter_us = seed % 3 * 10000;
		sim_input(&sim, 0, IKE_INPUT_START);
		set_time(&sim, sim_random(&sim) % 20000);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run_settled(&sim, IKE_SECONDS(20));
		/* each side has installed exactly two Child SAs, ever */
		sim_assert(&sim, sim.sides[0].installs == 4);
		sim_assert(&sim, sim.sides[1].installs == 4);
		sim_assert(&sim, sim.sides[0].failures == 0);
		sim_close(&sim);
	}
}

static void bad_network_converges(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		sim_open(&sim, seed);
		sim.ipv6 = seed & 1;
		sim.sides[0].late = seed & 2;
		sim.sides[1].late = seed & 4;
		sim.check_flow = true;
		sim.network = bad_network(&sim);
		sim_input(&sim, 0, IKE_INPUT_START);
		set_time(&sim, sim_random(&sim) % 3000000);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run(&sim, IKE_SECONDS(60));
		sim_calm(&sim, IKE_SECONDS(180));
		sim_close(&sim);
	}
}

/* kill -9 and a new daemon: the SAD keeps its SAs, traffic never stops. */
static void restart_keeps_traffic(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		int side = (int)(seed & 1);

		sim_open(&sim, seed);
		sim_start_both(&sim);
		sim.check_flow = true;
		sim_run(&sim, IKE_SECONDS(seed % 20));
		/* the new daemon does not know of SAs before it, and may use
		 * its new one half a round trip too early */
		sim.sides[side].unchecked = true;
		sim_restart(&sim, side);
		set_time(&sim, sim_random(&sim) % 5000000);
		sim_input(&sim, side, IKE_INPUT_START);
		sim.network.lose = (unsigned)(seed % 4 * 100);
		sim_run(&sim, IKE_SECONDS(60));
		/* the old SAs of the restarted side are for the daemon to
		 * clear away; the engine does not know them */
		sim_sad_remove_stale(&sim.sides[side]);
		sim_calm(&sim, IKE_SECONDS(180));
		sim_close(&sim);
	}
}

/* A reboot: the SAD is empty too. */
static void reboot_recovers(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS / 4) {
		int side = (int)(seed & 1);

		sim_open(&sim, seed);
		sim_start_both(&sim);
		sim_restart(&sim, side);
		sim_clear_sad(&sim, side);
		set_time(&sim, sim_random(&sim) % 30000000);
		sim_input(&sim, side, IKE_INPUT_START);
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_close(&sim);
	}
}

/* One side is started anew in the middle of the other's handshake, and knows
 * nothing of what it has answered: nobody waits for the end of that. */
static void both_restart(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		sim_open(&sim, seed);
		sim_start_both(&sim);
		for (int i = 0; i < SIM_SIDES; i++) {
			int side = (int)(seed & 1) ^ i;

			sim_restart(&sim, side);
			sim_clear_sad(&sim, side);
			sim_input(&sim, side, IKE_INPUT_START);
			set_time(&sim, sim_random(&sim) % 15000);
		}
		sim_run_settled(&sim, IKE_SECONDS(6));
		sim_close(&sim);
	}
}

static bool lose_auth(struct sim *sim, int from, const uint8_t *data,
		      size_t len)
{
	(void)sim;
	(void)from;
	return len < 19 || data[18] != IKE_EXCHANGE_AUTH;
}

static bool all_flows(const struct sim *sim)
{
	for (int side = 0; side < SIM_SIDES; side++)
		for (int kind = 0; kind < IKE_CHILD_KINDS; kind++)
			if (!sim_flows(sim, side, (enum ike_child_kind)kind))
				return false;
	return true;
}

/*
 * Both IKE_AUTH requests are lost until neither side waits for the other's any
 * more, and cross when they arrive: each side then has the other's IKE SA, and
 * both come to the same one.
 *
 *	a|--AUTH a--x   x--AUTH b--|b		three times
 *	a|--AUTH a-.     .-AUTH b--|b
 *	a|<---------'---'--------->|b
 */
static void authentications_cross(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		sim_open(&sim, seed);
		sim.sides[0].late = seed & 2;
		sim.sides[1].late = seed & 4;
		sim.network.delay_us = 50000 + sim_random(&sim) % 100000;
		sim.tap = lose_auth;
		sim_input(&sim, 0, IKE_INPUT_START);
		set_time(&sim, sim_random(&sim) % 50000);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run(&sim, IKE_SECONDS(2));
		sim.tap = NULL;
		sim_run(&sim, IKE_SECONDS(3));
		sim_assert(&sim, all_flows(&sim));
		sim_run_settled(&sim, IKE_SECONDS(30));
		sim_close(&sim);
	}
}

static uint8_t early_auth[IKE_MAX_MESSAGE];
static size_t early_auth_len;

static bool keep_auth(struct sim *sim, int from, const uint8_t *data,
		      size_t len)
{
	if (lose_auth(sim, from, data, len))
		return true;
	memcpy(early_auth, data, len);
	early_auth_len = len;
	return false;
}

/* What a peer has given up for another IKE SA, and somebody has held back: it
 * does not take that one's place. */
static void early_authentication_comes_late(void **state)
{
	struct sim sim;

	(void)state;
	for (int side = 0; side < 2; side++) {
		sim_open(&sim, 1);
		start_unheard(&sim, !side, IKE_SECONDS(16));
		sim.tap = keep_auth;
		sim_input(&sim, side, IKE_INPUT_START);
		sim_run(&sim, IKE_MSECONDS(200));
		sim_assert(&sim, early_auth_len > 0);
		sim.tap = NULL;
		sim_restart(&sim, side);
		sim_input(&sim, side, IKE_INPUT_START);
		sim_run_settled(&sim, IKE_SECONDS(10));
		sim_deliver(&sim, !side, early_auth, early_auth_len);
		sim_assert(&sim, sim_settled(&sim) && all_flows(&sim));
		sim_run(&sim, IKE_SECONDS(20));
		sim_assert(&sim, sim_settled(&sim) && all_flows(&sim));
		sim_close(&sim);
		early_auth_len = 0;
	}
}

/* Again and again, before anything is confirmed: what is left of that at the
 * peer, as much as it may hold, does not stand in the way of the last one. */
static void restarts_in_a_row(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS / 4) {
		const int side = (int)(seed & 1);

		sim_open(&sim, seed);
		sim_start_both(&sim);
		for (int i = 0; i < IKE_MAX_CHILDREN; i++) {
			sim_restart(&sim, side);
			sim_clear_sad(&sim, side);
			sim_input(&sim, side, IKE_INPUT_START);
			sim_run(&sim, (struct ike_time){
				60000 + sim_random(&sim) % 200000 });
		}
		sim_run_settled(&sim, IKE_SECONDS(20));
		sim_close(&sim);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_starts),
		cmocka_unit_test(both_start_at_once),
		cmocka_unit_test(bad_network_converges),
		cmocka_unit_test(restart_keeps_traffic),
		cmocka_unit_test(both_restart),
		cmocka_unit_test(authentications_cross),
		cmocka_unit_test(early_authentication_comes_late),
		cmocka_unit_test(restarts_in_a_row),
		cmocka_unit_test(reboot_recovers),
	};

	sim_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
