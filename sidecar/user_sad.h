/*
 * The SAD of the user plane (RFC 4301 4.4.2), inside the plane process: pairs,
 * their SAs, and a counter for every reason to drop. Nothing here knows of
 * sockets. Time is CLOCK_BOOTTIME in seconds.
 */
#ifndef SIDECAR_USER_SAD_H
#define SIDECAR_USER_SAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "sidecar/esp.h"
#include "sidecar/plane.h"
#include "sidecar/replay.h"

enum user_sad_limits {
	USER_SAD_MAX_PAIRS = 4096,
	USER_SAD_MAX_SAS = 32,		/* of one pair, old ones included */
	USER_SAD_SPI_ATTEMPTS = 64,
	USER_SAD_PMTU_S = 600,		/* a learned path MTU is forgotten
					 * (RFC 1191 6.3, RFC 8201 4) */
	USER_SAD_PMTU_MIN4 = 552,	/* bytes; less is not believed */
	USER_SAD_PMTU_MIN6 = 1280	/* RFC 8200 5 */
};

/* Hard limits of an SA, whatever its lifetime in seconds. */
#define USER_SAD_MAX_BYTES (UINT64_C(1) << 60)
#define USER_SAD_MAX_SEQUENCE UINT32_MAX	/* without ESN */

struct user_pair;

struct user_sa {
	uint64_t id;		/* grows; never used again */
	struct user_pair *pair;
	struct user_sa *next;	/* of the pair, newest first */
	struct user_sa *older, *younger;	/* of the SAD; utlist */
	enum plane_kind kind;
	bool inbound, esn;
	uint16_t udp_local, udp_peer;	/* ports; 0: bare ESP */
	uint32_t spi;
	struct esp_key *key;
	uint64_t sequence;	/* outbound: the last one used */
	struct replay *replay;	/* inbound */
	uint64_t packets, bytes;
	uint64_t born, dies;	/* UINT64_MAX: never */
	uint32_t replay_drops, integrity_drops;
	UT_hash_handle hh;	/* inbound, by SPI */
};

struct user_pair {
	struct plane_pair id;
	struct user_sa *sas;
	size_t sas_count;
	uint32_t path_mtu;	/* learned; 0: as the route says */
	uint64_t path_mtu_dies;
	uint64_t counters[PLANE_COUNTERS];
	UT_hash_handle hh;
};

struct user_sad {
	struct user_pair *pairs;
	struct user_sa *inbound;
	struct user_sa *oldest;	/* of all */
	uint64_t next_id;
	uint64_t strangers;	/* ESP of nobody's: no pair to count it for */
};

void user_sad_free(struct user_sad *sad);

/* 0 also if it is there already; -ENOSPC, -ENOMEM. */
int user_sad_add_pair(struct user_sad *sad, const struct plane_pair *pair);
/* With its SAs. 0 also if there is none. */
void user_sad_delete_pair(struct user_sad *sad, const struct plane_pair *pair);
struct user_pair *user_sad_pair(const struct user_sad *sad,
				const struct plane_pair *pair);
/* Is this the local address of any pair? */
bool user_sad_has_local(const struct user_sad *sad,
			const struct in6_addr *local);

/* An SPI that no inbound SA uses; 0 on failure. */
uint32_t user_sad_allocate_spi(const struct user_sad *sad);

/* `sa->key` is copied. -ENOENT without the pair, -EEXIST, -EINVAL,
 * -EPROTONOSUPPORT for algorithms, -ENOSPC, -ENOMEM. */
int user_sad_add(struct user_sad *sad, const struct plane_sa *sa, uint64_t now);
void user_sad_delete(struct user_sad *sad, const struct plane_pair *pair,
		     bool inbound, uint32_t spi);
/* Delete what is past its lifetime. */
void user_sad_expire(struct user_sad *sad, uint64_t now);

/* The SA with the lowest id above `id`, in the whole SAD; NULL if none. From
 * there on `younger` leads through the rest. */
const struct user_sa *user_sad_after(const struct user_sad *sad, uint64_t id);

/* For an inbound packet: NULL if no SA has this SPI between these two
 * addresses (RFC 4301 4.1: both are looked at, RFC 5406 Section 9). */
struct user_sa *user_sad_inbound(const struct user_sad *sad, uint32_t spi,
				 const struct plane_pair *pair);
/* For an outbound packet of this connection: the newest SA that fits. */
struct user_sa *user_sad_outbound(const struct user_pair *pair,
				  uint16_t local_port, uint16_t peer_port);

bool user_sa_is_alive(const struct user_sa *sa, uint64_t now);

/* The bytes that an ESP packet of this pair may have; `limit` if nothing less
 * was learned. */
size_t user_pair_path_mtu(struct user_pair *pair, size_t limit, uint64_t now);

/* Somebody said that the path to `peer` takes no more. `spi` of the packet
 * that was too big, or 0 if the kernel said so itself. Believed only for an
 * outbound SA (RFC 4301 8.2.1). */
void user_sad_too_big(struct user_sad *sad, const struct in6_addr *peer,
		      uint32_t spi, uint32_t mtu, uint64_t now);

void user_pair_count(struct user_pair *pair, enum plane_counter counter);

#endif
