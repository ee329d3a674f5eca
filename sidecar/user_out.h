/*
 * The way out: what the kernel routes into the TUN device is cut, sealed and
 * sent as transport-mode ESP (RFC 4303 3.3), in batches.
 */
#ifndef SIDECAR_USER_OUT_H
#define SIDECAR_USER_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "sidecar/user_socket.h"

enum user_out_limits {
	USER_OUT_READS = 16,		/* of the TUN device before others have
					 * their turn */
	USER_OUT_PACKET = 65535 + 64	/* bytes */
};

struct user_out;

/* Descriptors and table stay the caller's. NULL when out of memory. */
struct user_out *user_out_new(struct user_sad *sad, int tun,
			      struct user_sockets *sockets);
void user_out_free(struct user_out *out);

/* Carry what is waiting in the TUN device, or a good part of it. False if the
 * device is gone. */
bool user_out_run(struct user_out *out, uint64_t now);

/* Read the error queue of a socket: paths that take less than we sent. */
void user_out_read_errors(struct user_out *out, int fd, uint64_t now);

#endif
