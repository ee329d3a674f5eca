/* What the unit tests of ike/ share. */
#ifndef TESTS_UNIT_IKE_TEST_H
#define TESTS_UNIT_IKE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/ike.h"
#include "tests/crypto.h"

/* Octets of a string of hexadecimal digits. */
static inline size_t hex(const char *text, uint8_t *ret_bytes)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		unsigned value;

		assert_int_equal(sscanf(text + 2 * i, "%2x", &value), 1);
		ret_bytes[i] = (uint8_t)value;
	}
	return len;
}

#define assert_hex(bytes, text) \
	do { \
		uint8_t expected_[512]; \
		size_t len_ = hex(text, expected_); \
		assert_memory_equal(bytes, expected_, len_); \
	} while (0)

#define VIEW(array) ((struct ike_bytes){ (array), sizeof(array) })
#define TEXT(text) ((struct ike_bytes){ (const uint8_t *)(text), \
					sizeof(text) - 1 })

/* Run `each` on every truncation of bytes, in a block of exactly that size, so
 * that the sanitizer sees every octet read too far. */
static inline void
each_truncation(struct ike_bytes bytes, void (*each)(struct ike_bytes))
{
	for (size_t len = 0; len < bytes.len; len++) {
		uint8_t *copy = malloc(len ? len : 1);

		memcpy(copy, bytes.data, len);
		each((struct ike_bytes){ copy, len });
		free(copy);
	}
}

/* Run `each` on bytes with every single bit flipped. */
static inline void
each_flip(struct ike_bytes bytes, void (*each)(struct ike_bytes))
{
	uint8_t *copy = malloc(bytes.len);

	memcpy(copy, bytes.data, bytes.len);
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		each((struct ike_bytes){ copy, bytes.len });
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(copy);
}

#endif
