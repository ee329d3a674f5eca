#include "sidecar/pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/address.h"
#include "sidecar/join.h"
#include "sidecar/log.h"

struct ike_time pair_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct ike_time){ (uint64_t)now.tv_sec * 1000000 +
				  (uint64_t)now.tv_nsec / 1000 };
}

static const char *who(const struct pair *pair)
{
	return pair->peer->name;
}

static const char *remote_text(const struct pair *pair)
{
	static char text[INET6_ADDRSTRLEN];

	return address_text(&pair->id.peer, text);
}

static uint32_t allocate_spi(void *ctx)
{
	struct pair *pair = ctx;

	return warden_allocate_spi(pair->sas.warden, &pair->id);
}

/* -------------------------------------------------------------- state, log */

static bool is_protected(const struct pair *pair)
{
	return sas_complete(&pair->sas, IKE_CHILD_ACTIVE) &&
	       sas_complete(&pair->sas, IKE_CHILD_PASSIVE);
}

const char *pair_state_name(const struct pair *pair)
{
	if (!pair->ike)
		return "off";
	if (pair->down)
		return "down";
	return is_protected(pair) ? "protected" : "connecting";
}

static void log_protection(struct pair *pair)
{
	const bool now = is_protected(pair);

	if (now == pair->was_protected)
		return;
	pair->was_protected = now;
	if (now)
		log_info(who(pair), "pair with %s is protected",
			 remote_text(pair));
	else
		log_warning(who(pair), "pair with %s is closed: no SA",
			    remote_text(pair));
}

static void record_failure(struct pair *pair, const char *reason,
			   const char *message)
{
	if (failure_note(&pair->failure, time(NULL), reason, message))
		log_warning(who(pair), "%s: %s (%s)", remote_text(pair),
			    message, reason);
}

/* ---------------------------------------------------------------- effects */

static void on_send(struct pair *pair, const struct ike_effect *effect)
{
	/* Loss, also here, is repaired by retransmission. */
	udp_send(pair->udp, effect->send.local_port, &pair->id.peer,
		 effect->send.peer_port, effect->send.bytes.data,
		 effect->send.bytes.len);
}

static void note_verdict(struct pair *pair,
			 const struct policy_verdict *verdict)
{
	memcpy(pair->subject, verdict->subject, sizeof(pair->subject));
	pair->certificate = (struct policy_span){ verdict->not_before,
						  verdict->not_after };
	pair->crl = verdict->crl;
}

static void sort_out_proofs(struct pair *pair)
{
	const bool orphans = pair->sas.orphans_count > 0;

	pair->unproven = pair->unproven && orphans;
	proofs_sort_out(&pair->proofs, pair->ike, orphans);
}

static void on_need_authorization(struct pair *pair,
				  const struct ike_effect *effect)
{
	struct proof *proof = proof_new(effect, &pair->id.peer);
	struct policy_verdict verdict;

	if (!proof) {
		/* no answer is a refusal */
		record_failure(pair, "no_memory", "out of memory");
		return;
	}
	proof_judge(proof, pair->peer, &pair->id.peer, &verdict);
	proof_tell(proof, &verdict, pair->ike, pair_now());
	pair->refused = verdict.refusal != POLICY_ALLOWED;
	if (pair->refused) {
		record_failure(pair, policy_refusal_name(verdict.refusal),
			       verdict.text);
		free(proof);
		return;
	}
	proof->next = pair->proofs;
	pair->proofs = proof;
	sort_out_proofs(pair);
	note_verdict(pair, &verdict);
}

static void on_install(struct pair *pair, const struct ike_effect *effect)
{
	const struct ike_input failed = {
		.type = IKE_INPUT_CHILD_FAILED,
		.child_failed.child = effect->install.sa.id,
	};
	int err = sas_install(&pair->sas, &effect->install.sa,
			      effect->install.directions);
	char message[POLICY_TEXT_SIZE];

	if (!err) {
		/* nothing is wrong any more, and not before */
		if (is_protected(pair))
			failure_clear(&pair->failure);
		return;
	}
	snprintf(message, sizeof(message),
		 "cannot install an SA in plane %s: %s",
		 warden_plane_name(pair->sas.warden, &pair->id),
		 strerror(-err));
	record_failure(pair, "sa_not_installed", message);
	ike_input(pair->ike, pair_now(), &failed);
}

static void on_state_changed(struct pair *pair, const struct ike_effect *effect)
{
	pair->state = effect->state.state;
	pair->changed = pair_now();
	if (pair->state != IKE_ESTABLISHED)
		return;
	pair->ike_sa = effect->state.sa;
	log_info(who(pair), "IKE SA with %s established as %s%s, peer is %s",
		 remote_text(pair),
		 pair->ike_sa.initiator ? "initiator" : "responder",
		 pair->ike_sa.ppk ? " with PPK" : "",
		 pair->peer->auth == POLICY_PSK ? "known by pre-shared key" :
		 pair->subject);
}

static void on_failed(struct pair *pair, const struct ike_effect *effect)
{
	const enum ike_reason reason = effect->failed.reason;
	const uint16_t notify = effect->failed.notify;
	char text[POLICY_TEXT_SIZE];

	/* an unauthorized peer has been recorded already, and better */
	if (pair->refused && reason == IKE_REASON_UNAUTHORIZED)
		return;
	if (reason == IKE_REASON_PEER_ERROR && notify)
		snprintf(text, sizeof(text), "%s: %s (%u)",
			 ike_reason_text(reason),
			 ike_name(IKE_NAMES_NOTIFY, notify), notify);
	else
		snprintf(text, sizeof(text), "%s", ike_reason_text(reason));
	record_failure(pair, ike_reason_name(reason), text);
}

static void carry_out(struct pair *pair, const struct ike_effect *effect)
{
	switch (effect->type) {
	case IKE_SEND:
		on_send(pair, effect);
		break;
	case IKE_KEEPALIVE:
		udp_keepalive(pair->udp, &pair->id.peer,
			      effect->keepalive.peer_port);
		break;
	case IKE_NEED_SIGNATURE:
		join_sign(pair->ike, pair->crypto, pair_now(), effect,
			  pair->config->credential, pair->peer);
		break;
	case IKE_NEED_AUTHORIZATION:
		on_need_authorization(pair, effect);
		break;
	case IKE_INSTALL_CHILD_SA:
		on_install(pair, effect);
		break;
	case IKE_REMOVE_CHILD_SA:
		sas_remove(&pair->sas, effect->remove.child,
			   effect->remove.directions);
		break;
	case IKE_STATE_CHANGED:
		on_state_changed(pair, effect);
		break;
	case IKE_FAILED:
		on_failed(pair, effect);
		break;
	}
}

static void arm_timer(struct pair *pair)
{
	const struct ike_time deadline = ike_deadline(pair->ike);
	const struct ike_time now = pair_now();
	uint64_t wait = deadline.us > now.us ? deadline.us - now.us : 0;
	const struct timeval timeout = {
		.tv_sec = (time_t)(wait / 1000000),
		.tv_usec = (suseconds_t)(wait % 1000000),
	};

	if (deadline.us == IKE_NEVER.us)
		evtimer_del(pair->timer);
	else
		evtimer_add(pair->timer, &timeout);
}

static void drain(struct pair *pair)
{
	struct ike_effect effect;

	while (ike_next_effect(pair->ike, &effect))
		carry_out(pair, &effect);
	log_protection(pair);
	arm_timer(pair);
}

static void due(evutil_socket_t fd, short what, void *ctx)
{
	struct pair *pair = ctx;

	(void)fd;
	(void)what;
	ike_tick(pair->ike, pair_now());
	drain(pair);
}

/* -------------------------------------------------------------- life cycle */

/* Closed, not open: without the note the next daemon removes the SAs. */
static void note_trust(const struct pair *pair)
{
	int err = trust_record(pair->trust, &pair->id, pair->peer);

	if (err && pair->trust)
		log_error(who(pair), "cannot note what the SAs with %s rest on: %s; a restart will not take them over",
			  remote_text(pair), strerror(-err));
}

/* A fresh engine; what the SAD has of the pair, by the list, is taken over if
 * it is `trusted`, and else removed. */
static int make_engine(struct pair *pair, struct warden *warden, bool trusted,
		       const struct sad_list *list)
{
	struct event_base *base = event_get_base(pair->timer);
	int err;

	err = pair->sas.warden ? sas_renew(&pair->sas, base, list) :
		sas_init(&pair->sas, base, warden, &pair->id, list);
	if (err)
		return err;
	ike_free(pair->ike);
	pair->ike = NULL;
	evtimer_del(pair->timer);	/* it was that engine's */
	proofs_orphan(pair->proofs);
	pair->state = IKE_DOWN;
	if (!trusted && pair->sas.orphans_count > 0) {
		log_warning(who(pair), "pair with %s: %zu SAs of an earlier daemon removed: they do not rest on this configuration",
			    remote_text(pair), pair->sas.orphans_count);
		sas_remove_all(&pair->sas);
	}
	if (pair->peer->mode == POLICY_OFF) {
		trust_forget(pair->trust, &pair->id);
		return 0;
	}
	note_trust(pair);
	pair->ike = join_new_engine(pair->crypto, pair->config, pair->peer,
				    &pair->id.local, &pair->id.peer,
				    warden_udp(warden, &pair->id),
				    allocate_spi, pair);
	return pair->ike ? 0 : -EINVAL;
}

int pair_new(struct event_base *base, struct warden *warden,
	     const struct udp *udp, const struct trust *trust,
	     struct ike_crypto *crypto, const struct policy_config *config,
	     const struct policy_peer *peer,
	     const struct plane_pair *id, const struct sad_list *list,
	     struct pair **ret_pair)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int err;

	if (!pair)
		return -ENOMEM;
	pair->id = *id;
	pair->config = config;
	pair->peer = peer;
	pair->udp = udp;
	pair->trust = trust;
	pair->crypto = crypto;
	pair->timer = evtimer_new(base, due, pair);
	err = pair->timer ? make_engine(pair, warden,
					trust_holds(trust, id, peer), list) :
		-ENOMEM;
	if (err) {
		pair_free(pair);
		return err;
	}
	if (peer->mode == POLICY_OFF)
		log_info(who(pair), "pair with %s is in clear (mode = off)",
			 remote_text(pair));
	pair->unproven = pair->sas.orphans_count > 0;
	pair->was_protected = is_protected(pair);
	if (pair->was_protected)
		log_info(who(pair), "pair with %s: %zu SAs taken over",
			 remote_text(pair), pair->sas.orphans_count);
	*ret_pair = pair;
	return 0;
}

void pair_free(struct pair *pair)
{
	if (!pair)
		return;
	if (pair->timer)
		event_free(pair->timer);
	ike_free(pair->ike);
	proofs_free(&pair->proofs);
	sas_done(&pair->sas);
	free(pair);
}

static void command(struct pair *pair, enum ike_input_type type)
{
	const struct ike_input input = { .type = type };

	ike_input(pair->ike, pair_now(), &input);
	drain(pair);
}

void pair_up(struct pair *pair)
{
	if (!pair->ike)
		return;
	pair->down = false;
	command(pair, IKE_INPUT_START);
}

static void close_pair(struct pair *pair)
{
	if (pair->ike)
		command(pair, IKE_INPUT_STOP);
	sas_remove_all(&pair->sas);
	log_protection(pair);
}

void pair_down(struct pair *pair)
{
	pair->down = pair->ike != NULL;
	close_pair(pair);
}

/* Without its SAs it is not closed as a pair is: the log says what it is. */
static void leave(struct pair *pair, const char *how)
{
	log_warning(who(pair), "pair with %s is %s", remote_text(pair), how);
	sas_remove_all(&pair->sas);
	pair->was_protected = false;
}

void pair_release(struct pair *pair, const char *how)
{
	leave(pair, how);
	pair_down(pair);
}

/* One proof; false, with its verdict, if it does not hold any more. */
static bool judge(struct pair *pair, const struct proof *proof,
		  struct policy_verdict *ret_verdict)
{
	bool allowed;

	proof_judge(proof, pair->peer, &pair->id.peer, ret_verdict);
	allowed = ret_verdict->refusal == POLICY_ALLOWED;
	if (proof->request)
		proof_tell(proof, ret_verdict, pair->ike, pair_now());
	else if (!allowed)
		sas_remove_orphans(&pair->sas);
	return allowed;
}

static void judge_all(struct pair *pair)
{
	struct policy_verdict verdict, refusal = { .refusal = POLICY_ALLOWED };

	if (!pair->ike)
		return;
	sort_out_proofs(pair);
	for (const struct proof *p = pair->proofs; p; p = p->next) {
		if (!judge(pair, p, &verdict))
			refusal = verdict;
		else if (p == pair->proofs)
			note_verdict(pair, &verdict);
	}
	drain(pair);
	note_trust(pair);
	if (refusal.refusal != POLICY_ALLOWED)
		record_failure(pair, policy_refusal_name(refusal.refusal),
			       refusal.text);
}

void pair_judge(struct pair *pair)
{
	if (pair->unproven && pair->sas.orphans_count > 0) {
		log_warning(who(pair), "pair with %s: SAs of an earlier daemon removed: nobody knows whether they pass the new CRL",
			    remote_text(pair));
		sas_remove_orphans(&pair->sas);
	}
	judge_all(pair);
}

void pair_expire(struct pair *pair, const struct sad_list *list)
{
	if (sas_expire(&pair->sas, list))
		log_protection(pair);
}

int pair_rebase(struct pair *pair, const struct policy_config *config,
		const struct policy_peer *peer, bool renew,
		const struct sad_list *list)
{
	renew = renew || !policy_same_peer(pair->peer, peer) ||
		(!pair->ike && peer->mode != POLICY_OFF);
	if (pair->ike)
		sort_out_proofs(pair);
	if (peer->mode == POLICY_OFF && pair->peer->mode != POLICY_OFF)
		leave(pair, "in clear from now on (mode = off)");
	if (!policy_still_trusts(pair->peer, peer, !pair->unproven)) {
		close_pair(pair);
		failure_clear(&pair->failure);
		pair->subject[0] = '\0';
	}
	pair->config = config;
	pair->peer = peer;
	if (peer->auth == POLICY_CERTIFICATE)
		judge_all(pair);
	return renew ? make_engine(pair, pair->sas.warden, true, list) : 0;
}

void pair_receive(struct pair *pair, const struct udp_datagram *datagram)
{
	const struct ike_input input = {
		.type = IKE_INPUT_DATAGRAM,
		.datagram = {
			.bytes = { datagram->data, datagram->len },
			.local_port = datagram->local_port,
			.peer_port = datagram->remote_port,
		},
	};

	if (!pair->ike)
		return;
	ike_input(pair->ike, pair_now(), &input);
	drain(pair);
}
