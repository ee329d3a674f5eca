/* What the engine is given runs out for a while, SPIs or randomness: it waits
 * and does not spin (the simulation counts steps that take no time), keeps
 * what it has, and goes on when there is some again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { SEEDS = 20 };

static void run_short(struct sim *sim, uint64_t seed)
{
	struct sim_side *side = &sim->sides[seed & 1];

	side->no_spis = !(seed & 2);
	side->no_random = seed & 2;
	sim_run(sim, IKE_SECONDS(110));
	side->no_spis = side->no_random = false;
}

/* At the beginning. */
static void nothing_to_begin_with(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		sim_open(&sim, seed);
		for (int i = 0; i < SIM_SIDES; i++)
			sim_input(&sim, i, IKE_INPUT_STOP);
		sim.sides[seed & 1].no_spis = !(seed & 2);
		sim.sides[seed & 1].no_random = seed & 2;
		for (int i = 0; i < SIM_SIDES; i++)
			sim_input(&sim, i, IKE_INPUT_START);
		run_short(&sim, seed);
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_close(&sim);
	}
}

/* While all is to be rekeyed: the lifetime ends later than that. */
static void nothing_to_rekey_with(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		sim_open(&sim, seed);
		sim.ike_lifetime = sim.child_lifetime = IKE_SECONDS(600);
		sim.sides[0].pfs = sim.sides[1].pfs = seed & 4;
		sim_start_both(&sim);
		sim_run(&sim, IKE_SECONDS(460));
		sim.check_flow = true;
		run_short(&sim, seed);
		sim_assert(&sim, sim.sides[seed & 1].failures == 0);
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_run(&sim, IKE_SECONDS(600));
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_close(&sim);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_begin_with),
		cmocka_unit_test(nothing_to_rekey_with),
	};

	sim_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
