#include "sidecar/replay.h"

#include <string.h>

void replay_init(struct replay *replay, bool esn)
{
	memset(replay, 0, sizeof(*replay));
	replay->esn = esn;
}

/*
 * RFC 4303 A2.2. The window ends at `highest`, and either lies in one subspace
 * of 2^32 numbers (case A) or reaches back into the one before (case B). What
 * the number would be if it were inside the window or right of it; false if
 * it would lie before the first of all numbers.
 */
static bool infer(const struct replay *replay, uint32_t low,
		  uint64_t *ret_sequence)
{
	const uint32_t top = (uint32_t)replay->highest;
	const uint32_t bottom = top - REPLAY_WINDOW + 1;
	uint64_t high = replay->highest >> 32;

	if (!replay->esn) {
		*ret_sequence = low;
		return true;
	}
	if (top >= REPLAY_WINDOW - 1) {
		if (low < bottom)
			high++;
	} else if (low >= bottom) {
		if (high == 0)
			return false;
		high--;
	}
	if (high > UINT32_MAX)
		return false;
	*ret_sequence = high << 32 | low;
	return true;
}

static uint64_t bit(uint64_t sequence)
{
	return UINT64_C(1) << sequence % 64;
}

static unsigned word(uint64_t sequence)
{
	return sequence / 64 % REPLAY_WORDS;
}

bool replay_check(const struct replay *replay, uint32_t low,
		  uint64_t *ret_sequence)
{
	uint64_t sequence;

	if (!infer(replay, low, &sequence) || sequence == 0)
		return false;
	if (sequence <= replay->highest) {
		if (replay->highest - sequence >= REPLAY_WINDOW)
			return false;
		if (replay->seen[word(sequence)] & bit(sequence))
			return false;
	}
	*ret_sequence = sequence;
	return true;
}

/* Forget the numbers that the slots of (highest, sequence] stood for. */
static void advance(struct replay *replay, uint64_t sequence)
{
	if (sequence - replay->highest >= REPLAY_WINDOW) {
		memset(replay->seen, 0, sizeof(replay->seen));
		replay->highest = sequence;
		return;
	}
	while (replay->highest < sequence) {
		replay->highest++;
		replay->seen[word(replay->highest)] &= ~bit(replay->highest);
	}
}

void replay_commit(struct replay *replay, uint64_t sequence)
{
	if (sequence > replay->highest)
		advance(replay, sequence);
	replay->seen[word(sequence)] |= bit(sequence);
}
