/* The two ports of IKE and the marker on the second, over loopback in a
 * network namespace of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdbool.h>

#include "netns.h"
#include "policy/address.h"
#include "sidecar/udp.h"

static struct event_base *base;
static struct udp *udp;
static struct in6_addr local;
static struct udp_datagram got;
static uint8_t got_data[64];
static int got_count;

static void take(void *ctx, const struct udp_datagram *datagram)
{
	(void)ctx;
	got = *datagram;
	assert_true(datagram->len <= sizeof(got_data));
	memcpy(got_data, datagram->data, datagram->len);
	got_count++;
}

static int setup(void **state)
{
	(void)state;
	got_count = 0;
	base = event_base_new();
	return udp_open(base, &local, take, NULL, &udp);
}

static int teardown(void **state)
{
	(void)state;
	udp_close(udp);
	event_base_free(base);
	return 0;
}

/* A socket of the peer's, connected to one of ours. */
static int peer(uint16_t port)
{
	struct sockaddr_storage to;
	socklen_t len = address_to_sockaddr(&local, port, &to);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, len), 0);
	return fd;
}

static void deliver(uint16_t port, const void *data, size_t len)
{
	int fd = peer(port);

	assert_int_equal(send(fd, data, len, 0), len);
	event_base_loop(base, EVLOOP_NONBLOCK);
	close(fd);
}

static void port_500_is_plain(void **state)
{
	(void)state;
	deliver(500, "\0\0\0\0ike", 7);
	assert_int_equal(got_count, 1);
	assert_int_equal(got.local_port, 500);
	assert_int_equal(got.len, 7);
	assert_true(address_equal(&got.local, &local));
}

static void port_4500_has_a_marker(void **state)
{
	(void)state;
	deliver(4500, "\0\0\0\0ike", 7);
	assert_int_equal(got_count, 1);
	assert_int_equal(got.local_port, 4500);
	assert_int_equal(got.len, 3);
	assert_memory_equal(got_data, "ike", 3);
}

static void what_is_not_ike_on_4500_is_ignored(void **state)
{
	(void)state;
	deliver(4500, "\xff", 1);		/* keepalive */
	deliver(4500, "", 0);
	deliver(4500, "\0\0\0", 3);
	deliver(4500, "\0\0\1\0esp", 7);	/* an SPI */
	assert_int_equal(got_count, 0);
}

static void sending_adds_the_marker(void **state)
{
	char data[16];
	int fd = peer(4500);
	struct sockaddr_in from;
	socklen_t len = sizeof(from);

	(void)state;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&from, &len), 0);
	assert_int_equal(udp_send(udp, 4500, &local, ntohs(from.sin_port),
				  (const uint8_t *)"ike", 3), 0);
	assert_int_equal(recv(fd, data, sizeof(data), MSG_DONTWAIT), 7);
	assert_memory_equal(data, "\0\0\0\0ike", 7);
	close(fd);
	fd = peer(500);
	len = sizeof(from);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&from, &len), 0);
	assert_int_equal(udp_send(udp, 500, &local, ntohs(from.sin_port),
				  (const uint8_t *)"ike", 3), 0);
	assert_int_equal(recv(fd, data, sizeof(data), MSG_DONTWAIT), 3);
	close(fd);
}

static void an_address_that_is_not_here_fails(void **state)
{
	struct in6_addr elsewhere;
	struct udp *none = NULL;

	(void)state;
	assert_true(address_parse("192.0.2.77", &elsewhere));
	assert_int_equal(udp_open(base, &elsewhere, take, NULL, &none),
			 -EADDRNOTAVAIL);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(port_500_is_plain),
		T(port_4500_has_a_marker),
		T(what_is_not_ike_on_4500_is_ignored),
		T(sending_adds_the_marker),
		T(an_address_that_is_not_here_fails),
	};

	if (!address_parse("127.0.0.1", &local))
		return 1;
	if (!netns_fresh() || netns_run("ip link set lo up") != 0)
		return 1;
	return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
