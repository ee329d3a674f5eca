/* SEED=n runs one seed only; SEEDS=n that many. TRACE=1 shows what happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/chaos.h"

enum { SEEDS = 10000 };

static void upheaval(void **state)
{
	(void)state;
	FOR_SEEDS(seed, SEEDS)
		chaos_upheaval(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(upheaval),
	};

	chaos_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
