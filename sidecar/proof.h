/*
 * What a peer has shown to be authorized: its certificates and its identity,
 * kept as long as SAs rest on them, so that a new CRL or trust anchor can be
 * held against them without asking the peer again.
 */
#ifndef SIDECAR_PROOF_H
#define SIDECAR_PROOF_H

#include "ike/ike.h"
#include "policy/authorize.h"
#include "policy/config.h"

struct proof {
	struct proof *next;
	uint32_t request;	/* of the engine; 0: of one before it */
	struct policy_request shown;	/* certificates and identity only */
	bool nat;		/* it came through one */
	uint8_t data[];		/* theirs */
};

/* Copy what an IKE_NEED_AUTHORIZATION effect has; NULL when out of memory.
 * free() releases. */
struct proof *proof_new(const struct ike_effect *effect,
			const struct in6_addr *remote);

/* May it speak for this peer and this pair, now? */
void proof_judge(const struct proof *proof, const struct policy_peer *peer,
		 const struct in6_addr *remote,
		 struct policy_verdict *ret_verdict);

/* Tell the engine that asked, or that was told before. */
void proof_tell(const struct proof *proof, const struct policy_verdict *verdict,
		struct ike *ike, struct ike_time now);

/* Drop those that no SA rests on: of the engine, and, unless there are
 * `orphans`, of the one before. */
void proofs_sort_out(struct proof **proofs, const struct ike *ike,
		     bool orphans);
/* There is a new engine: its SAs are orphans. */
void proofs_orphan(struct proof *proofs);
void proofs_free(struct proof **proofs);

#endif
