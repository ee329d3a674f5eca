/*
 * The packet inside: TCP on an IP header without options or extension headers,
 * which is all that a host sends for TCP unless it is told otherwise.
 */
#ifndef SIDECAR_INNER_H
#define SIDECAR_INNER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/plane.h"

enum inner_limits {
	INNER_IPV4_LEN = 20,		/* bytes */
	INNER_IPV6_LEN = 40,
	INNER_TCP_MIN = 20,
	INNER_TCP_MAX = 60,
	INNER_HEADER_MAX = INNER_IPV6_LEN + INNER_TCP_MAX,
	INNER_BGP_PORT = 179
};

/* Offsets in a TCP header (RFC 9293 3.1). */
enum inner_tcp {
	INNER_TCP_SEQUENCE = 4,
	INNER_TCP_OFFSET = 12,
	INNER_TCP_FLAGS = 13,
	INNER_TCP_CHECKSUM = 16
};

enum inner_tcp_flag {
	INNER_FIN = 0x01,
	INNER_SYN = 0x02,
	INNER_RST = 0x04,
	INNER_PSH = 0x08,
	INNER_ACK = 0x10,
	INNER_CWR = 0x80
};

uint16_t inner_get_u16(const uint8_t *from);
uint32_t inner_get_u32(const uint8_t *from);
void inner_put_u16(uint8_t *to, uint16_t value);
void inner_put_u32(uint8_t *to, uint32_t value);

/* A TCP header in the first of `len` bytes. */
struct inner_tcp_header {
	uint16_t source, destination;	/* ports */
	size_t len;			/* of the header */
};

bool inner_read_tcp(const uint8_t *tcp, size_t len,
		    struct inner_tcp_header *ret_header);

struct inner {
	struct in6_addr source, destination;
	size_t ip_len;			/* of the IP header */
	struct inner_tcp_header tcp;
	size_t payload_len;
};

/* Read a whole packet; false for what is no TCP, for a fragment, for options
 * or extension headers, and where lengths do not fit. `gso`: the length in the
 * IP header may be less than `len`, the packet being still uncut. */
bool inner_read(const uint8_t *packet, size_t len, bool gso,
		struct inner *ret_inner);

/* Is it one that an SA of this kind may carry? */
bool inner_fits(enum plane_kind kind, uint16_t local_port, uint16_t peer_port);

#endif
