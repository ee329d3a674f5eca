/* The pre-shared key of one peer, or its post-quantum preshared key (PPK, RFC
 * 8784), as read from its file. */
#ifndef POLICY_SECRET_H
#define POLICY_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	POLICY_MIN_SECRET = 16,		/* bytes; shorter ones are refused */
	POLICY_GOOD_SECRET = 32,	/* below, there is a warning */
	POLICY_MIN_PPK = 32,
	POLICY_MAX_SECRET = 256
};

struct policy_secret {
	uint8_t bytes[POLICY_MAX_SECRET];
	size_t len;
};

/*
 * Read a file ("secret file", "ppk file") of mode 0600, owned by root or us:
 * the key is its only line, without the newline, as it stands, of at least
 * `min` bytes. NULL with a sentence in ret_why that does not quote it.
 * policy_secret_free() wipes and releases.
 */
struct policy_secret *policy_secret_read(const char *file, const char *what,
					 size_t min, char *ret_why,
					 size_t why_size);
/* NULL is legal. */
void policy_secret_free(struct policy_secret *secret);

/* In constant time; two NULLs are equal. */
bool policy_secret_equal(const struct policy_secret *a,
			 const struct policy_secret *b);

#endif
