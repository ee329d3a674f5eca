/* Messages cut into fragments and put together again (RFC 7383). */
#include "tests/unit/ike_test.h"

#include "ike/fragments.h"
#include "tests/unit/ike_protection.h"

enum { LIMIT = 200 };

static const struct message_header header = {
	.spi_i = 0x0102030405060708, .spi_r = 0x1112131415161718,
	.exchange = IKE_EXCHANGE_AUTH, .initiator = true, .id = 1
};

/* A message in one or more datagrams. */
struct sent {
	uint8_t bytes[2 * IKE_MAX_MESSAGE];
	size_t len;
	struct ike_bytes parts[2 * IKE_MAX_FRAGMENTS];
	size_t count;
};
static struct sent sent;
static uint8_t content[IKE_MAX_MESSAGE];

/* Nonce, then V: so much altogether. */
static struct writer chain(size_t len)
{
	struct writer inner = writer_of(content, sizeof(content));

	assert_true(len >= 24);
	write_payload(&inner, IKE_PAYLOAD_NONCE);
	write_bytes(&inner, "0123456789abcdef", 16);
	write_payload(&inner, IKE_PAYLOAD_VENDOR);
	while (inner.len < len)
		write_u8(&inner, (uint8_t)(inner.len * 7));
	assert_true(writer_finish(&inner));
	return inner;
}

static bool cut(size_t len, size_t limit)
{
	struct crypto_protection key = test_key();
	struct writer inner = chain(len);
	struct writer outer = writer_of(sent.bytes, sizeof(sent.bytes));
	uint64_t counter = 3;
	struct reader all;

	sent.count = 0;
	if (!message_seal(&outer, &header, &inner, &key, &counter, limit))
		return false;
	sent.len = outer.len;
	all = reader_of((struct ike_bytes){ sent.bytes, sent.len });
	while (message_next(&all, &sent.parts[sent.count]))
		sent.count++;
	assert_int_equal(all.left, 0);
	/* each has an IV of its own */
	assert_int_equal(counter, 3 + sent.count);
	return true;
}

/* The way in of one datagram, as far as the authentic fragment. */
static bool open_part(struct ike_bytes bytes, struct payloads *ret_outer,
		      uint8_t **ret_plaintext, size_t *ret_len)
{
	struct crypto_protection key = test_key();
	struct message_header parsed;

	return message_parse_header(bytes, &parsed) == IKE_REASON_NONE &&
		payloads_parse(parsed.first, (struct ike_bytes){
			bytes.data + MESSAGE_HEADER_SIZE,
			bytes.len - MESSAGE_HEADER_SIZE }, ret_outer) ==
		IKE_REASON_NONE &&
		message_open(bytes, ret_outer, &key, ret_plaintext, ret_len);
}

static struct fragments *set;

static enum ike_reason feed(size_t i)
{
	struct payloads outer;
	enum ike_reason reason;
	uint8_t *plaintext;
	size_t len;

	assert_true(open_part(sent.parts[i], &outer, &plaintext, &len));
	assert_true(PAYLOAD_HAS(&outer, SKF));
	assert_int_equal(outer.fragment, i + 1);
	assert_int_equal(outer.fragments, sent.count);
	assert_int_equal(outer.sk_first, i ? 0 : IKE_PAYLOAD_NONCE);
	reason = fragments_check(set, header.id, &outer);
	if (reason == IKE_REASON_NONE)
		return fragments_add(&set, header.id, &outer, IKE_SECONDS(9),
				     plaintext, len);
	message_free_plaintext(plaintext, len);
	return reason;
}

/* Is it whole, and what was cut? */
static bool whole(size_t expected)
{
	uint8_t first, *plaintext;
	bool equal;
	size_t len;

	if (!set || !fragments_join(set, &first, &plaintext, &len))
		return false;
	equal = len == expected && first == IKE_PAYLOAD_NONCE &&
		!memcmp(plaintext, content, len);
	message_free_plaintext(plaintext, len);
	assert_true(equal);
	return true;
}

static void forget(void)
{
	fragments_free(set);
	set = NULL;
}

/* ----------------------------------------------------------------- tests */

/* Every length of some hundred octets, in order and backwards: no datagram is
 * longer than the limit, all but the last are as long as can be. */
static void cut_and_joined(void **state)
{
	size_t most = 0;

	(void)state;
	EACH_KIND
	for (size_t len = 24; len < 900; len++) {
		assert_true(cut(len, LIMIT));
		for (size_t i = 0; i < sent.count; i++) {
			assert_true(sent.parts[i].len <= LIMIT);
			assert_true(i == sent.count - 1 ||
				    sent.parts[i].len > LIMIT - 16);
		}
		if (sent.count == 1) {
			assert_int_equal(sent.parts[0].data[16],
					 IKE_PAYLOAD_SK);
			continue;
		}
		most = sent.count > most ? sent.count : most;
		for (size_t i = 0; i < sent.count; i++) {
			size_t at = len & 1 ? i : sent.count - 1 - i;

			assert_false(whole(len));
			assert_int_equal(feed(at), IKE_REASON_NONE);
		}
		assert_true(whole(len));
		forget();
	}
	kind = 0;
	assert_in_range(most, 7, 9);
}

/* It is cut where it must be, and not before. */
static void only_if_longer_than_the_limit(void **state)
{
	size_t len;

	(void)state;
	EACH_KIND {
		assert_true(cut(500, SIZE_MAX));
		assert_int_equal(sent.count, 1);
		len = sent.len;
		assert_true(cut(500, len));
		assert_int_equal(sent.count, 1);
		assert_true(cut(500, len - 1));
		assert_int_equal(sent.count, 2);
	}
	kind = 0;
	/* IPv6's least MTU, over UDP port 4500 */
	assert_int_equal(MESSAGE_FRAGMENT_SIZE + 4 + 8 + 40, 1280);
}

/* As many as there may be, and one more; no room for anything. */
static void limits_of_cutting(void **state)
{
	size_t room = LIMIT - 36 - 8 - 16 - 1;

	(void)state;
	assert_true(cut(room * IKE_MAX_FRAGMENTS, LIMIT));
	assert_int_equal(sent.count, IKE_MAX_FRAGMENTS);
	assert_false(cut(room * IKE_MAX_FRAGMENTS + 1, LIMIT));
	assert_true(cut(64, 36 + 8 + 16 + 2));
	assert_int_equal(sent.count, 64);
	EACH_KIND
		for (size_t limit = 0; limit < 36 + kinds[kind].iv +
		     kinds[kind].block + kinds[kind].icv; limit++)
			assert_false(cut(64, limit));
	kind = 0;
}

static void refuse_one(struct ike_bytes bytes)
{
	struct payloads outer;
	uint8_t *plaintext;
	size_t len;

	assert_false(open_part(bytes, &outer, &plaintext, &len));
}

/* Its numbers are authenticated as all of it. */
static void mutilated(void **state)
{
	(void)state;
	EACH_KIND {
		assert_true(cut(300, LIMIT));
		for (size_t i = 0; i < sent.count; i++) {
			each_truncation(sent.parts[i], refuse_one);
			each_flip(sent.parts[i], refuse_one);
		}
	}
	kind = 0;
}

/* The counters that CVE-2016-1287 and CVE-2026-12413 are about. */
static void counters_off_by_one(void **state)
{
	static const struct {
		uint16_t number, total;
		bool good;
	} cases[] = {
		{ 1, 1, true }, { 1, 2, true }, { 2, 2, true },
		{ 1, IKE_MAX_FRAGMENTS, true },
		{ IKE_MAX_FRAGMENTS, IKE_MAX_FRAGMENTS, true },
		{ 0, 0, false }, { 0, 1, false }, { 0, 2, false },
		{ 1, 0, false }, { 2, 1, false }, { 3, 2, false },
		{ 1, IKE_MAX_FRAGMENTS + 1, false },
		{ IKE_MAX_FRAGMENTS, IKE_MAX_FRAGMENTS + 1, false },
		{ IKE_MAX_FRAGMENTS + 1, IKE_MAX_FRAGMENTS + 1, false },
		{ IKE_MAX_FRAGMENTS + 1, IKE_MAX_FRAGMENTS, false },
		{ 0xffff, IKE_MAX_FRAGMENTS, false },
		{ 1, 0xffff, false }, { 0xffff, 0xffff, false },
		{ 0, 0xffff, false }, { 0x8000, 0x8000, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[40] = { 0, 0, 0, 40 };
		struct payloads p = { .present = 77 };

		bytes[4] = (uint8_t)(cases[i].number >> 8);
		bytes[5] = (uint8_t)cases[i].number;
		bytes[6] = (uint8_t)(cases[i].total >> 8);
		bytes[7] = (uint8_t)cases[i].total;
		assert_int_equal(payloads_parse(IKE_PAYLOAD_SKF, VIEW(bytes),
						&p), cases[i].good ?
				 IKE_REASON_NONE : IKE_REASON_PAYLOAD);
		if (!cases[i].good) {
			assert_int_equal(p.present, 77);
			continue;
		}
		assert_int_equal(p.fragment, cases[i].number);
		assert_int_equal(p.sk.len, 32);
		assert_int_equal(p.sk_offset, 8);
	}
}

/* SKF without its numbers, and not the last payload. */
static void malformed_payloads(void **state)
{
	static const char *const cases[] = {
		"00000004", "0000000500", "00000006" "0001",
		"00000007" "000100", "29000008" "00010001" "00000005" "00",
		"00000008" "00010001" "00",
	};
	uint8_t bytes[64];
	struct payloads p;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(payloads_parse(
			IKE_PAYLOAD_SKF, (struct ike_bytes){
				bytes, hex(cases[i], bytes) }, &p),
			IKE_REASON_PAYLOAD);
	assert_int_equal(payloads_parse(IKE_PAYLOAD_SKF, (struct ike_bytes){
			bytes, hex("0000000800010001", bytes) }, &p),
			IKE_REASON_NONE);
	assert_int_equal(p.sk.len, 0);
}

/* A message cut again, into more; then old ones, and ones that say less. */
static void another_total(void **state)
{
	static struct sent more;

	(void)state;
	assert_true(cut(500, 180));
	more = sent;
	for (size_t i = 0; i < more.count; i++)
		more.parts[i].data = more.bytes +
			(sent.parts[i].data - sent.bytes);
	assert_true(cut(500, LIMIT + 50));
	assert_true(more.count > sent.count);
	assert_int_equal(feed(0), IKE_REASON_NONE);
	assert_int_equal(feed(1), IKE_REASON_NONE);
	assert_int_equal(feed(1), IKE_REASON_RETRANSMISSION);
	assert_int_equal(set->count, 2);
	sent = more;
	assert_int_equal(feed(1), IKE_REASON_NONE);
	assert_int_equal(set->count, 1);
	assert_int_equal(set->total, more.count);
	assert_true(cut(500, LIMIT + 50));
	assert_int_equal(feed(2), IKE_REASON_FRAGMENT);
	assert_int_equal(feed(0), IKE_REASON_FRAGMENT);
	assert_int_equal(set->count, 1);
	sent = more;
	for (size_t i = 0; i < sent.count; i++)
		assert_int_equal(feed(i), i == 1 ? IKE_REASON_RETRANSMISSION :
				 IKE_REASON_NONE);
	assert_true(whole(500));
	forget();
}

/* Another message, and parts that are empty or too many octets altogether. */
static void added_by_hand(void **state)
{
	struct payloads outer = { .fragment = 2, .fragments = 3 };
	uint8_t first, *plaintext;
	size_t len;

	(void)state;
	for (uint32_t id = 7; id < 9; id++) {
		assert_int_equal(fragments_check(set, id, &outer),
				 IKE_REASON_NONE);
		assert_int_equal(fragments_add(&set, id, &outer,
					       IKE_SECONDS(id), malloc(1), 0),
				 IKE_REASON_NONE);
		assert_int_equal(set->count, 1);
		assert_int_equal(set->id, id);
		assert_int_equal(set->until.us, IKE_SECONDS(id).us);
	}
	outer.fragment = 3;
	assert_int_equal(fragments_add(&set, 8, &outer, IKE_SECONDS(1),
				       calloc(1, IKE_MAX_MESSAGE),
				       IKE_MAX_MESSAGE), IKE_REASON_NONE);
	/* the time is that of the first */
	assert_int_equal(set->until.us, IKE_SECONDS(8).us);
	outer.fragment = 1;
	outer.sk_first = IKE_PAYLOAD_VENDOR;
	assert_int_equal(fragments_add(&set, 8, &outer, IKE_SECONDS(1),
				       malloc(1), 0), IKE_REASON_NONE);
	assert_true(fragments_join(set, &first, &plaintext, &len));
	assert_int_equal(first, IKE_PAYLOAD_VENDOR);
	assert_int_equal(len, IKE_MAX_MESSAGE);
	free(plaintext);
	forget();
	outer.fragment = 3;
	assert_int_equal(fragments_add(&set, 8, &outer, IKE_SECONDS(1),
				       calloc(1, IKE_MAX_MESSAGE),
				       IKE_MAX_MESSAGE), IKE_REASON_NONE);
	outer.fragment = 1;
	assert_int_equal(fragments_add(&set, 8, &outer, IKE_SECONDS(1),
				       calloc(1, 1), 1), IKE_REASON_FRAGMENT);
	assert_null(set);
	fragments_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_and_joined),
		cmocka_unit_test(only_if_longer_than_the_limit),
		cmocka_unit_test(limits_of_cutting),
		cmocka_unit_test(mutilated),
		cmocka_unit_test(counters_off_by_one),
		cmocka_unit_test(malformed_payloads),
		cmocka_unit_test(another_total),
		cmocka_unit_test(added_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
