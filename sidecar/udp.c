#include "sidecar/udp.h"

#include <errno.h>
#include <linux/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "policy/address.h"
#include "sidecar/udp_share.h"

enum { PORTS = 2, MARKER_SIZE = 4 };

static const uint8_t marker[MARKER_SIZE];

struct port {
	const struct udp *udp;
	uint16_t number;
	int fd;
	struct event *event;
};

struct udp {
	struct in6_addr local;
	struct port ports[PORTS];
	void (*received)(void *ctx, const struct udp_datagram *datagram);
	void *ctx;
};

/* IKE on port 4500 begins with four zero bytes; anything else there is ESP or
 * a keepalive (RFC 3948 2.3). */
static bool unmark(struct udp_datagram *datagram)
{
	if (datagram->local_port != UDP_IKE_NAT_PORT)
		return true;
	if (datagram->len < MARKER_SIZE ||
	    memcmp(datagram->data, marker, MARKER_SIZE) != 0)
		return false;
	datagram->data += MARKER_SIZE;
	datagram->len -= MARKER_SIZE;
	return true;
}

static bool receive_one(const struct port *port)
{
	/* One buffer serves all sockets: there is one thread, and what is
	 * received is not kept. */
	static uint8_t buffer[UDP_MAX_DATAGRAM];
	struct sockaddr_storage from = { 0 };
	socklen_t from_len = sizeof(from);
	struct udp_datagram datagram = {
		.local = port->udp->local,
		.local_port = port->number,
		.data = buffer,
	};
	ssize_t len = recvfrom(port->fd, buffer, sizeof(buffer), 0,
			       (struct sockaddr *)&from, &from_len);

	if (len < 0)
		return errno == EINTR;
	if (!address_from_sockaddr((struct sockaddr *)&from, &datagram.remote))
		return true;
	/* The port stands at the same place in both families.
	 * NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it is filled. */
	datagram.remote_port = ntohs(((struct sockaddr_in *)&from)->sin_port);
	datagram.len = (size_t)len;
	if (unmark(&datagram))
		port->udp->received(port->udp->ctx, &datagram);
	return true;
}

static void readable(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	for (int i = 0; i < UDP_BATCH && receive_one(ctx); i++)
		;
}

/* ESP for the kernel's SAs never gets as far as a socket (RFC 3948); marked
 * datagrams do. */
static int take_esp(int fd)
{
	const int type = UDP_ENCAP_ESPINUDP;

	return setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof(type));
}

static int bind_socket(const struct in6_addr *local, uint16_t number,
		       int *ret_fd)
{
	struct sockaddr_storage address;
	socklen_t len = address_to_sockaddr(local, number, &address);
	const bool shared = number == UDP_IKE_NAT_PORT;
	const int on = 1;
	int fd = socket(address_family(local),
			SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* Another IKE daemon may hold the wildcard address; the more exact
	 * binding, ours, receives what is for this address. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (shared && (udp_share_prepare(fd) < 0 || take_esp(fd) < 0)) ||
	    bind(fd, (struct sockaddr *)&address, len) < 0 ||
	    (shared && udp_share_join(fd, UDP_SHARE_IKE) < 0)) {
		int err = -errno;

		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

static int open_port(struct event_base *base, struct udp *udp,
		     struct port *port, uint16_t number)
{
	int err = bind_socket(&udp->local, number, &port->fd);

	if (err)
		return err;
	port->udp = udp;
	port->number = number;
	port->event = event_new(base, port->fd, EV_READ | EV_PERSIST, readable,
				port);
	return port->event && event_add(port->event, NULL) == 0 ? 0 : -ENOMEM;
}

int udp_open(struct event_base *base, const struct in6_addr *local,
	     void (*received)(void *ctx, const struct udp_datagram *datagram),
	     void *ctx, struct udp **ret_udp)
{
	struct udp *udp = calloc(1, sizeof(*udp));
	int err;

	if (!udp)
		return -ENOMEM;
	udp->local = *local;
	udp->received = received;
	udp->ctx = ctx;
	for (int i = 0; i < PORTS; i++)
		udp->ports[i].fd = -1;
	err = open_port(base, udp, &udp->ports[0], UDP_IKE_PORT);
	if (!err)
		err = open_port(base, udp, &udp->ports[1], UDP_IKE_NAT_PORT);
	if (err) {
		udp_close(udp);
		return err;
	}
	*ret_udp = udp;
	return 0;
}

void udp_close(struct udp *udp)
{
	if (!udp)
		return;
	for (int i = 0; i < PORTS; i++) {
		if (udp->ports[i].event)
			event_free(udp->ports[i].event);
		if (udp->ports[i].fd >= 0)
			close(udp->ports[i].fd);
	}
	free(udp);
}

/* sendmsg(2) reads only; its struct has no const. */
static struct iovec piece(const void *data, size_t len)
{
	struct iovec iovec = { .iov_len = len };

	memcpy(&iovec.iov_base, &data, sizeof(data));
	return iovec;
}

static int send_pieces(const struct port *port, const struct in6_addr *remote,
		       uint16_t remote_port, struct iovec pieces[2])
{
	struct sockaddr_storage to;
	const struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = address_to_sockaddr(remote, remote_port, &to),
		.msg_iov = pieces,
		.msg_iovlen = 2,
	};

	return sendmsg(port->fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int udp_send(const struct udp *udp, uint16_t local_port,
	     const struct in6_addr *remote, uint16_t remote_port,
	     const uint8_t *data, size_t len)
{
	const bool marked = local_port == UDP_IKE_NAT_PORT;
	struct iovec pieces[] = {
		piece(marker, marked ? MARKER_SIZE : 0),
		piece(data, len),
	};

	return send_pieces(&udp->ports[marked], remote, remote_port, pieces);
}

int udp_keepalive(const struct udp *udp, const struct in6_addr *remote,
		  uint16_t remote_port)
{
	static const uint8_t octet = 0xff;
	struct iovec pieces[] = { piece(&octet, 1), piece(NULL, 0) };

	return send_pieces(&udp->ports[1], remote, remote_port, pieces);
}
