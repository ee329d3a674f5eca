/* failure.c: what is for the log, and what is only counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "sidecar/failure.h"

enum { NOW = 1800000000 };

static void test_same_reason(void **state)
{
	struct failure failure = { .count = 0 };

	(void)state;
	assert_true(failure_note(&failure, NOW, "wrong_as", "AS 64666"));
	for (int i = 1; i < FAILURE_PAUSE_S; i++)
		assert_false(failure_note(&failure, NOW + i, "wrong_as",
					  i % 2 ? "AS 64667" : "AS 64668"));
	assert_true(failure_note(&failure, NOW + FAILURE_PAUSE_S, "wrong_as",
				 "AS 64669"));
	assert_int_equal(failure.count, FAILURE_PAUSE_S + 1);
	assert_int_equal(failure.last, NOW + FAILURE_PAUSE_S);
	assert_string_equal(failure.message, "AS 64669");
}

static unsigned lines_of(struct failure *failure, time_t now, unsigned notes)
{
	unsigned lines = 0;
	char reason[16];

	for (unsigned i = 0; i < notes; i++) {
		snprintf(reason, sizeof(reason), "reason %u", i % 3);
		lines += failure_note(failure, now, reason, "anything");
	}
	return lines;
}

/* A reason that changes every time is news, and yet no reason to fill a disk;
 * nor is a peer in between who is what he should be. */
static void test_changing_reasons(void **state)
{
	struct failure failure = { .count = 0 };

	(void)state;
	assert_int_equal(lines_of(&failure, NOW, 3), 3);
	assert_int_equal(lines_of(&failure, NOW, 10000), FAILURE_LINES - 3);
	assert_int_equal(failure.count, 10003);
	failure_clear(&failure);
	assert_int_equal(failure.count, 0);
	assert_string_equal(failure.reason, "");
	assert_int_equal(lines_of(&failure, NOW + FAILURE_PAUSE_S - 1, 99), 0);
	assert_int_equal(lines_of(&failure, NOW + FAILURE_PAUSE_S, 9999),
			 FAILURE_LINES);
}

static void test_cleared(void **state)
{
	struct failure failure = { .count = 0 };

	(void)state;
	assert_true(failure_note(&failure, NOW, "bad_auth", "no"));
	failure_clear(&failure);
	assert_true(failure_note(&failure, NOW + 1, "bad_auth", "no"));
	assert_int_equal(failure.count, 1);
}

static void test_clock_set_back(void **state)
{
	struct failure failure = { .count = 0 };

	(void)state;
	assert_int_equal(lines_of(&failure, NOW, 99), FAILURE_LINES);
	assert_int_equal(lines_of(&failure, NOW - 86400, 99), FAILURE_LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_reason),
		cmocka_unit_test(test_changing_reasons),
		cmocka_unit_test(test_cleared),
		cmocka_unit_test(test_clock_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
