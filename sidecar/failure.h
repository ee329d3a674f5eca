/*
 * The last reason why a pair did not come up, for status and for the log. A
 * stranger who has the peer's address can fail as often as he likes, and for a
 * different reason each time: he is counted, and the log stays short.
 */
#ifndef SIDECAR_FAILURE_H
#define SIDECAR_FAILURE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "policy/authorize.h"

enum failure_limits {
	FAILURE_PAUSE_S = 60,	/* between lines for the same reason */
	FAILURE_LINES = 8	/* in so long, of all reasons */
};

struct failure {
	char reason[40];	/* a name, such as wrong_as */
	char message[POLICY_TEXT_SIZE];
	uint64_t count;		/* in a row, of any reason */
	time_t last;
	time_t told;		/* in the log */
	time_t since;		/* when the first of `lines` was told */
	unsigned lines;
};

/* Note one more. True if it is for the log. */
bool failure_note(struct failure *failure, time_t now, const char *reason,
		  const char *message);
/* Nothing is wrong any more. */
void failure_clear(struct failure *failure);

#endif
