/* The algorithms that tests of ike/ use, made once. */
#ifndef TESTS_CRYPTO_H
#define TESTS_CRYPTO_H

#include <stdlib.h>

#include "ike/ike.h"

struct ike_crypto *test_crypto(void);

/* Weak: one for all files of a program. */
__attribute__((weak)) struct ike_crypto *test_crypto(void)
{
	static struct ike_crypto *crypto;

	if (!crypto)
		crypto = ike_crypto_new();
	if (!crypto)
		abort();
	return crypto;
}

#endif
