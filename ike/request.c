/*
 * Requests and responses of one IKE SA (RFC 7296 2.1 to 2.3): a window of one
 * in each direction, retransmission of ours, the cache for the peer's.
 */
#include "ike/engine.h"

bool request_makes_child(const struct sa *sa)
{
	return sa->out.purpose == PURPOSE_CHILD ||
		sa->out.purpose == PURPOSE_CHILD_REKEY;
}

bool request_idle(const struct sa *sa)
{
	return sa->out.purpose == PURPOSE_NONE;
}

void request_done(struct sa *sa)
{
	buffer_free(&sa->out.bytes);
	crypto_ke_wipe(&sa->out.ke);
	OPENSSL_cleanse(&sa->out, sizeof(sa->out));
	sa->out.purpose = PURPOSE_NONE;
}

static bool seal(const struct ike *ike, struct sa *sa,
		 enum ike_exchange exchange, bool response, uint32_t id,
		 struct writer *inner, struct writer *outer)
{
	struct message_header header = {
		.spi_i = sa_spi_i(sa), .spi_r = sa_spi_r(sa),
		.exchange = (uint8_t)exchange, .initiator = sa->initiator,
		.response = response, .id = id
	};
	struct crypto_protection protection =
		sa_protection(ike->config.crypto, sa, true);

	return writer_finish(inner) &&
		message_seal(outer, &header, inner, &protection, &sa->iv,
			     sa->fragmentation ? MESSAGE_FRAGMENT_SIZE :
			     IKE_MAX_MESSAGE);
}

/* A message, in all its fragments. */
static void send_all(struct ike *ike, const struct sa *sa,
		     const struct buffer *messages)
{
	struct reader reader = reader_of(buffer_view(messages));
	struct ike_bytes message;

	while (message_next(&reader, &message))
		effect_send(ike, message, sa->local_port, sa->peer_port);
}

static void send_out(struct ike *ike, struct sa *sa)
{
	struct ike_time span = RETRANSMIT_FIRST;

	/* a peer that is dead is given up inside BGP's hold time */
	if (sa->state >= SA_ESTABLISHED)
		span = time_min(span, (struct ike_time){
				ike->config.hold_time.us / HOLD_GIVE_UP /
				RETRANSMIT_SPANS });
	span.us <<= sa->out.tries++;
	sa->out.next = time_add(ike->now, span);
	send_all(ike, sa, &sa->out.bytes);
}

/* Something that cannot go wrong did; do not stay in a half state. */
static void broken(struct ike *ike, struct sa *sa)
{
	engine_count(ike, IKE_REASON_CRYPTO);
	if (ike->attempt == sa)
		engine_attempt_failed(ike, sa, IKE_REASON_CRYPTO, 0);
	else
		sa_lost(ike, sa);
}

void request_send(struct ike *ike, struct sa *sa, enum purpose purpose,
		  enum ike_exchange exchange, struct writer *inner)
{
	uint8_t bytes[IKE_MAX_MESSAGE];
	struct writer outer = writer_of(bytes, sizeof(bytes));

	if (!seal(ike, sa, exchange, false, sa->send_id, inner, &outer) ||
	    !buffer_set(&sa->out.bytes, bytes, outer.len)) {
		broken(ike, sa);
		return;
	}
	sa->out.purpose = purpose;
	sa->out.exchange = (uint8_t)exchange;
	sa->out.id = sa->send_id++;
	sa->out.last_child = ike->next_child;
	sa->out.tries = 0;
	sa->confirm = false;
	send_out(ike, sa);
}

void request_send_init(struct ike *ike, struct sa *sa)
{
	struct buffer *message = &sa->handshake->init_request;

	if (!buffer_set(&sa->out.bytes, message->data, message->len)) {
		broken(ike, sa);
		return;
	}
	sa->out.purpose = PURPOSE_SA_INIT;
	sa->out.exchange = IKE_EXCHANGE_SA_INIT;
	sa->out.id = 0;
	sa->out.tries = 0;
	sa->send_id = 1;
	send_out(ike, sa);
}

void request_retransmit(struct ike *ike, struct sa *sa)
{
	if (sa->out.tries < RETRANSMIT_TRIES)
		send_out(ike, sa);
	else if (ike->attempt == sa)
		engine_attempt_failed(ike, sa, IKE_REASON_NO_RESPONSE, 0);
	else if (sa->state == SA_DELETING)
		sa_set_state(ike, sa, SA_DEAD);
	else
		sa_lost(ike, sa);
}

void response_send(struct ike *ike, struct sa *sa, enum ike_exchange exchange,
		   struct writer *inner)
{
	uint8_t bytes[IKE_MAX_MESSAGE];
	struct writer outer = writer_of(bytes, sizeof(bytes));

	if (!seal(ike, sa, exchange, true, sa->recv_id, inner, &outer) ||
	    !buffer_set(&sa->response, bytes, outer.len)) {
		engine_count(ike, IKE_REASON_CRYPTO);
		return;
	}
	sa->recv_id++;
	response_resend(ike, sa);
}

void response_notify(struct ike *ike, struct sa *sa, enum ike_exchange exchange,
		     enum ike_notify type, struct ike_bytes data)
{
	uint8_t bytes[256];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	payload_write_notify(&inner, type, data);
	response_send(ike, sa, exchange, &inner);
}

void response_resend(struct ike *ike, struct sa *sa)
{
	send_all(ike, sa, &sa->response);
}
