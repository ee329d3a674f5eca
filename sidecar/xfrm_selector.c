#include "sidecar/xfrm.h"

#include <arpa/inet.h>
#include <string.h>

#include "policy/address.h"

void xfrm_address_make(const struct in6_addr *address,
		       xfrm_address_t *ret_address)
{
	size_t len;
	const uint8_t *bytes = address_bytes(address, &len);

	memset(ret_address, 0, sizeof(*ret_address));
	memcpy(ret_address, bytes, len);
}

bool xfrm_address_equal(const xfrm_address_t *a, const xfrm_address_t *b)
{
	return memcmp(a->a6, b->a6, sizeof(a->a6)) == 0;
}

bool xfrm_address_read(uint16_t family, const xfrm_address_t *address,
		       struct in6_addr *ret_address)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };

	if (family == AF_INET) {
		memcpy(&sin.sin_addr, &address->a4, sizeof(sin.sin_addr));
		return address_from_sockaddr((struct sockaddr *)&sin,
					     ret_address);
	}
	if (family != AF_INET6)
		return false;
	memcpy(&sin6.sin6_addr, address->a6, sizeof(sin6.sin6_addr));
	return address_from_sockaddr((struct sockaddr *)&sin6, ret_address);
}

/* The kernel compares selectors as blocks of memory, padding and all. */
void xfrm_selector_make(const struct xfrm_traffic *traffic,
			struct xfrm_selector *ret_selector)
{
	const struct plane_pair *pair = &traffic->pair;
	int family = address_family(traffic->any_local ? &pair->peer :
				    &pair->local);
	uint8_t full = family == AF_INET ? 32 : 128;
	uint8_t of_peer = traffic->any_peer ? 0 : full;
	uint8_t of_local = traffic->any_local ? 0 : full;
	/* An active connection goes to the peer's port 179, so that port is
	 * the destination of what we send. */
	bool port_is_dst = (traffic->kind == PLANE_ACTIVE) != traffic->inbound;
	struct xfrm_selector *sel = ret_selector;

	memset(sel, 0, sizeof(*sel));
	sel->family = (uint16_t)family;
	sel->proto = IPPROTO_TCP;
	if (!traffic->any_local)
		xfrm_address_make(&pair->local, traffic->inbound ?
				  &sel->daddr : &sel->saddr);
	if (!traffic->any_peer)
		xfrm_address_make(&pair->peer, traffic->inbound ?
				  &sel->saddr : &sel->daddr);
	sel->prefixlen_s = traffic->inbound ? of_peer : of_local;
	sel->prefixlen_d = traffic->inbound ? of_local : of_peer;
	if (port_is_dst) {
		sel->dport = htons(XFRM_BGP_PORT);
		sel->dport_mask = 0xffff;
	} else {
		sel->sport = htons(XFRM_BGP_PORT);
		sel->sport_mask = 0xffff;
	}
}

bool xfrm_selector_read(const struct xfrm_selector *selector, bool inbound,
			struct xfrm_traffic *ret_traffic)
{
	const xfrm_address_t *local, *peer;
	struct xfrm_selector again;
	struct xfrm_traffic traffic;

	local = inbound ? &selector->daddr : &selector->saddr;
	peer = inbound ? &selector->saddr : &selector->daddr;
	memset(&traffic, 0, sizeof(traffic));
	traffic.inbound = inbound;
	traffic.kind = (selector->dport != 0) != inbound ?
		PLANE_ACTIVE : PLANE_PASSIVE;
	traffic.any_peer = (inbound ? selector->prefixlen_s :
			    selector->prefixlen_d) == 0;
	traffic.any_local = (inbound ? selector->prefixlen_d :
			     selector->prefixlen_s) == 0;
	if (traffic.any_peer && traffic.any_local)
		return false;
	if (!traffic.any_local &&
	    !xfrm_address_read(selector->family, local, &traffic.pair.local))
		return false;
	if (!traffic.any_peer &&
	    !xfrm_address_read(selector->family, peer, &traffic.pair.peer))
		return false;
	xfrm_selector_make(&traffic, &again);
	if (memcmp(&again, selector, sizeof(again)) != 0)
		return false;
	*ret_traffic = traffic;
	return true;
}
