#include "sidecar/failure.h"

#include <stdio.h>
#include <string.h>

/* A clock that was set back does not silence the log. */
static bool long_ago(time_t then, time_t now)
{
	return now < then || now - then >= FAILURE_PAUSE_S;
}

/* The message is no measure of news: a peer can put anything into it. */
bool failure_note(struct failure *failure, time_t now, const char *reason,
		  const char *message)
{
	const bool news = strcmp(failure->reason, reason) != 0 ||
			  long_ago(failure->told, now);

	failure->count++;
	failure->last = now;
	snprintf(failure->reason, sizeof(failure->reason), "%s", reason);
	snprintf(failure->message, sizeof(failure->message), "%s", message);
	if (long_ago(failure->since, now)) {
		failure->since = now;
		failure->lines = 0;
	}
	if (!news || failure->lines == FAILURE_LINES)
		return false;
	failure->lines++;
	failure->told = now;
	return true;
}

void failure_clear(struct failure *failure)
{
	*failure = (struct failure){ .since = failure->since,
				     .lines = failure->lines };
}
