#include "sidecar/inner.h"

#include <string.h>

#include "policy/address.h"

uint16_t inner_get_u16(const uint8_t *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

uint32_t inner_get_u32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
	       (uint32_t)from[2] << 8 | from[3];
}

void inner_put_u16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

void inner_put_u32(uint8_t *to, uint32_t value)
{
	inner_put_u16(to, (uint16_t)(value >> 16));
	inner_put_u16(to + 2, (uint16_t)value);
}

bool inner_read_tcp(const uint8_t *tcp, size_t len,
		    struct inner_tcp_header *ret_header)
{
	size_t header_len;

	if (len < INNER_TCP_MIN)
		return false;
	header_len = (tcp[INNER_TCP_OFFSET] >> 4) * 4u;
	if (header_len < INNER_TCP_MIN || header_len > len)
		return false;
	ret_header->source = inner_get_u16(tcp);
	ret_header->destination = inner_get_u16(tcp + 2);
	ret_header->len = header_len;
	return true;
}

static void map_ipv4(const uint8_t *from, struct in6_addr *ret_address)
{
	memset(ret_address->s6_addr, 0, 10);
	memset(ret_address->s6_addr + 10, 0xff, 2);
	memcpy(ret_address->s6_addr + 12, from, 4);
}

/* The packet's length by its own account; 0 if we do not take it. */
static size_t read_ipv4(const uint8_t *packet, struct inner *inner)
{
	/* 0x45: version 4, no options. More fragments, or an offset: no. */
	if (packet[0] != 0x45 || packet[9] != IPPROTO_TCP ||
	    inner_get_u16(packet + 6) & 0x3fff)
		return 0;
	inner->ip_len = INNER_IPV4_LEN;
	map_ipv4(packet + 12, &inner->source);
	map_ipv4(packet + 16, &inner->destination);
	return inner_get_u16(packet + 2);
}

static size_t read_ipv6(const uint8_t *packet, struct inner *inner)
{
	if (packet[0] >> 4 != 6 || packet[6] != IPPROTO_TCP)
		return 0;
	inner->ip_len = INNER_IPV6_LEN;
	memcpy(&inner->source, packet + 8, sizeof(inner->source));
	memcpy(&inner->destination, packet + 24, sizeof(inner->destination));
	/* an IPv6 packet between mapped addresses is no IPv4 pair's */
	if (IN6_IS_ADDR_V4MAPPED(&inner->source) ||
	    IN6_IS_ADDR_V4MAPPED(&inner->destination))
		return 0;
	return INNER_IPV6_LEN + (size_t)inner_get_u16(packet + 4);
}

bool inner_read(const uint8_t *packet, size_t len, bool gso,
		struct inner *ret_inner)
{
	struct inner inner;
	size_t own = 0;

	if (len >= INNER_IPV4_LEN && packet[0] >> 4 == 4)
		own = read_ipv4(packet, &inner);
	else if (len >= INNER_IPV6_LEN)
		own = read_ipv6(packet, &inner);
	if (!own || (own != len && !gso) || len < inner.ip_len ||
	    !inner_read_tcp(packet + inner.ip_len, len - inner.ip_len,
			    &inner.tcp))
		return false;
	inner.payload_len = len - inner.ip_len - inner.tcp.len;
	*ret_inner = inner;
	return true;
}

bool inner_fits(enum plane_kind kind, uint16_t local_port, uint16_t peer_port)
{
	switch (kind) {
	case PLANE_ACTIVE:
		return peer_port == INNER_BGP_PORT;
	case PLANE_PASSIVE:
		return local_port == INNER_BGP_PORT;
	case PLANE_KINDS:
		break;
	}
	return false;
}
