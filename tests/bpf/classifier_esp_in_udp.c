/* Port 4500 (RFC 3948 2): ESP in UDP by its SPI, IKE and keepalives. */
#include "tests/bpf/test_run.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_esp_in_udp),
		cmocka_unit_test(test_keepalives),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
