/* What the plane process does for a request: from struct to struct, no socket.
 * The request may be anything. */
#ifndef SIDECAR_USER_CALLS_H
#define SIDECAR_USER_CALLS_H

#include <stdint.h>

#include "sidecar/user_sad.h"
#include "sidecar/user_wire.h"

void user_calls_answer(struct user_sad *sad, const struct user_request *request,
		       uint64_t now, struct user_reply *ret_reply);

#endif
