/*
 * The classifier, packet by packet, in the running kernel: packets with the
 * verdict that is expected, run by BPF_PROG_TEST_RUN. After every packet all
 * counters are compared, so that a drop counts once, for the right reason, in
 * the right slot, and nowhere else.
 *
 * Not here: a packet that comes out of an SA (bpf_skb_get_xfrm_state). A test
 * run cannot make one; the scenarios in the virtual machine do.
 */
#ifndef TESTS_BPF_TEST_RUN_H
#define TESTS_BPF_TEST_RUN_H

#include "tests/bpf/rig.h"

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>

#include "bpf/clsact.h"

#define PASS (-1)
#define PORTS(source, destination) ((uint32_t)(source) << 16 | (destination))
#define KNOWN_SPI 0	/* stands for the family's own */

enum { IN, OUT };

static struct guard *guard;
static int programs[2];		/* of IN and OUT */

/* ----------------------------------------------------------------- counters */

/* Every slot of the cast: pairs, then locals. */
static const struct slot {
	enum who local;
	int peer;	/* -1: the local's own */
} slots[] = {
	{ ROUTER, PEER }, { ROUTER, CLEAR }, { OPEN, PEER },
	{ ROUTER, -1 }, { OPEN, -1 },
};

enum { SLOTS = sizeof(slots) / sizeof(slots[0]) };

struct snapshot {
	uint64_t drops[FAMILIES][SLOTS][CLASSIFIER_REASON_COUNT];
};

static inline void take(struct snapshot *snapshot)
{
	for (int family = 0; family < FAMILIES; family++) {
		for (int i = 0; i < SLOTS; i++) {
			struct in6_addr local = address(family, slots[i].local);
			struct in6_addr peer;

			if (slots[i].peer >= 0)
				peer = address(family, slots[i].peer);
			assert_int_equal(guard_counters(guard, &local,
				slots[i].peer >= 0 ? &peer : NULL,
				snapshot->drops[family][i]), 0);
		}
	}
}

/* The slot that a drop between these two is counted in. */
static inline int slot_of(enum who local, enum who peer)
{
	int own = -1;

	for (int i = 0; i < SLOTS; i++) {
		if (slots[i].local == local && slots[i].peer == (int)peer)
			return i;
		if (slots[i].local == local && slots[i].peer < 0)
			own = i;
	}
	return own;
}

/* -------------------------------------------------------------- one packet */

static inline int run_program(int fd, const void *data, size_t len, int repeat,
			      uint32_t *ret_ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data,
		    .data_size_in = (uint32_t)len, .repeat = repeat);
	int err = bpf_prog_test_run_opts(fd, &opts);

	if (err)
		fail_msg("test run of %zu bytes: %s", len, strerror(-err));
	if (ret_ns)
		*ret_ns = opts.duration;
	return (int)opts.retval;
}

struct expectation {
	int reason;	/* PASS, or an enum classifier_reason */
	int family, slot;
};

static inline void check(const char *name, int direction,
			 const struct frame *frame, size_t len,
			 struct expectation expected)
{
	struct snapshot before, after;
	int verdict;

	take(&before);
	verdict = run_program(programs[direction], frame->bytes, len, 1, NULL);
	take(&after);
	if (verdict != (expected.reason == PASS ? TC_ACT_UNSPEC : TC_ACT_SHOT))
		fail_msg("%s, %zu bytes: verdict %d, expected %s", name, len,
			 verdict, expected.reason == PASS ? "pass" :
			 guard_reason_name(expected.reason));
	if (expected.reason != PASS)
		before.drops[expected.family][expected.slot]
			    [expected.reason]++;
	if (memcmp(&before, &after, sizeof(before)) != 0)
		fail_msg("%s, %zu bytes: not counted as %s alone", name, len,
			 expected.reason == PASS ? "nothing" :
			 guard_reason_name(expected.reason));
}

/* -------------------------------------------------------------------- rows */

/* A packet, of either family. */
struct row {
	const char *name;
	int direction;
	enum who source, destination;
	uint8_t protocol;
	uint32_t word;		/* ports or SPI */
	int reason;
};

static const struct row bgp_in = {
	"BGP", IN, PEER, ROUTER, IPPROTO_TCP, PORTS(40000, 179),
	CLASSIFIER_CLEARTEXT_IN
};
static const struct row ssh_in = {
	"ssh", IN, PEER, ROUTER, IPPROTO_TCP, PORTS(40000, 22), PASS
};
static const struct row stranger_in = {
	"stranger", IN, STRANGER, ROUTER, IPPROTO_TCP, PORTS(40000, 179),
	CLASSIFIER_NOT_A_PEER
};
static const struct row bgp_out = {
	"BGP out", OUT, ROUTER, PEER, IPPROTO_TCP, PORTS(40000, 179),
	CLASSIFIER_CLEARTEXT_OUT
};

static inline struct expectation expect(const struct row *row, int family,
					int reason)
{
	bool in = row->direction == IN;
	struct expectation expected = {
		.reason = reason,
		.family = family,
		.slot = slot_of(in ? row->destination : row->source,
				in ? row->source : row->destination),
	};

	return expected;
}

static inline void make(struct frame *frame, const struct row *row, int family,
			int tags)
{
	uint32_t word = row->word;

	if (row->protocol == IPPROTO_ESP && word == KNOWN_SPI)
		word = family == IPV4 ? SPI_IPV4 : SPI_IPV6;
	memset(frame, 0, sizeof(*frame));
	put_link(frame, family, tags);
	put_network(frame, family, row->source, row->destination,
		    row->protocol);
	put_upper(frame, word);
	seal(frame);
}

/* A test run takes no IP packet without a whole IP header, unless a VLAN tag
 * hides it. (attach.c sends such over a real device.) */
static inline size_t shortest(int family, int tags)
{
	return tags ? ETH_HLEN + 1 : ETH_HLEN + (family == IPV4 ? 20 : 40);
}

/* ------------------------------------------------------------------ set-up */

static inline int open_all(void **state)
{
	struct clsact_view in, out;
	unsigned ifindex;

	(void)state;
	enter_netns();
	ifindex = make_veth("wc0", "wc1");
	assert_int_equal(guard_open(&guard), 0);
	assert_int_equal(guard_attach(guard, ifindex), 0);
	assert_int_equal(clsact_read(ifindex, BPF_TC_INGRESS, &in), 0);
	assert_int_equal(clsact_read(ifindex, BPF_TC_EGRESS, &out), 0);
	programs[IN] = bpf_prog_get_fd_by_id(in.program_id);
	programs[OUT] = bpf_prog_get_fd_by_id(out.program_id);
	assert_true(programs[IN] >= 0 && programs[OUT] >= 0);
	populate(guard);
	return 0;
}

static inline int close_all(void **state)
{
	(void)state;
	guard_close(guard);
	return 0;
}

#endif
