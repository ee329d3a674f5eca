/*
 * The user plane: ESP in a process of our own (user_process.c), for kernels
 * without. What the kernel keeps for it - TUN device, routing, SPD entries -
 * is the daemon's doing, stays when either process dies, and keeps the pair
 * closed then.
 */
#include "sidecar/plane.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ike/proto.h"
#include "policy/address.h"
#include "sidecar/esp.h"
#include "sidecar/inner.h"
#include "sidecar/log.h"
#include "sidecar/user_client.h"
#include "sidecar/user_device.h"
#include "sidecar/user_policy.h"
#include "sidecar/user_route.h"
#include "sidecar/user_socket.h"

struct plane {
	struct netlink *xfrm, *route;
	int fd;			/* to the process; -1: none needed yet */
	int unreachable;	/* there is one, and why it cannot be had */
	unsigned ifindex;	/* of the TUN device; 0: none */
	struct plane_pair *pairs;	/* with a policy */
	size_t pairs_count;
};

/* ----------------------------------------------------------- open, close */

static int user_probe(const char **ret_why)
{
	struct netlink *netlink;
	int err = netlink_open(NETLINK_XFRM, &netlink);

	if (err) {
		*ret_why = "this kernel has no XFRM (CONFIG_XFRM_USER)";
		return err;
	}
	netlink_close(netlink);
	if (access("/dev/net/tun", R_OK | W_OK) == -1) {
		err = -errno;
		*ret_why = "there is no /dev/net/tun (CONFIG_TUN)";
		return err;
	}
	return 0;
}

static void user_close(struct plane *plane)
{
	if (!plane)
		return;
	netlink_close(plane->xfrm);
	netlink_close(plane->route);
	if (plane->fd >= 0)
		close(plane->fd);
	free(plane->pairs);
	free(plane);
}

/* The process outlives an upgrade, and the daemon after it may speak another
 * version. What all versions have in common is that they end when their device
 * goes. A connection on which nothing was said tells when. */
static int end_other_version(struct plane *plane)
{
	struct pollfd end = { .fd = user_client_connect() };
	int err, ready;

	if (end.fd == -ENOENT)
		return -ENOENT;		/* it has just ended */
	if (end.fd < 0)
		return end.fd;
	log_warning(NULL, "the plane process is of another version: it is ended, and its SAs with it");
	err = user_device_remove(plane->route);
	do
		ready = err ? 0 : poll(&end, 1, USER_CLIENT_TIMEOUT_S * 1000);
	while (ready == -1 && errno == EINTR);
	if (!err && ready != 1)
		err = -ETIMEDOUT;
	close(end.fd);
	return err ? err : -ENOENT;
}

/* To a process that runs: descriptor, -ENOENT if there is none to be used, or
 * another -errno. */
static int connect_process(struct plane *plane)
{
	int fd = user_client_connect();
	int err = fd < 0 ? fd : user_client_greet(fd);

	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err == -EPROTO || err == -ECONNRESET || err == -EPIPE ?
		end_other_version(plane) : err;
}

static int user_open(struct plane **ret_plane)
{
	struct plane *plane = calloc(1, sizeof(*plane));
	int err;

	if (!plane)
		return -ENOMEM;
	plane->fd = -1;
	err = netlink_open(NETLINK_XFRM, &plane->xfrm);
	if (!err)
		err = netlink_open(NETLINK_ROUTE, &plane->route);
	if (!err)
		err = user_policy_list(plane->xfrm, &plane->pairs,
				       &plane->pairs_count);
	if (err) {
		user_close(plane);
		return err;
	}
	/* without it, what closes a pair can still be seen to */
	plane->fd = connect_process(plane);
	if (plane->fd < 0 && plane->fd != -ENOENT)
		plane->unreachable = plane->fd;
	plane->ifindex = user_device_index();
	*ret_plane = plane;
	return 0;
}

static int user_descriptor(const struct plane *plane)
{
	return plane->fd;
}

static unsigned user_device(const struct plane *plane)
{
	return plane->ifindex;
}

/* ------------------------------------------------------------- the process */

static int call(struct plane *plane, struct user_request *request,
		struct user_reply *ret_reply)
{
	if (plane->fd < 0) {
		explicit_bzero(request, sizeof(*request));
		return -ENOTCONN;
	}
	return user_client_call(plane->fd, request, ret_reply);
}

static int ensure_device(struct plane *plane)
{
	int err = user_device_make(&plane->ifindex);

	return err ? err : user_device_up();
}

static int ensure_process(struct plane *plane)
{
	if (plane->unreachable || plane->fd >= 0)
		return plane->unreachable;
	plane->fd = user_client_start();
	return plane->fd < 0 ? plane->fd : 0;
}

static void end_process(struct plane *plane)
{
	struct user_request request = { .call = USER_EXIT };
	struct user_reply reply;

	if (plane->fd >= 0) {
		call(plane, &request, &reply);
		close(plane->fd);
		plane->fd = -1;
	}
	/* what cannot be removed carries nothing: no route leads to it */
	user_device_remove(plane->route);
	plane->ifindex = 0;
}

/* ------------------------------------------------------------------- pairs */

static bool has_pair(const struct plane *plane, const struct plane_pair *pair)
{
	for (size_t i = 0; i < plane->pairs_count; i++)
		if (!memcmp(&plane->pairs[i], pair, sizeof(*pair)))
			return true;
	return false;
}

static int remember(struct plane *plane, const struct plane_pair *pair)
{
	struct plane_pair *grown;

	if (has_pair(plane, pair))
		return 0;
	grown = reallocarray(plane->pairs, plane->pairs_count + 1,
			     sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	plane->pairs = grown;
	grown[plane->pairs_count++] = *pair;
	return 0;
}

static void forget(struct plane *plane, const struct plane_pair *pair)
{
	size_t kept = 0;

	for (size_t i = 0; i < plane->pairs_count; i++)
		if (memcmp(&plane->pairs[i], pair, sizeof(*pair)) != 0)
			plane->pairs[kept++] = plane->pairs[i];
	plane->pairs_count = kept;
}

static bool local_is_used(const struct plane *plane,
			  const struct in6_addr *local)
{
	for (size_t i = 0; i < plane->pairs_count; i++)
		if (address_equal(&plane->pairs[i].local, local))
			return true;
	return false;
}

static bool peer_is_used(const struct plane *plane, const struct in6_addr *peer)
{
	for (size_t i = 0; i < plane->pairs_count; i++)
		if (address_equal(&plane->pairs[i].peer, peer))
			return true;
	return false;
}

/* ---------------------------------------------------------------- policies */

/* What TCP may send, so that ESP with this key, and perhaps UDP, fits the
 * path. `keep`: what a route that stands says goes. A connection that has found
 * another way meanwhile is led back. */
static int set_route(struct plane *plane, const struct plane_pair *pair,
		     const struct esp_key *key, bool udp, bool keep)
{
	const size_t path = user_route_path_mtu(plane->route, pair);
	const size_t ip_len = address_family(&pair->peer) == AF_INET ?
		INNER_IPV4_LEN : INNER_IPV6_LEN;
	const size_t headers = ip_len + (udp ? ESP_UDP_LEN : 0);
	size_t room = path > headers ? esp_payload_room(key, path - headers) :
				       0;
	bool anew;
	int err;

	if (ip_len + room > USER_DEVICE_MTU)
		room = USER_DEVICE_MTU - ip_len;
	err = user_route_set(plane->route, pair, plane->ifindex, ip_len + room,
			     keep, &anew);
	if (!err && keep && anew)
		err = user_policy_reroute(plane->xfrm, pair);
	return err;
}

/* Before there is an SA, or where somebody took the route of one away, the
 * most that ESP may need is assumed. Not at a reload: then the route stands. */
static int set_first_route(struct plane *plane, const struct plane_pair *pair)
{
	static const uint8_t zeros[64];
	struct esp_key *key = esp_key_new(IKE_ENCR_NULL,
					  IKE_INTEG_HMAC_SHA2_512_256, zeros,
					  sizeof(zeros));
	int err = key ? set_route(plane, pair, key, true, true) : -ENOMEM;

	esp_key_free(key);
	return err;
}

/* Locks first, then what carries. */
static int user_set_policy(struct plane *plane,
			   const struct plane_policy *policy)
{
	struct user_request request = { .call = USER_ADD_PAIR,
					.pair = policy->pair };
	struct user_reply reply;
	int err;

	if (policy->type != PLANE_REQUIRE ||
	    address_family(&policy->pair.local) !=
		address_family(&policy->pair.peer))
		return -EINVAL;
	err = remember(plane, &policy->pair);
	if (!err)
		err = user_policy_set(plane->xfrm, &policy->pair);
	if (!err)
		err = ensure_device(plane);
	if (!err)
		err = set_first_route(plane, &policy->pair);
	if (!err)
		err = ensure_process(plane);
	return err ? err : call(plane, &request, &reply);
}

static int delete_routes(struct plane *plane, const struct plane_pair *pair)
{
	int err = 0;

	if (!peer_is_used(plane, &pair->peer))
		err = user_route_delete_peer(plane->route, &pair->peer);
	if (!err && !local_is_used(plane, &pair->local))
		err = user_route_delete_local(plane->route, &pair->local);
	return err;
}

static int user_delete_policy(struct plane *plane,
			      const struct plane_policy *policy)
{
	struct user_request request = { .call = USER_DELETE_PAIR,
					.pair = policy->pair };
	struct user_reply reply;
	int err;

	if (policy->type != PLANE_REQUIRE ||
	    !has_pair(plane, &policy->pair))
		return 0;
	forget(plane, &policy->pair);
	if (plane->fd >= 0)
		call(plane, &request, &reply);
	err = delete_routes(plane, &policy->pair);
	if (!err)
		err = user_policy_delete(plane->xfrm, &policy->pair);
	if (!err && plane->pairs_count == 0)
		end_process(plane);
	return err;
}

static int user_query_policies(struct plane *plane,
			       int (*each)(void *ctx,
					   const struct plane_policy *policy),
			       void *ctx)
{
	int err = 0;

	for (size_t i = 0; !err && i < plane->pairs_count; i++) {
		const struct plane_policy policy = {
			.type = PLANE_REQUIRE, .pair = plane->pairs[i]
		};

		err = each(ctx, &policy);
	}
	return err;
}

/* -------------------------------------------------------------------- SAs */

static uint32_t user_allocate_spi(struct plane *plane,
				  const struct plane_pair *pair)
{
	struct user_request request = { .call = USER_ALLOCATE_SPI,
					.pair = *pair };
	struct user_reply reply;

	return call(plane, &request, &reply) == 0 ? reply.spi : 0;
}

/* The outbound SA's algorithms say how much room ESP takes. */
static int fit_route(struct plane *plane, const struct plane_sa *sa)
{
	struct esp_key *key = esp_key_new(sa->encr, sa->integ, sa->key,
					  sa->key_len);
	int err = key ? set_route(plane, &sa->pair, key, sa->udp_local != 0,
				  false) : -EPROTONOSUPPORT;

	esp_key_free(key);
	return err;
}

/* The process has no capability to open what ESP in UDP comes and goes by. */
static int ensure_socket(struct plane *plane, const struct plane_sa *sa)
{
	const struct user_request about = { .pair = sa->pair,
					    .udp_local = sa->udp_local };
	struct user_request request = about;
	struct user_reply reply;
	int err, fd;

	request.call = USER_HAS_SOCKET;
	err = call(plane, &request, &reply);
	if (err != -ENOENT)
		return err;
	fd = user_socket_open_udp(&sa->pair.local, sa->udp_local);
	if (fd < 0)
		return fd;
	request = about;
	request.call = USER_ADD_SOCKET;
	err = user_client_lend(plane->fd, &request, fd, &reply);
	close(fd);
	return err;
}

static int user_add_sa(struct plane *plane, const struct plane_sa *sa)
{
	struct user_request request = {
		.call = USER_ADD_SA, .pair = sa->pair,
		.lifetime_s = sa->lifetime_s, .spi = sa->spi,
		.udp_local = sa->udp_local, .udp_peer = sa->udp_peer,
		.encr = sa->encr, .integ = sa->integ,
		.kind = (uint8_t)sa->kind, .inbound = sa->inbound,
		.esn = sa->esn, .key_len = (uint8_t)sa->key_len
	};
	struct user_reply reply;
	int err = 0;

	if (sa->key_len > sizeof(request.key))
		return -EINVAL;
	if (sa->udp_local)
		err = ensure_socket(plane, sa);
	if (!err && !sa->inbound)
		err = fit_route(plane, sa);
	if (err)
		return err;
	memcpy(request.key, sa->key, sa->key_len);
	return call(plane, &request, &reply);
}

static int user_delete_sa(struct plane *plane, const struct plane_pair *pair,
			  bool inbound, uint32_t spi)
{
	struct user_request request = { .call = USER_DELETE_SA, .pair = *pair,
					.inbound = inbound, .spi = spi };
	struct user_reply reply;

	/* without a process there are no SAs */
	return plane->fd < 0 ? 0 : call(plane, &request, &reply);
}

/* Collected first: `each` may add and delete. */
static int user_query(struct plane *plane,
		      int (*each)(void *ctx, const struct plane_sa_stats *sa),
		      void *ctx)
{
	struct plane_sa_stats *sas = NULL, *grown;
	struct user_reply reply = { .cursor = 0 };
	size_t count = 0;
	int err = 0;

	while (plane->fd >= 0 && !err) {
		struct user_request request = { .call = USER_QUERY,
						.cursor = reply.cursor };

		err = call(plane, &request, &reply);
		if (err || reply.count == 0 || reply.count > USER_WIRE_SAS)
			break;
		grown = reallocarray(sas, count + reply.count, sizeof(*sas));
		if (!grown) {
			err = -ENOMEM;
			break;
		}
		sas = grown;
		memcpy(&sas[count], reply.sas, reply.count * sizeof(*sas));
		count += reply.count;
	}
	for (size_t i = 0; !err && i < count; i++)
		err = each(ctx, &sas[i]);
	free(sas);
	return err;
}

static int user_counters(struct plane *plane, const struct plane_pair *pair,
			 uint64_t ret_counters[PLANE_COUNTERS])
{
	struct user_request request = { .call = USER_COUNTERS, .pair = *pair };
	struct user_reply reply;
	int err = call(plane, &request, &reply);

	if (!err)
		memcpy(ret_counters, reply.counters, sizeof(reply.counters));
	return err;
}

/* The classifier sees no decapsulated packet of this plane. */
static uint32_t user_reqid(struct plane *plane, const struct plane_pair *pair,
			   enum plane_kind kind)
{
	(void)plane;
	(void)pair;
	(void)kind;
	return 0;
}

const struct plane_ops plane_user = {
	.name = "user",
	.udp = PLANE_UDP_PREFERRED,
	.probe = user_probe,
	.carries = esp_carries,
	.open = user_open,
	.close = user_close,
	.allocate_spi = user_allocate_spi,
	.add_sa = user_add_sa,
	.delete_sa = user_delete_sa,
	.set_policy = user_set_policy,
	.delete_policy = user_delete_policy,
	.query = user_query,
	.query_policies = user_query_policies,
	.reqid = user_reqid,
	.descriptor = user_descriptor,
	.device = user_device,
	.counters = user_counters,
};
