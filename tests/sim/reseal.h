/* A message of a side, opened, changed payload by payload and sealed anew: what
 * a peer would send that differs from ours in just that. */
#ifndef TESTS_SIM_RESEAL_H
#define TESTS_SIM_RESEAL_H

#include "tests/sim/sim.h"

/* Write one payload of the chain: as it is (reseal_copy), changed, or not. */
typedef void reseal_payload(struct writer *inner, uint8_t type,
			    struct ike_bytes body);
reseal_payload reseal_copy;

/* Deliver a message that side `from` has sent under `sa`, resealed. */
void reseal_deliver(struct sim *sim, struct sa *sa, int from,
		    struct ike_bytes bytes, reseal_payload *payload);

#endif
