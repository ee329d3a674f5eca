#include "sidecar/user_out.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sidecar/esp.h"
#include "sidecar/segment.h"
#include "sidecar/too_big.h"
#include "sidecar/user_batch.h"

struct user_out {
	struct user_sad *sad;
	struct user_sockets *sockets;
	int tun;
	struct user_batch batch;
	struct {
		struct virtio_net_hdr offload;
		uint8_t bytes[USER_OUT_PACKET];
	} packet;
};

struct user_out *user_out_new(struct user_sad *sad, int tun,
			      struct user_sockets *sockets)
{
	struct user_out *out = calloc(1, sizeof(*out));

	if (!out)
		return NULL;
	out->sad = sad;
	out->tun = tun;
	out->sockets = sockets;
	return out;
}

void user_out_free(struct user_out *out)
{
	free(out);
}

/* ------------------------------------------------------------------- carry */

/* May the SA carry one more? Counted if not. */
static bool is_usable(const struct user_sa *sa, struct user_pair *pair,
		      uint64_t now)
{
	if (!user_sa_is_alive(sa, now)) {
		user_pair_count(pair, PLANE_OUT_STATE_EXPIRED);
		return false;
	}
	if (sa->sequence == UINT64_MAX ||
	    (!sa->esn && sa->sequence == USER_SAD_MAX_SEQUENCE)) {
		user_pair_count(pair, PLANE_OUT_STATE_SEQ_ERROR);
		return false;
	}
	return true;
}

/* The longest packet in clear that fits the path once it is sealed. */
static size_t clear_room(struct user_pair *pair, const struct user_sa *sa,
			 size_t ip_len, uint64_t now)
{
	const size_t path = user_pair_path_mtu(pair, UINT16_MAX, now);
	const size_t headers = ip_len +
			       (sa->udp_local ? ESP_UDP_LEN : 0);

	return ip_len + esp_payload_room(sa->key, path - headers);
}

static void seal(struct user_out *out, struct user_sa *sa,
		 struct segment *segment)
{
	const size_t len = user_batch_add(&out->batch, segment,
					  sa->sequence + 1);

	if (!len) {
		user_pair_count(sa->pair, PLANE_OUT_ERROR);
		return;
	}
	sa->sequence++;
	sa->packets++;
	sa->bytes += len;
}

static void flush(struct user_out *out, uint64_t now)
{
	if (!user_batch_flush(&out->batch))
		user_out_read_errors(out, out->batch.fd, now);
}

static void carry(struct user_out *out, struct user_sa *sa,
		  struct segment_source *source, uint64_t now)
{
	struct user_pair *pair = sa->pair;
	struct segment segment;

	if (!user_batch_begin(&out->batch, out->sockets, sa, source->packet)) {
		user_pair_count(pair, PLANE_OUT_ERROR);
		return;
	}
	segment_limit(source, clear_room(pair, sa, source->inner.ip_len, now));
	while (segment_next(source, &segment) && is_usable(sa, pair, now)) {
		seal(out, sa, &segment);
		if (user_batch_is_full(&out->batch))
			flush(out, now);
	}
	flush(out, now);
}

/* ------------------------------------------------------------------- read */

static void dispatch(struct user_out *out, size_t len, uint64_t now)
{
	struct segment_source source;
	struct user_pair *pair;
	struct plane_pair id;
	struct user_sa *sa;

	if (!segment_begin(&out->packet.offload, out->packet.bytes, len,
			   &source))
		return;		/* neighbour discovery and the like */
	id.local = source.inner.source;
	id.peer = source.inner.destination;
	pair = user_sad_pair(out->sad, &id);
	if (!pair)
		return;
	sa = user_sad_outbound(pair, source.inner.tcp.source,
			       source.inner.tcp.destination);
	if (sa)
		carry(out, sa, &source, now);
	else
		user_pair_count(pair, PLANE_OUT_NO_STATES);
}

bool user_out_run(struct user_out *out, uint64_t now)
{
	const size_t offload_len = sizeof(out->packet.offload);
	ssize_t len;

	for (int i = 0; i < USER_OUT_READS; i++) {
		struct iovec iovecs[] = {
			{ &out->packet.offload, offload_len },
			{ out->packet.bytes, sizeof(out->packet.bytes) },
		};

		len = readv(out->tun, iovecs, 2);
		if (len <= (ssize_t)offload_len)
			return len != -1 || errno != EBADFD;
		dispatch(out, (size_t)len - offload_len, now);
	}
	return true;
}

void user_out_read_errors(struct user_out *out, int fd, uint64_t now)
{
	struct too_big report;

	while (too_big_read(fd, &report))
		if (report.mtu)
			user_sad_too_big(out->sad, &report.peer, report.spi,
					 report.mtu, now);
}
