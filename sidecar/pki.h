/*
 * Making certificates: a CA of a router's own, and the router's certificate
 * under it, with the AS number and the addresses in RFC 3779 extensions.
 */
#ifndef SIDECAR_PKI_H
#define SIDECAR_PKI_H

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum pki_times {
	/* Two routers' clocks differ, and a router that has just started may
	 * not have set its own yet. */
	PKI_BACKDATE = 3600,	/* s */
	/* Peers trust the CA, so a new router certificate needs nobody else:
	 * it may be short-lived, and a stolen key is of no use for long. */
	PKI_ROUTER_DAYS = 365
};

/* A certificate with its key. */
struct pki_pair {
	X509 *cert;
	EVP_PKEY *key;
};

struct pki_spec {
	const char *common_name;	/* UTF-8, at most 64 characters */
	bool ca;
	uint32_t as;
	const struct in6_addr *addresses;	/* each as a /32 or /128 */
	size_t addresses_count;
	time_t not_before, not_after;
};

/*
 * Make a fresh ECDSA P-256 key and a certificate of it, signed by `issuer`, or
 * by itself if that is NULL. False, and nothing made, if OpenSSL fails.
 * pki_clear() releases.
 */
bool pki_make(const struct pki_spec *spec, const struct pki_pair *issuer,
	      struct pki_pair *ret_pair);
void pki_clear(struct pki_pair *pair);

/*
 * What `old` says, of the same key, for another time, signed by `issuer`, who
 * issued it. NULL if OpenSSL fails; X509_free() releases.
 */
X509 *pki_renew(X509 *old, const struct pki_pair *issuer, time_t not_before,
		time_t not_after);

/* What `key` signs a digest of, NULL if it hashes by itself (Ed25519, Ed448):
 * a CA need not be of our making. */
const EVP_MD *pki_digest(const EVP_PKEY *key);

/*
 * As PEM text; NULL if OpenSSL fails. pki_free_pem() wipes and releases (NULL
 * is legal).
 */
char *pki_cert_pem(X509 *cert);
char *pki_key_pem(const EVP_PKEY *key);
void pki_free_pem(char *pem);

/* SHA-256 over the DER, as "AB:CD:...". */
#define PKI_FINGERPRINT_SIZE (32 * 3)
bool pki_fingerprint(const X509 *cert,
		     char ret_text[PKI_FINGERPRINT_SIZE]);

#endif
