#include "sidecar/user_arrival.h"

#include <netinet/udp.h>
#include <string.h>

#include "policy/address.h"
#include "sidecar/esp.h"

static void map_ipv4(const uint8_t *from, struct in6_addr *ret_address)
{
	memset(ret_address->s6_addr, 0, 10);
	memset(ret_address->s6_addr + 10, 0xff, 2);
	memcpy(ret_address->s6_addr + 12, from, 4);
}

/* IPv4 comes with its header. Options are not carried on. */
bool user_arrival_read_ipv4(const struct msghdr *message, size_t len,
			    struct user_arrival *ret_arrival)
{
	const uint8_t *ip = message->msg_iov->iov_base;
	size_t ip_len;

	if (len < INNER_IPV4_LEN)
		return false;
	ip_len = (ip[0] & 0xf) * 4u;
	if (ip[0] >> 4 != 4 || ip_len < INNER_IPV4_LEN || ip_len > len)
		return false;
	memset(ret_arrival, 0, sizeof(*ret_arrival));
	map_ipv4(ip + 16, &ret_arrival->pair.local);
	map_ipv4(ip + 12, &ret_arrival->pair.peer);
	memcpy(ret_arrival->ip, ip, INNER_IPV4_LEN);
	ret_arrival->ip[0] = 0x45;
	ret_arrival->ip[9] = IPPROTO_TCP;
	ret_arrival->ip_len = INNER_IPV4_LEN;
	ret_arrival->esp = ip + ip_len;
	ret_arrival->size = ret_arrival->esp_len = len - ip_len;
	return true;
}

/* ------------------------------------------------------------------ told */

/* What control messages say. */
struct told {
	int hops, class, size;
	struct in6_pktinfo info;
	bool has_info;
};

/* A number of this length, in the machine's order: the traffic class of IPv4
 * is one byte, all others are int. */
static int number(const struct cmsghdr *header)
{
	const size_t len = header->cmsg_len - CMSG_LEN(0);
	int value = 0;

	if (len == 1)
		return *CMSG_DATA(header);
	if (len == sizeof(value))
		memcpy(&value, CMSG_DATA(header), sizeof(value));
	return value;
}

static void take_ipv6(const struct cmsghdr *header, struct told *told)
{
	switch (header->cmsg_type) {
	case IPV6_PKTINFO:
		memcpy(&told->info, CMSG_DATA(header), sizeof(told->info));
		told->has_info = true;
		break;
	case IPV6_HOPLIMIT:
		told->hops = number(header);
		break;
	case IPV6_TCLASS:
		told->class = number(header);
		break;
	}
}

static struct told read_told(struct msghdr *message)
{
	struct told told = { .has_info = false };

	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at;
	     at = CMSG_NXTHDR(message, at)) {
		if (at->cmsg_level == IPPROTO_IPV6)
			take_ipv6(at, &told);
		else if (at->cmsg_level == SOL_UDP && at->cmsg_type == UDP_GRO)
			told.size = number(at);
		else if (at->cmsg_level == IPPROTO_IP &&
			 at->cmsg_type == IP_TTL)
			told.hops = number(at);
		else if (at->cmsg_level == IPPROTO_IP &&
			 at->cmsg_type == IP_TOS)
			told.class = number(at);
	}
	return told;
}

/* ----------------------------------------------------------- made headers */

static void make_ipv4(const struct told *told, struct user_arrival *arrival)
{
	uint8_t *ip = arrival->ip;

	ip[0] = 0x45;
	ip[1] = (uint8_t)told->class;
	ip[6] = 0x40;		/* as it was sent: not to be fragmented */
	ip[8] = (uint8_t)told->hops;
	ip[9] = IPPROTO_TCP;
	memcpy(ip + 12, arrival->pair.peer.s6_addr + 12, 4);
	memcpy(ip + 16, arrival->pair.local.s6_addr + 12, 4);
	arrival->ip_len = INNER_IPV4_LEN;
}

static void make_ipv6(const struct told *told, struct user_arrival *arrival)
{
	uint8_t *ip = arrival->ip;

	ip[0] = (uint8_t)(0x60 | told->class >> 4);
	ip[1] = (uint8_t)(told->class << 4);
	ip[6] = IPPROTO_TCP;
	ip[7] = (uint8_t)told->hops;
	memcpy(ip + 8, &arrival->pair.peer, 16);
	memcpy(ip + 24, &arrival->pair.local, 16);
	arrival->ip_len = INNER_IPV6_LEN;
}

/* IPv6 comes without: hop limit and traffic class are told beside it. */
bool user_arrival_read_ipv6(struct msghdr *message, size_t len,
			    struct user_arrival *ret_arrival)
{
	const struct told told = read_told(message);
	const struct sockaddr_in6 *from = message->msg_name;

	if (!told.has_info)
		return false;
	memset(ret_arrival, 0, sizeof(*ret_arrival));
	ret_arrival->pair.local = told.info.ipi6_addr;
	ret_arrival->pair.peer = from->sin6_addr;
	make_ipv6(&told, ret_arrival);
	ret_arrival->esp = message->msg_iov->iov_base;
	ret_arrival->size = ret_arrival->esp_len = len;
	return true;
}

/* RFC 3948 2.2, 2.3: zeros in the SPI's place are IKE's marker, and a byte by
 * itself keeps a NAT's mapping alive. */
static bool is_esp(const uint8_t *packet, size_t len)
{
	uint32_t spi, low;

	return esp_read_header(packet, len, &spi, &low) && spi != 0;
}

bool user_arrival_read_udp(struct msghdr *message, size_t len,
			   const struct user_udp *udp,
			   struct user_arrival *ret_arrival)
{
	const struct told told = read_told(message);
	const struct sockaddr_in6 *from = message->msg_name;

	if (!is_esp(message->msg_iov->iov_base, len))
		return false;
	memset(ret_arrival, 0, sizeof(*ret_arrival));
	ret_arrival->pair.local = udp->local;
	if (!address_from_sockaddr(message->msg_name, &ret_arrival->pair.peer))
		return false;
	ret_arrival->udp_local = udp->port;
	/* at the same place in both families */
	ret_arrival->udp_peer = ntohs(from->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&udp->local))
		make_ipv4(&told, ret_arrival);
	else
		make_ipv6(&told, ret_arrival);
	ret_arrival->esp = message->msg_iov->iov_base;
	ret_arrival->esp_len = len;
	ret_arrival->size = told.size > 0 ? (size_t)told.size : len;
	return true;
}
