/*
 * One test for each class of published IKE vulnerability that an engine with
 * state can have (those of parsers and primitives: tests/unit/ike_cve.c; of
 * certificates: tests/unit/policy_cve.c). Each first shows that the message
 * without the fault is accepted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/x509.h>

#include "tests/sim/fragment.h"

static struct ike *ike;
static const struct engine_out *const out = &engine_out;

/* ------------------------------------------------------------- scaffolding */

static void enter(enum engine_state state)
{
	ike = engine_in(state);
}

static void feed(const uint8_t *data, size_t len)
{
	engine_feed(ike, data, len);
}

static uint64_t counted(enum ike_reason reason)
{
	return ike_counters(ike)[reason];
}

static struct sa *the_sa(void)
{
	struct sa *sa = engine_sa(ike, false);

	assert_non_null(sa);
	return sa;
}

static size_t children(void)
{
	size_t count = 0;

	for (const struct child *c = ike->children; c; c = c->next)
		count++;
	return count;
}

/* Seal it as the peer, under the message id that is due. */
static size_t seal(uint8_t exchange, bool response, struct writer *inner,
		   uint8_t ret_bytes[IKE_MAX_MESSAGE])
{
	size_t len;

	assert_true(writer_finish(inner));
	len = engine_seal(the_sa(), exchange, response, inner->first,
			  (struct ike_bytes){ inner->base, inner->len },
			  ret_bytes);
	assert_true(len > 0);
	return len;
}

static void feed_sealed(uint8_t exchange, bool response, struct writer *inner)
{
	uint8_t bytes[IKE_MAX_MESSAGE];

	feed(bytes, seal(exchange, response, inner, bytes));
}

/* The first notify in our last answer; 0: none. */
static uint16_t answered(void)
{
	struct ike_bytes bytes = { out->last, out->last_len };
	struct message_header header;
	struct payloads payloads;
	const struct crypto_protection own =
		sa_protection(test_crypto(), the_sa(), true);
	uint8_t *plain;
	uint16_t type;
	size_t len;

	assert_int_equal(message_parse_header(bytes, &header),
			 IKE_REASON_NONE);
	assert_int_equal(payloads_parse(header.first, (struct ike_bytes){
			bytes.data + MESSAGE_HEADER_SIZE,
			bytes.len - MESSAGE_HEADER_SIZE }, &payloads),
			IKE_REASON_NONE);
	assert_true(message_open(bytes, &payloads, &own, &plain, &len));
	assert_int_equal(payloads_parse(payloads.sk_first, (struct ike_bytes){
			plain, len }, &payloads), IKE_REASON_NONE);
	type = payloads.notifies_count ? payloads.notifies[0].type : 0;
	message_free_plaintext(plain, len);
	return type;
}

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

/* ------------------------------------------- AUTH over the wrong octets */

static struct {
	EVP_PKEY *key;
	uint8_t der[2048];
	size_t len;
} peer;

static int make_peer(void **state)
{
	X509 *x509 = X509_new();
	uint8_t *at = peer.der;

	(void)state;
	engine_fix_randomness();
	peer.key = EVP_EC_gen("P-256");
	assert_non_null(peer.key);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, peer.key);
	assert_true(X509_sign(x509, peer.key, EVP_sha256()) > 0);
	peer.len = (size_t)i2d_X509(x509, &at);
	X509_free(x509);
	return 0;
}

static int free_peer(void **state)
{
	(void)state;
	EVP_PKEY_free(peer.key);
	return 0;
}

static const uint8_t id_body[] = { IKE_ID_IPV4_ADDR, 0, 0, 0, 192, 0, 0, 2 };
static const uint8_t other_id[] = { IKE_ID_IPV4_ADDR, 0, 0, 0, 192, 0, 0, 3 };

static struct ike_bytes id_view(bool other)
{
	return (struct ike_bytes){ other ? other_id : id_body,
				   sizeof(id_body) };
}

/* What the initiator signs, with one thing wrong. */
enum fault { RIGHT, OTHER_MESSAGE, OWN_NONCE, OTHER_KEY, OTHER_ID, NO_MAC,
	     NO_NONCE, NOTHING, FAULTS };

static size_t sign_octets(enum fault fault, uint8_t ret_signature[128])
{
	const struct sa *sa = the_sa();
	const struct handshake *h = sa->handshake;
	struct signature_octets input = {
		.message = buffer_view(fault == OTHER_MESSAGE ?
				       &h->init_response : &h->init_request),
		.nonce = nonce_view(fault == OWN_NONCE ? &h->peer : &h->own),
		.id_body = id_view(fault == OTHER_ID),
		.prf = sa->algorithms.prf,
		.sk_p = fault == OTHER_KEY ? &sa->keys.pr : &sa->keys.pi
	};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t octets_len, len = 128;
	uint8_t *octets;

	if (fault == NO_NONCE)
		input.nonce.len = 0;
	assert_true(signature_octets(test_crypto(),
				     &input, &octets, &octets_len));
	if (fault == NO_MAC)
		octets_len -= CRYPTO_SHA256_SIZE;
	if (fault == NOTHING)
		octets_len = 0;
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
					    peer.key), 1);
	assert_int_equal(EVP_DigestSign(ctx, ret_signature, &len, octets,
					octets_len), 1);
	EVP_MD_CTX_free(ctx);
	free(octets);
	return len;
}

/* The initiator's IKE_AUTH request (we are the responder). */
static void write_auth(struct writer *inner, enum fault fault)
{
	uint8_t signature[128];
	struct ike_bytes view = { signature, sign_octets(fault, signature) };
	struct signature_choice choice = {
		.method = IKE_AUTH_METHOD_DIGITAL_SIGNATURE,
		.hash = IKE_HASH_SHA2_256, .row = signature_row(ECDSA_SHA256)
	};

	write_payload(inner, IKE_PAYLOAD_IDI);
	write_view(inner, id_view(false));
	write_payload(inner, IKE_PAYLOAD_CERT);
	write_u8(inner, IKE_CERT_X509_SIGNATURE);
	write_bytes(inner, peer.der, peer.len);
	signature_write(inner, &choice, view);
	child_write_offer(ike, inner, IKE_CHILD_ACTIVE, 0x12345678, NULL,
			  NULL);
}

static void auth_over_wrong_octets(void **state)
{
	uint8_t bytes[4096];

	(void)state;
	for (unsigned fault = RIGHT; fault < FAULTS; fault++) {
		struct writer inner = writer_of(bytes, sizeof(bytes));
		enum sa_state expected = fault == RIGHT ?
			SA_AUTHORIZING_REQUEST : SA_CLOSED;

		enter(ENGINE_HALF_OPEN);
		write_auth(&inner, (enum fault)fault);
		feed_sealed(IKE_EXCHANGE_AUTH, false, &inner);
		assert_int_equal(out->authorizations, fault == RIGHT);
		assert_int_equal(counted(IKE_REASON_AUTH), fault != RIGHT);
		assert_int_equal(the_sa()->state, expected);
		if (fault != RIGHT)
			assert_int_equal(answered(),
					 IKE_NOTIFY_AUTHENTICATION_FAILED);
		assert_int_equal(out->installs + out->states, 0);
	}
}

/* Our own identity, certificate and AUTH, told back to us by a peer that has
 * none: as the responder's. */
static void our_own_auth_reflected(void **state)
{
	uint8_t bytes[4096];
	struct writer inner = writer_of(bytes, sizeof(bytes));
	struct ike_bytes request;
	struct payloads p;
	struct crypto_protection own;
	uint8_t *plain;
	size_t len;

	(void)state;
	enter(ENGINE_AUTH_SENT);
	request = buffer_view(&the_sa()->out.bytes);
	assert_int_equal(payloads_parse(IKE_PAYLOAD_SK, (struct ike_bytes){
			request.data + MESSAGE_HEADER_SIZE,
			request.len - MESSAGE_HEADER_SIZE }, &p),
			IKE_REASON_NONE);
	own = sa_protection(test_crypto(), the_sa(), true);
	assert_true(message_open(request, &p, &own, &plain, &len));
	assert_int_equal(payloads_parse(p.sk_first, (struct ike_bytes){
			plain, len }, &p), IKE_REASON_NONE);
	write_payload(&inner, IKE_PAYLOAD_IDR);
	write_view(&inner, p.idi.body);
	write_payload(&inner, IKE_PAYLOAD_CERT);
	write_u8(&inner, IKE_CERT_X509_SIGNATURE);
	write_view(&inner, p.certs[0]);
	write_payload(&inner, IKE_PAYLOAD_AUTH);
	write_u32(&inner, (uint32_t)p.auth_method << 24);
	write_view(&inner, p.auth);
	feed_sealed(IKE_EXCHANGE_AUTH, true, &inner);
	message_free_plaintext(plain, len);
	assert_int_equal(counted(IKE_REASON_AUTH), 1);
	assert_int_equal(out->authorizations, 0);
	assert_int_equal(out->failures, 1);
}

/* CVE-2024-2357: no credential, and the same request once more. Also a CERT
 * that is only a URI (CVE-2022-40617), and a shared key. */
static void auth_without_certificate(void **state)
{
	static const struct {
		uint8_t encoding, method;
		enum ike_reason reason;
	} cases[] = {
		{ 0, 14, IKE_REASON_CERTIFICATE },	/* none at all */
		{ 12, 14, IKE_REASON_CERTIFICATE },	/* hash and URL */
		{ 13, 14, IKE_REASON_CERTIFICATE },	/* of a bundle */
		{ 4, IKE_AUTH_METHOD_SHARED_KEY, IKE_REASON_AUTH_METHOD },
		{ 4, IKE_AUTH_METHOD_RSA, IKE_REASON_AUTH_METHOD },
		{ 4, 0, IKE_REASON_AUTH_METHOD },
		{ 4, 13, IKE_REASON_AUTH_METHOD },	/* NULL, RFC 7619 */
	};
	static const char url[] = "0123456789abcdef0123http://192.0.2.9/c.der";
	uint8_t bytes[4096], message[IKE_MAX_MESSAGE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct writer inner = writer_of(bytes, sizeof(bytes));
		bool real = cases[i].encoding == 4;
		size_t len;

		enter(ENGINE_HALF_OPEN);
		write_payload(&inner, IKE_PAYLOAD_IDI);
		write_view(&inner, id_view(false));
		if (cases[i].encoding) {
			write_payload(&inner, IKE_PAYLOAD_CERT);
			write_u8(&inner, cases[i].encoding);
			write_bytes(&inner, real ? peer.der :
				    (const uint8_t *)url,
				    real ? peer.len : sizeof(url));
		}
		write_payload(&inner, IKE_PAYLOAD_AUTH);
		write_u32(&inner, (uint32_t)cases[i].method << 24);
		write_bytes(&inner, url, 32);
		child_write_offer(ike, &inner, IKE_CHILD_ACTIVE, 0x1234567,
				  NULL, NULL);
		len = seal(IKE_EXCHANGE_AUTH, false, &inner, message);
		feed(message, len);
		feed(message, len);
		assert_int_equal(counted(cases[i].reason), 1);
		assert_int_equal(counted(IKE_REASON_RETRANSMISSION), 1);
		assert_int_equal(out->sends, 2);
		assert_int_equal(out->authorizations + out->installs, 0);
	}
}

/* -------------------------- CVE-2019-12312: INFORMATIONAL before IKE_AUTH */

static void write_delete(struct writer *inner, uint8_t protocol,
			 uint8_t spi_size, uint16_t count)
{
	static const uint8_t zeros[64];

	write_payload(inner, IKE_PAYLOAD_DELETE);
	write_u8(inner, protocol);
	write_u8(inner, spi_size);
	write_u16(inner, count);
	write_bytes(inner, zeros, (size_t)spi_size * count);
}

static void informational(unsigned which)
{
	uint8_t bytes[256];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	if (which == 1)
		write_delete(&inner, IKE_PROTOCOL_IKE, 0, 0);
	if (which == 2)
		write_delete(&inner, IKE_PROTOCOL_ESP, 4, 2);
	if (which == 3)
		payload_write_notify(&inner,
				     IKE_NOTIFY_AUTHENTICATION_FAILED,
				     (struct ike_bytes){ NULL, 0 });
	feed_sealed(which < 4 ? IKE_EXCHANGE_INFORMATIONAL :
		    IKE_EXCHANGE_CREATE_CHILD_SA, false, &inner);
}

static void informational_before_auth(void **state)
{
	static const enum engine_state states[] = {
		ENGINE_HALF_OPEN, ENGINE_AUTH_SENT
	};
	uint8_t bytes[4096];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (unsigned which = 0; which < 5; which++) {
			enum sa_state was;

			enter(states[i]);
			was = the_sa()->state;
			informational(which);
			assert_int_equal(the_sa()->state, was);
			assert_non_null(the_sa()->handshake);
			assert_int_equal(out->sends + out->failures, 0);
			assert_true(counted(IKE_REASON_UNEXPECTED) +
				    counted(IKE_REASON_MESSAGE_ID) == 1);
		}
	/* and the handshake goes on */
	enter(ENGINE_HALF_OPEN);
	informational(1);
	write_auth(&inner, RIGHT);
	feed_sealed(IKE_EXCHANGE_AUTH, false, &inner);
	assert_int_equal(out->authorizations, 1);
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

/* ---------------------- state is changed by authenticated messages only */

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
		cmocka_unit_test(auth_over_wrong_octets),
		cmocka_unit_test(our_own_auth_reflected),
		cmocka_unit_test(auth_without_certificate),
		cmocka_unit_test(informational_before_auth),
		cmocka_unit_test(rekey_with_protocol_0_or_1),
		cmocka_unit_test(duplicate_and_oversized_selectors),
		cmocka_unit_test(nonce_of_illegal_length),
		cmocka_unit_test(a_hundred_transforms),
		cmocka_unit_test(bad_public_values),
		cmocka_unit_test(first_nonce_of_illegal_length),
		cmocka_unit_test(nested_length_lies),
		cmocka_unit_test(unauthenticated_changes_nothing),
		cmocka_unit_test(messages_of_no_ike_sa),
		cmocka_unit_test(reflected_message),
		cmocka_unit_test(fragment_numbers),
	};

	return cmocka_run_group_tests(tests, make_peer, free_peer);
}
