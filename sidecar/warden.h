/*
 * The warden keeps pairs closed and opens them for exactly the SAs that the
 * configuration allows: it owns the plane (SPD, SAD) and the classifier, and
 * it alone knows in which order the two are told. Nothing it is asked to do
 * is done unless the configuration has the pair: the callers parse packets
 * from the network, and are to live in another process one day.
 */
#ifndef SIDECAR_WARDEN_H
#define SIDECAR_WARDEN_H

#include <stddef.h>

#include "bpf/guard.h"
#include "policy/config.h"
#include "sidecar/carrier.h"
#include "sidecar/plane.h"

enum warden_limits {
	WARDEN_WHY_SIZE = 256
};

struct warden;

/*
 * Open planes and classifier; nothing is installed or attached. `kernel` also
 * holds the SPD entries that are no pair's, with or without ESP; `user` may be
 * NULL. 0 and *ret_warden, which warden_close() releases; or -errno and a
 * sentence in ret_why (WARDEN_WHY_SIZE bytes).
 */
int warden_open(const struct plane_ops *kernel, const struct plane_ops *user,
		struct warden **ret_warden, char *ret_why);
/* Releases what the process holds. Guard and SAs stay. */
void warden_close(struct warden *warden);

/*
 * Make SPD and classifier those of `config`, which must outlive the warden or
 * the next call. Pairs that stay keep their SAs and counters; what is no
 * longer configured goes last. SAs of an earlier daemon are taken over. At no
 * moment is a pair of both configurations open. 0, or -errno with a sentence
 * in ret_why, and the configuration before it is in force again: what it closes
 * is closed, what only `config` closes is not. SAs of a pair that was to change
 * planes may be gone.
 */
int warden_apply(struct warden *warden, const struct policy_config *config,
		 char *ret_why);

/* Readable when a plane has died; -1 while none can. Ask again after each
 * warden_apply() and warden_revive(). */
int warden_descriptor(const struct warden *warden);
/* Bring a plane that died back to life, without SAs. 0 or as warden_apply(). */
int warden_revive(struct warden *warden, char *ret_why);

/* Do block entries of ours, of this or an earlier daemon, stand in the SPD for
 * this local address? */
bool warden_blocks(struct warden *warden, const struct in6_addr *local);
/* The same for a peer's address, with all addresses but those of its pairs. */
bool warden_blocks_elsewhere(struct warden *warden,
			     const struct in6_addr *peer);

/* Attach the classifier to an interface. 0 or -errno. */
int warden_attach(struct warden *warden, unsigned ifindex);

/* Take down everything, guard and SAs of this and any earlier daemon:
 * afterwards BGP is in clear. Interfaces are detached by the caller, who
 * knows them. */
int warden_release(struct warden *warden);

/* A fresh inbound SPI for a pair; 0 on failure. */
uint32_t warden_allocate_spi(struct warden *warden,
			     const struct plane_pair *pair);

/*
 * Install one SA. Inbound: the classifier learns the SPI first. -EPERM if
 * the configuration does not have the pair in mode `require`; else 0 or
 * -errno with nothing left behind.
 */
int warden_install_sa(struct warden *warden, const struct plane_sa *sa);
/* Remove one SA; 0 also if it was gone already. */
int warden_remove_sa(struct warden *warden, const struct plane_pair *pair,
		     bool inbound, uint32_t spi);

/* All SAs of ours in the SAD; see plane_ops.query. */
int warden_query(struct warden *warden,
		 int (*each)(void *ctx, const struct plane_sa_stats *sa),
		 void *ctx);

/* Drops by reason, of a pair or (peer NULL) of strangers; see guard.h. */
int warden_drops(const struct warden *warden, const struct in6_addr *local,
		 const struct in6_addr *peer,
		 uint64_t ret_drops[CLASSIFIER_REASON_COUNT]);

/* What the pair's plane itself dropped; see plane_ops.counters. -ENOSYS if it
 * does not count. */
int warden_plane_drops(const struct warden *warden,
		       const struct plane_pair *pair,
		       uint64_t ret_counters[PLANE_COUNTERS]);

/* What carries a pair of the configuration: "kernel", "user" or "none". */
const char *warden_plane_name(const struct warden *warden,
			      const struct plane_pair *pair);
/* May its ESP be carried in UDP? */
enum plane_udp warden_udp(const struct warden *warden,
			  const struct plane_pair *pair);
/* Is it carried by what warden_revive() brings back? */
bool warden_is_mortal(const struct warden *warden,
		      const struct plane_pair *pair);

#endif
