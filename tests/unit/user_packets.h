/* Packets from a to b, the sides of user_sides.h: what TCP at a sends, and what
 * b takes off the wire. */
#ifndef TESTS_UNIT_USER_PACKETS_H
#define TESTS_UNIT_USER_PACKETS_H

#include "tests/unit/user_sides.h"

#include <linux/virtio_net.h>
#include <poll.h>
#include <sched.h>
#include <sys/uio.h>

#include "sidecar/inner.h"

enum {
	TCP_LEN = 20,
	PAYLOAD = 3000,
	WAIT_MS = 2000,
	SETTLE_MS = 100
};

static int echo;

/* From a to b, connections that a opens. */
static inline void add_sas(bool ipv6, enum plane_kind kind_at_b)
{
	const uint32_t spi = SPI + ipv6;

	assert_int_equal(add_pair(&a, pair_of(ipv6, true)), 0);
	assert_int_equal(add_pair(&b, pair_of(ipv6, false)), 0);
	assert_int_equal(ask(&a, sa_request(pair_of(ipv6, true), false,
					    PLANE_ACTIVE, spi)).result, 0);
	assert_int_equal(ask(&b, sa_request(pair_of(ipv6, false), true,
					    kind_at_b, spi)).result, 0);
}

static inline uint64_t counted(struct side *side, struct plane_pair pair,
			       enum plane_counter counter)
{
	return ask(side, (struct user_request){ .call = USER_COUNTERS,
						.pair = pair })
		.counters[counter];
}

static inline size_t make_packet(bool ipv6, uint16_t sport, uint16_t dport,
				 uint8_t *packet)
{
	const struct plane_pair pair = pair_of(ipv6, true);
	const size_t ip_len = ipv6 ? 40 : 20;
	uint8_t *tcp = packet + ip_len;

	memset(packet, 0, ip_len + TCP_LEN);
	if (ipv6) {
		packet[0] = 0x60;
		inner_put_u16(packet + 4, TCP_LEN + PAYLOAD);
		packet[6] = IPPROTO_TCP;
		packet[7] = 64;
		memcpy(packet + 8, &pair.local, 16);
		memcpy(packet + 24, &pair.peer, 16);
	} else {
		packet[0] = 0x45;
		inner_put_u16(packet + 2, (uint16_t)(20 + TCP_LEN + PAYLOAD));
		packet[8] = 64;
		packet[9] = IPPROTO_TCP;
		memcpy(packet + 12, pair.local.s6_addr + 12, 4);
		memcpy(packet + 16, pair.peer.s6_addr + 12, 4);
	}
	inner_put_u16(tcp, sport);
	inner_put_u16(tcp + 2, dport);
	tcp[INNER_TCP_OFFSET] = 0x50;
	tcp[INNER_TCP_FLAGS] = INNER_ACK;
	for (size_t i = 0; i < PAYLOAD; i++)
		tcp[TCP_LEN + i] = (uint8_t)(i * 11);
	return ip_len + TCP_LEN + PAYLOAD;
}

/* What was sent has arrived, as far as lo takes it: it is a queue, of each
 * processor one, which Linux before 6.4 may empty a moment later. */
static inline void settle(void)
{
	static unsigned sent;
	struct pollfd arrived = { .fd = echo, .events = POLLIN };
	unsigned got = sent++;

	send(echo, &sent, sizeof(sent), 0);
	while (got != sent && poll(&arrived, 1, SETTLE_MS) == 1)
		recv(echo, &got, sizeof(got), 0);
}

/* A datagram to itself tells when that is so: on one processor. */
static inline bool open_echo(void)
{
	const struct in6_addr here = ip("192.0.2.3");
	struct sockaddr_storage address;
	const socklen_t len = address_to_sockaddr(&here, 9, &address);
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	echo = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return sched_setaffinity(0, sizeof(one), &one) == 0 &&
	       bind(echo, (struct sockaddr *)&address, len) == 0 &&
	       connect(echo, (struct sockaddr *)&address, len) == 0;
}

/* What TCP at a hands to the TUN device: three segments in one. */
static inline void send_at_a(bool ipv6, uint16_t sport, uint16_t dport,
			     uint64_t now)
{
	struct virtio_net_hdr offload = {
		.gso_type = ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 :
				   VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = 1400
	};
	uint8_t packet[60 + TCP_LEN + PAYLOAD];
	struct iovec iovecs[] = {
		{ &offload, sizeof(offload) },
		{ packet, make_packet(ipv6, sport, dport, packet) },
	};

	assert_true(writev(a.tun[0], iovecs, 2) > 0);
	user_out_run(a.out, now);
	settle();
}

/* Wait for ESP packets, and have b take them. */
static inline void receive_at_b(bool ipv6, uint64_t now)
{
	struct pollfd arrived = { .fd = ipv6 ? esp6 : esp4, .events = POLLIN };

	assert_int_equal(poll(&arrived, 1, WAIT_MS), 1);
	user_in_run(b.in, arrived.fd, ipv6 ? AF_INET6 : AF_INET, now);
}

static inline ssize_t read_at_b(uint8_t *ret_packet, size_t size)
{
	return recv(b.tun[0], ret_packet, size, 0);
}

static inline bool nothing_at_b(void)
{
	uint8_t packet[100];

	return read_at_b(packet, sizeof(packet)) == -1 && errno == EAGAIN;
}

/* One ESP packet of a's, taken off the wire. */
static inline size_t capture(uint8_t *ret_packet, size_t size)
{
	struct pollfd arrived = { .fd = esp4, .events = POLLIN };
	uint8_t rest[2048];
	ssize_t len;

	send_at_a(false, 40000, 179, NOW);
	assert_int_equal(poll(&arrived, 1, WAIT_MS), 1);
	len = recv(esp4, ret_packet, size, 0);
	while (recv(esp4, rest, sizeof(rest), 0) > 0)
		;
	assert_true(len > 28);
	return (size_t)len;
}

static inline void inject(const uint8_t *packet, size_t len)
{
	struct sockaddr_storage to;
	const struct in6_addr two = ip("192.0.2.2");
	socklen_t to_len = address_to_sockaddr(&two, 0, &to);

	assert_int_equal(sendto(esp4, packet, len, 0, (struct sockaddr *)&to,
				to_len), len);
	receive_at_b(false, NOW);
}

#endif
