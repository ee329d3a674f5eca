/* Messages: the IKE header (RFC 7296 3.1), the SK payload (3.14), and SKF,
 * the payload of a fragment (RFC 7383 2.5). */
#ifndef IKE_MESSAGE_H
#define IKE_MESSAGE_H

#include "ike/crypto.h"
#include "ike/payload.h"

enum {
	MESSAGE_HEADER_SIZE = 28,
	/*
	 * Longest message that goes out whole where the peer takes fragments
	 * (RFC 7383 2.5.1): 1280 octets of IP, less the headers of IPv6 and
	 * UDP and the non-ESP marker. IPv4 has the same: paths of 576 octets
	 * between BGP routers are not worth a second set of datagrams, and
	 * there a router on the way may still cut it in two.
	 */
	MESSAGE_FRAGMENT_SIZE = 1280 - 40 - 8 - 4
};

struct message_header {
	uint64_t spi_i, spi_r;
	uint8_t first;		/* type of the first payload */
	uint8_t exchange;
	bool initiator;		/* sent by the IKE SA's initiator */
	bool response;
	uint32_t id;
};

/*
 * Parse the header; `bytes` must be as long as it says. IKE_REASON_NONE,
 * IKE_REASON_HEADER, or IKE_REASON_VERSION with *ret_header set for a major
 * version above 2.
 */
MUST_CHECK enum ike_reason
message_parse_header(struct ike_bytes bytes,
		     struct message_header *ret_header);

/* Write the header of a message in clear into an empty writer, payloads
 * follow; message_finish() completes it. */
void message_begin(struct writer *writer, const struct message_header *header);
MUST_CHECK bool message_finish(struct writer *writer);

/*
 * Write a whole message whose payloads (those of `inner`, finished) travel in
 * SK, sealed; or, if that were longer than `limit` octets, as many fragments
 * as it takes, one behind the other. `counter` must never repeat under a key:
 * it is advanced by one for each.
 */
MUST_CHECK bool
message_seal(struct writer *writer, const struct message_header *header,
	     const struct writer *inner,
	     const struct crypto_protection *protection, uint64_t *counter,
	     size_t limit);
/* The next of the messages that message_seal() wrote; false at the end. */
MUST_CHECK bool message_next(struct reader *messages,
			     struct ike_bytes *ret_message);

/*
 * Open the SK or SKF payload that message `bytes` ends with. `outer` are its
 * payloads outside. On success *ret_plaintext is allocated, ret_len octets of
 * payloads whose first type is outer->sk_first, or a fragment's part of them;
 * message_free_plaintext() wipes it.
 */
MUST_CHECK bool
message_open(struct ike_bytes bytes, const struct payloads *outer,
	     const struct crypto_protection *protection,
	     uint8_t **ret_plaintext, size_t *ret_len);
void message_free_plaintext(uint8_t *plaintext, size_t len);

#endif
