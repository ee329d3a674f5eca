#include "sidecar/sas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)IKE_CHILD_ACTIVE == (int)PLANE_ACTIVE &&
	       (int)IKE_CHILD_PASSIVE == (int)PLANE_PASSIVE,
	       "engine and plane number the kinds alike");

static void remove_sa(const struct sas *sas, bool inbound, uint32_t spi)
{
	/* What cannot be removed has expired, or will: SAs carry their
	 * lifetime in the SAD. */
	warden_remove_sa(sas->warden, &sas->pair, inbound, spi);
}

/* ---------------------------------------------------------------- orphans */

static int adopt(struct sas *sas, const struct plane_sa_stats *sa)
{
	struct sas_orphan *grown = reallocarray(
		sas->orphans, sas->orphans_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	sas->orphans = grown;
	grown[sas->orphans_count++] = (struct sas_orphan){ .sa = *sa };
	return 0;
}

/* What this pair had `before`. Of a pair that is new everything counts. */
static bool is_known(const struct sas *before, bool inbound, uint32_t spi)
{
	for (size_t i = 0; i < before->children_count; i++) {
		const struct sas_child *child = &before->children[i];

		if ((child->installed & (inbound ? IKE_INBOUND : IKE_OUTBOUND)) &&
		    (inbound ? child->spi_in : child->spi_out) == spi)
			return true;
	}
	for (size_t i = 0; i < before->orphans_count; i++)
		if (before->orphans[i].sa.inbound == inbound &&
		    before->orphans[i].sa.spi == spi)
			return true;
	return before->warden == NULL;
}

static int adopt_all(struct sas *sas, const struct sad_list *list,
		     const struct sas *before)
{
	const struct sad_list_sa *sa = sad_list_of(list, &sas->pair);
	int err = 0;

	for (; !err && sa; sa = sa->next)
		if (is_known(before, sa->stats.inbound, sa->stats.spi))
			err = adopt(sas, &sa->stats);
		else	/* removed since, or while the plane did not answer */
			remove_sa(sas, sa->stats.inbound, sa->stats.spi);
	return err;
}

static void drop_orphan(struct sas *sas, size_t i)
{
	struct sas_orphan *orphan = &sas->orphans[i];

	remove_sa(sas, orphan->sa.inbound, orphan->sa.spi);
	sas->orphans_count--;
	/* in their order, which says more than an age in seconds */
	memmove(orphan, orphan + 1,
		(sas->orphans_count - i) * sizeof(*orphan));
}

/* The oldest inbound orphan of a kind, or orphans_count if there are not too
 * many. */
static size_t find_excess(const struct sas *sas, enum plane_kind kind)
{
	size_t oldest = sas->orphans_count, count = 0;

	for (size_t i = 0; i < sas->orphans_count; i++) {
		const struct plane_sa_stats *sa = &sas->orphans[i].sa;

		if (!sa->inbound || sa->kind != kind)
			continue;
		if (count++ == 0 || sa->age_s > sas->orphans[oldest].sa.age_s)
			oldest = i;
	}
	return count > SAS_MAX_ORPHANS ? oldest : sas->orphans_count;
}

/* Daemons that end one after the other before SAS_LINGER_S leave two each, and
 * a plane has room for so many SAs of a pair and no more. */
static void trim_orphans(struct sas *sas)
{
	size_t i;

	for (int kind = 0; kind < PLANE_KINDS; kind++)
		while ((i = find_excess(sas, (enum plane_kind)kind)) <
		       sas->orphans_count)
			drop_orphan(sas, i);
}

bool sas_expire(struct sas *sas, const struct sad_list *list)
{
	const size_t before = sas->orphans_count;

	for (size_t i = before; i-- > 0;)
		if (!sad_list_find(list, &sas->pair,
				   sas->orphans[i].sa.inbound,
				   sas->orphans[i].sa.spi))
			drop_orphan(sas, i);
	return sas->orphans_count < before;
}

static void linger_over(evutil_socket_t fd, short what, void *ctx)
{
	struct sas *sas = ctx;

	(void)fd;
	(void)what;
	for (size_t i = sas->orphans_count; i-- > 0;)
		if (sas->orphans[i].leaving)
			drop_orphan(sas, i);
}

static void replace_orphans(struct sas *sas, enum ike_child_kind kind)
{
	const struct timeval linger = { .tv_sec = SAS_LINGER_S };

	for (size_t i = sas->orphans_count; i-- > 0;) {
		struct sas_orphan *orphan = &sas->orphans[i];

		if ((int)orphan->sa.kind != (int)kind)
			continue;
		if (orphan->sa.inbound)
			orphan->leaving = true;
		else
			drop_orphan(sas, i);
	}
	event_add(sas->linger, &linger);
}

static int init(struct sas *sas, struct event_base *base, struct warden *warden,
		const struct plane_pair *pair, const struct sad_list *list,
		const struct sas *before)
{
	struct sad_list *own = NULL;
	int err = list ? 0 : sad_list_read(warden, &own);

	*sas = (struct sas){ .warden = warden, .pair = *pair };
	sas->linger = evtimer_new(base, linger_over, sas);
	if (!err && !sas->linger)
		err = -ENOMEM;
	if (!err)
		err = adopt_all(sas, list ? list : own, before);
	if (!err)
		trim_orphans(sas);
	sad_list_free(own);
	return err;
}

int sas_init(struct sas *sas, struct event_base *base, struct warden *warden,
	     const struct plane_pair *pair, const struct sad_list *list)
{
	const struct sas none = { .warden = NULL };

	return init(sas, base, warden, pair, list, &none);
}

void sas_done(struct sas *sas)
{
	if (sas->linger)
		event_free(sas->linger);
	sas->linger = NULL;
	free(sas->orphans);
	sas->orphans = NULL;
	sas->orphans_count = 0;
}

static void forget_lost(const struct sas *sas, uint32_t spi)
{
	for (size_t i = 0; i < sas->orphans_count; i++)
		if (sas->orphans[i].sa.inbound && sas->orphans[i].sa.spi == spi)
			return;
	remove_sa(sas, true, spi);
}

/* The plane died, or others flushed it. */
static void forget_all_lost(const struct sas *sas, const struct sas *before)
{
	for (size_t i = 0; i < before->children_count; i++)
		if (before->children[i].installed & IKE_INBOUND)
			forget_lost(sas, before->children[i].spi_in);
	for (size_t i = 0; i < before->orphans_count; i++)
		if (before->orphans[i].sa.inbound)
			forget_lost(sas, before->orphans[i].sa.spi);
}

int sas_renew(struct sas *sas, struct event_base *base,
	      const struct sad_list *list)
{
	struct sas before = *sas;
	int err = init(sas, base, before.warden, &before.pair, list, &before);

	if (err) {
		sas_done(sas);
		*sas = before;
		return err;
	}
	forget_all_lost(sas, &before);
	sas_done(&before);
	return 0;
}

/* --------------------------------------------------------------- children */

static struct sas_child *find(struct sas *sas, uint32_t id)
{
	for (size_t i = 0; i < sas->children_count; i++)
		if (sas->children[i].id == id)
			return &sas->children[i];
	return NULL;
}

static struct sas_child *find_or_add(struct sas *sas,
				     const struct ike_child_sa *child)
{
	struct sas_child *slot = find(sas, child->id);

	if (slot || sas->children_count == SAS_MAX_CHILDREN)
		return slot;
	slot = &sas->children[sas->children_count++];
	*slot = (struct sas_child){
		.id = child->id,
		.kind = child->kind,
		.spi_in = child->spi_in,
		.spi_out = child->spi_out,
		.encr = child->encr,
		.encr_key_bits = child->encr_key_bits,
		.integ = child->integ,
		.esn = child->esn,
		.rekey = child->rekey,
	};
	return slot;
}

static int install_one(struct sas *sas, const struct ike_child_sa *child,
		       bool inbound)
{
	const struct ike_bytes key = inbound ? child->key_in : child->key_out;
	const struct plane_sa sa = {
		.pair = sas->pair,
		.kind = (enum plane_kind)child->kind,
		.inbound = inbound,
		.spi = inbound ? child->spi_in : child->spi_out,
		.encr = child->encr,
		.integ = child->integ,
		.esn = child->esn,
		.udp_local = child->udp_local,
		.udp_peer = child->udp_peer,
		/* at least a second: 0 would mean no limit */
		.lifetime_s = child->lifetime.us / 1000000 + 1,
		.key = key.data,
		.key_len = key.len,
	};

	return warden_install_sa(sas->warden, &sa);
}

int sas_install(struct sas *sas, const struct ike_child_sa *child,
		unsigned directions)
{
	struct sas_child *slot = find_or_add(sas, child);
	int err = 0;

	if (!slot)
		return -ENOSPC;
	if (directions & IKE_INBOUND)
		err = install_one(sas, child, true);
	if (!err && (directions & IKE_OUTBOUND)) {
		err = install_one(sas, child, false);
		if (err && (directions & IKE_INBOUND))
			remove_sa(sas, true, child->spi_in);
	}
	if (!err) {
		slot->installed |= directions;
		if (directions & IKE_OUTBOUND)
			replace_orphans(sas, child->kind);
	} else if (!slot->installed) {
		*slot = sas->children[--sas->children_count];
	}
	return err;
}

void sas_remove(struct sas *sas, uint32_t id, unsigned directions)
{
	struct sas_child *slot = find(sas, id);

	if (!slot)
		return;
	if (directions & slot->installed & IKE_OUTBOUND)
		remove_sa(sas, false, slot->spi_out);
	if (directions & slot->installed & IKE_INBOUND)
		remove_sa(sas, true, slot->spi_in);
	slot->installed &= ~directions;
	if (!slot->installed)
		*slot = sas->children[--sas->children_count];
}

void sas_remove_orphans(struct sas *sas)
{
	while (sas->orphans_count > 0)
		drop_orphan(sas, sas->orphans_count - 1);
}

void sas_remove_all(struct sas *sas)
{
	while (sas->children_count > 0)
		sas_remove(sas, sas->children[0].id,
			   IKE_INBOUND | IKE_OUTBOUND);
	sas_remove_orphans(sas);
}

size_t sas_count(const struct sas *sas)
{
	size_t count = sas->orphans_count;

	for (size_t i = 0; i < sas->children_count; i++)
		count += !!(sas->children[i].installed & IKE_INBOUND) +
			 !!(sas->children[i].installed & IKE_OUTBOUND);
	return count;
}

bool sas_complete(const struct sas *sas, enum ike_child_kind kind)
{
	bool in = false, out = false;

	for (size_t i = 0; i < sas->children_count; i++) {
		if (sas->children[i].kind != kind)
			continue;
		in = in || (sas->children[i].installed & IKE_INBOUND);
		out = out || (sas->children[i].installed & IKE_OUTBOUND);
	}
	for (size_t i = 0; i < sas->orphans_count; i++) {
		if ((int)sas->orphans[i].sa.kind != (int)kind)
			continue;
		in = in || sas->orphans[i].sa.inbound;
		out = out || !sas->orphans[i].sa.inbound;
	}
	return in && out;
}
