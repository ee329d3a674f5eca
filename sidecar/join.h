/*
 * Where ike/ and policy/ meet; they do not know each other. An engine is made
 * for a configured peer, and the engine's request for a signature is answered
 * from the router's credential; that for an authorization is proof.h's.
 */
#ifndef SIDECAR_JOIN_H
#define SIDECAR_JOIN_H

#include "ike/ike.h"
#include "policy/config.h"
#include "sidecar/plane.h"

/* The engine of one pair, whose plane can do `udp`. `crypto`, `allocate_spi`
 * and `ctx` as in struct ike_config. NULL when out of memory. The caller frees
 * it with ike_free(). */
struct ike *join_new_engine(struct ike_crypto *crypto,
			    const struct policy_config *config,
			    const struct policy_peer *peer,
			    const struct in6_addr *local,
			    const struct in6_addr *remote, enum plane_udp udp,
			    uint32_t (*allocate_spi)(void *ctx), void *ctx);

/* Answer an IKE_NEED_SIGNATURE effect at once, with the router's key or with
 * the secret or PPK that it shares with this peer. */
void join_sign(struct ike *ike, const struct ike_crypto *crypto,
	       struct ike_time now, const struct ike_effect *effect,
	       struct policy_credential *credential,
	       const struct policy_peer *peer);

#endif
