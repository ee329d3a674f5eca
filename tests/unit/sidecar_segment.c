/* segment.c and train.c: what is cut and joined again is what it was; every
 * segment is whole by itself; nothing foreign is joined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sidecar/checksum.h"
#include "sidecar/segment.h"
#include "sidecar/train.h"

enum {
	TCP_LEN = 32,		/* with a time stamp option */
	MAX_PACKET = 65535,
	SEQUENCE = 0xfffffff0u	/* wraps within the packet */
};

static uint8_t packet[MAX_PACKET];

static void make_ip(uint8_t *ip, bool ipv6, size_t len)
{
	memset(ip, 0, 40);
	if (ipv6) {
		ip[0] = 0x60;
		inner_put_u16(ip + 4, (uint16_t)len);
		ip[6] = IPPROTO_TCP;
		ip[7] = 64;
		ip[8] = ip[24] = 0x20;
		ip[23] = 1;
		ip[39] = 2;
		return;
	}
	ip[0] = 0x45;
	inner_put_u16(ip + 2, (uint16_t)(20 + len));
	inner_put_u16(ip + 4, 0xfffe);	/* identification */
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	memcpy(ip + 12, (uint8_t[]){ 192, 0, 2, 1, 192, 0, 2, 2 }, 8);
}

/* A packet with this much payload; its length. */
static size_t make_packet(bool ipv6, size_t payload, uint8_t flags)
{
	const size_t ip_len = ipv6 ? 40 : 20;
	uint8_t *tcp = packet + ip_len;

	make_ip(packet, ipv6, TCP_LEN + payload);
	memset(tcp, 0, TCP_LEN);
	inner_put_u16(tcp, 40000);
	inner_put_u16(tcp + 2, 179);
	inner_put_u32(tcp + INNER_TCP_SEQUENCE, SEQUENCE);
	tcp[INNER_TCP_OFFSET] = TCP_LEN / 4 << 4;
	tcp[INNER_TCP_FLAGS] = flags;
	memset(tcp + 20, 1, TCP_LEN - 20);
	for (size_t i = 0; i < payload; i++)
		tcp[TCP_LEN + i] = (uint8_t)(i * 7 + i / 256);
	return ip_len + TCP_LEN + payload;
}

static struct virtio_net_hdr gso(bool ipv6, uint16_t size)
{
	return (struct virtio_net_hdr){
		.gso_type = !size ? VIRTIO_NET_HDR_GSO_NONE :
			ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 :
			       VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = size,
	};
}

static void assert_whole(const struct segment *segment)
{
	uint64_t sum = checksum_pseudo(segment->header, segment->tcp_len +
				       segment->payload_len);

	sum = checksum_add(sum, segment->header + segment->ip_len,
			   segment->tcp_len);
	sum = checksum_add(sum, segment->payload, segment->payload_len);
	assert_int_equal(checksum_finish(sum), 0);
	assert_int_equal(inner_get_u16(segment->header +
				       (segment->ip_len == 40 ? 4 : 2)),
			 segment->tcp_len + segment->payload_len +
				 (segment->ip_len == 40 ? 0 : 20));
}

/* As it would come out of ESP at the other end. */
static void to_train(const struct segment *segment, uint8_t *tcp,
		     struct train_segment *ret_segment)
{
	memcpy(ret_segment->ip, segment->header, segment->ip_len);
	ret_segment->ip_len = segment->ip_len;
	memcpy(tcp, segment->header + segment->ip_len, segment->tcp_len);
	memcpy(tcp + segment->tcp_len, segment->payload, segment->payload_len);
	ret_segment->tcp = tcp;
	ret_segment->tcp_len = segment->tcp_len;
	ret_segment->payload_len = segment->payload_len;
	ret_segment->vouched = false;
}

/* Cut, check each segment, join again, compare. */
static void round_trip(bool ipv6, size_t payload, uint16_t size, size_t room)
{
	const struct virtio_net_hdr offload = gso(ipv6, size);
	const uint8_t flags = INNER_ACK | INNER_PSH;
	const size_t headers = (ipv6 ? 40u : 20u) + TCP_LEN;
	const size_t len = make_packet(ipv6, payload, flags);
	static uint8_t received[MAX_PACKET], copies[128][2048];
	struct segment_source source;
	struct train_segment incoming;
	struct segment segment;
	struct train train = { .segments = 0 };
	const struct iovec *iovecs;
	size_t count = 0, at = 0;

	assert_true(segment_begin(&offload, packet, len, &source));
	if (room)
		segment_limit(&source, room);
	while (segment_next(&source, &segment)) {
		assert_whole(&segment);
		assert_true(!room || headers + segment.payload_len <= room);
		assert_int_equal(inner_get_u32(segment.header + segment.ip_len +
					       INNER_TCP_SEQUENCE),
				 (uint32_t)(SEQUENCE + at));
		at += segment.payload_len;
		assert_int_equal(segment.header[segment.ip_len +
						INNER_TCP_FLAGS],
				 at == payload ? flags : INNER_ACK);
		to_train(&segment, copies[count++], &incoming);
		assert_true(train_join(&train, &incoming));
	}
	assert_int_equal(at, payload);
	assert_int_equal(train_finish(&train, &iovecs), count + 2);
	at = 0;
	for (size_t i = 1; i < count + 2; i++) {
		memcpy(received + at, iovecs[i].iov_base, iovecs[i].iov_len);
		at += iovecs[i].iov_len;
	}
	assert_int_equal(at, len);
	assert_memory_equal(received + headers, packet + headers, payload);
	/* headers alike but for the checksums, which the kernel finishes */
	memset(received + headers - TCP_LEN + INNER_TCP_CHECKSUM, 0, 2);
	memset(received + 10, 0, ipv6 ? 0 : 2);
	assert_memory_equal(received, packet, headers);
	assert_int_equal(train_finish(&train, &iovecs), 0);
}

static void test_round_trip(void **state)
{
	(void)state;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		round_trip(ipv6, 0, 0, 0);
		round_trip(ipv6, 1, 0, 0);
		round_trip(ipv6, 1422, 0, 0);
		round_trip(ipv6, 1422, 0, 700);
		round_trip(ipv6, 1423, 1422, 0);
		round_trip(ipv6, 2 * 1422, 1422, 0);
		round_trip(ipv6, 45 * 1422 + 7, 1422, 0);
		round_trip(ipv6, 20 * 1422 + 7, 1422, 600);
	}
}

static void test_what_is_not_cut(void **state)
{
	struct virtio_net_hdr offload = gso(false, 0);
	struct segment_source source;
	size_t len = make_packet(false, 100, INNER_ACK);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_false(segment_begin(&offload, packet, cut, &source));
	assert_false(segment_begin(&offload, packet, len + 1, &source));
	packet[0] = 0x46;		/* options */
	assert_false(segment_begin(&offload, packet, len, &source));
	packet[0] = 0x45;
	packet[6] = 0x20;		/* more fragments */
	assert_false(segment_begin(&offload, packet, len, &source));
	packet[6] = 0x40;
	packet[9] = IPPROTO_UDP;
	assert_false(segment_begin(&offload, packet, len, &source));
	packet[9] = IPPROTO_TCP;
	packet[20 + INNER_TCP_OFFSET] = 0x40;
	assert_false(segment_begin(&offload, packet, len, &source));
	packet[20 + INNER_TCP_OFFSET] = 0xf0;
	assert_true(segment_begin(&offload, packet, len, &source));
	offload.gso_type = VIRTIO_NET_HDR_GSO_UDP;
	offload.gso_size = 10;
	assert_false(segment_begin(&offload, packet, len, &source));
	offload = gso(true, 10);	/* the other family's */
	assert_false(segment_begin(&offload, packet, len, &source));
	len = make_packet(true, 100, INNER_ACK);
	offload = gso(true, 0);
	for (size_t cut = 0; cut < len; cut++)
		assert_false(segment_begin(&offload, packet, cut, &source));
	packet[6] = 44;			/* fragment header */
	assert_false(segment_begin(&offload, packet, len, &source));
}

/* FIN and PSH on the last, CWR on the first. */
static void test_flags(void **state)
{
	const uint8_t flags = INNER_ACK | INNER_PSH | INNER_FIN | INNER_CWR;
	const struct virtio_net_hdr offload = gso(false, 10);
	struct segment_source source;
	struct segment segment;

	(void)state;
	assert_true(segment_begin(&offload, packet,
				  make_packet(false, 25, flags), &source));
	assert_true(segment_next(&source, &segment));
	assert_int_equal(segment.header[33], INNER_ACK | INNER_CWR);
	assert_true(segment_next(&source, &segment));
	assert_int_equal(segment.header[33], INNER_ACK);
	assert_true(segment_next(&source, &segment));
	assert_int_equal(segment.header[33],
			 INNER_ACK | INNER_PSH | INNER_FIN);
	assert_false(segment_next(&source, &segment));
}

struct pair_of_segments {
	struct train_segment first, second;
	uint8_t tcp[2][TCP_LEN + 10];
};

/* Two segments of ten bytes that follow each other. */
static void make_two(struct pair_of_segments *two)
{
	const struct virtio_net_hdr offload = gso(false, 10);
	struct segment_source source;
	struct segment segment;

	assert_true(segment_begin(&offload, packet,
				  make_packet(false, 20, INNER_ACK), &source));
	assert_true(segment_next(&source, &segment));
	to_train(&segment, two->tcp[0], &two->first);
	assert_true(segment_next(&source, &segment));
	to_train(&segment, two->tcp[1], &two->second);
}

static void fix_checksum(uint8_t *tcp, const struct train_segment *segment)
{
	memset(tcp + INNER_TCP_CHECKSUM, 0, 2);
	memcpy(tcp + INNER_TCP_CHECKSUM, &(uint16_t){ checksum_finish(
		checksum_add(checksum_pseudo(segment->ip, TCP_LEN + 10), tcp,
			     TCP_LEN + 10)) }, 2);
}

static bool joins(struct pair_of_segments *two)
{
	struct train train = { .segments = 0 };

	assert_true(train_join(&train, &two->first));
	return train_join(&train, &two->second);
}

/* Any header byte that differs, but those that may, keeps them apart. */
static void test_what_is_not_joined(void **state)
{
	struct pair_of_segments two;

	(void)state;
	make_two(&two);
	assert_true(joins(&two));
	for (size_t at = 0; at < TCP_LEN; at++) {
		make_two(&two);
		two.tcp[1][at] ^= 1;
		if (at / 2 != INNER_TCP_CHECKSUM / 2)
			fix_checksum(two.tcp[1], &two.second);
		/* byte 12 holds the reserved bits in its lower half */
		assert_false(joins(&two));
	}
	for (size_t at = 0; at < 20; at++) {
		static const bool free_bytes[20] = {
			[2] = true, [3] = true, [4] = true, [5] = true,
			[10] = true, [11] = true
		};

		make_two(&two);
		two.second.ip[at] ^= 1;
		fix_checksum(two.tcp[1], &two.second);
		assert_int_equal(joins(&two), free_bytes[at]);
	}
}

/* A wrong checksum is TCP's to find: it travels alone and as it is. */
static void test_wrong_checksum_travels_alone(void **state)
{
	struct pair_of_segments two;
	struct train train = { .segments = 0 };
	const struct iovec *iovecs;
	struct virtio_net_hdr *offload;

	(void)state;
	make_two(&two);
	two.tcp[0][TCP_LEN + 3] ^= 1;
	assert_true(train_join(&train, &two.first));
	assert_false(train_join(&train, &two.second));
	assert_int_equal(train_finish(&train, &iovecs), 3);
	offload = iovecs[0].iov_base;
	assert_int_equal(offload->flags, 0);
	assert_memory_equal((uint8_t *)iovecs[1].iov_base + 20, two.tcp[0],
			    TCP_LEN);
}

/* RFC 3948 3.1.2: behind a NAT it is wrong, and made anew. */
static void test_vouched_checksum_is_replaced(void **state)
{
	struct pair_of_segments two;
	struct train train = { .segments = 0 };
	const struct virtio_net_hdr *offload;
	const struct iovec *iovecs;

	(void)state;
	make_two(&two);
	two.first.vouched = two.second.vouched = true;
	two.tcp[0][INNER_TCP_CHECKSUM] ^= 1;
	two.tcp[1][INNER_TCP_CHECKSUM] ^= 1;
	assert_true(train_join(&train, &two.first));
	assert_true(train_join(&train, &two.second));
	assert_true(train_finish(&train, &iovecs) > 0);
	offload = iovecs[0].iov_base;
	assert_int_equal(offload->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
}

static void test_checksum(void **state)
{
	/* RFC 1071 3 */
	static const uint8_t example[] = { 0x00, 0x01, 0xf2, 0x03,
					   0xf4, 0xf5, 0xf6, 0xf7 };
	uint8_t odd[] = { 0xff, 0xff, 0xff };
	uint16_t sum = checksum_fold(checksum_add(0, example,
						  sizeof(example)));

	(void)state;
	assert_memory_equal(&sum, ((uint8_t[]){ 0xdd, 0xf2 }), 2);
	sum = checksum_fold(checksum_add(0, odd, 3));
	assert_memory_equal(&sum, ((uint8_t[]){ 0xff, 0x00 }), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_what_is_not_cut),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_what_is_not_joined),
		cmocka_unit_test(test_wrong_checksum_travels_alone),
		cmocka_unit_test(test_vouched_checksum_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
