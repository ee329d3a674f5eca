/* What the fuzz targets share: an input is read as a script of records, so
 * that one file can hold several messages. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/wire.h"
#include "tests/crypto.h"

/* libFuzzer's side of it */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stop as a crash: a finding, with a place. */
#define FUZZ_ASSERT(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#what); \
			abort(); \
		} \
	} while (0)

/* A copy in a block of exactly its size, so that the sanitizer sees every
 * octet read too far. free() it. */
static inline uint8_t *fuzz_exact(struct ike_bytes bytes)
{
	uint8_t *copy = malloc(bytes.len ? bytes.len : 1);

	FUZZ_ASSERT(copy);
	if (bytes.len)
		memcpy(copy, bytes.data, bytes.len);
	return copy;
}

/* The next record: a kind, a length of 16 bits, as many octets, or as many as
 * are left. */
static inline bool fuzz_record(struct reader *script, uint8_t *ret_kind,
			       struct ike_bytes *ret_body)
{
	uint16_t len;

	if (!read_u8(script, ret_kind) || !read_u16(script, &len))
		return false;
	if (!read_bytes(script, len, ret_body))
		*ret_body = read_rest(script);
	return true;
}

#endif
