/*
 * What the classifier (classifier.bpf.c) and its loader (guard.c) share: map
 * keys and values, and the numbered reasons for a drop. Included by both, so
 * it uses kernel types only.
 */
#ifndef BPF_CLASSIFIER_H
#define BPF_CLASSIFIER_H

/* IPv4 addresses are IPv4-mapped, as everywhere in bgpward. Network order. */
struct classifier_addr {
	__u8 bytes[16];
};

/* Every drop has a reason. The names are what `bgpward status` prints. */
#define CLASSIFIER_REASONS(X) \
	X(CLEARTEXT_IN, "cleartext_in", "cleartext TCP/179 of the pair came in") \
	X(CLEARTEXT_OUT, "cleartext_out", "cleartext TCP/179 of the pair was about to leave") \
	X(NOT_A_PEER, "not_a_peer", "TCP/179 from an address that is no peer's") \
	X(UNKNOWN_SPI, "unknown_spi", "ESP from the peer with an SPI that no SA has") \
	X(STRANGER_IKE, "stranger_ike", "UDP 500 or 4500 from an address that is no peer's") \
	X(MALFORMED, "malformed", "a header chain to a protected address that cannot be followed")

enum classifier_reason {
#define X(name, text, sentence) CLASSIFIER_##name,
	CLASSIFIER_REASONS(X)
#undef X
	CLASSIFIER_REASON_COUNT
};

/* pairs: (local, peer) -> what is to become of it */
struct classifier_pair_key {
	struct classifier_addr local, peer;
};

enum classifier_mode {
	CLASSIFIER_REQUIRE,	/* ESP or nothing */
	CLASSIFIER_OFF		/* a designated peer, left in clear */
};

struct classifier_pair {
	__u32 mode;		/* enum classifier_mode */
	__u32 slot;		/* key of its counters */
	__u32 reqid[2];		/* of its SAs; 0: none (RFC 4301 4.4.2.1 is
				 * kept by the kernel's state selectors) */
};

/* locals: protected local address -> what strangers may do */
struct classifier_local {
	__u32 block_others;	/* TCP/179 of non-peers: 1 drop, 0 pass */
	__u32 slot;		/* counters of what concerns no pair */
};

/* spis: inbound SAs. The value is of no meaning. */
struct classifier_spi_key {
	struct classifier_pair_key pair;
	__u32 spi;		/* network order */
};

/* plane: 0 -> index of the user plane's TUN device, or 0 */

/* counters: slot -> one of these per CPU. Room for a power of two, so that the
 * verifier sees an index in bounds from a mask alone. */
#define CLASSIFIER_REASON_ROOM 8
_Static_assert((int)CLASSIFIER_REASON_COUNT <= CLASSIFIER_REASON_ROOM,
	       "no room for all reasons");

struct classifier_counters {
	__u64 drops[CLASSIFIER_REASON_ROOM];
};

/* What comes out of the user plane's TUN device gets this skb mark; the SPD
 * entries of its pairs ask for it (sidecar/user_policy.h). */
#define CLASSIFIER_PLANE_MARK 0xb679b679u

enum classifier_limits {
	CLASSIFIER_MAX_PAIRS = 4096,
	CLASSIFIER_MAX_LOCALS = 64,
	CLASSIFIER_MAX_SPIS = 32768,
	CLASSIFIER_MAX_SLOTS = CLASSIFIER_MAX_PAIRS + CLASSIFIER_MAX_LOCALS,
	CLASSIFIER_MAX_TAGS = 2,	/* in-band VLAN tags looked behind */
	CLASSIFIER_MAX_HEADERS = 8,	/* between IP and TCP, UDP or ESP */
	CLASSIFIER_MAX_PULL = 2048,	/* bytes, where headers may lie */
	CLASSIFIER_MAX_STATES = 6	/* of a decapsulated packet (the
					 * kernel's XFRM_MAX_DEPTH) */
};

#endif
