/* What an engine holds: IKE SAs, Child SAs, the request that is out, a handshake
 * in progress; the spans of its timers. engine.h has what is done to them. */
#ifndef IKE_STATE_H
#define IKE_STATE_H

#include "ike/fragments.h"
#include "ike/ike.h"
#include "ike/keys.h"
#include "ike/message.h"
#include "ike/signature.h"
#include "ike/ts.h"

/* Spans. What they are for stands in timers.c. */
#define RETRANSMIT_FIRST IKE_MSECONDS(500)
#define IDLE_MOST IKE_SECONDS(30)
#define HALF_OPEN_TIME IKE_SECONDS(30)
#define COLLECT_TIME IKE_SECONDS(30)
#define CLOSED_TIME IKE_SECONDS(16)
#define CHILD_LINGER IKE_SECONDS(5)
#define OUTBOUND_WAIT IKE_SECONDS(17)	/* longer than retransmission */
#define DELETE_WAIT IKE_SECONDS(15)
#define CHILD_WAIT IKE_SECONDS(5)
#define REPLACED_WAIT IKE_SECONDS(30)
#define ORPHAN_TIME IKE_SECONDS(180)
#define COOKIE_TIME IKE_SECONDS(60)
#define REAUTH_LEAST IKE_SECONDS(20)
#define REKEY_LEAST IKE_SECONDS(4)
#define KEEPALIVE_TIME IKE_SECONDS(20)	/* RFC 3948 4 */

enum {
	RETRANSMIT_TRIES = 5,		/* 0, 0.5, 1.5, 3.5, 7.5 s; end 15.5 */
	RETRANSMIT_SPANS = 31,		/* the first, until the end */
	HOLD_IDLE = 9,			/* parts of the hold time: idle, */
	HOLD_GIVE_UP = 3,		/* until the end of retransmission */
	YIELD_TRIES = 2,		/* of ours, before the peer's may come */
	RETRY_FIRST_MS = 1000,		/* after a failed attempt */
	RETRY_LAST_MS = 15000,
	NEGOTIATE_LAST_MS = 30000,	/* after a refused Child SA */
	IKE_PORT = 500,
	IKE_NAT_PORT = 4500,		/* RFC 7296 2.23 */
	CREATE_ROOM = 2048		/* our part of CREATE_CHILD_SA */
};

struct buffer {
	uint8_t *data;
	size_t len;
};

struct nonce {
	uint8_t bytes[IKE_MAX_NONCE];
	size_t len;
};

enum sa_state {
	SA_NONE,		/* no IKE SA: an IKE_SA_INIT request */
	/* initiator */
	SA_INIT_SENT,
	SA_SIGNING_REQUEST,
	SA_AUTH_SENT,
	SA_AUTHORIZING_RESPONSE,
	/* responder */
	SA_INIT_ANSWERED,
	SA_AUTHORIZING_REQUEST,
	SA_SIGNING_RESPONSE,
	/* both */
	SA_ESTABLISHED,
	SA_REPLACED,		/* another IKE SA has taken over */
	SA_DELETING,		/* our DELETE is out or about to be */
	SA_CLOSED,		/* answers retransmissions, no more */
	SA_DEAD			/* to be freed at the end of the call */
};

/* What the request that is out wants. */
enum purpose {
	PURPOSE_NONE,
	PURPOSE_SA_INIT,
	PURPOSE_AUTH,
	PURPOSE_CHILD,
	PURPOSE_CHILD_REKEY,
	PURPOSE_IKE_REKEY,
	PURPOSE_DELETE_CHILDREN,
	PURPOSE_DELETE_IKE,
	PURPOSE_LIVENESS
};

/* Two SAs made by both sides at once (RFC 7296 2.8.1, 2.8.2): what the peer
 * made while our own request for the same was out. */
struct rival {
	bool present;
	uint32_t child;		/* its id, or */
	struct sa *sa;
	struct nonce low;	/* the lower of its two nonces */
};

/* The one request of ours that is out (window 1). */
struct request {
	enum purpose purpose;
	uint8_t exchange;
	uint32_t id;
	struct buffer bytes;		/* all fragments */
	unsigned tries;
	struct ike_time next;		/* retransmission or the end */
	uint32_t last_child;		/* newest Child SA when it was sent */
	/* of AUTH, CHILD, CHILD_REKEY, IKE_REKEY */
	enum ike_child_kind kind;
	uint32_t spi_in;		/* ESP SPI offered */
	uint32_t rekeyed;		/* id of the Child SA */
	uint64_t spi_ike;
	struct nonce nonce;
	struct crypto_ke ke;
	struct rival rival;
	uint32_t stillborn;		/* ESP SPI that the peer has deleted */
	/* of DELETE_CHILDREN */
	uint32_t children[IKE_MAX_DELETE_SPIS];
	size_t children_count;
};

/* What a handshake waits for. */
enum awaited {
	AWAITED_SIGNATURE,		/* our own, or MAC */
	AWAITED_MAC,			/* what the peer's AUTH must be */
	AWAITED_PPK,			/* keys mixed with it */
	AWAITED_AUTHORIZATION
};

/* What only IKE_SA_INIT and IKE_AUTH need; gone once established. */
struct handshake {
	struct crypto_ke ke;
	struct nonce own, peer;
	struct buffer init_request, init_response;
	uint8_t request_hash[CRYPTO_SHA256_SIZE];	/* of init_request */
	uint8_t cookie[IKE_MAX_COOKIE];
	size_t cookie_len;
	unsigned retries;
	uint32_t waiting;		/* request id of an effect; 0: none */
	enum awaited awaited;
	uint8_t *held;			/* the peer's IKE_AUTH, opened */
	size_t held_len;
	struct payloads payloads;	/* views into held */
	/* why it will have failed if it does not succeed */
	enum ike_reason hint;
	uint16_t hint_notify;
	uint32_t spi_in;		/* of the Child SA in IKE_AUTH */
	struct signature_choice signing;	/* our own AUTH */
	bool ppk;			/* both have sent USE_PPK (RFC 8784) */
	bool mixed;			/* AUTH rests on these: */
	struct secret d, pi, pr;	/* SK_d, SK_pi, SK_pr with the PPK */
	struct buffer no_ppk_auth;	/* our own AUTH without it */
};

/* An IKE SA. */
struct sa {
	struct sa *next;
	enum sa_state state;
	bool initiator;			/* we began it */
	uint64_t spi_own, spi_peer;
	uint16_t local_port, peer_port;
	bool nat_here, nat_there;	/* our, the peer's address or port is
					 * translated (RFC 7296 2.23) */
	bool udp;			/* ESP in UDP (RFC 3948) */
	struct ike_time keepalive_at;
	struct selection algorithms;
	struct keys_ike keys;
	uint64_t iv;			/* counter, of the next one sealed */
	bool fragmentation;		/* RFC 7383 2.3: both know it */
	bool ppk;			/* its keys rest on a PPK (RFC 8784) */
	struct fragments *collected[2];	/* of requests, of responses */

	struct request out;
	uint32_t send_id;		/* of our next request */
	uint32_t recv_id;		/* of the peer's next request */
	struct buffer response;		/* to request recv_id - 1 */

	struct ike_time begun, established;
	struct ike_time authenticated;	/* by IKE_AUTH; rekeying keeps it */
	struct ike_time expires;	/* half-open, closed, life */
	struct ike_time valid_until;	/* authorization */
	uint32_t authorization;		/* request id; 0: by shared key */
	struct ike_time rekey_at, reauth_at, replaced_at;
	struct ike_time heard;		/* last authentic message */
	uint64_t order;			/* higher ones are preferred */
	bool sent_contact;		/* INITIAL_CONTACT */
	bool superseded;		/* by a handshake, not by a rekey */
	bool refused;			/* the peer is to be told that */
	bool confirm;			/* tell the peer we have its Child SA */
	uint16_t rekey_group;		/* of CREATE_CHILD_SA; 0: as now */
	unsigned rekey_refusals;
	struct ike_time negotiate_at[IKE_CHILD_KINDS];
	unsigned refusals[IKE_CHILD_KINDS];
	struct handshake *handshake;
};

enum child_state {
	CHILD_WAITING,	/* inbound; outbound when the peer has it too */
	CHILD_CURRENT,	/* both */
	CHILD_REPLACED,	/* inbound, for what is still on its way */
	CHILD_REMOVED	/* nothing; until the peer knows it too */
};

struct child {
	struct child *next;
	enum child_state state;
	struct sa *sa;			/* NULL: its IKE SA is gone */
	uint32_t authorization;		/* that of its IKE SA */
	bool ours;			/* we began the exchange */
	bool any_answer;			/* confirms it */
	bool confirmed;			/* the peer is known to use it */
	bool deleting;			/* our DELETE is out */
	struct ike_child_sa info;	/* keys: see below */
	struct secret key_in, key_out;	/* wiped when installed */
	struct ike_time hard, rekey_at;
	struct ike_time outbound_at;	/* WAITING */
	struct ike_time gone_at;	/* REPLACED */
	struct ike_time delete_at;	/* DELETE to be sent; NEVER: no */
};

struct effect {
	struct effect *next;
	struct ike_effect effect;
	size_t len;
	uint8_t data[];			/* what its views point into */
};

struct ike {
	struct ike_config config;
	uint8_t *certs;			/* copy of config.certs */
	struct algorithms algorithms;
	enum signature_key key_kind;	/* of our own certificate */
	bool started;
	enum ike_state state;
	uint64_t shown;			/* order of the IKE SA last told */
	struct ike_time now;		/* of the call being served */
	struct sa *sas;
	struct child *children;
	struct sa *attempt;		/* our own handshake in progress */
	struct ike_time retry_at;
	uint64_t jitter;		/* state of its generator; no secret */
	unsigned failures;		/* attempts in a row */
	struct effect *effects, **effects_end, *taken;
	size_t effects_count;
	uint32_t next_request, next_child;
	uint64_t next_order;
	uint8_t cookie_secrets[2][CRYPTO_SHA256_SIZE];
	uint8_t cookie_generation;
	struct ike_time cookie_until, version_told;
	/* ports of the datagram being served */
	uint16_t local_port, peer_port;
	uint64_t counters[IKE_REASONS];
};

/* ------------------------------------------------------------------ time */

static inline bool time_due(struct ike_time when, struct ike_time now)
{
	return when.us <= now.us;
}

static inline struct ike_time time_add(struct ike_time a, struct ike_time b)
{
	if (a.us > UINT64_MAX - b.us)
		return IKE_NEVER;
	return (struct ike_time){ a.us + b.us };
}

static inline struct ike_time time_min(struct ike_time a, struct ike_time b)
{
	return a.us < b.us ? a : b;
}

static inline struct ike_time time_max(struct ike_time a, struct ike_time b)
{
	return a.us > b.us ? a : b;
}

/* Span from `now` until `when`; 0 if that is past. */
static inline struct ike_time time_until(struct ike_time when,
					 struct ike_time now)
{
	if (when.us == UINT64_MAX)
		return IKE_NEVER;
	return (struct ike_time){ when.us > now.us ? when.us - now.us : 0 };
}

#endif
