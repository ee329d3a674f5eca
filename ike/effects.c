/* The queue of effects. Each owns what its views point into. */
#include "ike/engine.h"

#include <stdlib.h>
#include <string.h>

/* An effect at the end of the queue, with room for what copy() is to put
 * there: so many octets. */
static struct effect *
append(struct ike *ike, const struct ike_effect *content, size_t room)
{
	struct effect *effect = calloc(1, sizeof(*effect) + room);

	if (!effect) {
		engine_count(ike, IKE_REASON_NO_MEMORY);
		return NULL;
	}
	effect->effect = *content;
	*ike->effects_end = effect;
	ike->effects_end = &effect->next;
	ike->effects_count++;
	return effect;
}

/* Copy bytes behind those already copied; the view of the copy. */
static struct ike_bytes copy(struct effect *effect, struct ike_bytes bytes)
{
	struct ike_bytes view = { effect->data + effect->len, bytes.len };

	if (bytes.len > 0)
		memcpy(effect->data + effect->len, bytes.data, bytes.len);
	effect->len += bytes.len;
	return view;
}

void effect_send(struct ike *ike, struct ike_bytes bytes, uint16_t local_port,
		 uint16_t peer_port)
{
	struct effect *effect = append(ike, &(struct ike_effect){
		.type = IKE_SEND,
		.send = { .local_port = local_port, .peer_port = peer_port }
	}, bytes.len);

	if (effect)
		effect->effect.send.bytes = copy(effect, bytes);
}

void effect_keepalive(struct ike *ike, const struct sa *sa)
{
	append(ike, &(struct ike_effect){
		.type = IKE_KEEPALIVE,
		.keepalive = { sa->local_port, sa->peer_port }
	}, 0);
}

uint32_t effect_need_signature(struct ike *ike, struct ike_bytes octets,
			       uint16_t hash, uint16_t prf, bool ppk)
{
	struct effect *effect = append(ike, &(struct ike_effect){
		.type = IKE_NEED_SIGNATURE,
		.need_signature = { .hash = hash, .prf = prf, .ppk = ppk }
	}, octets.len);

	if (!effect)
		return 0;
	effect->effect.need_signature.octets = copy(effect, octets);
	effect->effect.need_signature.request = ++ike->next_request;
	return ike->next_request;
}

uint32_t effect_need_authorization(struct ike *ike,
				   const struct sa *sa,
				   const struct payloads *payloads)
{
	const struct payload_id *id = sa->initiator ? &payloads->idr :
		&payloads->idi;
	size_t len = id->bytes.len;
	struct effect *effect;

	for (size_t i = 0; i < payloads->certs_count; i++)
		len += payloads->certs[i].len;
	effect = append(ike, &(struct ike_effect){
		.type = IKE_NEED_AUTHORIZATION,
		.need_authorization = {
			.certs_count = payloads->certs_count,
			.nat = sa->nat_there, .id_type = id->type
		}
	}, len);
	if (!effect)
		return 0;
	for (size_t i = 0; i < payloads->certs_count; i++)
		effect->effect.need_authorization.certs[i] =
			copy(effect, payloads->certs[i]);
	effect->effect.need_authorization.id = copy(effect, id->bytes);
	effect->effect.need_authorization.request = ++ike->next_request;
	return ike->next_request;
}

void effect_install(struct ike *ike, const struct child *child,
		    unsigned directions)
{
	struct effect *effect = append(ike, &(struct ike_effect){
		.type = IKE_INSTALL_CHILD_SA,
		.install = { .sa = child->info, .directions = directions }
	}, child->key_in.len + child->key_out.len);
	struct ike_child_sa *sa;

	if (!effect)
		return;
	sa = &effect->effect.install.sa;
	sa->lifetime = time_until(child->hard, ike->now);
	sa->rekey = child->rekey_at;
	sa->key_in = copy(effect, (struct ike_bytes){
			child->key_in.bytes, child->key_in.len });
	sa->key_out = copy(effect, (struct ike_bytes){
			child->key_out.bytes, child->key_out.len });
}

void effect_remove(struct ike *ike, const struct child *child,
		   unsigned directions)
{
	append(ike, &(struct ike_effect){
		.type = IKE_REMOVE_CHILD_SA,
		.remove = {
			.child = child->info.id, .kind = child->info.kind,
			.spi_in = child->info.spi_in,
			.spi_out = child->info.spi_out,
			.directions = directions
		}
	}, 0);
}

void effect_state(struct ike *ike, const struct sa *sa)
{
	struct ike_effect effect = {
		.type = IKE_STATE_CHANGED, .state.state = ike->state
	};

	if (sa)
		effect.state.sa = (struct ike_sa_info){
			.spi_initiator = sa_spi_i(sa),
			.spi_responder = sa_spi_r(sa),
			.initiator = sa->initiator,
			.ppk = sa->ppk,
			.encr = sa->algorithms.encr,
			.encr_key_bits = sa->algorithms.encr_key_bits,
			.integ = sa->algorithms.integ,
			.prf = sa->algorithms.prf,
			.ke = sa->algorithms.ke,
			.established = sa->established,
			.rekey = time_min(sa->rekey_at, sa->reauth_at)
		};
	append(ike, &effect, 0);
}

void effect_failed(struct ike *ike, enum ike_reason reason, uint16_t notify)
{
	engine_count(ike, reason);
	append(ike, &(struct ike_effect){
		.type = IKE_FAILED, .failed = { reason, notify }
	}, 0);
}

void effects_release_taken(struct ike *ike)
{
	struct effect *taken = ike->taken;

	if (!taken)
		return;
	OPENSSL_cleanse(taken, sizeof(*taken) + taken->len);
	free(taken);
	ike->taken = NULL;
}

void effects_free(struct ike *ike)
{
	struct ike_effect effect;

	while (ike_next_effect(ike, &effect))
		continue;
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
