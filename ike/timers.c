/*
 * Everything that happens by time. Each timer is a row: when it is due, as a
 * function of the state, and what it does; what it does moves or ends it.
 *
 *	of the pair
 *	retry		next attempt to reach the peer: at once, then 1 .. 15 s
 *	of an IKE SA
 *	half_open	RFC 7296 2.4: a handshake that does not go on, 30 s;
 *			a closed one that answers retransmissions, 16 s
 *	life		end of lifetime or of authorization: delete
 *	collect		RFC 7383 2.6: fragments whose rest does not come, 30 s
 *	retransmit	0.5, 1, 2, 4, 8 s; then given up. Once established
 *			faster if need be, within a third of the hold time
 *	delete		the DELETE of an IKE SA that we end, when the window
 *			is free
 *	replaced	delete the older of two: when the newer is complete and
 *			ours, or after 30 s if none of its Child SAs is in use
 *	reauthenticate	a fresh IKE SA before the authorization ends, or at
 *			95 % of its life
 *	delete_children	DELETE of replaced Child SAs: at once or after 15 s
 *	negotiate	a kind of Child SA that is missing: at once as
 *			initiator, after 5 s as responder, 1 .. 30 s if refused
 *	rekey		of the IKE SA, at 80 .. 90 % of its life; of a short
 *			one 4 s before its end, or at half of it
 *	rekey_child	the same of a Child SA
 *	liveness	RFC 7296 2.4: nothing heard for a ninth of the hold
 *			time, 30 s at most; or to tell the peer that we have
 *			its Child SA
 *	keepalive	RFC 3948 4: keep the NAT before us from forgetting us,
 *			every 20 s
 *	of a Child SA
 *	outbound	nothing shows that the peer has it, 17 s: ask
 *	gone		a replaced one needs linger no more, 5 s after the
 *			peer is known not to use it
 *	hard		end of its life
 */
#include "ike/exchanges.h"

enum { MAX_FIRED = 4096 };	/* in one call; never reached */

static bool live(const struct sa *sa)
{
	return sa->state == SA_ESTABLISHED && request_idle(sa);
}

/* ------------------------------------------------------------ of the pair */

static struct ike_time when_retry(const struct ike *ike)
{
	if (!ike->started || ike->attempt || sa_best(ike))
		return IKE_NEVER;
	return ike->retry_at;
}

/* --------------------------------------------------------- of an IKE SA */

static struct ike_time when_half_open(const struct ike *ike,
				      const struct sa *sa)
{
	(void)ike;
	if (sa->state < SA_ESTABLISHED || sa->state == SA_CLOSED)
		return sa->expires;
	return IKE_NEVER;
}

static void fire_half_open(struct ike *ike, struct sa *sa)
{
	enum ike_reason reason = IKE_REASON_NO_RESPONSE;

	if (sa->state == SA_SIGNING_REQUEST)
		reason = IKE_REASON_SIGNATURE;
	if (sa->state == SA_AUTHORIZING_RESPONSE)
		reason = IKE_REASON_UNAUTHORIZED;
	if (ike->attempt == sa)
		engine_attempt_failed(ike, sa, reason, 0);
	sa_set_state(ike, sa, SA_DEAD);
}

static struct ike_time when_life(const struct ike *ike, const struct sa *sa)
{
	(void)ike;
	return sa->state == SA_ESTABLISHED || sa->state == SA_REPLACED ?
		sa->expires : IKE_NEVER;
}

static struct ike_time when_collect(const struct ike *ike, const struct sa *sa)
{
	struct ike_time when = IKE_NEVER;

	(void)ike;
	for (size_t i = 0; i < 2; i++)
		if (sa->collected[i])
			when = time_min(when, sa->collected[i]->until);
	return when;
}

static void fire_collect(struct ike *ike, struct sa *sa)
{
	for (size_t i = 0; i < 2; i++)
		if (sa->collected[i] &&
		    time_due(sa->collected[i]->until, ike->now)) {
			engine_count(ike, IKE_REASON_FRAGMENT);
			fragments_free(sa->collected[i]);
			sa->collected[i] = NULL;
		}
}

static struct ike_time when_retransmit(const struct ike *ike,
				       const struct sa *sa)
{
	(void)ike;
	return sa->state >= SA_CLOSED || request_idle(sa) ? IKE_NEVER :
		sa->out.next;
}

static struct ike_time when_delete(const struct ike *ike, const struct sa *sa)
{
	return sa->state == SA_DELETING && request_idle(sa) ? ike->now :
		IKE_NEVER;
}

/* Its Child SA is the one in use: the newer IKE SA has none yet, or one that
 * has perhaps not arrived. Soon that is known, or the newer one given up. */
static bool needed_yet(const struct ike *ike, const struct sa *sa)
{
	for (const struct child *c = ike->children; c; c = c->next)
		if (c->sa == sa && c->state == CHILD_CURRENT)
			return true;
	return false;
}

static struct ike_time when_replaced(const struct ike *ike, const struct sa *sa)
{
	const struct sa *best = sa_best(ike);

	if (sa->state != SA_REPLACED || !request_idle(sa))
		return IKE_NEVER;
	if (sa->superseded && best && best->initiator &&
	    sa_complete(ike, best))
		return ike->now;
	if (needed_yet(ike, sa))
		return IKE_NEVER;
	return sa->replaced_at;
}

/* Also where all rekeying has failed and the end is near. */
static struct ike_time when_reauthenticate(const struct ike *ike,
					   const struct sa *sa)
{
	struct ike_time late = { ike->config.ike_lifetime.us / 20 * 19 };

	if (sa->state != SA_ESTABLISHED || sa != sa_best(ike) || ike->attempt)
		return IKE_NEVER;
	return time_max(time_min(sa->reauth_at,
				 time_add(sa->established, late)),
			ike->retry_at);
}

static void fire_reauthenticate(struct ike *ike, struct sa *sa)
{
	(void)sa;
	engine_initiate(ike);
}

static struct ike_time when_delete_children(const struct ike *ike,
					    const struct sa *sa)
{
	struct ike_time when = IKE_NEVER;

	if (!live(sa))
		return when;
	for (const struct child *c = ike->children; c; c = c->next)
		if (c->sa == sa)
			when = time_min(when, c->delete_at);
	return when;
}

static struct ike_time when_negotiate_kind(const struct ike *ike,
					   const struct sa *sa, unsigned kind)
{
	if (child_of(ike, sa, (enum ike_child_kind)kind))
		return IKE_NEVER;
	return sa->negotiate_at[kind];
}

static struct ike_time when_negotiate(const struct ike *ike,
				      const struct sa *sa)
{
	struct ike_time when = IKE_NEVER;

	if (!live(sa) || sa != sa_best(ike))
		return when;
	for (unsigned kind = 0; kind < IKE_CHILD_KINDS; kind++)
		when = time_min(when, when_negotiate_kind(ike, sa, kind));
	return when;
}

static void fire_negotiate(struct ike *ike, struct sa *sa)
{
	for (unsigned kind = 0; kind < IKE_CHILD_KINDS; kind++)
		if (time_due(when_negotiate_kind(ike, sa, kind), ike->now)) {
			child_negotiate(ike, sa, (enum ike_child_kind)kind,
					NULL);
			return;
		}
}

static struct ike_time when_rekey(const struct ike *ike, const struct sa *sa)
{
	return live(sa) && sa == sa_best(ike) ? sa->rekey_at : IKE_NEVER;
}

/* In use, and no successor of it waits already; that one stands in front. */
static bool rekeyable(const struct ike *ike, const struct sa *sa,
		      const struct child *child)
{
	return child->sa == sa && child->state == CHILD_CURRENT &&
		child_of(ike, sa, child->info.kind) == child;
}

static struct ike_time when_rekey_child(const struct ike *ike,
					const struct sa *sa)
{
	struct ike_time when = IKE_NEVER;

	if (!live(sa) || sa != sa_best(ike))
		return when;
	for (const struct child *c = ike->children; c; c = c->next)
		if (rekeyable(ike, sa, c))
			when = time_min(when, c->rekey_at);
	return when;
}

static void fire_rekey_child(struct ike *ike, struct sa *sa)
{
	for (struct child *c = ike->children; c; c = c->next)
		if (rekeyable(ike, sa, c) && time_due(c->rekey_at, ike->now)) {
			child_negotiate(ike, sa, c->info.kind, c);
			return;
		}
}

static struct ike_time when_liveness(const struct ike *ike, const struct sa *sa)
{
	if (!live(sa))
		return IKE_NEVER;
	if (sa->confirm)
		return ike->now;
	if (ike->config.hold_time.us == UINT64_MAX)
		return IKE_NEVER;
	return time_add(sa->heard, time_min(IDLE_MOST, (struct ike_time){
			ike->config.hold_time.us / HOLD_IDLE }));
}

static struct ike_time when_keepalive(const struct ike *ike,
				      const struct sa *sa)
{
	return sa->nat_here && sa == sa_best(ike) ? sa->keepalive_at :
		IKE_NEVER;
}

static void fire_keepalive(struct ike *ike, struct sa *sa)
{
	sa->keepalive_at = time_add(ike->now, KEEPALIVE_TIME);
	effect_keepalive(ike, sa);
}

/* In this order: what ends comes before what begins. */
static const struct sa_timer {
	struct ike_time (*when)(const struct ike *ike, const struct sa *sa);
	void (*fire)(struct ike *ike, struct sa *sa);
} sa_timers[] = {
	{ when_half_open, fire_half_open },
	{ when_life, sa_expire },
	{ when_collect, fire_collect },
	{ when_retransmit, request_retransmit },
	{ when_delete, informational_delete_ike },
	{ when_replaced, sa_delete },
	{ when_reauthenticate, fire_reauthenticate },
	{ when_delete_children, informational_delete_children },
	{ when_negotiate, fire_negotiate },
	{ when_rekey, rekey_start },
	{ when_rekey_child, fire_rekey_child },
	{ when_liveness, informational_liveness },
	{ when_keepalive, fire_keepalive },
};

/* --------------------------------------------------------- of a Child SA */

static struct ike_time when_outbound(const struct child *child)
{
	/* under an IKE SA that is gone or replaced, the peer has given up */
	if (child->state != CHILD_WAITING || !child->sa ||
	    child->sa->state != SA_ESTABLISHED)
		return IKE_NEVER;
	return child->outbound_at;
}

/* Ask: by now the peer either has it or has given up the whole IKE SA. */
static void fire_outbound(struct ike *ike, struct child *child)
{
	(void)ike;
	child->outbound_at = IKE_NEVER;
	child->any_answer = true;
	child->sa->confirm = true;
}

static struct ike_time when_gone(const struct child *child)
{
	return child->state == CHILD_REPLACED ? child->gone_at : IKE_NEVER;
}

static struct ike_time when_hard(const struct child *child)
{
	return child->state != CHILD_REMOVED ? child->hard : IKE_NEVER;
}

static void fire_hard(struct ike *ike, struct child *child)
{
	bool current = child->state == CHILD_CURRENT;
	struct child *waiting = child_of(ike, child->sa, child->info.kind);

	/* better unconfirmed than none */
	if (current && waiting && waiting != child) {
		child_activate(ike, waiting);
		current = false;
	}
	child_remove(ike, child);
	if (child->sa)
		child->delete_at = ike->now;
	if (current)
		effect_failed(ike, IKE_REASON_LIFETIME, 0);
}

static const struct child_timer {
	struct ike_time (*when)(const struct child *child);
	void (*fire)(struct ike *ike, struct child *child);
} child_timers[] = {
	{ when_outbound, fire_outbound },
	{ when_gone, child_remove },
	{ when_hard, fire_hard },
};

/* ------------------------------------------------------------------- all */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fire the first timer that is due, false if none is. */
static bool fire_child(struct ike *ike)
{
	for (struct child *c = ike->children; c; c = c->next)
		for (size_t i = 0; i < COUNT(child_timers); i++)
			if (time_due(child_timers[i].when(c), ike->now)) {
				child_timers[i].fire(ike, c);
				return true;
			}
	return false;
}

static bool fire_sa(struct ike *ike)
{
	for (size_t i = 0; i < COUNT(sa_timers); i++)
		for (struct sa *sa = ike->sas; sa; sa = sa->next)
			if (sa->state != SA_DEAD &&
			    time_due(sa_timers[i].when(ike, sa), ike->now)) {
				sa_timers[i].fire(ike, sa);
				return true;
			}
	return false;
}

static bool fire_pair(struct ike *ike)
{
	if (!time_due(when_retry(ike), ike->now))
		return false;
	engine_initiate(ike);
	return true;
}

void timers_run(struct ike *ike)
{
	for (unsigned i = 0; i < MAX_FIRED; i++)
		if (!fire_child(ike) && !fire_sa(ike) && !fire_pair(ike))
			return;
}

struct ike_time timers_next(const struct ike *ike)
{
	struct ike_time next = when_retry(ike);

	for (const struct sa *sa = ike->sas; sa; sa = sa->next)
		for (size_t i = 0; i < COUNT(sa_timers); i++)
			next = time_min(next, sa_timers[i].when(ike, sa));
	for (const struct child *c = ike->children; c; c = c->next)
		for (size_t i = 0; i < COUNT(child_timers); i++)
			next = time_min(next, child_timers[i].when(c));
	return next;
}
