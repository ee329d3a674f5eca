/* Reading clsact by netlink. See rtnetlink(7), tc-bpf(8). */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/clsact.h"

enum { REPLY_SIZE = 32768 };	/* what the kernel fills at most in a dump */

struct request {
	struct nlmsghdr header;
	struct tcmsg tc;
};

/* Is called for each message of an answer. */
struct reader {
	void (*read)(void *ctx, const struct nlmsghdr *message);
	void *ctx;
};

static int open_rtnetlink(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	/* connected: messages of other processes do not arrive */
	if (connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) != 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int acknowledged(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = NLMSG_DATA(message);

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*error)))
		return -EPROTO;
	return error->error;
}

/* One datagram: 1 if the reply goes on, 0 at its end, or -errno. */
static int walk(const struct nlmsghdr *message, size_t len,
		const struct reader *reader)
{
	for (; NLMSG_OK(message, len); message = NLMSG_NEXT(message, len)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return 0;
		if (message->nlmsg_type == NLMSG_ERROR)
			return acknowledged(message);
		reader->read(reader->ctx, message);
	}
	return 1;
}

/* Ask, and hand every message of the answer to the reader. It ends with the
 * NLMSG_DONE of a dump or with the acknowledgement. */
static int ask(struct request *request, const struct reader *reader)
{
	char reply[REPLY_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	int fd = open_rtnetlink();
	int err = 1;

	if (fd < 0)
		return fd;
	request->header.nlmsg_len = sizeof(*request);
	if (send(fd, request, sizeof(*request), 0) < 0)
		err = -errno;
	while (err == 1) {
		ssize_t len = recv(fd, reply, sizeof(reply), MSG_TRUNC);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			err = -errno;
		else if ((size_t)len > sizeof(reply))
			err = -EMSGSIZE;
		else
			err = walk((const struct nlmsghdr *)reply, len,
				   reader);
	}
	close(fd);
	return err;
}

static const struct rtattr *find(const struct rtattr *attr, size_t len,
				 unsigned short type)
{
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if ((attr->rta_type & NLA_TYPE_MASK) == type)
			return attr;
	return NULL;
}

static bool has_text(const struct rtattr *attr, const char *text)
{
	size_t len = strlen(text) + 1;

	return attr && RTA_PAYLOAD(attr) >= len &&
	       memcmp(RTA_DATA(attr), text, len) == 0;
}

/* The attributes behind a tcmsg, or NULL. */
static const struct rtattr *attributes(const struct nlmsghdr *message,
				       size_t *ret_len)
{
	size_t head = NLMSG_LENGTH(sizeof(struct tcmsg));

	if (message->nlmsg_len < head)
		return NULL;
	*ret_len = message->nlmsg_len - head;
	return (const struct rtattr *)((const char *)message +
				       NLMSG_ALIGN(head));
}

/* -------------------------------------------------------------- the qdisc */

struct qdisc_search {
	unsigned ifindex;
	int found;
};

static void see_qdisc(void *ctx, const struct nlmsghdr *message)
{
	struct qdisc_search *search = ctx;
	const struct tcmsg *tc = NLMSG_DATA(message);
	const struct rtattr *attr;
	size_t len;

	attr = attributes(message, &len);
	if (message->nlmsg_type != RTM_NEWQDISC || !attr ||
	    (unsigned)tc->tcm_ifindex != search->ifindex ||
	    tc->tcm_parent != TC_H_CLSACT)
		return;
	search->found = has_text(find(attr, len, TCA_KIND), "clsact") ?
			1 : -EEXIST;
}

int clsact_present(unsigned ifindex)
{
	/* ECHO: before Linux 6.8 the answer is a notification, which is
	 * sent to those who asked only with this flag. */
	struct request request = {
		.header.nlmsg_type = RTM_GETQDISC,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO,
		.tc.tcm_family = AF_UNSPEC,
		.tc.tcm_ifindex = (int)ifindex,
		.tc.tcm_parent = TC_H_CLSACT,
	};
	struct qdisc_search search = { .ifindex = ifindex };
	struct reader reader = { .read = see_qdisc, .ctx = &search };
	int err = ask(&request, &reader);

	if (err == -ENOENT)
		return 0;
	return err ? err : search.found;
}

/* ------------------------------------------------------------ the filters */

static void see_ours(struct clsact_view *view, const struct rtattr *attr,
		     size_t len)
{
	const struct rtattr *options = find(attr, len, TCA_OPTIONS);
	const struct rtattr *id, *name;

	view->taken = true;
	if (!options || !has_text(find(attr, len, TCA_KIND), "bpf"))
		return;
	attr = RTA_DATA(options);
	len = RTA_PAYLOAD(options);
	id = find(attr, len, TCA_BPF_ID);
	if (id && RTA_PAYLOAD(id) >= sizeof(view->program_id))
		memcpy(&view->program_id, RTA_DATA(id),
		       sizeof(view->program_id));
	/* "name:[id]", as libbpf writes it */
	name = find(attr, len, TCA_BPF_NAME);
	for (size_t i = 0; name && i < RTA_PAYLOAD(name) &&
	     i < sizeof(view->name) - 1; i++) {
		char c = ((const char *)RTA_DATA(name))[i];

		if (c == ':' || c == '\0')
			break;
		view->name[i] = c;
	}
}

static void see_filter(void *ctx, const struct nlmsghdr *message)
{
	struct clsact_view *view = ctx;
	const struct tcmsg *tc = NLMSG_DATA(message);
	const struct rtattr *attr;
	size_t len;

	attr = attributes(message, &len);
	if (message->nlmsg_type != RTM_NEWTFILTER || !attr)
		return;
	/* Each priority has an entry with handle 0 for itself. */
	if (TC_H_MAJ(tc->tcm_info) != CLSACT_PRIORITY << 16)
		view->others++;
	else if (tc->tcm_handle == CLSACT_HANDLE)
		see_ours(view, attr, len);
	else if (tc->tcm_handle)
		view->others++;
}

int clsact_read(unsigned ifindex, enum bpf_tc_attach_point point,
		struct clsact_view *ret_view)
{
	struct request request = {
		.header.nlmsg_type = RTM_GETTFILTER,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.tc.tcm_family = AF_UNSPEC,
		.tc.tcm_ifindex = (int)ifindex,
		.tc.tcm_parent = TC_H_MAKE(TC_H_CLSACT,
					   point == BPF_TC_INGRESS ?
					   TC_H_MIN_INGRESS :
					   TC_H_MIN_EGRESS),
	};
	struct clsact_view view = { 0 };
	struct reader reader = { .read = see_filter, .ctx = &view };
	int err = ask(&request, &reader);

	if (!err)
		*ret_view = view;
	return err;
}
