/* The list of interfaces, by libmnl. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "sidecar/links.h"

enum {
	DUMP_TRIES = 8,		/* of a list that changes while it is read */
	READ_MAX = 64,		/* datagrams in one links_read() */
	BUFFER_SIZE = 32768	/* what the kernel fills at most in a dump */
};

/* An interface that was told of. */
struct link {
	unsigned ifindex;
	char name[IFNAMSIZ];
	unsigned round;		/* of the dump that saw it last */
	UT_hash_handle hh;
};

struct links {
	struct mnl_socket *socket;
	void (*changed)(void *ctx, unsigned ifindex, const char *name,
			bool present);
	void *ctx;
	struct link *known;
	unsigned round;
	bool dumping;
	int error;		/* of a callback, which cannot return it */
};

/* ------------------------------------------------------------ what is known */

static void remember(struct links *links, unsigned ifindex, const char *name)
{
	struct link *link;
	bool fresh;

	HASH_FIND(hh, links->known, &ifindex, sizeof(ifindex), link);
	fresh = !link;
	if (fresh) {
		link = calloc(1, sizeof(*link));
		/* Not known, but told: it needs its classifier. */
		if (!link) {
			links->error = -ENOMEM;
			links->changed(links->ctx, ifindex, name, true);
			return;
		}
		link->ifindex = ifindex;
		HASH_ADD(hh, links->known, ifindex, sizeof(ifindex), link);
	}
	link->round = links->round;
	/* Most messages tell of a flag or a counter. A dump tells all: what
	 * happened meanwhile (gone, and another under its number) is lost. */
	if (!fresh && !links->dumping && strcmp(link->name, name) == 0)
		return;
	strncpy(link->name, name, sizeof(link->name) - 1);
	links->changed(links->ctx, ifindex, link->name, true);
}

static void forget(struct links *links, struct link *link)
{
	HASH_DEL(links->known, link);
	links->changed(links->ctx, link->ifindex, link->name, false);
	free(link);
}

static void forget_ifindex(struct links *links, unsigned ifindex)
{
	struct link *link;

	HASH_FIND(hh, links->known, &ifindex, sizeof(ifindex), link);
	if (link)
		forget(links, link);
}

/* ----------------------------------------------------------------- messages */

/* IFLA_IFNAME, or NULL. */
static const char *name_of(const struct nlmsghdr *message)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) != IFLA_IFNAME)
			continue;
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 ||
		    mnl_attr_get_payload_len(attr) > IFNAMSIZ)
			return NULL;
		return mnl_attr_get_str(attr);
	}
	return NULL;
}

static int on_message(const struct nlmsghdr *message, void *data)
{
	struct links *links = data;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const char *name;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return MNL_CB_OK;
	/* A bridge tells of its ports as AF_BRIDGE: RTM_DELLINK is then a
	 * port that leaves the bridge, not an interface that is gone. */
	if (info->ifi_family != AF_UNSPEC || info->ifi_index <= 0 ||
	    info->ifi_type == ARPHRD_LOOPBACK)
		return MNL_CB_OK;
	name = name_of(message);
	if (message->nlmsg_type == RTM_DELLINK)
		forget_ifindex(links, (unsigned)info->ifi_index);
	else if (message->nlmsg_type == RTM_NEWLINK)
		remember(links, (unsigned)info->ifi_index, name ? name : "?");
	return MNL_CB_OK;
}

/* --------------------------------------------------------------------- dump */

static int request_dump(struct mnl_socket *socket)
{
	char buffer[128] __attribute__((aligned(MNL_ALIGNTO)));
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;

	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = 1;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	return mnl_socket_sendto(socket, message, message->nlmsg_len) < 0 ?
	       -errno : 0;
}

/* One complete list. -EINTR: it changed meanwhile. */
static int dump_once(struct links *links)
{
	/* A socket of its own: answers do not mix with notifications. */
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE,
						     SOCK_CLOEXEC);
	char buffer[BUFFER_SIZE]
		__attribute__((aligned(MNL_ALIGNTO)));
	int err = -ENOMEM;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		goto done;
	}
	err = request_dump(socket);
	while (!err) {
		ssize_t len = mnl_socket_recvfrom(socket, buffer,
						  sizeof(buffer));
		int more;

		if (len < 0) {
			err = -errno;
			break;
		}
		more = mnl_cb_run(buffer, (size_t)len, 1,
				  mnl_socket_get_portid(socket), on_message,
				  links);
		if (more < 0)
			err = -errno;
		if (more <= MNL_CB_STOP)
			break;
	}
done:
	mnl_socket_close(socket);
	return err;
}

static void sweep(struct links *links)
{
	struct link *link, *next;

	HASH_ITER(hh, links->known, link, next)
		if (link->round != links->round)
			forget(links, link);
}

int links_dump(struct links *links)
{
	int err = -EINTR;

	links->round++;
	links->error = 0;
	links->dumping = true;
	for (int i = 0; i < DUMP_TRIES && err == -EINTR; i++)
		err = dump_once(links);
	links->dumping = false;
	if (err)
		return err;
	sweep(links);
	return links->error;
}

/* ------------------------------------------------------------ notifications */

int links_open(struct links **ret_links,
	       void (*changed)(void *ctx, unsigned ifindex, const char *name,
			       bool present),
	       void *ctx)
{
	struct links *links = calloc(1, sizeof(*links));
	int err;

	if (!links)
		return -ENOMEM;
	links->changed = changed;
	links->ctx = ctx;
	links->socket = mnl_socket_open2(NETLINK_ROUTE,
					 SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!links->socket ||
	    mnl_socket_bind(links->socket, RTMGRP_LINK,
			    MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		links_close(links);
		return err;
	}
	*ret_links = links;
	return 0;
}

void links_close(struct links *links)
{
	struct link *link, *next;

	if (!links)
		return;
	HASH_ITER(hh, links->known, link, next) {
		HASH_DEL(links->known, link);
		free(link);
	}
	if (links->socket)
		mnl_socket_close(links->socket);
	free(links);
}

int links_fd(const struct links *links)
{
	return mnl_socket_get_fd(links->socket);
}

int links_read(struct links *links)
{
	char buffer[BUFFER_SIZE]
		__attribute__((aligned(MNL_ALIGNTO)));

	links->error = 0;
	/* What is left after READ_MAX makes the descriptor readable again. */
	for (int i = 0; i < READ_MAX; i++) {
		ssize_t len = mnl_socket_recvfrom(links->socket, buffer,
						  sizeof(buffer));

		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (len < 0 && (errno == ENOBUFS || errno == ENOSPC))
			return links_dump(links);
		if (len < 0)
			return -errno;
		if (mnl_cb_run(buffer, (size_t)len, 0, 0, on_message, links) < 0)
			return -errno;
	}
	return links->error;
}
