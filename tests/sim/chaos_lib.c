#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/chaos.h"
#include "tests/sim/engine.h"
#include "tests/sim/heap.h"

/* Blocks that OpenSSL keeps once it has been asked for each algorithm. */
enum { OPENSSL_KEEPS = 2000 };

static struct sim sim;
static size_t openssl_before;

static uint64_t below(uint64_t bound)
{
	return sim_random(&sim) % bound;
}

static bool one_in(uint64_t n)
{
	return below(n) == 0;
}

/* A span below `span`, as often short as long. */
static struct ike_time some_of(struct ike_time span)
{
	return (struct ike_time){ 1 + below((span.us >> below(12)) + 1) };
}

/* ---------------------------------------------------------------- setting */

static struct sim_network some_network(void)
{
	if (one_in(4))
		return (struct sim_network){ .delay_us = 2000 };
	return (struct sim_network){
		.lose = (unsigned)(below(300)),
		.duplicate = (unsigned)(below(300)),
		.corrupt = (unsigned)(below(100)),
		.delay_us = below(50000),
		.jitter_us = 1 + some_of(IKE_SECONDS(2)).us
	};
}

/* Ed25519 and X25519, which cost least, or one of the others; now and then so
 * many certificates that IKE_AUTH goes in fragments. */
static void choose_sides(void)
{
	static const char secret[] = "sixteen octets, and more";
	bool shared = one_in(4), others = one_in(32);

	if (one_in(4))
		sim.chain = IKE_MAX_CERTS;
	for (int i = 0; i < SIM_SIDES; i++) {
		struct sim_side *side = &sim.sides[i];

		side->late = one_in(2);
		side->secret = shared ? secret : NULL;
		side->identity = others ? (int)below(SIM_IDENTITIES) :
			i ? SIM_ED25519_OTHER : SIM_ED25519;
		side->profile = one_in(32) ? IKE_PROFILE_LEGACY :
			IKE_PROFILE_DEFAULT;
		if (one_in(8))
			side->valid_for = IKE_SECONDS(100 + below(1000));
	}
}

/* The same PPK on both sides, which each may require; or none in common. */
static void choose_ppk(void)
{
	const uint64_t how = below(6);

	for (int i = 0; i < SIM_SIDES && how < 3; i++) {
		struct sim_side *side = &sim.sides[i];

		side->ppk = "a post-quantum preshared key, 32";
		side->ppk_id = how == 0 && i ? "another" : "a";
		side->ppk_required = how == 2 && one_in(2);
		if (how == 1 && i)
			side->ppk = side->ppk_id = NULL;
	}
}

static void open_sim(uint64_t seed)
{
	engine_fix_randomness();
	heap_forget();
	sim_open(&sim, seed);
	sim.ipv6 = one_in(2);
	sim.ike_lifetime = IKE_SECONDS(300 + below(3300));
	sim.child_lifetime = IKE_SECONDS(300 + below(3300));
	sim.hold_time = IKE_SECONDS(one_in(2) ? 90 : 3 + below(120));
	sim.network = some_network();
	sim.watch = heap_watch;
	choose_sides();
	choose_ppk();
}

/* ----------------------------------------------------------------- events */

static struct sim_side *some_side(void)
{
	return &sim.sides[below(SIM_SIDES)];
}

static void rekey(struct sim_side *side, bool ike, bool children)
{
	struct sa *sa = side->ike ? sa_best(side->ike) : NULL;

	if (!sa)
		return;
	if (ike)
		sa->rekey_at = sim.now;
	for (struct child *c = side->ike->children; c && children; c = c->next)
		if (c->state == CHILD_CURRENT && one_in(2))
			c->rekey_at = sim.now;
}

static void rekey_one(void)
{
	bool ike = one_in(2);

	rekey(some_side(), ike, !ike || one_in(4));
}

static void rekey_both(void)
{
	unsigned which = (unsigned)(1 + below(3));

	for (int i = 0; i < SIM_SIDES; i++)
		rekey(&sim.sides[i], which & 1, which & 2);
}

static void reauthenticate(void)
{
	struct sim_side *side = some_side();
	struct sa *sa = side->ike ? sa_best(side->ike) : NULL;

	if (sa)
		sa->reauth_at = sim.now;
}

static void other_network(void)
{
	sim.network = some_network();
}

static void silence(void)
{
	sim.network.cut = true;
	sim_run(&sim, some_of(IKE_SECONDS(one_in(4) ? 80 : 10)));
	sim.network.cut = false;
}

static void stop(void)
{
	sim_input(&sim, some_side()->index, IKE_INPUT_STOP);
}

static void start(void)
{
	sim_input(&sim, some_side()->index, IKE_INPUT_START);
}

static void restart(void)
{
	struct sim_side *side = some_side();

	sim_restart(&sim, side->index);
	if (one_in(2))
		sim_clear_sad(&sim, side->index);
	else if (one_in(2))
		sim_sad_remove_stale(side);
	if (one_in(2))
		sim_run(&sim, some_of(IKE_SECONDS(30)));
	sim_input(&sim, side->index, IKE_INPUT_START);
}

/* The SA that the SAD loses is one that the engine has or has had. */
static void lose_child(void)
{
	struct sim_side *side = some_side();

	if (side->ike && side->sad_count > 0)
		sim_child_failed(&sim, side->index,
				 side->sad[below(side->sad_count)].child);
}

static void other_plane(void)
{
	some_side()->reject = one_in(2) ? (unsigned)below(400) : 0;
}

static void other_trust(void)
{
	struct sim_side *side = some_side();

	side->refuse = one_in(2);
	side->cannot_sign = one_in(4);
}

static void (*const events[])(void) = {
	rekey_one, rekey_one, rekey_both, rekey_both, reauthenticate,
	other_network, silence,
	/* not when traffic is to flow on */
	stop, start, start, restart, lose_child, other_plane, other_trust
};
enum {
	STEADY_EVENTS = 7,
	ALL_EVENTS = sizeof(events) / sizeof(events[0])
};

static void let_happen(unsigned kinds)
{
	unsigned count = 2 + (unsigned)below(8);

	for (unsigned i = 0; i < count; i++) {
		events[below(kinds)]();
		sim_run(&sim, some_of(IKE_SECONDS(one_in(8) ? 200 : 20)));
	}
}

/* -------------------------------------------------------------------- end */

/* What disturbed is gone. */
static void get_well(void)
{
	sim.network = (struct sim_network){ .delay_us = 2000 };
	for (int i = 0; i < SIM_SIDES; i++) {
		struct sim_side *side = &sim.sides[i];

		side->reject = 0;
		side->refuse = side->cannot_sign = false;
		side->valid_for = IKE_NEVER;
		sim_input(&sim, i, IKE_INPUT_START);
		sim_sad_remove_stale(side);
	}
	sim_run_settled(&sim, IKE_SECONDS(240));
}

static void end(void)
{
	int first = (int)below(SIM_SIDES);

	sim.check_flow = false;
	sim_input(&sim, first, IKE_INPUT_STOP);
	if (one_in(2))
		sim_run(&sim, some_of(IKE_SECONDS(5)));
	sim_input(&sim, !first, IKE_INPUT_STOP);
	sim_run(&sim, IKE_SECONDS(60));
	for (int i = 0; i < SIM_SIDES; i++) {
		struct sim_side *side = &sim.sides[i];

		sim_assert(&sim, side->sad_count == 0);
		sim_assert(&sim, !side->ike->sas && !side->ike->children);
		sim_assert(&sim, !side->ike->effects);
		sim_assert(&sim, ike_deadline(side->ike).us == UINT64_MAX);
	}
}

static void close_sim(size_t blocks)
{
	sim_close(&sim);
	sim_assert(&sim, heap_blocks() == blocks);
	sim_assert(&sim, heap_leaks() == 0);
	sim_assert(&sim, heap_openssl_blocks() < openssl_before +
		   OPENSSL_KEEPS);
}

/* ------------------------------------------------------------------ whole */

void chaos_open(void)
{
	heap_open();
	engine_fix_randomness();
	for (int i = 0; i < SIM_IDENTITIES; i++)
		(void)sim_certificate(i);
	(void)test_crypto();
	openssl_before = heap_openssl_blocks();
}

void chaos_steady(uint64_t seed)
{
	size_t blocks = heap_blocks();

	open_sim(seed);
	sim.check_flow = true;
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_run(&sim, some_of(IKE_SECONDS(20)));
	sim_input(&sim, 1, IKE_INPUT_START);
	if (!one_in(4))
		sim_run(&sim, some_of(IKE_SECONDS(60)));
	let_happen(STEADY_EVENTS);
	get_well();
	end();
	close_sim(blocks);
}

void chaos_upheaval(uint64_t seed)
{
	size_t blocks = heap_blocks();

	open_sim(seed);
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_input(&sim, 1, IKE_INPUT_START);
	let_happen(ALL_EVENTS);
	get_well();
	end();
	close_sim(blocks);
}
