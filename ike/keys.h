/* Keying material of IKE SAs (RFC 7296 2.14, 2.18) and Child SAs (2.17). */
#ifndef IKE_KEYS_H
#define IKE_KEYS_H

#include "ike/crypto.h"
#include "ike/proposal.h"

/* Of one IKE SA; SK_ai and SK_ar are empty with AEAD (RFC 5282 7). */
struct keys_ike {
	struct secret d, ai, ar, ei, er, pi, pr;
};

/* What both derivations take. */
struct keys_input {
	struct ike_bytes ni, nr;
	uint64_t spi_i, spi_r;
	const struct secret_wide *shared;	/* g^ir; NULL: none (Child) */
};

/* The keys of an IKE SA. `old` is NULL for IKE_SA_INIT, else the PRF and SK_d
 * of the IKE SA that is being rekeyed. */
struct keys_old {
	uint16_t prf;
	const struct secret *d;
};
MUST_CHECK bool
keys_ike_derive(const struct ike_crypto *crypto,
		const struct selection *selection,
		const struct keys_input *input, const struct keys_old *old,
		struct keys_ike *ret_keys);
void keys_ike_wipe(struct keys_ike *keys);

/* The keys of a Child SA, encryption || integrity, for the direction from the
 * initiator of the exchange and for the other. The SPIs are not used. */
struct keys_child {
	struct secret initiator, responder;
};
MUST_CHECK bool
keys_child_derive(const struct ike_crypto *crypto, uint16_t prf,
		  const struct secret *d, const struct selection *selection,
		  const struct keys_input *input, struct keys_child *ret_keys);

#endif
