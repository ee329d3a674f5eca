/* Fragments as a peer would send them, and as none should: any numbers. */
#ifndef TESTS_SIM_FRAGMENT_H
#define TESTS_SIM_FRAGMENT_H

#include "tests/sim/engine.h"

struct fragment {
	uint8_t exchange;
	bool response;
	uint16_t number, total;
	uint8_t first;
	struct ike_bytes part;	/* of a chain of payloads */
};

/* Sealed for an IKE SA by its peer, under the message id that is due and a
 * `back` older one. Returns its length, 0 if it does not fit. */
size_t fragment_seal(const struct sa *sa, const struct fragment *fragment,
		     uint32_t back, uint8_t ret_bytes[IKE_MAX_MESSAGE]);

#endif
