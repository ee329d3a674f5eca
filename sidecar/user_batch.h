/*
 * Sealed packets of one SA, and their way to the socket. As bare ESP each is a
 * message of its own; in UDP as many as are of equal length, and one shorter
 * one behind them, go out in one (UDP_SEGMENT) for the kernel or the network
 * card to cut. Payloads stay where they are.
 */
#ifndef SIDECAR_USER_BATCH_H
#define SIDECAR_USER_BATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "sidecar/esp.h"
#include "sidecar/inner.h"
#include "sidecar/segment.h"
#include "sidecar/user_socket.h"

enum user_batch_limits {
	USER_BATCH_PACKETS = 64,	/* no more in one UDP_SEGMENT */
	USER_BATCH_PIECES = 3,		/* of a packet: head, payload, tail */
	USER_BATCH_UDP = 65535 - INNER_IPV6_LEN - 8,	/* bytes in one */
	USER_BATCH_CONTROL = 128,	/* bytes */
	USER_BATCH_WAIT_MS = 20,	/* for room in a full socket */
	USER_BATCH_ATTEMPTS = 4		/* at a packet that will not go */
};

/* One ESP packet; its head may have an IP header in front. */
struct user_parcel {
	uint8_t head[INNER_HEADER_MAX + ESP_HEAD_MAX];
	struct esp_frame frame;
	size_t len;
};

struct user_batch {
	const struct user_sa *sa;
	int fd;
	struct sockaddr_storage name;
	socklen_t name_len;
	_Alignas(struct cmsghdr) uint8_t control[USER_BATCH_CONTROL];
	size_t control_len;
	bool too_big;
	unsigned count;
	struct user_parcel parcels[USER_BATCH_PACKETS];
	struct iovec iovecs[USER_BATCH_PACKETS * USER_BATCH_PIECES];
	struct mmsghdr messages[USER_BATCH_PACKETS];
};

/* The packets to come are of this SA, cut from one packet with this IP header.
 * The batch is empty, and the SA stays until it is flushed. False: there is no
 * socket for them. */
bool user_batch_begin(struct user_batch *batch, struct user_sockets *sockets,
		      const struct user_sa *sa, const uint8_t *ip_header);

/* Seal one under this sequence number; its payload is to stay. Returns the
 * ESP packet's length, 0 if it could not be sealed. Not for a full batch. */
size_t user_batch_add(struct user_batch *batch, struct segment *segment,
		      uint64_t sequence);

bool user_batch_is_full(const struct user_batch *batch);

/* Send all. What cannot be sent is dropped, and counted for the pair. False: a
 * packet was too big, and the error queue of batch->fd may say for what. */
bool user_batch_flush(struct user_batch *batch);

#endif
