/*
 * The primitives, by transform id (RFC 7296 2.13, 2.14, 3.14; RFC 3526; RFC
 * 4868; RFC 5282; RFC 5903; RFC 7634; RFC 8031). Every function returns false
 * on any failure of the library, and then leaves its outputs alone. PRFs and
 * hashes are in crypto.c, ciphers in cipher.c, key exchange in ke.c.
 */
#ifndef IKE_CRYPTO_H
#define IKE_CRYPTO_H

#include <openssl/types.h>

#include "ike/secret.h"
#include "ike/wire.h"

/* The hash of a PRF or of an integrity algorithm: all of ours are HMACs. */
enum crypto_hash {
	CRYPTO_SHA2_256,
	CRYPTO_SHA2_384,
	CRYPTO_SHA2_512,
	CRYPTO_HASHES
};

enum crypto_curve {
	CRYPTO_X25519,
	CRYPTO_P256,
	CRYPTO_P384,
	CRYPTO_P521,
	CRYPTO_CURVES
};

enum { CRYPTO_CIPHERS = 8 };

/* What OpenSSL is asked for once: to ask for it each time costs more than most
 * of what is done with it. */
struct ike_crypto {
	EVP_MD *sha1, *sha256;
	EVP_MAC_CTX *hmac[CRYPTO_HASHES];	/* without a key; copied */
	EVP_CIPHER *ciphers[CRYPTO_CIPHERS];	/* of each row, or NULL */
	EVP_PKEY_CTX *makers[CRYPTO_CURVES];	/* of keys; or NULL */
	EVP_PKEY *peers[CRYPTO_CURVES];		/* crypto_peer_key() */
	EVP_PKEY_CTX *verifiers[CRYPTO_CURVES];	/* crypto_verifier() */
	EVP_PKEY *x25519_base;			/* 9 (RFC 7748 4.1) */
};

enum {
	CRYPTO_SHA1_SIZE = 20,
	CRYPTO_SHA256_SIZE = 32,
	CRYPTO_MAX_ICV = 32,
	CRYPTO_MAX_PUBLIC = 512		/* MODP_4096 */
};

MUST_CHECK bool crypto_sha1(const struct ike_crypto *crypto,
			    struct ike_bytes data,
			    uint8_t ret_hash[CRYPTO_SHA1_SIZE]);
MUST_CHECK bool crypto_sha256(const struct ike_crypto *crypto,
			      struct ike_bytes data,
			      uint8_t ret_hash[CRYPTO_SHA256_SIZE]);

/* prf(key, parts[0] | parts[1] | ...); output as long as the PRF's. */
MUST_CHECK bool crypto_prf(const struct ike_crypto *crypto, uint16_t prf,
			   struct ike_bytes key, const struct ike_bytes *parts,
			   size_t count, struct secret *ret_output);
/* The same by hash; a key of length 0 is refused. */
MUST_CHECK bool crypto_hmac(const struct ike_crypto *crypto,
			    enum crypto_hash hash, struct ike_bytes key,
			    const struct ike_bytes *parts, size_t count,
			    struct secret *ret_output);
/* prf+(key, seed), len octets (RFC 7296 2.13); at most 255 blocks. */
MUST_CHECK bool crypto_prf_plus(const struct ike_crypto *crypto, uint16_t prf,
				struct ike_bytes key, struct ike_bytes seed,
				uint8_t *ret_output, size_t len);
/* Preferred key length of a PRF; 0 if we do not have it. */
size_t crypto_prf_key_size(uint16_t prf);
/* Octets of keying material of a transform (RFC 7296 2.14, 2.17), with the
 * salt for AEAD; 0 if it takes none or we do not have it. */
size_t crypto_encr_key_size(uint16_t encr, uint16_t key_bits);
size_t crypto_integ_key_size(uint16_t integ);
/* Do we have this cipher with this key length, and does it come with exactly
 * one integrity check: its own or `integ`'s (RFC 7296 3.3, CVE-2024-3652)? */
bool crypto_sound(uint16_t encr, uint16_t key_bits, uint16_t integ);

/* One side's ephemeral key of a key exchange method. */
struct crypto_ke {
	uint16_t group;
	EVP_PKEY_CTX *derivation;	/* X25519, elliptic curves */
	struct secret private;		/* MODP */
	uint8_t public[CRYPTO_MAX_PUBLIC];	/* as in the KE payload */
	size_t public_len;
};

/* Make a key from randomness that `random` gives. The caller wipes it. */
MUST_CHECK bool
crypto_ke_make(struct ike_crypto *crypto, uint16_t group,
	       bool (*random)(void *, uint8_t *, size_t), void *ctx,
	       struct crypto_ke *ret_ke);
/* Free and wipe a key, and make it one of no group; such a one is legal. */
void crypto_ke_wipe(struct crypto_ke *ke);
/*
 * g^ir from our key and the peer's public value. IKE_REASON_PUBLIC_VALUE if
 * that is not valid: wrong length, not on the curve, not in 2 .. p-2 (RFC 6989
 * 2.1, 2.3), result all zero (RFC 8031 2). IKE_REASON_CRYPTO if the library
 * fails.
 */
MUST_CHECK enum ike_reason
crypto_ke_shared(struct ike_crypto *crypto, const struct crypto_ke *ke,
		 struct ike_bytes public, struct secret_wide *ret_shared);

/* A peer's key: an uncompressed point, or the octets of an X25519 value. NULL
 * if it is not on the curve, or if the library fails. It is good until the next
 * call for this curve, which puts another value into it: that takes a small part
 * of the time of making one. The caller frees it all the same. */
EVP_PKEY *crypto_peer_key(struct ike_crypto *crypto, enum crypto_curve curve,
			  struct ike_bytes public);

/* What verifies signatures by such a key, or NULL if it is none. It stays ours.
 * EVP_PKEY_verify_init() is called for each signature: it takes the value that
 * the key has then. */
EVP_PKEY_CTX *crypto_verifier(struct ike_crypto *crypto, EVP_PKEY *key);

/* The MODP groups (RFC 3526), in ke_modp.c; results as above. */
MUST_CHECK bool modp_make(size_t bits, struct crypto_ke *ke);
MUST_CHECK enum ike_reason
modp_shared(size_t bits, const struct crypto_ke *ke, struct ike_bytes public,
	    struct secret_wide *ret_shared);

/* Fill in ->ciphers; ->makers and ->x25519_base. What OpenSSL lacks stays
 * NULL. */
void cipher_fetch(struct ike_crypto *crypto);
void ke_fetch(struct ike_crypto *crypto);

/* What protects a direction of an IKE SA. */
struct crypto_protection {
	const struct ike_crypto *crypto;
	uint16_t encr, key_bits, integ;
	const struct secret *e;		/* SK_e, with the salt for AEAD */
	const struct secret *a;		/* SK_a; not looked at with AEAD */
};

/* Octets that it adds: in front, behind, and the multiple that the plaintext
 * must have. */
struct crypto_shape {
	size_t iv, icv, block;
};
/* False if these algorithms cannot protect messages or the keys do not fit. */
MUST_CHECK bool crypto_shape(const struct crypto_protection *protection,
			     struct crypto_shape *ret_shape);

/*
 * Seal a message in place: aad_len octets in clear, room for the IV, `len`
 * octets of plaintext (a multiple of the block), room for the ICV. `counter`
 * must never repeat under a key.
 */
MUST_CHECK bool
crypto_seal(const struct crypto_protection *protection, uint64_t counter,
	    uint8_t *message, size_t aad_len, size_t len);
/* The reverse: ret_plaintext has room for message.len - aad_len octets, and is
 * not to be looked at if this returns false. */
MUST_CHECK bool
crypto_open(const struct crypto_protection *protection,
	    struct ike_bytes message, size_t aad_len, uint8_t *ret_plaintext,
	    size_t *ret_len);

#endif
