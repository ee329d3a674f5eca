#include "sidecar/user_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "sidecar/esp.h"
#include "sidecar/train.h"
#include "sidecar/user_arrival.h"

enum {
	NO_NEXT_HEADER = 59	/* a dummy packet, RFC 4303 2.6 */
};

/* What the kernel says of a message, beside its bytes. */
struct slot {
	struct sockaddr_in6 name;
	_Alignas(struct cmsghdr) uint8_t control[USER_ARRIVAL_CONTROL];
	struct iovec iovec;
};

struct user_in {
	struct user_sad *sad;
	int tun;
	struct train train;
	struct mmsghdr messages[USER_IN_BATCH];
	struct slot slots[USER_IN_BATCH];
	uint8_t bytes[USER_IN_BATCH * USER_IN_PACKET];
};

struct user_in *user_in_new(struct user_sad *sad, int tun)
{
	struct user_in *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	in->sad = sad;
	in->tun = tun;
	return in;
}

void user_in_free(struct user_in *in)
{
	free(in);
}

/* ------------------------------------------------------------------ checks */

/* The SA of a packet; NULL and counted if there is none. What comes from no
 * peer may be another program's ESP and is not ours to judge. */
static struct user_sa *find_sa(struct user_in *in,
			       const struct user_arrival *arrival, uint32_t spi)
{
	struct user_sa *sa = user_sad_inbound(in->sad, spi, &arrival->pair);
	struct user_pair *pair;

	if (sa && sa->udp_local == arrival->udp_local &&
	    sa->udp_peer == arrival->udp_peer)
		return sa;
	pair = user_sad_pair(in->sad, &arrival->pair);
	if (!pair)
		in->sad->strangers++;
	else
		user_pair_count(pair, sa ? PLANE_IN_STATE_MISMATCH :
					   PLANE_IN_NO_STATES);
	return NULL;
}

static enum plane_counter reason_of(enum esp_verdict verdict)
{
	return verdict == ESP_MALFORMED ? PLANE_IN_HDR_ERROR :
					  PLANE_IN_STATE_PROTO_ERROR;
}

/* RFC 4303 3.4.3, 3.4.4: number, ICV, and only then the window. */
static bool open_packet(struct user_sa *sa, const struct user_arrival *arrival,
			uint32_t low, struct esp_payload *ret_payload)
{
	struct esp_number number = { .spi = sa->spi, .esn = sa->esn };
	enum esp_verdict verdict;

	if (!replay_check(sa->replay, low, &number.sequence)) {
		sa->replay_drops++;
		user_pair_count(sa->pair, PLANE_IN_STATE_SEQ_ERROR);
		return false;
	}
	verdict = esp_open(sa->key, &number, arrival->esp, arrival->esp_len,
			   ret_payload);
	if (verdict != ESP_OK) {
		sa->integrity_drops += verdict == ESP_NOT_AUTHENTIC;
		user_pair_count(sa->pair, reason_of(verdict));
		return false;
	}
	replay_commit(sa->replay, number.sequence);
	sa->packets++;
	sa->bytes += arrival->esp_len;
	return true;
}

static bool read_segment(struct user_sa *sa, const struct user_arrival *arrival,
			 const struct esp_payload *payload,
			 struct train_segment *ret_segment)
{
	struct inner_tcp_header tcp;

	if (payload->next_header == NO_NEXT_HEADER)
		return false;
	if (payload->next_header != IPPROTO_TCP ||
	    !inner_read_tcp(payload->data, payload->len, &tcp) ||
	    !inner_fits(sa->kind, tcp.destination, tcp.source)) {
		user_pair_count(sa->pair, PLANE_IN_STATE_MISMATCH);
		return false;
	}
	memcpy(ret_segment->ip, arrival->ip, arrival->ip_len);
	ret_segment->ip_len = arrival->ip_len;
	ret_segment->tcp = payload->data;
	ret_segment->tcp_len = tcp.len;
	ret_segment->payload_len = payload->len - tcp.len;
	ret_segment->vouched = sa->udp_local != 0;
	return true;
}

/* ------------------------------------------------------------------ accept */

static void deliver(struct user_in *in)
{
	const struct iovec *iovecs;
	const size_t count = train_finish(&in->train, &iovecs);

	/* What the device does not take, TCP sends again. */
	if (count > 0 && writev(in->tun, iovecs, (int)count) < 0)
		return;
}

static void accept_packet(struct user_in *in,
			  const struct user_arrival *arrival, uint64_t now)
{
	struct train_segment segment;
	struct esp_payload payload;
	struct user_sa *sa;
	uint32_t spi, low;

	if (!esp_read_header(arrival->esp, arrival->esp_len, &spi, &low))
		return;
	sa = find_sa(in, arrival, spi);
	if (!sa)
		return;
	if (!user_sa_is_alive(sa, now)) {
		user_pair_count(sa->pair, PLANE_IN_STATE_EXPIRED);
		return;
	}
	if (!open_packet(sa, arrival, low, &payload) ||
	    !read_segment(sa, arrival, &payload, &segment))
		return;
	if (train_join(&in->train, &segment))
		return;
	deliver(in);
	train_join(&in->train, &segment);
}

/* ----------------------------------------------------------------- receive */

struct source {
	int fd, family;
	const struct user_udp *udp;	/* NULL: a raw socket */
};

/* One message, with packets of equal length but for the last. */
static void accept_message(struct user_in *in, struct user_arrival *arrival,
			   uint64_t now)
{
	const uint8_t *end = arrival->esp + arrival->esp_len;
	size_t left;

	for (; arrival->esp < end; arrival->esp += arrival->esp_len) {
		left = (size_t)(end - arrival->esp);
		arrival->esp_len = left < arrival->size ? left : arrival->size;
		accept_packet(in, arrival, now);
	}
}

/* The kernel wrote lengths into the messages that it used. */
static void prepare(struct user_in *in, size_t count, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		struct slot *slot = &in->slots[i];

		slot->iovec = (struct iovec){ in->bytes + i * size, size };
		in->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &slot->name,
			.msg_namelen = sizeof(slot->name),
			.msg_iov = &slot->iovec, .msg_iovlen = 1,
			.msg_control = slot->control,
			.msg_controllen = sizeof(slot->control)
		};
	}
}

static bool read_message(struct mmsghdr *message, const struct source *from,
			 struct user_arrival *ret_arrival)
{
	if (from->udp)
		return user_arrival_read_udp(&message->msg_hdr,
					     message->msg_len, from->udp,
					     ret_arrival);
	return from->family == AF_INET ?
		user_arrival_read_ipv4(&message->msg_hdr, message->msg_len,
				       ret_arrival) :
		user_arrival_read_ipv6(&message->msg_hdr, message->msg_len,
				       ret_arrival);
}

static void take(struct user_in *in, struct mmsghdr *message,
		 const struct source *from, uint64_t now)
{
	struct user_arrival arrival;
	struct user_pair *pair;

	if (!read_message(message, from, &arrival))
		return;
	if (!(message->msg_hdr.msg_flags & MSG_TRUNC)) {
		accept_message(in, &arrival, now);
		return;
	}
	pair = user_sad_pair(in->sad, &arrival.pair);
	if (pair)
		user_pair_count(pair, PLANE_IN_BUFFER_ERROR);
}

static void run(struct user_in *in, const struct source *from, uint64_t now)
{
	const size_t size = from->udp ? USER_IN_UDP : USER_IN_PACKET;
	const size_t batch = from->udp ? USER_IN_UDP_BATCH : USER_IN_BATCH;
	int count;

	for (int round = 0; round < USER_IN_ROUNDS; round++) {
		prepare(in, batch, size);
		count = recvmmsg(from->fd, in->messages, (unsigned)batch,
				 MSG_DONTWAIT, NULL);
		for (int i = 0; i < count; i++)
			take(in, &in->messages[i], from, now);
		deliver(in);
		if (count < (int)batch)
			return;
	}
}

void user_in_run(struct user_in *in, int esp, int family, uint64_t now)
{
	run(in, &(struct source){ esp, family, NULL }, now);
}

void user_in_run_udp(struct user_in *in, const struct user_udp *udp,
		     uint64_t now)
{
	run(in, &(struct source){ udp->fd, AF_UNSPEC, udp }, now);
}
