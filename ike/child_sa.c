/*
 * Child SAs: installed, replaced, removed. For each kind one is CURRENT; a new
 * one takes its place without a gap (make before break):
 *
 *	we began the exchange	both directions in, the old outbound out;
 *				our DELETE tells the peer that we are there
 *	the peer began it	inbound in (WAITING), outbound only when the
 *				peer is known to have it: by its DELETE of the
 *				old one, its next request, its answer to a
 *				request of ours (if made by IKE_AUTH, or a
 *				while ago)
 *
 * The old inbound SA stays until the peer is known to use the new one, by its
 * answer to a later request of ours or by its own DELETE, and then for what is
 * still on its way (CHILD_LINGER).
 */
#include "ike/exchanges.h"

#include <stdlib.h>

/* The one place that changes the state of a Child SA, and what of it is in the
 * SAD with it. */
static void set_state(struct ike *ike, struct child *child,
		      enum child_state state)
{
	static const unsigned installed[] = {
		[CHILD_WAITING] = IKE_INBOUND,
		[CHILD_CURRENT] = IKE_INBOUND | IKE_OUTBOUND,
		[CHILD_REPLACED] = IKE_INBOUND,
		[CHILD_REMOVED] = 0
	};
	const unsigned before = installed[child->state];
	const unsigned after = installed[state];

	if (after & ~before)
		effect_install(ike, child, after & ~before);
	if (before & ~after)
		effect_remove(ike, child, before & ~after);
	child->state = state;
	child->outbound_at = IKE_NEVER;
	if (state == CHILD_WAITING)
		return;
	secret_wipe(&child->key_in);
	secret_wipe(&child->key_out);
	if (state >= CHILD_REPLACED)
		child->rekey_at = IKE_NEVER;
	if (state == CHILD_REMOVED)
		child->gone_at = child->hard = IKE_NEVER;
}

static struct child *make(struct ike *ike, const struct child_new *new)
{
	const struct selection *algorithms = new->algorithms;
	struct child *child;
	size_t count = 0;

	for (child = ike->children; child; child = child->next)
		count++;
	if (count >= IKE_MAX_CHILDREN)
		return NULL;
	child = calloc(1, sizeof(*child));
	if (!child) {
		engine_count(ike, IKE_REASON_NO_MEMORY);
		return NULL;
	}
	child->state = CHILD_REMOVED;
	child->sa = new->sa;
	child->authorization = new->sa->authorization;
	child->ours = new->ours;
	child->any_answer = new->any_answer;
	child->info = (struct ike_child_sa){
		.id = ++ike->next_child, .kind = new->kind,
		.spi_in = new->spi_in, .spi_out = new->spi_out,
		.encr = algorithms->encr, .integ = algorithms->integ,
		.encr_key_bits = algorithms->encr_key_bits,
		.esn = algorithms->esn == IKE_ESN_YES
	};
	if (new->sa->udp) {
		child->info.udp_local = IKE_NAT_PORT;
		child->info.udp_peer = nat_peer_port(new->sa);
	}
	child->outbound_at = child->gone_at = child->delete_at = IKE_NEVER;
	child->hard = child->rekey_at = IKE_NEVER;
	child->next = ike->children;
	ike->children = child;
	return child;
}

struct child *child_by_id(struct ike *ike, uint32_t id)
{
	for (struct child *c = ike->children; c; c = c->next)
		if (c->info.id == id)
			return c;
	return NULL;
}

struct child *child_by_spi_out(struct ike *ike, uint32_t spi)
{
	for (struct child *c = ike->children; c; c = c->next)
		if (c->info.spi_out == spi)
			return c;
	return NULL;
}

struct child *child_of(const struct ike *ike, const struct sa *sa,
		       enum ike_child_kind kind)
{
	for (struct child *c = ike->children; c; c = c->next)
		if (c->sa == sa && c->info.kind == kind &&
		    c->state <= CHILD_CURRENT)
			return c;
	return NULL;
}

/* Which of two is to carry traffic: that of the preferred IKE SA, then the
 * newer one. */
static bool better(const struct child *a, const struct child *b)
{
	uint64_t order_a = a->sa ? a->sa->order : 0;
	uint64_t order_b = b->sa ? b->sa->order : 0;

	if (order_a != order_b)
		return order_a > order_b;
	return a->info.id > b->info.id;
}

static struct child *best_in(const struct ike *ike, enum ike_child_kind kind,
			     enum child_state state, const struct child *not)
{
	struct child *best = NULL;

	for (struct child *c = ike->children; c; c = c->next)
		if (c != not && c->info.kind == kind && c->state == state &&
		    (!best || better(c, best)))
			best = c;
	return best;
}

/* When to tell the peer that a replaced one goes: at once if the replacement
 * is ours, else it is for the peer to do, for a while. Those of an IKE SA that
 * is going go with it. */
static struct ike_time
delete_time(const struct ike *ike, const struct child *old,
	    const struct child *new)
{
	if (!old->sa || old->sa->state != SA_ESTABLISHED)
		return IKE_NEVER;
	if (old->sa == new->sa && new->ours)
		return ike->now;
	return time_add(ike->now, DELETE_WAIT);
}

static void replace(struct ike *ike, struct child *old, const struct child *new)
{
	set_state(ike, old, CHILD_REPLACED);
	old->gone_at = new->confirmed ? time_add(ike->now, CHILD_LINGER) :
		IKE_NEVER;
	old->delete_at = delete_time(ike, old, new);
}

/* One CURRENT of a kind, the best. */
static void settle(struct ike *ike, enum ike_child_kind kind)
{
	struct child *best = best_in(ike, kind, CHILD_CURRENT, NULL);

	for (struct child *c = ike->children; c; c = c->next)
		if (c != best && c->info.kind == kind &&
		    c->state == CHILD_CURRENT)
			replace(ike, c, best);
}

struct child *child_create(struct ike *ike, const struct child_new *new)
{
	const struct ike_time life = ike->config.child_lifetime;
	struct child *child = make(ike, new), *older;

	if (!child)
		return NULL;
	child->key_out = new->ours ? new->keys->initiator :
		new->keys->responder;
	child->key_in = new->ours ? new->keys->responder :
		new->keys->initiator;
	child->hard = time_min(time_add(ike->now, life), new->sa->valid_until);
	child->rekey_at = engine_rekey_at(ike, life);
	older = best_in(ike, new->kind, CHILD_CURRENT, child);
	/* as responder of IKE_AUTH: whoever answers us has completed it */
	if (new->ours || new->any_answer)
		new->sa->confirm = older || new->sa->sent_contact;
	if (!new->ours && older) {
		set_state(ike, child, CHILD_WAITING);
		/* a rekey ends with the peer's DELETE of the old one */
		if (older->sa != new->sa)
			child->outbound_at = time_add(ike->now, OUTBOUND_WAIT);
		return child;
	}
	set_state(ike, child, CHILD_CURRENT);
	settle(ike, new->kind);
	return child;
}

void child_refuse(struct ike *ike, const struct child_new *new)
{
	struct child *child = make(ike, new);

	if (child)
		child->delete_at = ike->now;
}

void child_activate(struct ike *ike, struct child *child)
{
	struct child *current = best_in(ike, child->info.kind, CHILD_CURRENT,
					NULL);

	if (child->state != CHILD_WAITING)
		return;
	if (current && better(current, child)) {
		replace(ike, child, current);
		return;
	}
	set_state(ike, child, CHILD_CURRENT);
	settle(ike, child->info.kind);
}

void child_forgo(struct ike *ike, struct child *child)
{
	struct child *current = best_in(ike, child->info.kind, CHILD_CURRENT,
					NULL);

	if (child->state == CHILD_WAITING && current)
		replace(ike, child, current);
}

void child_confirm(struct ike *ike, struct child *child)
{
	child_activate(ike, child);
	if (child->confirmed || child->state != CHILD_CURRENT)
		return;
	child->confirmed = true;
	for (struct child *c = ike->children; c; c = c->next) {
		if (c->info.kind != child->info.kind)
			continue;
		/* one of an older IKE SA waits in vain */
		if (c->state == CHILD_WAITING && c->sa != child->sa &&
		    better(child, c))
			replace(ike, c, child);
		child_release(ike, c);
	}
}

void child_release(struct ike *ike, struct child *child)
{
	if (child->state == CHILD_REPLACED)
		child->gone_at = time_min(child->gone_at,
					  time_add(ike->now, CHILD_LINGER));
}

void child_redundant(struct ike *ike, struct child *child)
{
	if (child->state == CHILD_REMOVED)
		return;
	set_state(ike, child, CHILD_REPLACED);
	child->delete_at = time_add(ike->now, DELETE_WAIT);
}

void child_remove(struct ike *ike, struct child *child)
{
	set_state(ike, child, CHILD_REMOVED);
}

void child_deleted(struct ike *ike, struct child *child)
{
	struct child *waiting = child_of(ike, child->sa, child->info.kind);

	/* the peer would not delete it without having the other one, of the
	 * same IKE SA if there is one */
	if (!waiting || waiting->state != CHILD_WAITING)
		waiting = best_in(ike, child->info.kind, CHILD_WAITING, child);
	if (child->state == CHILD_CURRENT && waiting) {
		/* it uses that, however we rank them */
		set_state(ike, waiting, CHILD_CURRENT);
		replace(ike, child, waiting);
		child_confirm(ike, waiting);
	}
	child->delete_at = IKE_NEVER;
	child_release(ike, child);
	if (child->state > CHILD_CURRENT)
		return;
	child_remove(ike, child);
	if (child->sa)
		child->sa->negotiate_at[child->info.kind] =
			time_add(ike->now, child->sa->initiator ?
				 IKE_MSECONDS(RETRY_FIRST_MS) : CHILD_WAIT);
}

void child_uninstalled(struct ike *ike, struct child *child)
{
	struct sa *sa = child->sa;

	if (child->state == CHILD_REMOVED)
		return;
	if (child->state <= CHILD_CURRENT)
		effect_failed(ike, IKE_REASON_INSTALL, 0);
	child_remove(ike, child);
	if (!sa || sa->state != SA_ESTABLISHED)
		return;
	child->delete_at = ike->now;
	sa->negotiate_at[child->info.kind] =
		time_add(ike->now, engine_backoff(
				 ike, ++sa->refusals[child->info.kind],
				 NEGOTIATE_LAST_MS));
}

void child_free(struct ike *ike, struct child *child)
{
	struct child **at = &ike->children;

	while (*at && *at != child)
		at = &(*at)->next;
	if (*at)
		*at = child->next;
	OPENSSL_cleanse(child, sizeof(*child));
	free(child);
}

void child_reap(struct ike *ike)
{
	struct child *next;

	for (struct child *c = ike->children; c; c = next) {
		next = c->next;
		if (c->state == CHILD_REMOVED &&
		    (!c->sa || c->sa->state > SA_REPLACED ||
		     (c->delete_at.us == UINT64_MAX && !c->deleting)))
			child_free(ike, c);
	}
}
