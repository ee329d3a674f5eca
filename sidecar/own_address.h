/* Is an address this machine's own? */
#ifndef SIDECAR_OWN_ADDRESS_H
#define SIDECAR_OWN_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

/* Is it on an interface now? `ctx` is not looked at: the function is made to
 * be struct policy_reader's address_is_local. */
bool own_address(void *ctx, const struct in6_addr *address);

#endif
