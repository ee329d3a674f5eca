#include "sidecar/too_big.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/address.h"
#include "sidecar/esp.h"
#include "sidecar/inner.h"

enum {
	CONTROL_LEN = 512	/* bytes */
};

static const struct sock_extended_err *find_error(struct msghdr *message)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at;
	     at = CMSG_NXTHDR(message, at)) {
		if (at->cmsg_len < CMSG_LEN(sizeof(struct sock_extended_err)))
			continue;
		if ((at->cmsg_level == IPPROTO_IP &&
		     at->cmsg_type == IP_RECVERR) ||
		    (at->cmsg_level == IPPROTO_IPV6 &&
		     at->cmsg_type == IPV6_RECVERR))
			return (const void *)CMSG_DATA(at);
	}
	return NULL;
}

/* The SPI of the packet that a report is about. With our own IP header in
 * front (IP_HDRINCL) or, as IPv6 has it, without. */
static bool read_spi(const uint8_t *packet, size_t len, uint32_t *ret_spi)
{
	size_t at = 0;

	if (len >= INNER_IPV4_LEN && packet[0] == 0x45 &&
	    packet[9] == IPPROTO_ESP)
		at = INNER_IPV4_LEN;
	else if (len >= INNER_IPV6_LEN && packet[0] >> 4 == 6 &&
		 packet[6] == IPPROTO_ESP)
		at = INNER_IPV6_LEN;
	if (len < at + 4)
		return false;
	*ret_spi = inner_get_u32(packet + at);
	return *ret_spi >= ESP_SPI_MIN;
}

bool too_big_read(int fd, struct too_big *ret_report)
{
	uint8_t packet[INNER_IPV6_LEN + ESP_HEADER_LEN];
	struct sockaddr_storage name = { .ss_family = AF_UNSPEC };
	struct iovec iovec = { packet, sizeof(packet) };
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_LEN];
	struct msghdr message = {
		.msg_name = &name, .msg_namelen = sizeof(name),
		.msg_iov = &iovec, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control)
	};
	struct too_big report = { .mtu = 0 };
	const struct sock_extended_err *error;
	ssize_t len = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (len < 0)
		return false;
	error = find_error(&message);
	if (error && error->ee_errno == EMSGSIZE &&
	    address_from_sockaddr((struct sockaddr *)&name, &report.peer) &&
	    (error->ee_origin == SO_EE_ORIGIN_LOCAL ||
	     read_spi(packet, (size_t)len, &report.spi)))
		report.mtu = error->ee_info;
	*ret_report = report;
	return true;
}
