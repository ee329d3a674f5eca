#include "sidecar/xfrm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/address.h"

uint32_t xfrm_reqid(uint32_t slot, enum plane_kind kind)
{
	return PLANE_REQID_BASE | slot << 1 | (uint32_t)kind;
}

bool xfrm_reqid_read(uint32_t reqid, uint32_t *ret_slot,
		     enum plane_kind *ret_kind)
{
	if ((reqid & PLANE_REQID_MASK) != PLANE_REQID_BASE)
		return false;
	*ret_slot = (reqid & ~PLANE_REQID_MASK) >> 1;
	*ret_kind = reqid & 1 ? PLANE_PASSIVE : PLANE_ACTIVE;
	return true;
}

void xfrm_pairs_free(struct xfrm_pairs *pairs)
{
	free(pairs->items);
	memset(pairs, 0, sizeof(*pairs));
}

/* Where the pair stands, or `count`. */
static size_t position(const struct xfrm_pairs *pairs,
		       const struct plane_pair *pair)
{
	size_t i;

	for (i = 0; i < pairs->count; i++) {
		const struct xfrm_pair *item = &pairs->items[i];

		if (address_equal(&item->pair.peer, &pair->peer) &&
		    address_equal(&item->pair.local, &pair->local))
			break;
	}
	return i;
}

struct xfrm_pair *xfrm_pairs_find(struct xfrm_pairs *pairs,
				  const struct plane_pair *pair)
{
	size_t i = position(pairs, pair);

	return i < pairs->count ? &pairs->items[i] : NULL;
}

static bool is_taken(const struct xfrm_pairs *pairs, uint32_t slot)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (pairs->items[i].slot == slot)
			return true;
	return false;
}

static int append(struct xfrm_pairs *pairs, const struct plane_pair *pair,
		  uint32_t slot, bool required)
{
	size_t room = pairs->room ? 2 * pairs->room : 16;
	struct xfrm_pair *items;

	if (pairs->count == pairs->room) {
		items = reallocarray(pairs->items, room, sizeof(*items));
		if (!items)
			return -ENOMEM;
		pairs->items = items;
		pairs->room = room;
	}
	pairs->items[pairs->count++] = (struct xfrm_pair){
		.pair = *pair, .slot = slot, .required = required
	};
	return 0;
}

/* A slot that is taken twice (an SA of a pair whose policy has moved on to
 * another slot) makes a second record of the pair: the first is the one that
 * xfrm_pairs_find() finds, the second keeps the slot from being given away. */
int xfrm_pairs_learn(struct xfrm_pairs *pairs, const struct plane_pair *pair,
		     uint32_t slot, bool required)
{
	if (is_taken(pairs, slot) || slot == XFRM_PROBE_SLOT)
		return 0;
	return append(pairs, pair, slot, required);
}

int xfrm_pairs_get(struct xfrm_pairs *pairs, const struct plane_pair *pair,
		   struct xfrm_pair **ret_pair)
{
	size_t found = position(pairs, pair);
	int err;

	if (found < pairs->count) {
		*ret_pair = &pairs->items[found];
		return 0;
	}
	if (pairs->count >= XFRM_PROBE_SLOT)
		return -ENOSPC;
	while (is_taken(pairs, pairs->next))
		pairs->next = (pairs->next + 1) % XFRM_PROBE_SLOT;
	err = append(pairs, pair, pairs->next, false);
	if (err)
		return err;
	*ret_pair = &pairs->items[pairs->count - 1];
	return 0;
}
