/*
 * The user plane without its process: two SADs, a and b, in one network
 * namespace that has the addresses of both on lo, with real raw sockets
 * between them and socket pairs in the place of TUN devices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ike/proto.h"
#include "tests/unit/netns.h"
#include "policy/address.h"
#include "sidecar/checksum.h"
#include "sidecar/inner.h"
#include "sidecar/udp_share.h"
#include "sidecar/user_arrival.h"
#include "sidecar/user_calls.h"
#include "sidecar/user_client.h"
#include "sidecar/user_device.h"
#include "sidecar/user_in.h"
#include "sidecar/user_out.h"
#include "sidecar/user_socket.h"

enum {
	NOW = 1000,		/* seconds, any */
	LIFETIME = 60,
	UDP_PORT = 4500,
	SPI = 0x4711,
	TCP_LEN = 20,
	PAYLOAD = 3000,
	WAIT_MS = 2000,
	SETTLE_MS = 100
};

struct side {
	struct user_sad sad;
	struct user_in *in;
	struct user_out *out;
	int tun[2];		/* ours, the plane's */
};

static struct side a, b;
static int esp4, esp6, echo;
static struct user_sockets sockets;

static struct in6_addr ip(const char *text)
{
	struct in6_addr address;

	assert_true(address_parse(text, &address));
	return address;
}

static struct plane_pair pair_of(bool ipv6, bool from_a)
{
	const struct in6_addr one = ip(ipv6 ? "2001:db8::1" : "192.0.2.1");
	const struct in6_addr two = ip(ipv6 ? "2001:db8::2" : "192.0.2.2");

	return from_a ? (struct plane_pair){ one, two } :
			(struct plane_pair){ two, one };
}

/* ------------------------------------------------------------------- calls */

static struct user_reply ask(struct side *side, struct user_request request)
{
	struct user_reply reply;

	request.version = USER_WIRE_VERSION;
	user_calls_answer(&side->sad, &request, NOW, &reply);
	return reply;
}

static struct user_request sa_request(struct plane_pair pair, bool inbound,
				      enum plane_kind kind, uint32_t spi)
{
	return (struct user_request){
		.call = USER_ADD_SA, .pair = pair, .inbound = inbound,
		.kind = (uint8_t)kind, .spi = spi, .esn = 1,
		.encr = IKE_ENCR_NULL, .integ = IKE_INTEG_HMAC_SHA2_256_128,
		.lifetime_s = LIFETIME, .key_len = 32
	};
}

static int add_pair(struct side *side, struct plane_pair pair)
{
	return ask(side, (struct user_request){ .call = USER_ADD_PAIR,
						.pair = pair }).result;
}

/* From a to b, connections that a opens. */
static void add_sas(bool ipv6, enum plane_kind kind_at_b)
{
	const uint32_t spi = SPI + ipv6;

	assert_int_equal(add_pair(&a, pair_of(ipv6, true)), 0);
	assert_int_equal(add_pair(&b, pair_of(ipv6, false)), 0);
	assert_int_equal(ask(&a, sa_request(pair_of(ipv6, true), false,
					    PLANE_ACTIVE, spi)).result, 0);
	assert_int_equal(ask(&b, sa_request(pair_of(ipv6, false), true,
					    kind_at_b, spi)).result, 0);
}

static uint64_t counted(struct side *side, struct plane_pair pair,
			enum plane_counter counter)
{
	return ask(side, (struct user_request){ .call = USER_COUNTERS,
						.pair = pair })
		.counters[counter];
}

static int open_side(struct side *side)
{
	memset(side, 0, sizeof(*side));
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, side->tun) < 0)
		return -1;
	side->in = user_in_new(&side->sad, side->tun[1]);
	side->out = user_out_new(&side->sad, side->tun[1], &sockets);
	return side->in && side->out ? 0 : -1;
}

static void close_side(struct side *side)
{
	user_in_free(side->in);
	user_out_free(side->out);
	user_sad_free(&side->sad);
	close(side->tun[0]);
	close(side->tun[1]);
}

static int add_udp(struct in6_addr local)
{
	const struct user_udp udp = {
		.local = local, .port = UDP_PORT,
		.fd = user_socket_open_udp(&local, UDP_PORT)
	};

	return udp.fd < 0 ? udp.fd : user_sockets_add(&sockets, &udp);
}

static int setup(void **state)
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

static int teardown(void **state)
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

static void test_calls(void **state)
{
	const struct plane_pair pair = pair_of(false, true);
	struct user_request request = sa_request(pair, true, PLANE_ACTIVE,
						 SPI);
	struct user_reply reply;

	(void)state;
	/* guard first: no SA without the pair */
	assert_int_equal(ask(&a, request).result, -ENOENT);
	assert_int_equal(add_pair(&a, (struct plane_pair){
		pair.local, ip("2001:db8::2") }), -EINVAL);
	assert_int_equal(add_pair(&a, pair), 0);
	assert_int_equal(add_pair(&a, pair), 0);
	assert_int_equal(ask(&a, request).result, 0);
	assert_int_equal(ask(&a, request).result, -EEXIST);
	request.spi = 255;
	assert_int_equal(ask(&a, request).result, -EINVAL);
	request.spi = SPI + 1;
	request.kind = PLANE_KINDS;
	assert_int_equal(ask(&a, request).result, -EINVAL);
	request.kind = PLANE_ACTIVE;
	request.key_len = 31;
	assert_int_equal(ask(&a, request).result, -EPROTONOSUPPORT);
	request.udp_local = UDP_PORT;	/* and no port of the peer's */
	assert_int_equal(ask(&a, request).result, -EINVAL);
	request.udp_local = 0;
	request.key_len = ESP_KEY_MAX + 1;
	assert_int_equal(ask(&a, request).result, -EINVAL);
	request.key_len = 32;
	request.call = USER_CALLS;
	assert_int_equal(ask(&a, request).result, -ENOSYS);
	request.call = USER_ADD_SA;
	request.version = USER_WIRE_VERSION + 1;
	user_calls_answer(&a.sad, &request, NOW, &reply);
	assert_int_equal(reply.result, -EPROTO);
	/* an SPI is one pair's */
	assert_int_equal(add_pair(&a, pair_of(true, true)), 0);
	assert_int_equal(ask(&a, sa_request(pair_of(true, true), true,
					    PLANE_ACTIVE, SPI)).result,
			 -EEXIST);
}

static void test_spi(void **state)
{
	(void)state;
	for (int i = 0; i < 64; i++)
		assert_true(ask(&a, (struct user_request){
			.call = USER_ALLOCATE_SPI }).spi & PLANE_SPI_USER);
}

static void test_query_in_parts(void **state)
{
	struct user_request request = { .call = USER_QUERY };
	struct user_reply reply;
	uint32_t seen = 0;

	(void)state;
	for (int i = 0; i < USER_WIRE_SAS + 8; i++) {
		const bool ipv6 = i % 2;

		assert_int_equal(add_pair(&a, pair_of(ipv6, true)), 0);
		assert_int_equal(ask(&a, sa_request(pair_of(ipv6, true), true,
						    PLANE_PASSIVE,
						    0x1000 + (uint32_t)i))
					 .result, 0);
	}
	while ((reply = ask(&a, request)).count > 0) {
		for (uint32_t i = 0; i < reply.count; i++)
			assert_int_equal(reply.sas[i].spi, 0x1000 + seen++);
		request.cursor = reply.cursor;
	}
	assert_int_equal(seen, USER_WIRE_SAS + 8);
}

/* SAs come and go between two parts: each that stays is told of, once and in
 * the order of their coming, and the one that the cursor names may go, too. */
static void test_query_while_changing(void **state)
{
	const struct plane_pair pairs[] = { pair_of(false, true),
					    pair_of(true, true) };
	const struct plane_pair gone = pair_of(false, false);
	struct user_request request = { .call = USER_QUERY };
	struct user_reply reply;
	uint32_t spi = 0x1000;

	(void)state;
	assert_int_equal(add_pair(&a, pairs[0]), 0);
	assert_int_equal(add_pair(&a, pairs[1]), 0);
	assert_int_equal(add_pair(&a, gone), 0);
	assert_int_equal(ask(&a, sa_request(gone, false, PLANE_ACTIVE, SPI))
				 .result, 0);
	for (; spi < 0x1000 + USER_WIRE_SAS + 8; spi++)
		assert_int_equal(ask(&a, sa_request(pairs[spi % 2], spi % 3,
						    PLANE_ACTIVE, spi))
					 .result, 0);
	user_sad_delete_pair(&a.sad, &gone);
	reply = ask(&a, request);
	assert_int_equal(reply.count, USER_WIRE_SAS);
	assert_int_equal(reply.sas[0].spi, 0x1000);
	/* the last that was told of, the next, and the last of all */
	spi = 0x1000 + USER_WIRE_SAS - 1;
	user_sad_delete(&a.sad, &pairs[spi % 2], spi % 3, spi);
	spi++;
	user_sad_delete(&a.sad, &pairs[spi % 2], spi % 3, spi);
	spi += 7;
	user_sad_delete(&a.sad, &pairs[spi % 2], spi % 3, spi);
	assert_int_equal(ask(&a, sa_request(pairs[0], false, PLANE_ACTIVE,
					    0x2000)).result, 0);
	request.cursor = reply.cursor;
	reply = ask(&a, request);
	assert_int_equal(reply.count, 7);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(reply.sas[i].spi,
				 0x1000 + USER_WIRE_SAS + 1 + i);
	assert_int_equal(reply.sas[6].spi, 0x2000);
	request.cursor = reply.cursor;
	assert_int_equal(ask(&a, request).count, 0);
}

static void test_limits(void **state)
{
	const struct plane_pair pair = pair_of(false, true);
	uint32_t spi = 0x1000;

	(void)state;
	assert_int_equal(add_pair(&a, pair), 0);
	while (ask(&a, sa_request(pair, true, PLANE_ACTIVE, spi)).result == 0)
		spi++;
	assert_int_equal(spi, 0x1000 + USER_SAD_MAX_SAS);
	user_sad_expire(&a.sad, NOW + LIFETIME - 1);
	assert_non_null(user_sad_after(&a.sad, 0));
	user_sad_expire(&a.sad, NOW + LIFETIME);
	assert_null(user_sad_after(&a.sad, 0));
}

/* ----------------------------------------------------------------- packets */

static size_t make_packet(bool ipv6, uint16_t sport, uint16_t dport,
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
static void settle(void)
{
	static unsigned sent;
	struct pollfd arrived = { .fd = echo, .events = POLLIN };
	unsigned got = sent++;

	send(echo, &sent, sizeof(sent), 0);
	while (got != sent && poll(&arrived, 1, SETTLE_MS) == 1)
		recv(echo, &got, sizeof(got), 0);
}

/* A datagram to itself tells when that is so: on one processor. */
static bool open_echo(void)
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
static void send_at_a(bool ipv6, uint16_t sport, uint16_t dport, uint64_t now)
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
static void receive_at_b(bool ipv6, uint64_t now)
{
	struct pollfd arrived = { .fd = ipv6 ? esp6 : esp4, .events = POLLIN };

	assert_int_equal(poll(&arrived, 1, WAIT_MS), 1);
	user_in_run(b.in, arrived.fd, ipv6 ? AF_INET6 : AF_INET, now);
}

static ssize_t read_at_b(uint8_t *ret_packet, size_t size)
{
	return recv(b.tun[0], ret_packet, size, 0);
}

static bool nothing_at_b(void)
{
	uint8_t packet[100];

	return read_at_b(packet, sizeof(packet)) == -1 && errno == EAGAIN;
}

static void test_there(void **state)
{
	uint8_t sent[60 + TCP_LEN + PAYLOAD], got[4096];
	const size_t head = sizeof(struct virtio_net_hdr);

	(void)state;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		const size_t len = make_packet(ipv6, 40000, 179, sent);
		struct user_reply reply;

		add_sas(ipv6, PLANE_PASSIVE);
		send_at_a(ipv6, 40000, 179, NOW);
		receive_at_b(ipv6, NOW);
		/* joined again to what it was */
		assert_int_equal(read_at_b(got, sizeof(got)), head + len);
		assert_memory_equal(got + head + len - PAYLOAD,
				    sent + len - PAYLOAD, PAYLOAD);
		assert_memory_equal(got + head + (ipv6 ? 8 : 12),
				    sent + (ipv6 ? 8 : 12), ipv6 ? 32 : 8);
		assert_int_equal(got[head + (ipv6 ? 7 : 8)], 64);
		assert_true(nothing_at_b());
		reply = ask(&b, (struct user_request){ .call = USER_QUERY,
						       .cursor = ipv6 });
		assert_int_equal(reply.sas[0].packets, 3);
	}
}

static void test_out_without_sa(void **state)
{
	const struct plane_pair pair = pair_of(false, true);

	(void)state;
	assert_int_equal(add_pair(&a, pair), 0);
	send_at_a(false, 40000, 179, NOW);
	assert_int_equal(counted(&a, pair, PLANE_OUT_NO_STATES), 1);
	add_sas(false, PLANE_PASSIVE);
	/* neither another port, nor the other kind of connection */
	send_at_a(false, 40000, 22, NOW);
	send_at_a(false, 179, 40000, NOW);
	assert_int_equal(counted(&a, pair, PLANE_OUT_NO_STATES), 3);
	send_at_a(false, 40000, 179, NOW + LIFETIME);
	assert_int_equal(counted(&a, pair, PLANE_OUT_STATE_EXPIRED), 1);
	a.sad.pairs->sas->esn = false;
	a.sad.pairs->sas->sequence = UINT32_MAX;
	send_at_a(false, 40000, 179, NOW);
	assert_int_equal(counted(&a, pair, PLANE_OUT_STATE_SEQ_ERROR), 1);
	assert_int_equal(poll(&(struct pollfd){ .fd = esp4, .events = POLLIN },
			      1, 0), 0);
}

/* The inner header against the SA's selectors (RFC 4301 5.2, step 4). */
static void test_selectors(void **state)
{
	const struct plane_pair pair = pair_of(false, false);

	(void)state;
	/* b holds the SA to be for connections that b opens */
	add_sas(false, PLANE_ACTIVE);
	send_at_a(false, 40000, 179, NOW);
	receive_at_b(false, NOW);
	assert_true(nothing_at_b());
	assert_int_equal(counted(&b, pair, PLANE_IN_STATE_MISMATCH), 3);
}

/* How many ESP packets wait at the raw socket. They are thrown away. */
static int on_the_wire(void)
{
	uint8_t packet[2048];
	int count = 0;

	while (recv(esp4, packet, sizeof(packet), MSG_DONTWAIT) > 0)
		count++;
	return count;
}

/* A router's word that ESP from a to somebody else does not arrive. */
static void complain(void)
{
	const struct in6_addr to_a = pair_of(false, true).local;
	uint8_t message[8 + 20 + 8] = {
		/* ICMP: destination unreachable, protocol unreachable */
		3, 2, 0, 0, 0, 0, 0, 0,
		0x45, 0, 0, 28, 0, 0, 0, 0, 64, IPPROTO_ESP, 0, 0,
		192, 0, 2, 1, 203, 0, 113, 9
	};
	const int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct sockaddr_storage to;
	const socklen_t len = address_to_sockaddr(&to_a, 0, &to);

	checksum_put(message + 2, checksum_add(0, message, sizeof(message)));
	assert_int_equal(sendto(fd, message, sizeof(message), 0,
				(struct sockaddr *)&to, len), sizeof(message));
	close(fd);
}

static void test_alien_error(void **state)
{
	struct pollfd told = { .fd = esp4 };

	(void)state;
	add_sas(false, PLANE_PASSIVE);
	complain();
	assert_int_equal(poll(&told, 1, WAIT_MS), 1);
	assert_true(told.revents & POLLERR);
	send_at_a(false, 40000, 179, NOW);
	assert_int_equal(on_the_wire(), 3);
	assert_int_equal(counted(&a, pair_of(false, true), PLANE_OUT_ERROR),
			 0);
}

/* The interface's queue takes nothing: each packet that is lost is counted. */
static void test_no_queue_space(void **state)
{
	const struct plane_pair pair = pair_of(false, true);

	(void)state;
	add_sas(false, PLANE_PASSIVE);
	assert_int_equal(netns_run("tc qdisc add dev lo root pfifo limit 0"),
			 0);
	send_at_a(false, 40000, 179, NOW);
	assert_int_equal(netns_run("tc qdisc del dev lo root"), 0);
	assert_int_equal(on_the_wire(), 0);
	assert_int_equal(counted(&a, pair, PLANE_OUT_NO_QUEUE_SPACE), 3);
	assert_int_equal(counted(&a, pair, PLANE_OUT_ERROR), 0);
}

static void test_expired(void **state)
{
	(void)state;
	add_sas(false, PLANE_PASSIVE);
	send_at_a(false, 40000, 179, NOW);
	receive_at_b(false, NOW + LIFETIME);
	assert_true(nothing_at_b());
	assert_int_equal(counted(&b, pair_of(false, false),
				 PLANE_IN_STATE_EXPIRED), 3);
}

/* RFC 4303 3.3.3: a number never comes twice. Of three segments one has the
 * last number. */
static void test_sequence_ends(void **state)
{
	const struct plane_pair pair = pair_of(false, true);
	struct user_sa *sa;

	(void)state;
	for (int esn = 0; esn < 2; esn++) {
		add_sas(false, PLANE_PASSIVE);
		sa = user_sad_outbound(user_sad_pair(&a.sad, &pair), 40000,
				       179);
		assert_non_null(sa);
		sa->esn = esn;
		sa->sequence = (esn ? UINT64_MAX : UINT32_MAX) - 1;
		send_at_a(false, 40000, 179, NOW);
		assert_int_equal(on_the_wire(), 1);
		assert_int_equal(counted(&a, pair, PLANE_OUT_STATE_SEQ_ERROR),
				 1);
		send_at_a(false, 40000, 179, NOW);
		assert_int_equal(on_the_wire(), 0);
		assert_int_equal(sa->sequence, esn ? UINT64_MAX : UINT32_MAX);
		user_sad_free(&a.sad);
		user_sad_free(&b.sad);
	}
}

static void test_bytes_end(void **state)
{
	const struct plane_pair out = pair_of(false, true);
	const struct plane_pair in = pair_of(false, false);
	struct user_sa *sa;

	(void)state;
	add_sas(false, PLANE_PASSIVE);
	sa = user_sad_inbound(&b.sad, SPI, &in);
	assert_non_null(sa);
	sa->bytes = USER_SAD_MAX_BYTES - 1;
	send_at_a(false, 40000, 179, NOW);
	receive_at_b(false, NOW);
	assert_false(nothing_at_b());	/* the first of three */
	assert_true(nothing_at_b());
	assert_int_equal(counted(&b, in, PLANE_IN_STATE_EXPIRED), 2);

	sa = user_sad_outbound(user_sad_pair(&a.sad, &out), 40000, 179);
	sa->bytes = USER_SAD_MAX_BYTES - 1;
	send_at_a(false, 40000, 179, NOW);
	assert_int_equal(on_the_wire(), 1);
	assert_int_equal(counted(&a, out, PLANE_OUT_STATE_EXPIRED), 1);
	user_sad_expire(&a.sad, NOW);
	assert_null(user_sad_after(&a.sad, 0));
}

/* One ESP packet of a's, taken off the wire. */
static size_t capture(uint8_t *ret_packet, size_t size)
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

static void inject(const uint8_t *packet, size_t len)
{
	struct sockaddr_storage to;
	const struct in6_addr two = ip("192.0.2.2");
	socklen_t to_len = address_to_sockaddr(&two, 0, &to);

	assert_int_equal(sendto(esp4, packet, len, 0, (struct sockaddr *)&to,
				to_len), len);
	receive_at_b(false, NOW);
}

static void test_attacks(void **state)
{
	const struct plane_pair pair = pair_of(false, false);
	const struct plane_pair other = { pair.local, ip("192.0.2.3") };
	uint8_t packet[2048], bent[2048], got[4096];
	size_t len;

	(void)state;
	add_sas(false, PLANE_PASSIVE);
	assert_int_equal(add_pair(&b, other), 0);
	len = capture(packet, sizeof(packet));

	/* a bit is bent: and the window has not moved */
	memcpy(bent, packet, len);
	bent[200] ^= 1;
	inject(bent, len);
	assert_int_equal(counted(&b, pair, PLANE_IN_STATE_PROTO_ERROR), 1);
	/* another SPI */
	memcpy(bent, packet, len);
	bent[23] ^= 1;
	inject(bent, len);
	assert_int_equal(counted(&b, pair, PLANE_IN_NO_STATES), 1);
	/* another peer's address on a valid packet: RFC 5406 Section 9 */
	memcpy(bent, packet, len);
	bent[15] = 3;
	inject(bent, len);
	assert_int_equal(counted(&b, other, PLANE_IN_NO_STATES), 1);
	/* and nobody's */
	bent[15] = 4;
	inject(bent, len);
	assert_int_equal(b.sad.strangers, 1);
	/* cut off */
	inject(packet, 20 + 7);
	inject(packet, 20 + 8);
	assert_int_equal(counted(&b, pair, PLANE_IN_HDR_ERROR), 1);
	assert_true(nothing_at_b());
	/* the honest one, and its replay */
	inject(packet, len);
	assert_true(read_at_b(got, sizeof(got)) > 0);
	inject(packet, len);
	assert_true(nothing_at_b());
	assert_int_equal(counted(&b, pair, PLANE_IN_STATE_SEQ_ERROR), 1);
}

/* ------------------------------------------------------------- ESP in UDP */

static struct user_udp *udp_at_b(bool ipv6)
{
	const struct in6_addr local = pair_of(ipv6, false).local;

	return user_sockets_udp(&sockets, &local, UDP_PORT);
}

/* As add_sas(), but one side or both in UDP. */
static void add_sas_udp(bool ipv6, uint16_t at_a, uint16_t at_b)
{
	struct user_request out = sa_request(pair_of(ipv6, true), false,
					     PLANE_ACTIVE, SPI);
	struct user_request in = sa_request(pair_of(ipv6, false), true,
					    PLANE_PASSIVE, SPI);

	out.udp_local = out.udp_peer = at_a;
	in.udp_local = in.udp_peer = at_b;
	assert_int_equal(add_pair(&a, out.pair), 0);
	assert_int_equal(add_pair(&b, in.pair), 0);
	assert_int_equal(ask(&a, out).result, 0);
	assert_int_equal(ask(&b, in).result, 0);
}

static void receive_udp_at_b(bool ipv6)
{
	struct pollfd arrived = { .fd = udp_at_b(ipv6)->fd, .events = POLLIN };

	assert_int_equal(poll(&arrived, 1, WAIT_MS), 1);
	user_in_run_udp(b.in, udp_at_b(ipv6), NOW);
}

static void test_udp_there(void **state)
{
	uint8_t sent[60 + TCP_LEN + PAYLOAD], got[4096];
	const size_t head = sizeof(struct virtio_net_hdr);

	(void)state;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		const size_t len = make_packet(ipv6, 40000, 179, sent);

		add_sas_udp(ipv6, UDP_PORT, UDP_PORT);
		send_at_a(ipv6, 40000, 179, NOW);
		receive_udp_at_b(ipv6);
		/* in one piece, with the hop limit and class of a's */
		assert_int_equal(read_at_b(got, sizeof(got)), head + len);
		assert_memory_equal(got + head + len - PAYLOAD,
				    sent + len - PAYLOAD, PAYLOAD);
		assert_memory_equal(got + head + (ipv6 ? 8 : 12),
				    sent + (ipv6 ? 8 : 12), ipv6 ? 32 : 8);
		assert_int_equal(got[head + (ipv6 ? 7 : 8)], 64);
		assert_memory_equal(got + head, sent, 2);
		assert_true(nothing_at_b());
		assert_int_equal(ask(&b, (struct user_request){
			.call = USER_QUERY }).sas[0].packets, 3);
		user_sad_free(&b.sad);
		user_sad_free(&a.sad);
	}
}

/* The socket is full, and remains so: the run that is dropped counts in
 * packets. */
static void test_udp_full(void **state)
{
	const struct in6_addr local = pair_of(false, true).local;
	const int fd = user_sockets_udp(&sockets, &local, UDP_PORT)->fd;
	const int little = 1;
	uint64_t dropped = 0;

	(void)state;
	add_sas_udp(false, UDP_PORT, UDP_PORT);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little,
				    sizeof(little)), 0);
	assert_int_equal(netns_run("tc qdisc add dev lo root tbf rate 8kbit "
				   "burst 1600 limit 1000000"), 0);
	for (int i = 0; i < 8 && !dropped; i++) {
		send_at_a(false, 40000, 179, NOW);
		dropped = counted(&a, pair_of(false, true),
				  PLANE_OUT_NO_QUEUE_SPACE);
	}
	assert_int_equal(netns_run("tc qdisc del dev lo root"), 0);
	assert_int_equal(dropped, 3);
}

/* What the plane takes a message to be, packet by packet: three of them in
 * one, the last one shorter. */
static void test_udp_joined(void **state)
{
	uint8_t bytes[65536];
	struct sockaddr_in6 from;
	_Alignas(struct cmsghdr) uint8_t control[USER_ARRIVAL_CONTROL];
	struct iovec iovec = { bytes, sizeof(bytes) };
	struct msghdr message = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iovec, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control)
	};
	struct user_arrival arrival;
	ssize_t len;

	(void)state;
	add_sas_udp(false, UDP_PORT, UDP_PORT);
	send_at_a(false, 40000, 179, NOW);
	len = recvmsg(udp_at_b(false)->fd, &message, 0);
	assert_true(user_arrival_read_udp(&message, (size_t)len,
					  udp_at_b(false), &arrival));
	assert_int_equal(arrival.udp_peer, UDP_PORT);
	/* 8 ESP header, 20 TCP, 1400 payload, 2 and 2 trailer, 16 ICV */
	assert_int_equal(arrival.size, 1448);
	assert_int_equal(arrival.esp_len, 2 * 1448 + 248);
}

static void send_udp_to_b(const void *data, size_t len)
{
	const struct in6_addr to_b = pair_of(false, false).local;
	const struct in6_addr from_a = pair_of(false, true).local;
	struct sockaddr_storage to;
	socklen_t to_len = address_to_sockaddr(&to_b, UDP_PORT, &to);

	assert_int_equal(sendto(user_sockets_udp(&sockets, &from_a,
						 UDP_PORT)->fd,
				data, len, 0, (struct sockaddr *)&to, to_len),
			 len);
	settle();
	receive_udp_at_b(false);
}

/* Bare ESP of an SA in UDP, and the other way round, at the receiver. */
static void test_udp_mismatch(void **state)
{
	const struct plane_pair pair = pair_of(false, false);
	struct user_request in = sa_request(pair, true, PLANE_PASSIVE, SPI);
	uint8_t packet[2048];
	size_t len;

	(void)state;
	add_sas_udp(false, 0, UDP_PORT);
	send_at_a(false, 40000, 179, NOW);
	receive_at_b(false, NOW);
	assert_true(nothing_at_b());
	assert_int_equal(counted(&b, pair, PLANE_IN_STATE_MISMATCH), 3);
	user_sad_free(&a.sad);
	user_sad_free(&b.sad);

	add_sas(false, PLANE_PASSIVE);
	len = capture(packet, sizeof(packet));
	send_udp_to_b(packet + 20, len - 20);
	assert_true(nothing_at_b());
	assert_int_equal(counted(&b, pair, PLANE_IN_STATE_MISMATCH), 1);
	/* the same bytes as they should be */
	inject(packet, len);
	assert_false(nothing_at_b());
	user_sad_free(&b.sad);

	/* another port than the peer's */
	assert_int_equal(add_pair(&b, pair), 0);
	in.udp_local = UDP_PORT;
	in.udp_peer = UDP_PORT + 1;
	assert_int_equal(ask(&b, in).result, 0);
	send_udp_to_b(packet + 20, len - 20);
	assert_true(nothing_at_b());
	assert_int_equal(counted(&b, pair, PLANE_IN_STATE_MISMATCH), 1);
}

/* Every length from nothing to all but the last byte; keepalive and marker of
 * RFC 3948: dropped, and only what could be ESP is counted. */
static void test_udp_cut_off(void **state)
{
	const struct plane_pair pair = pair_of(false, false);
	struct user_request request = sa_request(pair, true, PLANE_PASSIVE,
						 SPI);
	uint8_t packet[2048];
	uint64_t dropped;
	size_t len;

	(void)state;
	add_sas(false, PLANE_PASSIVE);
	len = capture(packet, sizeof(packet)) - 20;
	user_sad_free(&b.sad);
	request.udp_local = request.udp_peer = UDP_PORT;
	assert_int_equal(add_pair(&b, pair), 0);
	assert_int_equal(ask(&b, request).result, 0);
	for (size_t i = 0; i < len; i++)
		send_udp_to_b(packet + 20, i);
	dropped = counted(&b, pair, PLANE_IN_HDR_ERROR) +
		  counted(&b, pair, PLANE_IN_STATE_PROTO_ERROR);
	assert_int_equal(dropped, len - ESP_HEADER_LEN);
	send_udp_to_b("\xff", 1);
	send_udp_to_b("\0\0\0\0IKE and so on", 16);
	assert_true(nothing_at_b());
	send_udp_to_b(packet + 20, len);
	assert_false(nothing_at_b());
	assert_int_equal(counted(&b, pair, PLANE_IN_NO_STATES), 0);
}

/* A path that will not take a run says so for the packets one by one. */
static void test_udp_too_big(void **state)
{
	struct user_pair *pair;

	(void)state;
	add_sas_udp(false, UDP_PORT, UDP_PORT);
	pair = a.sad.pairs;
	assert_int_equal(netns_run("ip link set lo mtu 1300"), 0);
	send_at_a(false, 40000, 179, NOW);
	assert_int_equal(counted(&a, pair->id, PLANE_OUT_TOO_BIG), 2);
	assert_int_equal(user_pair_path_mtu(pair, 1500, NOW), 1300);
	receive_udp_at_b(false);	/* the last one, which is short */
	send_at_a(false, 40000, 179, NOW);
	assert_int_equal(netns_run("ip link set lo mtu 65536"), 0);
	receive_udp_at_b(false);
	assert_int_equal(counted(&a, pair->id, PLANE_OUT_TOO_BIG), 2);
	assert_int_equal(b.sad.inbound->packets, 4);
}

/* IKE and ESP on one port, whoever came first, and each by itself. */
static int open_share(const struct in6_addr *local, bool ike)
{
	struct sockaddr_storage address;
	const socklen_t len = address_to_sockaddr(local, UDP_PORT, &address);
	int fd;

	if (!ike)
		return user_socket_open_udp(local, UDP_PORT);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(udp_share_prepare(fd), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(udp_share_join(fd, UDP_SHARE_IKE), 0);
	return fd;
}

static void test_udp_share(void **state)
{
	const struct in6_addr local = ip("192.0.2.3");
	static const struct {
		const char *bytes;
		bool esp;	/* of the user plane; IKE's socket has the rest */
	} cases[] = {
		{ "\0\0\0\0ike", false },
		{ "\200\0\1\0esp", true },
		{ "\0\0\1\0esp", false },	/* the kernel's */
		{ "\377\377\377\377esp", true },
		{ "\177\377\377\377esp", false },
	};
	const size_t count = sizeof(cases) / sizeof(cases[0]);
	struct sockaddr_storage to;
	const socklen_t len = address_to_sockaddr(&local, UDP_PORT, &to);
	char got[16];

	(void)state;
	for (int i = 0; i < 4; i++) {
		const bool ike_first = i % 2;
		int one = open_share(&local, ike_first);
		int two = open_share(&local, !ike_first);
		int *is_ike = ike_first ? &one : &two;
		int *is_esp = ike_first ? &two : &one;

		if (i / 2) {	/* the first one goes and comes back */
			close(one);
			one = open_share(&local, ike_first);
		}
		for (size_t n = 0; n < 8 * count; n++) {
			const char *bytes = cases[n % count].bytes;
			int from = socket(AF_INET, SOCK_DGRAM, 0);

			sendto(from, bytes, 7, 0, (struct sockaddr *)&to, len);
			close(from);
			settle();
			assert_int_equal(recv(cases[n % count].esp ?
					      *is_esp : *is_ike, got,
					      sizeof(got), MSG_DONTWAIT), 7);
			assert_memory_equal(got, bytes, 7);
		}
		close(one);
		close(two);
	}
}

/* A learned path MTU shortens what is sent; a forged report does not. */
static void test_path_mtu(void **state)
{
	const struct in6_addr peer = ip("192.0.2.2");
	struct user_pair *pair;
	uint8_t packet[2048];

	(void)state;
	add_sas(false, PLANE_PASSIVE);
	pair = a.sad.pairs;
	user_sad_too_big(&a.sad, &peer, SPI + 7, 600, NOW);
	assert_int_equal(user_pair_path_mtu(pair, 1500, NOW), 1500);
	user_sad_too_big(&a.sad, &peer, SPI, 68, NOW);
	assert_int_equal(user_pair_path_mtu(pair, 1500, NOW),
			 USER_SAD_PMTU_MIN4);
	user_sad_too_big(&a.sad, &peer, SPI, 1400, NOW);
	assert_int_equal(user_pair_path_mtu(pair, 1500, NOW),
			 USER_SAD_PMTU_MIN4);
	assert_true(capture(packet, sizeof(packet)) <= USER_SAD_PMTU_MIN4);
	assert_int_equal(user_pair_path_mtu(pair, 1500,
					    NOW + USER_SAD_PMTU_S), 1500);
}

/* Any request from a broken client is answered, never obeyed half. */
static void test_random_requests(void **state)
{
	union {
		struct user_request request;
		uint8_t bytes[sizeof(struct user_request)];
	} random_request;
	struct user_reply reply;

	(void)state;
	srandom(4);
	assert_int_equal(add_pair(&a, pair_of(false, true)), 0);
	for (int i = 0; i < 20000; i++) {
		for (size_t at = 0; at < sizeof(random_request); at++)
			random_request.bytes[at] = (uint8_t)random();
		random_request.request.version = USER_WIRE_VERSION;
		random_request.request.call %= USER_CALLS + 1;
		if (i % 2)
			random_request.request.pair = pair_of(false, true);
		user_calls_answer(&a.sad, &random_request.request, NOW,
				  &reply);
		assert_int_equal(reply.version, USER_WIRE_VERSION);
	}
}

/* -------------------------------------------------------- another version */

/* Where the plane process of this network namespace listens. */
static int listen_as_process(int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct stat namespace;

	assert_int_equal(stat("/proc/self/ns/net", &namespace), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/plane-%lu",
		 USER_CLIENT_FOLDER, (unsigned long)namespace.st_ino);
	mkdir(USER_CLIENT_FOLDER, 0755);
	unlink(address.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      sizeof(address)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

/* What an earlier bgpwardd has left: answers, or hangs up where requests were
 * of another length, and ends when its device goes. */
static void be_old(int listener, bool hangs_up)
{
	struct user_reply reply = { .version = USER_WIRE_VERSION - 1,
				    .result = -EPROTO };
	struct pollfd events[] = {
		{ .fd = user_device_open(), .events = POLLIN },
		{ .fd = listener, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	uint8_t bytes[4096];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (poll(events, 3, -1) > 0) {
		if (events[0].revents && read(events[0].fd, bytes,
					      sizeof(bytes)) == -1 &&
		    errno == EBADFD)
			_exit(0);
		if (events[2].revents) {
			if (recv(events[2].fd, bytes, sizeof(bytes), 0) <= 0 ||
			    hangs_up) {
				close(events[2].fd);
				events[2].fd = -1;
			} else {
				send(events[2].fd, &reply, sizeof(reply),
				     MSG_NOSIGNAL);
			}
		} else if (events[1].revents && events[2].fd == -1) {
			events[2].fd = accept(listener, NULL, NULL);
		}
	}
	_exit(1);
}

static void test_old_process(void **state)
{
	(void)state;
	for (int hangs_up = 0; hangs_up < 2; hangs_up++) {
		const int listener = listen_as_process(4);
		unsigned ifindex = 0;
		struct plane *plane;
		int status;
		pid_t old;

		assert_int_equal(user_device_make(&ifindex), 0);
		old = fork();
		if (old == 0)
			be_old(listener, hangs_up);
		close(listener);
		assert_int_equal(plane_user.open(&plane), 0);
		assert_true(plane_user.descriptor(plane) < 0);
		assert_int_equal(waitpid(old, &status, 0), old);
		assert_int_equal(status, 0);
		assert_int_equal(plane_user.device(plane), 0);
		assert_int_equal(user_device_index(), 0);
		plane_user.close(plane);
	}
}

/* --------------------------------------------------------------- too late */

/* The reply to a request that was given up is no reply to the next one. */
static void test_late_reply(void **state)
{
	const struct timeval timeout = { .tv_usec = 1000 };
	struct user_request request = { .call = USER_ALLOCATE_SPI };
	struct user_reply reply = { .version = USER_WIRE_VERSION,
				    .spi = SPI };
	struct pollfd watched = { .events = POLLIN };
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &timeout,
				    sizeof(timeout)), 0);
	assert_int_equal(user_client_call(fds[0], &request, &reply),
			 -ETIMEDOUT);
	/* as the daemon watches it */
	watched.fd = fds[0];
	assert_int_equal(poll(&watched, 1, 0), 1);
	send(fds[1], &reply, sizeof(reply), MSG_NOSIGNAL);
	request.call = USER_QUERY;
	assert_true(user_client_call(fds[0], &request, &reply) < 0);
	close(fds[0]);
	close(fds[1]);
}

/* A process that stands still, and whose queue is full. */
static void test_full_queue(void **state)
{
	const int listener = listen_as_process(0);
	const int first = user_client_connect();

	(void)state;
	assert_true(first >= 0);
	alarm(4 * USER_CLIENT_TIMEOUT_S);
	assert_int_equal(user_client_connect(), -ETIMEDOUT);
	alarm(0);
	close(first);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spi, setup, teardown),
		cmocka_unit_test_setup_teardown(test_query_in_parts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_query_while_changing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_without_sa, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_selectors, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_expired, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sequence_ends, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bytes_end, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_attacks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alien_error, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_queue_space, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_path_mtu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_udp_there, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_udp_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_udp_joined, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_udp_mismatch, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_udp_cut_off, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_udp_too_big, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_udp_share, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_random_requests, setup,
						teardown),
		cmocka_unit_test(test_old_process),
		cmocka_unit_test(test_late_reply),
		cmocka_unit_test(test_full_queue),
	};

	if (!netns_fresh() ||
	    netns_run("ip link set lo up && ip addr add 192.0.2.1/32 dev lo &&"
		      " ip addr add 192.0.2.2/32 dev lo &&"
		      " ip addr add 192.0.2.3/32 dev lo &&"
		      " ip addr add 2001:db8::1/128 dev lo nodad &&"
		      " ip addr add 2001:db8::2/128 dev lo nodad &&"
		      /* the kernel makes IPv6 addresses usable by and by */
		      " timeout 5 sh -c 'until ip -6 route show table local |"
		      " grep -q ^local.2001:db8::2; do :; done'") != 0) {
		printf("1..0 # SKIP needs root and network namespaces\n");
		return 0;
	}
	if (!open_echo()) {
		printf("Bail out! cannot open a socket\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
