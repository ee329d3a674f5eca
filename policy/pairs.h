/* The pairs that a configuration makes: each address of a peer with each local
 * address of its family. */
#ifndef POLICY_PAIRS_H
#define POLICY_PAIRS_H

#include "policy/config.h"

/*
 * Call `each` for every pair, peers in the order of the file. Stops at, and
 * returns, the first value that is not 0.
 */
int policy_each_pair(const struct policy_config *config,
		     int (*each)(void *ctx, const struct policy_peer *peer,
				 const struct in6_addr *local,
				 const struct in6_addr *remote),
		     void *ctx);

/* The peer of this pair, or NULL if the configuration has no such pair. */
const struct policy_peer *policy_find_pair(const struct policy_config *config,
					   const struct in6_addr *local,
					   const struct in6_addr *remote);

/* Is this one of the router's own protected addresses? */
bool policy_is_local(const struct policy_config *config,
		     const struct in6_addr *address);

#endif
