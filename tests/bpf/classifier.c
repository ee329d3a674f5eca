/*
 * The classifier, packet by packet, in the running kernel: tables of packets
 * with the verdict that is expected, run by BPF_PROG_TEST_RUN. After every
 * packet all counters are compared, so that a drop counts once, for the right
 * reason, in the right slot, and nowhere else.
 *
 * Not here: a packet that comes out of an SA (bpf_skb_get_xfrm_state). A test
 * run cannot make one; the scenarios in the virtual machine do.
 */
#include "tests/bpf/rig.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stdio.h>

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

static void take(struct snapshot *snapshot)
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
static int slot_of(enum who local, enum who peer)
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

static int run_program(int fd, const void *data, size_t len, int repeat,
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

static void check(const char *name, int direction, const struct frame *frame,
		  size_t len, struct expectation expected)
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

/* -------------------------------------------------- rows for both families */

struct row {
	const char *name;
	int direction;
	enum who source, destination;
	uint8_t protocol;
	uint32_t word;		/* ports or SPI */
	int reason;
};

static const struct row rows[] = {
	/* cleartext BGP of a pair: never, whatever the other port */
	{ "peer to our 179", IN, PEER, ROUTER, IPPROTO_TCP, PORTS(40000, 179), CLASSIFIER_CLEARTEXT_IN },
	{ "peer from its 179", IN, PEER, ROUTER, IPPROTO_TCP, PORTS(179, 40000), CLASSIFIER_CLEARTEXT_IN },
	{ "179 to 179", IN, PEER, ROUTER, IPPROTO_TCP, PORTS(179, 179), CLASSIFIER_CLEARTEXT_IN },
	{ "peer to open router", IN, PEER, OPEN, IPPROTO_TCP, PORTS(1, 179), CLASSIFIER_CLEARTEXT_IN },
	{ "we to peer's 179", OUT, ROUTER, PEER, IPPROTO_TCP, PORTS(40000, 179), CLASSIFIER_CLEARTEXT_OUT },
	{ "we from our 179", OUT, ROUTER, PEER, IPPROTO_TCP, PORTS(179, 40000), CLASSIFIER_CLEARTEXT_OUT },
	{ "open router to peer", OUT, OPEN, PEER, IPPROTO_TCP, PORTS(179, 2), CLASSIFIER_CLEARTEXT_OUT },
	/* a designated neighbour whose turn has not come */
	{ "mode off, in", IN, CLEAR, ROUTER, IPPROTO_TCP, PORTS(40000, 179), PASS },
	{ "mode off, back in", IN, CLEAR, ROUTER, IPPROTO_TCP, PORTS(179, 40000), PASS },
	{ "mode off, out", OUT, ROUTER, CLEAR, IPPROTO_TCP, PORTS(179, 40000), PASS },
	{ "mode off, ESP", IN, CLEAR, ROUTER, IPPROTO_ESP, 0x77777777, PASS },
	{ "mode off, IKE", IN, CLEAR, ROUTER, IPPROTO_UDP, PORTS(500, 500), PASS },
	/* BGP of others */
	{ "stranger to our 179", IN, STRANGER, ROUTER, IPPROTO_TCP, PORTS(5, 179), CLASSIFIER_NOT_A_PEER },
	{ "stranger from 179", IN, STRANGER, ROUTER, IPPROTO_TCP, PORTS(179, 22), CLASSIFIER_NOT_A_PEER },
	{ "stranger, others = allow", IN, STRANGER, OPEN, IPPROTO_TCP, PORTS(5, 179), PASS },
	{ "off towards another local", IN, CLEAR, OPEN, IPPROTO_TCP, PORTS(5, 179), PASS },
	{ "to an unprotected address", IN, STRANGER, UNPROTECTED, IPPROTO_TCP, PORTS(5, 179), PASS },
	{ "peer to an unprotected address", IN, PEER, UNPROTECTED, IPPROTO_TCP, PORTS(5, 179), PASS },
	{ "forwarded BGP, in", IN, STRANGER, PEER, IPPROTO_TCP, PORTS(5, 179), PASS },
	{ "forwarded BGP, out", OUT, STRANGER, PEER, IPPROTO_TCP, PORTS(5, 179), PASS },
	{ "we to a stranger's 179", OUT, ROUTER, STRANGER, IPPROTO_TCP, PORTS(5, 179), PASS },
	{ "reversed addresses, in", IN, ROUTER, PEER, IPPROTO_TCP, PORTS(5, 179), PASS },
	{ "reversed addresses, out", OUT, PEER, ROUTER, IPPROTO_TCP, PORTS(5, 179), PASS },
	/* what is not BGP travels as before */
	{ "ssh in", IN, PEER, ROUTER, IPPROTO_TCP, PORTS(40000, 22), PASS },
	{ "ssh out", OUT, ROUTER, PEER, IPPROTO_TCP, PORTS(22, 40000), PASS },
	{ "ssh of a stranger", IN, STRANGER, ROUTER, IPPROTO_TCP, PORTS(40000, 22), PASS },
	{ "port 178", IN, PEER, ROUTER, IPPROTO_TCP, PORTS(178, 180), PASS },
	{ "port 179 in the wrong byte", IN, PEER, ROUTER, IPPROTO_TCP, PORTS(179 << 8, 179 << 8), PASS },
	{ "UDP 179", IN, PEER, ROUTER, IPPROTO_UDP, PORTS(179, 179), PASS },
	{ "BFD", IN, PEER, ROUTER, IPPROTO_UDP, PORTS(49152, 4784), PASS },
	{ "ICMP", IN, PEER, ROUTER, IPPROTO_ICMP, 0x08000000, PASS },
	{ "ICMPv6", IN, PEER, ROUTER, IPPROTO_ICMPV6, 0x80000000, PASS },
	{ "OSPF", IN, PEER, ROUTER, 89, PORTS(179, 179), PASS },
	{ "SCTP 179", IN, PEER, ROUTER, IPPROTO_SCTP, PORTS(179, 179), PASS },
	{ "IP in IP", IN, PEER, ROUTER, IPPROTO_IPIP, 0x45000000, PASS },
	/* ESP */
	{ "SA's SPI", IN, PEER, ROUTER, IPPROTO_ESP, KNOWN_SPI, PASS },
	{ "SPI that no SA has", IN, PEER, ROUTER, IPPROTO_ESP, 0x01020305, CLASSIFIER_UNKNOWN_SPI },
	{ "SPI of another local", IN, PEER, OPEN, IPPROTO_ESP, KNOWN_SPI, CLASSIFIER_UNKNOWN_SPI },
	{ "another program's tunnel", IN, STRANGER, ROUTER, IPPROTO_ESP, 0x01020305, PASS },
	{ "ESP to an unprotected address", IN, PEER, UNPROTECTED, IPPROTO_ESP, 9, PASS },
	{ "ESP out", OUT, ROUTER, PEER, IPPROTO_ESP, 0x01020305, PASS },
	/* IKE */
	{ "IKE of the peer", IN, PEER, ROUTER, IPPROTO_UDP, PORTS(500, 500), PASS },
	{ "IKE of the peer behind a NAT", IN, PEER, ROUTER, IPPROTO_UDP, PORTS(61000, 4500), PASS },
	{ "IKE of a stranger", IN, STRANGER, ROUTER, IPPROTO_UDP, PORTS(500, 500), CLASSIFIER_STRANGER_IKE },
	{ "4500 of a stranger", IN, STRANGER, ROUTER, IPPROTO_UDP, PORTS(4500, 4500), CLASSIFIER_STRANGER_IKE },
	{ "IKE, others = allow", IN, STRANGER, OPEN, IPPROTO_UDP, PORTS(500, 500), CLASSIFIER_STRANGER_IKE },
	{ "IKE to an unprotected address", IN, STRANGER, UNPROTECTED, IPPROTO_UDP, PORTS(500, 500), PASS },
	{ "source port 500 alone", IN, STRANGER, ROUTER, IPPROTO_UDP, PORTS(500, 53), PASS },
	{ "TCP 500", IN, STRANGER, ROUTER, IPPROTO_TCP, PORTS(500, 500), PASS },
	{ "IKE out", OUT, ROUTER, STRANGER, IPPROTO_UDP, PORTS(500, 500), PASS },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct expectation expect(const struct row *row, int family, int reason)
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

static void make(struct frame *frame, const struct row *row, int family,
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

static void test_rows(void **state)
{
	struct frame frame;

	(void)state;
	for (int i = 0; i < ROWS; i++)
		for (int family = 0; family < FAMILIES; family++)
			for (int tags = 0; tags <= CLASSIFIER_MAX_TAGS; tags++) {
				make(&frame, &rows[i], family, tags);
				check(rows[i].name, rows[i].direction, &frame,
				      frame.len, expect(&rows[i], family,
							rows[i].reason));
			}
}

/* More tags than we look behind: the VLAN interface that removes one has a
 * classifier of its own. */
static void test_too_many_tags(void **state)
{
	struct frame frame;

	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		make(&frame, &rows[0], family, CLASSIFIER_MAX_TAGS + 1);
		check("three tags", IN, &frame, frame.len,
		      expect(&rows[0], family, PASS));
	}
}

/* ------------------------------------------------------------- cut packets */

static bool matters(const struct row *row)
{
	return row->protocol == IPPROTO_TCP || row->protocol == IPPROTO_UDP ||
	       row->protocol == IPPROTO_ESP;
}

/* What becomes of a packet that is cut where its first word should be. */
static int reason_if_cut(const struct row *row)
{
	bool in = row->direction == IN;
	enum who local = in ? row->destination : row->source;
	enum who peer = in ? row->source : row->destination;

	if (!matters(row) || (local != ROUTER && local != OPEN))
		return PASS;
	if (!in && (peer != PEER))
		return PASS;
	return CLASSIFIER_MALFORMED;
}

/* A test run takes no IP packet without a whole IP header, unless a VLAN tag
 * hides it. (attach.c sends such over a real device.) */
static size_t shortest(int family, int tags)
{
	return tags ? ETH_HLEN + 1 : ETH_HLEN + (family == IPV4 ? 20 : 40);
}

/*
 * Every packet above at every length. Without a whole IP header it is for
 * nobody (the kernel drops it) and passes; without ports or SPI it is
 * malformed; and from there on the verdict is that of the whole packet.
 */
static void test_cut_at_every_length(void **state)
{
	struct frame frame;

	(void)state;
	for (int i = 0; i < ROWS; i++)
		for (int n = 0; n < FAMILIES * 3; n++) {
			int family = n / 3;

			make(&frame, &rows[i], family, n % 3);
			for (size_t len = shortest(family, n % 3);
			     len < frame.len; len++)
				check(rows[i].name, rows[i].direction, &frame,
				      len, expect(&rows[i], family,
						  len < frame.upper ? PASS :
						  len < frame.upper + 4 ?
						  reason_if_cut(&rows[i]) :
						  rows[i].reason));
		}
}

/* The same by the IP header's own length, with bytes behind it (RFC 1858's
 * tiny fragment in an Ethernet frame that is padded). */
static void test_cut_by_ip_length(void **state)
{
	struct frame frame;

	(void)state;
	for (int i = 0; i < ROWS; i++) {
		for (int family = 0; family < FAMILIES; family++) {
			size_t whole;

			make(&frame, &rows[i], family, 0);
			whole = frame.len;
			for (int cut = 1; cut <= 4; cut++) {
				frame.len = frame.upper + cut;
				seal(&frame);
				check(rows[i].name, rows[i].direction, &frame,
				      whole, expect(&rows[i], family, cut < 4 ?
						    reason_if_cut(&rows[i]) :
						    rows[i].reason));
			}
		}
	}
}

/* Length 0 is a GSO packet's or a jumbogram's: the ports still count. */
static void test_length_zero(void **state)
{
	struct frame frame;

	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		make(&frame, &rows[0], family, 0);
		memset(frame.bytes + frame.network +
		       (family == IPV4 ? 2 : 4), 0, 2);
		check("length 0", IN, &frame, frame.len,
		      expect(&rows[0], family, rows[0].reason));
	}
}

/* ---------------------------------------------- port 4500 (RFC 3948 2) */

static const struct {
	const char *name;
	enum who source, destination;
	uint32_t ports, word;	/* the word behind the UDP header */
	int reason;
} port_4500[] = {
	{ "SA's SPI", PEER, ROUTER, PORTS(4500, 4500), KNOWN_SPI, PASS },
	{ "from another port", PEER, ROUTER, PORTS(1025, 4500), KNOWN_SPI, PASS },
	{ "SPI that no SA has", PEER, ROUTER, PORTS(4500, 4500), 0x01020305, CLASSIFIER_UNKNOWN_SPI },
	{ "SPI of another local", PEER, OPEN, PORTS(4500, 4500), KNOWN_SPI, CLASSIFIER_UNKNOWN_SPI },
	{ "reserved SPI", PEER, ROUTER, PORTS(4500, 4500), 1, CLASSIFIER_UNKNOWN_SPI },
	{ "mode off", CLEAR, ROUTER, PORTS(4500, 4500), 0x01020305, PASS },
	{ "SA's SPI from a stranger", STRANGER, ROUTER, PORTS(4500, 4500), KNOWN_SPI, CLASSIFIER_STRANGER_IKE },
	{ "others = allow", STRANGER, OPEN, PORTS(4500, 4500), 0x01020305, CLASSIFIER_STRANGER_IKE },
	{ "to an unprotected address", STRANGER, UNPROTECTED, PORTS(4500, 4500), 0x01020305, PASS },
	{ "from 4500 to elsewhere", PEER, ROUTER, PORTS(4500, 53), 0x01020305, PASS },
	{ "a cookie on port 500", PEER, ROUTER, PORTS(500, 500), 0x01020305, PASS },
};

enum { PORT_4500 = sizeof(port_4500) / sizeof(port_4500[0]) };

static const struct row *make_4500(struct frame *frame, size_t i, int family,
				   int tags)
{
	static struct row row;
	uint32_t word = htonl(port_4500[i].word);

	row = (struct row){ port_4500[i].name, IN, port_4500[i].source,
			    port_4500[i].destination, IPPROTO_UDP,
			    port_4500[i].ports, port_4500[i].reason };
	make(frame, &row, family, tags);
	if (port_4500[i].word == KNOWN_SPI)
		word = htonl(family == IPV4 ? SPI_IPV4 : SPI_IPV6);
	memcpy(frame->bytes + frame->upper + 8, &word, sizeof(word));
	return &row;
}

/* As a datagram, and as what the kernel makes of many of one flow: longer than
 * the frame, or of length 0. */
static void test_esp_in_udp(void **state)
{
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < PORT_4500; i++)
		for (int n = 0; n < FAMILIES * 3; n++) {
			int family = n / 3;
			const struct row *row = make_4500(&frame, i, family,
							  n % 3);
			struct expectation expected = expect(row, family,
							     row->reason);
			uint8_t *length = frame.bytes + frame.network +
				(family == IPV4 ? 2 : 4);

			check(row->name, IN, &frame, frame.len, expected);
			memcpy(length, "\xff\xf0", 2);
			check(row->name, IN, &frame, frame.len, expected);
			memcpy(length, "\0\0", 2);
			check(row->name, IN, &frame, frame.len, expected);
		}
}

/* What has no room for an SPI is a keepalive or nothing, and IKE's to drop. */
static void test_keepalives(void **state)
{
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < PORT_4500; i++)
		for (int family = 0; family < FAMILIES; family++)
			for (int len = 0; len < 4; len++) {
				const struct row *row = make_4500(
					&frame, i, family, 0);
				const size_t whole = frame.len;

				frame.len = frame.upper + 8 + len;
				seal(&frame);
				check(row->name, IN, &frame, whole, expect(
					row, family, row->reason ==
					CLASSIFIER_UNKNOWN_SPI ? PASS :
					row->reason));
			}
}

/* ---------------------------------------------------------- IPv4 specialities */

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

static const struct row *const specials[] = {
	&bgp_in, &ssh_in, &stranger_in, &bgp_out
};

enum { SPECIALS = sizeof(specials) / sizeof(specials[0]) };

static void make_options(struct frame *frame, const struct row *row,
			 size_t options)
{
	memset(frame, 0, sizeof(*frame));
	put_link(frame, IPV4, 0);
	put_network(frame, IPV4, row->source, row->destination, row->protocol);
	frame->bytes[frame->network] = (uint8_t)(0x45 + options / 4);
	/* 179 everywhere: reading ports at the wrong place would show */
	for (size_t i = 0; i < options; i += 2)
		put16(frame, row->reason == PASS ? 179 : 22);
	put_upper(frame, row->word);
	seal(frame);
}

static void test_ipv4_options(void **state)
{
	struct frame frame;

	(void)state;
	for (int i = 0; i < SPECIALS; i++)
		for (size_t options = 4; options <= 40; options += 4) {
			make_options(&frame, specials[i], options);
			check("options", specials[i]->direction, &frame,
			      frame.len, expect(specials[i], IPV4,
						specials[i]->reason));
			/* cut in the options: they are the header */
			check("cut options", specials[i]->direction, &frame,
			      frame.upper - 1,
			      expect(specials[i], IPV4,
				     CLASSIFIER_MALFORMED));
		}
}

static void test_ipv4_header_length(void **state)
{
	struct frame frame;

	(void)state;
	for (uint8_t words = 0; words < 5; words++) {
		make(&frame, &bgp_in, IPV4, 0);
		frame.bytes[frame.network] = 0x40 | words;
		check("IHL below 5", IN, &frame, frame.len,
		      expect(&bgp_in, IPV4, CLASSIFIER_MALFORMED));
	}
}

/* The kernel drops what says another version than its EtherType. */
static void test_wrong_version(void **state)
{
	struct frame frame;

	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		make(&frame, &bgp_in, family, 0);
		frame.bytes[frame.network] ^= 0x20;
		check("wrong version", IN, &frame, frame.len,
		      expect(&bgp_in, family, PASS));
	}
}

static void test_ipv4_fragments(void **state)
{
	static const struct {
		uint8_t flags[2];
		bool first;
	} fragments[] = {
		{ { 0x20, 0x00 }, true },	/* MF */
		{ { 0x40, 0x00 }, true },	/* DF */
		{ { 0x80, 0x00 }, true },	/* the evil bit */
		{ { 0x20, 0x01 }, false },	/* MF, offset 8 */
		{ { 0x00, 0x01 }, false },
		{ { 0x1f, 0xff }, false },
	};
	struct frame frame;

	(void)state;
	for (int i = 0; i < SPECIALS; i++)
		for (size_t n = 0; n < sizeof(fragments) / sizeof(*fragments);
		     n++) {
			make(&frame, specials[i], IPV4, 0);
			memcpy(frame.bytes + frame.network + 6,
			       fragments[n].flags, 2);
			check("fragment", specials[i]->direction, &frame,
			      frame.len, expect(specials[i], IPV4,
						fragments[n].first ?
						specials[i]->reason : PASS));
			/* tiny: ports cut from the first one */
			check("tiny fragment", specials[i]->direction, &frame,
			      frame.upper + 3,
			      expect(specials[i], IPV4, fragments[n].first ?
				     CLASSIFIER_MALFORMED : PASS));
		}
}

/* ------------------------------------------------------------------- chains */

struct chain {
	const char *name;
	uint8_t headers[CLASSIFIER_MAX_HEADERS + 2];
	size_t count;
	uint8_t units;		/* length field of each */
	bool followed;		/* the walk reaches the upper layer */
};

static const struct chain chains[] = {
	{ "hop-by-hop", { 0 }, 1, 0, true },
	{ "long hop-by-hop", { 0 }, 1, 9, true },
	{ "destination", { 60 }, 1, 3, true },
	{ "routing", { 43 }, 1, 2, true },
	{ "AH", { 51 }, 1, 4, true },
	{ "first fragment", { 44 }, 1, 0, true },
	{ "usual order", { 0, 60, 43, 44, 51, 60 }, 6, 1, true },
	{ "eight", { 60, 60, 60, 60, 60, 60, 60, 60 }, 8, 0, true },
	{ "nine", { 60, 60, 60, 60, 60, 60, 60, 60, 60 }, 9, 0, false },
	{ "nine with AH", { 60, 60, 60, 60, 60, 60, 60, 60, 51 }, 9, 1, false },
};

enum { CHAINS = sizeof(chains) / sizeof(chains[0]) };

static size_t header_size(uint8_t protocol, uint8_t units)
{
	if (protocol == 51)
		return (units + 2u) * 4;
	return protocol == 44 ? 8 : (units + 1u) * 8;
}

static void make_chain(struct frame *frame, const struct row *row, int family,
		       const struct chain *chain)
{
	memset(frame, 0, sizeof(*frame));
	put_link(frame, family, 0);
	put_network(frame, family, row->source, row->destination,
		    chain->headers[0]);
	for (size_t i = 0; i < chain->count; i++) {
		uint8_t *header = put(frame, NULL,
				      header_size(chain->headers[i],
						  chain->units));

		header[0] = i + 1 < chain->count ? chain->headers[i + 1] :
						   row->protocol;
		header[1] = chain->headers[i] == 44 ? 0xff : chain->units;
		if (chain->headers[i] == 44)
			header[3] = 1;	/* M */
	}
	put_upper(frame, row->word);
	seal(frame);
}

static void test_ipv6_chains(void **state)
{
	struct frame frame;

	(void)state;
	for (int i = 0; i < SPECIALS; i++)
		for (int n = 0; n < CHAINS; n++) {
			make_chain(&frame, specials[i], IPV6, &chains[n]);
			check(chains[n].name, specials[i]->direction, &frame,
			      frame.len,
			      expect(specials[i], IPV6, chains[n].followed ?
				     specials[i]->reason :
				     CLASSIFIER_MALFORMED));
			/* RFC 7112: cut anywhere in the chain */
			for (size_t len = frame.network + 40;
			     len < frame.upper + 4; len++)
				check(chains[n].name, specials[i]->direction,
				      &frame, len,
				      expect(specials[i], IPV6,
					     CLASSIFIER_MALFORMED));
		}
}

/* The chain of a first fragment goes on in the second one. What follows in the
 * frame says that there is nothing to come: it is none of the packet's. */
static void test_ipv6_chain_behind_the_end(void **state)
{
	static const struct chain split = { "split", { 44, 60, 60 }, 3, 0,
					    false };
	struct frame frame;
	size_t whole;

	(void)state;
	for (int i = 0; i < SPECIALS; i++) {
		make_chain(&frame, specials[i], IPV6, &split);
		whole = frame.len;
		frame.len = frame.upper - 8;
		frame.bytes[frame.len] = 59;
		for (int more = 0; more < 4; more++, frame.len++) {
			seal(&frame);
			check("chain that goes on", specials[i]->direction,
			      &frame, whole, expect(specials[i], IPV6,
						    CLASSIFIER_MALFORMED));
		}
	}
}

/* AH may stand before TCP in IPv4 too; the IPv6 extensions may not. */
static void test_ipv4_ah(void **state)
{
	static const struct chain ah = { "AH", { 51 }, 1, 4, true };
	struct frame frame;

	(void)state;
	for (int i = 0; i < SPECIALS; i++) {
		make_chain(&frame, specials[i], IPV4, &ah);
		check("AH", specials[i]->direction, &frame, frame.len,
		      expect(specials[i], IPV4, specials[i]->reason));
	}
}

static void test_ipv6_later_fragment(void **state)
{
	static const struct chain later = { "fragment", { 60, 44 }, 2, 0, true };
	struct frame frame;

	(void)state;
	for (int i = 0; i < SPECIALS; i++) {
		make_chain(&frame, specials[i], IPV6, &later);
		frame.bytes[frame.network + 40 + 8 + 3] = 8;
		check("later fragment", specials[i]->direction, &frame,
		      frame.len, expect(specials[i], IPV6, PASS));
	}
}

static void test_no_next_header(void **state)
{
	static const struct row none = {
		"no next header", IN, PEER, ROUTER, 59, PORTS(179, 179), PASS
	};
	struct frame frame;

	(void)state;
	make_chain(&frame, &none, IPV6, &chains[0]);
	check(none.name, IN, &frame, frame.len, expect(&none, IPV6, PASS));
}

/* IPv6 between ::ffff:192.0.2.x is nobody's pair, and not the IPv4 one's. */
static void test_mapped_addresses(void **state)
{
	struct frame frame;

	(void)state;
	for (int n = 0; n < 3; n++) {
		struct in6_addr peer = address(n & 1, PEER);
		struct in6_addr router = address(n >> 1, ROUTER);

		/* mapped both, destination only, source only */
		make(&frame, &bgp_in, IPV6, 0);
		memcpy(frame.bytes + frame.network + 8, &peer, 16);
		memcpy(frame.bytes + frame.network + 24, &router, 16);
		check("mapped", IN, &frame, frame.len,
		      expect(&bgp_in, IPV6, PASS));
	}
}

static void test_not_ip(void **state)
{
	static const uint16_t types[] = { ETH_P_ARP, 0x8847, 0x88cc, 46 };
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		uint16_t type = htons(types[i]);

		make(&frame, &bgp_in, IPV4, 0);
		memcpy(frame.bytes + 12, &type, 2);
		check("not IP", IN, &frame, frame.len,
		      expect(&bgp_in, IPV4, PASS));
	}
}

/* Random bytes behind a valid link header: any verdict, but one that the
 * kernel accepts and that is counted once if it is a drop. */
static void test_noise(void **state)
{
	struct snapshot before, after;
	struct frame frame;

	(void)state;
	srandom(179);
	for (int i = 0; i < 20000; i++) {
		size_t least = shortest(i & 1, i % 3);
		uint64_t drops = 0;
		int verdict;

		make(&frame, specials[i % SPECIALS], i & 1, i % 3);
		for (int flips = 0; flips < 1 + i % 7; flips++)
			frame.bytes[frame.network + random() % 48] =
				(uint8_t)random();
		take(&before);
		verdict = run_program(programs[i & 1], frame.bytes,
				      least + random() %
				      (frame.len - least + 1), 1, NULL);
		take(&after);
		for (size_t n = 0; n < sizeof(after) / sizeof(uint64_t); n++)
			drops += ((uint64_t *)&after)[n] -
				 ((uint64_t *)&before)[n];
		assert_true(verdict == TC_ACT_SHOT ||
			    verdict == TC_ACT_UNSPEC);
		assert_int_equal(drops, verdict == TC_ACT_SHOT);
	}
}

/* ------------------------------------------------------------ changing maps */

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

/* ------------------------------------------------------------------- speed */

static int empty_program(void)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0,
		  .imm = TC_ACT_UNSPEC },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "own", code,
			     sizeof(code) / sizeof(code[0]), NULL);
}

/* Only printed: other work on the machine makes any bound a gamble. */
static void test_speed(void **state)
{
	enum { REPEAT = 200000, ROUNDS = 5 };
	static const struct row *const kinds[] = {
		&ssh_in, &bgp_in, &stranger_in, &bgp_out
	};
	int empty = empty_program();

	(void)state;
	assert_true(empty >= 0);
	for (int family = 0; family < FAMILIES; family++)
		for (int i = 0; i < 4; i++) {
			uint32_t best = UINT32_MAX, floor = UINT32_MAX, ns;
			struct frame frame;

			make(&frame, kinds[i], family, 0);
			for (int round = 0; round < ROUNDS; round++) {
				run_program(empty, frame.bytes, frame.len,
					    REPEAT, &ns);
				floor = ns < floor ? ns : floor;
				run_program(programs[kinds[i]->direction],
					    frame.bytes, frame.len, REPEAT,
					    &ns);
				best = ns < best ? ns : best;
			}
			print_message("# IPv%d %s: %u ns, empty program %u ns\n",
				      family ? 6 : 4, kinds[i]->name, best,
				      floor);
		}
}

/* ------------------------------------------------------------------ set-up */

static int open_all(void **state)
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

static int close_all(void **state)
{
	(void)state;
	guard_close(guard);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_too_many_tags),
		cmocka_unit_test(test_cut_at_every_length),
		cmocka_unit_test(test_cut_by_ip_length),
		cmocka_unit_test(test_length_zero),
		cmocka_unit_test(test_esp_in_udp),
		cmocka_unit_test(test_keepalives),
		cmocka_unit_test(test_ipv4_options),
		cmocka_unit_test(test_ipv4_header_length),
		cmocka_unit_test(test_wrong_version),
		cmocka_unit_test(test_ipv4_fragments),
		cmocka_unit_test(test_ipv6_chains),
		cmocka_unit_test(test_ipv4_ah),
		cmocka_unit_test(test_ipv6_chain_behind_the_end),
		cmocka_unit_test(test_ipv6_later_fragment),
		cmocka_unit_test(test_no_next_header),
		cmocka_unit_test(test_mapped_addresses),
		cmocka_unit_test(test_not_ip),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_pair_changes),
		cmocka_unit_test(test_local_changes),
		cmocka_unit_test(test_spi_changes),
		cmocka_unit_test(test_plane),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
