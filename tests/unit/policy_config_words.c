/* policy_config_read(): every error of syntax and value, with its line. */
#include "tests/unit/policy_config.h"

/* ------------------------------------------------------------------- syntax */

static void test_syntax(void **state)
{
	(void)state;
	refused(LOCAL "peer {\n}\n", 1, "c.conf:7: missing title for section "
		"'peer', expected NAME = VALUE");
	refused(LOCAL "ike_lifetime 5\n", 1, "c.conf:7: missing equal sign");
	refused(LOCAL "local\n", 1, "c.conf:8: premature end of file");
	refused(LOCAL "}\n", 1, "c.conf:7: unexpected closing brace");
	refused(LOCAL "ike_lifetime = \"5\n", 1, "c.conf:");
	refused("", 1, "c.conf:1: section local is missing, expected local {");
	refused(LOCAL "ike_lifetime = {5}\n", 1, "unexpected token '{'");
	/* after all that, the scanner is in order */
	policy_config_free(read_text(LOCAL));
	assert_string_equal(messages, "");
}

/* What was cut off is not taken for what is left of it. */
static void test_unclosed(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "/* never closed\n" LOCAL, "c.conf:1: comment begins here "
		  "and has no */ before the end of the file: add it, or get" },
		{ LOCAL "/* a */ /*/\n", "c.conf:7: comment begins" },
		{ LOCAL "hold_time = 9 /* 10\n", "c.conf:7: comment begins" },
		{ "local {\n as = 64500\n", "c.conf:1: section begins here "
		  "and has no } before" },
		{ LOCAL "\npeer a {\n" AS ADDRESS TRUST, "c.conf:8: section" },
		{ LOCAL "\npeer a {\n" AS " addresses = {192.0.2.2\n",
		  "c.conf:8: section" },
		{ LOCAL "peer a {\n" AS TRUST "# }\n", "c.conf:7: section" },
		{ LOCAL "peer a {\n" AS TRUST "// }\n", "c.conf:7: section" },
		{ LOCAL "peer a {\n" AS TRUST "/* } */\n",
		  "c.conf:7: section" },
		{ LOCAL "peer a {\n" AS " trust = '}'\n", "c.conf:7: section" },
		{ LOCAL "peer a {\n" AS " trust = \"\\\"}\"\n",
		  "c.conf:7: section" },
		{ LOCAL "peer a {\n" AS " trust = \"x\\\"\n}\n",
		  "c.conf:9: string begins here and has no closing quote" },
		{ LOCAL "others = 'block\n\n", "c.conf:7: string begins" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		refused(rows[i].text, 1, rows[i].message);
	write_file("cut.conf", LOCAL "peer a {\n" AS, 0644);
	refused("include(cut.conf)\n", 1, "cut.conf:7: section begins");
	/* and what only looks like it */
	policy_config_free(read_text("# /* {\n// '\n/* { # */ /* \" */\n" LOCAL
		PEER("a", AS ADDRESS " trust = peers//a.crt }\n# {")
		"others = '{#\\'/*'\n"));
	assert_non_null(strstr(messages, "others = '{#'/*'"));
	assert_int_equal(messages_count, 1);
}

static void test_unreadable(void **state)
{
	(void)state;
	messages[0] = '\0';
	assert_null(policy_config_read("nothing.conf", &reader));
	assert_string_equal(messages, "nothing.conf:1: configuration file "
			    "nothing.conf cannot be opened: No such file or "
			    "directory: correct the path or create the "
			    "file\n");
	messages[0] = '\0';
	assert_null(policy_config_read("peers", &reader));
	assert_non_null(strstr(messages, "is no regular file"));
	mkfifo("fifo", 0600);
	assert_null(policy_config_read("fifo", &reader));
	write_file("nul.conf", LOCAL, 0644);
	assert_int_equal(truncate("nul.conf", 300), 0);
	messages[0] = '\0';
	assert_null(policy_config_read("nul.conf", &reader));
	assert_non_null(strstr(messages, "cannot be read whole as text"));
	assert_int_equal(truncate("nul.conf", POLICY_MAX_FILE_SIZE + 1), 0);
	messages[0] = '\0';
	assert_null(policy_config_read("nul.conf", &reader));
	assert_non_null(strstr(messages, "is larger than 1 MiB"));
}

static void test_unknown(void **state)
{
	(void)state;
	refused(LOCAL "colour = blue\n", 1, "c.conf:7: unknown option "
		"'colour', expected one of local, peer, others, profile, "
		"ike, esp, pfs, ike_lifetime, child_lifetime, hold_time, "
		"include: correct or remove it");
	refused("section x {\n a = {1, \"}\"}\n}\nfoo { }\n"
		"local {\n as = 0 naem += {\"x\"}\n"
		" addresses = 192.0.2.1\n" FILES
		PEER("a", AS ADDRESS "\ttrsut = x # {\n" TRUST)
		"hold_time = 1\nbar(x)\n", 7, "c.conf:14: unknown option "
		"'trsut', expected one of as, addresses, trust, crl, secret, "
		"ppk, ppk_id, ppk_required, auth, mode");
	assert_non_null(strstr(messages, "c.conf:1: unknown option 'section'"));
	assert_non_null(strstr(messages, "c.conf:4: unknown option 'foo'"));
	assert_non_null(strstr(messages, "c.conf:6: unknown option 'naem', "
			       "expected one of as, addresses, certificate, "
			       "key"));
	assert_non_null(strstr(messages, "c.conf:18: unknown option 'bar'"));
	/* and what they hid */
	assert_non_null(strstr(messages, "c.conf:6: as = '0' is reserved"));
	assert_non_null(strstr(messages, "c.conf:17: hold_time = '1'"));
}

static void test_twice(void **state)
{
	(void)state;
	refused(LOCAL "child_lifetime = 60\nchild_lifetime = 61\n", 1, "c.conf:8: option "
		"'child_lifetime' is given twice, first in line 7");
	refused(LOCAL PEER("a", AS AS ADDRESS TRUST), 1, "c.conf:9: option "
		"'as' is given twice, first in line 8");
	refused(LOCAL PEER("a", AS ADDRESS "\taddresses = {192.0.2.3}\n" TRUST),
		1, "c.conf:10: option 'addresses' is given twice");
	refused(LOCAL PEER("a", AS "\taddresses = {192.0.2.2, 192.0.2.3}\n"
		"\taddresses = {192.0.2.2}\n" TRUST),
		1, "c.conf:10: option 'addresses' is given twice");
	refused(LOCAL LOCAL, 1, "c.conf:7: second section local, the first is "
		"c.conf:1");
	refused(LOCAL PEER("a", AS ADDRESS TRUST) PEER("b", AS
		"\taddresses = {192.0.2.3}\n" TRUST)
		PEER("a", AS "\taddresses = {2001:db8::2}\n" TRUST), 1,
		"c.conf:17: second section peer a, the first is c.conf:7");
}

/* ------------------------------------------------------------------ values */

static void test_as_numbers(void **state)
{
	static const struct {
		const char *as, *message;
	} rows[] = {
		{ "0", "as = '0' is reserved and no router's AS number (RFC "
		  "7607)" },
		{ "23456", "as = '23456' is AS_TRANS" },
		{ "65535", "(RFC 7300)" },
		{ "4294967295", "(RFC 7300)" },
		{ "4294967296", "as = '4294967296' is no AS number (expected "
		  "1 .. 4294967294)" },
		{ "99999999999999999999999", "is no AS number" },
		{ "-1", "as = '-1' is no AS number" },
		{ "1.10", "is no AS number" },
		{ "0x10", "is no AS number" },
		{ "AS64500", "is no AS number" },
		{ "\"\"", "as = '' is no AS number" },
		{ "\" 1\"", "is no AS number" },
	};
	char text[1024];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "local {\nas = %s\n addresses = "
			 "192.0.2.1\n" FILES, rows[i].as);
		refused(text, 1, rows[i].message);
		refused(text, 1, "c.conf:2: as = ");
		snprintf(text, sizeof(text), LOCAL "peer a {\nas = %s\n"
			 ADDRESS TRUST "}\n", rows[i].as);
		refused(text, 1, rows[i].message);
		refused(text, 1, "c.conf:8: as = ");
	}
}

static void test_addresses(void **state)
{
	static const struct {
		const char *address, *message;
	} rows[] = {
		{ "192.0.2", "'192.0.2' is no IP address, expected such as" },
		{ "192.0.2.300", "is no IP address" },
		{ "router.example", "is no IP address" },
		{ "192.0.2.2/32", "is no IP address" },
		{ "2001:db8:::2", "is no IP address" },
		{ "\"::ffff:192.0.2.2\"", "is no IP address" },
		{ "0.0.0.0", "0.0.0.0 is the unspecified address" },
		{ "255.255.255.255", "is the broadcast address" },
		{ "224.0.0.5", "is a multicast address" },
		{ "240.0.0.1", "is in a reserved block" },
		{ "\"::\"", ":: is the unspecified address" },
		{ "\"ff02::5\"", "is a multicast address" },
		{ "\"fe80::1\"", "is a link-local address" },
		{ "127.0.0.2", "127.0.0.2 is in 127.0.0.0/8, which no other "
		  "machine can reach, expected an address on the loopback "
		  "interface of a router that the other one can route to" },
		{ "\"::1\"", "::1 is loopback, which no other machine can reach" },
		{ "\"\"", "'' is no IP address" },
	};
	char text[1024];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), LOCAL PEER("a", AS
			 "\taddresses = {%s}\n" TRUST), rows[i].address);
		refused(text, 1, rows[i].message);
		refused(text, 1, "c.conf:9: ");
	}
	refused(LOCAL PEER("a", AS "\taddresses = {}\n" TRUST), 1,
		"section peer a has 0 addresses, expected addresses = {");
	refused(LOCAL PEER("a", AS TRUST), 1, "c.conf:7: section peer a has 0 "
		"addresses");
	refused(LOCAL PEER("a", AS "\taddresses = {192.0.2.2, 192.0.2.2}\n"
		TRUST), 1, "192.0.2.2 stands twice in one list");
	refused(LOCAL PEER("a", AS "\taddresses = {1,2,3,4,5,6,7,8,9}\n"
		TRUST), 1, "has 9 addresses, expected addresses = {\"ADDRESS\""
		", ...} with 1 to 8");
}

static void test_families_and_places(void **state)
{
	(void)state;
	refused("local {\nas = 64500\naddresses = {192.0.2.1}\n" FILES
		PEER("a", AS "\taddresses = {192.0.2.2, \"2001:db8::2\"}\n"
		     TRUST), 1, "c.conf:9: address 2001:db8::2 has no local "
		"counterpart, expected an IPv6 address in section local");
	refused("local {\nas = 64500\naddresses = {\"2001:db8::1\"}\n" FILES
		PEER("a", AS ADDRESS TRUST), 1, "c.conf:9: address 192.0.2.2 "
		"has no local counterpart, expected an IPv4 address");
	refused("local {\nas = 64500\naddresses = {192.0.2.1, 192.0.2.77}\n"
		"\tcertificate = router.crt\n key = router.key }\n", 2,
		"c.conf:3: address 192.0.2.77 is on no interface of this "
		"machine");
	refused(LOCAL PEER("a", AS ADDRESS TRUST) PEER("b", AS
		"\taddresses = {192.0.2.3, 192.0.2.2}\n" TRUST), 1,
		"c.conf:14: address 192.0.2.2 is also that of peer a "
		"(c.conf:7)");
	refused(LOCAL PEER("a", "as = 64500\n addresses = {192.0.2.1}\n"
		"mode = off\n"), 1, "c.conf:9: address 192.0.2.1 is also in "
		"section local");
}

static void test_options(void **state)
{
	static const char *const names[] = {
		"A", "a b", "\"\"", "peer.1",
		"0123456789abcdef0123456789abcdefg"
	};
	char text[1024];
	size_t i;

	(void)state;
	refused(LOCAL "others = maybe\n", 1, "c.conf:7: others = 'maybe', "
		"expected block or allow");
	refused(LOCAL "profile = best\n", 1, "c.conf:7: profile = 'best', "
		"expected default, cnsa or legacy: correct it");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tprofile = CNSA\n"), 1,
		"c.conf:11: profile = 'CNSA', expected default, cnsa");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tprofile = cnsa\n"
		"\tprofile = cnsa\n"), 1, "'profile' is given twice");
	refused(LOCAL "ike_lifetime = 4\n", 1, "c.conf:7: ike_lifetime = '4', "
		"expected 5 .. 86400 (seconds)");
	refused(LOCAL "child_lifetime = 4\n", 1, "c.conf:7: child_lifetime = "
		"'4', expected 5 .. 86400 (seconds)");
	refused(LOCAL "ike_lifetime = 86401\n", 1, "expected 5 .. 86400");
	refused(LOCAL "child_lifetime = 4h\n", 1, "child_lifetime = '4h'");
	refused(LOCAL "lifetime = 60\n", 1, "unknown option 'lifetime'");
	refused(LOCAL "hold_time = 2\n", 1, "c.conf:7: hold_time = '2', "
		"expected 3 .. 65535 (seconds)");
	refused(LOCAL "hold_time = 65536\n", 1, "expected 3 .. 65535");
	refused(LOCAL "hold_time = 0\n", 1, "expected 3 .. 65535");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\thold_time = 1\n"), 1,
		"c.conf:11: hold_time = '1', expected 3 .. 65535");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\thold_time = 9\n"
		"\thold_time = 9\n"), 1, "'hold_time' is given twice");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tplane = tap\n"), 1,
		"c.conf:11: plane = 'tap', expected auto, kernel or user");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tmode = prefer\n"), 1,
		"c.conf:11: mode = 'prefer', expected require or off");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tauth = md5\n"), 1,
		"c.conf:11: auth = 'md5', expected certificate or psk");
	for (i = 0; i < COUNT(names); i++) {
		snprintf(text, sizeof(text), LOCAL PEER("\"%s\"", AS ADDRESS
			 TRUST), names[i][0] == '"' ? "" : names[i]);
		refused(text, 1, "is no name, expected 1 to 32 of a-z");
	}
}

static void test_nat(void **state)
{
	struct policy_config *config = read_text(LOCAL
		PEER("a", AS "\taddresses = {192.0.2.2, \"2001:db8::2\"}\n"
		     TRUST "\tinside = {10.0.0.2}\n\tmode = off\n"
		     "\tencapsulate = always\n"));
	struct in6_addr address, inside;

	(void)state;
	assert_string_equal(messages, "");
	assert_true(config->peers[0].encapsulate);
	address_parse("192.0.2.2", &address);
	address_parse("10.0.0.2", &inside);
	assert_true(address_equal(policy_peer_identity(&config->peers[0],
						       &address), &inside));
	address_parse("2001:db8::2", &address);
	assert_true(address_equal(policy_peer_identity(&config->peers[0],
						       &address), &address));
	policy_config_free(config);
	/* the anchor holds what the peer has itself: here it does not */
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tinside = 10.0.0.2\n"), 1,
		"name what a NAT translates in inside");
#define NAT(rest) LOCAL PEER("a", AS ADDRESS TRUST "\tmode = off\n" rest)
	refused(NAT("\tencapsulate = yes\n"), 1, "c.conf:12: encapsulate = "
		"'yes', expected auto or always: correct it");
	refused(NAT("\tinside = ten\n"), 1, "c.conf:12: 'ten' is no IP");
	refused(NAT("\tinside = 224.0.0.5\n"), 1, "is a multicast address");
	refused(NAT("\tinside = {\"2001:db8::9\"}\n"), 1, "c.conf:12: inside "
		"= 2001:db8::9 of a peer with 0 IPv6 addresses, expected one: "
		"add its address before the NAT to addresses");
	refused(NAT("\tinside = {10.0.0.2, 10.0.0.3}\n"), 1, "inside = "
		"10.0.0.3 is the second of its family");
	refused(NAT("\tinside = 192.0.2.1\n"), 1, "inside = 192.0.2.1 is "
		"also in section local");
	refused(NAT("\tinside = 10.0.0.2\n\tinside = 10.0.0.3\n"), 1,
		"'inside' is given twice");
	refused(LOCAL PEER("a", AS "\taddresses = {192.0.2.2, 192.0.2.3}\n"
		"\tmode = off\n\tinside = 10.0.0.2\n"), 1, "inside = 10.0.0.2 "
		"of a peer with 2 IPv4 addresses, expected one: give each a "
		"section of its own");
}

static void test_missing(void **state)
{
	(void)state;
	refused("others = block\n", 1, "c.conf:1: section local is missing");
	refused("\nlocal {\n}\n", 4, "c.conf:2: section local lacks option "
		"'as', expected as = NUMBER: add it");
	assert_non_null(strstr(messages, "lacks option 'certificate', expected "
			       "certificate = \"FILE\""));
	assert_non_null(strstr(messages, "lacks option 'key'"));
	assert_non_null(strstr(messages, "section local has 0 addresses"));
	refused(LOCAL PEER("a", ""), 3, "c.conf:7: section peer a lacks "
		"option 'trust', expected trust = \"FILE\": add it");
}

/* An empty list is not an option that is absent. */
static void test_empty_lists(void **state)
{
	(void)state;
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tcrl = {}\n"), 1,
		"c.conf:7: crl names 0 files, expected crl = {\"FILE\", ...} "
		"with 1 to 8: correct it");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tcrl = {a}\n"
			   "\tcrl = {}\n"), 1, "crl names 0 files");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tinside = {}\n"), 1,
		"c.conf:7: inside names no address, expected inside = ");
	refused(LOCAL PEER("a", AS TRUST "\taddresses = {}\n"), 1,
		"section peer a has 0 addresses, expected ");
	refused("local {\n\tas = 64500\n\taddresses = {}\n" FILES, 1,
		"section local has 0 addresses, expected ");
	/* the others are no lists */
	refused(LOCAL PEER("a", AS ADDRESS "\ttrust = {}\n"), 1,
		"unexpected token '{'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_unclosed),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_as_numbers),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_families_and_places),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_nat),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_empty_lists),
	};

	return cmocka_run_group_tests_name("policy_config_words", tests, set_up,
					   tear_down);
}
