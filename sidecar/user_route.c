#include "sidecar/user_route.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "policy/address.h"
#include "sidecar/inner.h"
#include "sidecar/user_device.h"

enum {
	METRIC = 1,
	LAST_METRIC = INT32_MAX		/* of the unreachable route */
};

static bool put_address(struct nlmsghdr *message, uint16_t type,
			const struct in6_addr *address)
{
	size_t len;
	const uint8_t *bytes = address_bytes(address, &len);

	return mnl_attr_put_check(message, NETLINK_REQUEST_SIZE, type, len,
				  bytes);
}

static bool put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
	return mnl_attr_put_u32_check(message, NETLINK_REQUEST_SIZE, type,
				      value);
}

static uint8_t host_bits(const struct in6_addr *address)
{
	return address_family(address) == AF_INET ? 32 : 128;
}

/* ---------------------------------------------------------------- path MTU */

struct path {
	uint32_t mtu, ifindex;
};

static int take_metric(const struct nlattr *attr, void *ctx)
{
	struct path *path = ctx;

	if (mnl_attr_get_type(attr) == RTAX_MTU &&
	    mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
		path->mtu = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int take_attribute(const struct nlattr *attr, void *ctx)
{
	struct path *path = ctx;

	if (mnl_attr_get_type(attr) == RTA_METRICS)
		mnl_attr_parse_nested(attr, take_metric, path);
	else if (mnl_attr_get_type(attr) == RTA_OIF &&
		 mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
		path->ifindex = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int take_route(void *ctx, const struct nlmsghdr *message)
{
	if (message->nlmsg_type == RTM_NEWROUTE)
		mnl_attr_parse(message, sizeof(struct rtmsg), take_attribute,
			       ctx);
	return 0;
}

static size_t device_mtu(uint32_t ifindex)
{
	struct ifreq request = { .ifr_mtu = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return USER_ROUTE_MTU;
	if (!if_indextoname(ifindex, request.ifr_name) ||
	    ioctl(fd, SIOCGIFMTU, &request) == -1)
		request.ifr_mtu = USER_ROUTE_MTU;
	close(fd);
	return (size_t)request.ifr_mtu;
}

/* The way of a packet that is not TCP: ESP's. */
size_t user_route_path_mtu(struct netlink *netlink,
			   const struct plane_pair *pair)
{
	struct rtmsg route = {
		.rtm_family = (uint8_t)address_family(&pair->peer),
		.rtm_dst_len = host_bits(&pair->peer),
		.rtm_src_len = host_bits(&pair->peer),
	};
	struct path path = { .mtu = 0 };
	union netlink_request request;
	struct nlmsghdr *message;

	message = netlink_begin(&request, RTM_GETROUTE, 0, &route,
				sizeof(route));
	if (!put_address(message, RTA_DST, &pair->peer) ||
	    !put_address(message, RTA_SRC, &pair->local) ||
	    netlink_call(netlink, message, take_route, &path) != 0)
		return USER_ROUTE_MTU;
	return path.mtu ? path.mtu : device_mtu(path.ifindex);
}

/* ------------------------------------------------------------------- rules */

/* What stands already is well; if it did not, sets *ret_anew. */
static int set_anew(int err, bool *ret_anew)
{
	if (!err)
		*ret_anew = true;
	return err == -EEXIST ? 0 : err;
}

/* One of a local address's rules. Which end of the connection has port 179
 * does not matter here. */
struct rule {
	uint16_t port_attribute;
	bool last;		/* into the table where nothing but ends is */
	bool own;		/* packets of this machine's own making only */
};

static int change_rule(struct netlink *netlink, const struct in6_addr *local,
		       uint16_t type, uint16_t flags, const struct rule *what)
{
	const struct fib_rule_port_range port = { INNER_BGP_PORT,
						  INNER_BGP_PORT };
	struct fib_rule_hdr rule = {
		.family = (uint8_t)address_family(local),
		.src_len = host_bits(local),
		.action = FR_ACT_TO_TBL,
	};
	union netlink_request request;
	struct nlmsghdr *message;

	message = netlink_begin(&request, type, flags, &rule, sizeof(rule));
	if (!put_address(message, FRA_SRC, local) ||
	    !put_u32(message, FRA_PRIORITY,
		     what->last ? USER_ROUTE_LAST_PRIORITY :
				  USER_ROUTE_PRIORITY) ||
	    !put_u32(message, FRA_TABLE,
		     what->last ? USER_ROUTE_LAST_TABLE : USER_ROUTE_TABLE) ||
	    (what->own && !mnl_attr_put_strz_check(message, NETLINK_REQUEST_SIZE,
						   FRA_IIFNAME, "lo")) ||
	    !mnl_attr_put_u8_check(message, NETLINK_REQUEST_SIZE,
				   FRA_IP_PROTO, IPPROTO_TCP) ||
	    !mnl_attr_put_check(message, NETLINK_REQUEST_SIZE,
				what->port_attribute, sizeof(port), &port) ||
	    !mnl_attr_put_u8_check(message, NETLINK_REQUEST_SIZE,
				   FRA_PROTOCOL, USER_ROUTE_PROTOCOL))
		return -EMSGSIZE;
	return netlink_call(netlink, message, NULL, NULL);
}

static bool filters_on(const char *interface)
{
	char path[128], value = '0';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter",
		 interface);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fread(&value, 1, 1, file) != 1)
		value = '0';
	fclose(file);
	return value != '0';
}

/*
 * Reverse path filtering that is on for all interfaces, or that we could not
 * switch off on the device, holds against what comes out of it. That passes if
 * the rule is found for it, and then the kernel looks for ports in every
 * packet that it routes: so only where it must be.
 */
static bool filters_reverse_path(const struct in6_addr *local)
{
	return address_family(local) == AF_INET &&
	       (filters_on("all") || filters_on(USER_DEVICE_NAME));
}

static int add_rule(struct netlink *netlink, const struct in6_addr *local,
		    const struct rule *rule, bool *ret_anew)
{
	return set_anew(change_rule(netlink, local, RTM_NEWRULE,
				    NLM_F_CREATE | NLM_F_EXCL, rule),
			ret_anew);
}

/* The last one first: while there is a way, there is an end to it. */
static int add_rules(struct netlink *netlink, const struct in6_addr *local,
		     uint16_t port_attribute, bool *ret_anew)
{
	struct rule rule = { .port_attribute = port_attribute, .last = true,
			     .own = !filters_reverse_path(local) };
	int err = add_rule(netlink, local, &rule, ret_anew);

	rule.last = false;
	return err ? err : add_rule(netlink, local, &rule, ret_anew);
}

static int delete_rules(struct netlink *netlink, const struct in6_addr *local,
			uint16_t port_attribute)
{
	int err = 0;

	for (int i = 0; i < 4; i++) {
		const struct rule rule = { .port_attribute = port_attribute,
					   .last = i / 2, .own = i % 2 };

		err = change_rule(netlink, local, RTM_DELRULE, 0, &rule);
		if (err && err != -ENOENT && err != -EAFNOSUPPORT)
			return err;
	}
	return 0;
}

/* ------------------------------------------------------------------ routes */

static struct nlmsghdr *begin_route(union netlink_request *request,
				    uint16_t type, uint16_t flags,
				    const struct in6_addr *peer, uint8_t kind,
				    uint32_t table)
{
	struct rtmsg route = {
		.rtm_family = (uint8_t)address_family(peer),
		.rtm_dst_len = host_bits(peer),
		.rtm_protocol = USER_ROUTE_PROTOCOL,
		.rtm_scope = kind == RTN_UNICAST ? RT_SCOPE_LINK :
						   RT_SCOPE_UNIVERSE,
		.rtm_type = kind,
	};
	struct nlmsghdr *message = netlink_begin(request, type, flags, &route,
						 sizeof(route));
	const uint32_t metric = kind == RTN_UNICAST ? METRIC : LAST_METRIC;

	if (!put_address(message, RTA_DST, peer) ||
	    !put_u32(message, RTA_TABLE, table) ||
	    !put_u32(message, RTA_PRIORITY, metric))
		return NULL;
	return message;
}

static int add_unreachable(struct netlink *netlink, const struct in6_addr *peer,
			   uint32_t table, uint16_t flags)
{
	union netlink_request request;
	struct nlmsghdr *message;

	message = begin_route(&request, RTM_NEWROUTE, NLM_F_CREATE | flags,
			      peer, RTN_UNREACHABLE, table);
	return message ? netlink_call(netlink, message, NULL, NULL) :
			 -EMSGSIZE;
}

static int add_route(struct netlink *netlink, const struct plane_pair *pair,
		     unsigned ifindex, size_t mtu, bool keep)
{
	const uint16_t flags = keep ? NLM_F_EXCL : NLM_F_REPLACE;
	union netlink_request request;
	struct nlmsghdr *message;
	struct nlattr *metrics;
	int err;

	message = begin_route(&request, RTM_NEWROUTE, NLM_F_CREATE | flags,
			      &pair->peer, RTN_UNICAST, USER_ROUTE_TABLE);
	if (!message || !put_u32(message, RTA_OIF, ifindex))
		return -EMSGSIZE;
	metrics = mnl_attr_nest_start_check(message, NETLINK_REQUEST_SIZE,
					    RTA_METRICS);
	if (!metrics || !put_u32(message, RTAX_MTU, (uint32_t)mtu))
		return -EMSGSIZE;
	mnl_attr_nest_end(message, metrics);
	err = netlink_call(netlink, message, NULL, NULL);
	return keep && err == -EEXIST ? 0 : err;
}

static int delete_route(struct netlink *netlink, const struct in6_addr *peer,
			uint8_t kind, uint32_t table)
{
	union netlink_request request;
	struct nlmsghdr *message = begin_route(&request, RTM_DELROUTE, 0, peer,
					       kind, table);
	int err = message ? netlink_call(netlink, message, NULL, NULL) :
			    -EMSGSIZE;

	return err == -ESRCH || err == -ENOENT ? 0 : err;
}

/* The unreachable routes first: from the rules on, there is no way out but
 * through the device. */
int user_route_set(struct netlink *netlink, const struct plane_pair *pair,
		   unsigned ifindex, size_t mtu, bool keep, bool *ret_anew)
{
	int err;

	*ret_anew = false;
	err = set_anew(add_unreachable(netlink, &pair->peer,
				       USER_ROUTE_LAST_TABLE, NLM_F_EXCL),
		       ret_anew);
	/* its place may be another's */
	if (!err && !*ret_anew)
		err = add_unreachable(netlink, &pair->peer,
				      USER_ROUTE_LAST_TABLE, NLM_F_REPLACE);
	if (!err)
		err = add_unreachable(netlink, &pair->peer, USER_ROUTE_TABLE,
				      NLM_F_REPLACE);
	if (!err)
		err = add_route(netlink, pair, ifindex, mtu, keep);
	if (!err)
		err = add_rules(netlink, &pair->local, FRA_DPORT_RANGE,
				ret_anew);
	if (!err)
		err = add_rules(netlink, &pair->local, FRA_SPORT_RANGE,
				ret_anew);
	return err;
}

int user_route_delete_peer(struct netlink *netlink, const struct in6_addr *peer)
{
	int err = delete_route(netlink, peer, RTN_UNICAST, USER_ROUTE_TABLE);
	int err_behind = delete_route(netlink, peer, RTN_UNREACHABLE,
				      USER_ROUTE_TABLE);
	int err_last = delete_route(netlink, peer, RTN_UNREACHABLE,
				    USER_ROUTE_LAST_TABLE);

	return err ? err : err_behind ? err_behind : err_last;
}

int user_route_delete_local(struct netlink *netlink,
			    const struct in6_addr *local)
{
	int err = delete_rules(netlink, local, FRA_DPORT_RANGE);
	int err_other = delete_rules(netlink, local, FRA_SPORT_RANGE);

	return err ? err : err_other;
}
