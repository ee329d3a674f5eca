/* The queue of effects. Each owns what its views point into. */
#include "ike/engine.h"

#include <stdlib.h>
#include <string.h>

static void effect_free(struct effect *effect)
{
	if (!effect)
		return;
	OPENSSL_cleanse(effect->data, effect->len);
	free(effect->data);
	OPENSSL_cleanse(effect, sizeof(*effect));
	free(effect);
}

/* An effect with room for `len` octets, at the end of the queue. */
static struct effect *
append(struct ike *ike, enum ike_effect_type type, size_t len)
{
	struct effect *effect = calloc(1, sizeof(*effect));

	if (effect)
		effect->data = malloc(len ? len : 1);
	if (!effect || !effect->data) {
		free(effect);
		engine_count(ike, IKE_REASON_NO_MEMORY);
		return NULL;
	}
	effect->len = len;
	effect->effect.type = type;
	*ike->effects_end = effect;
	ike->effects_end = &effect->next;
	ike->effects_count++;
	return effect;
}

/* Copy bytes behind those already copied; the view of the copy. */
static struct ike_bytes
copy(struct effect *effect, size_t *used, struct ike_bytes bytes)
{
	struct ike_bytes view = { effect->data + *used, bytes.len };

	if (bytes.len > 0)
		memcpy(effect->data + *used, bytes.data, bytes.len);
	*used += bytes.len;
	return view;
}

void effect_send(struct ike *ike, struct ike_bytes bytes, uint16_t local_port,
		 uint16_t peer_port)
{
	struct effect *effect = append(ike, IKE_SEND, bytes.len);
	size_t used = 0;

	if (!effect)
		return;
	effect->effect.send.bytes = copy(effect, &used, bytes);
	effect->effect.send.local_port = local_port;
	effect->effect.send.peer_port = peer_port;
}

void effect_keepalive(struct ike *ike, const struct sa *sa)
{
	struct effect *effect = append(ike, IKE_KEEPALIVE, 0);

	if (!effect)
		return;
	effect->effect.keepalive.local_port = sa->local_port;
	effect->effect.keepalive.peer_port = sa->peer_port;
}

uint32_t effect_need_signature(struct ike *ike, struct ike_bytes octets,
			       uint16_t hash, uint16_t prf, bool ppk)
{
	struct effect *effect = append(ike, IKE_NEED_SIGNATURE, octets.len);
	size_t used = 0;

	if (!effect)
		return 0;
	effect->effect.need_signature.request = ++ike->next_request;
	effect->effect.need_signature.octets = copy(effect, &used, octets);
	effect->effect.need_signature.hash = hash;
	effect->effect.need_signature.prf = prf;
	effect->effect.need_signature.ppk = ppk;
	return ike->next_request;
}

uint32_t effect_need_authorization(struct ike *ike,
				   const struct sa *sa,
				   const struct payloads *payloads)
{
	const struct payload_id *id = sa->initiator ? &payloads->idr :
		&payloads->idi;
	size_t used = 0, len = id->bytes.len;
	struct effect *effect;

	for (size_t i = 0; i < payloads->certs_count; i++)
		len += payloads->certs[i].len;
	effect = append(ike, IKE_NEED_AUTHORIZATION, len);
	if (!effect)
		return 0;
	effect->effect.need_authorization.request = ++ike->next_request;
	for (size_t i = 0; i < payloads->certs_count; i++)
		effect->effect.need_authorization.certs[i] =
			copy(effect, &used, payloads->certs[i]);
	effect->effect.need_authorization.certs_count = payloads->certs_count;
	effect->effect.need_authorization.nat = sa->nat_there;
	effect->effect.need_authorization.id_type = id->type;
	effect->effect.need_authorization.id = copy(effect, &used, id->bytes);
	return ike->next_request;
}

void effect_install(struct ike *ike, const struct child *child,
		    unsigned directions)
{
	struct effect *effect = append(ike, IKE_INSTALL_CHILD_SA,
				       child->key_in.len + child->key_out.len);
	struct ike_child_sa *sa;
	size_t used = 0;

	if (!effect)
		return;
	sa = &effect->effect.install.sa;
	*sa = child->info;
	sa->lifetime = time_until(child->hard, ike->now);
	sa->rekey = child->rekey_at;
	sa->key_in = copy(effect, &used, (struct ike_bytes){
			child->key_in.bytes, child->key_in.len });
	sa->key_out = copy(effect, &used, (struct ike_bytes){
			child->key_out.bytes, child->key_out.len });
	effect->effect.install.directions = directions;
}

void effect_remove(struct ike *ike, const struct child *child,
		   unsigned directions)
{
	struct effect *effect = append(ike, IKE_REMOVE_CHILD_SA, 0);

	if (!effect)
		return;
	effect->effect.remove.child = child->info.id;
	effect->effect.remove.kind = child->info.kind;
	effect->effect.remove.spi_in = child->info.spi_in;
	effect->effect.remove.spi_out = child->info.spi_out;
	effect->effect.remove.directions = directions;
}

void effect_state(struct ike *ike, const struct sa *sa)
{
	struct effect *effect = append(ike, IKE_STATE_CHANGED, 0);
	struct ike_sa_info *info;

	if (!effect)
		return;
	effect->effect.state.state = ike->state;
	if (!sa)
		return;
	info = &effect->effect.state.sa;
	info->spi_initiator = sa_spi_i(sa);
	info->spi_responder = sa_spi_r(sa);
	info->initiator = sa->initiator;
	info->ppk = sa->ppk;
	info->encr = sa->algorithms.encr;
	info->encr_key_bits = sa->algorithms.encr_key_bits;
	info->integ = sa->algorithms.integ;
	info->prf = sa->algorithms.prf;
	info->ke = sa->algorithms.ke;
	info->established = sa->established;
	info->rekey = time_min(sa->rekey_at, sa->reauth_at);
}

void effect_failed(struct ike *ike, enum ike_reason reason, uint16_t notify)
{
	struct effect *effect = append(ike, IKE_FAILED, 0);

	engine_count(ike, reason);
	if (!effect)
		return;
	effect->effect.failed.reason = reason;
	effect->effect.failed.notify = notify;
}

void effects_release_taken(struct ike *ike)
{
	effect_free(ike->taken);
	ike->taken = NULL;
}

void effects_free(struct ike *ike)
{
	effects_release_taken(ike);
	while (ike->effects) {
		struct effect *effect = ike->effects;

		ike->effects = effect->next;
		effect_free(effect);
	}
	ike->effects_end = &ike->effects;
	ike->effects_count = 0;
}

bool ike_next_effect(struct ike *ike, struct ike_effect *ret_effect)
{
	struct effect *effect = ike->effects;

	effects_release_taken(ike);
	if (!effect)
		return false;
	ike->effects = effect->next;
	if (!ike->effects)
		ike->effects_end = &ike->effects;
	ike->effects_count--;
	ike->taken = effect;
	*ret_effect = effect->effect;
	return true;
}
