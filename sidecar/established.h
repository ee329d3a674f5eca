/*
 * BGP connections that are up now, and with whom: what a start would cut.
 * Read from the kernel by NETLINK_SOCK_DIAG, in the caller's network
 * namespace.
 */
#ifndef SIDECAR_ESTABLISHED_H
#define SIDECAR_ESTABLISHED_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Look at every established TCP connection that has port 179 on either end, and
 * report (ports in host order; `report` may be NULL) those that `matches`.
 * *ret_count is their number. An IPv4 connection of an IPv6 socket counts as
 * what it is. Returns 0 or -errno: -ENOENT where the kernel has no TCP
 * diagnosis (CONFIG_INET_TCP_DIAG), so that nobody takes "cannot see" for
 * "there are none".
 */
int established_find(bool (*matches)(void *ctx, const struct in6_addr *local,
				     const struct in6_addr *remote),
		     void (*report)(void *ctx, const struct in6_addr *local,
				    const struct in6_addr *remote,
				    uint16_t local_port, uint16_t remote_port),
		     void *ctx, size_t *ret_count);

#endif
