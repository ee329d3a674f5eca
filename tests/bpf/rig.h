/* What the classifier's tests share: a network namespace of the test's own,
 * addresses, and frames. */
#ifndef TESTS_BPF_RIG_H
#define TESTS_BPF_RIG_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/guard.h"

enum { IPV4, IPV6, FAMILIES };

/* The cast, in both families. */
enum who {
	ROUTER,		/* protected, others = block */
	OPEN,		/* protected, others = allow */
	PEER,		/* mode require, towards ROUTER and OPEN */
	CLEAR,		/* mode off, towards ROUTER */
	STRANGER,
	UNPROTECTED,	/* an address of ours that is no pair's */
	CAST
};

enum { SPI_IPV4 = 0x01020304, SPI_IPV6 = 0x05060708, REQID = 0xb6700010 };

static inline struct in6_addr address(int family, enum who who)
{
	struct in6_addr result = { 0 };

	if (family == IPV4) {
		result.s6_addr[10] = result.s6_addr[11] = 0xff;
		memcpy(&result.s6_addr[12], (uint8_t[]){ 192, 0, 2 }, 3);
	} else {
		memcpy(result.s6_addr, (uint8_t[]){ 0x20, 1, 0x0d, 0xb8 }, 4);
	}
	result.s6_addr[15] = (uint8_t)(who + 1);
	return result;
}

static inline void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* A namespace of our own, which the kernel removes when the process ends. */
static inline void enter_netns(void)
{
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	run("ip link set lo up");
}

static inline unsigned make_veth(const char *name, const char *other)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "ip link add %s type veth peer name %s && "
		 "ip link set %s up && ip link set %s up",
		 name, other, name, other);
	run(command);
	return if_nametoindex(name);
}

/* The cast's pairs and locals into a guard. */
static inline void populate(struct guard *guard)
{
	static const uint32_t spis[] = { SPI_IPV4, SPI_IPV6 };
	const uint32_t reqid[2] = { REQID, REQID + 1 };

	for (int family = 0; family < FAMILIES; family++) {
		struct in6_addr router = address(family, ROUTER);
		struct in6_addr open = address(family, OPEN);
		struct in6_addr peer = address(family, PEER);
		struct in6_addr clear = address(family, CLEAR);

		assert_int_equal(guard_set_local(guard, &router, true), 0);
		assert_int_equal(guard_set_local(guard, &open, false), 0);
		assert_int_equal(guard_set_pair(guard, &router, &peer,
						CLASSIFIER_REQUIRE, reqid), 0);
		assert_int_equal(guard_set_pair(guard, &open, &peer,
						CLASSIFIER_REQUIRE, reqid), 0);
		assert_int_equal(guard_set_pair(guard, &router, &clear,
						CLASSIFIER_OFF, reqid), 0);
		assert_int_equal(guard_add_spi(guard, &router, &peer,
					       spis[family]), 0);
	}
}

/* ----------------------------------------------------------------- frames */

struct frame {
	uint8_t bytes[2048];
	size_t len;
	size_t network;		/* where the IP header begins */
	size_t upper;		/* where TCP, UDP or ESP begins */
};

static inline uint8_t *put(struct frame *frame, const void *data, size_t len)
{
	uint8_t *at = frame->bytes + frame->len;

	assert_true(len <= sizeof(frame->bytes) - frame->len);
	if (data)
		memcpy(at, data, len);
	else
		memset(at, 0, len);
	frame->len += len;
	return at;
}

static inline void put16(struct frame *frame, uint16_t value)
{
	value = htons(value);
	put(frame, &value, sizeof(value));
}

/* Ethernet with 0, 1 (802.1Q) or more tags (the outer ones 802.1ad). */
static inline void put_link(struct frame *frame, int family, int tags)
{
	put(frame, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 2 * ETH_ALEN);
	for (; tags > 0; tags--) {
		put16(frame, tags > 1 ? ETH_P_8021AD : ETH_P_8021Q);
		put16(frame, (uint16_t)(100 + tags));
	}
	put16(frame, family == IPV4 ? ETH_P_IP : ETH_P_IPV6);
}

/* IP without options or extensions; seal() writes the length. */
static inline void put_network(struct frame *frame, int family, enum who source,
			       enum who destination, uint8_t protocol)
{
	struct in6_addr from = address(family, source);
	struct in6_addr to = address(family, destination);
	uint8_t *ip;

	frame->network = frame->len;
	ip = put(frame, NULL, family == IPV4 ? 20 : 40);
	frame->upper = frame->len;
	if (family == IPV4) {
		ip[0] = 0x45;
		ip[8] = 255;
		ip[9] = protocol;
		memcpy(ip + 12, &from.s6_addr[12], 4);
		memcpy(ip + 16, &to.s6_addr[12], 4);
	} else {
		ip[0] = 0x60;
		ip[6] = protocol;
		ip[7] = 255;
		memcpy(ip + 8, &from, 16);
		memcpy(ip + 24, &to, 16);
	}
}

/* The first word of the last header, and 24 bytes that do not matter. */
static inline void put_upper(struct frame *frame, uint32_t word)
{
	frame->upper = frame->len;
	word = htonl(word);
	put(frame, &word, sizeof(word));
	put(frame, NULL, 24);
}

static inline void seal(struct frame *frame)
{
	uint8_t *ip = frame->bytes + frame->network;
	size_t len = frame->len - frame->network;
	uint16_t value;

	if (ip[0] >> 4 == 6)
		len -= 40;
	value = htons((uint16_t)len);
	memcpy(ip + (ip[0] >> 4 == 6 ? 4 : 2), &value, sizeof(value));
}

#endif
