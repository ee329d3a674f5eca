/*
 * What a certificate may speak for: AS numbers and IP addresses in its RFC
 * 3779 extensions, and IP addresses in its subjectAltName. These look at one
 * certificate; that a chain encompasses them is X509_verify_cert()'s to check.
 */
#ifndef POLICY_RESOURCES_H
#define POLICY_RESOURCES_H

#include <netinet/in.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one of the extensions says. */
enum resources_state {
	RESOURCES_ABSENT,
	RESOURCES_LISTED,
	RESOURCES_INHERITED,	/* in whole: RFC 3779 3.2.3.3 */
	RESOURCES_BROKEN	/* undecodable, or there twice */
};

/* Of the AS numbers (not the routing domain ids): listed, alone or in a range?
 * Inherited ones are not. */
bool resources_hold_as(const X509 *cert, uint32_t as);
/* "AS 64500, AS 64510-64520", "no AS number", "inherited AS numbers" */
void resources_as_text(const X509 *cert, char *ret_text, size_t size);

/* The address blocks. */
enum resources_state resources_address_state(const X509 *cert);
bool resources_hold_address(const X509 *cert, const struct in6_addr *address);
/* Is it an iPAddress of the subjectAltName (RFC 5280 4.2.1.6)? */
bool resources_name_address(const X509 *cert, const struct in6_addr *address);
/* The addresses of both: "192.0.2.1, 192.0.2.0-192.0.2.255", "no address" */
void resources_address_text(const X509 *cert, char *ret_text, size_t size);

#endif
