/* The calls to the plane process: what they do to its SAD, and what the caller
 * makes of a process that is of another version, late or stands still. */
#include "tests/unit/user_sides.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "sidecar/user_client.h"
#include "sidecar/user_device.h"

/* ----------------------------------------------------------------- the SAD */

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
		cmocka_unit_test_setup_teardown(test_random_requests, setup,
						teardown),
		cmocka_unit_test(test_old_process),
		cmocka_unit_test(test_late_reply),
		cmocka_unit_test(test_full_queue),
	};

	if (!make_network()) {
		printf("1..0 # SKIP needs root and network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
