/*
 * Datagrams into an engine in each state. Octet 0 picks the state, then
 * records (fuzz.h) of these kinds follow:
 *
 *	0	a datagram as it is
 *	1	a datagram whose SPIs and length are made right
 *	2	exchange and flags, first payload, a chain: sealed as the peer
 *	3	a span of time, 16 bits of milliseconds
 *	4	first payload, a chain: sealed in IKE_AUTH, behind an identity,
 *		a certificate and an AUTH that is right; and it is authorized
 *	5	what the engine begins itself: see begin()
 *
 * As long as nothing has been sealed and no time has passed, an established
 * IKE SA and its Child SAs must stay exactly as they are.
 */
#include "tests/fuzz/fuzz.h"

#include <openssl/ec.h>
#include <openssl/x509.h>

#include "tests/sim/engine.h"

enum {
	MAX_RECORDS = 16,
	OLDEST = 0x80,		/* of octet 0 of kind 2 */
	RESPONSE = 0x40,
	EXCHANGES = 4,
	KINDS = 6
};

static struct {
	EVP_PKEY *key;
	uint8_t der[2048];
	size_t len;
} peer;

static void make_peer(void)
{
	X509 *x509 = X509_new();
	uint8_t *at = peer.der;

	peer.key = EVP_EC_gen("P-256");
	FUZZ_ASSERT(x509 && X509_set_pubkey(x509, peer.key) == 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
	FUZZ_ASSERT(X509_sign(x509, peer.key, EVP_sha256()) > 0);
	peer.len = (size_t)i2d_X509(x509, &at);
	X509_free(x509);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	engine_fix_randomness();
	make_peer();
	for (unsigned i = 0; i < ENGINE_STATES; i++)
		engine_in((enum engine_state)i);
	return 0;
}

static void put(uint8_t *at, uint64_t value, unsigned octets)
{
	for (unsigned i = 0; i < octets; i++)
		at[i] = (uint8_t)(value >> 8 * (octets - 1 - i));
}

static void addressed(struct ike *ike, struct ike_bytes body)
{
	uint8_t *copy = fuzz_exact(body);
	const struct sa *sa = ike->sas;

	if (body.len >= MESSAGE_HEADER_SIZE) {
		if (sa && copy[18] != IKE_EXCHANGE_SA_INIT) {
			put(copy, sa_spi_i(sa), 8);
			put(copy + 8, sa_spi_r(sa), 8);
		} else if (sa && sa->initiator) {
			put(copy, sa_spi_i(sa), 8);
		}
		put(copy + 24, body.len, 4);
	}
	engine_feed(ike, copy, body.len);
	free(copy);
}

static void sealed(struct ike *ike, struct ike_bytes body)
{
	struct reader reader = reader_of(body);
	uint8_t bytes[IKE_MAX_MESSAGE], flags, first;
	const struct sa *sa;
	size_t len;

	if (!read_u8(&reader, &flags) || !read_u8(&reader, &first))
		return;
	sa = engine_sa(ike, flags & OLDEST);
	if (!sa)
		return;
	len = engine_seal(sa, (uint8_t)(IKE_EXCHANGE_SA_INIT +
					flags % EXCHANGES),
			  flags & RESPONSE, first, read_rest(&reader), bytes);
	if (len)
		engine_feed(ike, bytes, len);
}

/* What the peer signs, RFC 7296 2.15. */
static size_t sign(const struct sa *sa, struct ike_bytes id,
		   uint8_t ret_signature[128])
{
	const struct handshake *h = sa->handshake;
	struct signature_octets input = {
		.message = buffer_view(sa->initiator ? &h->init_response :
				       &h->init_request),
		.nonce = nonce_view(&h->own), .id_body = id,
		.prf = sa->algorithms.prf,
		.sk_p = sa->initiator ? &sa->keys.pr : &sa->keys.pi
	};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t octets_len, len = 128;
	uint8_t *octets;

	FUZZ_ASSERT(signature_octets(test_crypto(),
				     &input, &octets, &octets_len));
	FUZZ_ASSERT(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
				       peer.key) == 1 &&
		    EVP_DigestSign(ctx, ret_signature, &len, octets,
				   octets_len) == 1);
	EVP_MD_CTX_free(ctx);
	free(octets);
	return len;
}

static void write_auth(struct writer *inner, const struct sa *sa)
{
	static const uint8_t id[] = { IKE_ID_IPV4_ADDR, 0, 0, 0, 192, 0, 0, 2 };
	uint8_t signature[128];
	struct ike_bytes view = {
		signature, sign(sa, (struct ike_bytes){ id, sizeof(id) },
				signature)
	};
	struct signature_choice choice = {
		.method = IKE_AUTH_METHOD_DIGITAL_SIGNATURE,
		.hash = IKE_HASH_SHA2_256, .row = signature_row(ECDSA_SHA256)
	};

	write_payload(inner, sa->initiator ? IKE_PAYLOAD_IDR :
		      IKE_PAYLOAD_IDI);
	write_bytes(inner, id, sizeof(id));
	write_payload(inner, IKE_PAYLOAD_CERT);
	write_u8(inner, IKE_CERT_X509_SIGNATURE);
	write_bytes(inner, peer.der, peer.len);
	signature_write(inner, &choice, view);
}

/* A peer that is who it says, and hostile. */
static bool authenticated(struct ike *ike, struct ike_bytes body)
{
	uint8_t plain[IKE_MAX_MESSAGE], bytes[IKE_MAX_MESSAGE], first;
	struct writer inner = writer_of(plain, sizeof(plain));
	struct reader reader = reader_of(body);
	const struct sa *sa = engine_sa(ike, false);
	size_t len;

	if (!sa || (sa->state != SA_AUTH_SENT &&
		    sa->state != SA_INIT_ANSWERED) || !read_u8(&reader, &first))
		return false;
	write_auth(&inner, sa);
	if (!writer_finish(&inner))
		return false;
	write_u8_at(&inner, inner.next_at, first);
	write_view(&inner, read_rest(&reader));
	if (inner.failed)
		return false;
	len = engine_seal(sa, IKE_EXCHANGE_AUTH, sa->initiator, inner.first,
			  (struct ike_bytes){ plain, inner.len }, bytes);
	if (len)
		engine_feed(ike, bytes, len);
	if (engine_out.authorizations)
		engine_authorize(ike);
	return true;
}

/* So that there is a request of ours that may be answered, or collide. */
static void begin(struct ike *ike, struct ike_bytes body)
{
	struct ike_input input = { .type = IKE_INPUT_START };
	struct sa *sa = sa_best(ike);
	struct child *child = ike->children;

	switch (body.len ? body.data[0] % 6 : 0) {
	case 0:
		if (child)
			child->rekey_at = ike->now;
		return;
	case 1:
		if (sa)
			sa->rekey_at = ike->now;
		return;
	case 2:
		if (sa)
			sa->reauth_at = ike->now;
		return;
	case 3:
		input.type = IKE_INPUT_CHILD_FAILED;
		input.child_failed.child = child ? child->info.id : 0;
		break;
	case 4:
		input.type = IKE_INPUT_STOP;
		break;
	case 5:
		break;
	}
	ike_input(ike, ike->now, &input);
}

/* What holds whatever came. */
static void check(const struct ike *ike)
{
	size_t children = 0, sas = 0;

	for (const struct sa *sa = ike->sas; sa; sa = sa->next) {
		FUZZ_ASSERT(sa->state != SA_DEAD);
		sas++;
	}
	FUZZ_ASSERT(sas <= IKE_MAX_SAS);
	FUZZ_ASSERT(sa_half_open(ike) <= IKE_MAX_HALF_OPEN);
	for (const struct child *c = ike->children; c; c = c->next)
		children++;
	FUZZ_ASSERT(children <= IKE_MAX_CHILDREN);
	FUZZ_ASSERT(!ike->effects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader script = reader_of((struct ike_bytes){ data, size });
	struct engine_shot shot;
	bool pristine = true, signed_for = false;
	struct ike_bytes body;
	struct ike *ike;
	uint8_t state, kind;

	if (!read_u8(&script, &state))
		return 0;
	ike = engine_in((enum engine_state)(state % ENGINE_STATES));
	engine_shoot(ike, &shot);
	for (unsigned i = 0; i < MAX_RECORDS &&
	     fuzz_record(&script, &kind, &body); i++) {
		uint16_t ms = 0;

		kind %= KINDS;
		if (kind == 0)
			engine_feed(ike, body.data, body.len);
		if (kind == 1)
			addressed(ike, body);
		if (kind == 2)
			sealed(ike, body);
		if (kind == 3 && body.len >= 2)
			ms = (uint16_t)(body.data[0] << 8 | body.data[1]);
		if (kind == 4)
			signed_for = authenticated(ike, body) || signed_for;
		if (kind == 5)
			begin(ike, body);
		engine_wait(ike, IKE_MSECONDS(ms));
		pristine = pristine && kind < 2;
		check(ike);
		/* nobody else can sign for the peer */
		FUZZ_ASSERT(signed_for || engine_out.authorizations == 0);
		if (pristine && shot.present)
			FUZZ_ASSERT(engine_unchanged(ike, &shot) &&
				    !engine_out.installs &&
				    !engine_out.removes);
	}
	return 0;
}
