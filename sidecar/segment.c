#include "sidecar/segment.h"

#include <string.h>

#include "sidecar/checksum.h"

/* Bytes of payload in a segment, or 0 for what we do not know to cut. */
static size_t read_size(const struct virtio_net_hdr *offload,
			const struct inner *inner)
{
	switch (offload->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return inner->payload_len ? inner->payload_len : 1;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return inner->ip_len == INNER_IPV4_LEN ? offload->gso_size : 0;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return inner->ip_len == INNER_IPV6_LEN ? offload->gso_size : 0;
	}
	return 0;
}

bool segment_begin(const struct virtio_net_hdr *offload, const uint8_t *packet,
		   size_t len, struct segment_source *ret_source)
{
	const bool gso = offload->gso_type != VIRTIO_NET_HDR_GSO_NONE;
	struct segment_source source = { .packet = packet };

	if (!inner_read(packet, len, gso, &source.inner))
		return false;
	source.size = read_size(offload, &source.inner);
	if (!source.size)
		return false;
	*ret_source = source;
	return true;
}

void segment_limit(struct segment_source *source, size_t room)
{
	const size_t headers = source->inner.ip_len + source->inner.tcp.len;

	if (room > headers && room - headers < source->size)
		source->size = room - headers;
}

static void set_ip(const struct segment_source *source, struct segment *segment)
{
	const size_t len = segment->tcp_len + segment->payload_len;
	uint8_t *ip = segment->header;

	if (segment->ip_len == INNER_IPV6_LEN) {
		inner_put_u16(ip + 4, (uint16_t)len);
		return;
	}
	inner_put_u16(ip + 2, (uint16_t)(segment->ip_len + len));
	inner_put_u16(ip + 4, (uint16_t)(inner_get_u16(ip + 4) +
					 source->at / source->size));
}

/* FIN and PSH belong to the last byte, CWR to the first (RFC 3168 6.1.2). */
static void set_tcp(const struct segment_source *source,
		    struct segment *segment)
{
	uint8_t *tcp = segment->header + segment->ip_len;
	const bool last = source->at + segment->payload_len ==
			  source->inner.payload_len;
	uint64_t sum;

	inner_put_u32(tcp + INNER_TCP_SEQUENCE,
		      inner_get_u32(tcp + INNER_TCP_SEQUENCE) +
		      (uint32_t)source->at);
	if (!last)
		tcp[INNER_TCP_FLAGS] &= (uint8_t)~(INNER_FIN | INNER_PSH);
	if (source->at > 0)
		tcp[INNER_TCP_FLAGS] &= (uint8_t)~INNER_CWR;
	memset(tcp + INNER_TCP_CHECKSUM, 0, 2);
	sum = checksum_pseudo(segment->header,
			      segment->tcp_len + segment->payload_len);
	sum = checksum_add(sum, tcp, segment->tcp_len);
	sum = checksum_add(sum, segment->payload, segment->payload_len);
	checksum_put(tcp + INNER_TCP_CHECKSUM, sum);
}

bool segment_next(struct segment_source *source, struct segment *ret_segment)
{
	const struct inner *inner = &source->inner;
	const size_t headers = inner->ip_len + inner->tcp.len;
	const size_t left = inner->payload_len - source->at;

	if (source->done)
		return false;
	memcpy(ret_segment->header, source->packet, headers);
	ret_segment->ip_len = inner->ip_len;
	ret_segment->tcp_len = inner->tcp.len;
	ret_segment->payload = source->packet + headers + source->at;
	ret_segment->payload_len = left < source->size ? left : source->size;
	set_ip(source, ret_segment);
	set_tcp(source, ret_segment);
	source->at += ret_segment->payload_len;
	source->done = source->at == inner->payload_len;
	return true;
}
