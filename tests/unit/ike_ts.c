#include "tests/unit/ike_test.h"

#include "ike/ts.h"

/* local 192.0.2.1, peer 192.0.2.2 */
static const struct in6_addr local = { .s6_addr = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1 } };
static const struct in6_addr peer = { .s6_addr = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 2 } };
static const struct ts_pair pair = { &local, &peer, false, false };

#define A "c0000201"	/* ours */
#define B "c0000202"	/* the peer's */
#define ONE "01000000"
#define TWO "02000000"
/* type, protocol, length, ports, addresses */
#define TCP4(ports, first, last) "07060010" ports first last
#define ANY4(ports, first, last) "07000010" ports first last
#define UDP4(ports, first, last) "07110010" ports first last
#define ALL "0000ffff"
#define BGP "00b300b3"

enum { NONE_WANTED = 0, ACTIVE = 1, PASSIVE = 2, BOTH = 3 };

static const struct {
	const char *why, *tsi, *tsr;	/* TSi is the peer */
	unsigned wanted;
	enum ike_reason expected;
	enum ike_child_kind kind;
} cases[] = {
	{ "peer's active", ONE TCP4(ALL, B, B), ONE TCP4(BGP, A, A), BOTH,
	  IKE_REASON_NONE, IKE_CHILD_PASSIVE },
	{ "peer's passive", ONE TCP4(BGP, B, B), ONE TCP4(ALL, A, A), BOTH,
	  IKE_REASON_NONE, IKE_CHILD_ACTIVE },
	{ "any port to any port, both wanted", ONE TCP4(ALL, B, B),
	  ONE TCP4(ALL, A, A), BOTH, IKE_REASON_NONE, IKE_CHILD_ACTIVE },
	{ "any port to any port, one missing", ONE TCP4(ALL, B, B),
	  ONE TCP4(ALL, A, A), PASSIVE, IKE_REASON_NONE, IKE_CHILD_PASSIVE },
	{ "any port to any port, none missing", ONE TCP4(ALL, B, B),
	  ONE TCP4(ALL, A, A), NONE_WANTED, IKE_REASON_NONE,
	  IKE_CHILD_ACTIVE },
	{ "fits the one that is not missing", ONE TCP4(BGP, B, B),
	  ONE TCP4(ALL, A, A), PASSIVE, IKE_REASON_NONE, IKE_CHILD_ACTIVE },
	{ "any protocol", ONE ANY4(ALL, B, B), ONE ANY4(ALL, A, A), ACTIVE,
	  IKE_REASON_NONE, IKE_CHILD_ACTIVE },
	{ "the whole Internet", ONE ANY4(ALL, "00000000", "ffffffff"),
	  ONE ANY4(ALL, "00000000", "ffffffff"), PASSIVE, IKE_REASON_NONE,
	  IKE_CHILD_PASSIVE },
	{ "the packet's own selector first (RFC 7296 2.9)",
	  TWO TCP4("c350c350", B, B) TCP4(ALL, B, B),
	  TWO TCP4(BGP, A, A) TCP4(BGP, A, A), BOTH, IKE_REASON_NONE,
	  IKE_CHILD_PASSIVE },
	{ "the packet says which of two",
	  TWO TCP4("c350c350", B, B) TCP4(ALL, B, B),
	  TWO TCP4(BGP, A, A) TCP4(ALL, A, A), BOTH, IKE_REASON_NONE,
	  IKE_CHILD_PASSIVE },
	{ "the packet says which of two, missing or not",
	  TWO TCP4("c350c350", B, B) TCP4(ALL, B, B),
	  TWO TCP4(BGP, A, A) TCP4(ALL, A, A), ACTIVE, IKE_REASON_NONE,
	  IKE_CHILD_PASSIVE },
	{ "an answer's packet", TWO TCP4(BGP, B, B) TCP4(ALL, B, B),
	  TWO TCP4("c350c350", A, A) TCP4(ALL, A, A), PASSIVE,
	  IKE_REASON_NONE, IKE_CHILD_ACTIVE },
	{ "the packet is another's", TWO TCP4("00160016", B, B) TCP4(ALL, B, B),
	  TWO TCP4("00160016", A, A) TCP4(ALL, A, A), PASSIVE,
	  IKE_REASON_NONE, IKE_CHILD_PASSIVE },
	{ "the packet's own selector only", ONE TCP4("c350c350", B, B),
	  ONE TCP4(BGP, A, A), BOTH, IKE_REASON_TS, 0 },
	{ "another port", ONE TCP4(ALL, B, B), ONE TCP4("00160016", A, A),
	  BOTH, IKE_REASON_TS, 0 },
	{ "ports up to 178", ONE TCP4(ALL, B, B), ONE TCP4("000000b2", A, A),
	  BOTH, IKE_REASON_TS, 0 },
	{ "ports reversed", ONE TCP4("ffff0000", B, B), ONE TCP4(BGP, A, A),
	  BOTH, IKE_REASON_TS, 0 },
	{ "another protocol", ONE UDP4(ALL, B, B), ONE UDP4(BGP, A, A), BOTH,
	  IKE_REASON_TS, 0 },
	{ "another's address", ONE TCP4(ALL, "c0000203", "c0000203"),
	  ONE TCP4(BGP, A, A), BOTH, IKE_REASON_TS, 0 },
	{ "our own address as its own", ONE TCP4(ALL, A, A),
	  ONE TCP4(BGP, A, A), BOTH, IKE_REASON_TS, 0 },
	{ "another family", ONE "08060028" ALL
	  "fd000000000000000000000000000000ffffffffffffffffffffffffffffffff",
	  ONE TCP4(BGP, A, A), BOTH, IKE_REASON_TS, 0 },
	{ "an unknown type is passed over",
	  TWO "09000008" "01020304" TCP4(ALL, B, B), ONE TCP4(BGP, A, A),
	  BOTH, IKE_REASON_NONE, IKE_CHILD_PASSIVE },
	{ "no selector", "00000000", ONE TCP4(BGP, A, A), BOTH,
	  IKE_REASON_PAYLOAD, 0 },
	{ "one more than there is", TWO TCP4(ALL, B, B), ONE TCP4(BGP, A, A),
	  BOTH, IKE_REASON_PAYLOAD, 0 },
	{ "one less", ONE TCP4(ALL, B, B) TCP4(ALL, B, B),
	  ONE TCP4(BGP, A, A), BOTH, IKE_REASON_PAYLOAD, 0 },
	{ "length of IPv6 in IPv4", ONE "07060028" ALL B B,
	  ONE TCP4(BGP, A, A), BOTH, IKE_REASON_PAYLOAD, 0 },
	{ "length 0", ONE "07060000" ALL B B, ONE TCP4(BGP, A, A), BOTH,
	  IKE_REASON_PAYLOAD, 0 },
};

static void narrows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t i_bytes[128], r_bytes[128];
		struct ike_bytes tsi = { i_bytes, hex(cases[i].tsi, i_bytes) };
		struct ike_bytes tsr = { r_bytes, hex(cases[i].tsr, r_bytes) };
		enum ike_child_kind kind;
		enum ike_reason reason;

		reason = ts_narrow(pair, tsi, tsr, cases[i].wanted, &kind);
		if (reason != cases[i].expected)
			fail_msg("%s: %s, expected %s", cases[i].why,
				 ike_reason_name(reason),
				 ike_reason_name(cases[i].expected));
		if (reason == IKE_REASON_NONE && kind != cases[i].kind)
			fail_msg("%s: the wrong kind", cases[i].why);
	}
}

/* What one side writes the other narrows to the mirrored kind, and the answer
 * is accepted; any other answer is not. */
static void both_sides_agree(void **state)
{
	const struct ts_pair other = { &peer, &local, false, false };

	(void)state;
	for (unsigned k = 0; k < IKE_CHILD_KINDS; k++) {
		enum ike_child_kind kind = (enum ike_child_kind)k, narrowed;
		uint8_t bytes[128];
		struct writer writer = writer_of(bytes, sizeof(bytes));
		struct ike_bytes tsi = { bytes + 4, 20 };
		struct ike_bytes tsr = { bytes + 28, 20 };

		ts_write(&writer, pair, kind, true);
		assert_true(writer_finish(&writer));
		assert_int_equal(writer.len, 48);
		assert_int_equal(ts_narrow(other, tsi, tsr, BOTH, &narrowed),
				 IKE_REASON_NONE);
		assert_int_equal(narrowed, !k);
		assert_int_equal(ts_accept(pair, tsi, tsr, kind),
				 IKE_REASON_NONE);
		assert_int_equal(ts_accept(pair, tsi, tsr,
					   (enum ike_child_kind)!k),
				 IKE_REASON_TS);
		assert_int_equal(ts_accept(pair, tsr, tsi, kind),
				 IKE_REASON_TS);
		bytes[4 + 4 + 11] ^= 1;		/* a port or an address */
		assert_int_not_equal(ts_accept(pair, tsi, tsr, kind),
				     IKE_REASON_NONE);
	}
}

/* RFC 7296 2.23.1: behind a NAT any one host stands for the side; a range does
 * not, nor do other ports, and the other side's address is as strict as ever. */
static void hosts_behind_a_nat(void **state)
{
	static const struct {
		const char *why, *tsi, *tsr;
		bool here, there;
		enum ike_reason expected;
	} rows[] = {
		{ "inside address", ONE TCP4(ALL, "0a000001", "0a000001"),
		  ONE TCP4(BGP, A, A), false, true, IKE_REASON_NONE },
		{ "without a NAT", ONE TCP4(ALL, "0a000001", "0a000001"),
		  ONE TCP4(BGP, A, A), false, false, IKE_REASON_TS },
		{ "the NAT is on the other side",
		  ONE TCP4(ALL, "0a000001", "0a000001"),
		  ONE TCP4(BGP, A, A), true, false, IKE_REASON_TS },
		{ "both behind one", ONE TCP4(ALL, "0a000001", "0a000001"),
		  ONE TCP4(BGP, "c6336401", "c6336401"), true, true,
		  IKE_REASON_NONE },
		{ "a range", ONE TCP4(ALL, "0a000001", "0a000003"),
		  ONE TCP4(BGP, A, A), false, true, IKE_REASON_TS },
		{ "other ports", ONE TCP4("00160016", "0a000001", "0a000001"),
		  ONE TCP4(BGP, A, A), false, true, IKE_REASON_TS },
		{ "other family", ONE "08060028" ALL
		  "fd000000000000000000000000000000"
		  "fd000000000000000000000000000000",
		  ONE TCP4(BGP, A, A), false, true, IKE_REASON_TS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ts_pair nat = { &local, &peer, rows[i].here,
					     rows[i].there };
		/* as initiator, what comes back: we are TSi */
		const struct ts_pair mirror = { &peer, &local, rows[i].there,
						rows[i].here };
		uint8_t i_bytes[128], r_bytes[128];
		struct ike_bytes tsi = { i_bytes, hex(rows[i].tsi, i_bytes) };
		struct ike_bytes tsr = { r_bytes, hex(rows[i].tsr, r_bytes) };
		enum ike_child_kind kind;

		if (ts_narrow(nat, tsi, tsr, BOTH, &kind) !=
		    rows[i].expected ||
		    ts_accept(mirror, tsi, tsr, IKE_CHILD_ACTIVE) !=
		    rows[i].expected)
			fail_msg("%s", rows[i].why);
	}
}

static void names_the_host(void **state)
{
	struct in6_addr host = local;
	uint8_t bytes[128];

	(void)state;
	ts_host((struct ike_bytes){ bytes, hex(
		TWO TCP4(ALL, "0a000001", "0a000003")
		TCP4(ALL, "0a000004", "0a000004"), bytes) }, &host);
	assert_int_equal(host.s6_addr[12], 10);
	assert_int_equal(host.s6_addr[15], 4);
	host = local;
	ts_host((struct ike_bytes){ bytes, hex(
		ONE TCP4(ALL, "0a000001", "0a000003"), bytes) }, &host);
	assert_memory_equal(&host, &local, sizeof(host));
	ts_host((struct ike_bytes){ bytes, 3 }, &host);
	assert_memory_equal(&host, &local, sizeof(host));
}

static struct ike_bytes good_tsr;

static void refuse_one(struct ike_bytes tsi)
{
	enum ike_child_kind kind;

	assert_int_equal(ts_narrow(pair, tsi, good_tsr, BOTH, &kind),
			 IKE_REASON_PAYLOAD);
}

static void truncated_at_every_byte(void **state)
{
	uint8_t i_bytes[128], r_bytes[128];
	size_t len = hex(ONE TCP4(ALL, B, B), i_bytes);

	(void)state;
	good_tsr = (struct ike_bytes){
		r_bytes, hex(ONE TCP4(BGP, A, A), r_bytes) };
	each_truncation((struct ike_bytes){ i_bytes, len }, refuse_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(narrows),
		cmocka_unit_test(both_sides_agree),
		cmocka_unit_test(hosts_behind_a_nat),
		cmocka_unit_test(names_the_host),
		cmocka_unit_test(truncated_at_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
