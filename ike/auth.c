/* IKE_AUTH (RFC 7296 1.2, 2.15, 2.21.2), both roles. */
#include "ike/exchanges.h"
#include "ike/ppk.h"
#include "ike/shared_key.h"

/* Keep the peer's message until all is decided about it. */
static void hold(struct sa *sa, struct message *message)
{
	struct handshake *handshake = sa->handshake;

	handshake->held = message->plaintext;
	handshake->held_len = message->plaintext_len;
	handshake->payloads = message->payloads;
	message->plaintext = NULL;
	message->plaintext_len = 0;
}

/* The keys of the Child SA that IKE_AUTH makes (RFC 7296 2.17). */
static bool derive_child(const struct ike *ike, const struct sa *sa,
			 const struct selection *algorithms,
			 struct keys_child *ret_keys)
{
	struct ike_bytes own = nonce_view(&sa->handshake->own);
	struct ike_bytes peer = nonce_view(&sa->handshake->peer);
	struct keys_input input = {
		.ni = sa->initiator ? own : peer,
		.nr = sa->initiator ? peer : own
	};

	return keys_child_derive(ike->config.crypto, sa->algorithms.prf,
				 &sa->keys.d, algorithms, &input, ret_keys);
}

/* ------------------------------------------------------------- initiator */

static void send_request(struct ike *ike, struct sa *sa,
			 struct ike_bytes signature)
{
	struct handshake *handshake = sa->handshake;
	uint8_t bytes[IKE_MAX_MESSAGE];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	handshake->spi_in = ike->config.allocate_spi(ike->config.ctx);
	if (handshake->spi_in == 0) {
		engine_attempt_failed(ike, sa, IKE_REASON_RANDOM, 0);
		return;
	}
	write_payload(&inner, IKE_PAYLOAD_IDI);
	auth_write_id(ike, &inner);
	auth_write_certs(ike, &inner);
	if (!sa_best(ike)) {
		sa->sent_contact = true;
		payload_write_notify(&inner, IKE_NOTIFY_INITIAL_CONTACT,
				     (struct ike_bytes){ NULL, 0 });
	}
	auth_write_certreq(ike, &inner);
	signature_write(&inner, &handshake->signing, signature);
	child_write_offer(ike, &inner, IKE_CHILD_ACTIVE, handshake->spi_in,
			  NULL, NULL);
	ppk_write_identity(ike, sa, &inner);
	sa_set_state(ike, sa, SA_AUTH_SENT);
	request_send(ike, sa, PURPOSE_AUTH, IKE_EXCHANGE_AUTH, &inner);
}

/* The peer is not who it should be: our attempt has failed, and the peer,
 * which thinks otherwise, is told (RFC 7296 2.21.2). */
static void refuse_responder(struct ike *ike, struct sa *sa,
			     enum ike_reason reason)
{
	engine_attempt_failed(ike, sa, reason, 0);
	sa_release_handshake(sa);
	sa->refused = true;
	sa_set_state(ike, sa, SA_DELETING);
}

void auth_response(struct ike *ike, struct sa *sa, struct message *message)
{
	enum ike_reason reason = ppk_answered(ike, sa, &message->payloads);

	if (reason == IKE_REASON_NONE)
		reason = auth_verify_peer(ike, sa, &message->payloads);
	request_done(sa);
	if (reason != IKE_REASON_NONE) {
		refuse_responder(ike, sa, reason);
		return;
	}
	sa_set_state(ike, sa, SA_AUTHORIZING_RESPONSE);
	hold(sa, message);
	auth_ask_authorization(ike, sa);
}

void auth_refused(struct ike *ike, struct sa *sa, struct message *message)
{
	const struct payload_notify *notify =
		payloads_error(&message->payloads);
	enum ike_reason reason = IKE_REASON_PEER_ERROR;

	if (notify && notify->type == IKE_NOTIFY_AUTHENTICATION_FAILED)
		reason = IKE_REASON_PEER_REFUSED;
	request_done(sa);
	engine_attempt_failed(ike, sa, reason, notify ? notify->type : 0);
}

/* The Child SA that came with the answer, or why there is none. */
static void finish_child(struct ike *ike, struct sa *sa,
			 const struct payloads *payloads, uint32_t spi_in)
{
	const struct payload_notify *error = payloads_error(payloads);
	struct selection algorithms = { .number = 0 };
	struct keys_child keys;
	struct child_new new = {
		.sa = sa, .kind = IKE_CHILD_ACTIVE, .spi_in = spi_in,
		.algorithms = &algorithms, .keys = &keys, .ours = true
	};
	enum ike_reason reason;

	if (error) {
		child_failed(ike, sa, new.kind,
			     child_refusal_reason(error->type), error->type);
		return;
	}
	reason = child_accept(ike, sa, payloads, new.kind, 0,
			      &algorithms, &new.spi_out);
	if (reason == IKE_REASON_NONE &&
	    !derive_child(ike, sa, &algorithms, &keys))
		reason = IKE_REASON_CRYPTO;
	if (reason == IKE_REASON_NONE) {
		child_create(ike, &new);
		OPENSSL_cleanse(&keys, sizeof(keys));
		return;
	}
	/* the peer believes that there is one */
	child_refuse(ike, &new);
	child_failed(ike, sa, new.kind, reason, 0);
}

static void finish_initiator(struct ike *ike, struct sa *sa)
{
	ppk_settle(sa);
	sa_establish(ike, sa, false);
	finish_child(ike, sa, &sa->handshake->payloads, sa->handshake->spi_in);
	sa_release_handshake(sa);
}

/* ------------------------------------------------------------- responder */

/* Refuse the request that is being processed or has been held. */
static void refuse_initiator(struct ike *ike, struct sa *sa,
			     enum ike_reason reason)
{
	engine_count(ike, reason);
	response_notify(ike, sa, IKE_EXCHANGE_AUTH,
			IKE_NOTIFY_AUTHENTICATION_FAILED,
			(struct ike_bytes){ NULL, 0 });
	sa_close(ike, sa);
}

/* Our own attempt has gone further and is preferred: leave this one where it
 * was, for the case that ours fails. */
static bool yield(struct ike *ike, struct sa *sa)
{
	struct handshake *handshake = sa->handshake;

	if (!engine_must_yield(ike))
		return false;
	engine_count(ike, IKE_REASON_YIELD);
	message_free_plaintext(handshake->held, handshake->held_len);
	handshake->held = NULL;
	handshake->held_len = 0;
	handshake->waiting = 0;
	handshake->mixed = false;
	sa_set_state(ike, sa, SA_INIT_ANSWERED);
	return true;
}

static void check_initiator(struct ike *ike, struct sa *sa)
{
	enum ike_reason reason = auth_verify_peer(ike, sa,
					     &sa->handshake->payloads);

	if (reason == IKE_REASON_NONE)
		auth_ask_authorization(ike, sa);
	else
		refuse_initiator(ike, sa, reason);
}

void auth_request(struct ike *ike, struct sa *sa, struct message *message)
{
	enum ike_reason reason;
	bool with_ppk;

	if (yield(ike, sa))
		return;
	reason = ppk_choose(ike, sa, &message->payloads, &with_ppk);
	if (reason != IKE_REASON_NONE) {
		refuse_initiator(ike, sa, reason);
		return;
	}
	sa_set_state(ike, sa, SA_AUTHORIZING_REQUEST);
	hold(sa, message);
	if (with_ppk)
		auth_mix(ike, sa);
	else
		check_initiator(ike, sa);
}

/* The Child SA that the request asks for, if it is not childless (RFC 6023). */
static void answer_child(struct ike *ike, struct sa *sa, struct writer *inner)
{
	const struct payloads *payloads = &sa->handshake->payloads;
	struct child_choice choice;
	struct keys_child keys;
	struct child_new new = { .sa = sa, .algorithms = &choice.algorithms,
				 .keys = &keys, .any_answer = true };
	uint16_t refusal;

	if (!PAYLOAD_HAS(payloads, SA))
		return;
	refusal = child_choose(ike, sa, payloads, PROPOSAL_KE_IGNORED,
			       child_missing(ike, sa), &choice);
	if (refusal == 0 &&
	    derive_child(ike, sa, &choice.algorithms, &keys)) {
		new.kind = choice.kind;
		new.spi_in = choice.spi_in;
		new.spi_out = choice.spi_out;
		child_create(ike, &new);
		child_write_choice(inner, &choice, NULL, NULL);
		OPENSSL_cleanse(&keys, sizeof(keys));
		return;
	}
	payload_write_notify(inner, refusal ? refusal :
			     IKE_NOTIFY_NO_ADDITIONAL_SAS,
			     (struct ike_bytes){ NULL, 0 });
}

static void send_response(struct ike *ike, struct sa *sa,
			  struct ike_bytes signature)
{
	uint8_t bytes[IKE_MAX_MESSAGE];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	write_payload(&inner, IKE_PAYLOAD_IDR);
	auth_write_id(ike, &inner);
	auth_write_certs(ike, &inner);
	signature_write(&inner, &sa->handshake->signing, signature);
	answer_child(ike, sa, &inner);
	if (sa->ppk)
		payload_write_notify(&inner, IKE_NOTIFY_PPK_IDENTITY,
				     (struct ike_bytes){ NULL, 0 });
	response_send(ike, sa, IKE_EXCHANGE_AUTH, &inner);
}

static void finish_responder(struct ike *ike, struct sa *sa,
			     struct ike_bytes signature)
{
	bool contact = payloads_notify(&sa->handshake->payloads,
				       IKE_NOTIFY_INITIAL_CONTACT) != NULL;

	ppk_settle(sa);
	sa_establish(ike, sa, contact);
	send_response(ike, sa, signature);
	sa_release_handshake(sa);
}

/* --------------------------------------------------------------- answers */

/* RFC 8784 3: AUTH without the PPK, for a peer that has not this one. */
static bool keep_signature(struct sa *sa, struct ike_bytes signature)
{
	struct handshake *handshake = sa->handshake;
	uint8_t bytes[2 * IKE_MAX_SIGNATURE];
	struct writer writer = writer_of(bytes, sizeof(bytes));

	signature_write_data(&writer, &handshake->signing, signature);
	return !writer.failed &&
		buffer_set(&handshake->no_ppk_auth, bytes, writer.len);
}

/* Our own AUTH, for the request. */
static void signed_request(struct ike *ike, struct sa *sa,
			   struct ike_bytes signature, bool made)
{
	const bool twice = sa->handshake->ppk && !sa->handshake->mixed;

	if (!made || (twice && !keep_signature(sa, signature)))
		engine_attempt_failed(ike, sa, IKE_REASON_SIGNATURE, 0);
	else if (twice)
		auth_mix(ike, sa);
	else
		send_request(ike, sa, signature);
}

void auth_mixed(struct ike *ike, struct sa *sa, struct ike_bytes keys)
{
	bool made = ppk_take(sa, keys);

	sa->handshake->waiting = 0;
	if (sa->initiator && made)
		auth_sign(ike, sa);
	else if (sa->initiator)
		engine_attempt_failed(ike, sa, IKE_REASON_SIGNATURE, 0);
	else if (yield(ike, sa))
		return;
	else if (made)
		check_initiator(ike, sa);
	else
		refuse_initiator(ike, sa, IKE_REASON_SIGNATURE);
}

void auth_signed(struct ike *ike, struct sa *sa, struct ike_bytes signature)
{
	bool made = signature.len > 0 && signature.len <= IKE_MAX_SIGNATURE;

	sa->handshake->waiting = 0;
	if (sa->initiator) {
		signed_request(ike, sa, signature, made);
		return;
	}
	if (yield(ike, sa))
		return;
	if (made) {
		finish_responder(ike, sa, signature);
		return;
	}
	refuse_initiator(ike, sa, IKE_REASON_SIGNATURE);
	effect_failed(ike, IKE_REASON_SIGNATURE, 0);
}

/* The peer is who it should be, or is not. */
static void decide(struct ike *ike, struct sa *sa, enum ike_reason reason,
		   struct ike_time valid_for)
{
	sa->handshake->waiting = 0;
	sa->valid_until = time_add(ike->now, valid_for);
	if (sa->initiator) {
		if (reason == IKE_REASON_NONE)
			finish_initiator(ike, sa);
		else
			refuse_responder(ike, sa, reason);
		return;
	}
	if (yield(ike, sa))
		return;
	if (reason == IKE_REASON_NONE) {
		sa_set_state(ike, sa, SA_SIGNING_RESPONSE);
		auth_sign(ike, sa);
		return;
	}
	refuse_initiator(ike, sa, reason);
	effect_failed(ike, reason, 0);
}

void auth_authorized(struct ike *ike, struct sa *sa, bool allowed,
		     struct ike_time valid_for)
{
	decide(ike, sa, allowed && valid_for.us > 0 ? IKE_REASON_NONE :
	       IKE_REASON_UNAUTHORIZED, valid_for);
}

void auth_expected(struct ike *ike, struct sa *sa, struct ike_bytes mac)
{
	enum ike_reason reason = IKE_REASON_AUTH;

	if (mac.len == 0)
		reason = IKE_REASON_SIGNATURE;
	else if (shared_key_matches(&sa->handshake->payloads, mac))
		reason = IKE_REASON_NONE;
	decide(ike, sa, reason, IKE_NEVER);
}
