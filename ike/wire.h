/*
 * Bytes of the wire. A reader that leaves itself and its outputs untouched on
 * failure and whose result must be looked at; a writer with a sticky error,
 * whose payloads (RFC 7296 3.2) close themselves.
 */
#ifndef IKE_WIRE_H
#define IKE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/ike.h"

#define MUST_CHECK __attribute__((warn_unused_result))

struct reader {
	const uint8_t *at;
	size_t left;
};

struct reader reader_of(struct ike_bytes bytes);
MUST_CHECK bool read_u8(struct reader *reader, uint8_t *ret_value);
MUST_CHECK bool read_u16(struct reader *reader, uint16_t *ret_value);
MUST_CHECK bool read_u32(struct reader *reader, uint32_t *ret_value);
MUST_CHECK bool read_u64(struct reader *reader, uint64_t *ret_value);
/* A view of the next len bytes. */
MUST_CHECK bool read_bytes(struct reader *reader, size_t len,
			   struct ike_bytes *ret_bytes);
/* Copy the next len bytes. */
MUST_CHECK bool read_copy(struct reader *reader, void *ret_bytes, size_t len);
/* A view of all that is left; never fails. */
struct ike_bytes read_rest(struct reader *reader);

/* Compare two views; not for secrets. */
bool bytes_equal(struct ike_bytes a, struct ike_bytes b);

struct writer {
	uint8_t *base;
	size_t size, len;
	size_t next_at;		/* of the open payload: the next one's type */
	uint8_t first;		/* type of the first payload */
	bool failed;
};

/* Writes into a buffer of the caller's. */
struct writer writer_of(uint8_t *buffer, size_t size);
void write_u8(struct writer *writer, uint8_t value);
void write_u16(struct writer *writer, uint16_t value);
void write_u32(struct writer *writer, uint32_t value);
void write_u64(struct writer *writer, uint64_t value);
void write_bytes(struct writer *writer, const void *bytes, size_t len);
void write_view(struct writer *writer, struct ike_bytes bytes);
/* Set the 16 bits at an offset written before. */
void write_u16_at(struct writer *writer, size_t at, uint16_t value);
void write_u8_at(struct writer *writer, size_t at, uint8_t value);

/* Begin a payload: closes the one before (its length, its "next payload"). */
void write_payload(struct writer *writer, enum ike_payload_type type);
/* Close the last payload. False if anything did not fit. */
MUST_CHECK bool writer_finish(struct writer *writer);

#endif
