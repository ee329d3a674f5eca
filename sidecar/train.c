#include "sidecar/train.h"

#include <string.h>

#include "sidecar/checksum.h"

static uint8_t flags_of(const struct train_segment *segment)
{
	return segment->tcp[INNER_TCP_FLAGS];
}

static bool is_authentic_sum(const struct train_segment *segment)
{
	const size_t len = segment->tcp_len + segment->payload_len;
	uint64_t sum = checksum_pseudo(segment->ip, len);

	return segment->vouched ||
	       checksum_finish(checksum_add(sum, segment->tcp, len)) == 0;
}

/* Data and nothing else may be joined. */
static bool is_plain(const struct train_segment *segment)
{
	return segment->payload_len > 0 &&
	       (flags_of(segment) & ~INNER_PSH) == INNER_ACK;
}

/* All of the IP header but length, identification and checksum. */
static bool same_ip(const struct train *train,
		    const struct train_segment *segment)
{
	const uint8_t *a = train->header, *b = segment->ip;

	if (train->ip_len != segment->ip_len)
		return false;
	if (segment->ip_len == INNER_IPV6_LEN)
		return !memcmp(a, b, 4) && !memcmp(a + 6, b + 6, 34);
	return !memcmp(a, b, 2) && !memcmp(a + 6, b + 6, 4) &&
	       !memcmp(a + 12, b + 12, 8);
}

/* All of the TCP header but sequence number, PSH and checksum. */
static bool same_tcp(const struct train *train,
		     const struct train_segment *segment)
{
	const uint8_t *a = train->header + train->ip_len, *b = segment->tcp;

	return train->tcp_len == segment->tcp_len && !memcmp(a, b, 4) &&
	       !memcmp(a + 8, b + 8, 5) && !memcmp(a + 14, b + 14, 2) &&
	       !memcmp(a + 18, b + 18, train->tcp_len - 18);
}

static bool fits(const struct train *train, const struct train_segment *segment)
{
	return !train->closed && is_plain(segment) &&
	       segment->payload_len <= train->size &&
	       segment->payload_len <= TRAIN_MAX_BYTES - train->bytes &&
	       train->segments < TRAIN_MAX_SEGMENTS &&
	       inner_get_u32(segment->tcp + INNER_TCP_SEQUENCE) ==
			train->next &&
	       same_ip(train, segment) && same_tcp(train, segment);
}

static void begin(struct train *train, const struct train_segment *segment,
		  bool authentic)
{
	memset(&train->offload, 0, sizeof(train->offload));
	memcpy(train->header, segment->ip, segment->ip_len);
	memcpy(train->header + segment->ip_len, segment->tcp,
	       segment->tcp_len);
	train->ip_len = segment->ip_len;
	train->tcp_len = segment->tcp_len;
	train->bytes = 0;
	train->size = segment->payload_len;
	train->closed = !authentic || !is_plain(segment);
	train->next = inner_get_u32(segment->tcp + INNER_TCP_SEQUENCE);
	/* A wrong checksum stays, for TCP to find and count. */
	if (authentic)
		train->offload.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
}

static void append(struct train *train, const struct train_segment *segment)
{
	union {
		const uint8_t *in;
		uint8_t *out;
	} payload = { .in = segment->tcp + segment->tcp_len };

	train->iovecs[2 + train->segments++] = (struct iovec){
		.iov_base = payload.out, .iov_len = segment->payload_len
	};
	train->bytes += segment->payload_len;
	train->next += (uint32_t)segment->payload_len;
	train->header[train->ip_len + INNER_TCP_FLAGS] |=
		flags_of(segment) & INNER_PSH;
	if (segment->payload_len < train->size ||
	    flags_of(segment) & INNER_PSH)
		train->closed = true;
}

bool train_join(struct train *train, const struct train_segment *segment)
{
	const bool authentic = is_authentic_sum(segment);

	if (train->segments == 0)
		begin(train, segment, authentic);
	else if (!authentic || !fits(train, segment))
		return false;
	append(train, segment);
	return true;
}

static void finish_ip(struct train *train, size_t len)
{
	uint8_t *ip = train->header;

	if (train->ip_len == INNER_IPV6_LEN) {
		inner_put_u16(ip + 4, (uint16_t)len);
		return;
	}
	inner_put_u16(ip + 2, (uint16_t)(train->ip_len + len));
	memset(ip + 10, 0, 2);
	checksum_put(ip + 10, checksum_add(0, ip, train->ip_len));
}

/* The kernel wants the pseudo header's sum in the checksum's place, and knows
 * then that the rest is right (virtio 1.1, 5.1.6.4). */
static void finish_offload(struct train *train, size_t len)
{
	struct virtio_net_hdr *offload = &train->offload;
	uint8_t *tcp = train->header + train->ip_len;

	if (!(offload->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return;
	checksum_put(tcp + INNER_TCP_CHECKSUM,
		     ~checksum_pseudo(train->header, len));
	offload->csum_start = (uint16_t)train->ip_len;
	offload->csum_offset = INNER_TCP_CHECKSUM;
	if (train->segments < 2)
		return;
	offload->gso_type = train->ip_len == INNER_IPV6_LEN ?
		VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	offload->gso_size = (uint16_t)train->size;
	offload->hdr_len = (uint16_t)(train->ip_len + train->tcp_len);
}

size_t train_finish(struct train *train, const struct iovec **ret_iovecs)
{
	const size_t len = train->tcp_len + train->bytes;
	const size_t count = train->segments;

	if (count == 0)
		return 0;
	finish_ip(train, len);
	finish_offload(train, len);
	train->iovecs[0] = (struct iovec){ &train->offload,
					   sizeof(train->offload) };
	train->iovecs[1] = (struct iovec){ train->header,
					   train->ip_len + train->tcp_len };
	train->segments = 0;
	*ret_iovecs = train->iovecs;
	return count + 2;
}
