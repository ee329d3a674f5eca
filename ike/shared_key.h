/*
 * AUTH by pre-shared key, method 2 (RFC 7296 2.15). The engine does not hold
 * the key: whoever answers IKE_NEED_SIGNATURE does, and makes the MAC of our
 * own octets and of the peer's with shared_key_mac(). A key is bound to a pair
 * by the identities, which are the pair's addresses.
 */
#ifndef IKE_SHARED_KEY_H
#define IKE_SHARED_KEY_H

#include "ike/payload.h"
#include "ike/secret.h"

enum { SHARED_KEY_MIN = 16 };	/* octets; shorter ones are refused */

struct sa;

/* prf(prf(secret, "Key Pad for IKEv2"), octets). False if the key is too short
 * or the PRF is none of ours. */
MUST_CHECK bool shared_key_mac(const struct ike_crypto *crypto, uint16_t prf,
			       struct ike_bytes secret,
			       struct ike_bytes octets,
			       struct secret *ret_mac);

/* What can be known of the peer's AUTH without the key: IKE_REASON_NONE,
 * _AUTH_METHOD, _IDENTITY or _AUTH. */
MUST_CHECK enum ike_reason shared_key_check(const struct ike *ike,
					    const struct sa *sa,
					    const struct payloads *payloads);
/* Is the peer's AUTH the expected MAC? In constant time. */
MUST_CHECK bool shared_key_matches(const struct payloads *payloads,
				   struct ike_bytes expected);

#endif
