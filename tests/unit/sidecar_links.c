/* links.c in a network namespace of its own. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "sidecar/links.h"

enum { PATIENCE_MS = 10000 };

/* What was told, newest last. */
static struct event {
	unsigned ifindex;
	char name[IFNAMSIZ];
	bool present;
} events[4096];
static size_t count;

static struct links *links;

static void on_change(void *ctx, unsigned ifindex, const char *name,
		      bool present)
{
	assert_ptr_equal(ctx, &links);
	assert_true(count < sizeof(events) / sizeof(events[0]));
	events[count].ifindex = ifindex;
	events[count].present = present;
	snprintf(events[count].name, IFNAMSIZ, "%s", name);
	count++;
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* How often was this told? */
static size_t told(const char *name, bool present)
{
	size_t times = 0;

	for (size_t i = 0; i < count; i++)
		times += events[i].present == present &&
			 strcmp(events[i].name, name) == 0;
	return times;
}

/* Read until it has been told, or fail. */
static void wait_for(const char *name, bool present)
{
	struct pollfd fd = { .fd = links_fd(links), .events = POLLIN };

	while (!told(name, present)) {
		if (poll(&fd, 1, PATIENCE_MS) != 1)
			fail_msg("%s: never told", name);
		assert_int_equal(links_read(links), 0);
	}
}

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	run("ip link set lo up && ip link add first type veth peer name second");
	count = 0;
	assert_int_equal(links_open(&links, on_change, &links), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	links_close(links);
	links = NULL;
	return 0;
}

static void test_dump(void **state)
{
	(void)state;
	assert_int_equal(count, 0);
	assert_int_equal(links_dump(links), 0);
	assert_int_equal(count, 2);
	assert_int_equal(told("first", true), 1);
	assert_int_equal(told("second", true), 1);
	assert_int_equal(told("lo", true), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(events[i].ifindex,
				 if_nametoindex(events[i].name));
	/* a dump tells all, every time */
	assert_int_equal(links_dump(links), 0);
	assert_int_equal(count, 4);
}

static void test_nothing_to_read(void **state)
{
	(void)state;
	assert_int_equal(links_dump(links), 0);
	count = 0;
	assert_int_equal(links_read(links), 0);
	assert_int_equal(count, 0);
}

static void test_come_and_go(void **state)
{
	(void)state;
	assert_int_equal(links_dump(links), 0);
	count = 0;
	run("ip link add third type veth peer name fourth");
	wait_for("third", true);
	wait_for("fourth", true);
	assert_int_equal(told("third", false), 0);
	run("ip link del third");
	wait_for("third", false);
	wait_for("fourth", false);
}

static void test_rename(void **state)
{
	unsigned ifindex = if_nametoindex("first");

	(void)state;
	assert_int_equal(links_dump(links), 0);
	count = 0;
	run("ip link set first name another");
	wait_for("another", true);
	assert_int_equal(count, 1);
	assert_int_equal(events[0].ifindex, ifindex);
}

/* Up, down, address: not worth a word. */
static void test_no_noise(void **state)
{
	(void)state;
	assert_int_equal(links_dump(links), 0);
	count = 0;
	run("ip link set first up && ip link set first down && "
	    "ip link set first mtu 1400 && ip link add last type veth peer name p");
	wait_for("last", true);
	assert_int_equal(told("first", true), 0);
	assert_int_equal(told("first", false), 0);
}

/* A port that leaves a bridge is not an interface that is gone. */
static void test_bridge_port(void **state)
{
	(void)state;
	run("ip link add br0 type bridge");
	assert_int_equal(links_dump(links), 0);
	run("ip link set first master br0 && ip link set first nomaster && "
	    "ip link add last type veth peer name p");
	wait_for("last", true);
	assert_int_equal(told("first", false), 0);
}

/* One that moves to another namespace is. */
static void test_moved_away(void **state)
{
	(void)state;
	assert_int_equal(links_dump(links), 0);
	run("ip netns add wl_$PPID && ip link set first netns wl_$PPID");
	wait_for("first", false);
	run("ip netns del wl_$PPID");
}

/* More changes than the socket holds: nothing is missed in the end. */
static void test_overrun(void **state)
{
	int tiny = 1;
	char name[IFNAMSIZ];

	(void)state;
	assert_int_equal(setsockopt(links_fd(links), SOL_SOCKET, SO_RCVBUF,
				    &tiny, sizeof(tiny)), 0);
	assert_int_equal(links_dump(links), 0);
	count = 0;
	run("for i in 0 1 2 3 4 5 6 7; do "
	    "ip link add a$i type veth peer name b$i || exit 1; done; "
	    "ip link del first");
	wait_for("first", false);
	wait_for("second", false);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "a%d", i);
		wait_for(name, true);
		snprintf(name, sizeof(name), "b%d", i);
		wait_for(name, true);
	}
	/* told anew: the overrun did happen */
	assert_true(told("a0", true) + told("b0", true) >= 2);
}

/* A list longer than one datagram. */
static void test_many(void **state)
{
	(void)state;
	run("i=0; while [ $i -lt 100 ]; do "
	    "echo link add m$i type veth peer name n$i; i=$((i + 1)); "
	    "done | ip -batch -");
	assert_int_equal(links_dump(links), 0);
	assert_int_equal(count, 202);
	assert_int_equal(told("m99", true), 1);
	assert_int_equal(told("n0", true), 1);
}

static void test_close_nothing(void **state)
{
	(void)state;
	links_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dump),
		TEST(test_nothing_to_read),
		TEST(test_come_and_go),
		TEST(test_rename),
		TEST(test_no_noise),
		TEST(test_bridge_port),
		TEST(test_moved_away),
		TEST(test_overrun),
		TEST(test_many),
		cmocka_unit_test(test_close_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
