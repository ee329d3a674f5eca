/* The key of a certificate (RFC 5280 4.1), and nothing else of it: whether it
 * may speak for the peer is decided elsewhere (IKE_NEED_AUTHORIZATION). */
#ifndef IKE_CERTIFICATE_H
#define IKE_CERTIFICATE_H

#include "ike/signature.h"

/* Its key, and of which kind that is. NULL if this is no certificate (DER), or
 * its key none that OpenSSL knows. Good until the next call
 * (crypto_peer_key()); the caller frees it. */
EVP_PKEY *certificate_key(struct ike_crypto *crypto,
			  struct ike_bytes certificate,
			  enum signature_key *ret_kind);

#endif
