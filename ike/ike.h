/*
 * The IKEv2 engine of one pair (RFC 7296): the IKE SA between one local and
 * one peer address, and the two Child SAs that carry BGP between them.
 *
 * Sans-IO. The engine has no socket, clock, file, log or global: bytes and
 * time come in as arguments, randomness through a callback, and what is to be
 * done goes out as a queue of effects that the caller drains after every call
 * of ike_input() or ike_tick(). Two things the engine never does itself, so
 * that key and decision can live in another process: it does not hold the
 * keys that authenticate us (IKE_NEED_SIGNATURE), and it does not decide whether a
 * certificate may speak for this peer (IKE_NEED_AUTHORIZATION). Their answers
 * come back through ike_input(), in the same call chain or much later.
 *
 * Addresses are struct in6_addr throughout; an IPv4 address is IPv4-mapped
 * (::ffff:a.b.c.d). Multi-byte integers are in host order unless said so.
 */
#ifndef IKE_IKE_H
#define IKE_IKE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/limits.h"
#include "ike/proto.h"

struct ike;

/* A point of monotonic time, or a span of it. A type of its own, so that
 * seconds and milliseconds cannot mix. */
struct ike_time {
	uint64_t us;
};
#define IKE_SECONDS(s) ((struct ike_time){ (uint64_t)(s) * 1000000u })
#define IKE_MSECONDS(ms) ((struct ike_time){ (uint64_t)(ms) * 1000u })
#define IKE_NEVER ((struct ike_time){ UINT64_MAX })

/* Bytes that belong to somebody else. */
struct ike_bytes {
	const uint8_t *data;
	size_t len;
};

/*
 * The two Child SAs of a pair, by the direction of the TCP connection that
 * they carry. Named from our side: our IKE_CHILD_ACTIVE is the peer's
 * IKE_CHILD_PASSIVE.
 */
enum ike_child_kind {
	IKE_CHILD_ACTIVE,	/* TCP, local any port <-> peer port 179 */
	IKE_CHILD_PASSIVE,	/* TCP, local port 179 <-> peer any port */
	IKE_CHILD_KINDS
};

/* Directions of an SA, as a set: install and remove effects name one or both. */
enum ike_direction {
	IKE_INBOUND = 1,
	IKE_OUTBOUND = 2
};

/* ------------------------------------------------------------- new, free */

/* Named sets of algorithms; algorithms.c says what they are. */
enum ike_profile {
	IKE_PROFILE_DEFAULT,
	IKE_PROFILE_CNSA,	/* RFC 9206; ESP is encrypted */
	IKE_PROFILE_LEGACY,	/* everything that is not yet broken */
	IKE_PROFILES
};

/* When ESP is carried in UDP (RFC 3948): each one also when those before it
 * would. */
enum ike_udp {
	IKE_UDP_NEVER,		/* a NAT is refused */
	IKE_UDP_NAT,		/* where there is a NAT */
	IKE_UDP_PREFER,		/* with a peer that prefers it too, which a
				 * Vendor ID of ours says (RFC 7296 3.12) */
	IKE_UDP_ALWAYS		/* a NAT is pretended */
};

/* The algorithms, as OpenSSL has them; for all engines of a process, and for
 * one thread at a time. NULL when out of memory, or if one of those is missing
 * that none can do without. */
struct ike_crypto;
struct ike_crypto *ike_crypto_new(void);
/* When no engine has it any more. NULL is legal. */
void ike_crypto_free(struct ike_crypto *crypto);

struct ike_config {
	struct ike_crypto *crypto;	/* outlives the engine */
	struct in6_addr local, peer;	/* same family; also the identities */
	/* All zero, or else the peer's identity: the address that it has
	 * itself, where a NAT makes it `peer`. */
	struct in6_addr inside;
	enum ike_udp udp;
	enum ike_profile profile;
	/* In place of the profile's, if not NULL: proposals in the words of
	 * algorithms.h. Read by ike_new(), not kept. */
	const char *ike_proposals, *esp_proposals;
	/* A key exchange of its own for each Child SA by CREATE_CHILD_SA
	 * (RFC 7296 1.3.1): ours have it, the peer's must. */
	bool pfs;

	/* Our end certificate first, then intermediates, DER (RFC 7296 3.6).
	 * Copied by ike_new(). */
	struct ike_bytes certs[IKE_MAX_CERTS];
	size_t certs_count;

	/* Both sides authenticate by pre-shared key, and by nothing else; then
	 * there are no certificates. */
	bool shared_key;

	/* The name (PPK_ID) of the post-quantum preshared key of this peer (RFC
	 * 8784); no octets: there is none. `required`: no IKE SA without. */
	uint8_t ppk_id[IKE_MAX_PPK_ID];
	size_t ppk_id_len;
	bool ppk_required;

	/* SHA-1 of the SubjectPublicKeyInfo of each trust anchor of this
	 * peer, 20 bytes each, for CERTREQ (RFC 7296 3.7). */
	uint8_t anchors[IKE_MAX_ANCHORS][20];
	size_t anchors_count;

	/* Spans. No SA of the kind outlives it; rekeying comes well before,
	 * with jitter. */
	struct ike_time ike_lifetime, child_lifetime;
	/* BGP's (RFC 4271 4.2), IKE_NEVER: none. A peer that is dead is known
	 * to be, and a new IKE SA begun, within half of it. */
	struct ike_time hold_time;

	/* Fill len bytes with cryptographic randomness; false on failure. */
	bool (*random)(void *ctx, uint8_t *ret_bytes, size_t len);
	/* A fresh inbound ESP SPI (>= 256), or 0 on failure. */
	uint32_t (*allocate_spi)(void *ctx);
	void *ctx;
};

/*
 * Make the engine of one pair. It does nothing until IKE_INPUT_START.
 * `config` is copied. Returns NULL when out of memory or randomness, or when
 * the configuration is unusable (families differ, no certificate, or one whose
 * key is of a kind that is not accepted, proposals that are none).
 */
struct ike *ike_new(const struct ike_config *config);

/* Free the engine and wipe every secret. Emits nothing. NULL is legal. */
void ike_free(struct ike *ike);

/* ----------------------------------------------------------- input, tick */

enum ike_input_type {
	IKE_INPUT_START,	/* bring the pair up, and keep it up */
	IKE_INPUT_STOP,		/* delete all SAs, tell the peer, stay down */
	IKE_INPUT_DATAGRAM,	/* a UDP payload from the peer's address */
	IKE_INPUT_SIGNATURE,	/* answer to IKE_NEED_SIGNATURE */
	IKE_INPUT_AUTHORIZATION,/* answer to IKE_NEED_AUTHORIZATION */
	IKE_INPUT_CHILD_FAILED	/* an install could not be carried out, or the
				 * SA expired in the SAD */
};

struct ike_input {
	enum ike_input_type type;
	union {
		struct {
			/* without the non-ESP marker */
			struct ike_bytes bytes;
			uint16_t local_port;	/* 500 or 4500 */
			uint16_t peer_port;
		} datagram;
		struct {
			uint32_t request;	/* id of the effect */
			/* ECDSA: DER (ECDSA-Sig-Value); RSA, EdDSA: as RFC
			 * 8017 and RFC 8032 make it; empty: could not sign */
			struct ike_bytes bytes;
		} signature;
		struct {
			/* id of the effect. As long as ike_rests_on() it, the
			 * answer may be given anew, for better or worse:
			 * "not allowed" ends what rests on it at once */
			uint32_t request;
			bool allowed;
			/* Nothing authenticated by this certificate outlives
			 * this span (time left until the chain, a CRL, ...
			 * runs out); IKE_NEVER for no bound. */
			struct ike_time valid_for;
		} authorization;
		struct {
			uint32_t child;
		} child_failed;
	};
};

/* Hand the engine one event. Views in `input` are not kept. */
void ike_input(struct ike *ike, struct ike_time now,
	       const struct ike_input *input);

/* Do what is due at `now`: retransmit, give up, check liveness, rekey. */
void ike_tick(struct ike *ike, struct ike_time now);

/* When ike_tick() wants to be called next; IKE_NEVER if not at all. */
struct ike_time ike_deadline(const struct ike *ike);

/* --------------------------------------------------------------- effects */

enum ike_effect_type {
	IKE_SEND,
	IKE_KEEPALIVE,
	IKE_NEED_SIGNATURE,
	IKE_NEED_AUTHORIZATION,
	IKE_INSTALL_CHILD_SA,
	IKE_REMOVE_CHILD_SA,
	IKE_STATE_CHANGED,
	IKE_FAILED
};

/* The state of the pair, as the engine sees it. */
enum ike_state {
	IKE_DOWN,		/* stopped */
	IKE_CONNECTING,		/* no IKE SA yet, trying */
	IKE_ESTABLISHED		/* an IKE SA; see the Child SAs for traffic */
};

struct ike_child_sa {
	uint32_t id;		/* the engine's handle, never reused */
	enum ike_child_kind kind;
	uint32_t spi_in, spi_out;
	uint16_t encr, integ;	/* transform ids (proto.h) */
	uint16_t encr_key_bits;	/* 0 for NULL */
	bool esn;
	/* ESP in UDP (RFC 3948), ports in host order; 0: bare ESP */
	uint16_t udp_local, udp_peer;
	/* Hard limit: the SAD must not use the SA longer than this. */
	struct ike_time lifetime;
	struct ike_time rekey;	/* point, if the peer is not faster */
	struct ike_bytes key_in, key_out;	/* encryption || integrity */
};

/* What `bgpward status` shows of the current IKE SA. */
struct ike_sa_info {
	uint64_t spi_initiator, spi_responder;
	bool initiator;			/* we began it */
	bool ppk;			/* keys mixed with the PPK (RFC 8784) */
	uint16_t encr, encr_key_bits, integ, prf, ke;
	struct ike_time established;	/* point */
	struct ike_time rekey;		/* point; IKE_NEVER if none */
};

struct ike_effect {
	enum ike_effect_type type;
	union {
		struct {
			struct ike_bytes bytes;
			uint16_t local_port, peer_port;
		} send;
		struct {	/* RFC 3948 4: the octet 0xff, no marker */
			uint16_t local_port, peer_port;
		} keepalive;
		struct {
			uint32_t request;
			struct ike_bytes octets;	/* to be signed */
			/* RFC 7427 hash id, see proto.h. RSA keys sign with
			 * RSASSA-PSS, salt as long as the hash; the hash of
			 * EdDSA is IDENTITY */
			uint16_t hash;
			/* not 0: no signature but the MAC of shared_key.h, by
			 * this PRF. It is wanted of the peer's octets too */
			uint16_t prf;
			/* wanted is not that, but ppk_mix() of ppk.h: the
			 * octets, which are keys, mixed with the PPK */
			bool ppk;
		} need_signature;
		struct {
			uint32_t request;
			/* The peer's certificates, DER, its end certificate
			 * first. AUTH has been verified with that one's key;
			 * nothing else has been looked at. */
			struct ike_bytes certs[IKE_MAX_CERTS];
			size_t certs_count;
			bool nat;	/* the peer's address is translated */
			uint8_t id_type;	/* of the peer's ID payload */
			struct ike_bytes id;
		} need_authorization;
		struct {
			struct ike_child_sa sa;
			unsigned directions;	/* set of enum ike_direction */
		} install;	/* inbound always comes no later than outbound */
		struct {
			uint32_t child;
			enum ike_child_kind kind;
			uint32_t spi_in, spi_out;
			unsigned directions;
		} remove;
		struct {
			enum ike_state state;
			struct ike_sa_info sa;	/* if IKE_ESTABLISHED */
		} state;
		struct {
			enum ike_reason reason;	/* proto.h; has a name and a
						 * sentence */
			/* the notify received or sent, if that is the
			 * reason; else 0 */
			uint16_t notify;
		} failed;
	};
};

/*
 * Take the oldest effect off the queue. Views in it are valid until the next
 * call on this engine. Returns false, and leaves *ret_effect alone, when the
 * queue is empty.
 */
bool ike_next_effect(struct ike *ike, struct ike_effect *ret_effect);

/* Does an IKE SA or Child SA rest on the answer to this IKE_NEED_AUTHORIZATION
 * still? */
bool ike_rests_on(const struct ike *ike, uint32_t request);

/*
 * Datagrams that were dropped, by reason, and what else a stranger can cause
 * to be counted: an array of IKE_REASONS counters that lives as long as the
 * engine.
 */
const uint64_t *ike_counters(const struct ike *ike);

#endif
