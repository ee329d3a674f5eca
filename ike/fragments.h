/*
 * The fragments of one message, until it is whole (RFC 7383 2.6). An IKE SA
 * has one set for each direction: with a window of one there is never a second
 * message to collect.
 */
#ifndef IKE_FRAGMENTS_H
#define IKE_FRAGMENTS_H

#include "ike/payload.h"

struct fragments {
	uint32_t id;			/* of the message */
	uint16_t total, count;
	uint8_t first;			/* type, told by fragment 1 */
	size_t len;			/* of all parts together */
	struct ike_time until;		/* the caller's: when to give up */
	struct fragments_part {
		uint8_t *plaintext;
		size_t len;
	} parts[IKE_MAX_FRAGMENTS];
};

/*
 * Is this fragment worth opening? IKE_REASON_NONE; IKE_REASON_RETRANSMISSION
 * if it is there already; IKE_REASON_FRAGMENT if the message is being collected
 * in more fragments than it claims. `set` may be NULL: nothing is there yet.
 */
MUST_CHECK enum ike_reason
fragments_check(const struct fragments *set, uint32_t id,
		const struct payloads *outer);

/*
 * Keep an authentic one that has passed fragments_check(). *set is made, with
 * `until`, if it is NULL; and anew for another message, or for more fragments
 * than before. It owns `plaintext` (message_open()) from now on, whatever is
 * returned: IKE_REASON_NONE, or IKE_REASON_NO_MEMORY, or IKE_REASON_FRAGMENT
 * when the message gets longer than IKE_MAX_MESSAGE; then *set is NULL.
 */
MUST_CHECK enum ike_reason
fragments_add(struct fragments **set, uint32_t id,
	      const struct payloads *outer, struct ike_time until,
	      uint8_t *plaintext, size_t len);

/*
 * The whole message: type of its first payload, octets as from message_open().
 * False if some are missing, or when out of memory.
 */
MUST_CHECK bool
fragments_join(const struct fragments *set, uint8_t *ret_first,
	       uint8_t **ret_plaintext, size_t *ret_len);

/* Wipes. NULL is legal. */
void fragments_free(struct fragments *set);

#endif
