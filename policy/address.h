/* IP addresses as bgpward holds them: struct in6_addr, IPv4 mapped. */
#ifndef POLICY_ADDRESS_H
#define POLICY_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Parse "192.0.2.1" or "2001:db8::1"; false if it is neither. */
bool address_parse(const char *text, struct in6_addr *ret_address);

/* Format without the mapping; ret_text has INET6_ADDRSTRLEN bytes and is
 * returned. */
const char *address_text(const struct in6_addr *address, char *ret_text);

/* NULL if a router can have it on its loopback interface for others to reach, or
 * else why not: "is a multicast address". */
const char *address_unusable(const struct in6_addr *address);

/* AF_INET or AF_INET6. */
int address_family(const struct in6_addr *address);

bool address_equal(const struct in6_addr *a, const struct in6_addr *b);
/* Is it one of these? */
bool address_among(const struct in6_addr *addresses, size_t count,
		   const struct in6_addr *address);

/* The 4 or 16 bytes that travel; *ret_len says which. */
const uint8_t *address_bytes(const struct in6_addr *address, size_t *ret_len);

/* To and from a socket address; port in host order. */
socklen_t address_to_sockaddr(const struct in6_addr *address, uint16_t port,
			      struct sockaddr_storage *ret_sockaddr);
bool address_from_sockaddr(const struct sockaddr *sockaddr,
			   struct in6_addr *ret_address);

#endif
