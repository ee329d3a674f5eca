/*
 * One pair at run time: its engine, its SAs, its timer, and what status shows
 * of it.
 */
#ifndef SIDECAR_PAIR_H
#define SIDECAR_PAIR_H

#include <event2/event.h>
#include <stdbool.h>
#include <time.h>
#include <uthash.h>

#include "ike/ike.h"
#include "policy/authorize.h"
#include "policy/config.h"
#include "sidecar/failure.h"
#include "sidecar/proof.h"
#include "sidecar/sas.h"
#include "sidecar/trust.h"
#include "sidecar/udp.h"
#include "sidecar/warden.h"

struct pair {
	struct plane_pair id;	/* hash key */
	const struct policy_config *config;
	const struct policy_peer *peer;
	const struct udp *udp;
	const struct trust *trust;
	struct ike_crypto *crypto;
	struct event *timer;
	struct ike *ike;	/* NULL with mode = off */
	struct sas sas;

	bool down;		/* the operator said `bgpward down` */
	bool was_protected;	/* for the log: said once per change */
	enum ike_state state;
	struct ike_sa_info ike_sa;	/* if state is IKE_ESTABLISHED */
	struct ike_time changed;	/* when state changed */

	bool refused;		/* the last authorization: `failure` has why,
				 * in the policy's words */
	struct failure failure;
	/* The peer's certificate, of the last authorization that passed. */
	char subject[POLICY_TEXT_SIZE];
	/* What of its chain, and of the CRLs, runs out first; 0: no CRL. */
	struct policy_span certificate, crl;
	struct proof *proofs;	/* the newest first */
	bool unproven;		/* orphans that have none, while there are any */

	UT_hash_handle hh;
};

/*
 * Make a pair; SAs of an earlier daemon are taken over if `trust` (which may
 * be NULL) says that what they rest on still authorizes the peer, and removed
 * if not. `list` is the SAD of now; NULL: it is read, which takes long if done
 * for many pairs. All else that is handed over must outlive it. 0 and *ret_pair;
 * -ENOMEM, -EINVAL if the engine does not take the configuration, or what
 * reading the SAD gave.
 */
int pair_new(struct event_base *base, struct warden *warden,
	     const struct udp *udp, const struct trust *trust,
	     struct ike_crypto *crypto, const struct policy_config *config,
	     const struct policy_peer *peer,
	     const struct plane_pair *id, const struct sad_list *list,
	     struct pair **ret_pair);
/* Forget the pair. Its SAs stay; pair_release() first if they shall not. */
void pair_free(struct pair *pair);

/* Bring it up and keep it up. */
void pair_up(struct pair *pair);
/* Delete its SAs, telling the peer. The guard stays: the pair is closed. */
void pair_down(struct pair *pair);
/* The same for a pair that is to be one no more: the log says "pair with ...
 * is", and how it is left. */
void pair_release(struct pair *pair, const char *how);

/* Hand over an IKE datagram from the peer. */
void pair_receive(struct pair *pair, const struct udp_datagram *datagram);

/*
 * A reload brought a new configuration: point to its section for the pair. SAs
 * that rest on what is no longer trusted are removed first, and the peer told.
 * With `renew`, or where the peer differs, a new engine takes over what is left
 * of them, as after a restart; `list` as above, but SAs may have been removed
 * since. Errors as of pair_new(): the pair is then without an engine, its SAs
 * stay, and it is to be freed.
 */
int pair_rebase(struct pair *pair, const struct policy_config *config,
		const struct policy_peer *peer, bool renew,
		const struct sad_list *list);

/* A CRL has changed: hold what the SAs rest on against those of now. What does
 * not pass, or is not known, is removed, and the peer told. */
void pair_judge(struct pair *pair);

/* Forget the SAs of an earlier daemon that the SAD, by the list, has no more. */
void pair_expire(struct pair *pair, const struct sad_list *list);

/* "protected", "connecting", "down" or "off". */
const char *pair_state_name(const struct pair *pair);

struct ike_time pair_now(void);

#endif
