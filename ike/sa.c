/* IKE SAs: made, found, ranked, replaced, ended. */
#include "ike/exchanges.h"

#include <stdlib.h>

static size_t count_states(const struct ike *ike, enum sa_state first,
			   enum sa_state last)
{
	size_t count = 0;

	for (const struct sa *sa = ike->sas; sa; sa = sa->next)
		count += sa->state >= first && sa->state <= last;
	return count;
}

size_t sa_half_open(const struct ike *ike)
{
	return count_states(ike, SA_INIT_ANSWERED, SA_SIGNING_RESPONSE);
}

struct sa *sa_oldest(const struct ike *ike, enum sa_state state)
{
	struct sa *oldest = NULL;

	/* new ones stand in front */
	for (struct sa *sa = ike->sas; sa; sa = sa->next)
		if (sa->state == state)
			oldest = sa;
	return oldest;
}

/* Keep the number of IKE SAs bounded. */
static bool make_room(struct ike *ike)
{
	struct sa *closed;

	if (count_states(ike, SA_NONE, SA_CLOSED) < IKE_MAX_SAS)
		return true;
	closed = sa_oldest(ike, SA_CLOSED);
	if (!closed)
		return false;
	sa_set_state(ike, closed, SA_DEAD);
	return true;
}

struct sa *sa_new(struct ike *ike, enum sa_state state, bool initiator)
{
	struct sa *sa = make_room(ike) ? calloc(1, sizeof(*sa)) : NULL;
	bool handshake = state < SA_ESTABLISHED;

	if (!sa) {
		engine_count(ike, IKE_REASON_NO_MEMORY);
		return NULL;
	}
	if (handshake)
		sa->handshake = calloc(1, sizeof(*sa->handshake));
	if ((handshake && !sa->handshake) ||
	    !engine_random(ike, &sa->spi_own, sizeof(sa->spi_own)) ||
	    sa->spi_own == 0) {
		free(sa->handshake);
		free(sa);
		return NULL;
	}
	sa->state = state;
	sa->initiator = initiator;
	sa->local_port = sa->peer_port = IKE_PORT;
	sa->keepalive_at = time_add(ike->now, KEEPALIVE_TIME);
	sa->begun = sa->heard = ike->now;
	sa->expires = time_add(ike->now, HALF_OPEN_TIME);
	sa->rekey_at = sa->reauth_at = sa->replaced_at = IKE_NEVER;
	sa->valid_until = IKE_NEVER;
	sa->next = ike->sas;
	ike->sas = sa;
	return sa;
}

/* The one place that changes the state of an IKE SA. */
void sa_set_state(struct ike *ike, struct sa *sa, enum sa_state state)
{
	sa->state = state;
	if (ike->attempt == sa && state >= SA_INIT_ANSWERED)
		ike->attempt = NULL;
	/* the peer is to delete this one; we do it if it does not */
	if (state == SA_REPLACED)
		sa->replaced_at = time_add(ike->now, REPLACED_WAIT);
}

void sa_release_handshake(struct sa *sa)
{
	struct handshake *handshake = sa->handshake;

	if (!handshake)
		return;
	buffer_free(&handshake->init_request);
	buffer_free(&handshake->init_response);
	buffer_free(&handshake->no_ppk_auth);
	crypto_ke_wipe(&handshake->ke);
	message_free_plaintext(handshake->held, handshake->held_len);
	OPENSSL_cleanse(handshake, sizeof(*handshake));
	free(handshake);
	sa->handshake = NULL;
}

static void release(struct sa *sa)
{
	sa_release_handshake(sa);
	request_done(sa);
	buffer_free(&sa->response);
	for (size_t i = 0; i < 2; i++)
		fragments_free(sa->collected[i]);
	OPENSSL_cleanse(sa, sizeof(*sa));
	free(sa);
}

static void forget_rival(struct ike *ike, const struct sa *gone)
{
	for (struct sa *sa = ike->sas; sa; sa = sa->next)
		if (sa->out.rival.sa == gone)
			sa->out.rival = (struct rival){ 0 };
}

void sa_reap(struct ike *ike)
{
	struct sa **at = &ike->sas;

	while (*at) {
		struct sa *sa = *at;

		if (sa->state != SA_DEAD) {
			at = &sa->next;
			continue;
		}
		*at = sa->next;
		forget_rival(ike, sa);
		sa_move_children(ike, sa, NULL);
		release(sa);
	}
}

uint64_t sa_spi_i(const struct sa *sa)
{
	return sa->initiator ? sa->spi_own : sa->spi_peer;
}

uint64_t sa_spi_r(const struct sa *sa)
{
	return sa->initiator ? sa->spi_peer : sa->spi_own;
}

bool sa_has_keys(const struct sa *sa)
{
	return sa->keys.d.len > 0;
}

struct crypto_protection sa_protection(const struct ike_crypto *crypto,
				       const struct sa *sa, bool own)
{
	bool initiator = sa->initiator == own;	/* the sender is */

	return (struct crypto_protection){
		.crypto = crypto,
		.encr = sa->algorithms.encr,
		.key_bits = sa->algorithms.encr_key_bits,
		.integ = sa->algorithms.integ,
		.e = initiator ? &sa->keys.ei : &sa->keys.er,
		.a = initiator ? &sa->keys.ai : &sa->keys.ar
	};
}

struct sa *sa_find(struct ike *ike, const struct message_header *header)
{
	for (struct sa *sa = ike->sas; sa; sa = sa->next) {
		if (sa->state == SA_DEAD || sa_spi_i(sa) != header->spi_i)
			continue;
		if (sa_spi_r(sa) == header->spi_r)
			return sa;
		if (sa->state == SA_INIT_SENT &&
		    header->exchange == IKE_EXCHANGE_SA_INIT)
			return sa;
	}
	return NULL;
}

struct sa *sa_waiting(struct ike *ike, uint32_t request)
{
	for (struct sa *sa = ike->sas; sa; sa = sa->next)
		if (request != 0 && sa->handshake &&
		    sa->handshake->waiting == request &&
		    sa->state < SA_ESTABLISHED)
			return sa;
	return NULL;
}

struct sa *sa_best(const struct ike *ike)
{
	struct sa *best = NULL;

	for (struct sa *sa = ike->sas; sa; sa = sa->next)
		if (sa->state == SA_ESTABLISHED &&
		    (!best || sa->order > best->order))
			best = sa;
	return best;
}

bool sa_complete(const struct ike *ike, const struct sa *sa)
{
	unsigned current = 0;

	for (const struct child *c = ike->children; c; c = c->next)
		if (c->sa == sa && c->state == CHILD_CURRENT &&
		    (c->ours || c->confirmed))
			current |= 1u << c->info.kind;
	return current == (1u << IKE_CHILD_KINDS) - 1;
}

void sa_move_children(struct ike *ike, struct sa *from, struct sa *to)
{
	for (struct child *c = ike->children; c; c = c->next) {
		if (c->sa != from)
			continue;
		c->sa = to;
		if (to && c->deleting)
			/* our DELETE may not have arrived */
			c->delete_at = ike->now;
		else if (to && c->state == CHILD_CURRENT && c->ours &&
			 !c->confirmed)
			to->confirm = true;
		else if (!to)
			c->delete_at = IKE_NEVER;
		/* the peer may never have had it */
		if (!to && c->state == CHILD_WAITING)
			c->hard = time_min(c->hard, time_add(ike->now,
							     ORPHAN_TIME));
		c->deleting = false;
	}
}

/* ----------------------------------------------------------- established */

/* Renew an authorization this long before its end, so that a try that fails
 * can be repeated. Close to the very end there is no use in it. */
static struct ike_time reauth_time(struct ike *ike, struct ike_time valid_until)
{
	struct ike_time span = time_until(valid_until, ike->now);
	uint64_t margin = span.us / 10;

	if (valid_until.us == UINT64_MAX || span.us < REAUTH_LEAST.us)
		return IKE_NEVER;
	if (margin < IKE_SECONDS(60).us)
		margin = IKE_SECONDS(60).us;
	if (margin > span.us / 2)
		margin = span.us / 2;
	margin += engine_jitter(ike, (struct ike_time){ margin / 4 }).us;
	return (struct ike_time){ valid_until.us - margin };
}

void sa_set_lifetimes(struct ike *ike, struct sa *sa)
{
	const struct ike_time life = ike->config.ike_lifetime;

	sa->established = ike->now;
	sa->expires = time_min(time_add(ike->now, life), sa->valid_until);
	sa->rekey_at = engine_rekey_at(ike, life);
}

/* A new end of the authorization. Child SAs in the SAD keep their hard limit
 * when it moves away, so reauthentication stays where it was. */
static void move_end(struct ike *ike, struct sa *sa, struct ike_time end)
{
	if (sa->reauth_at.us == UINT64_MAX && end.us != UINT64_MAX)
		sa->reauth_at = ike->now;
	sa->reauth_at = time_min(sa->reauth_at, reauth_time(ike, end));
	sa->valid_until = end;
	if (sa->state >= SA_ESTABLISHED)
		sa->expires = time_min(time_add(sa->established,
						ike->config.ike_lifetime), end);
}

void sa_reconsider(struct ike *ike, uint32_t authorization,
		   struct ike_time valid_for)
{
	struct ike_time end = time_add(ike->now, valid_for);

	for (struct sa *sa = ike->sas; sa; sa = sa->next)
		if (sa->authorization == authorization &&
		    sa->state <= SA_REPLACED)
			move_end(ike, sa, end);
	for (struct child *c = ike->children; c; c = c->next) {
		if (c->authorization != authorization)
			continue;
		c->hard = time_min(c->hard, end);
		if (valid_for.us == 0)
			child_remove(ike, c);
	}
}

/* The peer has started afresh and knows nothing of this IKE SA. Its Child SAs
 * may still be in the peer's SAD: they stay until replaced, for a while. */
static void forget(struct ike *ike, struct sa *old)
{
	for (struct child *c = ike->children; c; c = c->next)
		if (c->sa == old)
			c->hard = time_min(c->hard, time_add(ike->now,
							     ORPHAN_TIME));
	sa_move_children(ike, old, NULL);
	sa_set_state(ike, old, SA_DEAD);
}

/*
 * Two IKE SAs for one pair. The newer one wins, unless both were begun before
 * either was complete, one by each side: then both sides must come to the
 * same choice, and the preferred initiator's wins (RFC 7296 has no rule).
 */
static void settle_two(struct ike *ike, struct sa *old, struct sa *new,
		       bool contact)
{
	bool overlap = old->authenticated.us > new->begun.us;
	struct sa *loser = old;

	if (contact && !overlap) {
		forget(ike, old);
		return;
	}
	if (overlap && old->initiator != new->initiator &&
	    old->initiator == engine_preferred(ike)) {
		uint64_t order = old->order;

		old->order = new->order;
		new->order = order;
		loser = new;
	}
	sa_set_state(ike, loser, SA_REPLACED);
	loser->superseded = true;
}

/*
 * An IKE SA of ours is complete: what the peer began before it knew (and let us
 * do, see engine_goes_first()) is not to become the newer of two for one side
 * and the older for the other. One of the peer's is: what it began before it
 * has given up, and may still arrive.
 */
static void drop_half_open(struct ike *ike, const struct sa *complete)
{
	for (struct sa *sa = ike->sas; sa; sa = sa->next)
		if (sa->state >= SA_INIT_ANSWERED &&
		    sa->state <= SA_SIGNING_RESPONSE &&
		    (complete->initiator ||
		     sa->begun.us < complete->begun.us))
			sa_set_state(ike, sa, SA_DEAD);
}

void sa_establish(struct ike *ike, struct sa *sa, bool contact)
{
	sa_set_state(ike, sa, SA_ESTABLISHED);
	drop_half_open(ike, sa);
	sa->superseded = false;
	sa->order = ++ike->next_order;
	sa->authenticated = sa->heard = ike->now;
	sa_set_lifetimes(ike, sa);
	sa->reauth_at = reauth_time(ike, sa->valid_until);
	for (unsigned kind = 0; kind < IKE_CHILD_KINDS; kind++)
		sa->negotiate_at[kind] = sa->initiator ? ike->now :
			time_add(ike->now, CHILD_WAIT);
	ike->failures = 0;
	ike->retry_at = ike->now;
	engine_attempt_abandon(ike, contact);
	for (struct sa *old = ike->sas; old; old = old->next)
		if (old != sa && old->state == SA_ESTABLISHED)
			settle_two(ike, old, sa, contact);
	while (count_states(ike, SA_ESTABLISHED, SA_REPLACED) >
	       IKE_MAX_ESTABLISHED)
		forget(ike, sa_oldest(ike, SA_REPLACED));
}

/* ------------------------------------------------------------------- end */

/* End the Child SAs of an IKE SA that is ending. Those already replaced linger
 * for packets still on their way. */
static void end_children(struct ike *ike, struct sa *sa, bool by_peer)
{
	for (struct child *c = ike->children; c; c = c->next) {
		if (c->sa != sa)
			continue;
		/* the peer may be using it: then it lingers as well */
		if (!by_peer)
			child_forgo(ike, c);
		if (by_peer || c->state <= CHILD_CURRENT)
			child_deleted(ike, c);
	}
	sa_move_children(ike, sa, NULL);
}

/* The IKE SA that had taken over is gone: go back to the one before, if it is
 * still there. */
static void reinstate(struct ike *ike)
{
	struct sa *best = NULL;

	if (!ike->started || sa_best(ike))
		return;
	for (struct sa *sa = ike->sas; sa; sa = sa->next)
		if (sa->state == SA_REPLACED && sa->superseded &&
		    (!best || sa->order > best->order))
			best = sa;
	if (!best)
		return;
	best->superseded = false;
	sa_set_state(ike, best, SA_ESTABLISHED);
}

void sa_close(struct ike *ike, struct sa *sa)
{
	request_done(sa);
	sa_release_handshake(sa);
	sa->expires = time_add(ike->now, CLOSED_TIME);
	sa_set_state(ike, sa, SA_CLOSED);
}

void sa_delete(struct ike *ike, struct sa *sa)
{
	sa_set_state(ike, sa, SA_DELETING);
	end_children(ike, sa, false);
}

void sa_deleted(struct ike *ike, struct sa *sa, enum ike_reason reason)
{
	bool needed = sa->state == SA_ESTABLISHED && sa == sa_best(ike);

	rekey_adopt_rival(ike, sa);
	sa_close(ike, sa);
	end_children(ike, sa, true);
	reinstate(ike);
	if (!needed || sa_best(ike))
		return;
	ike->retry_at = time_add(ike->now, engine_backoff(
			ike, ++ike->failures, RETRY_LAST_MS));
	if (ike->started)
		effect_failed(ike, reason, 0);
}

void sa_lost(struct ike *ike, struct sa *sa)
{
	bool needed = sa == sa_best(ike);

	rekey_adopt_rival(ike, sa);
	sa_move_children(ike, sa, NULL);
	sa_set_state(ike, sa, SA_DEAD);
	reinstate(ike);
	if (!needed || sa_best(ike))
		return;
	ike->retry_at = ike->now;
	effect_failed(ike, IKE_REASON_PEER_DEAD, 0);
}

void sa_expire(struct ike *ike, struct sa *sa)
{
	enum ike_reason reason = time_due(sa->valid_until, ike->now) ?
		IKE_REASON_AUTHORIZATION_END : IKE_REASON_LIFETIME;

	if (sa == sa_best(ike))
		effect_failed(ike, reason, 0);
	sa_delete(ike, sa);
}
