/* policy_authorize(): what is allowed, and whom it speaks for: resources, identity. */
#include "tests/unit/policy_authorize.h"

/* ---------------------------------------------------------------- allowed */

static void test_allows(void **state)
{
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	spec.not_after = NOW + DAYS(7);
	ask_one(&spec);
	expect(POLICY_ALLOWED, "");
	assert_string_equal(verdict.subject, "CN=router 192.0.2.2");
	assert_int_equal(verdict.not_after, NOW + DAYS(7));
	/* the anchor runs out first */
	spec.not_after = NOW + DAYS(300);
	ask_one(&spec);
	expect(POLICY_ALLOWED, "");
	assert_int_equal(verdict.not_after, NOW + DAYS(30));
}

static void test_allows_ipv6(void **state)
{
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	set_address("2001:db8::2");
	ask_one(&spec);
	expect(POLICY_ALLOWED, "");
}

static void test_allows_address_in_either_place(void **state)
{
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	spec.san = NULL;
	ask_one(&spec);
	expect(POLICY_ALLOWED, "");
	spec = end_spec();
	spec.addresses = NULL;
	ask_one(&spec);
	expect(POLICY_ALLOWED, "");
	spec.san = "IP:2001:db8::2";
	ask_one(&spec);
	expect(POLICY_WRONG_ADDRESS, "certificate holds 2001:db8::2, peer "
	       "as64501 is configured with 192.0.2.2");
	set_address("2001:db8::2");
	ask_one(&spec);
	expect(POLICY_ALLOWED, "");
}

/* CVE-2022-40617: nothing is fetched; and nothing minds. */
static void test_allows_uris(void **state)
{
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	spec.san = "IP:192.0.2.2,URI:http://192.0.2.99/x";
	spec.extra_name = "authorityInfoAccess";
	spec.extra = "caIssuers;URI:http://192.0.2.99/ca.crt,"
		     "OCSP;URI:http://192.0.2.99/ocsp";
	ask_one(&spec);
	expect(POLICY_ALLOWED, "");
	spec.extra_name = "crlDistributionPoints";
	spec.extra = "URI:http://192.0.2.99/ca.crl";
	ask_one(&spec);
	expect(POLICY_ALLOWED, "");
}

static void test_allows_no_key_usage(void **state)
{
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	spec.usage = "";
	ask_one(&spec);
	expect(POLICY_ALLOWED, "");
}

/* The address stands in the end certificate's subjectAltName only: OpenSSL
 * compares nothing then, and an issuer in the middle that holds another one
 * must not vouch for it. */
static void test_issuer_holds_another_address(void **state)
{
	const struct spec root_spec = {
		.name = "root", .ca = true, .as = "critical,AS:64501",
		.addresses = "critical,IPv4:192.0.2.0/24",
	};
	struct made root = make(&root_spec), middle, end;
	struct spec middle_spec = {
		.name = "middle", .issuer = &root, .ca = true,
		.as = "critical,AS:64501",
		.addresses = "critical,IPv4:192.0.2.4/32",
	}, spec = end_spec();
	const struct made *chain[] = { &end, &middle };

	(void)state;
	reset_request();
	middle = make(&middle_spec);
	spec.issuer = &middle;
	spec.addresses = NULL;
	end = make(&spec);
	ASK(chain, &root);
	expect(POLICY_RESOURCES, "issuer CN=middle holds 192.0.2.4, peer "
	       "as64501 is configured with 192.0.2.2");
	unmake(&end);
	unmake(&middle);
	unmake(&root);
}

static void test_chain_of_three(void **state)
{
	struct spec middle_spec = {
		.name = "middle", .issuer = &ca, .ca = true,
		.as = "critical,AS:64501", .addresses = ADDRESSES,
	}, spec = end_spec();
	struct made middle = make(&middle_spec), end;
	const struct made *chain[] = { &end, &middle };

	(void)state;
	reset_request();
	spec.issuer = &middle;
	end = make(&spec);
	ASK(chain, &ca);
	expect(POLICY_ALLOWED, "");
	/* the middle one itself as anchor (RFC 5280 6.1.1 (d)) */
	ask(chain, 1, (const struct made *const []){ &middle }, 1);
	expect(POLICY_ALLOWED, "");
	/* not sent */
	ask(chain, 1, (const struct made *const []){ &ca }, 1);
	expect(POLICY_UNTRUSTED, "is issued by CN=middle");
	/* an anchor of the root's neighbour does not help */
	ASK(chain, &other_ca);
	expect(POLICY_UNTRUSTED, "peer as64501 is configured with trust "
	       "anchor CN=AS64502 CA");
	/* one of two anchors fits */
	ASK(chain, &other_ca, &ca);
	expect(POLICY_ALLOWED, "");
	unmake(&middle);
	unmake(&end);
}

static void test_as_ranges(void **state)
{
	struct spec wide_spec = {
		.name = "wide CA", .ca = true, .as = "critical,AS:0-4294967295",
		.addresses = "critical,IPv4:0.0.0.0/0,IPv6:::/0",
	}, spec = end_spec();
	struct made wide = make(&wide_spec);
	static const struct {
		const char *as;
		enum policy_refusal refusal;
		const char *sentence;
	} rows[] = {
		{ "critical,AS:64501", POLICY_ALLOWED, "" },
		{ "critical,AS:64500-64502", POLICY_ALLOWED, "" },
		{ "critical,AS:0-4294967295", POLICY_ALLOWED, "" },
		{ "critical,AS:1,AS:64501,AS:64503-64510", POLICY_ALLOWED,
		  "" },
		{ "critical,AS:64502-64510", POLICY_WRONG_AS,
		  "certificate holds AS 64502-64510, peer as64501 is "
		  "configured with AS 64501" },
		{ "critical,AS:64666", POLICY_WRONG_AS, "certificate holds AS "
		  "64666, peer as64501 is configured with AS 64501" },
		{ "critical,AS:1,AS:3,AS:5,AS:7,AS:9,AS:11", POLICY_WRONG_AS,
		  "holds AS 1, AS 3, AS 5, AS 7 and 2 more, peer" },
		{ "critical,AS:inherit", POLICY_WRONG_AS, "certificate holds "
		  "only inherited AS numbers, peer as64501 is" },
		{ "critical,RDI:64501", POLICY_WRONG_AS, "holds no AS number" },
		{ NULL, POLICY_WRONG_AS, "certificate holds no AS number, "
		  "peer as64501 is configured with AS 64501" },
	};
	size_t i;

	(void)state;
	reset_request();
	spec.issuer = &wide;
	for (i = 0; i < COUNT(rows); i++) {
		struct made end;
		const struct made *chain[] = { &end };

		spec.as = rows[i].as;
		/* routing domains have to be encompassed as well */
		if (i == 8)
			wide_spec.as = "critical,RDI:0-4294967295,AS:64501";
		if (i == 8) {
			unmake(&wide);
			wide = make(&wide_spec);
		}
		end = make(&spec);
		ASK(chain, &wide);
		expect(rows[i].refusal, rows[i].sentence);
		unmake(&end);
	}
	unmake(&wide);
}

/* --------------------------------------------------------------- resources */

/* The other neighbour's CA vouches for this peer's AS and address. */
static void test_neighbour_ca(void **state)
{
	struct spec spec = end_spec();
	struct made end;
	const struct made *chain[] = { &end };

	(void)state;
	reset_request();
	spec.issuer = &other_ca;
	end = make(&spec);
	/* as this peer, whose anchor is another */
	ASK(chain, &ca);
	expect(POLICY_UNTRUSTED, "is issued by CN=AS64502 CA");
	/* even where somebody has configured that anchor for this peer */
	ASK(chain, &other_ca);
	expect(POLICY_RESOURCES, "certificate claims AS 64501 and 192.0.2.2, "
	       "2001:db8::2, which is more than");
	unmake(&end);
}

/* Its own AS is what it can speak for, but not as this peer. */
static void test_neighbour_itself(void **state)
{
	struct spec spec = {
		.name = "router 192.0.2.3", .issuer = &other_ca,
		.as = "critical,AS:64502",
		.addresses = "critical,IPv4:192.0.2.3/32",
		.san = "IP:192.0.2.3",
	};
	struct made end = make(&spec);
	const struct made *chain[] = { &end };

	(void)state;
	reset_request();
	ASK(chain, &other_ca);
	expect(POLICY_WRONG_AS, "certificate holds AS 64502, peer as64501 is "
	       "configured with AS 64501");
	request.as = 64502;
	ASK(chain, &other_ca);
	expect(POLICY_WRONG_ADDRESS, "certificate holds 192.0.2.3, peer "
	       "as64501 is configured with 192.0.2.2");
	set_address("192.0.2.3");
	ASK(chain, &other_ca);
	expect(POLICY_ALLOWED, "");
	unmake(&end);
}

static void test_anchor_without_resources(void **state)
{
	static const struct {
		const char *as, *addresses, *end_addresses;
		enum policy_refusal refusal;
		const char *sentence;
	} rows[] = {
		{ NULL, ADDRESSES, ADDRESSES, POLICY_RESOURCES, "claims" },
		{ "critical,AS:inherit", ADDRESSES, ADDRESSES,
		  POLICY_RESOURCES, "claims" },
		{ "critical,AS:64502", ADDRESSES, ADDRESSES,
		  POLICY_RESOURCES, "claims AS 64501" },
		{ "critical,AS:64501", NULL, ADDRESSES, POLICY_RESOURCES,
		  "claims" },
		/* the end's addresses in its subjectAltName only */
		{ "critical,AS:64501", NULL, NULL, POLICY_ALLOWED, "" },
		{ "critical,AS:64501", "critical,IPv4:192.0.2.9/32", NULL,
		  POLICY_RESOURCES, "trust anchor CN=anchor holds 192.0.2.9, "
		  "peer as64501 is configured with 192.0.2.2" },
		{ "critical,AS:64501", "critical,IPv4:inherit", NULL,
		  POLICY_RESOURCES, "trust anchor CN=anchor" },
		{ "critical,AS:64501", "critical,IPv6:2001:db8::/32", NULL,
		  POLICY_RESOURCES, "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:"
		  "ffff:ffff" },
		{ "critical,AS:64501", "critical,IPv4:192.0.2.0/24", NULL,
		  POLICY_ALLOWED, "" },
		{ "critical,AS:64501", "critical,IPv4-SAFI:1:192.0.2.2/32",
		  NULL, POLICY_RESOURCES, "holds no address" },
	};
	size_t i;

	(void)state;
	reset_request();
	for (i = 0; i < COUNT(rows); i++) {
		struct spec anchor_spec = {
			.name = "anchor", .ca = true, .as = rows[i].as,
			.addresses = rows[i].addresses,
		}, spec = end_spec();
		struct made anchor = make(&anchor_spec), end;
		const struct made *chain[] = { &end };

		spec.issuer = &anchor;
		spec.addresses = rows[i].end_addresses;
		end = make(&spec);
		ASK(chain, &anchor);
		if (verdict.refusal != rows[i].refusal)
			print_error("# row %zu\n", i);
		expect(rows[i].refusal, rows[i].sentence);
		unmake(&end);
		unmake(&anchor);
	}
}

/* A CA in the middle has less than the anchor, and claims no more; the end
 * certificate does. Or it inherits, which is right. */
static void test_resources_in_the_middle(void **state)
{
	static const struct {
		const char *as, *addresses;
		enum policy_refusal refusal;
	} rows[] = {
		{ "critical,AS:inherit", "critical,IPv4:inherit,IPv6:inherit",
		  POLICY_ALLOWED },
		{ "critical,AS:64502", ADDRESSES, POLICY_RESOURCES },
		{ NULL, ADDRESSES, POLICY_RESOURCES },
		{ "critical,AS:64501", NULL, POLICY_RESOURCES },
		{ "critical,AS:64501", "critical,IPv4:192.0.2.2/32",
		  POLICY_RESOURCES },
	};
	size_t i;

	(void)state;
	reset_request();
	for (i = 0; i < COUNT(rows); i++) {
		struct spec middle_spec = {
			.name = "middle", .issuer = &ca, .ca = true,
			.as = rows[i].as, .addresses = rows[i].addresses,
		}, spec = end_spec();
		struct made middle = make(&middle_spec), end;
		const struct made *chain[] = { &end, &middle };

		spec.issuer = &middle;
		end = make(&spec);
		ASK(chain, &ca);
		expect(rows[i].refusal, "");
		unmake(&end);
		unmake(&middle);
	}
}

static void test_inherited_addresses(void **state)
{
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	spec.addresses = "critical,IPv4:inherit";
	spec.san = NULL;
	ask_one(&spec);
	expect(POLICY_WRONG_ADDRESS, "certificate holds no address");
}

/* ---------------------------------------------------------------- identity */

static void test_identity(void **state)
{
	static const uint8_t other[] = { 192, 0, 2, 66 };
	static const uint8_t mapped[16] = {
		[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 2
	};
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	request.id_is_address = false;
	ask_one(&spec);
	expect(POLICY_WRONG_IDENTITY, "IKE identity is no IP address, peer "
	       "as64501 is configured with 192.0.2.2");
	reset_request();
	request.id.data = other;
	ask_one(&spec);
	expect(POLICY_WRONG_IDENTITY, "IKE identity is 192.0.2.66, peer");
	request.id.data = mapped;
	request.id.len = sizeof(mapped);
	ask_one(&spec);
	expect(POLICY_WRONG_IDENTITY, "IKE identity is");
	request.id.len = 0;
	ask_one(&spec);
	expect(POLICY_WRONG_IDENTITY, "IKE identity is no IP address");
	request.id.data = identity;
	request.id.len = 3;
	ask_one(&spec);
	expect(POLICY_WRONG_IDENTITY, "IKE identity is no IP address");
}

/* A NAT: both addresses are named, and the cure; without one there is none. */
static void test_behind_nat(void **state)
{
	static const uint8_t inside[] = { 192, 0, 2, 2 };
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	set_address("198.51.100.7");
	request.id.data = inside;
	ask_one(&spec);
	expect(POLICY_WRONG_ADDRESS, "configured with 198.51.100.7");
	assert_null(strstr(verdict.text, "NAT"));
	assert_true(address_parse("198.51.100.7", &request.outside));
	ask_one(&spec);
	expect(POLICY_WRONG_ADDRESS, "; a NAT shows it as 198.51.100.7: if the "
	       "peer's own address is 192.0.2.2, add inside = {\"192.0.2.2\"} "
	       "to its section");
	/* as the cure has it */
	set_address("192.0.2.2");
	ask_one(&spec);
	assert_int_equal(verdict.refusal, POLICY_ALLOWED);
}

/* Text from a stranger's certificate reaches a log without its tricks. */
static void test_escapes(void **state)
{
	struct spec spec = end_spec();
	const char *c;

	(void)state;
	reset_request();
	spec.name = "a\n\x1b[31mb\xc3\xa9\"%n,";
	spec.issuer = NULL;
	ask_one(&spec);
	expect(POLICY_UNTRUSTED, "CN=a\\0A\\1B[31mb\\C3\\A9\\\"%n\\,");
	for (c = verdict.text; *c != '\0'; c++)
		assert_in_range(*c, 0x20, 0x7e);
}

static void test_names(void **state)
{
	int i, j;

	(void)state;
	for (i = 0; i < POLICY_REFUSAL_COUNT; i++) {
		for (j = 0; j < i; j++)
			assert_string_not_equal(policy_refusal_name(i),
						policy_refusal_name(j));
	}
	assert_string_equal(policy_refusal_name(POLICY_WRONG_AS), "wrong_as");
	assert_string_equal(policy_refusal_name(POLICY_REFUSAL_COUNT),
			    "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allows),
		cmocka_unit_test(test_allows_ipv6),
		cmocka_unit_test(test_allows_address_in_either_place),
		cmocka_unit_test(test_allows_uris),
		cmocka_unit_test(test_allows_no_key_usage),
		cmocka_unit_test(test_issuer_holds_another_address),
		cmocka_unit_test(test_chain_of_three),
		cmocka_unit_test(test_as_ranges),
		cmocka_unit_test(test_neighbour_ca),
		cmocka_unit_test(test_neighbour_itself),
		cmocka_unit_test(test_anchor_without_resources),
		cmocka_unit_test(test_resources_in_the_middle),
		cmocka_unit_test(test_inherited_addresses),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_behind_nat),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("policy_authorize", tests, set_up,
					   tear_down);
}
