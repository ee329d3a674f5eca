/*
 * The verdict on a table of packets between all of the cast, BGP and other:
 * what pairs, locals and modes let through. Each packet as it is, behind VLAN
 * tags, and cut short.
 */
#include "tests/bpf/test_run.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_too_many_tags),
		cmocka_unit_test(test_cut_at_every_length),
		cmocka_unit_test(test_cut_by_ip_length),
		cmocka_unit_test(test_length_zero),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
