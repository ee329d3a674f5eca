/*
 * TCP segmentation: a packet of up to 64 KB, as the kernel hands it to a TUN
 * device with TUN_F_TSO4 and TUN_F_TSO6, cut into segments for the wire. The
 * payload is not moved.
 */
#ifndef SIDECAR_SEGMENT_H
#define SIDECAR_SEGMENT_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/inner.h"

/* A packet, and how much of it has been cut. */
struct segment_source {
	const uint8_t *packet;
	struct inner inner;
	size_t size;		/* bytes of payload in each but the last */
	size_t at;		/* of the payload */
	bool done;
};

/* One segment: IP and TCP header of its own, checksum included. */
struct segment {
	uint8_t header[INNER_HEADER_MAX];
	size_t ip_len, tcp_len;
	const uint8_t *payload;
	size_t payload_len;
};

/* False for a packet that is not as inner.h says or that asks for another kind
 * of segmentation. `packet` is to stay until the last segment is cut. */
bool segment_begin(const struct virtio_net_hdr *offload, const uint8_t *packet,
		   size_t len, struct segment_source *ret_source);

/* Cut into segments of no more than `room` bytes, IP header included. TCP need
 * not know that the path is narrower than it thinks: whose bytes come in which
 * packet does not matter to it. */
void segment_limit(struct segment_source *source, size_t room);

/* False when there is none left. */
bool segment_next(struct segment_source *source, struct segment *ret_segment);

#endif
