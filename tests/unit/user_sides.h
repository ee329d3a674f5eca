/*
 * The user plane without its process: two SADs, a and b, in one network
 * namespace that has the addresses of both on lo, with real raw sockets
 * between them and socket pairs in the place of TUN devices.
 */
#ifndef TESTS_UNIT_USER_SIDES_H
#define TESTS_UNIT_USER_SIDES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ike/proto.h"
#include "policy/address.h"
#include "sidecar/user_calls.h"
#include "sidecar/user_in.h"
#include "sidecar/user_out.h"
#include "sidecar/user_socket.h"
#include "tests/unit/netns.h"

enum {
	NOW = 1000,		/* seconds, any */
	LIFETIME = 60,
	UDP_PORT = 4500,
	SPI = 0x4711
};

struct side {
	struct user_sad sad;
	struct user_in *in;
	struct user_out *out;
	int tun[2];		/* ours, the plane's */
};

static struct side a, b;
static int esp4, esp6;
static struct user_sockets sockets;

static inline struct in6_addr ip(const char *text)
{
	struct in6_addr address;

	assert_true(address_parse(text, &address));
	return address;
}

static inline struct plane_pair pair_of(bool ipv6, bool from_a)
{
	const struct in6_addr one = ip(ipv6 ? "2001:db8::1" : "192.0.2.1");
	const struct in6_addr two = ip(ipv6 ? "2001:db8::2" : "192.0.2.2");

	return from_a ? (struct plane_pair){ one, two } :
			(struct plane_pair){ two, one };
}

/* ------------------------------------------------------------------- calls */

static inline struct user_reply ask(struct side *side,
				    struct user_request request)
{
	struct user_reply reply;

	request.version = USER_WIRE_VERSION;
	user_calls_answer(&side->sad, &request, NOW, &reply);
	return reply;
}

static inline struct user_request sa_request(struct plane_pair pair,
					     bool inbound,
					     enum plane_kind kind,
					     uint32_t spi)
{
	return (struct user_request){
		.call = USER_ADD_SA, .pair = pair, .inbound = inbound,
		.kind = (uint8_t)kind, .spi = spi, .esn = 1,
		.encr = IKE_ENCR_NULL, .integ = IKE_INTEG_HMAC_SHA2_256_128,
		.lifetime_s = LIFETIME, .key_len = 32
	};
}

static inline int add_pair(struct side *side, struct plane_pair pair)
{
	return ask(side, (struct user_request){ .call = USER_ADD_PAIR,
						.pair = pair }).result;
}

/* ------------------------------------------------------------------- sides */

/* A network namespace with their addresses; false without the privilege. */
static inline bool make_network(void)
{
	return netns_fresh() &&
	       netns_run("ip link set lo up &&"
			 " ip addr add 192.0.2.1/32 dev lo &&"
			 " ip addr add 192.0.2.2/32 dev lo &&"
			 " ip addr add 192.0.2.3/32 dev lo &&"
			 " ip addr add 2001:db8::1/128 dev lo nodad &&"
			 " ip addr add 2001:db8::2/128 dev lo nodad &&"
			 /* the kernel makes IPv6 addresses usable by and by */
			 " timeout 5 sh -c 'until ip -6 route show table local"
			 " | grep -q ^local.2001:db8::2; do :; done'") == 0;
}

static inline int open_side(struct side *side)
{
	memset(side, 0, sizeof(*side));
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, side->tun) < 0)
		return -1;
	side->in = user_in_new(&side->sad, side->tun[1]);
	side->out = user_out_new(&side->sad, side->tun[1], &sockets);
	return side->in && side->out ? 0 : -1;
}

static inline void close_side(struct side *side)
{
	user_in_free(side->in);
	user_out_free(side->out);
	user_sad_free(&side->sad);
	close(side->tun[0]);
	close(side->tun[1]);
}

static inline int add_udp(struct in6_addr local)
{
	const struct user_udp udp = {
		.local = local, .port = UDP_PORT,
		.fd = user_socket_open_udp(&local, UDP_PORT)
	};

	return udp.fd < 0 ? udp.fd : user_sockets_add(&sockets, &udp);
}

static inline int setup(void **state)
{
	(void)state;
	esp4 = user_socket_open_esp(AF_INET);
	esp6 = user_socket_open_esp(AF_INET6);
	sockets = (struct user_sockets){ .esp_ipv4 = esp4, .esp_ipv6 = esp6 };
	for (int i = 0; i < 4; i++)
		if (add_udp(pair_of(i / 2, i % 2).local) != 0)
			return -1;
	return esp4 < 0 || esp6 < 0 || open_side(&a) || open_side(&b);
}

static inline int teardown(void **state)
{
	(void)state;
	close_side(&a);
	close_side(&b);
	close(esp4);
	close(esp6);
	for (size_t i = 0; i < sockets.udp_count; i++)
		close(sockets.udp[i].fd);
	return 0;
}

#endif
