/*
 * The way of a datagram: header, IKE SA, role, window, integrity, fragments,
 * payloads, table, handler. Each step returns why it goes no further. Up to
 * the integrity check nothing but counters changes.
 */
#include "ike/exchanges.h"

#include <string.h>

/* To the handler that the table names, if it names one. */
static enum ike_reason to_handler(struct ike *ike, struct sa *sa,
				  struct message *message)
{
	enum ike_reason reason = IKE_REASON_NONE;
	const struct table_row *row;

	row = table_find(sa ? sa->state : SA_NONE,
			 sa ? sa->out.purpose : PURPOSE_NONE,
			 &message->header, &message->payloads, &reason);
	if (row)
		row->handle(ike, sa, message);
	return reason;
}

/* --------------------------------------------------------------- in clear */

/* RFC 7296 2.5: tell the version that we speak; once a second at most. */
static void tell_version(struct ike *ike, const struct message_header *header)
{
	if (header->response || !time_due(ike->version_told, ike->now))
		return;
	ike->version_told = time_add(ike->now, IKE_SECONDS(1));
	sa_init_refuse(ike, header, IKE_NOTIFY_INVALID_MAJOR_VERSION,
		       (struct ike_bytes){ NULL, 0 });
}

/* The IKE SA that we (`own`) or the peer has begun under this SPI. */
static const struct sa *begun(const struct ike *ike, uint64_t spi_i, bool own)
{
	for (const struct sa *sa = ike->sas; sa; sa = sa->next)
		if (sa->initiator == own && sa_spi_i(sa) == spi_i)
			return sa;
	return NULL;
}

/* Once more, with the same octets: answer once more. With others it is no
 * peer's (RFC 7296 2.1), but somebody's who has overheard a cookie. */
static enum ike_reason receive_again(struct ike *ike, const struct sa *sa,
				     const uint8_t *hash)
{
	const struct handshake *handshake = sa->handshake;

	if (!handshake || memcmp(handshake->request_hash, hash,
				 CRYPTO_SHA256_SIZE) != 0)
		return IKE_REASON_MESSAGE_ID;
	effect_send(ike, buffer_view(&handshake->init_response),
		    ike->local_port, ike->peer_port);
	return IKE_REASON_RETRANSMISSION;
}

static enum ike_reason receive_init(struct ike *ike, struct message *message)
{
	const struct message_header *header = &message->header;
	uint8_t hash[CRYPTO_SHA256_SIZE];
	const struct sa *sa;

	if (!ike->started)
		return IKE_REASON_NOT_STARTED;
	/* our own request may be sent back to us */
	if (!header->initiator || begun(ike, header->spi_i, true))
		return IKE_REASON_WRONG_ROLE;
	if (header->id != 0 || header->spi_r != 0)
		return IKE_REASON_MESSAGE_ID;
	if (!crypto_sha256(ike->config.crypto, message->bytes, hash))
		return IKE_REASON_CRYPTO;
	sa = begun(ike, header->spi_i, false);
	if (sa)
		return receive_again(ike, sa, hash);
	return to_handler(ike, NULL, message);
}

/* -------------------------------------------------------------- protected */

/* The peer did not get our response: answer again, and do not believe yet
 * that it has what we have set up. */
static void repeat(struct ike *ike, struct sa *sa)
{
	for (struct child *c = ike->children; c; c = c->next)
		if (c->sa == sa && c->outbound_at.us != UINT64_MAX)
			c->outbound_at = time_add(ike->now, OUTBOUND_WAIT);
	response_resend(ike, sa);
}

/* RFC 7296 2.3: is the message to be looked at? *ret_again: it is the request
 * that has been answered last, once more. */
static bool in_window(const struct sa *sa, const struct message *message,
		      bool *ret_again)
{
	const struct message_header *header = &message->header;
	bool again = !header->response && sa->response.data &&
		header->id == sa->recv_id - 1;

	*ret_again = again;
	if (header->response) {
		if (!request_idle(sa) && header->id == sa->out.id &&
		    header->exchange == sa->out.exchange)
			return true;
	} else if (header->id == sa->recv_id) {
		return true;
	}
	/* RFC 7383 2.6.1: one fragment of them brings the answer again */
	return again && message->payloads.fragment <= 1;
}

/* The peer's authenticated message is wrong: say so (RFC 7296 2.21.3). A
 * handshake ends with it, an established IKE SA goes on. */
static void refuse(struct ike *ike, struct sa *sa,
		   struct message *message, enum ike_reason reason)
{
	bool critical = reason == IKE_REASON_PAYLOAD_CRITICAL;

	if (message->header.response) {
		if (ike->attempt == sa)
			engine_attempt_failed(ike, sa, IKE_REASON_PEER_SYNTAX,
					      0);
		else if (sa->out.exchange == IKE_EXCHANGE_INFORMATIONAL)
			/* what it was about is done all the same */
			informational_response(ike, sa, message);
		else
			create_failed(ike, sa, IKE_REASON_PEER_SYNTAX, 0);
		return;
	}
	/* while a decision is awaited, the request has been taken already */
	if (reason == IKE_REASON_UNEXPECTED &&
	    (sa->state < SA_ESTABLISHED || sa->state == SA_CLOSED))
		return;
	response_notify(ike, sa, (enum ike_exchange)message->header.exchange,
			critical ? IKE_NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD :
			IKE_NOTIFY_INVALID_SYNTAX,
			(struct ike_bytes){ &message->payloads.critical,
					    critical ? 1 : 0 });
	if (sa->state < SA_ESTABLISHED)
		sa_close(ike, sa);
}

/* A fresh request shows that the peer has had our last response, and so has
 * the Child SA that it was about. A response shows that the peer has seen a
 * request that we sent when we had ours, and that it has completed IKE_AUTH. */
static void confirm_known(struct ike *ike, struct sa *sa, uint32_t last,
			   bool response)
{
	if (sa->state == SA_DEAD)
		return;
	if (!response)
		engine_attempt_overtaken(ike, sa);
	for (struct child *c = ike->children; c; c = c->next)
		if (c->sa == sa && c->info.id <= last &&
		    (response ? c->ours || c->any_answer : !c->ours))
			child_confirm(ike, c);
}

/* The message is authentic and new. */
static enum ike_reason handle(struct ike *ike, struct sa *sa,
			      struct message *message)
{
	enum ike_reason reason;
	bool response = message->header.response;
	uint32_t last = response ? sa->out.last_child : ike->next_child;

	/* of this message, whole or not; there is only one at a time */
	fragments_free(sa->collected[response]);
	sa->collected[response] = NULL;
	sa->heard = ike->now;
	sa->local_port = ike->local_port;
	sa->peer_port = ike->peer_port;
	nat_follow(ike, sa);
	reason = payloads_parse(message->payloads.sk_first,
				(struct ike_bytes){ message->plaintext,
						    message->plaintext_len },
				&message->payloads);
	if (reason == IKE_REASON_NONE)
		reason = to_handler(ike, sa, message);
	if (reason == IKE_REASON_NONE)
		confirm_known(ike, sa, last, response);
	else
		refuse(ike, sa, message, reason);
	return reason;
}

/* May what is sealed in it be opened? */
static enum ike_reason check_sealed(const struct sa *sa,
				    const struct message *message, bool again)
{
	const struct payloads *payloads = &message->payloads;

	if (PAYLOAD_HAS(payloads, SK))
		return IKE_REASON_NONE;
	if (!PAYLOAD_HAS(payloads, SKF))
		return IKE_REASON_PAYLOAD_MISSING;
	if (!sa->fragmentation)
		return IKE_REASON_PAYLOAD_FORBIDDEN;
	return again ? IKE_REASON_NONE :
		fragments_check(sa->collected[message->header.response],
				message->header.id, payloads);
}

/* RFC 7383 2.6: an authentic fragment. True if the message is whole now. */
static bool collect(struct ike *ike, struct sa *sa, struct message *message)
{
	struct fragments **set = &sa->collected[message->header.response];
	uint8_t *plaintext = message->plaintext;
	enum ike_reason reason;

	message->plaintext = NULL;
	reason = fragments_add(set, message->header.id, &message->payloads,
			       time_add(ike->now, COLLECT_TIME), plaintext,
			       message->plaintext_len);
	if (reason == IKE_REASON_NONE)
		return fragments_join(*set, &message->payloads.sk_first,
				      &message->plaintext,
				      &message->plaintext_len);
	engine_count(ike, reason);
	return false;
}

static enum ike_reason receive_protected(struct ike *ike, struct sa *sa,
					 struct message *message)
{
	struct crypto_protection protection =
		sa_protection(ike->config.crypto, sa, false);
	enum ike_reason reason;
	bool again;

	if (!sa_has_keys(sa))
		return IKE_REASON_UNEXPECTED;
	if (!in_window(sa, message, &again))
		return again ? IKE_REASON_RETRANSMISSION :
			IKE_REASON_MESSAGE_ID;
	reason = check_sealed(sa, message, again);
	if (reason != IKE_REASON_NONE)
		return reason;
	if (!message_open(message->bytes, &message->payloads, &protection,
			  &message->plaintext, &message->plaintext_len))
		return IKE_REASON_INTEGRITY;
	if (again) {
		repeat(ike, sa);
		reason = IKE_REASON_RETRANSMISSION;
	} else if (message->payloads.fragment == 0 ||
		   collect(ike, sa, message)) {
		reason = handle(ike, sa, message);
	}
	message_free_plaintext(message->plaintext, message->plaintext_len);
	return reason;
}

static enum ike_reason receive(struct ike *ike, struct message *message)
{
	const struct message_header *header = &message->header;
	struct sa *sa;

	if (header->exchange == IKE_EXCHANGE_SA_INIT && !header->response)
		return receive_init(ike, message);
	sa = sa_find(ike, header);
	if (!sa)
		return IKE_REASON_UNKNOWN_SPI;
	if (header->initiator == sa->initiator)
		return IKE_REASON_WRONG_ROLE;
	if (header->exchange == IKE_EXCHANGE_SA_INIT)
		return to_handler(ike, sa, message);
	return receive_protected(ike, sa, message);
}

void receive_datagram(struct ike *ike, struct ike_bytes bytes)
{
	struct message message = { .bytes = bytes };
	enum ike_reason reason = message_parse_header(bytes, &message.header);

	if (reason == IKE_REASON_VERSION)
		tell_version(ike, &message.header);
	if (reason == IKE_REASON_NONE)
		reason = payloads_parse(
			message.header.first,
			(struct ike_bytes){
				bytes.data + MESSAGE_HEADER_SIZE,
				bytes.len - MESSAGE_HEADER_SIZE },
			&message.payloads);
	if (reason == IKE_REASON_NONE)
		reason = receive(ike, &message);
	if (reason != IKE_REASON_NONE)
		engine_count(ike, reason);
}
