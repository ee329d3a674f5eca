/*
 * What the SAs of a peer rest on, in digests: AS number, identity, kind of
 * authentication, mode, plane, secret, PPK, trust anchors and CRLs. It says at a
 * reload and, kept in a file, at a restart whether SAs may carry on.
 */
#ifndef POLICY_BASIS_H
#define POLICY_BASIS_H

#include "policy/config.h"

enum policy_basis_sizes {
	POLICY_BASIS_KEY = 32,		/* bytes */
	POLICY_BASIS_DIGEST = 32	/* bytes, SHA-256 */
};

struct policy_basis {
	uint8_t fixed[POLICY_BASIS_DIGEST];	/* all but what follows */
	uint8_t anchors[POLICY_MAX_ANCHORS][POLICY_BASIS_DIGEST];
	size_t anchors_count;
	uint8_t crls[POLICY_BASIS_DIGEST];	/* zeros: none */
	uint8_t ppk[POLICY_BASIS_DIGEST];	/* the same */
};

/*
 * Digest a peer. `fixed`, which covers the secret, and `ppk` are made under
 * `key`: they tell nobody without that key whether a guess is right.
 * False, with *ret_basis untouched, if OpenSSL fails.
 */
bool policy_basis_make(const struct policy_peer *peer,
		       const uint8_t key[POLICY_BASIS_KEY],
		       struct policy_basis *ret_basis);

/* Does what was authenticated under `old` stand under `new`? All is the same,
 * but that anchors, or an optional PPK, may have been added. Both made under one key. */
bool policy_basis_covers(const struct policy_basis *old,
			 const struct policy_basis *new);

#endif
