/* IKE_SA_INIT (RFC 7296 1.2, 2.6, 2.7, 2.23), both roles. */
#include "ike/exchanges.h"
#include "ike/ppk.h"

#include <string.h>

/* -------------------------------------------------------------- common */

void sa_init_refuse(struct ike *ike, const struct message_header *header,
		    enum ike_notify type, struct ike_bytes data)
{
	uint8_t bytes[256];
	struct writer writer = writer_of(bytes, sizeof(bytes));
	struct message_header answer = *header;

	answer.response = true;
	answer.initiator = false;
	message_begin(&writer, &answer);
	payload_write_notify(&writer, type, data);
	if (message_finish(&writer))
		effect_send(ike, (struct ike_bytes){ bytes, writer.len },
			    ike->local_port, ike->peer_port);
}

/* The request, or the response, from what the handshake holds. */
static bool build(struct ike *ike, struct sa *sa, struct buffer *ret_message)
{
	const struct handshake *handshake = sa->handshake;
	uint8_t bytes[IKE_MAX_MESSAGE];
	struct writer writer = writer_of(bytes, sizeof(bytes));
	struct message_header header = {
		.spi_i = sa_spi_i(sa), .spi_r = sa_spi_r(sa),
		.exchange = IKE_EXCHANGE_SA_INIT,
		.initiator = sa->initiator, .response = !sa->initiator
	};

	message_begin(&writer, &header);
	if (handshake->cookie_len > 0)
		payload_write_notify(&writer, IKE_NOTIFY_COOKIE,
				     (struct ike_bytes){
					     handshake->cookie,
					     handshake->cookie_len });
	if (sa->initiator)
		proposal_write_offer(&writer, &ike->algorithms,
				     IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED,
				     (struct ike_bytes){ NULL, 0 });
	else
		proposal_write_selection(&writer, &sa->algorithms,
					 (struct ike_bytes){ NULL, 0 });
	ke_write(&writer, &handshake->ke);
	nonce_write(&writer, &handshake->own);
	nat_write(ike, sa, &writer);
	if (!sa->initiator)
		auth_write_certreq(ike, &writer);
	signature_write_hashes(&writer);
	if (sa->initiator || sa->fragmentation)	/* RFC 7383 2.3 */
		payload_write_notify(&writer,
				     IKE_NOTIFY_FRAGMENTATION_SUPPORTED,
				     (struct ike_bytes){ NULL, 0 });
	if (sa->initiator || handshake->ppk)
		ppk_write_use(ike, &writer);
	if (!sa->initiator)
		payload_write_notify(&writer,
				     IKE_NOTIFY_CHILDLESS_IKEV2_SUPPORTED,
				     (struct ike_bytes){ NULL, 0 });
	return message_finish(&writer) &&
		buffer_set(ret_message, bytes, writer.len);
}

static bool knows_fragmentation(const struct message *message)
{
	return payloads_notify(&message->payloads,
			       IKE_NOTIFY_FRAGMENTATION_SUPPORTED) != NULL;
}

/* The keys, from both nonces, SPIs and public values. */
static enum ike_reason
derive(const struct ike *ike, const struct sa *sa,
       const struct selection *selection, uint64_t spi_peer,
       const struct message *message, struct keys_ike *ret_keys)
{
	struct ike_bytes own_nonce = nonce_view(&sa->handshake->own);
	struct ike_bytes peer_nonce = message->payloads.nonce;
	struct secret_wide shared = { .len = 0 };
	struct keys_input input = {
		.ni = sa->initiator ? own_nonce : peer_nonce,
		.nr = sa->initiator ? peer_nonce : own_nonce,
		.spi_i = sa->initiator ? sa->spi_own : spi_peer,
		.spi_r = sa->initiator ? spi_peer : sa->spi_own,
		.shared = &shared
	};
	enum ike_reason reason;

	reason = crypto_ke_shared(ike->config.crypto, &sa->handshake->ke,
				  message->payloads.ke, &shared);
	if (reason == IKE_REASON_NONE &&
	    !keys_ike_derive(ike->config.crypto, selection, &input, NULL,
			     ret_keys))
		reason = IKE_REASON_CRYPTO;
	secret_wide_wipe(&shared);
	return reason;
}

/* ------------------------------------------------------------- initiator */

/* (Re)build the request, and send it. */
static void send_request(struct ike *ike, struct sa *sa)
{
	if (build(ike, sa, &sa->handshake->init_request))
		request_send_init(ike, sa);
	else
		engine_attempt_failed(ike, sa, IKE_REASON_CRYPTO, 0);
}

void sa_init_start(struct ike *ike, struct sa *sa)
{
	struct handshake *handshake = sa->handshake;
	const struct sa *best = sa_best(ike);

	/* a NAT that stands before the peer knows one way to it */
	if (best && best->nat_there) {
		sa->local_port = best->local_port;
		sa->peer_port = best->peer_port;
	}
	/* the retransmissions end it; this is for answers that never come */
	sa->expires = time_add(sa->expires, HALF_OPEN_TIME);
	handshake->own.len = IKE_OWN_NONCE;
	if (!engine_random(ike, handshake->own.bytes, IKE_OWN_NONCE) ||
	    !engine_make_ke(ike, algorithms_first_ke(&ike->algorithms),
			    &handshake->ke)) {
		engine_attempt_failed(ike, sa, IKE_REASON_RANDOM, 0);
		return;
	}
	send_request(ike, sa);
}

/* An answer that anybody could have sent does not end the attempt (RFC 7296
 * 2.21.1); it explains its end, if nothing better comes. */
static void hint(struct ike *ike, struct sa *sa, enum ike_reason reason,
		 uint16_t notify)
{
	engine_count(ike, reason);
	sa->handshake->hint = reason;
	sa->handshake->hint_notify = notify;
}

static enum ike_reason
check_response(struct ike *ike, const struct sa *sa,
	       const struct message *message, struct selection *ret_selection,
	       struct signature_choice *ret_signing)
{
	const struct payloads *payloads = &message->payloads;
	uint16_t group = sa->handshake->ke.group;
	enum ike_reason reason;

	if (message->header.spi_r == 0)
		return IKE_REASON_HEADER;
	reason = proposal_accept(&ike->algorithms, payloads->sa,
				 IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED,
				 ret_selection);
	if (reason != IKE_REASON_NONE)
		return reason;
	if (ret_selection->ke != group || payloads->ke_group != group)
		return IKE_REASON_GROUP;
	if (!auth_choose(ike, payloads, ret_signing))
		return IKE_REASON_HASHES;
	if (ike->config.ppk_required && !ppk_agreed(ike, payloads))
		return IKE_REASON_PPK;
	return nat_acceptable(ike, message) ? IKE_REASON_NONE : IKE_REASON_NAT;
}

void sa_init_response(struct ike *ike, struct sa *sa, struct message *message)
{
	struct handshake *handshake = sa->handshake;
	struct selection selection;
	struct keys_ike keys = { .d.len = 0 };
	struct signature_choice signing;
	struct nonce peer;
	enum ike_reason reason;

	reason = check_response(ike, sa, message, &selection, &signing);
	if (reason == IKE_REASON_NONE)
		reason = derive(ike, sa, &selection, message->header.spi_r,
				message, &keys);
	if (reason == IKE_REASON_NONE &&
	    (!nonce_set(&peer, message->payloads.nonce) ||
	     !buffer_set(&handshake->init_response, message->bytes.data,
			 message->bytes.len)))
		reason = IKE_REASON_NO_MEMORY;
	if (reason != IKE_REASON_NONE) {
		hint(ike, sa, reason, 0);
		keys_ike_wipe(&keys);
		return;
	}
	request_done(sa);
	handshake->peer = peer;
	handshake->signing = signing;
	handshake->hint = IKE_REASON_NONE;
	crypto_ke_wipe(&handshake->ke);
	selection.spi = (struct ike_bytes){ NULL, 0 };
	sa->algorithms = selection;
	sa->keys = keys;
	sa->spi_peer = message->header.spi_r;
	nat_detect(ike, sa, message);
	sa->fragmentation = knows_fragmentation(message);
	handshake->ppk = ppk_agreed(ike, &message->payloads);
	keys_ike_wipe(&keys);
	auth_start(ike, sa);
}

static void retry_with_cookie(struct ike *ike, struct sa *sa,
			      const struct payload_notify *notify)
{
	struct handshake *handshake = sa->handshake;

	if (notify->data.len == 0 || notify->data.len > IKE_MAX_COOKIE)
		return;
	handshake->retries++;
	memcpy(handshake->cookie, notify->data.data, notify->data.len);
	handshake->cookie_len = notify->data.len;
	send_request(ike, sa);
}

static void retry_with_group(struct ike *ike, struct sa *sa,
			     const struct payload_notify *notify)
{
	struct reader reader = reader_of(notify->data);
	struct handshake *handshake = sa->handshake;
	struct crypto_ke ke;
	uint16_t group;

	if (!read_u16(&reader, &group) || group == handshake->ke.group ||
	    !algorithms_offer_ke(&ike->algorithms, group) ||
	    !engine_make_ke(ike, group, &ke)) {
		hint(ike, sa, IKE_REASON_GROUP, notify->type);
		return;
	}
	handshake->retries++;
	crypto_ke_wipe(&handshake->ke);
	handshake->ke = ke;
	secret_wipe(&ke.private);
	send_request(ike, sa);
}

void sa_init_refused(struct ike *ike, struct sa *sa, struct message *message)
{
	const struct payloads *payloads = &message->payloads;
	const struct payload_notify *notify;
	bool retry = sa->handshake->retries < IKE_MAX_INIT_RETRIES;

	engine_count(ike, IKE_REASON_CLEAR_NOTIFY);
	notify = payloads_notify(payloads, IKE_NOTIFY_COOKIE);
	if (notify && retry) {
		retry_with_cookie(ike, sa, notify);
		return;
	}
	notify = payloads_notify(payloads, IKE_NOTIFY_INVALID_KE_PAYLOAD);
	if (notify && retry) {
		retry_with_group(ike, sa, notify);
		return;
	}
	notify = payloads_error(payloads);
	if (notify)
		hint(ike, sa, notify->type == IKE_NOTIFY_NO_PROPOSAL_CHOSEN ?
		     IKE_REASON_PEER_PROPOSAL : IKE_REASON_PEER_ERROR,
		     notify->type);
}

/* ------------------------------------------------------------- responder */

/* May this request be looked at closely? */
static bool admit(struct ike *ike, const struct message *message)
{
	size_t half_open = sa_half_open(ike);

	if (engine_goes_first(ike)) {
		engine_count(ike, IKE_REASON_YIELD);
		return false;
	}
	if (half_open >= IKE_COOKIE_THRESHOLD && !cookie_valid(ike, message)) {
		cookie_ask(ike, message);
		return false;
	}
	return true;
}

static enum ike_reason
check_request(struct ike *ike, const struct message *message,
	      struct selection *ret_selection,
	      struct signature_choice *ret_signing)
{
	const struct payloads *payloads = &message->payloads;
	enum ike_reason reason;

	reason = proposal_choose(&ike->algorithms, payloads->sa,
				 IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED,
				 payloads->ke_group, ret_selection);
	if (reason != IKE_REASON_NONE)
		return reason;
	if (ret_selection->ke != payloads->ke_group)
		return IKE_REASON_GROUP;
	if (!auth_choose(ike, payloads, ret_signing))
		return IKE_REASON_HASHES;
	return nat_acceptable(ike, message) ? IKE_REASON_NONE : IKE_REASON_NAT;
}

/* What the peer is told; most of it is only counted. */
static void refuse_request(struct ike *ike, const struct message *message,
			   enum ike_reason reason, uint16_t group)
{
	uint8_t wanted[2] = { (uint8_t)(group >> 8), (uint8_t)group };

	engine_count(ike, reason);
	if (reason == IKE_REASON_GROUP)
		sa_init_refuse(ike, &message->header,
			       IKE_NOTIFY_INVALID_KE_PAYLOAD,
			       (struct ike_bytes){ wanted, sizeof(wanted) });
	else if (reason == IKE_REASON_NO_PROPOSAL ||
		 reason == IKE_REASON_HASHES)
		sa_init_refuse(ike, &message->header,
			       IKE_NOTIFY_NO_PROPOSAL_CHOSEN,
			       (struct ike_bytes){ NULL, 0 });
}

/* Fill a new half-open IKE SA. */
static enum ike_reason
answer(struct ike *ike, struct sa *sa, const struct message *message,
       const struct selection *selection)
{
	struct handshake *handshake = sa->handshake;
	enum ike_reason reason = IKE_REASON_RANDOM;

	sa->algorithms = *selection;
	sa->algorithms.spi = (struct ike_bytes){ NULL, 0 };
	sa->spi_peer = message->header.spi_i;
	sa->local_port = ike->local_port;
	sa->peer_port = ike->peer_port;
	nat_detect(ike, sa, message);
	sa->fragmentation = knows_fragmentation(message);
	handshake->ppk = ppk_agreed(ike, &message->payloads);
	handshake->own.len = IKE_OWN_NONCE;
	if (engine_random(ike, handshake->own.bytes, IKE_OWN_NONCE) &&
	    engine_make_ke(ike, selection->ke, &handshake->ke))
		reason = derive(ike, sa, selection, sa->spi_peer, message,
				&sa->keys);
	if (reason == IKE_REASON_NONE &&
	    (!build(ike, sa, &handshake->init_response) ||
	     !nonce_set(&handshake->peer, message->payloads.nonce) ||
	     !crypto_sha256(ike->config.crypto, message->bytes,
			    handshake->request_hash) ||
	     !buffer_set(&handshake->init_request, message->bytes.data,
			 message->bytes.len)))
		reason = IKE_REASON_NO_MEMORY;
	sa->recv_id = 1;
	crypto_ke_wipe(&handshake->ke);
	return reason;
}

void sa_init_request(struct ike *ike, struct sa *none, struct message *message)
{
	struct selection selection = { .ke = 0 };
	struct signature_choice signing;
	enum ike_reason reason;
	struct sa *sa;

	(void)none;
	if (!admit(ike, message))
		return;
	reason = check_request(ike, message, &selection, &signing);
	if (reason != IKE_REASON_NONE) {
		refuse_request(ike, message, reason, selection.ke);
		return;
	}
	if (sa_half_open(ike) >= IKE_MAX_HALF_OPEN) {
		engine_count(ike, IKE_REASON_HALF_OPEN);
		sa = sa_oldest(ike, SA_INIT_ANSWERED);
		if (!sa)
			return;
		sa_set_state(ike, sa, SA_DEAD);
	}
	sa = sa_new(ike, SA_INIT_ANSWERED, false);
	if (!sa)
		return;
	sa->handshake->signing = signing;
	reason = answer(ike, sa, message, &selection);
	if (reason != IKE_REASON_NONE) {
		engine_count(ike, reason);
		sa_set_state(ike, sa, SA_DEAD);
		return;
	}
	effect_send(ike, buffer_view(&sa->handshake->init_response),
		    ike->local_port, ike->peer_port);
}
