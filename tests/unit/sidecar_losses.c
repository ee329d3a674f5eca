/* losses.c in a network namespace of its own: what is of ours, and what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "sidecar/losses.h"
#include "tests/unit/netns.h"

static struct losses *losses;

static int set_up(void **state)
{
	(void)state;
	assert_true(netns_fresh());
	assert_int_equal(netns_run("ip link set lo up"), 0);
	assert_int_equal(losses_open(&losses), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	losses_close(losses);
	losses = NULL;
	return 0;
}

/* The kernel has told of a change when the command that made it ends. */
static enum loss loss_by(const char *command)
{
	assert_int_equal(netns_run("%s", command), 0);
	return losses_read(losses);
}

static bool lost_by(const char *command)
{
	const enum loss loss = loss_by(command);

	assert_int_not_equal(loss, LOSS_BY_OTHERS);
	return loss != LOSS_NONE;
}

#define OUR_RULE "from 192.0.2.1 ipproto tcp dport 179 lookup 17900 pref 1"
#define OUR_RULE6 "from 2001:db8::1 ipproto tcp dport 179 lookup 17900 pref 1"

static void test_rules(void **state)
{
	(void)state;
	assert_false(lost_by("ip rule add " OUR_RULE));
	assert_false(lost_by("ip rule add lookup 100 pref 100"));
	assert_false(lost_by("ip rule del pref 100"));
	assert_true(lost_by("ip rule del " OUR_RULE));
	assert_false(losses_read(losses));
	assert_false(lost_by("ip -6 rule add " OUR_RULE6));
	assert_true(lost_by("ip -6 rule flush"));
}

static void test_routes(void **state)
{
	(void)state;
	assert_int_equal(netns_run("ip link add d0 type bridge && "
				   "ip link set d0 up"), 0);
	for (int family = 4; family <= 6; family += 2) {
		char command[256];
		const char *peer = family == 4 ? "192.0.2.2" : "2001:db8::2";
#define ROUTE(format) (snprintf(command, sizeof(command), "ip -%d route " \
				format, family, peer), command)

		assert_false(lost_by(ROUTE("add %s dev d0 table 17900 "
					   "proto 179")));
		assert_false(lost_by(ROUTE("add unreachable %s table 17901 "
					   "proto 179")));
		/* another's, in our table or elsewhere */
		assert_false(lost_by(ROUTE("add %s dev d0 table 17900 "
					   "proto 12 metric 7")));
		assert_false(lost_by(ROUTE("del %s table 17900 proto 12")));
		assert_false(lost_by(ROUTE("add %s dev d0 proto 179")));
		assert_false(lost_by(ROUTE("del %s proto 179")));
		assert_true(lost_by(ROUTE("del %s table 17901")));
		assert_true(lost_by(ROUTE("flush table 17900 # %s")));
	}
}

static void change_routes(const char *what, const char *protocol)
{
	assert_int_equal(netns_run("for i in $(seq 24); do "
				   "seq -f 'route %s 10.'$i'.%%g.0/24 dev lo "
				   "proto %s table 100' 250; done | "
				   "ip -batch -", what, protocol), 0);
}

/* A full table that comes and goes is not even put into the socket. */
static void test_full_table(void **state)
{
	(void)state;
	change_routes("add", "bird");
	change_routes("del", "bird");
	assert_false(losses_read(losses));
	/* the control: deletions of our protocol are, more than it takes */
	change_routes("add", "179");
	assert_false(losses_read(losses));
	change_routes("del", "179");
	assert_true(losses_read(losses));
}

static void test_device(void **state)
{
	(void)state;
	assert_false(lost_by("ip link add other type bridge && "
			     "ip link set other up && ip link del other"));
	assert_true(lost_by("ip link add bgpward0 type bridge"));
	assert_false(lost_by("ip link set bgpward0 up"));
	assert_true(lost_by("ip link set bgpward0 down"));
	assert_true(lost_by("ip link del bgpward0"));
}

static void test_reverse_path(void **state)
{
	(void)state;
	assert_false(lost_by("sysctl -qw net.ipv4.conf.all.rp_filter=0"));
	assert_false(lost_by("sysctl -qw net.ipv4.conf.all.rp_filter=1"));
	assert_int_equal(netns_run("ip link add bgpward0 type bridge"), 0);
	losses_read(losses);
	assert_false(lost_by("sysctl -qw net.ipv4.conf.lo.rp_filter=1"));
	assert_false(lost_by("sysctl -qw net.ipv4.conf.all.rp_filter=0"));
	assert_true(lost_by("sysctl -qw net.ipv4.conf.all.rp_filter=1"));
	assert_false(lost_by("sysctl -qw net.ipv4.conf.bgpward0.rp_filter=0"));
	assert_true(lost_by("sysctl -qw net.ipv4.conf.bgpward0.rp_filter=2"));
}

#define POLICY(selector) "src 192.0.2.2 dst 192.0.2.1 proto tcp " selector \
	" dir in"

static void test_policies(void **state)
{
	(void)state;
	assert_false(lost_by("ip xfrm policy add " POLICY("dport 22")
			     " action allow"));
	assert_false(lost_by("ip xfrm policy del " POLICY("dport 22")));
	assert_false(lost_by("ip xfrm policy add " POLICY("dport 179")
			     " action allow"));
	assert_true(lost_by("ip xfrm policy del " POLICY("dport 179")));
	assert_false(lost_by("ip xfrm policy add " POLICY("sport 179")
			     " action allow"));
	assert_int_equal(loss_by("ip xfrm policy flush"), LOSS_BY_OTHERS);
	/* the worst of all that was told counts */
	assert_int_equal(loss_by("ip xfrm policy add " POLICY("dport 179")
				 " action allow && ip xfrm policy flush && "
				 "ip rule add " OUR_RULE " && ip rule del "
				 OUR_RULE " && ip xfrm policy add "
				 POLICY("dport 179") " action allow && "
				 "ip xfrm policy del " POLICY("dport 179")),
			 LOSS_BY_OTHERS);
}

static void test_filters(void **state)
{
	(void)state;
	assert_false(lost_by("ip link add d0 type bridge && "
			     "tc qdisc add dev d0 clsact"));
	assert_true(lost_by("tc qdisc del dev d0 clsact"));
	assert_false(lost_by("tc qdisc add dev d0 ingress"));
	assert_true(lost_by("tc qdisc del dev d0 ingress"));
	assert_false(lost_by("tc qdisc add dev d0 root pfifo && "
			     "tc qdisc del dev d0 root"));
	assert_false(lost_by("tc qdisc add dev d0 clsact && "
			     "for p in 1 7; do tc filter add dev d0 egress "
			     "pref $p protocol ip u32 match u32 0 0; done"));
	assert_false(lost_by("tc filter del dev d0 egress pref 7"));
	assert_true(lost_by("tc filter del dev d0 egress pref 1"));
	assert_false(lost_by("tc filter add dev d0 ingress pref 1 protocol ip "
			     "u32 match u32 0 0"));
	assert_true(lost_by("tc filter del dev d0 ingress"));
	/* with their interface */
	assert_false(lost_by("tc filter add dev d0 ingress pref 1 protocol ip "
			     "u32 match u32 0 0 && ip link del d0"));
}

/* More than the socket's buffer takes: what was lost there may be of ours. */
static void test_too_much(void **state)
{
	(void)state;
	assert_true(lost_by("for i in $(seq 6000); do echo rule add "
			    "lookup 100 pref $i; done | ip -batch - && "
			    "for i in $(seq 6000); do echo rule del pref $i; "
			    "done | ip -batch -"));
	assert_false(losses_read(losses));
}

static void test_nothing(void **state)
{
	(void)state;
	losses_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rules),
		TEST(test_routes),
		TEST(test_full_table),
		TEST(test_device),
		TEST(test_reverse_path),
		TEST(test_policies),
		TEST(test_filters),
		TEST(test_too_much),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
