#include "sidecar/own_address.h"

#include <ifaddrs.h>

#include "policy/address.h"

bool own_address(void *ctx, const struct in6_addr *address)
{
	struct ifaddrs *all, *one;
	struct in6_addr found;
	bool own = false;

	(void)ctx;
	if (getifaddrs(&all) < 0)
		return false;
	for (one = all; one && !own; one = one->ifa_next)
		own = one->ifa_addr &&
		      address_from_sockaddr(one->ifa_addr, &found) &&
		      address_equal(&found, address);
	freeifaddrs(all);
	return own;
}
