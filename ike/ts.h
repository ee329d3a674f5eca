/*
 * Traffic selectors (RFC 7296 2.9, 3.13). The only two that this engine ever
 * agrees to are the two kinds of Child SA: TCP between the two addresses with
 * port 179 on one side and any port on the other.
 */
#ifndef IKE_TS_H
#define IKE_TS_H

#include "ike/wire.h"

/* Addresses of the pair. */
struct ts_pair {
	const struct in6_addr *local, *peer;
	/* RFC 7296 2.23.1: this side is behind a NAT; whatever host the peer
	 * names stands for it */
	bool local_nat, peer_nat;
};

/* Write TSi and TSr of a kind; `initiator`: we begin the exchange, so that
 * TSi is our side. */
void ts_write(struct writer *writer, struct ts_pair pair,
	      enum ike_child_kind kind, bool initiator);

/*
 * As responder: which kind does the peer's proposal contain? Of two that fit,
 * that of the packet which the first selectors name (RFC 7296 2.9), or else one
 * of `wanted`, a set of (1 << kind), or else the first. Returns IKE_REASON_NONE,
 * IKE_REASON_PAYLOAD or IKE_REASON_TS.
 */
MUST_CHECK enum ike_reason
ts_narrow(struct ts_pair pair, struct ike_bytes tsi, struct ike_bytes tsr,
	  unsigned wanted, enum ike_child_kind *ret_kind);

/* As initiator: is the peer's answer exactly the kind that we proposed?
 * Results as above. */
MUST_CHECK enum ike_reason
ts_accept(struct ts_pair pair, struct ike_bytes tsi, struct ike_bytes tsr,
	  enum ike_child_kind kind);

/* The first single host of a family that a TS payload names; *ret_host, which
 * says the family, stays if there is none. */
void ts_host(struct ike_bytes payload, struct in6_addr *ret_host);

#endif
