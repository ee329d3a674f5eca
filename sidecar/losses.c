#include "sidecar/losses.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/filter.h>
#include <linux/netconf.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/clsact.h"
#include "sidecar/user_device.h"
#include "sidecar/user_route.h"
#include "sidecar/xfrm.h"

enum {
	BUFFER_SIZE = 32768
};

struct losses {
	struct mnl_socket *route, *xfrm;
};

/* ------------------------------------------------------------------ judge */

/* Of a rule or a route: their headers are of one length. */
static bool is_our_table(const struct nlmsghdr *message, uint16_t attribute)
{
	const struct nlattr *attr;
	uint32_t table;

	mnl_attr_for_each(attr, message, sizeof(struct rtmsg)) {
		if (mnl_attr_get_type(attr) != attribute ||
		    mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
			continue;
		table = mnl_attr_get_u32(attr);
		return table == USER_ROUTE_TABLE ||
		       table == USER_ROUTE_LAST_TABLE;
	}
	return false;
}

static bool is_our_device(const struct nlmsghdr *message)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct ifinfomsg))
		if (mnl_attr_get_type(attr) == IFLA_IFNAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return !strcmp(mnl_attr_get_str(attr),
				       USER_DEVICE_NAME);
	return false;
}

/* With the device down its routes are gone. */
static bool is_down(const struct nlmsghdr *message)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);

	return mnl_nlmsg_get_payload_len(message) >= sizeof(*link) &&
	       (message->nlmsg_type == RTM_DELLINK ||
		!(link->ifi_flags & IFF_UP));
}

/* Reverse path filtering that comes on asks for another rule (user_route.c). */
static bool filters_ours(const struct nlmsghdr *message)
{
	const int device = (int)user_device_index();
	const struct nlattr *attr;
	int ifindex = 0, filter = 0;

	mnl_attr_for_each(attr, message, sizeof(struct netconfmsg)) {
		if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
			continue;
		if (mnl_attr_get_type(attr) == NETCONFA_IFINDEX)
			ifindex = (int)mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == NETCONFA_RP_FILTER)
			filter = (int)mnl_attr_get_u32(attr);
	}
	return filter && device &&
	       (ifindex == NETCONFA_IFINDEX_ALL || ifindex == device);
}

/* A clsact takes the classifier with it when it goes, and so does a filter of
 * its priority (0: of any). What went with its interface is no loss. */
static bool is_classifier(const struct nlmsghdr *message)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	char name[IF_NAMESIZE];
	uint32_t priority;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*tc) ||
	    !if_indextoname((unsigned)tc->tcm_ifindex, name))
		return false;
	if (message->nlmsg_type == RTM_DELQDISC)
		return tc->tcm_parent == TC_H_CLSACT;
	priority = TC_H_MAJ(tc->tcm_info) >> 16;
	return TC_H_MAJ(tc->tcm_parent) == TC_H_MAJ(TC_H_CLSACT) &&
	       (priority == CLSACT_PRIORITY || priority == 0);
}

/* An entry that somebody named by its index says no more than that. */
static bool is_bgp(const struct nlmsghdr *message)
{
	struct xfrm_userpolicy_id id;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(id))
		return false;
	memcpy(&id, mnl_nlmsg_get_payload(message), sizeof(id));
	return id.index ||
	       (id.sel.proto == IPPROTO_TCP &&
		(id.sel.sport == htons(XFRM_BGP_PORT) ||
		 id.sel.dport == htons(XFRM_BGP_PORT)));
}

/* What has been found out; `more` if it is worse. */
static void find(enum loss *loss, enum loss more)
{
	if (more > *loss)
		*loss = more;
}

static int judge(const struct nlmsghdr *message, void *loss)
{
	switch (message->nlmsg_type) {
	case RTM_DELRULE:
		if (is_our_table(message, FRA_TABLE))
			find(loss, LOSS_POSSIBLE);
		break;
	case RTM_DELROUTE:
		if (is_our_table(message, RTA_TABLE))
			find(loss, LOSS_POSSIBLE);
		break;
	case RTM_NEWNETCONF:
		if (filters_ours(message))
			find(loss, LOSS_POSSIBLE);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (is_down(message) && is_our_device(message))
			find(loss, LOSS_POSSIBLE);
		break;
	case RTM_DELQDISC:
	case RTM_DELTFILTER:
		if (is_classifier(message))
			find(loss, LOSS_POSSIBLE);
		break;
	}
	return MNL_CB_OK;
}

static int judge_xfrm(const struct nlmsghdr *message, void *loss)
{
	switch (message->nlmsg_type) {
	case XFRM_MSG_FLUSHPOLICY:
	case XFRM_MSG_FLUSHSA:
		find(loss, LOSS_BY_OTHERS);
		break;
	case XFRM_MSG_DELPOLICY:
		if (is_bgp(message))
			find(loss, LOSS_POSSIBLE);
		break;
	}
	return MNL_CB_OK;
}

/* ------------------------------------------------------------------- read */

/* What the kernel had to throw away may have been of ours. */
static void read_all(struct mnl_socket *socket, mnl_cb_t each, enum loss *loss)
{
	char buffer[BUFFER_SIZE] __attribute__((aligned(MNL_ALIGNTO)));
	ssize_t len;

	for (;;) {
		len = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (len < 0 && (errno == ENOBUFS || errno == ENOSPC))
			find(loss, LOSS_POSSIBLE);
		else if (len < 0 && errno != EINTR)
			break;
		else if (len >= 0)
			mnl_cb_run(buffer, (size_t)len, 0, 0, each, loss);
	}
	/* an XFRM message may hold a key */
	explicit_bzero(buffer, sizeof(buffer));
}

enum loss losses_read(struct losses *losses)
{
	enum loss loss = LOSS_NONE;

	read_all(losses->route, judge, &loss);
	read_all(losses->xfrm, judge_xfrm, &loss);
	return loss;
}

/* ------------------------------------------------------------ open, close */

/*
 * A full BGP table that comes or goes would flood the socket: of routes the
 * kernel puts only those into it that go and have our protocol. A classic BPF
 * program sees what it loads in network byte order.
 */
static int filter_routes(struct mnl_socket *socket)
{
	enum {
		TYPE = offsetof(struct nlmsghdr, nlmsg_type),
		PROTOCOL = NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_protocol)
	};
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, USER_ROUTE_PROTOCOL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]), .filter = code
	};

	if (setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_ATTACH_FILTER,
		       &program, sizeof(program)) == -1)
		return -errno;
	return 0;
}

static int listen_to(int bus, const int *groups, size_t count,
		     struct mnl_socket **ret_socket)
{
	struct mnl_socket *socket =
		mnl_socket_open2(bus, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int group, err = 0;

	if (!socket)
		return -errno;
	if (bus == NETLINK_ROUTE)
		err = filter_routes(socket);
	if (!err && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		err = -errno;
	for (size_t i = 0; !err && i < count; i++) {
		group = groups[i];
		if (mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP,
					  &group, sizeof(group)) < 0)
			err = -errno;
	}
	if (err)
		mnl_socket_close(socket);
	else
		*ret_socket = socket;
	return err;
}

int losses_open(struct losses **ret_losses)
{
	static const int route[] = { RTNLGRP_LINK, RTNLGRP_IPV4_RULE,
				     RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_ROUTE,
				     RTNLGRP_IPV6_ROUTE,
				     RTNLGRP_IPV4_NETCONF, RTNLGRP_TC };
	static const int xfrm[] = { XFRMNLGRP_SA, XFRMNLGRP_POLICY };
	struct losses *losses = calloc(1, sizeof(*losses));
	int err;

	if (!losses)
		return -ENOMEM;
	err = listen_to(NETLINK_ROUTE, route, 7, &losses->route);
	if (!err)
		err = listen_to(NETLINK_XFRM, xfrm, 2, &losses->xfrm);
	if (err)
		losses_close(losses);
	else
		*ret_losses = losses;
	return err;
}

void losses_close(struct losses *losses)
{
	if (!losses)
		return;
	if (losses->route)
		mnl_socket_close(losses->route);
	if (losses->xfrm)
		mnl_socket_close(losses->xfrm);
	free(losses);
}

int losses_route_fd(const struct losses *losses)
{
	return mnl_socket_get_fd(losses->route);
}

int losses_xfrm_fd(const struct losses *losses)
{
	return mnl_socket_get_fd(losses->xfrm);
}
