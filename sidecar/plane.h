/*
 * A plane carries ESP for pairs. Nothing above this interface knows which
 * plane it is: `xfrm` (the kernel) or `user` (our own process).
 *
 * Every call is synchronous, idempotent where that has a meaning, and takes
 * named structs of plain data, so that the two sides can live in two
 * processes. Errors are -errno. Addresses are struct in6_addr, IPv4 mapped.
 */
#ifndef SIDECAR_PLANE_H
#define SIDECAR_PLANE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Direction of the TCP connection; the numbers are those of
 * enum ike_child_kind, which the privileged side does not know. */
enum plane_kind {
	PLANE_ACTIVE,		/* local any port <-> peer port 179 */
	PLANE_PASSIVE,		/* local port 179 <-> peer any port */
	PLANE_KINDS
};

/* Our reqids, for recognising what is ours in the SPD and the SAD: base,
 * then pair slot, then kind in the lowest bit. */
#define PLANE_REQID_BASE 0xb6700000u
#define PLANE_REQID_MASK 0xfff00000u

/* The bit of an inbound SPI that says whose it is: of the user plane, or, where
 * it is clear, of the kernel's. On a port that both share (udp_share.h) nothing
 * else tells. */
#define PLANE_SPI_USER 0x80000000u

struct plane_pair {
	struct in6_addr local, peer;
};

struct plane_sa {
	struct plane_pair pair;
	enum plane_kind kind;
	bool inbound;
	uint32_t spi;
	uint16_t encr, integ;	/* IKEv2 transform ids */
	bool esn;
	/* ESP in UDP (RFC 3948), ports in host order; 0: bare ESP */
	uint16_t udp_local, udp_peer;
	uint64_t lifetime_s;	/* hard limit; 0: none */
	const uint8_t *key;	/* encryption || integrity */
	size_t key_len;		/* bytes */
};

struct plane_sa_stats {
	struct plane_pair pair;
	enum plane_kind kind;
	bool inbound;
	uint32_t spi;
	uint64_t packets, bytes;
	uint64_t age_s;
	uint64_t replay_drops, integrity_drops;
};

/* Why a plane of our own drops a packet, with the names of the kernel's
 * statistics (/proc/net/xfrm_stat), whose meaning they have. */
#define PLANE_COUNTERS_LIST(X) \
	X(IN_HDR_ERROR, "XfrmInHdrError") \
	X(IN_NO_STATES, "XfrmInNoStates") \
	X(IN_STATE_PROTO_ERROR, "XfrmInStateProtoError") \
	X(IN_STATE_SEQ_ERROR, "XfrmInStateSeqError") \
	X(IN_STATE_EXPIRED, "XfrmInStateExpired") \
	X(IN_STATE_MISMATCH, "XfrmInStateMismatch") \
	X(IN_BUFFER_ERROR, "XfrmInBufferError") \
	X(OUT_ERROR, "XfrmOutError") \
	X(OUT_NO_STATES, "XfrmOutNoStates") \
	X(OUT_STATE_SEQ_ERROR, "XfrmOutStateSeqError") \
	X(OUT_STATE_EXPIRED, "XfrmOutStateExpired") \
	X(OUT_TOO_BIG, "XfrmOutTooBig") \
	X(OUT_NO_QUEUE_SPACE, "XfrmOutNoQueueSpace")

enum plane_counter {
#define X(name, text) PLANE_##name,
	PLANE_COUNTERS_LIST(X)
#undef X
	PLANE_COUNTERS
};

enum plane_policy_type {
	PLANE_REQUIRE,		/* the pair's traffic in ESP or not at all */
	PLANE_OFF,		/* a designated neighbour left in clear */
	PLANE_BLOCK_OTHERS,	/* TCP/179 of `local` with anybody else;
				 * `peer` is not looked at */
	PLANE_BLOCK_ELSEWHERE	/* TCP/179 from `peer` to any other address of
				 * the router; `local` is not looked at */
};

struct plane_policy {
	enum plane_policy_type type;
	struct plane_pair pair;
};

/* ESP in UDP (RFC 3948): can a plane carry it, and is it better for it? */
enum plane_udp {
	PLANE_UDP_NONE,		/* add_sa refuses it: -EPROTONOSUPPORT */
	PLANE_UDP_CARRIED,	/* where a NAT asks for it */
	PLANE_UDP_PREFERRED	/* always, with a peer that prefers it too */
};

struct plane;

/* The operations of one plane. */
struct plane_ops {
	const char *name;
	enum plane_udp udp;

	/* Can this plane carry ESP with our algorithms on this machine?
	 * 0, or -errno with a sentence in *ret_why (static string). */
	int (*probe)(const char **ret_why);

	/* Can it carry this cipher (IKEv2 transform id) in any form? */
	bool (*carries)(uint16_t encr);

	/* 0 and *ret_plane, which close() releases; or -errno. */
	int (*open)(struct plane **ret_plane);
	/* Releases memory and descriptors. SAs and policies stay. */
	void (*close)(struct plane *plane);

	/* A random SPI (>= 256) that no inbound SA uses, of this plane by
	 * PLANE_SPI_USER; 0 on failure. */
	uint32_t (*allocate_spi)(struct plane *plane,
				 const struct plane_pair *pair);

	int (*add_sa)(struct plane *plane, const struct plane_sa *sa);
	/* spi and inbound name the SA. 0 also if it was not there. */
	int (*delete_sa)(struct plane *plane, const struct plane_pair *pair,
			 bool inbound, uint32_t spi);

	/* Install all SPD entries of a policy, in both directions. -EEXIST if
	 * an entry of another program is in the way. Installing what is there
	 * already is 0 and keeps its SAs and reqids. */
	int (*set_policy)(struct plane *plane,
			  const struct plane_policy *policy);
	/* Remove them. The SAs of the pair are not touched. */
	int (*delete_policy)(struct plane *plane,
			     const struct plane_policy *policy);

	/* Call `each` for every SA that is ours (this or an earlier daemon's),
	 * the oldest first. Stops at, and returns, the first value that is not
	 * 0. */
	int (*query)(struct plane *plane,
		     int (*each)(void *ctx, const struct plane_sa_stats *sa),
		     void *ctx);
	/* The same for every policy that is ours, once each. */
	int (*query_policies)(struct plane *plane,
			      int (*each)(void *ctx,
					  const struct plane_policy *policy),
			      void *ctx);
	/* The reqid that SAs of this pair and kind carry; 0 if the pair has
	 * no policy. The classifier needs it. */
	uint32_t (*reqid)(struct plane *plane, const struct plane_pair *pair,
			  enum plane_kind kind);

	/* The rest may be NULL, where a plane has no such thing. */

	/* Readable when the plane has died: close, open, and install all
	 * again. -1 while it needs nothing that could die. */
	int (*descriptor)(const struct plane *plane);
	/* The interface that decapsulated packets come from, or 0. */
	unsigned (*device)(const struct plane *plane);
	/* Packets of a pair that the plane dropped, by reason. */
	int (*counters)(struct plane *plane, const struct plane_pair *pair,
			uint64_t ret_counters[PLANE_COUNTERS]);
};

extern const struct plane_ops plane_xfrm;	/* the kernel's ESP */
extern const struct plane_ops plane_user;	/* a process of our own */

#endif
