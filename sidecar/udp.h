/*
 * The UDP sockets of IKE: two per protected local address, ports 500 and 4500.
 * On the latter IKE carries the non-ESP marker (RFC 3948 2.2), which is added
 * and taken off here; a peer that knows MOBIKE moves there after IKE_SA_INIT,
 * NAT or not (RFC 4555 3.3). ESP in UDP there is the plane's (udp_share.h).
 */
#ifndef SIDECAR_UDP_H
#define SIDECAR_UDP_H

#include <event2/event.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum udp_limits {
	UDP_IKE_PORT = 500,
	UDP_IKE_NAT_PORT = 4500,
	UDP_MAX_DATAGRAM = 65535,
	UDP_BATCH = 32		/* datagrams read before others get a turn */
};

struct udp;

struct udp_datagram {
	struct in6_addr local, remote;
	uint16_t local_port, remote_port;
	const uint8_t *data;	/* without the non-ESP marker */
	size_t len;
};

/*
 * Bind both ports of `local`, and call `received` for each datagram. 0 and
 * *ret_udp, which udp_close() releases; or -errno.
 */
int udp_open(struct event_base *base, const struct in6_addr *local,
	     void (*received)(void *ctx, const struct udp_datagram *datagram),
	     void *ctx, struct udp **ret_udp);
void udp_close(struct udp *udp);

/* Send from one of the two ports. 0 or -errno; loss is IKE's to repair. */
int udp_send(const struct udp *udp, uint16_t local_port,
	     const struct in6_addr *remote, uint16_t remote_port,
	     const uint8_t *data, size_t len);

/* Keep a NAT before us from forgetting port 4500 (RFC 3948 2.3). */
int udp_keepalive(const struct udp *udp, const struct in6_addr *remote,
		  uint16_t remote_port);

#endif
