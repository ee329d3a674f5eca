/* Authorizations that are decided anew while SAs rest on them: a CRL was
 * replaced, a trust anchor taken away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

static void open_with(struct sim *sim, uint64_t seed, struct ike_time valid_for)
{
	sim_open(sim, seed);
	sim->sides[0].valid_for = valid_for;
	sim_start_both(sim);
	sim_assert(sim, ike_rests_on(sim->sides[0].ike,
				     sim->sides[0].authorization));
}

static unsigned ends(const struct sim *sim)
{
	return sim->sides[0].failed[IKE_REASON_AUTHORIZATION_END];
}

/* Revoked: what rests on it is gone in the same call; the peer hears of it;
 * and once it is allowed again the pair comes back. */
static void withdrawn(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, 20) {
		open_with(&sim, seed, IKE_NEVER);
		sim_decide(&sim, 0, false, IKE_NEVER);
		sim_assert(&sim, sim.sides[0].sad_count == 0);
		sim_assert(&sim, sim.sides[0].state == IKE_CONNECTING);
		sim_assert(&sim, ends(&sim) == 1);
		sim_run(&sim, IKE_SECONDS(1));
		sim_assert(&sim, sim.sides[1].sad_count == 0);
		sim_run(&sim, IKE_SECONDS(100));
		sim_assert(&sim, sim.sides[0].sad_count == 0);
		sim_assert(&sim, !ike_rests_on(sim.sides[0].ike,
					       sim.sides[0].authorization));
		sim.sides[0].refuse = false;
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_close(&sim);
	}
}

/* A request that nothing rests on says nothing. */
static void unknown(void **state)
{
	struct sim sim;

	(void)state;
	open_with(&sim, 1, IKE_NEVER);
	sim.sides[0].authorization += 1000;
	sim_decide(&sim, 0, false, IKE_NEVER);
	sim_assert(&sim, sim.sides[0].sad_count == 4 && ends(&sim) == 0);
	sim_assert(&sim, !ike_rests_on(sim.sides[0].ike,
				       sim.sides[0].authorization));
	sim_close(&sim);
}

/* It inherits through rekeying, of both kinds. */
static void withdrawn_after_rekey(void **state)
{
	struct sim sim;

	(void)state;
	open_with(&sim, 1, IKE_NEVER);
	sim_run(&sim, (struct ike_time){ sim.ike_lifetime.us * 3 });
	sim_run_settled(&sim, IKE_SECONDS(60));
	sim_decide(&sim, 0, false, IKE_NEVER);
	sim_assert(&sim, sim.sides[0].sad_count == 0 && ends(&sim) == 1);
	sim_close(&sim);
}

/* The peer has died: its Child SAs stay, but not beyond their authorization. */
static void withdrawn_of_lost(void **state)
{
	struct sim sim;

	(void)state;
	open_with(&sim, 1, IKE_NEVER);
	sim.network.lose = 1000;
	sim_run(&sim, IKE_SECONDS(60));
	sim_assert(&sim, sim_sas(&sim, 0, SA_ESTABLISHED) == 0);
	sim_assert(&sim, sim.sides[0].sad_count == 4);
	sim_decide(&sim, 0, false, IKE_NEVER);
	sim_assert(&sim, sim.sides[0].sad_count == 0);
	sim_close(&sim);
}

/* A fresh CRL in time: not a moment without SAs. */
static void extended(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, 40) {
		open_with(&sim, seed, IKE_SECONDS(300));
		/* until then there is nothing better to be had */
		sim.sides[0].refuse = true;
		sim.check_flow = true;
		sim_run(&sim, IKE_SECONDS(seed % 4 ? 200 : 283));
		sim_assert(&sim, ends(&sim) == 0);
		sim.network.lose = (unsigned)(seed % 3 * 50);
		sim_decide(&sim, 0, true, IKE_SECONDS(3000));
		sim_run(&sim, IKE_SECONDS(2500));
		sim_assert(&sim, ends(&sim) == 0);
		sim_close(&sim);
	}
}

/* The one before had but seconds left when the SAs were made, too few to renew
 * them: now there is time, but not for the Child SAs in the SAD. */
static void extended_at_the_last(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, 20) {
		open_with(&sim, seed, IKE_SECONDS(18));
		sim.check_flow = true;
		sim_decide(&sim, 0, true, IKE_SECONDS(3000));
		sim_run(&sim, IKE_SECONDS(2500));
		sim_assert(&sim, ends(&sim) == 0);
		sim_close(&sim);
	}
}

/* A CRL that runs out sooner than the one before. */
static void shortened(void **state)
{
	struct sim sim;

	(void)state;
	open_with(&sim, 1, IKE_NEVER);
	sim_decide(&sim, 0, true, IKE_SECONDS(100));
	sim.sides[0].refuse = true;
	sim_run(&sim, IKE_SECONDS(99));
	sim_assert(&sim, sim.sides[0].sad_count == 4 && ends(&sim) == 0);
	sim_run(&sim, IKE_SECONDS(2));
	sim_assert(&sim, sim.sides[0].sad_count == 0 && ends(&sim) == 1);
	sim_close(&sim);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(withdrawn),
		cmocka_unit_test(unknown),
		cmocka_unit_test(withdrawn_after_rekey),
		cmocka_unit_test(withdrawn_of_lost),
		cmocka_unit_test(extended),
		cmocka_unit_test(extended_at_the_last),
		cmocka_unit_test(shortened),
	};

	sim_arguments(argc, argv);
	return cmocka_run_group_tests_name("ike_reconsider", tests, NULL, NULL);
}
