#include "sidecar/sad_list.h"

#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

struct list_pair {
	struct plane_pair id;
	struct sad_list_sa *first, *last;
	UT_hash_handle hh;
};

struct sad_list {
	struct list_pair *pairs;
};

static struct list_pair *find(const struct sad_list *list,
			      const struct plane_pair *id)
{
	struct list_pair *found;

	HASH_FIND(hh, list->pairs, id, sizeof(*id), found);
	return found;
}

static struct list_pair *find_or_add(struct sad_list *list,
				     const struct plane_pair *id)
{
	struct list_pair *pair = find(list, id);

	if (pair)
		return pair;
	pair = calloc(1, sizeof(*pair));
	if (!pair)
		return NULL;
	pair->id = *id;
	HASH_ADD(hh, list->pairs, id, sizeof(pair->id), pair);
	return pair;
}

static int add(void *ctx, const struct plane_sa_stats *stats)
{
	struct list_pair *pair = find_or_add(ctx, &stats->pair);
	struct sad_list_sa *sa = pair ? calloc(1, sizeof(*sa)) : NULL;

	if (!sa)
		return -ENOMEM;
	sa->stats = *stats;
	if (pair->last)
		pair->last->next = sa;
	else
		pair->first = sa;
	pair->last = sa;
	return 0;
}

int sad_list_read(struct warden *warden, struct sad_list **ret_list)
{
	struct sad_list *list = calloc(1, sizeof(*list));
	int err = list ? warden_query(warden, add, list) : -ENOMEM;

	if (err) {
		sad_list_free(list);
		return err;
	}
	*ret_list = list;
	return 0;
}

static void free_pair(struct list_pair *pair)
{
	struct sad_list_sa *next;

	for (struct sad_list_sa *sa = pair->first; sa; sa = next) {
		next = sa->next;
		free(sa);
	}
	free(pair);
}

void sad_list_free(struct sad_list *list)
{
	struct list_pair *pair, *next;

	if (!list)
		return;
	HASH_ITER(hh, list->pairs, pair, next) {
		HASH_DEL(list->pairs, pair);
		free_pair(pair);
	}
	free(list);
}

const struct sad_list_sa *sad_list_of(const struct sad_list *list,
				      const struct plane_pair *pair)
{
	const struct list_pair *found = find(list, pair);

	return found ? found->first : NULL;
}

const struct plane_sa_stats *sad_list_find(const struct sad_list *list,
					   const struct plane_pair *pair,
					   bool inbound, uint32_t spi)
{
	const struct sad_list_sa *sa = sad_list_of(list, pair);

	while (sa && (sa->stats.inbound != inbound || sa->stats.spi != spi))
		sa = sa->next;
	return sa ? &sa->stats : NULL;
}
