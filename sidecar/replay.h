/*
 * The anti-replay window of one inbound SA (RFC 4303 3.4.3 and Appendix A),
 * with or without extended sequence numbers. Two steps, so that a packet that
 * is not authentic moves nothing: replay_check() before the ICV is verified,
 * replay_commit() after. Pure: no clock, no allocation.
 */
#ifndef SIDECAR_REPLAY_H
#define SIDECAR_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum replay_limits {
	REPLAY_WINDOW = 1024,		/* packets, multiple of 64 */
	REPLAY_WORDS = REPLAY_WINDOW / 64
};

struct replay {
	uint64_t highest;	/* T of the RFC: highest number authenticated */
	bool esn;
	uint64_t seen[REPLAY_WORDS];	/* ring, by number modulo the window */
};

void replay_init(struct replay *replay, bool esn);

/*
 * May a packet with this number in its header be new? If so its full number
 * (with ESN, the high half is inferred, RFC 4303 A2.2), which the ICV has yet
 * to confirm. False for 0, for what is left of the window, and for what was
 * seen.
 */
bool replay_check(const struct replay *replay, uint32_t low,
		  uint64_t *ret_sequence);

/* The packet with this number is authentic: it may not come again. */
void replay_commit(struct replay *replay, uint64_t sequence);

#endif
