/* Child SAs by CREATE_CHILD_SA (RFC 7296 1.3.1, 1.3.3, 2.8), both roles. */
#include "ike/exchanges.h"

static void write_spi_notify(struct writer *writer, enum ike_notify type,
			     uint32_t spi)
{
	write_payload(writer, IKE_PAYLOAD_NOTIFY);
	write_u8(writer, IKE_PROTOCOL_ESP);
	write_u8(writer, 4);
	write_u16(writer, (uint16_t)type);
	write_u32(writer, spi);
}

enum ike_reason child_refusal_reason(uint16_t notify)
{
	if (notify == IKE_NOTIFY_NO_PROPOSAL_CHOSEN)
		return IKE_REASON_PEER_PROPOSAL;
	if (notify == IKE_NOTIFY_TS_UNACCEPTABLE)
		return IKE_REASON_PEER_TS;
	return IKE_REASON_PEER_ERROR;
}

/* The next try will do (RFC 7296 1.3, 2.25). */
static bool out_of_step(enum ike_reason reason, uint16_t notify)
{
	return notify == IKE_NOTIFY_TEMPORARY_FAILURE ||
		(notify == IKE_NOTIFY_INVALID_KE_PAYLOAD &&
		 reason != IKE_REASON_GROUP);
}

void child_failed(struct ike *ike, struct sa *sa, enum ike_child_kind kind,
		  enum ike_reason reason, uint16_t notify)
{
	sa->negotiate_at[kind] = time_add(ike->now, engine_backoff(
			ike, ++sa->refusals[kind], NEGOTIATE_LAST_MS));
	if (!out_of_step(reason, notify))
		effect_failed(ike, reason, notify);
}

/* ------------------------------------------------------------- initiator */

void child_negotiate(struct ike *ike, struct sa *sa, enum ike_child_kind kind,
		     struct child *rekeyed)
{
	uint8_t bytes[CREATE_ROOM];
	struct writer inner = writer_of(bytes, sizeof(bytes));
	uint32_t spi = ike->config.allocate_spi(ike->config.ctx);

	sa->out.nonce.len = IKE_OWN_NONCE;
	if (spi == 0 ||
	    !engine_random(ike, sa->out.nonce.bytes, IKE_OWN_NONCE) ||
	    (ike->algorithms.pfs && !rekey_make_ke(ike, sa))) {
		sa->negotiate_at[kind] = time_add(ike->now, engine_backoff(
				ike, ++sa->refusals[kind],
				NEGOTIATE_LAST_MS));
		if (rekeyed)
			rekeyed->rekey_at = sa->negotiate_at[kind];
		return;
	}
	sa->out.kind = kind;
	sa->out.spi_in = spi;
	sa->out.rekeyed = rekeyed ? rekeyed->info.id : 0;
	if (rekeyed)
		write_spi_notify(&inner, IKE_NOTIFY_REKEY_SA,
				 rekeyed->info.spi_in);
	child_write_offer(ike, &inner, kind, spi, &sa->out.nonce,
			  ike->algorithms.pfs ? &sa->out.ke : NULL);
	request_send(ike, sa, rekeyed ? PURPOSE_CHILD_REKEY : PURPOSE_CHILD,
		     IKE_EXCHANGE_CREATE_CHILD_SA, &inner);
}

/* Keys from the nonces, and from a key exchange if there was one. */
static bool derive(const struct ike *ike, const struct sa *sa,
		   const struct selection *algorithms, struct ike_bytes ni,
		   struct ike_bytes nr, const struct secret_wide *shared,
		   struct keys_child *ret_keys)
{
	struct keys_input input = { .ni = ni, .nr = nr, .shared = shared };

	return keys_child_derive(ike->config.crypto, sa->algorithms.prf,
				 &sa->keys.d, algorithms, &input, ret_keys);
}

/* Take it, unless the peer has made one of the same kind meanwhile and that
 * has won. */
static void install_response(struct ike *ike, struct sa *sa,
			     struct child_new *new, struct ike_bytes nonce)
{
	struct child *rival = child_by_id(ike, sa->out.rival.child);

	sa->refusals[new->kind] = 0;
	if (rival && rival->state <= CHILD_CURRENT &&
	    rival_wins(&sa->out, nonce)) {
		child_refuse(ike, new);
		return;
	}
	child_create(ike, new);
	if (rival && sa->out.rival.present)
		child_redundant(ike, rival);
}

void child_response(struct ike *ike, struct sa *sa, struct message *message)
{
	const struct payloads *payloads = &message->payloads;
	const struct request *request = &sa->out;
	struct selection algorithms = { .number = 0 };
	struct secret_wide shared = { .len = 0 };
	const uint16_t group = request->ke.group;
	struct keys_child keys;
	struct child_new new = {
		.sa = sa, .kind = request->kind, .spi_in = request->spi_in,
		.algorithms = &algorithms, .keys = &keys, .ours = true
	};
	enum ike_reason reason;

	reason = child_accept(ike, sa, payloads, request->kind, group,
			      &algorithms, &new.spi_out);
	if (reason == IKE_REASON_NONE && group != IKE_KE_NONE)
		reason = crypto_ke_shared(ike->config.crypto, &request->ke,
					  payloads->ke, &shared);
	if (reason == IKE_REASON_NONE &&
	    !derive(ike, sa, &algorithms, nonce_view(&request->nonce),
		    payloads->nonce, group ? &shared : NULL, &keys))
		reason = IKE_REASON_CRYPTO;
	if (reason != IKE_REASON_NONE) {
		/* the peer believes that there is one */
		child_refuse(ike, &new);
		create_failed(ike, sa, reason, 0);
	} else if (new.spi_out == request->stillborn) {
		/* the peer has it no more */
		OPENSSL_cleanse(&keys, sizeof(keys));
		create_failed(ike, sa, IKE_REASON_PEER_ERROR,
			      IKE_NOTIFY_TEMPORARY_FAILURE);
	} else {
		install_response(ike, sa, &new, payloads->nonce);
		request_done(sa);
		OPENSSL_cleanse(&keys, sizeof(keys));
	}
	secret_wide_wipe(&shared);
}

/* The rekey of a Child SA was refused. */
static void rekey_refused(struct ike *ike, struct sa *sa, uint32_t id,
			  enum ike_reason reason, uint16_t notify)
{
	struct child *child = child_by_id(ike, id);

	if (!child || child->state > CHILD_CURRENT)
		return;
	if (notify == IKE_NOTIFY_CHILD_SA_NOT_FOUND) {
		/* the peer has it no longer (RFC 7296 2.25.1) */
		child_remove(ike, child);
		sa->negotiate_at[child->info.kind] = ike->now;
		return;
	}
	child->rekey_at = time_add(ike->now, engine_backoff(
			ike, ++sa->refusals[child->info.kind],
			NEGOTIATE_LAST_MS));
	if (!out_of_step(reason, notify))
		effect_failed(ike, reason, notify);
}

void create_failed(struct ike *ike, struct sa *sa, enum ike_reason reason,
		   uint16_t notify)
{
	const struct request *request = &sa->out;

	if (request->purpose == PURPOSE_IKE_REKEY)
		rekey_failed(ike, sa, notify);
	if (request->purpose == PURPOSE_CHILD)
		child_failed(ike, sa, request->kind, reason, notify);
	if (request->purpose == PURPOSE_CHILD_REKEY)
		rekey_refused(ike, sa, request->rekeyed, reason, notify);
	request_done(sa);
}

void create_refused(struct ike *ike, struct sa *sa, struct message *message)
{
	const struct payload_notify *notify =
		payloads_error(&message->payloads);
	uint16_t type = notify ? notify->type : 0;
	enum ike_reason reason = child_refusal_reason(type);

	if (type == IKE_NOTIFY_INVALID_KE_PAYLOAD &&
	    !rekey_wanted_group(ike, sa, notify))
		reason = IKE_REASON_GROUP;
	create_failed(ike, sa, reason, type);
}

/* ------------------------------------------------------------- responder */

void create_refuse(struct ike *ike, struct sa *sa, enum ike_notify type,
		   uint16_t group)
{
	uint8_t data[2] = { (uint8_t)(group >> 8), (uint8_t)group };

	response_notify(ike, sa, IKE_EXCHANGE_CREATE_CHILD_SA, type,
			(struct ike_bytes){ data, group ? 2 : 0 });
}

void child_busy(struct ike *ike, struct sa *sa, struct message *message)
{
	(void)message;
	create_refuse(ike, sa, IKE_NOTIFY_TEMPORARY_FAILURE, 0);
}

/* The Child SA that REKEY_SA names (RFC 7296 2.25.1). Returns false if the
 * request has been refused; *ret_child NULL if there is no REKEY_SA. */
static bool find_rekeyed(struct ike *ike, struct sa *sa,
			 const struct payloads *payloads,
			 const struct child **ret_child)
{
	const struct payload_notify *notify =
		payloads_notify(payloads, IKE_NOTIFY_REKEY_SA);
	const struct child *child = NULL;
	uint8_t bytes[64];
	struct writer inner = writer_of(bytes, sizeof(bytes));
	uint32_t spi;

	*ret_child = NULL;
	if (!notify)
		return true;
	spi = child_read_spi(notify->spi);
	if (notify->protocol == IKE_PROTOCOL_ESP && spi != 0)
		child = child_by_spi_out(ike, spi);
	if (!child && request_makes_child(sa)) {
		/* perhaps the one that our request is about */
		create_refuse(ike, sa, IKE_NOTIFY_TEMPORARY_FAILURE, 0);
		return false;
	}
	/* closed, though its inbound SA may linger */
	if (!child || child->sa != sa ||
	    (child->state > CHILD_CURRENT && !child->deleting &&
	     child->delete_at.us == UINT64_MAX)) {
		write_spi_notify(&inner, IKE_NOTIFY_CHILD_SA_NOT_FOUND, spi);
		response_send(ike, sa, IKE_EXCHANGE_CREATE_CHILD_SA, &inner);
		return false;
	}
	if (child->state > CHILD_CURRENT) {
		create_refuse(ike, sa, IKE_NOTIFY_TEMPORARY_FAILURE, 0);
		return false;
	}
	*ret_child = child;
	return true;
}

/* A key exchange of the peer's wish (RFC 7296 1.3.1). False if the request
 * has been refused. */
static bool exchange_keys(struct ike *ike, struct sa *sa, uint16_t group,
			  const struct payloads *payloads,
			  struct crypto_ke *ret_ke, struct secret_wide *ret_shared)
{
	if (group == IKE_KE_NONE)
		return true;
	if (!PAYLOAD_HAS(payloads, KE) || payloads->ke_group != group) {
		create_refuse(ike, sa, IKE_NOTIFY_INVALID_KE_PAYLOAD, group);
		return false;
	}
	if (!engine_make_ke(ike, group, ret_ke) ||
	    crypto_ke_shared(ike->config.crypto, ret_ke, payloads->ke,
			     ret_shared) != IKE_REASON_NONE) {
		engine_count(ike, IKE_REASON_PUBLIC_VALUE);
		create_refuse(ike, sa, IKE_NOTIFY_INVALID_SYNTAX, 0);
		return false;
	}
	return true;
}

/* Both sides are making one of this kind: remember, and settle it when our
 * own answer is there. If the peer rekeys its own before that, it has settled
 * it already, by the nonces of the first; the new one only follows that. */
static void note_rival(struct ike *ike, struct sa *sa,
		       const struct child *child, struct ike_bytes ni,
		       struct ike_bytes nr)
{
	struct rival *rival = &sa->out.rival;
	const struct child *before = child_by_id(ike, rival->child);

	if (!request_makes_child(sa) || sa->out.kind != child->info.kind)
		return;
	rival->child = child->info.id;
	if (rival->present && before && before->state <= CHILD_CURRENT)
		return;
	rival_note(rival, ni, nr);
}

/* Install and answer; the inbound SA is there before the peer knows. */
static void
answer(struct ike *ike, struct sa *sa, const struct child_choice *choice,
       const struct payloads *payloads, const struct crypto_ke *ke,
       const struct secret_wide *shared)
{
	uint8_t bytes[CREATE_ROOM];
	struct writer inner = writer_of(bytes, sizeof(bytes));
	struct nonce own = { .len = IKE_OWN_NONCE };
	struct keys_child keys;
	struct child_new new = {
		.sa = sa, .kind = choice->kind, .spi_in = choice->spi_in,
		.spi_out = choice->spi_out, .keys = &keys,
		.algorithms = &choice->algorithms
	};
	struct child *child = NULL;

	if (engine_random(ike, own.bytes, own.len) &&
	    derive(ike, sa, &choice->algorithms, payloads->nonce,
		   nonce_view(&own), shared, &keys)) {
		child = child_create(ike, &new);
		OPENSSL_cleanse(&keys, sizeof(keys));
	}
	if (!child) {
		create_refuse(ike, sa, IKE_NOTIFY_NO_ADDITIONAL_SAS, 0);
		return;
	}
	note_rival(ike, sa, child, payloads->nonce, nonce_view(&own));
	sa->refusals[choice->kind] = 0;
	child_write_choice(&inner, choice, &own, ke);
	response_send(ike, sa, IKE_EXCHANGE_CREATE_CHILD_SA, &inner);
}

void child_request(struct ike *ike, struct sa *sa, struct message *message)
{
	const struct payloads *payloads = &message->payloads;
	struct crypto_ke ke = { .group = IKE_KE_NONE };
	struct secret_wide shared = { .len = 0 };
	const struct child *rekeyed;
	struct child_choice choice;
	uint16_t refusal;

	if (sa->out.purpose == PURPOSE_IKE_REKEY) {
		create_refuse(ike, sa, IKE_NOTIFY_TEMPORARY_FAILURE, 0);
		return;
	}
	if (!find_rekeyed(ike, sa, payloads, &rekeyed))
		return;
	refusal = child_choose(ike, sa, payloads, PROPOSAL_KE_OPTIONAL,
			       rekeyed ? 1u << rekeyed->info.kind :
			       child_missing(ike, sa), &choice);
	if (refusal == 0 && rekeyed && choice.kind != rekeyed->info.kind)
		refusal = IKE_NOTIFY_TS_UNACCEPTABLE;
	if (refusal != 0) {
		create_refuse(ike, sa, (enum ike_notify)refusal, 0);
		return;
	}
	if (exchange_keys(ike, sa, choice.algorithms.ke, payloads, &ke,
			  &shared))
		answer(ike, sa, &choice, payloads, ke.group ? &ke : NULL,
		       ke.group ? &shared : NULL);
	crypto_ke_wipe(&ke);
	secret_wide_wipe(&shared);
}
