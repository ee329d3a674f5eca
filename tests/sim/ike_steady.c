/* SEED=n runs one seed only; SEEDS=n that many. TRACE=1 shows what happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/chaos.h"

enum { SEEDS = 10000 };

static void steady(void **state)
{
	(void)state;
	FOR_SEEDS(seed, SEEDS)
		chaos_steady(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steady),
	};

	chaos_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
