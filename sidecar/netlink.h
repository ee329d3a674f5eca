/*
 * One netlink conversation at a time: a request, and what the kernel answers
 * until it has acknowledged the request or ended the dump. Framing by libmnl.
 * Requests and answers may hold keys (the kernel shows them in a dump of the
 * SAD): buffers in here are wiped before they are left.
 */
#ifndef SIDECAR_NETLINK_H
#define SIDECAR_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

enum netlink_limits {
	NETLINK_REQUEST_SIZE = 2048,	/* bytes, the largest we build */
	NETLINK_REPLY_SIZE = 32768,	/* bytes, the largest dump part */
	NETLINK_TIMEOUT_S = 10,		/* the kernel answers at once */
	NETLINK_DUMP_ATTEMPTS = 8	/* of a dump that changed under way */
};

struct netlink;

/* The request being built. Wipe it after use if it held a key. */
union netlink_request {
	struct nlmsghdr header;
	uint8_t bytes[NETLINK_REQUEST_SIZE];
	uint64_t alignment;
};

/* Open a socket on a bus (NETLINK_XFRM, NETLINK_SOCK_DIAG, ...) in the
 * caller's network namespace. -errno, or 0 and *ret_netlink, which
 * netlink_close() releases. */
int netlink_open(int bus, struct netlink **ret_netlink);
void netlink_close(struct netlink *netlink);

/* Begin a request: header, and the fixed part that follows it (may be NULL).
 * Attributes are added by mnl_attr_put_check(). NLM_F_REQUEST is implied. */
struct nlmsghdr *netlink_begin(union netlink_request *request, uint16_t type,
			       uint16_t flags, const void *fixed, size_t len);

/* Called for each message of an answer; the message is wiped afterwards. A
 * value other than 0 becomes the result of the call, after the rest of the
 * answer has been read and thrown away. */
typedef int netlink_each(void *ctx, const struct nlmsghdr *message);

/*
 * Send a request and read its whole answer. Returns 0, what `each` returned,
 * or -errno: the kernel's own error, -ETIMEDOUT, or -EINTR when the table
 * changed during a dump so that the answer may be incomplete (ask again).
 * `each` may be NULL. It must not use this socket.
 */
int netlink_call(struct netlink *netlink, struct nlmsghdr *request,
		 netlink_each *each, void *ctx);

#endif
