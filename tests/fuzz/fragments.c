/*
 * Fragments that are sealed as the peer would, with any numbers (RFC 7383).
 * Octet 0 picks the state, then records (fuzz.h) of these kinds follow:
 *
 *	0	flags, number, total, first payload, part: one fragment
 *	1	an offset of 16 bits and as 0: the same, with one bit flipped
 *	2	a span of time, 16 bits of milliseconds
 *	3	flags, first payload, size of a piece, a chain: a message that
 *		comes in pieces must do what it does in one, whatever their
 *		order
 *
 * Number and total are two octets each. Flags: exchange, RESPONSE, and BACK
 * for a message id that has passed.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/sim/fragment.h"

enum {
	MAX_RECORDS = 16,
	BACK = 0x80,
	RESPONSE = 0x40,
	BACKWARDS = 0x20,	/* of kind 3 */
	TWICE = 0x10,
	EXCHANGES = 4,
	KINDS = 4
};

/* Those in which there is a peer with keys. */
static const enum engine_state states[] = {
	ENGINE_ESTABLISHED, ENGINE_AUTH_SENT, ENGINE_HALF_OPEN
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	engine_fix_randomness();
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		engine_in(states[i]);
	return 0;
}

/* ------------------------------------------------------------- one of them */

static void check_set(const struct fragments *set)
{
	size_t count = 0, len = 0;

	if (!set)
		return;
	FUZZ_ASSERT(set->total > 0 && set->total <= IKE_MAX_FRAGMENTS);
	for (size_t i = 0; i < set->total; i++) {
		count += set->parts[i].plaintext != NULL;
		len += set->parts[i].len;
	}
	/* what is whole has been handled */
	FUZZ_ASSERT(count == set->count && count > 0 && count < set->total);
	FUZZ_ASSERT(len == set->len && len <= IKE_MAX_MESSAGE);
}

static void check(const struct ike *ike)
{
	for (const struct sa *sa = ike->sas; sa; sa = sa->next)
		for (size_t i = 0; i < 2; i++)
			check_set(sa->collected[i]);
}

/* How many octets are held. */
static size_t held(const struct ike *ike)
{
	size_t len = 0;

	for (const struct sa *sa = ike->sas; sa; sa = sa->next)
		for (size_t i = 0; i < 2; i++)
			if (sa->collected[i])
				len += sa->collected[i]->len;
	return len;
}

static size_t seal(struct ike *ike, struct reader *body,
		   uint8_t ret_bytes[IKE_MAX_MESSAGE])
{
	const struct sa *sa = engine_sa(ike, false);
	struct fragment fragment;
	uint8_t flags;

	if (!sa || !read_u8(body, &flags) ||
	    !read_u16(body, &fragment.number) ||
	    !read_u16(body, &fragment.total) || !read_u8(body, &fragment.first))
		return 0;
	fragment.exchange = (uint8_t)(IKE_EXCHANGE_SA_INIT + flags % EXCHANGES);
	fragment.response = flags & RESPONSE;
	fragment.part = read_rest(body);
	return fragment_seal(sa, &fragment, flags & BACK ? 1 : 0, ret_bytes);
}

static void one(struct ike *ike, struct ike_bytes body)
{
	struct reader reader = reader_of(body);
	uint8_t bytes[IKE_MAX_MESSAGE];
	size_t len = seal(ike, &reader, bytes);

	if (len)
		engine_feed(ike, bytes, len);
}

/* One that is not authentic is not kept, and makes room for nothing. */
static void flipped(struct ike *ike, struct ike_bytes body)
{
	struct reader reader = reader_of(body);
	uint8_t bytes[IKE_MAX_MESSAGE];
	size_t len, before = held(ike);
	uint16_t at;

	if (!read_u16(&reader, &at))
		return;
	len = seal(ike, &reader, bytes);
	if (!len)
		return;
	bytes[at % len] ^= (uint8_t)(1 << at % 8);
	engine_feed(ike, bytes, len);
	FUZZ_ASSERT(held(ike) == before);
}

/* ---------------------------------------------------------- whole, in parts */

struct cut {
	uint8_t flags, first;
	size_t size, pieces;
	struct ike_bytes chain;
};

static bool read_cut(struct ike_bytes body, struct cut *ret_cut)
{
	struct reader reader = reader_of(body);
	uint8_t size;

	if (!read_u8(&reader, &ret_cut->flags) ||
	    !read_u8(&reader, &ret_cut->first) || !read_u8(&reader, &size))
		return false;
	ret_cut->chain = read_rest(&reader);
	ret_cut->size = 1 + size;
	ret_cut->pieces = ret_cut->chain.len / ret_cut->size + 1;
	return ret_cut->pieces <= IKE_MAX_FRAGMENTS;
}

static void feed_piece(struct ike *ike, const struct sa *sa,
		       const struct cut *cut, size_t i)
{
	const size_t at = i * cut->size, left = cut->chain.len - at;
	const struct fragment fragment = {
		.exchange = (uint8_t)(IKE_EXCHANGE_SA_INIT +
				      cut->flags % EXCHANGES),
		.response = cut->flags & RESPONSE,
		.number = (uint16_t)(i + 1), .total = (uint16_t)cut->pieces,
		.first = i == 0 ? cut->first : 0,
		.part = { cut->chain.data + at,
			  left < cut->size ? left : cut->size }
	};
	uint8_t bytes[IKE_MAX_MESSAGE];
	size_t len = fragment_seal(sa, &fragment, 0, bytes);

	FUZZ_ASSERT(len);
	engine_feed(ike, bytes, len);
}

/* Each of them, and all but the last one twice. */
static void feed_pieces(struct ike *ike, const struct cut *cut)
{
	const struct sa *sa = engine_sa(ike, false);

	for (size_t n = 0; n < cut->pieces; n++) {
		const size_t i = cut->flags & BACKWARDS ?
			cut->pieces - 1 - n : n;

		feed_piece(ike, sa, cut, i);
		if (cut->flags & TWICE && n + 1 < cut->pieces)
			feed_piece(ike, sa, cut, i);
	}
}

static void in_pieces(enum engine_state state, struct ike_bytes body)
{
	static struct engine_out whole;
	uint8_t bytes[IKE_MAX_MESSAGE];
	struct ike *ike;
	struct cut cut;
	size_t len;

	if (!read_cut(body, &cut))
		return;
	ike = engine_in(state);
	len = engine_seal(engine_sa(ike, false), (uint8_t)(
			IKE_EXCHANGE_SA_INIT + cut.flags % EXCHANGES),
			cut.flags & RESPONSE, cut.first, cut.chain, bytes);
	/* these never travel sealed */
	if (!len || cut.flags % EXCHANGES == 0)
		return;
	engine_feed(ike, bytes, len);
	whole = engine_out;
	ike = engine_in(state);
	feed_pieces(ike, &cut);
	check(ike);
	FUZZ_ASSERT(whole.sends == engine_out.sends &&
		    whole.signatures == engine_out.signatures &&
		    whole.authorizations == engine_out.authorizations &&
		    whole.installs == engine_out.installs &&
		    whole.removes == engine_out.removes &&
		    whole.states == engine_out.states &&
		    whole.failures == engine_out.failures);
	FUZZ_ASSERT(whole.last_len == engine_out.last_len &&
		    !memcmp(whole.last, engine_out.last, whole.last_len));
}

/* ------------------------------------------------------------------ script */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader script = reader_of((struct ike_bytes){ data, size });
	enum engine_state state;
	struct ike_bytes body;
	uint8_t octet, kind;
	struct ike *ike;

	if (!read_u8(&script, &octet))
		return 0;
	state = states[octet % (sizeof(states) / sizeof(states[0]))];
	ike = engine_in(state);
	for (unsigned i = 0; i < MAX_RECORDS &&
	     fuzz_record(&script, &kind, &body); i++) {
		uint16_t ms = 0;

		kind %= KINDS;
		if (kind == 0)
			one(ike, body);
		if (kind == 1)
			flipped(ike, body);
		if (kind == 2 && body.len >= 2)
			ms = (uint16_t)(body.data[0] << 8 | body.data[1]);
		engine_wait(ike, IKE_MSECONDS(ms));
		check(ike);
		if (kind == 3) {
			in_pieces(state, body);
			return 0;
		}
	}
	/* the rest does not come */
	engine_wait(ike, COLLECT_TIME);
	FUZZ_ASSERT(held(ike) == 0);
	return 0;
}
