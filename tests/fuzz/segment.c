/*
 * libFuzzer: what a TUN device hands over (segment.c), and, cut, what ESP
 * brings at the other end (train.c). First the virtio header, then the packet.
 */
#include <stdlib.h>
#include <string.h>

#include "sidecar/segment.h"
#include "sidecar/train.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SEGMENTS = 200 };

static void join(struct train *train, const struct segment *segment,
		 uint8_t *bytes)
{
	struct train_segment incoming = {
		.ip_len = segment->ip_len, .tcp = bytes,
		.tcp_len = segment->tcp_len,
		.payload_len = segment->payload_len
	};
	const struct iovec *iovecs;

	memcpy(incoming.ip, segment->header, segment->ip_len);
	memcpy(bytes, segment->header + segment->ip_len, segment->tcp_len);
	memcpy(bytes + segment->tcp_len, segment->payload,
	       segment->payload_len);
	if (train_join(train, &incoming))
		return;
	if (train_finish(train, &iovecs) == 0 || !train_join(train, &incoming))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct train train = { .segments = 0 };
	struct virtio_net_hdr offload;
	struct segment_source source;
	struct segment segment;
	const struct iovec *iovecs;
	uint8_t *packet, *copies;
	size_t len, at = 0;

	if (size < sizeof(offload))
		return 0;
	memcpy(&offload, data, sizeof(offload));
	len = size - sizeof(offload);
	packet = malloc(len ? len : 1);
	copies = malloc(MAX_SEGMENTS * (size + INNER_TCP_MAX));
	if (!packet || !copies)
		abort();
	memcpy(packet, data + sizeof(offload), len);
	if (segment_begin(&offload, packet, len, &source)) {
		segment_limit(&source, offload.csum_start);
		for (int i = 0; i < MAX_SEGMENTS &&
				segment_next(&source, &segment); i++) {
			join(&train, &segment, copies + at);
			at += segment.tcp_len + segment.payload_len;
		}
	}
	train_finish(&train, &iovecs);
	free(packet);
	free(copies);
	return 0;
}
