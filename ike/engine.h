/*
 * Inside the engine: what its files share. Nobody outside ike/ includes this
 * but the engine's own tests.
 *
 *	engine.c	the verbs, the state of the pair
 *	effects.c	the queue of effects
 *	sa.c		IKE SAs: made, found, ranked, replaced, ended
 *	child_sa.c	Child SAs: installed, replaced, removed
 *	receive.c	a datagram's way to its handler
 *	fragments.c	fragments of a message, until it is whole
 *	table.c		which message is legal when, and its handler
 *	request.c	requests and responses: window, cache, retransmission
 *	timers.c	everything that happens by time
 *	sa_init.c, auth.c, child.c, rekey.c, informational.c	the exchanges
 *	nat.c, cookie.c, child_terms.c, auth_ask.c, auth_payloads.c,
 *	shared_key.c, ppk.c	parts of them
 */
#ifndef IKE_ENGINE_H
#define IKE_ENGINE_H

#include "ike/state.h"

/* -------------------------------------------------------------- engine.c */

void engine_count(struct ike *ike, enum ike_reason reason);
/* Random span below `span`. */
struct ike_time engine_jitter(struct ike *ike, struct ike_time span);
MUST_CHECK bool engine_random(struct ike *ike, void *ret_bytes, size_t len);
/* crypto_ke_make() */
MUST_CHECK bool engine_make_ke(struct ike *ike, uint16_t group,
			       struct crypto_ke *ret_ke);
/* When to rekey what begins now and lives so long. */
struct ike_time engine_rekey_at(struct ike *ike, struct ike_time lifetime);
/* Begin an IKE SA of our own unless one is being begun. */
void engine_initiate(struct ike *ike);
/* Our attempt is over: tell, and schedule the next. */
void engine_attempt_failed(struct ike *ike, struct sa *sa,
			   enum ike_reason reason, uint16_t notify);
/* The peer's own attempt has succeeded: drop ours. But a peer that had no IKE
 * SA before (`contact`) may have accepted it meanwhile, and then has dropped its
 * own if ours is preferred: such a one goes on, and if it fails while there
 * is an IKE SA, that is counted and not told. */
void engine_attempt_abandon(struct ike *ike, bool contact);
/* The peer goes on with what it began: it has not accepted ours before, and
 * will not now. */
void engine_attempt_overtaken(struct ike *ike, const struct sa *by);
/* Span before try number `tries` (from 1) of something: doubled each time,
 * with jitter. */
struct ike_time engine_backoff(struct ike *ike, unsigned tries,
			       unsigned last_ms);
/* Is this side the preferred initiator when both start at once? */
bool engine_preferred(const struct ike *ike);
/* Both start at once: the preferred side's attempt goes on and the other's
 * waits. But a peer that should have answered by now may have been started
 * anew, or be behind something that lets only its own requests through. */
bool engine_goes_first(const struct ike *ike);
/* Has our own attempt gone so far that the peer's must wait for its end? */
bool engine_must_yield(const struct ike *ike);

MUST_CHECK bool buffer_set(struct buffer *buffer, const void *data, size_t len);
void buffer_free(struct buffer *buffer);
struct ike_bytes buffer_view(const struct buffer *buffer);

/* ------------------------------------------------------------- effects.c */

void effect_send(struct ike *ike, struct ike_bytes bytes, uint16_t local_port,
		 uint16_t peer_port);
/* Both return the request's id, 0 when out of memory. */
uint32_t effect_need_signature(struct ike *ike, struct ike_bytes octets,
			       uint16_t hash, uint16_t prf, bool ppk);
uint32_t effect_need_authorization(struct ike *ike,
				   const struct sa *sa,
				   const struct payloads *payloads);
void effect_install(struct ike *ike, const struct child *child,
		    unsigned directions);
void effect_remove(struct ike *ike, const struct child *child,
		   unsigned directions);
void effect_keepalive(struct ike *ike, const struct sa *sa);
void effect_state(struct ike *ike, const struct sa *sa);
void effect_failed(struct ike *ike, enum ike_reason reason, uint16_t notify);
void effects_free(struct ike *ike);
void effects_release_taken(struct ike *ike);

/* ------------------------------------------------------------------ sa.c */

/* A new IKE SA in a state, with a fresh SPI; NULL on failure. */
struct sa *sa_new(struct ike *ike, enum sa_state state, bool initiator);
void sa_set_state(struct ike *ike, struct sa *sa, enum sa_state state);
void sa_reap(struct ike *ike);
uint64_t sa_spi_i(const struct sa *sa);
uint64_t sa_spi_r(const struct sa *sa);
bool sa_has_keys(const struct sa *sa);
/* What protects the messages that we send (`own`) or receive. */
struct crypto_protection sa_protection(const struct ike_crypto *crypto,
				       const struct sa *sa, bool own);
/* The IKE SA that this header belongs to, whichever role it claims. */
struct sa *sa_find(struct ike *ike, const struct message_header *header);
/* The handshake that waits for the answer to an effect. */
struct sa *sa_waiting(struct ike *ike, uint32_t request);
/* The preferred established IKE SA, or NULL. */
struct sa *sa_best(const struct ike *ike);
size_t sa_half_open(const struct ike *ike);
struct sa *sa_oldest(const struct ike *ike, enum sa_state state);
/* An IKE SA is complete: settle it with others. `contact`: the peer said
 * INITIAL_CONTACT. */
void sa_establish(struct ike *ike, struct sa *sa, bool contact);
/* What rests on an authorization is valid for this long from now on; 0: it
 * ends. */
void sa_reconsider(struct ike *ike, uint32_t authorization,
		   struct ike_time valid_for);
/* Lifetimes of an established IKE SA. */
void sa_set_lifetimes(struct ike *ike, struct sa *sa);
/* Children of one IKE SA now belong to another (NULL: to none). */
void sa_move_children(struct ike *ike, struct sa *from, struct sa *to);
/* Does this IKE SA have a Child SA of every kind in use, and the peer too? */
bool sa_complete(const struct ike *ike, const struct sa *sa);
/* Delete it and tell the peer; its Child SAs go. */
void sa_delete(struct ike *ike, struct sa *sa);
/* The peer does not answer any more; its Child SAs stay. */
void sa_lost(struct ike *ike, struct sa *sa);
/* The peer has deleted it. */
void sa_deleted(struct ike *ike, struct sa *sa, enum ike_reason reason);
/* Its life or its authorization is over. */
void sa_expire(struct ike *ike, struct sa *sa);
/* Answer retransmissions for a while, then go. */
void sa_close(struct ike *ike, struct sa *sa);
void sa_release_handshake(struct sa *sa);

/* ------------------------------------------------------------ child_sa.c */

struct child_new {
	struct sa *sa;
	enum ike_child_kind kind;
	uint32_t spi_in, spi_out;
	const struct selection *algorithms;
	const struct keys_child *keys;
	bool ours;		/* we began the exchange */
	bool any_answer;	/* of the peer confirms it: IKE_AUTH */
};

/* Install what was negotiated and settle it with others of its kind. Returns
 * NULL when out of memory. */
struct child *child_create(struct ike *ike, const struct child_new *new);
/* Note one that is not to be installed, to have it deleted. */
void child_refuse(struct ike *ike, const struct child_new *new);
struct child *child_by_id(struct ike *ike, uint32_t id);
struct child *child_by_spi_out(struct ike *ike, uint32_t spi);
/* A live one (WAITING or CURRENT) of this kind under this IKE SA. */
struct child *child_of(const struct ike *ike, const struct sa *sa,
		       enum ike_child_kind kind);
/* Put the outbound SA in, the older ones out. */
void child_activate(struct ike *ike, struct child *child);
/* It is not to be used after all; what the peer sends by it is received yet. */
void child_forgo(struct ike *ike, struct child *child);
/* The peer has it and uses it: activate it if need be; the older ones may go
 * soon. */
void child_confirm(struct ike *ike, struct child *child);
/* The loser of a collision: never to be used; the peer deletes it. */
void child_redundant(struct ike *ike, struct child *child);
/* It cannot be installed, or has expired in the SAD. */
void child_uninstalled(struct ike *ike, struct child *child);
/* The peer uses it no more: a replaced one lingers a little longer. */
void child_release(struct ike *ike, struct child *child);
/* The peer deleted it. */
void child_deleted(struct ike *ike, struct child *child);
/* Remove what is installed. The record goes unless a DELETE is due. */
void child_remove(struct ike *ike, struct child *child);
void child_free(struct ike *ike, struct child *child);
void child_reap(struct ike *ike);

/* ------------------------------------------------------------- receive.c */

void receive_datagram(struct ike *ike, struct ike_bytes bytes);

/* --------------------------------------------------------------- table.c */

struct message {
	struct message_header header;
	struct ike_bytes bytes;		/* the datagram */
	struct payloads payloads;
	/* opened payloads; a handler that keeps them sets plaintext NULL */
	uint8_t *plaintext;
	size_t plaintext_len;
};

struct table_row {
	const char *name;
	unsigned states;		/* set of 1 << */
	enum ike_exchange exchange;
	bool response;
	uint32_t required, allowed;	/* sets of PAYLOAD_BIT */
	unsigned purposes;		/* response: to these; set of 1 << */
	void (*handle)(struct ike *ike, struct sa *sa, struct message *message);
};

/*
 * The row for a message in a state. NULL with IKE_REASON_UNEXPECTED (no such
 * exchange now), IKE_REASON_PAYLOAD_MISSING or IKE_REASON_PAYLOAD_FORBIDDEN.
 */
const struct table_row *
table_find(enum sa_state state, enum purpose purpose,
	   const struct message_header *header,
	   const struct payloads *payloads, enum ike_reason *ret_reason);

/* ------------------------------------------------------------- request.c */

/* Our next request; payloads in `inner`. Fills sa->out's common part. */
void request_send(struct ike *ike, struct sa *sa, enum purpose purpose,
		  enum ike_exchange exchange, struct writer *inner);
/* The IKE_SA_INIT request in sa->handshake->init_request. */
void request_send_init(struct ike *ike, struct sa *sa);
void request_retransmit(struct ike *ike, struct sa *sa);
/* The request that is out has been answered, or is given up. */
void request_done(struct sa *sa);
bool request_idle(const struct sa *sa);
/* Is it one for a Child SA (CREATE_CHILD_SA)? */
bool request_makes_child(const struct sa *sa);
/* Answer the request being processed, and remember the answer. */
void response_send(struct ike *ike, struct sa *sa, enum ike_exchange exchange,
		   struct writer *inner);
void response_notify(struct ike *ike, struct sa *sa, enum ike_exchange exchange,
		     enum ike_notify type, struct ike_bytes data);
void response_resend(struct ike *ike, struct sa *sa);

/* -------------------------------------------------------------- timers.c */

void timers_run(struct ike *ike);
struct ike_time timers_next(const struct ike *ike);

#endif
