/*
 * Reports that an ESP packet of ours was too big for its path (RFC 1191,
 * RFC 8201), from the error queue of a raw socket.
 */
#ifndef SIDECAR_TOO_BIG_H
#define SIDECAR_TOO_BIG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct too_big {
	struct in6_addr peer;	/* where the packet was sent */
	uint32_t spi;		/* of the packet; 0: our own kernel found it */
	uint32_t mtu;		/* 0: a report of something else */
};

/* The next report of the error queue; false if there is none. */
bool too_big_read(int fd, struct too_big *ret_report);

#endif
