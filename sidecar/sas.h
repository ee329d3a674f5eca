/*
 * The SAs of one pair in the plane: those that our engine negotiated, and the
 * orphans, which an earlier daemon left behind and which carry the BGP session
 * until the engine has new ones.
 */
#ifndef SIDECAR_SAS_H
#define SIDECAR_SAS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "ike/ike.h"
#include "sidecar/plane.h"
#include "sidecar/sad_list.h"
#include "sidecar/warden.h"

enum sas_limits {
	SAS_MAX_CHILDREN = IKE_MAX_CHILDREN,
	SAS_MAX_ORPHANS = 4,	/* inbound, of a kind: the peer sends by the
				 * newest, or by the one before it */
	SAS_EXPIRY_S = 10,	/* between looks whether orphans are there */
	SAS_LINGER_S = 10	/* an orphan inbound SA, for packets in flight */
};

/* A Child SA of our engine. */
struct sas_child {
	uint32_t id;
	enum ike_child_kind kind;
	uint32_t spi_in, spi_out;
	uint16_t encr, encr_key_bits, integ;
	bool esn;
	struct ike_time rekey;	/* point */
	unsigned installed;	/* set of enum ike_direction */
};

struct sas_orphan {
	struct plane_sa_stats sa;
	bool leaving;		/* replaced; goes when the timer fires */
};

struct sas {
	struct warden *warden;
	struct plane_pair pair;
	struct event *linger;
	struct sas_child children[SAS_MAX_CHILDREN];
	size_t children_count;
	struct sas_orphan *orphans;	/* in the order of the SAD */
	size_t orphans_count;
};

/*
 * Prepare *sas, which sas_done() releases, also after -errno, and take over the
 * orphans, by the list (NULL: by one of its own). Of those that are inbound, all
 * but the newest SAS_MAX_ORPHANS of each kind are removed.
 */
int sas_init(struct sas *sas, struct event_base *base, struct warden *warden,
	     const struct plane_pair *pair, const struct sad_list *list);
/*
 * The same, for an engine that is to come in the place of another: what there
 * was becomes orphans, without what was removed since the list was made. What
 * is in the SAD no more leaves the classifier too. After -errno all is as it
 * was.
 */
int sas_renew(struct sas *sas, struct event_base *base,
	      const struct sad_list *list);
/* Releases memory only: the SAs stay. */
void sas_done(struct sas *sas);

/* Orphans that the SAD has no more, by the list, have expired, and nobody else
 * says so: they are forgotten, here and in the classifier. True if any. */
bool sas_expire(struct sas *sas, const struct sad_list *list);

/*
 * Carry out IKE_INSTALL_CHILD_SA. Once the new outbound SA is in, orphans of
 * its kind go: outbound ones at once, inbound ones after SAS_LINGER_S. 0 or
 * -errno, with nothing of this effect left installed.
 */
int sas_install(struct sas *sas, const struct ike_child_sa *child,
		unsigned directions);

/* Carry out IKE_REMOVE_CHILD_SA. */
void sas_remove(struct sas *sas, uint32_t id, unsigned directions);

/* Remove those of an earlier daemon or engine. */
void sas_remove_orphans(struct sas *sas);

/* Remove every SA of the pair, orphans too: it is closed afterwards. */
void sas_remove_all(struct sas *sas);

/* How many SAs are to be in the SAD? */
size_t sas_count(const struct sas *sas);

/* Does an SA of this kind stand in both directions? */
bool sas_complete(const struct sas *sas, enum ike_child_kind kind);

#endif
