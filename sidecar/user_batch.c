#include "sidecar/user_batch.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>

#include "policy/address.h"

/* ----------------------------------------------------------------- address */

static void put_control(struct user_batch *batch, int level, int type,
			const void *value, size_t len)
{
	struct cmsghdr *header = (void *)(batch->control + batch->control_len);

	memset(header, 0, CMSG_SPACE(len));
	header->cmsg_level = level;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(header), value, len);
	batch->control_len += CMSG_SPACE(len);
}

/* The source is given twice, in the IP header and here, where the routing
 * rules of the machine look at it. */
static void put_source(struct user_batch *batch, const struct in6_addr *local)
{
	const struct in6_pktinfo info6 = { .ipi6_addr = *local };
	struct in_pktinfo info4 = { .ipi_ifindex = 0 };

	if (!IN6_IS_ADDR_V4MAPPED(local)) {
		put_control(batch, IPPROTO_IPV6, IPV6_PKTINFO, &info6,
			    sizeof(info6));
		return;
	}
	memcpy(&info4.ipi_spec_dst, local->s6_addr + 12, 4);
	put_control(batch, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
}

/* Hop limit and traffic class are those of TCP: ECN, and RFC 5082 for BGP. */
static void put_ip(struct user_batch *batch, const uint8_t *ip)
{
	int hops = ip[8], class = ip[1];

	if (ip[0] >> 4 == 4) {
		put_control(batch, IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
		put_control(batch, IPPROTO_IP, IP_TOS, &class, sizeof(class));
		return;
	}
	hops = ip[7];
	class = (ip[0] & 0xf) << 4 | ip[1] >> 4;
	put_control(batch, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof(hops));
	put_control(batch, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class));
}

bool user_batch_begin(struct user_batch *batch, struct user_sockets *sockets,
		      const struct user_sa *sa, const uint8_t *ip_header)
{
	const struct plane_pair *pair = &sa->pair->id;

	batch->sa = sa;
	batch->fd = user_sockets_of(sockets, sa);
	batch->name_len = address_to_sockaddr(&pair->peer, sa->udp_peer,
					      &batch->name);
	batch->control_len = 0;
	if (sa->udp_local)
		put_ip(batch, ip_header);
	else
		put_source(batch, &pair->local);
	return batch->fd >= 0;
}

/* -------------------------------------------------------------------- seal */

/* The kernel fills in the length and checksum of IPv4. */
static size_t make_ip(const struct segment *segment, size_t esp_len,
		      uint8_t *head)
{
	const size_t ip_len = segment->ip_len;

	memcpy(head, segment->header, ip_len);
	if (ip_len == INNER_IPV6_LEN) {
		inner_put_u16(head + 4, (uint16_t)esp_len);
		head[6] = IPPROTO_ESP;
	} else {
		inner_put_u16(head + 2, (uint16_t)(ip_len + esp_len));
		head[6] |= 0x40;	/* never to be fragmented */
		head[9] = IPPROTO_ESP;
	}
	return ip_len;
}

/* IP header with ESP in it if it is bare, ESP header, TCP header. */
static size_t make_head(const struct user_batch *batch,
			const struct segment *segment,
			struct user_parcel *parcel)
{
	const struct esp_frame *frame = &parcel->frame;
	uint8_t *head = parcel->head;
	size_t at = 0;

	if (!batch->sa->udp_local)
		at = make_ip(segment, parcel->len, head);
	memcpy(head + at, frame->head, frame->head_len);
	at += frame->head_len;
	memcpy(head + at, segment->header + segment->ip_len, segment->tcp_len);
	return at + segment->tcp_len;
}

bool user_batch_is_full(const struct user_batch *batch)
{
	return batch->count == USER_BATCH_PACKETS;
}

size_t user_batch_add(struct user_batch *batch, struct segment *segment,
		      uint64_t sequence)
{
	const struct user_sa *sa = batch->sa;
	union {
		const uint8_t *in;
		uint8_t *out;
	} payload = { .in = segment->payload };
	const struct iovec pieces[] = {
		{ segment->header + segment->ip_len, segment->tcp_len },
		{ payload.out, segment->payload_len },
	};
	const struct esp_number number = { sa->spi, sequence, sa->esn };
	struct user_parcel *parcel = &batch->parcels[batch->count];
	struct iovec *iovecs = &batch->iovecs[batch->count * USER_BATCH_PIECES];
	struct esp_frame *frame = &parcel->frame;

	if (!esp_seal(sa->key, &number, IPPROTO_TCP, pieces, 2, frame))
		return 0;
	parcel->len = frame->head_len + segment->tcp_len +
		      segment->payload_len + frame->tail_len;
	iovecs[0] = (struct iovec){ parcel->head,
				    make_head(batch, segment, parcel) };
	iovecs[1] = pieces[1];
	iovecs[2] = (struct iovec){ frame->tail, frame->tail_len };
	batch->count++;
	return parcel->len;
}

/* -------------------------------------------------------------------- send */

static bool wait_for_room(int fd)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	return poll(&room, 1, USER_BATCH_WAIT_MS) == 1 &&
	       room.revents & POLLOUT;
}

static void count_dropped(struct user_batch *batch, unsigned packets,
			  enum plane_counter reason)
{
	while (packets-- > 0)
		user_pair_count(batch->sa->pair, reason);
}

/* What to do with packets that would not go. True: try them again. */
static bool overcome(struct user_batch *batch, unsigned packets, int err)
{
	switch (err) {
	case EINTR:
		return true;
	case EAGAIN:
		if (wait_for_room(batch->fd))
			return true;
		count_dropped(batch, packets, PLANE_OUT_NO_QUEUE_SPACE);
		return false;
	case ENOBUFS:	/* the device's queue, which has dropped it */
		count_dropped(batch, packets, PLANE_OUT_NO_QUEUE_SPACE);
		return false;
	case EMSGSIZE:
		batch->too_big = true;
		count_dropped(batch, packets, PLANE_OUT_TOO_BIG);
		return false;
	}
	count_dropped(batch, packets, PLANE_OUT_ERROR);
	return false;
}

static struct msghdr message_of(struct user_batch *batch, unsigned first,
				unsigned count)
{
	return (struct msghdr){
		.msg_name = &batch->name,
		.msg_namelen = batch->name_len,
		.msg_control = batch->control,
		.msg_controllen = batch->control_len,
		.msg_iov = &batch->iovecs[first * USER_BATCH_PIECES],
		.msg_iovlen = count * USER_BATCH_PIECES,
	};
}

/* An ICMP error of anybody's making, about a packet that need not be ours,
 * waits in the socket, and the next one to be sent gets it and stays. Those
 * errors that speak of the packet itself come again. */
static bool may_be_of_another(int err)
{
	return err != EINTR && err != EAGAIN && err != ENOBUFS;
}

/* One message each. */
static void send_singly(struct user_batch *batch, unsigned done, unsigned end)
{
	unsigned attempts = 0;
	int sent;

	for (unsigned i = done; i < end; i++)
		batch->messages[i].msg_hdr = message_of(batch, i, 1);
	while (done < end) {
		sent = sendmmsg(batch->fd, batch->messages + done, end - done,
				0);
		if (sent > 0)
			done += (unsigned)sent;
		else if (may_be_of_another(errno) &&
			 ++attempts < USER_BATCH_ATTEMPTS)
			continue;
		else if (!overcome(batch, 1, errno))
			done++;		/* TCP will send it again */
		attempts = 0;
	}
}

/* How many from `first` on make one message for UDP_SEGMENT. */
static unsigned run_length(const struct user_batch *batch, unsigned first)
{
	const size_t size = batch->parcels[first].len;
	size_t bytes = size, len;
	unsigned at = first + 1;

	for (; at < batch->count; at++) {
		len = batch->parcels[at].len;
		if (len > size || len > USER_BATCH_UDP - bytes)
			break;
		bytes += len;
		if (len < size)
			return at + 1 - first;
	}
	return at - first;
}

/* False where the packets may go one by one, or have that say why not: the
 * device cannot cut, the path is too narrow, an ICMP error was waiting. */
static bool send_run(struct user_batch *batch, unsigned first, unsigned count)
{
	const uint16_t size = (uint16_t)batch->parcels[first].len;
	const size_t control_len = batch->control_len;
	struct msghdr message;
	int err;

	put_control(batch, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
	message = message_of(batch, first, count);
	batch->control_len = control_len;
	do
		err = sendmsg(batch->fd, &message, 0) == -1 ? errno : 0;
	while ((err == EINTR || err == EAGAIN) &&
	       overcome(batch, count, err));
	return !err || err == EAGAIN;
}

static void send_runs(struct user_batch *batch)
{
	unsigned first = 0, count;

	while (first < batch->count) {
		count = run_length(batch, first);
		if (count == 1 || !send_run(batch, first, count))
			send_singly(batch, first, first + count);
		first += count;
	}
}

bool user_batch_flush(struct user_batch *batch)
{
	batch->too_big = false;
	if (batch->sa->udp_local)
		send_runs(batch);
	else
		send_singly(batch, 0, batch->count);
	batch->count = 0;
	return !batch->too_big;
}
