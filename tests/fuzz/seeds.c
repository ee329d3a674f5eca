/*
 * Writes the seed corpora, `make seeds`: tests/fuzz/corpus/TARGET/NAME. What
 * is written is the same in every run. Inputs that once made a target fail
 * are put beside them by hand, under names that begin with "found-".
 */
#include "tests/fuzz/fuzz.h"

#include <sys/stat.h>

#include "ike/proposal.h"
#include "tests/sim/engine.h"
#include "tests/sim/profile.h"
#include "tests/fuzz/pki.h"
#include "tests/unit/policy_crls.h"

enum { SEED_SIZE = 32768, AUTHENTICATED = 0xff };

static const char *top;
static uint8_t seed_bytes[SEED_SIZE];
static struct writer seed;

/* ------------------------------------------------------------- one seed */

static void begin(void)
{
	seed = writer_of(seed_bytes, sizeof(seed_bytes));
}

static void record(uint8_t kind, struct ike_bytes body)
{
	write_u8(&seed, kind);
	write_u16(&seed, (uint16_t)body.len);
	write_view(&seed, body);
}

static void end(const char *target, const char *name)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", top, target);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/%s", top, target, name);
	file = fopen(path, "w");
	FUZZ_ASSERT(!seed.failed && file);
	FUZZ_ASSERT(fwrite(seed.base, 1, seed.len, file) == seed.len);
	FUZZ_ASSERT(fclose(file) == 0);
}

static void text(const char *target, const char *name, const char *content,
		 size_t len)
{
	begin();
	write_bytes(&seed, content, len);
	end(target, name);
}

#define TEXT(target, name, content) \
	text(target, name, content, sizeof(content) - 1)

/* --------------------------------------------------------------- chains */

/* A chain of payloads, as a seed of the targets that take one. */
struct chain {
	uint8_t bytes[4096];
	struct writer writer;
};

static void chain_begin(struct chain *chain)
{
	chain->writer = writer_of(chain->bytes, sizeof(chain->bytes));
}

/* Where fragments.c has this state; it has no other. */
static uint8_t fragments_state(enum engine_state state)
{
	if (state == ENGINE_ESTABLISHED)
		return 0;
	return state == ENGINE_AUTH_SENT ? 1 : 2;
}

/* The chain once more, as a message in pieces of 16 octets. */
static void in_pieces(const struct chain *chain, enum engine_state state,
		      uint8_t flags, const char *name)
{
	uint8_t bytes[1024] = { flags, chain->writer.first, 15 };

	if (chain->writer.len > IKE_MAX_FRAGMENTS * 16 - 1)
		return;
	memcpy(bytes + 3, chain->bytes, chain->writer.len);
	begin();
	write_u8(&seed, fragments_state(state));
	record(3, (struct ike_bytes){ bytes, 3 + chain->writer.len });
	end("fragments", name);
}

/* `flags` as datagram.c has them; AUTHENTICATED: its kind 4. */
static void chain_end(struct chain *chain, enum engine_state state,
		      uint8_t flags, const char *name)
{
	size_t skip = flags == AUTHENTICATED;

	uint8_t bytes[4200] = { flags, chain->writer.first };

	FUZZ_ASSERT(writer_finish(&chain->writer));
	bytes[1] = chain->writer.first;
	memcpy(bytes + 2, chain->bytes, chain->writer.len);
	begin();
	write_u8(&seed, bytes[1]);
	write_bytes(&seed, chain->bytes, chain->writer.len);
	end("payloads", name);
	begin();
	write_u8(&seed, (uint8_t)state);
	record(skip ? 4 : 2, (struct ike_bytes){
			bytes + skip, 2 - skip + chain->writer.len });
	record(3, (struct ike_bytes){ (const uint8_t *)"\x10", 2 });
	end("datagram", name);
	if (!skip)
		in_pieces(chain, state, flags, name);
}

/* A message of ours that is answered, or meets the peer's. */
static void begun(struct chain *chain, uint8_t what, uint8_t flags,
		  const char *name)
{
	uint8_t bytes[4200] = { flags, chain->writer.first };

	FUZZ_ASSERT(writer_finish(&chain->writer));
	bytes[1] = chain->writer.first;
	memcpy(bytes + 2, chain->bytes, chain->writer.len);
	begin();
	write_u8(&seed, ENGINE_ESTABLISHED);
	record(5, (struct ike_bytes){ &what, 1 });
	record(2, (struct ike_bytes){ bytes, 2 + chain->writer.len });
	/* and the answer that is owed */
	bytes[0] ^= 0x40;
	record(2, (struct ike_bytes){ bytes, 2 + chain->writer.len });
	record(3, (struct ike_bytes){ (const uint8_t *)"\x10", 2 });
	end("datagram", name);
}

static const struct in6_addr *addresses(struct ike *ike, bool peer)
{
	return peer ? &ike->config.peer : &ike->config.local;
}

static void offer(struct chain *chain, enum ike_protocol protocol,
		  const char *spi, size_t spi_len)
{
	proposal_write_offer(&chain->writer, profile(IKE_PROFILE_DEFAULT),
			     protocol, protocol == IKE_PROTOCOL_IKE ?
			     PROPOSAL_KE_NEEDED : PROPOSAL_KE_IGNORED,
			     (struct ike_bytes){
			(const uint8_t *)spi, spi_len });
}

/* The first that we offer, as a peer would choose it. */
static void choice(struct chain *chain, enum ike_protocol protocol,
		   const char *spi, size_t spi_len)
{
	struct selection selection;
	struct chain offered;
	struct payloads payloads;

	chain_begin(&offered);
	offer(&offered, protocol, spi, spi_len);
	FUZZ_ASSERT(writer_finish(&offered.writer));
	FUZZ_ASSERT(payloads_parse(offered.writer.first, (struct ike_bytes){
		offered.bytes, offered.writer.len }, &payloads) ==
		    IKE_REASON_NONE);
	FUZZ_ASSERT(proposal_choose(profile(IKE_PROFILE_DEFAULT), payloads.sa,
				    protocol, protocol == IKE_PROTOCOL_IKE ?
				    PROPOSAL_KE_NEEDED : PROPOSAL_KE_IGNORED,
				    IKE_KE_X25519, &selection) ==
		    IKE_REASON_NONE);
	proposal_write_selection(&chain->writer, &selection, (struct ike_bytes){
			(const uint8_t *)spi, spi_len });
}

static void nonce_and_ke(struct chain *chain, bool with_ke)
{
	uint8_t bytes[32];

	memset(bytes, 9, sizeof(bytes));
	write_payload(&chain->writer, IKE_PAYLOAD_NONCE);
	write_bytes(&chain->writer, bytes, sizeof(bytes));
	if (!with_ke)
		return;
	write_payload(&chain->writer, IKE_PAYLOAD_KE);
	write_u16(&chain->writer, IKE_KE_X25519);
	write_u16(&chain->writer, 0);
	write_bytes(&chain->writer, bytes, sizeof(bytes));
}

static void selectors(struct chain *chain, struct ike *ike,
		      enum ike_child_kind kind)
{
	const struct ts_pair pair = { addresses(ike, true),
				      addresses(ike, false), false, false };

	ts_write(&chain->writer, pair, kind, true);
	payload_write_notify(&chain->writer, IKE_NOTIFY_USE_TRANSPORT_MODE,
			     (struct ike_bytes){ NULL, 0 });
}

static void notify_esp(struct chain *chain, enum ike_notify type, uint32_t spi)
{
	write_payload(&chain->writer, IKE_PAYLOAD_NOTIFY);
	write_u8(&chain->writer, IKE_PROTOCOL_ESP);
	write_u8(&chain->writer, 4);
	write_u16(&chain->writer, (uint16_t)type);
	write_u32(&chain->writer, spi);
}

static void delete(struct chain *chain, enum ike_protocol protocol,
		   uint32_t spi)
{
	write_payload(&chain->writer, IKE_PAYLOAD_DELETE);
	write_u8(&chain->writer, (uint8_t)protocol);
	write_u8(&chain->writer, protocol == IKE_PROTOCOL_ESP ? 4 : 0);
	write_u16(&chain->writer, protocol == IKE_PROTOCOL_ESP);
	if (protocol == IKE_PROTOCOL_ESP)
		write_u32(&chain->writer, spi);
}

/* The rekey of a Child SA by the peer to its end: the DELETE of the old one,
 * and what lingers. */
static void rekeyed(const struct chain *rekey, uint32_t spi)
{
	uint8_t bytes[4200] = { 2, rekey->writer.first };
	struct chain c;

	memcpy(bytes + 2, rekey->bytes, rekey->writer.len);
	begin();
	write_u8(&seed, ENGINE_ESTABLISHED);
	record(2, (struct ike_bytes){ bytes, 2 + rekey->writer.len });
	chain_begin(&c);
	delete(&c, IKE_PROTOCOL_ESP, spi);
	FUZZ_ASSERT(writer_finish(&c.writer));
	bytes[0] = 3;
	bytes[1] = c.writer.first;
	memcpy(bytes + 2, c.bytes, c.writer.len);
	record(2, (struct ike_bytes){ bytes, 2 + c.writer.len });
	record(3, (struct ike_bytes){ (const uint8_t *)"\x40", 2 });
	end("datagram", "child-rekey-ended");
}

/* Exchanges as in datagram.c: 1 IKE_AUTH, 2 CREATE_CHILD_SA, 3
 * INFORMATIONAL; 0x40: a response. */
static void established_seeds(void)
{
	struct ike *ike = engine_in(ENGINE_ESTABLISHED);
	struct child *child = ike->children;
	struct chain c;

	chain_begin(&c);
	notify_esp(&c, IKE_NOTIFY_REKEY_SA, child->info.spi_out);
	offer(&c, IKE_PROTOCOL_ESP, "\1\2\3\4", 4);
	nonce_and_ke(&c, false);
	selectors(&c, ike, (enum ike_child_kind)!child->info.kind);
	chain_end(&c, ENGINE_ESTABLISHED, 2, "child-rekey");
	rekeyed(&c, child->info.spi_out);
	chain_begin(&c);
	offer(&c, IKE_PROTOCOL_ESP, "\1\2\3\5", 4);
	nonce_and_ke(&c, true);
	selectors(&c, ike, IKE_CHILD_ACTIVE);
	chain_end(&c, ENGINE_ESTABLISHED, 2, "child-new");
	chain_begin(&c);
	offer(&c, IKE_PROTOCOL_IKE, "\1\2\3\4\5\6\7\x8", 8);
	nonce_and_ke(&c, true);
	chain_end(&c, ENGINE_ESTABLISHED, 2, "ike-rekey");
	chain_begin(&c);
	delete(&c, IKE_PROTOCOL_ESP, child->info.spi_out);
	chain_end(&c, ENGINE_ESTABLISHED, 3, "delete-esp");
	chain_begin(&c);
	delete(&c, IKE_PROTOCOL_IKE, 0);
	chain_end(&c, ENGINE_ESTABLISHED, 3, "delete-ike");
	chain_begin(&c);
	chain_end(&c, ENGINE_ESTABLISHED, 3, "liveness");
	chain_begin(&c);
	payload_write_notify(&c.writer, IKE_NOTIFY_AUTHENTICATION_FAILED,
			     (struct ike_bytes){ NULL, 0 });
	chain_end(&c, ENGINE_ESTABLISHED, 3, "refused-late");
}

/* What begin() of datagram.c begins, answered, refused, and colliding. */
static void begun_seeds(void)
{
	struct ike *ike = engine_in(ENGINE_ESTABLISHED);
	struct child *child = ike->children;
	struct chain c;

	chain_begin(&c);
	choice(&c, IKE_PROTOCOL_ESP, "\1\2\3\4", 4);
	nonce_and_ke(&c, false);
	ts_write(&c.writer, (struct ts_pair){ addresses(ike, false),
					      addresses(ike, true), false,
					      false },
		 child->info.kind, true);
	payload_write_notify(&c.writer, IKE_NOTIFY_USE_TRANSPORT_MODE,
			     (struct ike_bytes){ NULL, 0 });
	begun(&c, 0, 0x42, "begun-child-rekey");
	chain_begin(&c);
	choice(&c, IKE_PROTOCOL_IKE, "\1\2\3\4\5\6\7\x8", 8);
	nonce_and_ke(&c, true);
	begun(&c, 1, 0x42, "begun-ike-rekey");
	begun(&c, 1, 2, "begun-ike-rekey-both");
	chain_begin(&c);
	notify_esp(&c, IKE_NOTIFY_REKEY_SA, child->info.spi_out);
	offer(&c, IKE_PROTOCOL_ESP, "\1\2\3\4", 4);
	nonce_and_ke(&c, false);
	selectors(&c, ike, (enum ike_child_kind)!child->info.kind);
	begun(&c, 0, 2, "begun-child-rekey-both");
	begun(&c, 1, 2, "begun-child-and-ike-rekey");
	chain_begin(&c);
	payload_write_notify(&c.writer, IKE_NOTIFY_TEMPORARY_FAILURE,
			     (struct ike_bytes){ NULL, 0 });
	begun(&c, 0, 0x42, "begun-child-refused");
	begun(&c, 1, 0x42, "begun-ike-refused");
	chain_begin(&c);
	payload_write_notify(&c.writer, IKE_NOTIFY_INVALID_KE_PAYLOAD,
			     (struct ike_bytes){ (const uint8_t *)"\0\x13",
						 2 });
	begun(&c, 1, 0x42, "begun-ike-other-group");
	chain_begin(&c);
	delete(&c, IKE_PROTOCOL_ESP, child->info.spi_out);
	begun(&c, 3, 0x43, "begun-delete");
	begun(&c, 0, 3, "begun-child-rekey-deleted");
	chain_begin(&c);
	begun(&c, 4, 0x43, "begun-stop");
	begun(&c, 2, 3, "begun-reauthentication");
}

static void write_certificate(struct chain *chain, enum ike_payload_type id)
{
	static const uint8_t body[] = { 1, 0, 0, 0, 192, 0, 0, 1 };
	struct pki pki = pki_make();

	write_payload(&chain->writer, id);
	write_bytes(&chain->writer, body, sizeof(body));
	write_payload(&chain->writer, IKE_PAYLOAD_CERT);
	write_u8(&chain->writer, IKE_CERT_X509_SIGNATURE);
	write_bytes(&chain->writer, pki.ca.der, (size_t)pki.ca.der_len);
	write_payload(&chain->writer, IKE_PAYLOAD_AUTH);
	write_u32(&chain->writer, 14u << 24);
	write_bytes(&chain->writer, "\x0c\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d"
		    "\4\3\2\x30\6\2\1\1\2\1\1", 21);
	pki_free(&pki);
}

static void auth_seeds(void)
{
	struct ike *ike = engine_in(ENGINE_HALF_OPEN);
	struct chain c;

	chain_begin(&c);
	write_certificate(&c, IKE_PAYLOAD_IDI);
	offer(&c, IKE_PROTOCOL_ESP, "\1\2\3\4", 4);
	selectors(&c, ike, IKE_CHILD_ACTIVE);
	chain_end(&c, ENGINE_HALF_OPEN, 1, "auth-request");
	chain_begin(&c);
	write_certificate(&c, IKE_PAYLOAD_IDR);
	offer(&c, IKE_PROTOCOL_ESP, "\1\2\3\4", 4);
	selectors(&c, ike, IKE_CHILD_PASSIVE);
	chain_end(&c, ENGINE_AUTH_SENT, 0x41, "auth-response");
	chain_begin(&c);
	payload_write_notify(&c.writer, IKE_NOTIFY_AUTHENTICATION_FAILED,
			     (struct ike_bytes){ NULL, 0 });
	chain_end(&c, ENGINE_AUTH_SENT, 0x41, "auth-refused");
	chain_begin(&c);
	delete(&c, IKE_PROTOCOL_IKE, 0);
	chain_end(&c, ENGINE_HALF_OPEN, 3, "informational-before-auth");
	chain_begin(&c);
	offer(&c, IKE_PROTOCOL_ESP, "\1\2\3\4", 4);
	selectors(&c, ike, IKE_CHILD_ACTIVE);
	chain_end(&c, ENGINE_HALF_OPEN, AUTHENTICATED, "initiator");
	chain_begin(&c);
	offer(&c, IKE_PROTOCOL_ESP, "\1\2\3\4", 4);
	ts_write(&c.writer, (struct ts_pair){ addresses(ike, false),
					      addresses(ike, true), false,
					      false },
		 IKE_CHILD_ACTIVE, true);
	payload_write_notify(&c.writer, IKE_NOTIFY_USE_TRANSPORT_MODE,
			     (struct ike_bytes){ NULL, 0 });
	chain_end(&c, ENGINE_AUTH_SENT, AUTHENTICATED, "responder");
	chain_begin(&c);
	payload_write_notify(&c.writer, IKE_NOTIFY_TS_UNACCEPTABLE,
			     (struct ike_bytes){ NULL, 0 });
	chain_end(&c, ENGINE_AUTH_SENT, AUTHENTICATED, "no-child");
}

/* ------------------------------------------------------------- datagrams */

/* NAT detection does not survive another SPI: make it a notify that nobody
 * knows. */
static void drop_nat_detection(uint8_t *bytes, size_t len)
{
	static const uint8_t pattern[] = { 0, 0, 0, 28, 0, 0, 0x40 };

	for (size_t i = 1; i + sizeof(pattern) < len; i++)
		if (!memcmp(bytes + i, pattern + 1, sizeof(pattern) - 1) &&
		    (bytes[i + 6] == 0x04 || bytes[i + 6] == 0x05))
			bytes[i + 5] = 0x9f;
}

static unsigned captured;

/* IKE_SA_INIT, into every state. (What follows it holds certificates of the
 * hour.) */
static bool capture(struct sim *sim, int from, const uint8_t *data, size_t len)
{
	char name[64];

	(void)sim;
	for (unsigned state = 0; captured < 3 && state < ENGINE_STATES;
	     state++) {
		begin();
		write_u8(&seed, (uint8_t)state);
		record(from ? 0 : 1, (struct ike_bytes){ data, len });
		snprintf(name, sizeof(name), "raw-%u-%u", captured, state);
		end("datagram", name);
	}
	if (captured < 3) {
		uint8_t copy[IKE_MAX_MESSAGE];

		memcpy(copy, data, len);
		drop_nat_detection(copy, len);
		begin();
		write_u8(&seed, ENGINE_CONNECTING);
		record(1, (struct ike_bytes){ copy, len });
		snprintf(name, sizeof(name), "addressed-%u", captured);
		end("datagram", name);
		begin();
		write_u8(&seed, ENGINE_HALF_OPEN);
		/* so many strangers that cookies are asked for */
		for (uint8_t i = 0; i < 6; i++) {
			copy[0] = i;
			record(0, (struct ike_bytes){ copy, len });
		}
		snprintf(name, sizeof(name), "many-%u", captured);
		end("datagram", name);
	}
	captured++;
	return true;
}

static void raw_seeds(void)
{
	static struct sim sim;

	sim_open(&sim, 1 + ENGINE_CONNECTING);
	sim.tap = capture;
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_input(&sim, 1, IKE_INPUT_START);
	sim_run(&sim, IKE_SECONDS(20));
	sim_close(&sim);
}

/* The notifies that IKE_SA_INIT may be answered with. */
static void init_seeds(void)
{
	static const struct {
		const char *name;
		enum ike_notify type;
		const char *data;
		size_t len;
	} cases[] = {
		{ "cookie", IKE_NOTIFY_COOKIE, "0123456789", 10 },
		{ "other-group", IKE_NOTIFY_INVALID_KE_PAYLOAD, "\0\x13", 2 },
		{ "no-proposal", IKE_NOTIFY_NO_PROPOSAL_CHOSEN, NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct message_header header = {
			.spi_i = 1, .exchange = IKE_EXCHANGE_SA_INIT,
			.response = true
		};
		uint8_t bytes[256];
		struct writer writer = writer_of(bytes, sizeof(bytes));
		char name[64];

		message_begin(&writer, &header);
		payload_write_notify(&writer, cases[i].type, (struct ike_bytes){
			(const uint8_t *)cases[i].data, cases[i].len });
		FUZZ_ASSERT(message_finish(&writer));
		begin();
		write_u8(&seed, ENGINE_CONNECTING);
		record(1, (struct ike_bytes){ bytes, writer.len });
		record(3, (struct ike_bytes){ (const uint8_t *)"\x10", 2 });
		snprintf(name, sizeof(name), "init-%s", cases[i].name);
		end("datagram", name);
	}
}

/* ------------------------------------------------------------- fragments */

/* flags, number, total, first payload, part: an INFORMATIONAL's chain, as
 * datagram.c and fragments.c have it */
static void fragment(uint8_t flags, uint8_t number, uint8_t total,
		     const char *part)
{
	uint8_t bytes[64] = { flags, 0, number, 0, total, number == 1 ?
			      IKE_PAYLOAD_VENDOR : 0 };
	size_t len = strlen(part);

	memcpy(bytes + 6, part, len);
	record(0, (struct ike_bytes){ bytes, 6 + len });
}

static void fragment_seeds(void)
{
	begin();
	write_u8(&seed, 0);
	fragment(3, 2, 3, "second");
	fragment(3, 2, 3, "second");
	fragment(3, 3, 4, "more of them");
	fragment(3, 1, 2, "fewer");
	fragment(3, 0, 2, "none");
	fragment(3, 5, 2, "beyond");
	fragment(3, 64, 64, "the last there may be");
	fragment(3, 65, 65, "too many");
	fragment(0x83, 1, 2, "of the one before");
	end("fragments", "numbers");
	begin();
	write_u8(&seed, 1);
	fragment(0x41, 1, 2, "an answer");
	record(2, (struct ike_bytes){ (const uint8_t *)"\x80", 2 });
	fragment(0x41, 2, 2, "too late");
	end("fragments", "late");
	begin();
	write_u8(&seed, 2);
	record(1, (struct ike_bytes){ (const uint8_t *)"\0\x23\1\0\1\0\2"
				      "\x2bpart", 12 });
	fragment(1, 1, 2, "a request");
	end("fragments", "flipped");
}

/* ---------------------------------------------------------- certificates */

static void chain_seed(const char *name, uint8_t kind, const struct spec *spec,
		       const struct made *middle)
{
	struct made made = make(spec);

	begin();
	record(kind, (struct ike_bytes){ made.der, (size_t)made.der_len });
	if (middle)
		record(kind & 2, (struct ike_bytes){
				middle->der, (size_t)middle->der_len });
	end("certificate", name);
	unmake(&made);
}

static struct spec end_spec(const struct pki *pki)
{
	return (struct spec){
		.name = "router 192.0.2.2", .issuer = &pki->ca,
		.as = "critical,AS:64501", .addresses = PKI_ADDRESSES,
		.san = "IP:192.0.2.2,IP:2001:db8::2"
	};
}

/* A right chain, and a CRL that does or does not have it. */
static void crl_seed(const char *name, uint8_t kind, const struct pki *pki,
		     bool revoked, const char *extra_name, const char *extra)
{
	const struct spec spec = end_spec(pki);
	struct made end_cert = make(&spec);
	const struct crl_spec crl_spec = {
		.issuer = &pki->ca, .revoked = revoked ? &end_cert : &pki->other,
		.extra_name = extra_name, .extra = extra,
	};
	struct made_crl crl = make_crl(&crl_spec);

	begin();
	record(0, (struct ike_bytes){ end_cert.der, (size_t)end_cert.der_len });
	record(kind, (struct ike_bytes){ crl.der, (size_t)crl.der_len });
	end("certificate", name);
	unmake_crl(&crl);
	unmake(&end_cert);
}

static void crl_seeds(const struct pki *pki)
{
	crl_seed("crl", 4, pki, false, NULL, NULL);
	crl_seed("crl-revoked", 4, pki, true, NULL, NULL);
	crl_seed("crl-signed-anew", 5, pki, true, "2.5.29.20", "DER:02:01:07");
	crl_seed("crl-delta", 5, pki, false, "2.5.29.27",
		 "critical,DER:02:01:01");
	crl_seed("crl-part", 5, pki, false, "2.5.29.28",
		 "critical,DER:30:03:81:01:FF");
}

static void certificate_seeds(void)
{
	struct pki pki;
	static const struct {
		const char *name, *as, *addresses, *san, *usage;
		enum key_type key;
	} cases[] = {
		{ "plain", "AS:64501", PKI_ADDRESSES, NULL, NULL, KEY_P256 },
		{ "as-range", "critical,AS:64501-64510", PKI_ADDRESSES,
		  NULL, NULL, KEY_P256 },
		{ "as-inherit", "critical,AS:inherit", PKI_ADDRESSES, NULL,
		  NULL, KEY_P256 },
		{ "as-many", "critical,AS:1,AS:3,AS:5-9,AS:64501,RDI:7",
		  PKI_ADDRESSES, NULL, NULL, KEY_P256 },
		{ "as-none", NULL, PKI_ADDRESSES, NULL, NULL, KEY_P256 },
		{ "block-inherit", "critical,AS:64501",
		  "critical,IPv4:inherit,IPv6:inherit", NULL, NULL,
		  KEY_P256 },
		{ "block-range", "critical,AS:64501",
		  "critical,IPv4:192.0.2.1-192.0.2.9,IPv4-SAFI:1:192.0.2.2/32",
		  NULL, NULL, KEY_P256 },
		{ "names", "critical,AS:64501", NULL,
		  "DNS:a.example,URI:http://192.0.2.99/x,IP:192.0.2.2",
		  NULL, KEY_P256 },
		{ "usage", "critical,AS:64501", PKI_ADDRESSES, NULL,
		  "critical,keyAgreement", KEY_P256 },
		{ "rsa", "critical,AS:64501", PKI_ADDRESSES, NULL, NULL,
		  KEY_RSA_512 },
		{ "rsa-e0", "critical,AS:64501", PKI_ADDRESSES, NULL, NULL,
		  KEY_RSA_E0 },
		{ "ed25519", "critical,AS:64501", PKI_ADDRESSES, NULL, NULL,
		  KEY_ED25519 },
		{ "explicit", "critical,AS:64501", PKI_ADDRESSES, NULL, NULL,
		  KEY_EXPLICIT },
	};
	struct spec spec;

	/* the very keys that the target makes */
	engine_fix_randomness();
	pki = pki_make();
	spec = end_spec(&pki);
	chain_seed("ipv4", 0, &spec, NULL);
	chain_seed("ipv6", 2, &spec, NULL);
	chain_seed("signed-anew", 1, &spec, NULL);
	spec.issuer = &pki.middle;
	chain_seed("three", 0, &spec, &pki.middle);
	chain_seed("three-ipv6", 2, &spec, &pki.middle);
	spec.issuer = &pki.other;
	chain_seed("foreign", 0, &spec, &pki.other);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		spec = end_spec(&pki);
		spec.as = cases[i].as;
		spec.addresses = cases[i].addresses;
		spec.san = cases[i].san;
		spec.usage = cases[i].usage;
		spec.key_type = cases[i].key;
		chain_seed(cases[i].name, 1, &spec, NULL);
	}
	crl_seeds(&pki);
	pki_free(&pki);
}

/* --------------------------------------------------- configuration, control */

#define LOCAL "local {\n\tas = 64500\n" \
	"\taddresses = {\"192.0.2.1\", \"2001:db8::1\"}\n" \
	"\tcertificate = \"router.crt\"\n\tkey = router.key\n}\n"
#define PEER(name, rest) "peer " name " {\n" rest "}\n"
#define GOOD "\tas = 64501\n\taddresses = {192.0.2.2, \"2001:db8::2\"}\n" \
	"\ttrust = a.crt\n"

static void config_seeds(void)
{
	TEXT("config", "empty", "");
	TEXT("config", "local", LOCAL);
	TEXT("config", "peer", LOCAL PEER("as64501", GOOD));
	TEXT("config", "all", "# all\n" LOCAL "others = allow\n"
	     "ike_lifetime = 600\nchild_lifetime = 60\nhold_time = 5\n"
	     PEER("a", GOOD "\tauth = certificate\n\tmode = require\n"
		  "\tppk = a.ppk\n\tppk_id = x\n\tppk_required = no\n"
		  "\thold_time = 9\n")
	     PEER("off-1", "\tas = 64500\n\taddresses = {192.0.2.9}\n"
		  "\tmode = off\n"));
	TEXT("config", "include", LOCAL "include(\"d.conf\")\n\0"
	     PEER("a", GOOD));
	TEXT("config", "include-itself", LOCAL "include(d.conf)\n\0"
	     "include(c.conf)\n");
	TEXT("config", "unknown", LOCAL "foo = 1\nlocal { bar { } }\n");
	TEXT("config", "twice", LOCAL LOCAL PEER("a", GOOD) PEER("a", GOOD));
	TEXT("config", "numbers", "ike_lifetime = 99999999999999999999\n"
	     "hold_time = -1\nlocal { as = 0x10 addresses = {1.2.3} }\n");
	TEXT("config", "quotes", "local { key = 'a\\'b' certificate = \"\\x41"
	     "${HOME}\" /* c */ // d\n}\n");
	TEXT("config", "unclosed", LOCAL "peer a { as = 1 addresses = {1");
	TEXT("config", "bad-include", "include()\ninclude(a, b)\n");
}

static void control_seeds(void)
{
	TEXT("control", "status", "{\"command\": \"status\"}\n");
	TEXT("control", "down", "{\"command\": \"down\", \"peer\": \"a\"}\n");
	TEXT("control", "two", "{\"command\": \"up\"}\n{}\n");
	TEXT("control", "array", "[1, 2.5e3, null, true, \"\\u00e9\"]\n");
	TEXT("control", "deep", "[[[[[[[[{\"a\":[[[[{}]]]]}]]]]]]]]\n");
	TEXT("control", "twice", "{\"a\":1,\"a\":2}\n");
	TEXT("control", "unended", "{\"command\"");
	TEXT("control", "nul", "{\"command\": \"a\0b\"}\n\0\n");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: seeds FOLDER\n");
		return 2;
	}
	top = argv[1];
	mkdir(top, 0755);
	engine_fix_randomness();
	raw_seeds();
	established_seeds();
	begun_seeds();
	fragment_seeds();
	init_seeds();
	auth_seeds();
	certificate_seeds();
	config_seeds();
	control_seeds();
	return 0;
}
