/* The verbs, and the state of the pair. */
#include "ike/certificate.h"
#include "ike/exchanges.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- new, free */

static bool usable(const struct ike_config *config)
{
	size_t len = 0;

	if (!config->crypto ||
	    config->shared_key != (config->certs_count == 0) ||
	    config->certs_count > IKE_MAX_CERTS ||
	    config->anchors_count > IKE_MAX_ANCHORS || !config->random ||
	    config->ppk_id_len > IKE_MAX_PPK_ID ||
	    (config->ppk_required && config->ppk_id_len == 0) ||
	    !config->allocate_spi || config->ike_lifetime.us == 0 ||
	    config->child_lifetime.us == 0 || config->hold_time.us == 0 ||
	    !!IN6_IS_ADDR_V4MAPPED(&config->local) !=
	    !!IN6_IS_ADDR_V4MAPPED(&config->peer) ||
	    (!IN6_IS_ADDR_UNSPECIFIED(&config->inside) &&
	     !!IN6_IS_ADDR_V4MAPPED(&config->inside) !=
	     !!IN6_IS_ADDR_V4MAPPED(&config->peer)) ||
	    !memcmp(&config->local, &config->peer, sizeof(config->local)))
		return false;
	for (size_t i = 0; i < config->certs_count; i++) {
		if (config->certs[i].len == 0 ||
		    config->certs[i].len > IKE_MAX_OWN_CERTS - len)
			return false;
		len += config->certs[i].len;
	}
	return true;
}

/* The engine keeps its own copy of the certificates. */
static bool copy_certs(struct ike *ike)
{
	size_t len = 0;
	uint8_t *at;

	for (size_t i = 0; i < ike->config.certs_count; i++)
		len += ike->config.certs[i].len;
	ike->certs = at = malloc(len ? len : 1);
	if (!at)
		return false;
	for (size_t i = 0; i < ike->config.certs_count; i++) {
		struct ike_bytes *cert = &ike->config.certs[i];

		memcpy(at, cert->data, cert->len);
		cert->data = at;
		at += cert->len;
	}
	return true;
}

static enum signature_key kind_of(const struct ike_config *config)
{
	enum signature_key kind = SIGNATURE_NONE;

	EVP_PKEY_free(certificate_key(config->crypto, config->certs[0],
				      &kind));
	return kind;
}

struct ike *ike_new(const struct ike_config *config)
{
	struct ike *ike;

	if (!usable(config))
		return NULL;
	ike = calloc(1, sizeof(*ike));
	if (!ike)
		return NULL;
	ike->config = *config;
	ike->config.ike_proposals = ike->config.esp_proposals = NULL;
	if (IN6_IS_ADDR_UNSPECIFIED(&config->inside))
		ike->config.inside = config->peer;
	ike->effects_end = &ike->effects;
	if (!config->shared_key)
		ike->key_kind = kind_of(config);
	ike->retry_at = IKE_NEVER;
	ike->state = IKE_DOWN;
	if (!algorithms_of(config, &ike->algorithms) ||
	    (ike->key_kind == SIGNATURE_NONE && !config->shared_key) ||
	    !copy_certs(ike) ||
	    !engine_random(ike, &ike->jitter, sizeof(ike->jitter))) {
		ike_free(ike);
		return NULL;
	}
	return ike;
}

void ike_free(struct ike *ike)
{
	if (!ike)
		return;
	while (ike->children)
		child_free(ike, ike->children);
	for (struct sa *sa = ike->sas; sa; sa = sa->next)
		sa->state = SA_DEAD;
	sa_reap(ike);
	effects_free(ike);
	free(ike->certs);
	OPENSSL_cleanse(ike, sizeof(*ike));
	free(ike);
}

/* --------------------------------------------------------------- helpers */

void engine_count(struct ike *ike, enum ike_reason reason)
{
	ike->counters[reason]++;
}

bool engine_random(struct ike *ike, void *ret_bytes, size_t len)
{
	if (ike->config.random(ike->config.ctx, ret_bytes, len))
		return true;
	engine_count(ike, IKE_REASON_RANDOM);
	return false;
}

bool engine_make_ke(struct ike *ike, uint16_t group, struct crypto_ke *ret_ke)
{
	return crypto_ke_make(ike->config.crypto, group, ike->config.random,
			      ike->config.ctx, ret_ke);
}

struct ike_time engine_jitter(struct ike *ike, struct ike_time span)
{
	if (span.us == 0)
		return span;
	/* Knuth's MMIX; its low bits have short periods */
	ike->jitter = ike->jitter * 6364136223846793005u +
		1442695040888963407u;
	return (struct ike_time){ (ike->jitter >> 16) % span.us };
}

struct ike_time engine_rekey_at(struct ike *ike, struct ike_time lifetime)
{
	struct ike_time margin = time_max((struct ike_time){ lifetime.us / 5 },
					  REKEY_LEAST);

	margin = time_min(margin, (struct ike_time){ lifetime.us / 2 });
	lifetime.us -= margin.us;
	margin.us /= 2;
	return time_add(time_add(ike->now, lifetime),
			engine_jitter(ike, margin));
}

struct ike_time
engine_backoff(struct ike *ike, unsigned tries, unsigned last_ms)
{
	uint64_t ms = RETRY_FIRST_MS;

	for (unsigned i = 1; i < tries && ms < last_ms; i++)
		ms *= 2;
	if (ms > last_ms)
		ms = last_ms;
	return time_add(IKE_MSECONDS(ms / 2),
			engine_jitter(ike, IKE_MSECONDS(ms / 2)));
}

bool buffer_set(struct buffer *buffer, const void *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return false;
	if (len > 0)
		memcpy(copy, data, len);
	buffer_free(buffer);
	buffer->data = copy;
	buffer->len = len;
	return true;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	buffer->data = NULL;
	buffer->len = 0;
}

struct ike_bytes buffer_view(const struct buffer *buffer)
{
	return (struct ike_bytes){ buffer->data, buffer->len };
}

bool engine_preferred(const struct ike *ike)
{
	/* both sides compare the same two, which no NAT has touched */
	return memcmp(&ike->config.local, &ike->config.inside,
		      sizeof(ike->config.local)) < 0;
}

bool engine_goes_first(const struct ike *ike)
{
	return ike->attempt && engine_preferred(ike) &&
		ike->attempt->out.tries <= YIELD_TRIES;
}

bool engine_must_yield(const struct ike *ike)
{
	return engine_goes_first(ike) &&
		(ike->attempt->state == SA_AUTH_SENT ||
		 ike->attempt->state == SA_AUTHORIZING_RESPONSE);
}

/* -------------------------------------------------------------- attempts */

void engine_initiate(struct ike *ike)
{
	struct sa *sa;

	if (!ike->started || ike->attempt)
		return;
	sa = sa_new(ike, SA_INIT_SENT, true);
	if (!sa) {
		ike->retry_at = time_add(ike->now, engine_backoff(
				ike, ++ike->failures, RETRY_LAST_MS));
		return;
	}
	ike->attempt = sa;
	sa_init_start(ike, sa);
}

/* The peer must be repaired first: no use in trying often. */
static bool hopeless(enum ike_reason reason)
{
	return reason == IKE_REASON_PEER_REFUSED ||
		reason == IKE_REASON_UNAUTHORIZED ||
		reason == IKE_REASON_AUTH ||
		reason == IKE_REASON_AUTH_METHOD ||
		reason == IKE_REASON_PPK ||
		reason == IKE_REASON_CERTIFICATE;
}

void engine_attempt_failed(struct ike *ike, struct sa *sa,
			   enum ike_reason reason, uint16_t notify)
{
	if (ike->attempt != sa)
		return;
	if (sa->superseded && sa_best(ike)) {
		engine_count(ike, reason);
		sa_set_state(ike, sa, SA_DEAD);
		return;
	}
	if (reason == IKE_REASON_NO_RESPONSE && sa->handshake &&
	    sa->handshake->hint != IKE_REASON_NONE) {
		reason = sa->handshake->hint;
		notify = sa->handshake->hint_notify;
	}
	sa_set_state(ike, sa, SA_DEAD);
	ike->failures += hopeless(reason) ? 4 : 1;
	ike->retry_at = time_add(ike->now, engine_backoff(
			ike, ike->failures, RETRY_LAST_MS));
	effect_failed(ike, reason, notify);
}

void engine_attempt_abandon(struct ike *ike, bool contact)
{
	struct sa *sa = ike->attempt;

	if (!sa || sa->superseded)
		return;
	engine_count(ike, IKE_REASON_SUPERSEDED);
	if (contact && engine_preferred(ike) && sa->state >= SA_AUTH_SENT)
		sa->superseded = true;
	else
		sa_set_state(ike, sa, SA_DEAD);
}

void engine_attempt_overtaken(struct ike *ike, const struct sa *by)
{
	struct sa *sa = ike->attempt;

	if (sa && sa->superseded && sa->state == SA_AUTH_SENT &&
	    by == sa_best(ike) && !by->initiator)
		sa_set_state(ike, sa, SA_DEAD);
}

/* ----------------------------------------------------------------- state */

/* The one place that changes the state of the pair. */
static void set_state(struct ike *ike, enum ike_state state,
		      const struct sa *sa)
{
	uint64_t shown = sa ? sa->order : 0;

	if (ike->state == state && ike->shown == shown)
		return;
	ike->state = state;
	ike->shown = shown;
	effect_state(ike, sa);
}

static void settle_state(struct ike *ike)
{
	const struct sa *best = sa_best(ike);

	if (!ike->started)
		set_state(ike, IKE_DOWN, NULL);
	else if (best)
		set_state(ike, IKE_ESTABLISHED, best);
	else
		set_state(ike, IKE_CONNECTING, NULL);
}

/* ---------------------------------------------------------------- inputs */

static void start(struct ike *ike)
{
	if (ike->started)
		return;
	ike->started = true;
	ike->failures = 0;
	ike->retry_at = ike->now;
}

static void stop(struct ike *ike)
{
	ike->started = false;
	ike->retry_at = IKE_NEVER;
	for (struct sa *sa = ike->sas; sa; sa = sa->next) {
		if (sa->state < SA_ESTABLISHED)
			sa_set_state(ike, sa, SA_DEAD);
		else if (sa->state == SA_ESTABLISHED ||
			 sa->state == SA_REPLACED)
			sa_delete(ike, sa);
	}
	for (struct child *c = ike->children; c; c = c->next) {
		child_remove(ike, c);
		c->delete_at = IKE_NEVER;
	}
}

static void signature(struct ike *ike, const struct ike_input *input)
{
	struct sa *sa = sa_waiting(ike, input->signature.request);

	if (!sa)
		return;
	switch (sa->handshake->awaited) {
	case AWAITED_SIGNATURE:
		auth_signed(ike, sa, input->signature.bytes);
		return;
	case AWAITED_MAC:
		auth_expected(ike, sa, input->signature.bytes);
		return;
	case AWAITED_PPK:
		auth_mixed(ike, sa, input->signature.bytes);
		return;
	case AWAITED_AUTHORIZATION:
		return;
	}
}

static void authorization(struct ike *ike, const struct ike_input *input)
{
	struct sa *sa = sa_waiting(ike, input->authorization.request);

	if (ike->config.shared_key)
		return;
	if (sa && sa->handshake->awaited == AWAITED_AUTHORIZATION)
		auth_authorized(ike, sa, input->authorization.allowed,
				input->authorization.valid_for);
	else
		sa_reconsider(ike, input->authorization.request,
			      input->authorization.allowed ?
			      input->authorization.valid_for :
			      IKE_SECONDS(0));
}

static void uninstalled(struct ike *ike, const struct ike_input *input)
{
	struct child *child = child_by_id(ike, input->child_failed.child);

	if (child)
		child_uninstalled(ike, child);
}

static void datagram(struct ike *ike, const struct ike_input *input)
{
	if (ike->effects_count >= IKE_EFFECTS_HIGH) {
		engine_count(ike, IKE_REASON_BUSY);
		return;
	}
	ike->local_port = input->datagram.local_port;
	ike->peer_port = input->datagram.peer_port;
	receive_datagram(ike, input->datagram.bytes);
}

static void dispatch(struct ike *ike, const struct ike_input *input)
{
	switch (input->type) {
	case IKE_INPUT_START:
		start(ike);
		return;
	case IKE_INPUT_STOP:
		stop(ike);
		return;
	case IKE_INPUT_DATAGRAM:
		datagram(ike, input);
		return;
	case IKE_INPUT_SIGNATURE:
		signature(ike, input);
		return;
	case IKE_INPUT_AUTHORIZATION:
		authorization(ike, input);
		return;
	case IKE_INPUT_CHILD_FAILED:
		uninstalled(ike, input);
		return;
	}
}

/* Time never runs backwards in here. */
static void enter(struct ike *ike, struct ike_time now)
{
	effects_release_taken(ike);
	ike->now = time_max(ike->now, now);
}

static void leave(struct ike *ike)
{
	timers_run(ike);
	settle_state(ike);
	child_reap(ike);
	sa_reap(ike);
}

void ike_input(struct ike *ike, struct ike_time now,
	       const struct ike_input *input)
{
	enter(ike, now);
	dispatch(ike, input);
	leave(ike);
}

void ike_tick(struct ike *ike, struct ike_time now)
{
	enter(ike, now);
	leave(ike);
}

struct ike_time ike_deadline(const struct ike *ike)
{
	return timers_next(ike);
}

bool ike_rests_on(const struct ike *ike, uint32_t request)
{
	for (const struct sa *sa = ike->sas; sa; sa = sa->next)
		if (sa->authorization == request && sa->state <= SA_REPLACED)
			return true;
	for (const struct child *c = ike->children; c; c = c->next)
		if (c->authorization == request && c->state != CHILD_REMOVED)
			return true;
	return false;
}

const uint64_t *ike_counters(const struct ike *ike)
{
	return ike->counters;
}
