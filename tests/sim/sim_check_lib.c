/*
 * What holds after every step, whatever the network, the peer or the user did:
 *
 *	effects		a side's SAD is what its engine thinks it is: nothing
 *			more, nothing less
 *	bounds		one outbound SA of a kind; IKE SAs and Child SAs within
 *			their limits
 *	agreement	where both sides have an SA, they have the same keys,
 *			algorithms and selectors
 *	wiped		keys and private values are gone once they are used
 *	flow		if asked for: traffic that has flowed flows
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

static unsigned directions_of(const struct child *child)
{
	switch (child->state) {
	case CHILD_WAITING:
	case CHILD_REPLACED:
		return IKE_INBOUND;
	case CHILD_CURRENT:
		return IKE_INBOUND | IKE_OUTBOUND;
	case CHILD_REMOVED:
		return 0;
	}
	return 0;
}

static void check_effects(struct sim *sim, const struct sim_side *side)
{
	size_t stale = 0, known = 0;

	for (const struct child *c = side->ike->children; c; c = c->next) {
		unsigned want = directions_of(c);

		sim_assert(sim, !!(want & IKE_INBOUND) ==
			   !!sim_sad_find(side, c->info.id, true));
		sim_assert(sim, !!(want & IKE_OUTBOUND) ==
			   !!sim_sad_find(side, c->info.id, false));
		known += (want & IKE_INBOUND) / IKE_INBOUND +
			(want & IKE_OUTBOUND) / IKE_OUTBOUND;
	}
	for (size_t i = 0; i < side->sad_count; i++)
		stale += !!(side->sad[i].child & SIM_STALE);
	sim_assert(sim, side->sad_count == known + stale);
}

static void check_bounds(struct sim *sim, const struct sim_side *side)
{
	unsigned outbound[IKE_CHILD_KINDS] = { 0 };
	size_t sas = 0;

	for (size_t i = 0; i < side->sad_count; i++)
		if (!side->sad[i].inbound &&
		    !(side->sad[i].child & SIM_STALE))
			outbound[side->sad[i].kind]++;
	for (unsigned k = 0; k < IKE_CHILD_KINDS; k++)
		sim_assert(sim, outbound[k] <= 1);
	for (const struct sa *sa = side->ike->sas; sa; sa = sa->next)
		sas++;
	sim_assert(sim, sas <= IKE_MAX_SAS);
	sim_assert(sim, sa_half_open(side->ike) <= IKE_MAX_HALF_OPEN);
	sim_assert(sim, sim_children(sim, side->index) <= IKE_MAX_CHILDREN);
}

static void check_esp_agreement(struct sim *sim, const struct sim_side *from,
				const struct sim_side *to)
{
	for (size_t i = 0; i < from->sad_count; i++) {
		const struct sim_sad *out = &from->sad[i];

		for (size_t j = 0; j < to->sad_count && !out->inbound; j++) {
			const struct sim_sad *in = &to->sad[j];

			if (!in->inbound || in->spi != out->spi)
				continue;
			sim_assert(sim, in->kind != out->kind);
			sim_assert(sim, in->esn == out->esn);
			sim_assert(sim, !in->udp_local == !out->udp_local);
			sim_assert(sim, in->encr == out->encr &&
				   in->integ == out->integ &&
				   in->key_len == out->key_len);
			sim_assert(sim, !memcmp(in->key, out->key,
						sizeof(in->key)));
		}
	}
}

static void check_ike_agreement(struct sim *sim)
{
	for (const struct sa *a = sim->sides[0].ike->sas; a; a = a->next)
		for (const struct sa *b = sim->sides[1].ike->sas; b;
		     b = b->next) {
			if (sa_spi_i(a) != sa_spi_i(b) ||
			    sa_spi_r(a) != sa_spi_r(b) ||
			    (a->state != SA_ESTABLISHED &&
			     a->state != SA_REPLACED) ||
			    (b->state != SA_ESTABLISHED &&
			     b->state != SA_REPLACED))
				continue;
			sim_assert(sim, a->initiator != b->initiator);
			sim_assert(sim, a->ppk == b->ppk);
			sim_assert(sim, !memcmp(&a->keys, &b->keys,
						sizeof(a->keys)));
			sim_assert(sim, a->algorithms.encr ==
				   b->algorithms.encr);
		}
}

static void check_flow(struct sim *sim, struct sim_side *side)
{
	for (unsigned k = 0; k < IKE_CHILD_KINDS; k++) {
		bool flows = sim_flows(sim, side->index,
				       (enum ike_child_kind)k);

		if (sim->check_flow && side->flowed[k] && !flows &&
		    !side->unchecked)
			sim_fail(sim, "side %d kind %u: traffic is interrupted",
				 side->index, k);
		side->flowed[k] = side->flowed[k] || flows;
	}
}

/* ---------------------------------------------------------------- secrets */

static bool wiped(const struct secret *secret)
{
	static const struct secret none;

	return !memcmp(secret, &none, sizeof(none));
}

/* Keys go when they are installed, a private value with its request. */
static void check_wiped(struct sim *sim, const struct ike *ike)
{
	for (const struct child *c = ike->children; c; c = c->next)
		sim_assert(sim, c->state == CHILD_WAITING ||
			   (wiped(&c->key_in) && wiped(&c->key_out)));
	for (const struct sa *sa = ike->sas; sa; sa = sa->next)
		sim_assert(sim, !request_idle(sa) ||
			   wiped(&sa->out.ke.private));
}

static void watch(const struct sim *sim, const struct secret *secret)
{
	sim->watch(secret->bytes, secret->len);
}

static void watch_handshake(const struct sim *sim,
			    const struct handshake *handshake)
{
	watch(sim, &handshake->ke.private);
	watch(sim, &handshake->d);
	watch(sim, &handshake->pi);
	watch(sim, &handshake->pr);
}

static void watch_secrets(const struct sim *sim, const struct ike *ike)
{
	for (const struct sa *sa = ike->sas; sa; sa = sa->next) {
		const struct secret *keys[] = {
			&sa->keys.d, &sa->keys.ai, &sa->keys.ar, &sa->keys.ei,
			&sa->keys.er, &sa->keys.pi, &sa->keys.pr,
			&sa->out.ke.private
		};

		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			watch(sim, keys[i]);
		if (sa->handshake)
			watch_handshake(sim, sa->handshake);
	}
	for (const struct child *c = ike->children; c; c = c->next) {
		watch(sim, &c->key_in);
		watch(sim, &c->key_out);
	}
}

void sim_check(struct sim *sim)
{
	bool both = sim->sides[0].ike && sim->sides[1].ike;

	for (int i = 0; i < SIM_SIDES; i++) {
		struct sim_side *side = &sim->sides[i];

		if (!side->ike)
			continue;
		check_effects(sim, side);
		check_bounds(sim, side);
		check_esp_agreement(sim, side, &sim->sides[!i]);
		check_flow(sim, side);
		check_wiped(sim, side->ike);
		if (sim->watch)
			watch_secrets(sim, side->ike);
	}
	if (both)
		check_ike_agreement(sim);
}
