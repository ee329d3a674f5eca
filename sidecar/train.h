/*
 * The way back: TCP segments that follow each other are joined to one packet
 * for the TUN device, which takes up to 64 KB at once (as the kernel's GRO
 * does). The payload is not moved.
 */
#ifndef SIDECAR_TRAIN_H
#define SIDECAR_TRAIN_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "sidecar/inner.h"

enum train_limits {
	TRAIN_MAX_SEGMENTS = 64,
	TRAIN_MAX_BYTES = 65535 - INNER_HEADER_MAX,	/* of payload */
	TRAIN_IOVECS = TRAIN_MAX_SEGMENTS + 2
};

/* A TCP segment that came in, with an IP header of ours in front. */
struct train_segment {
	uint8_t ip[INNER_IPV6_LEN];
	size_t ip_len;
	const uint8_t *tcp;	/* header and payload */
	size_t tcp_len;		/* of the header */
	size_t payload_len;
	/* came in UDP: a NAT may have left the checksum to other addresses,
	 * and the ICV vouches for it (RFC 3948 3.1.2) */
	bool vouched;
};

/* Segments that were joined; 0 of them: nothing is there. */
struct train {
	struct virtio_net_hdr offload;
	uint8_t header[INNER_HEADER_MAX];
	size_t ip_len, tcp_len;
	struct iovec iovecs[TRAIN_IOVECS];	/* the first two: see above */
	size_t segments, bytes, size;
	uint32_t next;		/* sequence number that would fit */
	bool closed;		/* the last one may not be followed */
};

/* Join a segment; false if it does not fit, and the train is to be taken away
 * first. One always fits an empty train. The segment's bytes stay with the
 * caller until train_finish(). */
bool train_join(struct train *train, const struct train_segment *segment);

/* Finish the headers: ret_iovecs, valid until the train is used again, is what
 * to write to a TUN device with virtio headers. The train is empty then.
 * Returns the number of vectors, 0 if there is nothing. */
size_t train_finish(struct train *train, const struct iovec **ret_iovecs);

#endif
