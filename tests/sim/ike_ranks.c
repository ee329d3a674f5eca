/*
 * Two IKE SAs that the sides rank differently: where messages are lost, each
 * side has its own view of which began before the other was complete.
 *
 *	a	b
 *	|==old=========|	in use, and first to b
 *	|==new=========|	first to a; b waits with its outbound SA
 *	|--DELETE old->|	and has nothing else from here on
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { SEEDS = 20 };

static int side_a;
static uint64_t old_spi;
static bool swapped;

static struct sa *find(struct ike *ike, bool old)
{
	for (struct sa *sa = ike->sas; sa; sa = sa->next)
		if ((sa_spi_i(sa) == old_spi) == old &&
		    (sa->state == SA_ESTABLISHED || sa->state == SA_REPLACED))
			return sa;
	return NULL;
}

/* As settle_two() would have it if it saw them overlap. */
static void swap_ranks(struct ike *ike)
{
	struct sa *old = find(ike, true), *new = find(ike, false);
	uint64_t order;

	assert_true(old && new && new->order > old->order);
	assert_int_equal(new->state, SA_ESTABLISHED);
	order = old->order;
	old->order = new->order;
	new->order = order;
	old->state = SA_ESTABLISHED;
	old->superseded = false;
	new->state = SA_REPLACED;
	new->superseded = true;
	new->replaced_at = time_add(ike->now, REPLACED_WAIT);
	swapped = true;
}

/* What would tell b that a has all of the new one is lost. */
static bool quiet(struct sim *sim, int from, const uint8_t *data, size_t len)
{
	uint64_t spi = 0;

	(void)len;
	for (size_t i = 0; i < 8; i++)
		spi = spi << 8 | data[i];
	if (data[18] != IKE_EXCHANGE_INFORMATIONAL)
		return true;
	if (from == side_a && spi == old_spi && !(data[19] & 0x20) && !swapped)
		swap_ranks(sim->sides[!side_a].ike);
	return spi == old_spi;
}

static void deleted_by_the_other_rank(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		side_a = (int)(seed & 1);
		swapped = false;
		sim_open(&sim, seed);
		sim.hold_time = IKE_NEVER;
		sim_start_both(&sim);
		sim_run(&sim, IKE_SECONDS(60));
		sim.check_flow = true;
		old_spi = sim.sides[0].info.spi_initiator;
		sim.tap = quiet;
		sa_best(sim.sides[side_a].ike)->reauth_at = sim.now;
		sim_run(&sim, IKE_SECONDS(2));
		sim_assert(&sim, swapped);
		sim_assert(&sim, !find(sim.sides[!side_a].ike, true));
		sim.tap = NULL;
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_close(&sim);
	}
}

/*
 *	a	b
 *	|==old=========|
 *	|==new=========|
 *	|--CREATE----->|	b waits with its outbound SA
 *	|  x--CHILD----|	each time
 *	| 15 s: no new |	a has given it up and is back at the old one,
 *	|              |	which b must not delete before it knows
 */
static bool deaf(struct sim *sim, int from, const uint8_t *data, size_t len)
{
	uint64_t spi = 0;

	(void)sim, (void)len;
	for (size_t i = 0; i < 8; i++)
		spi = spi << 8 | data[i];
	return from == side_a || spi == old_spi ||
		data[18] != IKE_EXCHANGE_CREATE_CHILD_SA;
}

static void given_up_by_one(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		side_a = (int)(seed & 1);
		sim_open(&sim, seed);
		sim.hold_time = IKE_NEVER;
		sim_start_both(&sim);
		sim_run(&sim, IKE_SECONDS(60));
		sim.check_flow = true;
		old_spi = sim.sides[0].info.spi_initiator;
		sim.tap = deaf;
		sa_best(sim.sides[side_a].ike)->reauth_at = sim.now;
		sim_run(&sim, IKE_SECONDS(2));
		sim_assert(&sim, find(sim.sides[0].ike, false) &&
			   find(sim.sides[1].ike, false));
		sim_run(&sim, IKE_SECONDS(40));
		sim_assert(&sim, find(sim.sides[0].ike, true) &&
			   find(sim.sides[1].ike, true));
		sim.tap = NULL;
		sim_run_settled(&sim, IKE_SECONDS(120));
		sim_close(&sim);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deleted_by_the_other_rank),
		cmocka_unit_test(given_up_by_one),
	};

	sim_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
