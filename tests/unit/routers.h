/*
 * Two routers of the test's own, each a network namespace with a kernel plane
 * in it, for tests that send real packets:
 *
 *	 router 0                                  router 1
 *	 lo 192.0.2.1        10.9.0.1  10.9.0.2    lo 198.51.100.2
 *	    192.0.2.9     v0 ------------------ v1
 *	    2001:db8:1::1    fd09::1    fd09::2       2001:db8:2::2
 *
 * To be included after cmocka.h.
 */
#ifndef TESTS_UNIT_ROUTERS_H
#define TESTS_UNIT_ROUTERS_H

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/address.h"
#include "sidecar/plane.h"
#include "tests/unit/netns.h"

enum {
	SOON_MS = 15000,	/* what is to happen has happened (emulation) */
	NEVER_MS = 300		/* how long to wait for what must not be */
};

/* of family, of router */
static const char *const addresses[2][2] = {
	{ "192.0.2.1", "198.51.100.2" },
	{ "2001:db8:1::1", "2001:db8:2::2" },
};

struct world {
	int ns[2];
	struct plane *plane[2];
};

/* A TCP connection, its client on router `from`. */
struct connection {
	int listener, client, server;
};

/* ---------------------------------------------------------------- routers */

static inline void enter(struct world *world, int router)
{
	assert_true(netns_enter(world->ns[router]));
}

static inline void make_router(struct world *world, int router)
{
	assert_true(netns_fresh());
	world->ns[router] = netns_here();
	assert_true(world->ns[router] >= 0);
	assert_int_equal(netns_run("ip link set lo up &&"
				   " ip addr add %s/32 dev lo &&"
				   " ip addr add %s/128 dev lo nodad",
				   addresses[0][router], addresses[1][router]),
			 0);
	assert_int_equal(plane_xfrm.open(&world->plane[router]), 0);
}

/* A test begins with an empty SPD and SAD and planes that know nothing. One
 * world serves all tests: the kernel takes a second to bring a link up. */
static inline int clear_world(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 2; i++) {
		enter(world, i);
		assert_int_equal(netns_run("ip xfrm policy flush &&"
					   " ip xfrm state flush"), 0);
		plane_xfrm.close(world->plane[i]);
		world->plane[i] = NULL;
		assert_int_equal(plane_xfrm.open(&world->plane[i]), 0);
	}
	return 0;
}

static inline void connect_router(int router)
{
	assert_int_equal(netns_run("ip addr add 10.9.0.%d/24 dev v%d &&"
				   " ip addr add fd09::%d/64 dev v%d nodad &&"
				   " ip link set v%d up", router + 1, router,
				   router + 1, router, router), 0);
}

static inline void add_routes(int router)
{
	int other = !router;

	assert_int_equal(netns_run("ip route add %s via 10.9.0.%d src %s &&"
				   " ip route add %s via fd09::%d src %s",
				   addresses[0][other], other + 1,
				   addresses[0][router], addresses[1][other],
				   other + 1, addresses[1][router]), 0);
}

static inline int make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world || !netns_fresh()) {
		free(world);
		return -1;
	}
	make_router(world, 1);
	make_router(world, 0);
	assert_int_equal(netns_run("ip link add v0 type veth peer name v1 "
				   "netns /proc/%d/fd/%d", getpid(),
				   world->ns[1]), 0);
	assert_int_equal(netns_run("ip addr add 192.0.2.9/32 dev lo"), 0);
	connect_router(0);
	enter(world, 1);
	connect_router(1);
	add_routes(1);
	assert_int_equal(netns_run("ip route add 192.0.2.9 via 10.9.0.1"), 0);
	enter(world, 0);
	add_routes(0);
	*state = world;
	return 0;
}

static inline int end_world(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 2; i++) {
		plane_xfrm.close(world->plane[i]);
		close(world->ns[i]);
	}
	free(world);
	return 0;
}

/* ------------------------------------------------------------ connections */

static inline int make_socket(const char *address, uint16_t port, int type)
{
	struct sockaddr_storage sockaddr;
	struct in6_addr in6;
	socklen_t len;
	int fd, one = 1;

	assert_true(address_parse(address, &in6));
	len = address_to_sockaddr(&in6, port, &sockaddr);
	fd = socket(sockaddr.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
				    sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sockaddr, len), 0);
	return fd;
}

static inline int start_connect(int fd, const char *address, uint16_t port)
{
	struct sockaddr_storage sockaddr;
	struct in6_addr in6;
	socklen_t len;

	assert_true(address_parse(address, &in6));
	len = address_to_sockaddr(&in6, port, &sockaddr);
	return connect(fd, (struct sockaddr *)&sockaddr, len) == 0 ||
	       errno == EINPROGRESS ? 0 : -errno;
}

static inline bool readable(int fd, int wait_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return poll(&pollfd, 1, wait_ms) == 1;
}

/* 0, or -errno of connect(), or -ETIMEDOUT when nothing came of it. */
static inline int open_connection(struct world *world, const char *src,
			   const char *dst, int from, uint16_t port,
			   int wait_ms, struct connection *ret_connection)
{
	struct connection connection = { .server = -1 };
	int err;

	enter(world, !from);
	connection.listener = make_socket(dst, port, SOCK_STREAM);
	assert_int_equal(listen(connection.listener, 4), 0);
	enter(world, from);
	connection.client = make_socket(src, 0, SOCK_STREAM);
	err = start_connect(connection.client, dst, port);
	if (!err && !readable(connection.listener, wait_ms))
		err = -ETIMEDOUT;
	if (!err)
		connection.server = accept4(connection.listener, NULL, NULL,
					    SOCK_NONBLOCK | SOCK_CLOEXEC);
	close(connection.listener);
	if (err) {
		close(connection.client);
		return err;
	}
	assert_true(connection.server >= 0);
	*ret_connection = connection;
	return 0;
}

static inline bool carries(int from, int to, const char *text, int wait_ms)
{
	size_t len = strlen(text);
	char got[64] = "";

	assert_int_equal(send(from, text, len, MSG_NOSIGNAL), len);
	return readable(to, wait_ms) &&
	       recv(to, got, sizeof(got), 0) == (ssize_t)len &&
	       memcmp(got, text, len) == 0;
}

static inline void assert_alive(const struct connection *connection)
{
	assert_true(carries(connection->client, connection->server, "OPEN",
			    SOON_MS));
	assert_true(carries(connection->server, connection->client, "UPDATE",
			    SOON_MS));
}

/* Without a FIN, whose retransmissions would disturb what follows. */
static inline void drop_connection(struct connection *connection)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(connection->client, SOL_SOCKET, SO_LINGER, &linger,
		   sizeof(linger));
	setsockopt(connection->server, SOL_SOCKET, SO_LINGER, &linger,
		   sizeof(linger));
	close(connection->client);
	close(connection->server);
}

static inline int try_between(struct world *world, int family, int from,
		       uint16_t port, int wait_ms)
{
	struct connection connection;
	int err = open_connection(world, addresses[family][from],
				  addresses[family][!from], from, port,
				  wait_ms, &connection);

	if (!err) {
		assert_alive(&connection);
		drop_connection(&connection);
	}
	return err;
}

/* -------------------------------------------------------------- policies */

static inline struct plane_pair pair_at(int router, int family)
{
	struct plane_pair pair;

	memset(&pair, 0, sizeof(pair));
	assert_true(address_parse(addresses[family][router], &pair.local));
	assert_true(address_parse(addresses[family][!router], &pair.peer));
	return pair;
}

static inline void set(struct world *world, int router, int family,
		enum plane_policy_type type)
{
	struct plane_policy policy;

	memset(&policy, 0, sizeof(policy));
	policy.type = type;
	policy.pair = pair_at(router, family);
	assert_int_equal(plane_xfrm.set_policy(world->plane[router], &policy),
			 0);
}

static inline void unset(struct world *world, int router, int family,
		  enum plane_policy_type type)
{
	struct plane_policy policy;

	memset(&policy, 0, sizeof(policy));
	policy.type = type;
	policy.pair = pair_at(router, family);
	assert_int_equal(plane_xfrm.delete_policy(world->plane[router],
						  &policy), 0);
}

static inline void set_all(struct world *world, enum plane_policy_type type)
{
	for (int router = 0; router < 2; router++)
		for (int family = 0; family < 2; family++)
			set(world, router, family, type);
}

/* A line of /proc/net/xfrm_stat of the present namespace. */
static inline unsigned long xfrm_stat(const char *name)
{
	FILE *file = fopen("/proc/self/net/xfrm_stat", "r");
	unsigned long value, found = 0;
	char line[64];

	if (!file)
		return 0;
	while (fscanf(file, "%63s %lu", line, &value) == 2)
		if (strcmp(line, name) == 0)
			found = value;
	fclose(file);
	return found;
}

#define ROUTERS_TEST(f) cmocka_unit_test_setup(f, clear_world)

#endif
