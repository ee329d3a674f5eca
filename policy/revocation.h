/*
 * Has a certificate of a verified path been revoked (RFC 5280 6.3)? Each CA
 * whose CRL is listed is asked for the certificate below it, and the one that
 * issued the end certificate must be listed. Internal to policy/.
 */
#ifndef POLICY_REVOCATION_H
#define POLICY_REVOCATION_H

#include "policy/authorize.h"

/*
 * `chain` as path_verify() returns it. POLICY_ALLOWED and *ret_crl, the times
 * of the CRL that runs out first; or a refusal with its sentence in ret_text
 * (POLICY_TEXT_SIZE bytes). Without request->crls all is allowed, and *ret_crl
 * is untouched.
 */
enum policy_refusal revocation_check(const struct policy_request *request,
				     STACK_OF(X509) *chain,
				     struct policy_span *ret_crl,
				     char *ret_text);

/* Does the keyUsage of this CA let it sign CRLs (RFC 5280 6.3.3 (f))? If not,
 * ret_why says so. */
bool revocation_may_issue(X509 *ca, char *ret_why, size_t size);

#endif
