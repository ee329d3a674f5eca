/* replay.c: the window of RFC 4303 Appendix A, against a model that remembers
 * every number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "sidecar/replay.h"

static bool take(struct replay *replay, uint64_t sequence)
{
	uint64_t found;

	if (!replay_check(replay, (uint32_t)sequence, &found))
		return false;
	if (found != sequence)
		return false;	/* its ICV would be wrong */
	replay_commit(replay, found);
	return true;
}

static void test_window(void **state)
{
	static const struct {
		uint64_t sequence;
		bool taken;
	} steps[] = {
		{ 0, false }, { 1, true }, { 1, false }, { 3, true },
		{ 2, true }, { 2, false }, { 1024, true }, { 1, false },
		{ 4, true }, { 1025, true }, { 2049, true }, { 1025, false },
		{ 1026, true }, { 1026, false }, { 2048, true },
		{ 5000, true }, { 3976, false }, { 3977, true },
		{ 4999, true }, { 5000, false },
	};

	(void)state;
	for (int esn = 0; esn < 2; esn++) {
		struct replay replay;

		replay_init(&replay, esn);
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
			assert_int_equal(take(&replay, steps[i].sequence),
					 steps[i].taken);
	}
}

/* A check alone, as for a packet that proves forged, moves nothing. */
static void test_check_changes_nothing(void **state)
{
	struct replay replay;
	uint64_t sequence = 4711;

	(void)state;
	replay_init(&replay, true);
	assert_true(replay_check(&replay, 0xf0000000, &sequence));
	assert_int_equal(sequence, 0xf0000000);
	assert_int_equal(replay.highest, 0);
	assert_true(take(&replay, 1));
	sequence = 4711;
	assert_false(replay_check(&replay, 1, &sequence));
	assert_int_equal(sequence, 4711);
}

/* Where the window lies across a multiple of 2^32 (RFC 4303 A2.2, case B). */
static void test_subspaces(void **state)
{
	const uint64_t wrap = UINT64_C(1) << 32;
	struct replay replay;
	uint64_t found;

	(void)state;
	replay_init(&replay, true);
	assert_false(replay_check(&replay, UINT32_MAX, &found));
	replay.highest = wrap - 2;
	assert_true(take(&replay, wrap - 1));
	assert_true(take(&replay, wrap));
	assert_true(take(&replay, wrap + 500));
	assert_true(take(&replay, wrap - 500));
	assert_false(take(&replay, wrap - 500));
	assert_false(take(&replay, wrap - 1));
	assert_true(take(&replay, wrap + 499));
	assert_int_equal(replay.highest, wrap + 500);
	/* left of the window is taken for the next subspace: not authentic */
	assert_true(replay_check(&replay, (uint32_t)(wrap - 600), &found));
	assert_int_equal(found, 2 * wrap - 600);
}

static void test_without_esn_it_ends(void **state)
{
	struct replay replay;
	uint64_t found;

	(void)state;
	replay_init(&replay, false);
	assert_true(take(&replay, UINT32_MAX));
	assert_false(replay_check(&replay, 0, &found));
	assert_false(replay_check(&replay, 1, &found));
	assert_false(replay_check(&replay, UINT32_MAX, &found));
	assert_true(take(&replay, UINT32_MAX - 1));
}

static void test_last_number(void **state)
{
	struct replay replay;
	uint64_t found;

	(void)state;
	replay_init(&replay, true);
	replay.highest = UINT64_MAX - 1;
	assert_true(take(&replay, UINT64_MAX));
	assert_false(replay_check(&replay, 0, &found));
	assert_false(replay_check(&replay, UINT32_MAX, &found));
}

enum {
	MODEL_SPAN = 6000,
	MODEL_STEPS = 20000
};

/* Random numbers around a moving front, against a plain list. */
static void test_model(void **state)
{
	static bool seen[MODEL_SPAN];
	const uint64_t base = (UINT64_C(7) << 32) - MODEL_SPAN / 2;
	struct replay replay;
	uint64_t front = 0;

	(void)state;
	srandom(3);
	replay_init(&replay, true);
	replay.highest = base - 1;	/* nothing seen of the numbers there */
	for (int i = 0; i < MODEL_STEPS; i++) {
		uint64_t at = (front + (uint64_t)random() % 2200);
		bool fresh;

		at = at > 2000 ? at - 2000 : 0;
		if (at >= MODEL_SPAN)
			break;
		fresh = !seen[at] && base + at + REPLAY_WINDOW > replay.highest;
		assert_int_equal(take(&replay, base + at), fresh);
		seen[at] |= fresh;
		if (at > front)
			front = at;
	}
	assert_true(front > MODEL_SPAN / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_check_changes_nothing),
		cmocka_unit_test(test_subspaces),
		cmocka_unit_test(test_without_esn_it_ends),
		cmocka_unit_test(test_last_number),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
