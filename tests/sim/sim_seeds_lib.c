/* Which seeds a run tries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 10) : otherwise;
}

uint64_t sim_first_seed(void)
{
	return number("SEED", 1);
}

uint64_t sim_last_seed(uint64_t usual)
{
	return getenv("SEED") ? sim_first_seed() : number("SEEDS", usual);
}

void sim_arguments(int argc, char **argv)
{
	static char pattern[64];

	if (argc < 2)
		return;
	snprintf(pattern, sizeof(pattern), "*%s*", argv[1]);
	cmocka_set_test_filter(pattern);
}
