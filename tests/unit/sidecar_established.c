/* Who is connected to port 179, told from real sockets in a network namespace
 * of this test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/address.h"
#include "sidecar/established.h"
#include "tests/unit/netns.h"

enum { MAX_TRIES = 500, MAX_FOUND = 16, CROWD = 400 };

#define LOCAL "192.0.2.1"
#define LOCAL6 "2001:db8::1"
#define PEER "198.51.100.2"
#define STRANGER "198.51.100.3"
#define STRANGER6 "2001:db8::3"

struct socket_pair {
	int listener, client, server;
};

struct found {
	char text[MAX_FOUND][128];
	size_t count;
};

static struct in6_addr address_of(const char *text)
{
	struct in6_addr address;

	assert_true(address_parse(text, &address));
	return address;
}

/* ---------------------------------------------------------------- sockets */

/* `mapped`: an AF_INET6 socket although the address is IPv4. */
static socklen_t make_address(const char *text, uint16_t port, bool mapped,
			      struct sockaddr_storage *ret_address)
{
	struct in6_addr address = address_of(text);
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };

	if (!mapped)
		return address_to_sockaddr(&address, port, ret_address);
	sin6.sin6_port = htons(port);
	sin6.sin6_addr = address;
	memcpy(ret_address, &sin6, sizeof(sin6));
	return sizeof(sin6);
}

static int bound(const char *text, uint16_t port, bool mapped)
{
	struct sockaddr_storage address;
	socklen_t len = make_address(text, port, mapped, &address);
	int fd, one = 1;

	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
				    sizeof(one)), 0);
	if (bind(fd, (struct sockaddr *)&address, len) != 0)
		fail_msg("bind %s: %s", text, strerror(errno));
	return fd;
}

/* A client at `client` of the listener at `server`. */
static void join_listener(struct socket_pair *pair, const char *client,
			  const char *server, uint16_t port, bool mapped)
{
	struct sockaddr_storage address;
	socklen_t len = make_address(server, port, mapped, &address);
	int err = -1;

	pair->client = bound(client, 0, mapped);
	/* the kernel adds IPv6's routes of a fresh namespace in its own time */
	for (int i = 0; i < MAX_TRIES && err != 0; i++) {
		err = connect(pair->client, (struct sockaddr *)&address, len);
		if (err != 0 && errno == ENETUNREACH)
			usleep(10000);
		else
			break;
	}
	if (err != 0)
		fail_msg("connect %s to %s port %u: %s", client, server, port,
			 strerror(errno));
	pair->server = accept(pair->listener, NULL, NULL);
	assert_true(pair->server >= 0);
}

static struct socket_pair join(const char *client, const char *server,
			       uint16_t port, bool mapped)
{
	struct socket_pair pair = {
		.listener = bound(server, port, mapped)
	};

	assert_int_equal(listen(pair.listener, 4), 0);
	join_listener(&pair, client, server, port, mapped);
	return pair;
}

static void part(struct socket_pair *pair)
{
	close(pair->client);
	close(pair->server);
	close(pair->listener);
}

/* ------------------------------------------------------------ the question */

static bool is_stranger(void *ctx, const struct in6_addr *local,
			const struct in6_addr *remote)
{
	struct in6_addr ours = address_of(LOCAL), ours6 = address_of(LOCAL6);
	struct in6_addr peer = address_of(PEER);

	(void)ctx;
	return (address_equal(local, &ours) || address_equal(local, &ours6)) &&
	       !address_equal(remote, &peer);
}

static bool is_none(void *ctx, const struct in6_addr *local,
		    const struct in6_addr *remote)
{
	(void)ctx;
	(void)local;
	(void)remote;
	return false;
}

/* A client's port is its own affair: written as "any". */
static const char *port_text(uint16_t port)
{
	return port == 179 ? "179" : "any";
}

static void note(void *ctx, const struct in6_addr *local,
		 const struct in6_addr *remote, uint16_t local_port,
		 uint16_t remote_port)
{
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
	struct found *found = ctx;

	assert_true(found->count < MAX_FOUND);
	snprintf(found->text[found->count++], sizeof(found->text[0]),
		 "%s %s %s %s", address_text(local, a), port_text(local_port),
		 address_text(remote, b), port_text(remote_port));
}

static struct found ask(void)
{
	struct found found = { .count = 0 };
	size_t count = 999;

	assert_int_equal(established_find(is_stranger, note, &found, &count),
			 0);
	assert_int_equal(count, found.count);
	return found;
}

static void assert_found(const char *expected)
{
	struct found found = ask();

	assert_int_equal(found.count, expected ? 1 : 0);
	if (expected)
		assert_string_equal(found.text[0], expected);
}

static int make_net(void **state)
{
	(void)state;
	if (!netns_fresh())
		return -1;
	return netns_run("ip link set lo up && ip addr add " LOCAL "/32 dev lo"
			 " && ip addr add " PEER "/32 dev lo"
			 " && ip addr add " STRANGER "/32 dev lo"
			 " && ip addr add " LOCAL6 "/128 dev lo nodad"
			 " && ip addr add " STRANGER6 "/128 dev lo nodad");
}

/* ------------------------------------------------------------------ tests */

static void strangers_are_told_apart(void **state)
{
	static const struct {
		const char *client, *server;
		uint16_t port;
		bool mapped;
		const char *expected;
	} rows[] = {
		{ STRANGER, LOCAL, 179, false,
		  LOCAL " 179 " STRANGER " any" },
		{ LOCAL, STRANGER, 179, false,
		  LOCAL " any " STRANGER " 179" },
		{ STRANGER6, LOCAL6, 179, false,
		  LOCAL6 " 179 " STRANGER6 " any" },
		{ LOCAL6, STRANGER6, 179, false,
		  LOCAL6 " any " STRANGER6 " 179" },
		/* IPv4 on IPv6 sockets */
		{ STRANGER, LOCAL, 179, true,
		  LOCAL " 179 " STRANGER " any" },
		{ LOCAL, STRANGER, 179, true,
		  LOCAL " any " STRANGER " 179" },
		/* a peer, another port, another local address */
		{ PEER, LOCAL, 179, false, NULL },
		{ LOCAL, PEER, 179, false, NULL },
		{ PEER, LOCAL, 179, true, NULL },
		{ STRANGER, LOCAL, 178, false, NULL },
		{ STRANGER6, LOCAL6, 22, false, NULL },
		{ STRANGER, PEER, 179, false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct socket_pair pair = join(rows[i].client, rows[i].server,
					       rows[i].port, rows[i].mapped);

		assert_found(rows[i].expected);
		part(&pair);
		assert_int_equal(make_net(state), 0);
	}
}

static void only_established_counts(void **state)
{
	struct socket_pair pair = join(STRANGER, LOCAL, 179, false);

	(void)state;
	assert_found(LOCAL " 179 " STRANGER " any");
	/* FIN from one side: no longer established on either */
	close(pair.client);
	assert_found(NULL);
	close(pair.server);
	/* the listener stays */
	assert_found(NULL);
	close(pair.listener);
}

static void nothing_wanted_nothing_found(void **state)
{
	struct socket_pair pair = join(STRANGER, LOCAL, 179, false);
	size_t count = 999;

	(void)state;
	assert_int_equal(established_find(is_none, NULL, NULL, &count), 0);
	assert_int_equal(count, 0);
	part(&pair);
}

/* More than one part of a dump; and nobody needs to listen. */
static void a_crowd_is_counted(void **state)
{
	static struct socket_pair pairs[CROWD];
	int listener = bound(LOCAL, 179, false);
	size_t count = 0;

	(void)state;
	assert_int_equal(listen(listener, CROWD), 0);
	for (int i = 0; i < CROWD; i++) {
		pairs[i].listener = listener;
		join_listener(&pairs[i], STRANGER, LOCAL, 179, false);
	}
	assert_int_equal(established_find(is_stranger, NULL, NULL, &count), 0);
	assert_int_equal(count, CROWD);
	for (int i = 0; i < CROWD; i++) {
		close(pairs[i].client);
		close(pairs[i].server);
	}
	close(listener);
}

static void other_namespaces_are_not_looked_into(void **state)
{
	struct socket_pair pair = join(STRANGER, LOCAL, 179, false);

	assert_int_equal(make_net(state), 0);
	assert_found(NULL);
	part(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(strangers_are_told_apart, make_net),
		cmocka_unit_test_setup(only_established_counts, make_net),
		cmocka_unit_test_setup(nothing_wanted_nothing_found, make_net),
		cmocka_unit_test_setup(a_crowd_is_counted, make_net),
		cmocka_unit_test_setup(other_namespaces_are_not_looked_into,
				       make_net),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
