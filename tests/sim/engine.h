/* Engines in a chosen state, made once and then cloned: a handshake costs
 * milliseconds, a clone microseconds. */
#ifndef TESTS_SIM_ENGINE_H
#define TESTS_SIM_ENGINE_H

#include "tests/sim/sim.h"

enum engine_state {
	ENGINE_DOWN,		/* nothing has been started */
	ENGINE_CONNECTING,	/* IKE_SA_INIT sent */
	ENGINE_AUTH_SENT,	/* as initiator */
	ENGINE_HALF_OPEN,	/* as responder, IKE_SA_INIT answered */
	ENGINE_ESTABLISHED,	/* one IKE SA, two Child SAs */
	ENGINE_STATES
};

/* OpenSSL's randomness becomes a fixed sequence: the keys, and with them every
 * datagram, are the same in every run. */
void engine_fix_randomness(void);

/* An engine of its own in this state. Its peer does not exist. Always the same
 * memory, renewed by every call, which also clears engine_out. */
struct ike *engine_in(enum engine_state state);

/* What the engine has wanted since then. */
struct engine_out {
	unsigned sends, signatures, authorizations, installs, removes, states,
		 failures;
	uint8_t last[IKE_MAX_MESSAGE];		/* sent */
	size_t last_len;
	uint32_t authorization;			/* id of the last request */
};
extern struct engine_out engine_out;

/* Hand it a datagram, in a block of exactly its size; let time pass. The SAD
 * that it builds is checked: nothing twice, nothing removed that is not there,
 * never a key of no length. Signatures are answered with octets that are
 * none, authorizations by engine_authorize() only. */
void engine_feed(struct ike *ike, const uint8_t *data, size_t len);
void engine_wait(struct ike *ike, struct ike_time span);
void engine_authorize(struct ike *ike);

/* The IKE SA with keys: the newest, or the oldest. NULL if none. */
struct sa *engine_sa(struct ike *ike, bool oldest);

/* A message to that IKE SA from its peer, sealed around a chain of payloads.
 * Returns its length, 0 if it does not fit. */
size_t engine_seal(const struct sa *sa, uint8_t exchange, bool response,
		   uint8_t first, struct ike_bytes chain,
		   uint8_t ret_bytes[IKE_MAX_MESSAGE]);

/* The IKE SA in use and the Child SAs: what an unauthenticated datagram must
 * not touch. */
struct engine_shot {
	struct sa sa;
	struct child children[IKE_MAX_CHILDREN];
	size_t count;
	bool present;
};
void engine_shoot(const struct ike *ike, struct engine_shot *ret_shot);
bool engine_unchanged(const struct ike *ike, const struct engine_shot *shot);

/* AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 7427 A.3.2). */
#define ECDSA_SHA256 ((struct ike_bytes){ (const uint8_t *) \
	"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12 })

#endif
