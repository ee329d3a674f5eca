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
 * Look at every established TCP connection that has port 179 on either end
 * and one of `locals` as its local address, and report (ports in host order;
 * `report` may be NULL) those whose remote end is no peer by `is_peer`.
 * *ret_count is their number. An IPv4 connection of an IPv6 socket counts as
 * what it is. Returns 0 or -errno: -ENOENT where the kernel has no TCP
 * diagnosis (CONFIG_INET_TCP_DIAG), so that nobody takes "cannot see" for
 * "there are none".
 */
int established_strangers(const struct in6_addr *locals, size_t n_locals,
			  bool (*is_peer)(void *ctx,
					  const struct in6_addr *remote),
			  void *ctx,
			  void (*report)(void *ctx,
					 const struct in6_addr *local,
					 const struct in6_addr *remote,
					 uint16_t local_port,
					 uint16_t remote_port),
			  size_t *ret_count);

#endif
