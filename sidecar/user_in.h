/*
 * The way in: ESP from the sockets is looked up, checked and opened
 * (RFC 4303 3.4), its TCP header held against the SA's selectors (RFC 4301
 * 5.2), and written to the TUN device, joined where segments follow each
 * other. Each packet ends accepted, or counted under a reason.
 */
#ifndef SIDECAR_USER_IN_H
#define SIDECAR_USER_IN_H

#include <stdint.h>

#include "sidecar/user_socket.h"

enum user_in_limits {
	USER_IN_BATCH = 64,		/* packets in one system call */
	USER_IN_ROUNDS = 4,		/* batches before others may go */
	USER_IN_PACKET = 9728,		/* bytes; jumbo frames and more */
	USER_IN_UDP_BATCH = 8,		/* datagrams, each perhaps many joined */
	USER_IN_UDP = 65536		/* bytes */
};

struct user_in;

/* The descriptor stays the caller's. NULL when out of memory. */
struct user_in *user_in_new(struct user_sad *sad, int tun);
void user_in_free(struct user_in *in);

/* Take what is waiting in a raw socket of this family, or a good part. */
void user_in_run(struct user_in *in, int esp, int family, uint64_t now);
/* The same for a socket of ESP in UDP. */
void user_in_run_udp(struct user_in *in, const struct user_udp *udp,
		     uint64_t now);

#endif
