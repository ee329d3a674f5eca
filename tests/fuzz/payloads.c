/*
 * A decrypted chain of payloads, and what is read out of it: proposals,
 * traffic selectors, notifies, AUTH. Octet 0 is the type of the first payload,
 * the rest is the chain.
 */
#include "tests/fuzz/fuzz.h"

#include "ike/crypto.h"
#include "ike/payload.h"
#include "ike/proposal.h"
#include "ike/signature.h"
#include "ike/ts.h"
#include "tests/sim/profile.h"

static const struct in6_addr local = { .s6_addr = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1 } };
static const struct in6_addr peer = { .s6_addr = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 2 } };
static const struct in6_addr local6 = { .s6_addr = { 0xfd, [15] = 1 } };
static const struct in6_addr peer6 = { .s6_addr = { 0xfd, [15] = 2 } };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void inside(struct ike_bytes view, struct ike_bytes all)
{
	if (view.len == 0)
		return;
	FUZZ_ASSERT(view.data >= all.data && view.len <= all.len);
	FUZZ_ASSERT((size_t)(view.data - all.data) <= all.len - view.len);
}

static void check_views(const struct payloads *p, struct ike_bytes all)
{
	const struct ike_bytes views[] = {
		p->sa, p->nonce, p->tsi, p->tsr, p->ke, p->idi.bytes,
		p->idi.body, p->idr.bytes, p->idr.body, p->auth, p->sk
	};

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		inside(views[i], all);
	FUZZ_ASSERT(p->certs_count <= IKE_MAX_CERTS);
	for (size_t i = 0; i < p->certs_count; i++)
		inside(p->certs[i], all);
	FUZZ_ASSERT(p->notifies_count <= IKE_MAX_NOTIFIES);
	for (size_t i = 0; i < p->notifies_count; i++) {
		inside(p->notifies[i].spi, all);
		inside(p->notifies[i].data, all);
	}
	FUZZ_ASSERT(p->deletes_count <= IKE_MAX_DELETES);
	for (size_t i = 0; i < p->deletes_count; i++)
		inside(p->deletes[i].spis, all);
	FUZZ_ASSERT(!PAYLOAD_HAS(p, NONCE) || (p->nonce.len >= IKE_MIN_NONCE &&
					       p->nonce.len <= IKE_MAX_NONCE));
}

/* What is chosen is whole: no encryption without a key, nothing without
 * integrity. */
static void check_selection(const struct selection *s,
			    enum ike_protocol protocol, struct ike_bytes sa)
{
	FUZZ_ASSERT(s->protocol == protocol);
	inside(s->spi, sa);
	FUZZ_ASSERT(crypto_sound(s->encr, s->encr_key_bits, s->integ));
	if (protocol == IKE_PROTOCOL_IKE)
		FUZZ_ASSERT(crypto_encr_key_size(s->encr, s->encr_key_bits) &&
			    crypto_prf_key_size(s->prf) && s->ke);
}

static void propose(const struct algorithms *algorithms, struct ike_bytes sa)
{
	static const struct {
		enum ike_protocol protocol;
		enum proposal_ke ke;
	} uses[] = {
		{ IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED },
		{ IKE_PROTOCOL_ESP, PROPOSAL_KE_OPTIONAL },
		{ IKE_PROTOCOL_ESP, PROPOSAL_KE_IGNORED },
	};
	struct selection selection;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		if (proposal_choose(algorithms, sa, uses[i].protocol, uses[i].ke,
				    IKE_KE_P256, &selection) ==
		    IKE_REASON_NONE)
			check_selection(&selection, uses[i].protocol, sa);
		if (proposal_accept(algorithms, sa, uses[i].protocol,
				    uses[i].ke, &selection) == IKE_REASON_NONE)
			check_selection(&selection, uses[i].protocol, sa);
	}
}

static void proposals(struct ike_bytes sa)
{
	for (unsigned p = 0; p < IKE_PROFILES; p++)
		propose(profile((enum ike_profile)p), sa);
}

static void selectors(struct ike_bytes tsi, struct ike_bytes tsr)
{
	const struct ts_pair pairs[] = {
		{ &local, &peer, false, false },
		{ &local6, &peer6, false, false },
		{ &local, &peer, true, true },
		{ &local6, &peer6, true, true }
	};
	struct in6_addr host = local6;
	enum ike_child_kind kind;

	ts_host(tsi, &host);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (unsigned wanted = 0; wanted < 4; wanted++) {
			if (ts_narrow(pairs[i], tsi, tsr, wanted, &kind) ==
			    IKE_REASON_NONE)
				FUZZ_ASSERT(kind < IKE_CHILD_KINDS);
			if (wanted < IKE_CHILD_KINDS &&
			    ts_accept(pairs[i], tsi, tsr,
				      (enum ike_child_kind)wanted) ==
			    IKE_REASON_NONE)
				FUZZ_ASSERT(ts_accept(
					pairs[i], tsi, tsr,
					(enum ike_child_kind)!wanted) !=
					IKE_REASON_NONE);
		}
}

static void use(const struct payloads *p)
{
	struct signature_choice choice;

	if (PAYLOAD_HAS(p, SA))
		proposals(p->sa);
	if (PAYLOAD_HAS(p, TSI) && PAYLOAD_HAS(p, TSR))
		selectors(p->tsi, p->tsr);
	payloads_error(p);
	payloads_notify(p, IKE_NOTIFY_REKEY_SA);
	FUZZ_ASSERT(!signature_choose(SIGNATURE_P256, p, &choice) ||
		    choice.method != 0);
	if (p->certs_count > 0 && PAYLOAD_HAS(p, AUTH))
		FUZZ_ASSERT(signature_verify(test_crypto(),
					     p->certs[0], p->auth_method,
					     p->auth, p->nonce) !=
			    IKE_REASON_NONE || p->certs[0].len > 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct payloads payloads, untouched;
	struct ike_bytes chain;
	enum ike_reason reason;

	if (size == 0)
		return 0;
	chain = (struct ike_bytes){ data + 1, size - 1 };
	memset(&payloads, 0x5a, sizeof(payloads));
	untouched = payloads;
	reason = payloads_parse(data[0], chain, &payloads);
	if (reason == IKE_REASON_NONE) {
		check_views(&payloads, chain);
		use(&payloads);
		return 0;
	}
	FUZZ_ASSERT(reason == IKE_REASON_PAYLOAD ||
		    reason == IKE_REASON_PAYLOAD_CRITICAL);
	if (reason == IKE_REASON_PAYLOAD_CRITICAL)
		untouched.critical = payloads.critical;
	FUZZ_ASSERT(memcmp(&payloads, &untouched, sizeof(payloads)) == 0);
	return 0;
}
