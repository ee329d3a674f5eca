/*
 * The certification path (RFC 5280 6.1, RFC 3779 2.3 and 3.3): from the end
 * certificate to one of the peer's own anchors. Internal to policy/.
 */
#ifndef POLICY_PATH_H
#define POLICY_PATH_H

#include <openssl/x509.h>

#include "policy/authorize.h"

/*
 * Verify the path of presented[0], the others being untrusted helpers, at
 * request->now. POLICY_ALLOWED and *ret_chain, end to anchor, which
 * sk_X509_pop_free(…, X509_free) releases; or a refusal with its sentence in
 * ret_text (POLICY_TEXT_SIZE bytes).
 */
enum policy_refusal path_verify(const struct policy_request *request,
				STACK_OF(X509) *presented,
				STACK_OF(X509) **ret_chain, char *ret_text);

#endif
