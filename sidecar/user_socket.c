#include "sidecar/user_socket.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/address.h"
#include "sidecar/udp_share.h"

/* linux/ipv6.h collides with netinet/in.h */
#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL 36
#endif

static bool set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* ESP is no traffic of the SPD's: an entry of the socket's own says so in each
 * direction, and spares each packet a search of the SPD. */
static bool bypass_spd(int fd, int family)
{
	const int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	const int option = family == AF_INET ? IP_XFRM_POLICY :
					       IPV6_XFRM_POLICY;
	struct xfrm_userpolicy_info policy = {
		.sel.family = (uint16_t)family,
		.action = XFRM_POLICY_ALLOW,
	};

	policy.dir = XFRM_POLICY_OUT;
	if (setsockopt(fd, level, option, &policy, sizeof(policy)) == -1)
		return false;
	policy.dir = XFRM_POLICY_IN;
	return setsockopt(fd, level, option, &policy, sizeof(policy)) == 0;
}

/* Never to be fragmented; what does not fit the path is told. */
static bool configure(int fd, int family)
{
	if (!bypass_spd(fd, family) ||
	    !set(fd, SOL_SOCKET, SO_RCVBUFFORCE, USER_SOCKET_BUFFER) ||
	    !set(fd, SOL_SOCKET, SO_SNDBUFFORCE, USER_SOCKET_BUFFER))
		return false;
	if (family == AF_INET)
		return set(fd, IPPROTO_IP, IP_RECVERR, 1) &&
		       set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	return set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) &&
	       set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO) &&
	       set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) &&
	       set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
}

static bool configure_esp(int fd, int family)
{
	if (family == AF_INET)
		return set(fd, IPPROTO_IP, IP_HDRINCL, 1);
	return set(fd, IPPROTO_IPV6, IPV6_HDRINCL, 1) &&
	       set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

static bool configure_udp(int fd, int family)
{
	return set(fd, SOL_UDP, UDP_GRO, 1) &&
	       (family != AF_INET || (set(fd, IPPROTO_IP, IP_RECVTTL, 1) &&
				      set(fd, IPPROTO_IP, IP_RECVTOS, 1)));
}

int user_socket_open_esp(int family)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			IPPROTO_ESP);
	int err;

	if (fd == -1)
		return -errno;
	if (!configure(fd, family) || !configure_esp(fd, family)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int bind_udp(int fd, const struct in6_addr *local, uint16_t port)
{
	struct sockaddr_storage address;
	const socklen_t len = address_to_sockaddr(local, port, &address);
	int err = udp_share_prepare(fd);

	if (err)
		return err;
	/* as the daemon's own socket, for the sake of other IKE daemons */
	if (!set(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
	    bind(fd, (struct sockaddr *)&address, len) == -1)
		return -errno;
	return udp_share_join(fd, UDP_SHARE_ESP);
}

int user_socket_open_udp(const struct in6_addr *local, uint16_t port)
{
	const int family = address_family(local);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd == -1)
		return -errno;
	if (!configure(fd, family) || !configure_udp(fd, family))
		err = -errno;
	else
		err = bind_udp(fd, local, port);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* ------------------------------------------------------------------- table */

struct user_udp *user_sockets_udp(struct user_sockets *sockets,
				  const struct in6_addr *local, uint16_t port)
{
	for (size_t i = 0; i < sockets->udp_count; i++)
		if (sockets->udp[i].port == port &&
		    address_equal(&sockets->udp[i].local, local))
			return &sockets->udp[i];
	return NULL;
}

int user_sockets_of(struct user_sockets *sockets, const struct user_sa *sa)
{
	const struct in6_addr *local = &sa->pair->id.local;
	const struct user_udp *udp;

	if (!sa->udp_local)
		return IN6_IS_ADDR_V4MAPPED(local) ? sockets->esp_ipv4 :
						     sockets->esp_ipv6;
	udp = user_sockets_udp(sockets, local, sa->udp_local);
	return udp ? udp->fd : -1;
}

struct user_udp *user_sockets_by_fd(struct user_sockets *sockets, int fd)
{
	size_t i = 0;

	while (sockets->udp[i].fd != fd)
		i++;
	return &sockets->udp[i];
}

int user_sockets_add(struct user_sockets *sockets, const struct user_udp *udp)
{
	if (user_sockets_udp(sockets, &udp->local, udp->port))
		return -EEXIST;
	if (sockets->udp_count == USER_SOCKET_UDP)
		return -ENOSPC;
	sockets->udp[sockets->udp_count++] = *udp;
	return 0;
}
