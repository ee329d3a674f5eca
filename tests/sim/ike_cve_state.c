/*
 * Published IKE vulnerabilities of an engine's state, which only authenticated
 * messages change.
 */
#include "tests/sim/cve.h"
#include "tests/sim/fragment.h"

/* Everything that the engine remembers, but its counters. */
static void freeze(uint8_t ret_hash[CRYPTO_SHA256_SIZE])
{
	static uint8_t bytes[1 << 18];
	struct writer writer = writer_of(bytes, sizeof(bytes));
	struct ike copy;

	memcpy(&copy, ike, sizeof(copy));
	memset(copy.counters, 0, sizeof(copy.counters));
	copy.taken = NULL;
	copy.now = (struct ike_time){ 0 };
	copy.local_port = copy.peer_port = 0;
	write_bytes(&writer, &copy, sizeof(copy));
	for (const struct sa *sa = ike->sas; sa; sa = sa->next) {
		write_bytes(&writer, sa, sizeof(*sa));
		if (sa->handshake)
			write_bytes(&writer, sa->handshake,
				    sizeof(*sa->handshake));
	}
	for (const struct child *c = ike->children; c; c = c->next)
		write_bytes(&writer, c, sizeof(*c));
	assert_false(writer.failed);
	assert_true(crypto_sha256(test_crypto(),
				  (struct ike_bytes){ bytes, writer.len },
				  ret_hash));
}

static bool nothing_happened(const uint8_t before[CRYPTO_SHA256_SIZE])
{
	uint8_t after[CRYPTO_SHA256_SIZE];

	freeze(after);
	return memcmp(before, after, sizeof(after)) == 0 && !out->signatures &&
		!out->authorizations && !out->installs && !out->removes &&
		!out->states && !out->failures;
}

static void put(uint8_t *at, uint64_t value, unsigned octets)
{
	for (unsigned i = 0; i < octets; i++)
		at[i] = (uint8_t)(value >> 8 * (octets - 1 - i));
}

/* A header that fits this IKE SA, then a chain in clear. */
static size_t forge(const struct sa *sa, uint8_t exchange, uint8_t flags,
		    uint32_t id, uint8_t first, uint8_t *ret_bytes)
{
	static const uint8_t chain[] = {
		0, 0, 0, 40, 0, 1, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9,
		9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9
	};

	put(ret_bytes, sa_spi_i(sa), 8);
	put(ret_bytes + 8, sa_spi_r(sa), 8);
	put(ret_bytes + 16, (uint64_t)first << 24 | 0x200000 |
	    (uint64_t)exchange << 8 | flags, 4);
	put(ret_bytes + 20, id, 4);
	put(ret_bytes + 24, MESSAGE_HEADER_SIZE + sizeof(chain), 4);
	memcpy(ret_bytes + MESSAGE_HEADER_SIZE, chain, sizeof(chain));
	return MESSAGE_HEADER_SIZE + sizeof(chain);
}

/* Every exchange, direction, message id near the right one, and outermost
 * payload: SK, SKF (RFC 7383), and things in clear. */
static void forge_all(const uint8_t before[CRYPTO_SHA256_SIZE])
{
	static const uint8_t firsts[] = {
		IKE_PAYLOAD_SK, IKE_PAYLOAD_SKF, IKE_PAYLOAD_NOTIFY,
		IKE_PAYLOAD_DELETE, IKE_PAYLOAD_AUTH, IKE_PAYLOAD_NONE, 200
	};
	const struct sa *sa = the_sa();
	uint8_t bytes[128];

	for (uint8_t exchange = 34; exchange < 44; exchange++)
		for (unsigned flags = 0; flags < 64; flags += 8)
			for (uint32_t id = 0; id < 6; id++)
				for (size_t i = 0; i < sizeof(firsts); i++) {
					/* a new handshake may begin */
					if (exchange == 34 && !(flags & 32))
						continue;
					feed(bytes, forge(sa, exchange,
							  (uint8_t)flags, id,
							  firsts[i], bytes));
					assert_true(nothing_happened(before));
					assert_int_equal(out->sends, 0);
				}
}

static void unauthenticated_changes_nothing(void **state)
{
	static const enum engine_state states[] = {
		ENGINE_AUTH_SENT, ENGINE_HALF_OPEN, ENGINE_ESTABLISHED
	};
	uint8_t before[CRYPTO_SHA256_SIZE], bytes[64];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		enter(states[i]);
		freeze(before);
		forge_all(before);
	}
	assert_true(counted(IKE_REASON_INTEGRITY) > 0);
	/* the detector detects */
	feed_sealed(IKE_EXCHANGE_INFORMATIONAL, false, &inner);
	assert_false(nothing_happened(before));
	assert_int_equal(out->sends, 1);
}

/* CVE-2022-23094: nobody's messages have no IKE SA to look into. */
static void messages_of_no_ike_sa(void **state)
{
	uint8_t bytes[128], before[CRYPTO_SHA256_SIZE];
	struct sa nobody = { .spi_own = 77, .spi_peer = 78 };
	unsigned sent = 0;

	(void)state;
	for (unsigned i = 0; i < ENGINE_STATES; i++) {
		enter((enum engine_state)i);
		freeze(before);
		sent = 0;
		for (unsigned exchange = 35; exchange < 256; exchange++) {
			feed(bytes, forge(&nobody, (uint8_t)exchange,
					  exchange & 1 ? 0x20 : 8, exchange,
					  IKE_PAYLOAD_SK, bytes));
			sent++;
		}
		assert_true(nothing_happened(before));
		assert_int_equal(counted(IKE_REASON_UNKNOWN_SPI), sent);
		assert_int_equal(out->sends, 0);
	}
}

/* Our own messages sent back, with the role as it was and changed. */
static void reflected_message(void **state)
{
	uint8_t bytes[IKE_MAX_MESSAGE], before[CRYPTO_SHA256_SIZE];
	uint8_t plain[64];
	struct writer inner = writer_of(plain, sizeof(plain));
	size_t len;

	(void)state;
	enter(ENGINE_ESTABLISHED);
	feed_sealed(IKE_EXCHANGE_INFORMATIONAL, false, &inner);
	assert_int_equal(out->sends, 1);
	len = out->last_len;
	memcpy(bytes, out->last, len);
	freeze(before);
	for (unsigned flags = 0; flags < 64; flags += 8) {
		bytes[19] = (uint8_t)flags;
		feed(bytes, len);
		assert_true(nothing_happened(before));
	}
	assert_int_equal(out->sends, 1);
	assert_true(counted(IKE_REASON_WRONG_ROLE) > 0);
	enter(ENGINE_CONNECTING);
	freeze(before);
	len = ike->sas->handshake->init_request.len;
	memcpy(bytes, ike->sas->handshake->init_request.data, len);
	feed(bytes, len);
	assert_true(nothing_happened(before));
	assert_int_equal(counted(IKE_REASON_WRONG_ROLE), 1);
}

/* CVE-2026-12413, CVE-2016-1287: numbers of fragments, before any certificate
 * has been shown: a stranger has the keys of a half-open IKE SA. */
static void fragment_numbers(void **state)
{
	static const uint16_t numbers[] = {
		0, 1, 2, IKE_MAX_FRAGMENTS - 1, IKE_MAX_FRAGMENTS,
		IKE_MAX_FRAGMENTS + 1, 0x7fff, 0x8000, 0xffff
	};
	static const uint8_t zeros[64];
	enum { COUNT = sizeof(numbers) / sizeof(numbers[0]) };
	uint8_t bytes[IKE_MAX_MESSAGE];

	(void)state;
	enter(ENGINE_HALF_OPEN);
	for (unsigned i = 0; i < COUNT * COUNT; i++) {
		struct fragment fragment = {
			.exchange = IKE_EXCHANGE_AUTH,
			.number = numbers[i % COUNT],
			.total = numbers[i / COUNT],
			.part = { zeros, i % sizeof(zeros) }
		};
		bool fits = fragment.number >= 1 &&
			fragment.number <= fragment.total &&
			fragment.total <= IKE_MAX_FRAGMENTS;
		uint64_t bad = counted(IKE_REASON_PAYLOAD);

		/* the last of a message: whole, and refused */
		if (fits && fragment.number == fragment.total &&
		    fragment.total <= 2)
			continue;
		feed(bytes, fragment_seal(the_sa(), &fragment, 0, bytes));
		assert_int_equal(counted(IKE_REASON_PAYLOAD), bad + !fits);
		assert_int_equal(the_sa()->state, SA_INIT_ANSWERED);
		assert_int_equal(out->sends + out->authorizations, 0);
	}
	assert_int_equal(the_sa()->collected[0]->total, IKE_MAX_FRAGMENTS);
	assert_int_equal(the_sa()->collected[0]->count, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unauthenticated_changes_nothing),
		cmocka_unit_test(messages_of_no_ike_sa),
		cmocka_unit_test(reflected_message),
		cmocka_unit_test(fragment_numbers),
	};

	return cmocka_run_group_tests(tests, fix_randomness, NULL);
}
