/*
 * The kernel plane's SPD entries at work between two routers. ESP is not
 * needed: a pair that is required and has no SA is closed with or without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "sidecar/xfrm.h"
#include "tests/unit/routers.h"

enum { CHANGES = 1000 };

static void without_policies_all_passes(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 4; i++)
		assert_int_equal(try_between(world, i / 2, i % 2, 179,
					     SOON_MS), 0);
}

static void required_pair_without_sas_is_closed(void **state)
{
	struct world *world = *state;

	for (int closed = 0; closed < 2; closed++) {
		/* either end alone is enough */
		for (int family = 0; family < 2; family++)
			set(world, closed, family, PLANE_REQUIRE);
		for (int i = 0; i < 4; i++) {
			assert_int_not_equal(try_between(world, i / 2, i % 2,
							 179, NEVER_MS), 0);
			assert_int_equal(try_between(world, i / 2, i % 2, 22,
						     SOON_MS), 0);
		}
		for (int family = 0; family < 2; family++)
			unset(world, closed, family, PLANE_REQUIRE);
	}
}

static void cleartext_is_counted_as_mismatch(void **state)
{
	struct world *world = *state;
	unsigned long before;

	set(world, 1, 0, PLANE_REQUIRE);
	enter(world, 1);
	before = xfrm_stat("XfrmInTmplMismatch");
	assert_int_equal(try_between(world, 0, 0, 179, NEVER_MS),
			 -ETIMEDOUT);
	enter(world, 1);
	assert_true(xfrm_stat("XfrmInTmplMismatch") > before);
}

static void off_leaves_a_pair_in_clear(void **state)
{
	struct world *world = *state;

	set_all(world, PLANE_REQUIRE);
	set_all(world, PLANE_OFF);
	set_all(world, PLANE_BLOCK_OTHERS);
	for (int i = 0; i < 4; i++)
		assert_int_equal(try_between(world, i / 2, i % 2, 179,
					     SOON_MS), 0);
}

static void strangers_are_blocked(void **state)
{
	struct world *world = *state;

	for (int family = 0; family < 2; family++)
		set(world, 1, family, PLANE_BLOCK_OTHERS);
	for (int family = 0; family < 2; family++) {
		assert_int_equal(try_between(world, family, 0, 179, NEVER_MS),
				 -ETIMEDOUT);
		/* an own attempt fails at once, not by time-out */
		assert_int_equal(try_between(world, family, 1, 179, NEVER_MS),
				 -EPERM);
		assert_int_equal(try_between(world, family, 0, 22, SOON_MS),
				 0);
		assert_int_equal(try_between(world, family, 1, 22, SOON_MS),
				 0);
	}
	set(world, 1, 0, PLANE_OFF);
	assert_int_equal(try_between(world, 0, 0, 179, SOON_MS), 0);
	unset(world, 1, 0, PLANE_OFF);
	assert_int_equal(try_between(world, 0, 0, 179, NEVER_MS),
			 -ETIMEDOUT);
}

/* A live clear connection is cut by OFF -> REQUIRE, entry by entry. */
static void require_cuts_a_clear_connection(void **state)
{
	struct connection connection;
	struct world *world = *state;

	set_all(world, PLANE_OFF);
	assert_int_equal(open_connection(world, addresses[0][0],
					 addresses[0][1], 0, 179, SOON_MS,
					 &connection), 0);
	assert_alive(&connection);
	set(world, 1, 0, PLANE_REQUIRE);
	assert_false(carries(connection.client, connection.server, "x",
			     NEVER_MS));
	drop_connection(&connection);
}

/* TCP segments that the present namespace has received. */
static unsigned long tcp_segments(void)
{
	FILE *file = fopen("/proc/self/net/snmp", "r");
	unsigned long value = 0;
	char line[512];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Tcp: %*d %*d %*d %*d %*d %*d %*d %*d %*d %lu",
			   &value) == 1)
			break;
	fclose(file);
	return value;
}

/* In a process of its own: attempts without end, each told by a byte. */
static pid_t keep_connecting(struct world *world, int told)
{
	pid_t pid;
	int fd;

	enter(world, 0);
	pid = fork();
	if (pid != 0)
		return pid;
	for (;;) {
		fd = make_socket(addresses[0][0], 0, SOCK_STREAM);
		start_connect(fd, addresses[0][1], 179);
		close(fd);
		if (write(told, "c", 1) != 1)
			_exit(1);
	}
}

/* An entry that changes is never missing: with another reqid each time, and
 * no SA for any, not one SYN gets out. */
static void a_changing_entry_leaves_no_gap(void **state)
{
	struct xfrm_entry entries[XFRM_MAX_ENTRIES];
	struct plane_policy policy = { .type = PLANE_REQUIRE };
	struct world *world = *state;
	struct netlink *netlink;
	unsigned long before;
	int told[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	enter(world, 1);
	before = tcp_segments();
	enter(world, 0);
	assert_int_equal(netlink_open(NETLINK_XFRM, &netlink), 0);
	set(world, 0, 0, PLANE_REQUIRE);
	pid = keep_connecting(world, told[1]);
	assert_true(pid > 0);
	policy.pair = pair_at(0, 0);
	for (uint32_t slot = 1; slot <= CHANGES; slot++) {
		assert_int_equal(read(told[0], &byte, 1), 1);
		xfrm_policy_entries(&policy, slot, entries);
		for (int i = 0; i < XFRM_MAX_ENTRIES; i++)
			assert_int_equal(xfrm_entry_put(netlink, &entries[i],
							true), 0);
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(told[0]);
	close(told[1]);
	netlink_close(netlink);
	enter(world, 1);
	assert_int_equal(tcp_segments(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROUTERS_TEST(without_policies_all_passes),
		ROUTERS_TEST(required_pair_without_sas_is_closed),
		ROUTERS_TEST(cleartext_is_counted_as_mismatch),
		ROUTERS_TEST(off_leaves_a_pair_in_clear),
		ROUTERS_TEST(strangers_are_blocked),
		ROUTERS_TEST(require_cuts_a_clear_connection),
		ROUTERS_TEST(a_changing_entry_leaves_no_gap),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}
