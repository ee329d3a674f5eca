/*
 * The classifier's maps as the guard fills them: packets before and after a
 * pair, a local, an SPI or the user plane's device changes; limits and
 * refusals.
 */
#include "tests/bpf/test_run.h"

#include <errno.h>

static int verdict_of(const struct row *row, int family)
{
	struct frame frame;

	make(&frame, row, family, 0);
	return run_program(programs[row->direction], frame.bytes, frame.len, 1,
			   NULL);
}

static void test_pair_changes(void **state)
{
	const uint32_t reqid[2] = { 1, 2 };
	struct in6_addr local = address(IPV4, ROUTER);
	struct in6_addr peer = address(IPV4, STRANGER);
	uint64_t drops[CLASSIFIER_REASON_COUNT];

	(void)state;
	assert_int_equal(verdict_of(&stranger_in, IPV4), TC_ACT_SHOT);
	assert_int_equal(guard_set_pair(guard, &local, &peer, CLASSIFIER_OFF,
					reqid), 0);
	assert_int_equal(verdict_of(&stranger_in, IPV4), TC_ACT_UNSPEC);
	assert_int_equal(guard_set_pair(guard, &local, &peer,
					CLASSIFIER_REQUIRE, reqid), 0);
	assert_int_equal(verdict_of(&stranger_in, IPV4), TC_ACT_SHOT);
	assert_int_equal(verdict_of(&stranger_in, IPV4), TC_ACT_SHOT);
	/* setting again keeps the counters */
	assert_int_equal(guard_set_pair(guard, &local, &peer, CLASSIFIER_OFF,
					reqid), 0);
	assert_int_equal(guard_counters(guard, &local, &peer, drops), 0);
	assert_int_equal(drops[CLASSIFIER_CLEARTEXT_IN], 2);
	/* deleting gives the slot back, and the next owner begins at 0 */
	assert_int_equal(guard_delete_pair(guard, &local, &peer), 0);
	assert_int_equal(guard_delete_pair(guard, &local, &peer), 0);
	assert_int_equal(guard_counters(guard, &local, &peer, drops), -ENOENT);
	assert_int_equal(verdict_of(&stranger_in, IPV4), TC_ACT_SHOT);
	assert_int_equal(guard_set_pair(guard, &local, &peer, CLASSIFIER_OFF,
					reqid), 0);
	assert_int_equal(guard_counters(guard, &local, &peer, drops), 0);
	for (int i = 0; i < CLASSIFIER_REASON_COUNT; i++)
		assert_int_equal(drops[i], 0);
	assert_int_equal(guard_delete_pair(guard, &local, &peer), 0);
}

static void test_local_changes(void **state)
{
	static const struct row fresh = {
		"fresh", IN, STRANGER, UNPROTECTED, IPPROTO_TCP,
		PORTS(1, 179), PASS
	};
	struct in6_addr local = address(IPV6, UNPROTECTED);
	uint64_t drops[CLASSIFIER_REASON_COUNT];

	(void)state;
	assert_int_equal(verdict_of(&fresh, IPV6), TC_ACT_UNSPEC);
	assert_int_equal(guard_set_local(guard, &local, true), 0);
	assert_int_equal(verdict_of(&fresh, IPV6), TC_ACT_SHOT);
	assert_int_equal(guard_set_local(guard, &local, false), 0);
	assert_int_equal(verdict_of(&fresh, IPV6), TC_ACT_UNSPEC);
	assert_int_equal(guard_counters(guard, &local, NULL, drops), 0);
	assert_int_equal(drops[CLASSIFIER_NOT_A_PEER], 1);
	assert_int_equal(guard_delete_local(guard, &local), 0);
	assert_int_equal(guard_delete_local(guard, &local), 0);
	assert_int_equal(guard_counters(guard, &local, NULL, drops), -ENOENT);
	assert_int_equal(verdict_of(&fresh, IPV6), TC_ACT_UNSPEC);
}

static void test_spi_changes(void **state)
{
	static const struct row esp = {
		"ESP", IN, PEER, ROUTER, IPPROTO_ESP, 0xabcdef01, PASS
	};

	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		struct in6_addr local = address(family, ROUTER);
		struct in6_addr peer = address(family, PEER);

		assert_int_equal(verdict_of(&esp, family), TC_ACT_SHOT);
		assert_int_equal(guard_add_spi(guard, &local, &peer,
					       0xabcdef01), 0);
		assert_int_equal(guard_add_spi(guard, &local, &peer,
					       0xabcdef01), 0);
		assert_int_equal(verdict_of(&esp, family), TC_ACT_UNSPEC);
		assert_int_equal(guard_delete_spi(guard, &local, &peer,
						  0xabcdef01), 0);
		assert_int_equal(guard_delete_spi(guard, &local, &peer,
						  0xabcdef01), 0);
		assert_int_equal(verdict_of(&esp, family), TC_ACT_SHOT);
	}
}

/* The mark of a packet after the program, and its verdict. */
static uint32_t mark_after(int direction, const struct frame *frame,
			   int *ret_verdict)
{
	struct __sk_buff after = { .mark = 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes,
		    .data_size_in = (uint32_t)frame->len, .repeat = 1,
		    .ctx_out = &after, .ctx_size_out = sizeof(after));

	assert_int_equal(bpf_prog_test_run_opts(programs[direction], &opts), 0);
	*ret_verdict = (int)opts.retval;
	return after.mark;
}

/* On the user plane's device BGP passes, and gets its mark coming in. A test
 * run is on lo unless told otherwise: so that is the device. */
static void test_plane(void **state)
{
	static const struct row bgp[] = {
		{ "in", IN, PEER, ROUTER, IPPROTO_TCP, PORTS(40000, 179),
		  PASS },
		{ "out", OUT, ROUTER, PEER, IPPROTO_TCP, PORTS(179, 40000),
		  PASS },
	};
	const unsigned lo = if_nametoindex("lo");
	struct frame frame;
	int verdict;

	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		for (int i = 0; i < 2; i++) {
			const uint32_t mark = i == IN ? CLASSIFIER_PLANE_MARK :
							0;

			make(&frame, &bgp[i], family, 0);
			assert_int_equal(guard_set_plane(guard, lo + 7), 0);
			assert_int_equal(mark_after(i, &frame, &verdict), 0);
			assert_int_equal(verdict, TC_ACT_SHOT);
			assert_int_equal(guard_set_plane(guard, lo), 0);
			assert_int_equal(mark_after(i, &frame, &verdict), mark);
			assert_int_equal(verdict, TC_ACT_UNSPEC);
			assert_int_equal(guard_set_plane(guard, 0), 0);
			assert_int_equal(mark_after(i, &frame, &verdict), 0);
			assert_int_equal(verdict, TC_ACT_SHOT);
		}
	}
}

static void test_refusals(void **state)
{
	const uint32_t reqid[2] = { 1, 2 };
	struct in6_addr local = address(IPV4, ROUTER);
	struct in6_addr peer = address(IPV6, PEER);
	uint64_t drops[CLASSIFIER_REASON_COUNT] = { 7 };

	(void)state;
	assert_int_equal(guard_set_pair(guard, &local, &peer,
					CLASSIFIER_REQUIRE, reqid), -EINVAL);
	assert_int_equal(guard_counters(guard, &local, &peer, drops), -ENOENT);
	assert_int_equal(drops[0], 7);
}

/* The limits hold, a refused entry takes no slot, and all come back. */
static void test_limits(void **state)
{
	struct in6_addr local = address(IPV6, UNPROTECTED);
	struct in6_addr peer = address(IPV6, STRANGER);
	struct guard *other;
	int count = 0;

	(void)state;
	assert_int_equal(guard_open(&other), 0);
	for (int round = 0; round < 2; round++) {
		const uint32_t reqid[2] = { 1, 2 };

		for (count = 0; count <= CLASSIFIER_MAX_PAIRS; count++) {
			memcpy(&peer.s6_addr[8], &count, sizeof(count));
			if (guard_set_pair(other, &local, &peer,
					   CLASSIFIER_REQUIRE, reqid) != 0)
				break;
		}
		assert_int_equal(count, CLASSIFIER_MAX_PAIRS);
		for (int i = 0; i < CLASSIFIER_MAX_LOCALS; i++) {
			struct in6_addr address = local;

			address.s6_addr[8] = (uint8_t)i;
			assert_int_equal(guard_set_local(other, &address, true),
					 0);
			assert_int_equal(round ? 0 :
					 guard_delete_local(other, &address),
					 0);
		}
		for (count = 0; !round && count < CLASSIFIER_MAX_PAIRS;
		     count++) {
			memcpy(&peer.s6_addr[8], &count, sizeof(count));
			assert_int_equal(guard_delete_pair(other, &local,
							   &peer), 0);
		}
	}
	guard_close(other);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(guard_reason_name(CLASSIFIER_CLEARTEXT_IN),
			    "cleartext_in");
	assert_string_equal(guard_reason_name(CLASSIFIER_MALFORMED),
			    "malformed");
	assert_string_equal(guard_reason_name(CLASSIFIER_REASON_COUNT), "?");
	assert_non_null(guard_reason_sentence(CLASSIFIER_STRANGER_IKE));
	guard_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pair_changes),
		cmocka_unit_test(test_local_changes),
		cmocka_unit_test(test_spi_changes),
		cmocka_unit_test(test_plane),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
