/*
 * What came out of a socket of the user plane: ESP packets, bare or in UDP
 * (RFC 3948), and the IP header that belongs before what is in them.
 */
#ifndef SIDECAR_USER_ARRIVAL_H
#define SIDECAR_USER_ARRIVAL_H

#include <stdbool.h>
#include <sys/socket.h>

#include "sidecar/inner.h"
#include "sidecar/user_socket.h"

enum user_arrival_limits {
	USER_ARRIVAL_CONTROL = 128	/* bytes, for all that is asked for */
};

struct user_arrival {
	struct plane_pair pair;		/* destination, source */
	uint16_t udp_local, udp_peer;	/* ports; 0: bare */
	uint8_t ip[INNER_IPV6_LEN];
	size_t ip_len;
	const uint8_t *esp;
	size_t esp_len;
	size_t size;			/* of each packet in `esp`, but for
					 * the last */
};

/* Read one message of `len` bytes from a raw socket; its name is a struct
 * sockaddr_in6, its buffer one piece. False for what is none. */
bool user_arrival_read_ipv4(const struct msghdr *message, size_t len,
			    struct user_arrival *ret_arrival);
bool user_arrival_read_ipv6(struct msghdr *message, size_t len,
			    struct user_arrival *ret_arrival);
/* The same for a UDP socket. False for IKE and for keepalives, too. */
bool user_arrival_read_udp(struct msghdr *message, size_t len,
			   const struct user_udp *udp,
			   struct user_arrival *ret_arrival);

#endif
