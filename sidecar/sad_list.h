/*
 * One listing of the SAD, by pair: for what is asked of many pairs at once,
 * each of which would have to read all of it.
 */
#ifndef SIDECAR_SAD_LIST_H
#define SIDECAR_SAD_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "sidecar/plane.h"
#include "sidecar/warden.h"

struct sad_list;

struct sad_list_sa {
	struct plane_sa_stats stats;
	struct sad_list_sa *next;	/* of the pair, in the SAD's order */
};

/* 0 and *ret_list, which sad_list_free() releases; -ENOMEM, or what reading the
 * SAD gave. */
int sad_list_read(struct warden *warden, struct sad_list **ret_list);
/* NULL is legal. */
void sad_list_free(struct sad_list *list);

/* The SAs of a pair; NULL if it has none. */
const struct sad_list_sa *sad_list_of(const struct sad_list *list,
				      const struct plane_pair *pair);
/* One of them, or NULL. */
const struct plane_sa_stats *sad_list_find(const struct sad_list *list,
					   const struct plane_pair *pair,
					   bool inbound, uint32_t spi);

#endif
