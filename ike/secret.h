/* The one type that secrets live in: copied by assignment, wiped by name. Its
 * wide form is for results of key exchanges only, which live on the stack. */
#ifndef IKE_SECRET_H
#define IKE_SECRET_H

#include <openssl/crypto.h>
#include <stddef.h>
#include <stdint.h>

enum { SECRET_MAX = 128, SECRET_WIDE_MAX = 512 };

struct secret {
	uint8_t bytes[SECRET_MAX];
	size_t len;
};

struct secret_wide {
	uint8_t bytes[SECRET_WIDE_MAX];
	size_t len;
};

/* Overwrite in a way that the compiler keeps. */
static inline void secret_wipe(struct secret *secret)
{
	OPENSSL_cleanse(secret, sizeof(*secret));
}

static inline void secret_wide_wipe(struct secret_wide *secret)
{
	OPENSSL_cleanse(secret, sizeof(*secret));
}

#endif
