/* wall_clock.c: what is a step, and what is drift. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sidecar/wall_clock.h"

enum { WALL = 1800000000, BOOT = 5000, DAY = 86400 };

static void test_steps(void **state)
{
	static const struct {
		time_t wall, since_boot;	/* after WALL and BOOT */
		bool stepped;
	} cases[] = {
		{ 0, 0, false },
		{ 60, 60, false },
		{ 60, 60 - WALL_CLOCK_STEP_S, false },
		{ 60, 60 - WALL_CLOCK_STEP_S - 1, true },
		{ 60, 60 + WALL_CLOCK_STEP_S, false },
		{ 60, 60 + WALL_CLOCK_STEP_S + 1, true },
		{ 60 + DAY, 60, true },
		{ 60 - DAY, 60, true },
		{ 60 - WALL, 60, true },
		/* suspended: both go on */
		{ DAY, DAY, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wall_clock clock = { .ahead = WALL - BOOT };

		assert_int_equal(wall_clock_stepped(&clock,
				 WALL + cases[i].wall,
				 BOOT + cases[i].since_boot),
				 cases[i].stepped);
	}
}

static void test_said_once(void **state)
{
	struct wall_clock clock = { .ahead = WALL - BOOT };

	(void)state;
	assert_true(wall_clock_stepped(&clock, WALL + DAY, BOOT));
	assert_false(wall_clock_stepped(&clock, WALL + DAY + 60, BOOT + 60));
	assert_true(wall_clock_stepped(&clock, WALL + 120, BOOT + 120));
}

/* What seconds of drift come to in the end is a step too. */
static void test_drift(void **state)
{
	struct wall_clock clock = { .ahead = WALL - BOOT };
	int steps = 0;

	(void)state;
	for (time_t i = 0; i <= 12; i++)
		if (wall_clock_stepped(&clock, WALL + 61 * i, BOOT + 60 * i))
			steps++;
	assert_int_equal(steps, 12 / (WALL_CLOCK_STEP_S + 1));
}

static void test_now(void **state)
{
	struct wall_clock clock = { .ahead = 0 };

	(void)state;
	assert_true(wall_clock_stepped_now(&clock));
	assert_false(wall_clock_stepped_now(&clock));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_said_once),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
