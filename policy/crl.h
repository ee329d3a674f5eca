/* One certificate revocation list (RFC 5280 5): decoding, and what it is good
 * for. Internal to policy/ and the CLI. */
#ifndef POLICY_CRL_H
#define POLICY_CRL_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * Exactly one DER CRL with nothing behind it, that lists all certificates
 * which its own issuer has revoked, and says until when: no delta, indirect or
 * partial one, and nothing critical in it that we do not know (RFC 5280 5.2,
 * 5.3). NULL with a sentence's end in ret_why ("is a delta CRL") otherwise.
 * X509_CRL_free() releases.
 */
X509_CRL *crl_decode(const uint8_t *der, size_t len, char *ret_why,
		     size_t size);

/* thisUpdate and nextUpdate of one that crl_decode() let pass. */
time_t crl_from(const X509_CRL *crl);
time_t crl_until(const X509_CRL *crl);
/* As certificate_subject(). */
void crl_issuer(const X509_CRL *crl, char *ret_text, size_t size);

/* Is this the CA that it claims to come from, by name and key identifier? */
bool crl_names(const X509_CRL *crl, const X509 *ca);
/* Is it signed with this CA's key? */
bool crl_signed_by(X509_CRL *crl, const X509 *ca);

#endif
