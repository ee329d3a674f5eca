/*
 * What the daemon and the plane process say to each other: fixed structs over
 * a SOCK_SEQPACKET Unix socket, one request and one reply at a time. Both are
 * the same program, perhaps of different versions: the first word tells.
 */
#ifndef SIDECAR_USER_WIRE_H
#define SIDECAR_USER_WIRE_H

#include <stdint.h>

#include "sidecar/esp.h"
#include "sidecar/plane.h"

enum user_wire {
	USER_WIRE_VERSION = 0xb6700003,
	USER_WIRE_SAS = 32	/* in one reply */
};

enum user_call {
	USER_ALLOCATE_SPI,
	USER_ADD_PAIR,
	USER_DELETE_PAIR,
	USER_ADD_SA,
	USER_DELETE_SA,
	USER_QUERY,		/* SAs after `cursor`, up to USER_WIRE_SAS */
	USER_COUNTERS,		/* of a pair */
	USER_HAS_SOCKET,	/* for ESP in UDP on pair.local, udp_local? */
	USER_ADD_SOCKET,	/* comes with it (SCM_RIGHTS) */
	USER_EXIT,		/* end the process */
	USER_CALLS
};

struct user_request {
	uint32_t version;
	uint32_t call;		/* enum user_call */
	struct plane_pair pair;
	uint64_t cursor;
	uint64_t lifetime_s;
	uint32_t spi;
	uint16_t encr, integ;
	uint16_t udp_local, udp_peer;
	uint8_t kind, inbound, esn;
	uint8_t key_len;
	uint8_t key[ESP_KEY_MAX];
};

struct user_reply {
	uint32_t version;
	int32_t result;		/* 0 or -errno */
	uint32_t spi;
	uint32_t count;		/* of `sas`; 0: no more */
	uint64_t cursor;	/* for the next USER_QUERY */
	union {
		struct plane_sa_stats sas[USER_WIRE_SAS];
		uint64_t counters[PLANE_COUNTERS];
	};
};

#endif
