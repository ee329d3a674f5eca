#include "policy/expiry.h"

#include "policy/text.h"

enum {
	HOUR = 3600,
	DAY = 24 * HOUR,
	SOON = 30 * DAY,
	NEAR = 7 * DAY
};

/* The parts of its life: what is renewed every day anyway is no news a day
 * before its end. */
enum policy_expiry policy_expiry_of(const struct policy_span *span, time_t now)
{
	const time_t left = span->until - now;
	const time_t life = span->until - span->from;

	if (left <= 0)
		return POLICY_PAST;
	if (left < NEAR && left < life / 8)
		return POLICY_NEAR;
	return left < SOON && left < life / 4 ? POLICY_SOON : POLICY_FAR;
}

bool policy_expiry_text(const struct policy_span *span, time_t now,
			char *ret_text, size_t size)
{
	const long left = (long)(span->until - now);
	char end[TEXT_TIME_SIZE];

	text_time(span->until, end);
	switch (policy_expiry_of(span, now)) {
	case POLICY_FAR:
		return false;
	case POLICY_SOON:
	case POLICY_NEAR:
		if (left >= 2 * DAY)
			text_format(ret_text, size, "expires in %ld days, on "
				    "%s", left / DAY, end);
		else
			text_format(ret_text, size, "expires in %ld hours, on "
				    "%s", left / HOUR, end);
		return true;
	case POLICY_PAST:
		text_format(ret_text, size, "expired on %s", end);
		return true;
	}
	return false;
}
