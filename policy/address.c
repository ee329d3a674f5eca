#include "policy/address.h"

#include <arpa/inet.h>
#include <string.h>

static void map_ipv4(const struct in_addr *ipv4, struct in6_addr *ret_address)
{
	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->s6_addr[10] = 0xff;
	ret_address->s6_addr[11] = 0xff;
	memcpy(&ret_address->s6_addr[12], ipv4, sizeof(*ipv4));
}

bool address_parse(const char *text, struct in6_addr *ret_address)
{
	struct in6_addr ipv6;
	struct in_addr ipv4;

	if (inet_pton(AF_INET, text, &ipv4) == 1) {
		map_ipv4(&ipv4, ret_address);
		return true;
	}
	/* Text such as ::ffff:192.0.2.1 names no IPv6 address of a router. */
	if (inet_pton(AF_INET6, text, &ipv6) != 1 ||
	    IN6_IS_ADDR_V4MAPPED(&ipv6))
		return false;
	*ret_address = ipv6;
	return true;
}

static const char *unusable_ipv4(uint32_t address)
{
	if (address == INADDR_ANY)
		return "is the unspecified address";
	if (address == INADDR_BROADCAST)
		return "is the broadcast address";
	if (IN_MULTICAST(address))
		return "is a multicast address";
	if (address >> 24 == IN_LOOPBACKNET)
		return "is in 127.0.0.0/8, which no other machine can reach";
	/* 0.0.0.0/8 and 240.0.0.0/4, RFC 6890 2.2.2 */
	if (address >> 24 == 0 || address >> 28 == 0xf)
		return "is in a reserved block";
	return NULL;
}

const char *address_unusable(const struct in6_addr *address)
{
	uint32_t ipv4;

	if (IN6_IS_ADDR_V4MAPPED(address)) {
		memcpy(&ipv4, &address->s6_addr[12], sizeof(ipv4));
		return unusable_ipv4(ntohl(ipv4));
	}
	if (IN6_IS_ADDR_UNSPECIFIED(address))
		return "is the unspecified address";
	if (IN6_IS_ADDR_LOOPBACK(address))
		return "is loopback, which no other machine can reach";
	if (IN6_IS_ADDR_MULTICAST(address))
		return "is a multicast address";
	/* means something else on every link (RFC 4007 4) */
	if (IN6_IS_ADDR_LINKLOCAL(address))
		return "is a link-local address";
	return NULL;
}

int address_family(const struct in6_addr *address)
{
	return IN6_IS_ADDR_V4MAPPED(address) ? AF_INET : AF_INET6;
}

bool address_equal(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool address_among(const struct in6_addr *addresses, size_t count,
		   const struct in6_addr *address)
{
	for (size_t i = 0; i < count; i++)
		if (address_equal(&addresses[i], address))
			return true;
	return false;
}

const uint8_t *address_bytes(const struct in6_addr *address, size_t *ret_len)
{
	if (address_family(address) == AF_INET) {
		*ret_len = 4;
		return &address->s6_addr[12];
	}
	*ret_len = 16;
	return address->s6_addr;
}

const char *address_text(const struct in6_addr *address, char *ret_text)
{
	size_t len;
	const uint8_t *bytes = address_bytes(address, &len);

	inet_ntop(address_family(address), bytes, ret_text, INET6_ADDRSTRLEN);
	return ret_text;
}

socklen_t address_to_sockaddr(const struct in6_addr *address, uint16_t port,
			      struct sockaddr_storage *ret_sockaddr)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)ret_sockaddr;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ret_sockaddr;

	memset(ret_sockaddr, 0, sizeof(*ret_sockaddr));
	if (address_family(address) == AF_INET) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		memcpy(&sin->sin_addr, &address->s6_addr[12], 4);
		return sizeof(*sin);
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	sin6->sin6_addr = *address;
	return sizeof(*sin6);
}

bool address_from_sockaddr(const struct sockaddr *sockaddr,
			   struct in6_addr *ret_address)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	if (sockaddr->sa_family == AF_INET) {
		memcpy(&sin, sockaddr, sizeof(sin));
		map_ipv4(&sin.sin_addr, ret_address);
		return true;
	}
	if (sockaddr->sa_family != AF_INET6)
		return false;
	memcpy(&sin6, sockaddr, sizeof(sin6));
	*ret_address = sin6.sin6_addr;
	return true;
}
