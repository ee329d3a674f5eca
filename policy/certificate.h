/* One X.509 certificate: decoding, its names and times for people, and the
 * algorithms that we accept in it. Internal to policy/ and the CLI. */
#ifndef POLICY_CERTIFICATE_H
#define POLICY_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A name that leaves room in a sentence of POLICY_TEXT_SIZE. */
#define CERTIFICATE_NAME_SIZE 96

/* Exactly one DER certificate with nothing behind it, at most
 * POLICY_MAX_CERT_SIZE bytes, its extensions decodable; NULL otherwise.
 * X509_free() releases. */
X509 *certificate_decode(const uint8_t *der, size_t len);

/*
 * Every certificate of a PEM text, in order. NULL if there is none, more than
 * `max`, one is malformed, or something that is not a certificate stands
 * between them. sk_X509_pop_free(…, X509_free) releases.
 */
STACK_OF(X509) *certificate_decode_pem(const char *pem, int max);

/* Subject and issuer as RFC 2253 text; what is not printable ASCII comes
 * escaped. */
void certificate_subject(const X509 *cert, char *ret_text, size_t size);
void certificate_issuer(const X509 *cert, char *ret_text, size_t size);
void certificate_name(const X509_NAME *name, char *ret_text, size_t size);

/* false if the time is malformed or absent */
bool certificate_time(const ASN1_TIME *asn1, time_t *ret_time);
bool certificate_not_before(const X509 *cert, time_t *ret_time);
bool certificate_not_after(const X509 *cert, time_t *ret_time);

/* Is its key (and, second, the signature on it) of an algorithm that we
 * accept? If not, ret_why says which it has and what is accepted. */
bool certificate_key_accepted(const X509 *cert, char *ret_why, size_t size);
bool certificate_signature_accepted(const X509 *cert, char *ret_why,
				    size_t size);
/* The same of any signature; ret_why begins with "is signed with". */
bool certificate_algorithm_accepted(const X509_ALGOR *algorithm, char *ret_why,
				    size_t size);

/* basicConstraints CA:TRUE and, if keyUsage is there, keyCertSign. */
bool certificate_is_ca(X509 *cert);
/* keyUsage absent (RFC 5280: no restriction) or with digitalSignature. */
bool certificate_may_sign(X509 *cert);

#endif
