/*
 * SPD entries of a pair that the user plane carries: the lock behind the
 * classifier. A template would ask for ESP of the kernel's, so there is none:
 * inbound, TCP/179 of the pair is allowed under the mark that the classifier
 * gives to what comes out of the TUN device, and blocked without; outbound it
 * is allowed, before the entry that blocks other addresses, because routing
 * leads it into the TUN device or nowhere (user_route.h).
 *
 * Why so: an entry's interface is compared with nothing useful inbound (with
 * the loopback interface) nor outbound in IPv6 (with none); tried on 6.18.
 */
#ifndef SIDECAR_USER_POLICY_H
#define SIDECAR_USER_POLICY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "bpf/classifier.h"
#include "sidecar/netlink.h"
#include "sidecar/plane.h"

enum user_policy_priority {
	USER_POLICY_ALLOW = 17899,	/* before xfrm.h's */
	USER_POLICY_BLOCK = 17900
};

/* Install all entries of a pair, or what is missing of them. 0 or -errno;
 * -EEXIST if another entry has the place. */
int user_policy_set(struct netlink *netlink, const struct plane_pair *pair);
/* Make the kernel look up anew the way of each connection of the pair's family,
 * by installing an entry that stands once more. 0 or -errno. An IPv6 socket
 * keeps the route that it has found, although a new one in a table before that
 * one's (or, in older kernels, a new rule) leads elsewhere. */
int user_policy_reroute(struct netlink *netlink, const struct plane_pair *pair);
/* Remove them; 0 also if there are none. */
int user_policy_delete(struct netlink *netlink, const struct plane_pair *pair);
/* The pairs that have such entries: 0 and an array to free, or -errno. */
int user_policy_list(struct netlink *netlink, struct plane_pair **ret_pairs,
		     size_t *ret_count);

#endif
