/*
 * The TUN device of the user plane. It is made by the daemon and outlives both
 * processes: with nobody at its other end it swallows what is routed into it.
 */
#ifndef SIDECAR_USER_DEVICE_H
#define SIDECAR_USER_DEVICE_H

#include "sidecar/netlink.h"

#define USER_DEVICE_NAME "bgpward0"

enum user_device_limits {
	USER_DEVICE_MTU = 65520		/* bytes; routes say what counts */
};

/* Make the device, or find it. 0 and its index, or -errno (-ENOTUNIQ:
 * another device has its name). */
int user_device_make(unsigned *ret_ifindex);
/* Bring it up, without addresses. */
int user_device_up(void);
/* By a NETLINK_ROUTE socket. 0 also if it is not there. */
int user_device_remove(struct netlink *route);
/* Its index, or 0. */
unsigned user_device_index(void);

/* The other end of the device, non-blocking: one read or write is one packet
 * with a struct virtio_net_hdr in front, uncut up to 64 KB. Non-negative
 * descriptor, or -errno. */
int user_device_open(void);

#endif
