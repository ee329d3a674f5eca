/* The user plane's packets, from TCP to ESP and back: what goes through, and
 * what is dropped and counted. */
#include "tests/unit/user_packets.h"

#include "sidecar/checksum.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
