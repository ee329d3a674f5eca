#include "sidecar/established.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "policy/address.h"
#include "sidecar/netlink.h"

enum { BGP_PORT = 179 };

struct connection {
	struct in6_addr local, remote;
	uint16_t local_port, remote_port;
};

/* All of them on port 179, before anybody is asked about them: a dump that
 * was interrupted is begun again and must not have been reported. */
struct connections {
	struct connection *items;
	size_t count, room;
};

static bool read_address(uint8_t family, const __be32 bytes[4],
			 struct in6_addr *ret_address)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };

	if (family == AF_INET) {
		memcpy(&sin.sin_addr, bytes, sizeof(sin.sin_addr));
		return address_from_sockaddr((struct sockaddr *)&sin,
					     ret_address);
	}
	if (family != AF_INET6)
		return false;
	memcpy(&sin6.sin6_addr, bytes, sizeof(sin6.sin6_addr));
	return address_from_sockaddr((struct sockaddr *)&sin6, ret_address);
}

static bool read_connection(const struct nlmsghdr *message,
			    struct connection *ret_connection)
{
	struct connection connection;
	struct inet_diag_msg diag;

	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(diag))
		return false;
	memcpy(&diag, mnl_nlmsg_get_payload(message), sizeof(diag));
	connection.local_port = ntohs(diag.id.idiag_sport);
	connection.remote_port = ntohs(diag.id.idiag_dport);
	if (diag.idiag_state != TCP_ESTABLISHED ||
	    (connection.local_port != BGP_PORT &&
	     connection.remote_port != BGP_PORT))
		return false;
	if (!read_address(diag.idiag_family, diag.id.idiag_src,
			  &connection.local) ||
	    !read_address(diag.idiag_family, diag.id.idiag_dst,
			  &connection.remote))
		return false;
	*ret_connection = connection;
	return true;
}

static int collect(void *ctx, const struct nlmsghdr *message)
{
	struct connections *list = ctx;
	size_t room = list->room ? 2 * list->room : 16;
	struct connection connection, *items;

	if (!read_connection(message, &connection))
		return 0;
	if (list->count == list->room) {
		items = reallocarray(list->items, room, sizeof(*items));
		if (!items)
			return -ENOMEM;
		list->items = items;
		list->room = room;
	}
	list->items[list->count++] = connection;
	return 0;
}

/* Sockets of one family. An IPv6 socket that speaks IPv4 is among the IPv6
 * ones, with mapped addresses. */
static int dump(struct netlink *netlink, uint8_t family,
		struct connections *list)
{
	struct inet_diag_req_v2 wanted;
	union netlink_request request;
	size_t before = list->count;
	int err = -EINTR;

	memset(&wanted, 0, sizeof(wanted));
	wanted.sdiag_family = family;
	wanted.sdiag_protocol = IPPROTO_TCP;
	wanted.idiag_states = 1u << TCP_ESTABLISHED;
	for (int i = 0; err == -EINTR && i < NETLINK_DUMP_ATTEMPTS; i++) {
		list->count = before;
		err = netlink_call(netlink,
				   netlink_begin(&request, SOCK_DIAG_BY_FAMILY,
						 NLM_F_DUMP, &wanted,
						 sizeof(wanted)),
				   collect, list);
	}
	return err;
}

static int dump_all(struct connections *list)
{
	struct netlink *netlink;
	int err;

	err = netlink_open(NETLINK_SOCK_DIAG, &netlink);
	if (err)
		return err;
	err = dump(netlink, AF_INET, list);
	if (!err)
		err = dump(netlink, AF_INET6, list);
	netlink_close(netlink);
	return err;
}

int established_find(bool (*matches)(void *ctx, const struct in6_addr *local,
				     const struct in6_addr *remote),
		     void (*report)(void *ctx, const struct in6_addr *local,
				    const struct in6_addr *remote,
				    uint16_t local_port, uint16_t remote_port),
		     void *ctx, size_t *ret_count)
{
	struct connections list = { .items = NULL };
	size_t found = 0;
	int err;

	err = dump_all(&list);
	for (size_t i = 0; !err && i < list.count; i++) {
		const struct connection *connection = &list.items[i];

		if (!matches(ctx, &connection->local, &connection->remote))
			continue;
		found++;
		if (report)
			report(ctx, &connection->local, &connection->remote,
			       connection->local_port,
			       connection->remote_port);
	}
	free(list.items);
	if (!err)
		*ret_count = found;
	return err;
}
