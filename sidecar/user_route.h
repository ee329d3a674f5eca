/*
 * Routing of pairs that the user plane carries. Two rules per local address
 * (from it, TCP, port 179 at either end, of this machine's own making) lead to
 * a table of ours, where each peer has a route into the TUN device, and behind
 * it an unreachable one: should the device go, BGP goes nowhere. Two more rules
 * behind them lead to a second table, where each peer is unreachable: should
 * somebody empty the first one, BGP does not fall through to the main table.
 * (An action "unreachable" in the rule itself would be for all peers.)
 */
#ifndef SIDECAR_USER_ROUTE_H
#define SIDECAR_USER_ROUTE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "sidecar/netlink.h"
#include "sidecar/plane.h"

enum user_route_numbers {
	USER_ROUTE_TABLE = 17900,
	USER_ROUTE_LAST_TABLE = 17901,
	/* of the rules: behind local, before others */
	USER_ROUTE_PRIORITY = 1,
	USER_ROUTE_LAST_PRIORITY = 2,
	USER_ROUTE_PROTOCOL = 179,	/* whose routes and rules they are */
	USER_ROUTE_MTU = 1500		/* bytes, where no route tells */
};

/* Bytes that the path to the peer takes, as the routing table knows it. */
size_t user_route_path_mtu(struct netlink *netlink,
			   const struct plane_pair *pair);

/* Lead a pair into the device with index `ifindex`, in packets of at most
 * `mtu` bytes: also if it is led there already, or, with `keep`, then by what
 * was said before. 0 or -errno; *ret_anew: there was no end to its way, and
 * connections may have found another one. */
int user_route_set(struct netlink *netlink, const struct plane_pair *pair,
		   unsigned ifindex, size_t mtu, bool keep, bool *ret_anew);
/* Remove the routes to a peer, or the rules of a local address. 0 also if
 * there are none. */
int user_route_delete_peer(struct netlink *netlink,
			   const struct in6_addr *peer);
int user_route_delete_local(struct netlink *netlink,
			    const struct in6_addr *local);

#endif
