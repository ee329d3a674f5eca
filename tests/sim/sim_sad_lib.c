/* A model of each side's SAD, and of what its SAs let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

const struct sim_sad *sim_sad_find(const struct sim_side *side, uint32_t child,
				   bool inbound)
{
	for (size_t i = 0; i < side->sad_count; i++)
		if (side->sad[i].child == child &&
		    side->sad[i].inbound == inbound)
			return &side->sad[i];
	return NULL;
}

void sim_sad_install(struct sim_side *side, const struct ike_child_sa *sa,
		     bool inbound)
{
	struct sim *sim = side->sim;
	const struct ike_bytes *key = inbound ? &sa->key_in : &sa->key_out;
	struct sim_sad *sad = &side->sad[side->sad_count];

	sim_assert(sim, !sim_sad_find(side, sa->id, inbound));
	sim_assert(sim, side->sad_count < SIM_MAX_SAD);
	sim_assert(sim, key->len >= 20 && key->len <= sizeof(sad->key));
	sim_assert(sim, crypto_sound(sa->encr, sa->encr_key_bits, sa->integ));
	sim_assert(sim, sa->lifetime.us <= sim->child_lifetime.us);
	*sad = (struct sim_sad){
		.child = sa->id, .kind = sa->kind, .inbound = inbound,
		.spi = inbound ? sa->spi_in : sa->spi_out, .esn = sa->esn,
		.order = ++sim->order, .key_len = key->len,
		.encr = sa->encr, .integ = sa->integ,
		.udp_local = sa->udp_local, .udp_peer = sa->udp_peer
	};
	memcpy(sad->key, key->data, key->len);
	if (sim->watch)
		sim->watch(key->data, key->len);
	side->sad_count++;
	side->installs++;
}

void sim_sad_remove(struct sim_side *side, uint32_t child, bool inbound)
{
	const struct sim_sad *sad = sim_sad_find(side, child, inbound);

	sim_assert(side->sim, sad);
	side->sad[sad - side->sad] = side->sad[--side->sad_count];
	side->removes++;
}

void sim_sad_remove_stale(struct sim_side *side)
{
	for (size_t i = 0; i < side->sad_count; )
		if (side->sad[i].child & SIM_STALE)
			side->sad[i] = side->sad[--side->sad_count];
		else
			i++;
}

void sim_clear_sad(struct sim *sim, int side)
{
	sim->sides[side].sad_count = 0;
}

/* What the kernel would send with: the newest outbound of the kind. */
static const struct sim_sad *
outbound(const struct sim_side *side, enum ike_child_kind kind)
{
	const struct sim_sad *newest = NULL;

	for (size_t i = 0; i < side->sad_count; i++) {
		const struct sim_sad *sad = &side->sad[i];

		if (!sad->inbound && !sad->absent && sad->kind == kind &&
		    (!newest || sad->order > newest->order))
			newest = sad;
	}
	return newest;
}

bool sim_flows(const struct sim *sim, int from, enum ike_child_kind kind)
{
	const struct sim_side *peer = &sim->sides[!from];
	const struct sim_sad *out = outbound(&sim->sides[from], kind);
	uint16_t source = out ? out->udp_local : 0;
	uint16_t destination = out ? out->udp_peer : 0;

	for (size_t i = 0; out && i < peer->sad_count; i++) {
		const struct sim_sad *in = &peer->sad[i];

		if (!in->inbound || in->absent || in->spi != out->spi)
			continue;
		if (!sim_nat_pass(&sim->nat, from, &source, &destination))
			return false;
		sim_assert(sim, in->udp_local == destination);
		return true;
	}
	return false;
}
