/*
 * Rekeying of the IKE SA by CREATE_CHILD_SA (RFC 7296 1.3.2, 2.8, 2.18), both
 * roles. The Child SAs move to the new one; whoever began deletes the old one.
 * If both began at once (2.8.2), the one with the lowest nonce is deleted by
 * the side that made it.
 */
#include "ike/exchanges.h"

#include <string.h>

/* One side's contribution to the new keys. */
struct half {
	const struct nonce *nonce;
	const struct crypto_ke *ke;
	uint64_t spi;
};

/* Make the new IKE SA from our half and the peer's payloads. Returns NULL if
 * the peer's half is no good. */
static struct sa *make(struct ike *ike, const struct sa *old, bool initiator,
		       const struct half *own,
		       const struct selection *selection,
		       const struct payloads *payloads)
{
	struct reader spi = reader_of(selection->spi);
	struct ike_bytes own_nonce = nonce_view(own->nonce);
	struct secret_wide shared = { .len = 0 };
	struct keys_old keys_old = { old->algorithms.prf, &old->keys.d };
	struct keys_input input = { .shared = &shared };
	uint64_t spi_peer = 0;
	struct sa *new = NULL;

	if (selection->spi.len != 8 || !read_u64(&spi, &spi_peer) ||
	    spi_peer == 0 ||
	    crypto_ke_shared(ike->config.crypto, own->ke, payloads->ke,
			     &shared) != IKE_REASON_NONE)
		return NULL;
	input.ni = initiator ? own_nonce : payloads->nonce;
	input.nr = initiator ? payloads->nonce : own_nonce;
	input.spi_i = initiator ? own->spi : spi_peer;
	input.spi_r = initiator ? spi_peer : own->spi;
	new = sa_new(ike, SA_ESTABLISHED, initiator);
	if (new && !keys_ike_derive(ike->config.crypto, selection, &input,
				    &keys_old, &new->keys)) {
		sa_set_state(ike, new, SA_DEAD);
		new = NULL;
	}
	if (new) {
		new->spi_own = own->spi;
		new->spi_peer = spi_peer;
		new->algorithms = *selection;
		new->algorithms.spi = (struct ike_bytes){ NULL, 0 };
	}
	secret_wide_wipe(&shared);
	return new;
}

/* The new one is the same association, with fresh keys. */
static void inherit(struct ike *ike, const struct sa *old, struct sa *new)
{
	new->authenticated = old->authenticated;
	new->valid_until = old->valid_until;
	new->authorization = old->authorization;
	new->local_port = old->local_port;
	new->peer_port = old->peer_port;
	new->nat_here = old->nat_here;
	new->nat_there = old->nat_there;
	new->udp = old->udp;
	new->fragmentation = old->fragmentation;
	new->ppk = old->ppk;
	sa_set_lifetimes(ike, new);
	new->reauth_at = old->reauth_at;
	memcpy(new->negotiate_at, old->negotiate_at,
	       sizeof(new->negotiate_at));
	memcpy(new->refusals, old->refusals, sizeof(new->refusals));
}

/* ------------------------------------------------------------- initiator */

bool rekey_make_ke(struct ike *ike, struct sa *sa)
{
	return engine_make_ke(ike, sa->rekey_group ? sa->rekey_group :
			      sa->algorithms.ke, &sa->out.ke);
}

void rekey_start(struct ike *ike, struct sa *sa)
{
	uint8_t bytes[CREATE_ROOM], spi[8];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	sa->out.nonce.len = IKE_OWN_NONCE;
	if (!engine_random(ike, sa->out.nonce.bytes, IKE_OWN_NONCE) ||
	    !engine_random(ike, &sa->out.spi_ike, sizeof(sa->out.spi_ike)) ||
	    sa->out.spi_ike == 0 ||
	    !rekey_make_ke(ike, sa)) {
		sa->rekey_at = time_add(ike->now, engine_backoff(
				ike, 1, RETRY_LAST_MS));
		return;
	}
	proposal_write_offer(&inner, &ike->algorithms, IKE_PROTOCOL_IKE,
			     PROPOSAL_KE_NEEDED,
			     spi_view(sa->out.spi_ike, sizeof(spi), spi));
	nonce_write(&inner, &sa->out.nonce);
	ke_write(&inner, &sa->out.ke);
	request_send(ike, sa, PURPOSE_IKE_REKEY, IKE_EXCHANGE_CREATE_CHILD_SA,
		     &inner);
}

/* The IKE SA that the peer made meanwhile, if it has not deleted it. */
static struct sa *rival_of(const struct sa *sa)
{
	const struct rival *rival = &sa->out.rival;

	return rival->present && rival->sa &&
		rival->sa->state == SA_REPLACED ? rival->sa : NULL;
}

/* One takes the other's place, also if that is behind a fresh handshake's. */
static void take_place(struct ike *ike, struct sa *old, struct sa *new)
{
	new->superseded = old->superseded;
	if (old->superseded) {
		new->order = old->order;
		sa_set_state(ike, new, SA_REPLACED);
	} else {
		new->order = ++ike->next_order;
		sa_set_state(ike, new, SA_ESTABLISHED);
	}
	sa_move_children(ike, old, new);
}

void rekey_adopt_rival(struct ike *ike, struct sa *sa)
{
	struct sa *rival = rival_of(sa);

	if (!rival)
		return;
	sa->out.rival = (struct rival){ .present = false };
	take_place(ike, sa, rival);
	sa_set_state(ike, sa, SA_REPLACED);
}

void rekey_response(struct ike *ike, struct sa *sa, struct message *message)
{
	const struct payloads *payloads = &message->payloads;
	struct half own = { &sa->out.nonce, &sa->out.ke, sa->out.spi_ike };
	struct selection selection;
	struct sa *new = NULL;
	bool lost;

	if (proposal_accept(&ike->algorithms, payloads->sa,
			    IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED,
			    &selection) == IKE_REASON_NONE &&
	    selection.ke == sa->out.ke.group &&
	    payloads->ke_group == sa->out.ke.group)
		new = make(ike, sa, true, &own, &selection, payloads);
	if (!new) {
		create_failed(ike, sa, IKE_REASON_PEER_SYNTAX, 0);
		return;
	}
	inherit(ike, sa, new);
	lost = rival_of(sa) && rival_wins(&sa->out, payloads->nonce);
	if (lost)
		rekey_adopt_rival(ike, sa);
	else
		take_place(ike, sa, new);
	request_done(sa);
	sa_delete(ike, lost ? new : sa);
}

bool rekey_wanted_group(const struct ike *ike, struct sa *sa,
			const struct payload_notify *notify)
{
	struct reader reader = reader_of(notify->data);
	uint16_t group;

	if (!read_u16(&reader, &group) || group == sa->out.ke.group ||
	    !algorithms_offer_ke(&ike->algorithms, group))
		return false;
	sa->rekey_group = group;
	return true;
}

void rekey_failed(struct ike *ike, struct sa *sa, uint16_t notify)
{
	rekey_adopt_rival(ike, sa);
	if (sa->state != SA_ESTABLISHED)
		return;
	sa->rekey_at = time_add(ike->now, engine_backoff(
			ike, ++sa->rekey_refusals, NEGOTIATE_LAST_MS));
	if (notify != IKE_NOTIFY_INVALID_KE_PAYLOAD &&
	    notify != IKE_NOTIFY_TEMPORARY_FAILURE)
		/* a fresh IKE SA does as well */
		sa->reauth_at = ike->now;
}

/* ------------------------------------------------------------- responder */

/* Take it. If our own rekey is out, it stands aside until that is answered. */
static void accept_new(struct ike *ike, struct sa *sa, struct sa *new,
		       const struct payloads *payloads,
		       const struct nonce *own)
{
	inherit(ike, sa, new);
	if (sa->out.purpose == PURPOSE_IKE_REKEY) {
		sa->out.rival.sa = new;
		rival_note(&sa->out.rival, payloads->nonce, nonce_view(own));
		sa_set_state(ike, new, SA_REPLACED);
		return;
	}
	take_place(ike, sa, new);
	sa_set_state(ike, sa, SA_REPLACED);
}

static void answer(struct ike *ike, struct sa *sa,
		   const struct selection *selection,
		   const struct payloads *payloads)
{
	uint8_t bytes[CREATE_ROOM], spi[8];
	struct writer inner = writer_of(bytes, sizeof(bytes));
	struct nonce nonce = { .len = IKE_OWN_NONCE };
	struct crypto_ke ke = { .group = 0 };
	struct half own = { &nonce, &ke, 0 };
	struct sa *new = NULL;

	if (engine_random(ike, nonce.bytes, nonce.len) &&
	    engine_random(ike, &own.spi, sizeof(own.spi)) && own.spi != 0 &&
	    engine_make_ke(ike, selection->ke, &ke))
		new = make(ike, sa, false, &own, selection, payloads);
	if (!new) {
		engine_count(ike, IKE_REASON_PUBLIC_VALUE);
		create_refuse(ike, sa, IKE_NOTIFY_INVALID_SYNTAX, 0);
	} else {
		proposal_write_selection(&inner, selection,
					 spi_view(own.spi, sizeof(spi), spi));
		nonce_write(&inner, &nonce);
		ke_write(&inner, &ke);
		response_send(ike, sa, IKE_EXCHANGE_CREATE_CHILD_SA, &inner);
		accept_new(ike, sa, new, payloads, &nonce);
	}
	crypto_ke_wipe(&ke);
}

void rekey_request(struct ike *ike, struct sa *sa, struct message *message)
{
	const struct payloads *payloads = &message->payloads;
	struct selection selection;
	enum ike_reason reason;

	/* we are creating, rekeying or closing a Child SA (RFC 7296 2.25.1),
	 * or it has been rekeyed already */
	if (request_makes_child(sa) ||
	    sa->out.purpose == PURPOSE_DELETE_CHILDREN ||
	    sa->out.rival.present) {
		create_refuse(ike, sa, IKE_NOTIFY_TEMPORARY_FAILURE, 0);
		return;
	}
	reason = proposal_choose(&ike->algorithms, payloads->sa,
				 IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED,
				 payloads->ke_group, &selection);
	if (reason == IKE_REASON_PAYLOAD)
		create_refuse(ike, sa, IKE_NOTIFY_INVALID_SYNTAX, 0);
	else if (reason != IKE_REASON_NONE)
		create_refuse(ike, sa, IKE_NOTIFY_NO_PROPOSAL_CHOSEN, 0);
	else if (selection.ke != payloads->ke_group)
		create_refuse(ike, sa, IKE_NOTIFY_INVALID_KE_PAYLOAD,
			      selection.ke);
	else
		answer(ike, sa, &selection, payloads);
}
