/*
 * What the classifier looks behind to find ports or SPI: IPv4 options,
 * fragments, AH, chains of IPv6 extension headers. And what it leaves to
 * others: another version, mapped addresses, what is not IP.
 */
#include "tests/bpf/test_run.h"

static const struct row *const specials[] = {
	&bgp_in, &ssh_in, &stranger_in, &bgp_out
};

enum { SPECIALS = sizeof(specials) / sizeof(specials[0]) };

/* -------------------------------------------------------- IPv4 specialities */

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

/* ---------------------------------------------- what is nobody's, and noise */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
