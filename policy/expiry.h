/* How near the end of a certificate or CRL is: early enough to be told of. */
#ifndef POLICY_EXPIRY_H
#define POLICY_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* From when to when something is valid. */
struct policy_span {
	time_t from, until;
};

enum policy_expiry {
	POLICY_FAR,
	POLICY_SOON,	/* within 30 days, and the last quarter of its life */
	POLICY_NEAR,	/* within 7 days, and the last eighth */
	POLICY_PAST
};

enum policy_expiry policy_expiry_of(const struct policy_span *span, time_t now);

/*
 * A phrase about it: "expires in 12 days, on 2026-01-27 08:00:00 UTC", or
 * "expired on ...". False, and ret_text untouched, if it is far.
 */
bool policy_expiry_text(const struct policy_span *span, time_t now,
			char *ret_text, size_t size);

#endif
