#include "sidecar/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

struct netlink {
	struct mnl_socket *socket;
	uint32_t sequence;
	union {
		struct nlmsghdr header;
		uint8_t bytes[NETLINK_REPLY_SIZE];
	} reply;
};

/* An answer, as far as it has been read. */
struct answer {
	uint32_t sequence;
	netlink_each *each;
	void *ctx;
	int result;
	bool interrupted, done;
};

static int set_timeout(struct mnl_socket *socket)
{
	struct timeval timeout = { .tv_sec = NETLINK_TIMEOUT_S };

	if (setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO,
		       &timeout, sizeof(timeout)) == -1)
		return -errno;
	return 0;
}

int netlink_open(int bus, struct netlink **ret_netlink)
{
	struct netlink *netlink = calloc(1, sizeof(*netlink));
	int err;

	if (!netlink)
		return -ENOMEM;
	netlink->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!netlink->socket) {
		err = -errno;
		goto fail;
	}
	if (mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) == -1) {
		err = -errno;
		goto fail;
	}
	err = set_timeout(netlink->socket);
	if (err)
		goto fail;
	*ret_netlink = netlink;
	return 0;
fail:
	netlink_close(netlink);
	return err;
}

void netlink_close(struct netlink *netlink)
{
	if (!netlink)
		return;
	if (netlink->socket)
		mnl_socket_close(netlink->socket);
	explicit_bzero(netlink, sizeof(*netlink));
	free(netlink);
}

struct nlmsghdr *netlink_begin(union netlink_request *request, uint16_t type,
			       uint16_t flags, const void *fixed, size_t len)
{
	struct nlmsghdr *message;

	memset(request, 0, sizeof(*request));
	message = mnl_nlmsg_put_header(request->bytes);
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	if (len)
		memcpy(mnl_nlmsg_put_extra_header(message, len), fixed, len);
	return message;
}

/* NLMSG_ERROR (0: acknowledged) and NLMSG_DONE both begin with an int. */
static int end_of_answer(const struct nlmsghdr *message)
{
	int err;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(err))
		return message->nlmsg_type == NLMSG_DONE ? 0 : -EPROTO;
	memcpy(&err, mnl_nlmsg_get_payload(message), sizeof(err));
	return err > 0 ? -EPROTO : err;
}

static void read_message(struct answer *answer, const struct nlmsghdr *message)
{
	int err;

	/* What is left of an earlier answer that we gave up on. */
	if (message->nlmsg_seq != answer->sequence)
		return;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		answer->interrupted = true;
	if (message->nlmsg_type == NLMSG_ERROR ||
	    message->nlmsg_type == NLMSG_DONE) {
		err = end_of_answer(message);
		if (answer->result == 0)
			answer->result = err;
		answer->done = true;
		return;
	}
	if (message->nlmsg_type < NLMSG_MIN_TYPE || answer->result != 0 ||
	    !answer->each)
		return;
	answer->result = answer->each(answer->ctx, message);
}

static int read_part(struct netlink *netlink, struct answer *answer)
{
	const struct nlmsghdr *message = &netlink->reply.header;
	ssize_t received;
	int left, err;

	do
		received = mnl_socket_recvfrom(netlink->socket,
					       netlink->reply.bytes,
					       sizeof(netlink->reply.bytes));
	while (received == -1 && errno == EINTR);
	if (received == -1) {
		/* a part that was cut off has been written all the same */
		err = errno == EAGAIN ? -ETIMEDOUT : -errno;
		explicit_bzero(netlink->reply.bytes,
			       sizeof(netlink->reply.bytes));
		return err;
	}
	left = (int)received;
	while (!answer->done && mnl_nlmsg_ok(message, left)) {
		read_message(answer, message);
		message = mnl_nlmsg_next(message, &left);
	}
	explicit_bzero(netlink->reply.bytes, (size_t)received);
	return 0;
}

int netlink_call(struct netlink *netlink, struct nlmsghdr *request,
		 netlink_each *each, void *ctx)
{
	struct answer answer = {
		.sequence = ++netlink->sequence, .each = each, .ctx = ctx
	};
	int err;

	/* A dump ends by itself; all else is to be acknowledged. (NLM_F_DUMP
	 * shares its bits with NLM_F_EXCL and so is only looked for whole.) */
	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->nlmsg_flags |= NLM_F_ACK;
	request->nlmsg_seq = answer.sequence;
	if (mnl_socket_sendto(netlink->socket, request,
			      request->nlmsg_len) == -1)
		return -errno;
	while (!answer.done) {
		err = read_part(netlink, &answer);
		if (err)
			return err;
	}
	if (answer.result == 0 && answer.interrupted)
		return -EINTR;
	return answer.result;
}
