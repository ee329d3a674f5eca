/* SEED=n runs one seed only; SEEDS=n that many. TRACE=1 shows what happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sim/chaos.h"

enum { SEEDS = 10000 };

static void steady(void **state)
{
	(void)state;
	FOR_SEEDS(seed, SEEDS)
		chaos_steady(seed);
}

/* A late answer under the older of two IKE SAs ended that one, when the peer
 * had not yet heard of its successor's Child SA. */
static void late_answer(void **state)
{
	(void)state;
	if (!getenv("SEED"))
		chaos_steady(60841);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_answer),
		cmocka_unit_test(steady),
	};

	chaos_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
