#include "policy/pairs.h"

#include "policy/address.h"

static int each_remote(const struct policy_config *config,
		       const struct policy_peer *peer,
		       const struct in6_addr *remote,
		       int (*each)(void *ctx, const struct policy_peer *peer,
				   const struct in6_addr *local,
				   const struct in6_addr *remote),
		       void *ctx)
{
	for (size_t i = 0; i < config->addresses_count; i++) {
		const struct in6_addr *local = &config->addresses[i];
		int ret;

		if (address_family(local) != address_family(remote))
			continue;
		ret = each(ctx, peer, local, remote);
		if (ret)
			return ret;
	}
	return 0;
}

int policy_each_pair(const struct policy_config *config,
		     int (*each)(void *ctx, const struct policy_peer *peer,
				 const struct in6_addr *local,
				 const struct in6_addr *remote),
		     void *ctx)
{
	for (size_t i = 0; i < config->peers_count; i++) {
		const struct policy_peer *peer = &config->peers[i];

		for (size_t j = 0; j < peer->addresses_count; j++) {
			int ret = each_remote(config, peer, &peer->addresses[j],
					      each, ctx);

			if (ret)
				return ret;
		}
	}
	return 0;
}

bool policy_is_local(const struct policy_config *config,
		     const struct in6_addr *address)
{
	return address_among(config->addresses, config->addresses_count,
			     address);
}

const struct policy_peer *policy_find_pair(const struct policy_config *config,
					   const struct in6_addr *local,
					   const struct in6_addr *remote)
{
	if (address_family(local) != address_family(remote) ||
	    !policy_is_local(config, local))
		return NULL;
	return policy_config_peer(config, remote);
}
