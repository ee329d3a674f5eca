/* What IKE_AUTH asks of those who hold keys and decide (RFC 7296 2.15): our own
 * AUTH, keys mixed with the PPK, what the peer's AUTH must be or who it is. */
#include "ike/exchanges.h"
#include "ike/ppk.h"
#include "ike/shared_key.h"

#include <stdlib.h>

bool auth_choose(const struct ike *ike, const struct payloads *payloads,
		 struct signature_choice *ret_choice)
{
	if (!ike->config.shared_key)
		return signature_choose(ike->key_kind, payloads, ret_choice);
	*ret_choice = (struct signature_choice){
		.method = IKE_AUTH_METHOD_SHARED_KEY };
	return true;
}

/* Ask for a signature, or with a pre-shared key for a MAC. */
static uint32_t ask_signature(struct ike *ike, const struct sa *sa,
			      const struct signature_octets *input)
{
	uint8_t *octets = NULL;
	uint32_t request;
	size_t len;

	if (!signature_octets(ike->config.crypto, input, &octets, &len))
		return 0;
	request = effect_need_signature(
		ike, (struct ike_bytes){ octets, len },
		sa->handshake->signing.hash,
		ike->config.shared_key ? sa->algorithms.prf : 0, false);
	free(octets);
	return request;
}

/* What the AUTH of our side or of the peer's signs (RFC 7296 2.15): its own
 * IKE_SA_INIT, the other's nonce, its own identity. */
static struct signature_octets
octets_of(const struct sa *sa, bool own, struct ike_bytes id_body)
{
	const struct handshake *handshake = sa->handshake;
	struct signature_octets octets = {
		.message = buffer_view(&handshake->init_response),
		.nonce = nonce_view(own ? &handshake->peer : &handshake->own),
		.id_body = id_body,
		.prf = sa->algorithms.prf,
		.sk_p = handshake->mixed ? &handshake->pr : &sa->keys.pr
	};

	if (sa->initiator == own) {
		octets.message = buffer_view(&handshake->init_request);
		octets.sk_p = handshake->mixed ? &handshake->pi : &sa->keys.pi;
	}
	return octets;
}

/* ------------------------------------------------------ our own signature */

/* Wait for the answer to an effect, which there is unless memory was short. */
static void await(struct ike *ike, struct sa *sa, uint32_t request,
		  enum awaited awaited)
{
	sa->handshake->waiting = request;
	sa->handshake->awaited = awaited;
	if (request != 0)
		return;
	engine_attempt_failed(ike, sa, IKE_REASON_NO_MEMORY, 0);
	sa_set_state(ike, sa, SA_DEAD);
}

void auth_sign(struct ike *ike, struct sa *sa)
{
	uint8_t id[24];
	struct writer writer = writer_of(id, sizeof(id));
	struct signature_octets input;

	auth_write_id(ike, &writer);
	input = octets_of(sa, true, (struct ike_bytes){ id, writer.len });
	await(ike, sa, ask_signature(ike, sa, &input), AWAITED_SIGNATURE);
}

void auth_mix(struct ike *ike, struct sa *sa)
{
	await(ike, sa, ppk_ask(ike, sa), AWAITED_PPK);
}

void auth_start(struct ike *ike, struct sa *sa)
{
	sa_set_state(ike, sa, SA_SIGNING_REQUEST);
	/* with an optional PPK we sign twice, first without */
	if (sa->handshake->ppk && ike->config.ppk_required)
		auth_mix(ike, sa);
	else
		auth_sign(ike, sa);
}

/* ------------------------------------------------------ peer's signature */

static struct signature_octets
peer_octets(const struct sa *sa, const struct payloads *payloads)
{
	return octets_of(sa, false, sa->initiator ? payloads->idr.body :
			 payloads->idi.body);
}

enum ike_reason
auth_verify_peer(const struct ike *ike, const struct sa *sa,
		 const struct payloads *payloads)
{
	struct signature_octets input = peer_octets(sa, payloads);
	enum ike_reason reason;
	uint8_t *octets;
	size_t len;

	if (ike->config.shared_key)
		return shared_key_check(ike, sa, payloads);
	if (payloads->auth_method == IKE_AUTH_METHOD_SHARED_KEY)
		return IKE_REASON_AUTH_METHOD;
	/* CERT payloads of encodings that we do not know do not count */
	if (payloads->certs_count == 0)
		return IKE_REASON_CERTIFICATE;
	if (!signature_octets(ike->config.crypto, &input, &octets, &len))
		return IKE_REASON_CRYPTO;
	reason = signature_verify(ike->config.crypto, payloads->certs[0],
				  payloads->auth_method, payloads->auth,
				  (struct ike_bytes){ octets, len });
	free(octets);
	return reason;
}

void auth_ask_authorization(struct ike *ike, struct sa *sa)
{
	const struct payloads *payloads = &sa->handshake->payloads;
	struct signature_octets octets = peer_octets(sa, payloads);

	if (ike->config.shared_key) {
		await(ike, sa, ask_signature(ike, sa, &octets), AWAITED_MAC);
		return;
	}
	sa->authorization = effect_need_authorization(ike, sa, payloads);
	await(ike, sa, sa->authorization, AWAITED_AUTHORIZATION);
}
