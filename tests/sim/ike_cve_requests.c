/*
 * Published IKE vulnerabilities of what is asked for: Child SAs and first
 * messages with one fault each, and lengths that lie in every TLV. Each test
 * first shows that the message without the fault is accepted.
 */
#include "tests/sim/cve.h"

static size_t children(void)
{
	size_t count = 0;

	for (const struct child *c = ike->children; c; c = c->next)
		count++;
	return count;
}

/* ----------------------------------------- requests for Child SAs, with */

struct wish {
	int protocol;		/* of REKEY_SA; -1: none */
	uint8_t spi_size;
	size_t nonce;		/* octets */
	unsigned tsi;		/* payloads */
	unsigned selectors, claimed;	/* in each TS */
	uint8_t selector_len, offer_protocol, offer_spi;
};

static const struct wish good = {
	IKE_PROTOCOL_ESP, 4, 32, 1, 1, 1, 16, IKE_PROTOCOL_ESP, 4
};

static void write_selectors(struct writer *inner, const struct wish *wish,
			    bool of_peer, bool bgp)
{
	const struct in6_addr *address = of_peer ? &ike->config.peer :
		&ike->config.local;

	write_payload(inner, of_peer ? IKE_PAYLOAD_TSI : IKE_PAYLOAD_TSR);
	write_u32(inner, (uint32_t)wish->claimed << 24);
	for (unsigned i = 0; i < wish->selectors; i++) {
		write_u8(inner, 7);
		write_u8(inner, IPPROTO_TCP);
		write_u16(inner, wish->selector_len);
		write_u16(inner, bgp ? 179 : 0);
		write_u16(inner, bgp ? 179 : 65535);
		write_bytes(inner, address->s6_addr + 12, 4);
		write_bytes(inner, address->s6_addr + 12, 4);
		/* true, but longer than a selector is */
		if (wish->selector_len == 20)
			write_u32(inner, 0);
	}
}

/* ESN, HMAC-SHA2-256-128, ENCR_NULL */
static void write_offer(struct writer *inner, const struct wish *wish)
{
	static const uint8_t transforms[] = {
		3, 0, 0, 8, 1, 0, 0, 11, 3, 0, 0, 8, 3, 0, 0, 12,
		0, 0, 0, 8, 5, 0, 0, 1
	};
	static const uint8_t spi[8] = { 0x11, 0x22, 0x33, 0x44, 5, 6, 7, 8 };

	write_payload(inner, IKE_PAYLOAD_SA);
	write_u16(inner, 0);
	write_u16(inner, (uint16_t)(8 + wish->offer_spi + sizeof(transforms)));
	write_u8(inner, 1);
	write_u8(inner, wish->offer_protocol);
	write_u8(inner, wish->offer_spi);
	write_u8(inner, 3);
	write_bytes(inner, spi, wish->offer_spi);
	write_bytes(inner, transforms, sizeof(transforms));
}

static void write_wish(struct writer *inner, const struct wish *wish)
{
	const struct child *child = ike->children;
	bool active = child->info.kind == IKE_CHILD_ACTIVE;
	uint8_t nonce[512] = { 1 }, spi[8] = { 0 };

	for (unsigned i = 0; i < 4; i++)
		spi[i] = (uint8_t)(child->info.spi_out >> (24 - 8 * i));
	if (wish->protocol >= 0) {
		write_payload(inner, IKE_PAYLOAD_NOTIFY);
		write_u8(inner, (uint8_t)wish->protocol);
		write_u8(inner, wish->spi_size);
		write_u16(inner, IKE_NOTIFY_REKEY_SA);
		write_bytes(inner, spi, wish->spi_size);
	}
	payload_write_notify(inner, IKE_NOTIFY_USE_TRANSPORT_MODE,
			     (struct ike_bytes){ NULL, 0 });
	write_offer(inner, wish);
	write_payload(inner, IKE_PAYLOAD_NONCE);
	write_bytes(inner, nonce, wish->nonce);
	for (unsigned i = 0; i < wish->tsi; i++)
		write_selectors(inner, wish, true, active);
	write_selectors(inner, wish, false, !active);
}

/* Ask, twice the same; the answer is `notify`, and there is nothing new. */
static void refused(const struct wish *wish, uint16_t notify)
{
	uint8_t bytes[16000], message[IKE_MAX_MESSAGE];
	struct writer inner = writer_of(bytes, sizeof(bytes));
	size_t len;

	enter(ENGINE_ESTABLISHED);
	write_wish(&inner, wish);
	len = seal(IKE_EXCHANGE_CREATE_CHILD_SA, false, &inner, message);
	feed(message, len);
	assert_int_equal(answered(), notify);
	feed(message, len);
	assert_int_equal(counted(IKE_REASON_RETRANSMISSION), 1);
	assert_int_equal(out->installs + out->removes + out->failures, 0);
	assert_int_equal(children(), 2);
	assert_int_equal(the_sa()->state, SA_ESTABLISHED);
}

static void accepted(const struct wish *wish)
{
	uint8_t bytes[8192];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	enter(ENGINE_ESTABLISHED);
	write_wish(&inner, wish);
	feed_sealed(IKE_EXCHANGE_CREATE_CHILD_SA, false, &inner);
	assert_int_equal(out->installs, 1);
	assert_int_equal(children(), 3);
}

/* CVE-2023-38710: REKEY_SA of another protocol than ESP, and DELETE. */
static void rekey_with_protocol_0_or_1(void **state)
{
	static const int protocols[] = { 0, 1, 2, 4, 255 };
	static const uint8_t sizes[] = { 0, 4, 8 };

	(void)state;
	accepted(&good);
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 3; j++) {
			struct wish wish = good;

			wish.protocol = protocols[i];
			wish.spi_size = sizes[j];
			refused(&wish, IKE_NOTIFY_CHILD_SA_NOT_FOUND);
			wish = good;
			wish.spi_size = sizes[j];
			if (sizes[j] != 4)
				refused(&wish, IKE_NOTIFY_CHILD_SA_NOT_FOUND);
			wish = good;
			wish.offer_protocol = (uint8_t)protocols[i];
			wish.offer_spi = sizes[j];
			refused(&wish, IKE_NOTIFY_NO_PROPOSAL_CHOSEN);
		}
	for (unsigned protocol = 0; protocol < 256; protocol++) {
		uint8_t bytes[64];
		struct writer inner = writer_of(bytes, sizeof(bytes));

		if (protocol == IKE_PROTOCOL_IKE)
			continue;
		enter(ENGINE_ESTABLISHED);
		write_delete(&inner, (uint8_t)protocol, 0, 0xffff);
		feed_sealed(IKE_EXCHANGE_INFORMATIONAL, false, &inner);
		assert_int_equal(answered(), IKE_NOTIFY_INVALID_SYNTAX);
		assert_int_equal(out->removes, 0);
	}
}

/* CVE-2023-23009 and its like. */
static void duplicate_and_oversized_selectors(void **state)
{
	static const struct wish cases[] = {
		{ 3, 4, 32, 2, 1, 1, 16, 3, 4 },	/* two TSi */
		{ 3, 4, 32, 9, 1, 1, 16, 3, 4 },
		{ 3, 4, 32, 1, 255, 255, 16, 3, 4 },	/* too many */
		{ 3, 4, 32, 1, IKE_MAX_SELECTORS + 1, IKE_MAX_SELECTORS + 1,
		  16, 3, 4 },
		{ 3, 4, 32, 1, 1, 2, 16, 3, 4 },	/* more than there are */
		{ 3, 4, 32, 1, 1, 255, 16, 3, 4 },
		{ 3, 4, 32, 1, 2, 1, 16, 3, 4 },	/* less */
		{ 3, 4, 32, 1, 1, 0, 16, 3, 4 },
		{ 3, 4, 32, 1, 0, 0, 16, 3, 4 },
		{ 3, 4, 32, 1, 1, 1, 15, 3, 4 },	/* lengths that lie */
		{ 3, 4, 32, 1, 1, 1, 17, 3, 4 },
		{ 3, 4, 32, 1, 1, 1, 20, 3, 4 },
		{ 3, 4, 32, 1, 1, 1, 40, 3, 4 },
		{ 3, 4, 32, 1, 1, 1, 0, 3, 4 },
	};
	struct wish many = good;

	(void)state;
	many.selectors = many.claimed = IKE_MAX_SELECTORS;
	accepted(&many);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(&cases[i], IKE_NOTIFY_INVALID_SYNTAX);
}

static void nonce_of_illegal_length(void **state)
{
	static const size_t bad[] = { 0, 1, 15, 257, 511 };
	struct wish wish = good;

	(void)state;
	wish.nonce = IKE_MIN_NONCE;
	accepted(&wish);
	wish.nonce = IKE_MAX_NONCE;
	accepted(&wish);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wish.nonce = bad[i];
		refused(&wish, IKE_NOTIFY_INVALID_SYNTAX);
	}
}

/* ----------------------------------------------- first messages, with */

struct first {
	unsigned transforms;	/* besides the good ones */
	unsigned proposals;
	size_t nonce;
	uint16_t group;
	size_t public_len;	/* 0: that of a real key */
	int public_fill;	/* -1: a real key */
};

static const struct first good_first = { 0, 1, 32, IKE_KE_P256, 0, -1 };

/* AES-GCM-16-256, PRF-HMAC-SHA2-256, P-256, X25519, then ones that nobody
 * knows. */
static void write_first_offer(struct writer *w, const struct first *first)
{
	static const uint8_t ids[][2] = { { 2, 5 }, { 4, 19 }, { 4, 31 } };
	unsigned count = 4 + first->transforms;

	write_payload(w, IKE_PAYLOAD_SA);
	for (unsigned p = 1; p <= first->proposals; p++) {
		write_u16(w, p < first->proposals ? 0x200 : 0);
		write_u16(w, (uint16_t)(8 + 4 + 8 * count));
		write_u32(w, p << 24 | IKE_PROTOCOL_IKE << 16 | (count & 255));
		write_u32(w, 0x0300000c);
		write_u32(w, IKE_TRANSFORM_ENCR << 24 | IKE_ENCR_AES_GCM_16);
		write_u32(w, 0x800e0100);
		for (unsigned t = 1; t < count; t++) {
			write_u32(w, t < count - 1 ? 0x03000008 : 8);
			if (t < 4)
				write_u32(w, (uint32_t)ids[t - 1][0] << 24 |
					  ids[t - 1][1]);
			else
				write_u32(w, 4u << 24 | (0x8000 + t));
		}
	}
}

static void write_first_ke(struct writer *w, const struct first *first)
{
	struct crypto_ke ke;
	uint8_t fill[256];

	assert_true(engine_make_ke(ike, first->group, &ke));
	memset(fill, first->public_fill, sizeof(fill));
	write_payload(w, IKE_PAYLOAD_KE);
	write_u16(w, first->group);
	write_u16(w, 0);
	write_bytes(w, first->public_fill < 0 ? ke.public : fill,
		    first->public_len ? first->public_len : ke.public_len);
	crypto_ke_wipe(&ke);
}

static size_t write_first(const struct first *first, uint8_t *ret_bytes,
			  size_t size)
{
	struct writer w = writer_of(ret_bytes, size);
	struct message_header header = {
		.spi_i = 0x1122334455667788, .initiator = true,
		.exchange = IKE_EXCHANGE_SA_INIT
	};
	uint8_t nonce[512] = { 2 };

	message_begin(&w, &header);
	write_first_offer(&w, first);
	write_first_ke(&w, first);
	write_payload(&w, IKE_PAYLOAD_NONCE);
	write_bytes(&w, nonce, first->nonce);
	signature_write_hashes(&w);
	assert_true(message_finish(&w));
	return w.len;
}

/* A half-open IKE SA, or not. */
static void first_is(const struct first *first, bool taken,
		     enum ike_reason reason)
{
	uint8_t bytes[32768];
	size_t len;

	enter(ENGINE_HALF_OPEN);
	assert_int_equal(sa_half_open(ike), 1);
	len = write_first(first, bytes, sizeof(bytes));
	feed(bytes, len);
	assert_int_equal(sa_half_open(ike), taken ? 2 : 1);
	assert_int_equal(counted(reason), taken ? 0 : 1);
	assert_int_equal(out->authorizations + out->installs + out->failures, 0);
}

static void a_hundred_transforms(void **state)
{
	struct first first = good_first;

	(void)state;
	first_is(&first, true, IKE_REASON_PAYLOAD);
	first.transforms = IKE_MAX_TRANSFORMS - 4;
	first_is(&first, true, IKE_REASON_PAYLOAD);
	first.transforms = IKE_MAX_TRANSFORMS - 3;
	first_is(&first, false, IKE_REASON_PAYLOAD);
	first.transforms = 96;
	first_is(&first, false, IKE_REASON_PAYLOAD);
	first.transforms = 251;
	first_is(&first, false, IKE_REASON_PAYLOAD);
	first.transforms = 300;			/* the count has wrapped */
	first_is(&first, false, IKE_REASON_PAYLOAD);
	first = good_first;
	first.proposals = IKE_MAX_PROPOSALS;
	first_is(&first, true, IKE_REASON_PAYLOAD);
	first.proposals = IKE_MAX_PROPOSALS + 1;
	first_is(&first, false, IKE_REASON_PAYLOAD);
}

/* CVE-2023-41913 and RFC 6989: public values 0, 1 or not of the group. */
static void bad_public_values(void **state)
{
	static const struct {
		uint16_t group;
		size_t len;
		int fill;
	} cases[] = {
		{ IKE_KE_X25519, 32, 0 }, { IKE_KE_X25519, 31, 9 },
		{ IKE_KE_X25519, 33, 9 }, { IKE_KE_X25519, 1, 0 },
		{ IKE_KE_P256, 64, 0 }, { IKE_KE_P256, 64, 1 },
		{ IKE_KE_P256, 64, 0xff }, { IKE_KE_P256, 63, -1 },
		{ IKE_KE_P256, 65, 4 }, { IKE_KE_P256, 256, 4 },
		{ IKE_KE_P256, 1, 0 }, { IKE_KE_P256, 32, -1 },
	};
	struct first first = good_first;

	(void)state;
	first.group = IKE_KE_X25519;
	first_is(&first, true, IKE_REASON_PUBLIC_VALUE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		first.group = cases[i].group;
		first.public_len = cases[i].len;
		first.public_fill = cases[i].fill;
		first_is(&first, false, IKE_REASON_PUBLIC_VALUE);
		assert_int_equal(out->sends, 0);
	}
}

static void first_nonce_of_illegal_length(void **state)
{
	static const size_t bad[] = { 0, 15, 257 };
	struct first first = good_first;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		first.nonce = bad[i];
		first_is(&first, false, IKE_REASON_PAYLOAD);
	}
}

/* ------------------------------------------- lengths that lie, in every TLV */

enum { MAX_FIELDS = 64 };

struct fields {
	size_t at[MAX_FIELDS], count;
};

static void note(struct fields *fields, size_t at)
{
	assert_true(fields->count < MAX_FIELDS);
	fields->at[fields->count++] = at;
}

static size_t u16(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

/* Where the 16-bit lengths of a chain of payloads stand: of payloads, of
 * proposals and their transforms, of selectors. */
static void find_lengths(const uint8_t *chain, size_t len, uint8_t type,
			 struct fields *fields)
{
	for (size_t at = 0; at < len; at += u16(chain + at + 2)) {
		size_t end = at + u16(chain + at + 2);

		note(fields, at + 2);
		if (type == IKE_PAYLOAD_SA) {
			size_t first = at + 12 + chain[at + 10];

			note(fields, at + 6);
			for (size_t t = first; t < end; t += u16(chain + t + 2))
				note(fields, t + 2);
		}
		if (type == IKE_PAYLOAD_TSI || type == IKE_PAYLOAD_TSR)
			for (size_t s = at + 8; s < end; s += u16(chain + s +
								  2))
				note(fields, s + 2);
		type = chain[at];
	}
}

/* Try every lie at every place; `deliver` says whether it was believed. */
static unsigned lie(uint8_t *chain, const struct fields *fields,
		    bool (*deliver)(void))
{
	unsigned tried = 0;

	for (size_t i = 0; i < fields->count; i++) {
		uint8_t *at = chain + fields->at[i];
		size_t was = u16(at);
		const size_t lies[] = {
			0, 1, 3, was - 1, was + 1, was + 4, was + 8, 0x7fff,
			0xffff
		};

		for (size_t j = 0; j < sizeof(lies) / sizeof(lies[0]); j++) {
			if (lies[j] == was)
				continue;
			at[0] = (uint8_t)(lies[j] >> 8);
			at[1] = (uint8_t)lies[j];
			tried++;
			if (deliver())
				fail_msg("believed: %zu for %zu at %zu",
					 lies[j], was, fields->at[i]);
		}
		at[0] = (uint8_t)(was >> 8);
		at[1] = (uint8_t)was;
	}
	return tried;
}

static uint8_t lying[8192];
static size_t lying_len;
static uint8_t lying_first;

static bool believed_first(void)
{
	enter(ENGINE_HALF_OPEN);
	feed(lying, lying_len);
	return sa_half_open(ike) == 2;
}

static bool believed_child(void)
{
	uint8_t bytes[IKE_MAX_MESSAGE];
	size_t len;

	enter(ENGINE_ESTABLISHED);
	len = engine_seal(the_sa(), IKE_EXCHANGE_CREATE_CHILD_SA, false,
			  lying_first, (struct ike_bytes){ lying, lying_len },
			  bytes);
	feed(bytes, len);
	assert_int_equal(the_sa()->state, SA_ESTABLISHED);
	return out->installs > 0;
}

static void nested_length_lies(void **state)
{
	struct fields fields = { .count = 0 };
	struct writer inner = writer_of(lying, sizeof(lying));

	(void)state;
	enter(ENGINE_HALF_OPEN);
	lying_len = write_first(&good_first, lying, sizeof(lying));
	assert_true(believed_first());
	find_lengths(lying + MESSAGE_HEADER_SIZE,
		     lying_len - MESSAGE_HEADER_SIZE, lying[16], &fields);
	assert_int_equal(fields.count, 4 + 1 + 4);
	assert_true(lie(lying + MESSAGE_HEADER_SIZE, &fields,
			believed_first) > 70);
	enter(ENGINE_ESTABLISHED);
	write_wish(&inner, &good);
	assert_true(writer_finish(&inner));
	lying_len = inner.len;
	lying_first = inner.first;
	assert_true(believed_child());
	fields.count = 0;
	find_lengths(lying, lying_len, lying_first, &fields);
	assert_int_equal(fields.count, 6 + 1 + 3 + 2);
	assert_true(lie(lying, &fields, believed_child) > 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rekey_with_protocol_0_or_1),
		cmocka_unit_test(duplicate_and_oversized_selectors),
		cmocka_unit_test(nonce_of_illegal_length),
		cmocka_unit_test(a_hundred_transforms),
		cmocka_unit_test(bad_public_values),
		cmocka_unit_test(first_nonce_of_illegal_length),
		cmocka_unit_test(nested_length_lies),
	};

	return cmocka_run_group_tests(tests, fix_randomness, NULL);
}
