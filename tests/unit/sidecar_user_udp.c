/* The user plane's ESP in UDP (RFC 3948): in runs of packets, beside bare ESP,
 * and beside IKE on one port. */
#include "tests/unit/user_packets.h"

#include "sidecar/udp_share.h"
#include "sidecar/user_arrival.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	if (!make_network()) {
		printf("1..0 # SKIP needs root and network namespaces\n");
		return 0;
	}
	if (!open_echo()) {
		printf("Bail out! cannot open a socket\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
