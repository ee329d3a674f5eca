/*
 * What the SAs in the SAD were authenticated under, for the next daemon: one
 * small file a pair, in a folder beside the control socket. SAs outlive the
 * daemon, and the configuration may be another one by its next start; what it
 * would cut at a reload, it must not take over at a start.
 */
#ifndef SIDECAR_TRUST_H
#define SIDECAR_TRUST_H

#include "policy/config.h"
#include "sidecar/plane.h"

struct trust;

/*
 * Open, or make, the folder SOCKET.trust (mode 0700) and the key in it, under
 * which secrets are digested. 0 and *ret_trust, which trust_close() releases;
 * or -errno, -EPERM if the folder is somebody else's.
 */
int trust_open(const char *socket, struct trust **ret_trust);
/* The files stay. NULL is legal. */
void trust_close(struct trust *trust);

/* Were the SAs of the pair, in this network namespace, authenticated under
 * what still authorizes `peer` (policy_still_trusts())? False if nothing is
 * known, and with NULL. */
bool trust_holds(const struct trust *trust, const struct plane_pair *pair,
		 const struct policy_peer *peer);

/*
 * Note that the SAs of the pair rest on `peer` from now on: before the first
 * one is installed. A file is replaced as a whole or stays; but when that
 * fails, no older one is left. 0 or -errno; -ENOENT with NULL.
 */
int trust_record(const struct trust *trust, const struct plane_pair *pair,
		 const struct policy_peer *peer);

/* The pair is no more. */
void trust_forget(const struct trust *trust, const struct plane_pair *pair);

#endif
