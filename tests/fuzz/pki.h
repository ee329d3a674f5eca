/* The same keys and certificates in every run: the target's anchors, and the
 * seeds that chain to them. Call engine_fix_randomness() first. */
#ifndef TESTS_FUZZ_PKI_H
#define TESTS_FUZZ_PKI_H

#include "tests/unit/policy_certs.h"

#define PKI_AS 64501
#define PKI_ADDRESSES "critical,IPv4:192.0.2.2/32,IPv6:2001:db8::2/128"

/* The peer's CA, an intermediate, and the CA of somebody else. */
struct pki {
	struct made ca, middle, other;
};

static struct pki pki_make(void)
{
	struct spec spec = {
		.name = "AS64501 CA", .ca = true,
		.as = "critical,AS:64501-64510",
		.addresses = "critical,IPv4:192.0.2.0/24,IPv6:2001:db8::/32",
	};
	struct pki pki;

	pki.ca = make(&spec);
	spec.name = "middle";
	spec.issuer = &pki.ca;
	pki.middle = make(&spec);
	spec.name = "AS64502 CA";
	spec.issuer = NULL;
	pki.other = make(&spec);
	return pki;
}

static void pki_free(struct pki *pki)
{
	unmake(&pki->ca);
	unmake(&pki->middle);
	unmake(&pki->other);
}

#endif
