/* A NAT between the two: the options `inside` and `encapsulate` of a peer. */
#include <string.h>

#include "policy/address.h"
#include "policy/config_read.h"
#include "policy/pairs.h"

static size_t addresses_like(const struct policy_peer *peer,
			     const struct in6_addr *address)
{
	size_t count = 0;

	for (size_t i = 0; i < peer->addresses_count; i++)
		count += address_family(&peer->addresses[i]) ==
			 address_family(address);
	return count;
}

/* Which address it is the inside of, must be clear. */
static bool check_inside(struct config_reading *r, cfg_t *section,
			 const struct policy_peer *peer,
			 const struct in6_addr *address)
{
	const bool v4 = address_family(address) == AF_INET;
	const size_t outside = addresses_like(peer, address);
	char text[INET6_ADDRSTRLEN];

	address_text(address, text);
	if (outside != 1)
		config_fault(r, section, "inside", "inside = %s of a peer "
			     "with %zu %s addresses, expected one: %s", text,
			     outside, v4 ? "IPv4" : "IPv6", outside == 0 ?
			     "add its address before the NAT to addresses" :
			     "give each a section of its own");
	else if (policy_is_local(r->config, address))
		config_fault(r, section, "inside", "inside = %s is also in "
			     "section local, expected an address that the two "
			     "routers do not share: renumber one", text);
	else if (!IN6_IS_ADDR_UNSPECIFIED(&peer->inside[!v4]))
		config_fault(r, section, "inside", "inside = %s is the second "
			     "of its family, expected one: remove one", text);
	else
		return true;
	return false;
}

static void read_inside(struct config_reading *r, cfg_t *section,
			struct policy_peer *peer)
{
	const unsigned given = cfg_size(section, "inside");

	if (given == 0 && config_given(section, "inside"))
		config_fault(r, section, "inside", "inside names no address, "
			     "expected inside = \"ADDRESS\": add it, or remove "
			     "inside");
	for (unsigned i = 0; i < given; i++) {
		struct in6_addr address;

		if (config_read_address(r, section, "inside",
					cfg_getnstr(section, "inside", i),
					&address) &&
		    check_inside(r, section, peer, &address))
			peer->inside[address_family(&address) != AF_INET] =
				address;
	}
}

void config_read_nat(struct config_reading *r, cfg_t *section,
		     struct policy_peer *peer)
{
	const char *encapsulate = config_given(section, "encapsulate") ?
				  cfg_getstr(section, "encapsulate") : "auto";

	read_inside(r, section, peer);
	peer->encapsulate = strcmp(encapsulate, "always") == 0;
	if (!peer->encapsulate && strcmp(encapsulate, "auto") != 0)
		config_fault(r, section, "encapsulate", "encapsulate = "
			     "'%.40s', expected auto or always: correct it",
			     encapsulate);
}

const struct in6_addr *policy_peer_identity(const struct policy_peer *peer,
					    const struct in6_addr *address)
{
	const struct in6_addr *inside =
		&peer->inside[address_family(address) != AF_INET];

	return IN6_IS_ADDR_UNSPECIFIED(inside) ? address : inside;
}
