/*
 * Post-quantum preshared keys (RFC 8784). The engine does not hold the PPK:
 * whoever answers IKE_NEED_SIGNATURE does, and mixes it with ppk_mix() into
 * the three keys that it is shown. The PPK_ID is of type PPK_ID_FIXED.
 */
#ifndef IKE_PPK_H
#define IKE_PPK_H

#include "ike/keys.h"
#include "ike/payload.h"

enum {
	PPK_MIN = 32,		/* octets (RFC 8784 6) */
	PPK_MIXED_KEYS = 3	/* SK_d, SK_pi, SK_pr */
};

struct ike;
struct sa;

/* prf+(PPK, key) of three keys that stand one behind the other, into as many
 * octets (RFC 8784 3). False if the PPK is too short, or the PRF none of ours
 * or not of these keys. */
MUST_CHECK bool ppk_mix(const struct ike_crypto *crypto, uint16_t prf,
			struct ike_bytes ppk, struct ike_bytes keys,
			uint8_t *ret_mixed);

/* USE_PPK, if we have one. Has the peer sent it too? */
void ppk_write_use(const struct ike *ike, struct writer *writer);
bool ppk_agreed(const struct ike *ike, const struct payloads *payloads);

/* PPK_IDENTITY and, if there is one, NO_PPK_AUTH of an IKE_AUTH request. */
void ppk_write_identity(const struct ike *ike, const struct sa *sa,
			struct writer *writer);

/*
 * An IKE_AUTH request (RFC 8784 3, table 1): IKE_REASON_NONE, *ret_mix says
 * whether AUTH is made with the PPK; without it, payloads->auth is what
 * NO_PPK_AUTH brought. IKE_REASON_PPK: it is to be refused.
 */
MUST_CHECK enum ike_reason
ppk_choose(const struct ike *ike, const struct sa *sa,
	   struct payloads *payloads, bool *ret_mix);
/* An IKE_AUTH response: has the peer gone without? IKE_REASON_PPK if it must
 * not. */
MUST_CHECK enum ike_reason
ppk_answered(const struct ike *ike, struct sa *sa,
	     const struct payloads *payloads);

/* Ask for the mixed keys; the request's id, 0 when out of memory. Take them
 * into the handshake; false if they are none. */
uint32_t ppk_ask(struct ike *ike, const struct sa *sa);
MUST_CHECK bool ppk_take(struct sa *sa, struct ike_bytes mixed);
/* The handshake succeeds: its keys are those of the IKE SA. */
void ppk_settle(struct sa *sa);

#endif
