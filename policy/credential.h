/*
 * The router's own certificate and key, and the trust anchors of a peer, as
 * read from PEM files.
 */
#ifndef POLICY_CREDENTIAL_H
#define POLICY_CREDENTIAL_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/limits.h"

/* What this router shows and signs with. */
struct policy_credential {
	STACK_OF(X509) *certs;	/* end certificate first, then intermediates */
	EVP_PKEY *key;
	EVP_PKEY_CTX *signer;	/* of hashes of this kind, or NULL */
	uint16_t signer_hash;
};

/* The anchors that one peer's chain may end at (RFC 5280 6.1.1 (d)). */
struct policy_anchors {
	STACK_OF(X509) *certs;
};

/*
 * Read the certificate file (one or more PEM certificates) and the key file
 * (PEM, mode without group and other bits, owned by root or us). Returns NULL
 * with a sentence in ret_why ("key file /x/y is readable by others (mode
 * 0644), expected mode 0600: chmod 0600 /x/y") of at most why_size bytes.
 * policy_credential_free() releases, and wipes the key.
 */
struct policy_credential *
policy_credential_read(const char *certificate_file, const char *key_file,
		       char *ret_why, size_t why_size);
void policy_credential_free(struct policy_credential *credential);

/*
 * The two halves, for a caller that wants the errors of both. The first
 * returns the stack for sk_X509_pop_free(), the second a key for
 * EVP_PKEY_free(); NULL with a sentence otherwise.
 */
STACK_OF(X509) *policy_certificates_read(const char *file, char *ret_why,
					 size_t why_size);
EVP_PKEY *policy_key_read(const char *file, char *ret_why, size_t why_size);

/* Read the PEM file `trust` of a peer: every certificate in it is a CA with a
 * key of an accepted algorithm. NULL with a sentence otherwise. */
struct policy_anchors *policy_anchors_read(const char *file, char *ret_why,
					   size_t why_size);
void policy_anchors_free(struct policy_anchors *anchors);
bool policy_anchors_equal(const struct policy_anchors *a,
			  const struct policy_anchors *b);

/*
 * Sign octets with the credential's key as RFC 7427 asks, over the SHA-2 hash
 * named by its RFC 7427 id: ECDSA (DER ECDSA-Sig-Value), or RSASSA-PSS with a
 * salt as long as the hash. EdDSA takes the id of "Identity" (RFC 8420) and no
 * other. *ret_len holds the size of ret_signature on entry, the length on
 * success.
 */
bool policy_credential_sign(struct policy_credential *credential,
			    uint16_t hash, const uint8_t *octets, size_t len,
			    uint8_t *ret_signature, size_t *ret_len);

#endif
