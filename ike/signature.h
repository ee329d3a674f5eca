/*
 * AUTH payloads by signature, over the octets of RFC 7296 2.15: method 14 (RFC
 * 7427, RFC 8420) with ECDSA, RSASSA-PSS, RSASSA-PKCS1-v1_5, Ed25519 and
 * Ed448, and the older methods 9, 10 and 11 (RFC 4754). Always with SHA-2. The
 * algorithms are rows of signature_rows.c.
 */
#ifndef IKE_SIGNATURE_H
#define IKE_SIGNATURE_H

#include <openssl/evp.h>

#include "ike/keys.h"
#include "ike/payload.h"

enum { SIGNATURE_MAX_OCTETS = IKE_MAX_DATAGRAM + IKE_MAX_NONCE + 64 };

/* What one side signs. */
struct signature_octets {
	struct ike_bytes message;	/* its own IKE_SA_INIT message */
	struct ike_bytes nonce;		/* the other side's */
	struct ike_bytes id_body;	/* its ID payload without the header */
	uint16_t prf;
	const struct secret *sk_p;	/* its own SK_p */
};

/* message | nonce | prf(SK_p, id_body). *ret_octets is malloc()ed. */
MUST_CHECK bool
signature_octets(const struct ike_crypto *crypto,
		 const struct signature_octets *input, uint8_t **ret_octets,
		 size_t *ret_len);

/* Kinds of public keys. */
enum signature_key {
	SIGNATURE_NONE,			/* none that is accepted */
	SIGNATURE_P256,
	SIGNATURE_P384,
	SIGNATURE_P521,
	SIGNATURE_RSA,			/* 2048 to 4096 bits */
	SIGNATURE_ED25519,
	SIGNATURE_ED448
};

enum signature_scheme {
	SCHEME_ECDSA,
	SCHEME_RSA_PSS,
	SCHEME_RSA_PKCS1,
	SCHEME_ED25519,
	SCHEME_ED448
};

struct signature_row {
	enum signature_scheme scheme;
	uint16_t hash;			/* RFC 7427 7, RFC 8420 2 */
	size_t len;
	const char *der;		/* AlgorithmIdentifier, len octets */
};

/* How one side signs. */
struct signature_choice {
	uint8_t method;
	uint16_t hash;
	const struct signature_row *row;
	size_t coordinate;		/* methods 9 to 11: octets of r, of s */
};

enum signature_key signature_key_of(const EVP_PKEY *key);
/* The row with this AlgorithmIdentifier, or NULL; does it go with this key? */
const struct signature_row *signature_row(struct ike_bytes algorithm);
bool signature_row_fits(const struct signature_row *row,
			enum signature_key key);
/* How this key is used with one of the methods 9, 10, 11; false if it is
 * not. */
MUST_CHECK bool signature_method(uint8_t method, enum signature_key key,
				 struct signature_choice *ret_choice);
/* How to sign with our own key, for a peer that sent these payloads in
 * IKE_SA_INIT (RFC 7427 4). False if it will not be understood. */
MUST_CHECK bool signature_choose(enum signature_key key,
				 const struct payloads *payloads,
				 struct signature_choice *ret_choice);
/* SIGNATURE_HASH_ALGORITHMS with what we verify. */
void signature_write_hashes(struct writer *writer);

/*
 * Verify an AUTH payload with the key of an X.509 certificate (DER). Returns
 * IKE_REASON_NONE, _AUTH_METHOD, _CERTIFICATE or _AUTH.
 */
MUST_CHECK enum ike_reason
signature_verify(struct ike_crypto *crypto, struct ike_bytes certificate,
		 uint8_t method, struct ike_bytes auth,
		 struct ike_bytes octets);

/* Write an AUTH payload around a signature as IKE_INPUT_SIGNATURE brings it. */
void signature_write(struct writer *writer,
		     const struct signature_choice *choice,
		     struct ike_bytes signature);
/* The same without the payload's header and the method. */
void signature_write_data(struct writer *writer,
			  const struct signature_choice *choice,
			  struct ike_bytes signature);

#endif
