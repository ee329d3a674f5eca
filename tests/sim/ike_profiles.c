/* Profiles of algorithms, the same or not on both sides, through handshake,
 * rekeying and loss. SEED=n runs one seed only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

#define D IKE_PROFILE_DEFAULT
#define C IKE_PROFILE_CNSA
#define L IKE_PROFILE_LEGACY

static uint64_t first_seed = 1, seeds = 20;

static const struct {
	enum ike_profile a, b;
	bool agree;
	uint16_t encr, prf, ke, esp, integ;
} table[] = {
	{ D, D, true, IKE_ENCR_AES_GCM_16, IKE_PRF_HMAC_SHA2_256,
	  IKE_KE_X25519, IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_256_128 },
	{ C, C, true, IKE_ENCR_AES_GCM_16, IKE_PRF_HMAC_SHA2_384,
	  IKE_KE_P384, IKE_ENCR_AES_GCM_16, 0 },
	{ L, L, true, IKE_ENCR_AES_GCM_16, IKE_PRF_HMAC_SHA2_256,
	  IKE_KE_X25519, IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_256_128 },
	{ L, D, true, IKE_ENCR_AES_GCM_16, IKE_PRF_HMAC_SHA2_256,
	  IKE_KE_X25519, IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_256_128 },
	/* the first KE is another's: INVALID_KE_PAYLOAD on the way */
	{ L, C, true, IKE_ENCR_AES_GCM_16, IKE_PRF_HMAC_SHA2_384,
	  IKE_KE_P384, IKE_ENCR_AES_GCM_16, 0 },
	{ C, L, true, IKE_ENCR_AES_GCM_16, IKE_PRF_HMAC_SHA2_384,
	  IKE_KE_P384, IKE_ENCR_AES_GCM_16, 0 },
	{ D, C, false, 0, 0, 0, 0, 0 },
	{ C, D, false, 0, 0, 0, 0, 0 },
};

static void open_pair(struct sim *sim, uint64_t seed, size_t row)
{
	sim_open(sim, seed);
	sim->sides[0].profile = table[row].a;
	sim->sides[1].profile = table[row].b;
	sim_input(sim, (int)(seed & 1), IKE_INPUT_START);
	sim_input(sim, !(seed & 1), IKE_INPUT_START);
}

static void check_row(const struct sim *sim, size_t row)
{
	for (int i = 0; i < SIM_SIDES; i++) {
		const struct sim_side *side = &sim->sides[i];

		sim_assert(sim, side->info.encr == table[row].encr);
		sim_assert(sim, side->info.prf == table[row].prf);
		sim_assert(sim, side->info.ke == table[row].ke);
		sim_assert(sim, side->sad_count >= 4);
		for (size_t j = 0; j < side->sad_count; j++) {
			sim_assert(sim, side->sad[j].encr == table[row].esp);
			sim_assert(sim, side->sad[j].integ ==
				   table[row].integ);
			sim_assert(sim, side->sad[j].esn);
		}
	}
}

static void profiles_meet(void **state)
{
	struct sim sim;

	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + 4; seed++)
	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++) {
		open_pair(&sim, seed, row);
		if (table[row].agree) {
			sim_run_settled(&sim, IKE_SECONDS(30));
			check_row(&sim, row);
		} else {
			sim_run(&sim, IKE_SECONDS(60));
			sim_assert(&sim, sim.sides[0].sad_count == 0);
			sim_assert(&sim, sim.sides[1].sad_count == 0);
			sim_assert(&sim, sim.sides[0].failed[
				   IKE_REASON_PEER_PROPOSAL] +
				   sim.sides[1].failed[
				   IKE_REASON_PEER_PROPOSAL] > 0);
		}
		sim_close(&sim);
	}
}

/* Lifetimes of half a minute, loss and delay: rekeys of both kinds, again and
 * again, and traffic never stops. */
static void profiles_rekey(void **state)
{
	struct sim sim;

	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
	for (size_t row = 1; row < 6; row++) {
		sim_open(&sim, seed);
		sim.ike_lifetime = sim.child_lifetime = IKE_SECONDS(100);
		sim.sides[0].profile = table[row].a;
		sim.sides[1].profile = table[row].b;
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run_settled(&sim, IKE_SECONDS(30));
		sim.check_flow = true;
		sim.network.lose = (unsigned)(seed % 3 * 50);
		sim_run(&sim, IKE_SECONDS(300));
		sim.network.lose = 0;
		sim_run_settled(&sim, IKE_SECONDS(120));
		check_row(&sim, row);
		sim_close(&sim);
	}
}

/* Every kind of certificate on either side. */
static void keys_meet(void **state)
{
	struct sim sim;

	(void)state;
	for (int a = 0; a < SIM_IDENTITIES; a++)
	for (int b = 0; b < SIM_IDENTITIES; b++) {
		sim_open(&sim, first_seed);
		sim.sides[0].identity = a;
		sim.sides[1].identity = b;
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run_settled(&sim, IKE_SECONDS(30));
		sim_assert(&sim, sim.sides[0].failures == 0);
		sim_assert(&sim, sim.sides[1].failures == 0);
		sim_close(&sim);
	}
}

/* The key of one and the certificate of another. */
static void keys_differ(void **state)
{
	struct sim sim;

	(void)state;
	for (int b = 1; b < SIM_IDENTITIES; b++) {
		sim_open(&sim, first_seed);
		sim_input(&sim, 0, IKE_INPUT_START);
		sim.network.cut = true;
		sim_run(&sim, IKE_MSECONDS(100));
		/* the engine has its certificate, the signer another key */
		sim.sides[0].identity = b;
		sim.sides[1].identity = 1;
		sim.network.cut = false;
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run(&sim, IKE_SECONDS(20));
		sim_assert(&sim, sim.sides[0].sad_count == 0);
		sim_assert(&sim, sim.sides[1].sad_count == 0);
		sim_close(&sim);
	}
}

static const char good[] = "0123456789abcdef";
static const char bad[] = "0123456789abcdeg";

/* Pre-shared keys, with every PRF of the profiles, loss and slow answers. */
static void shared_keys_meet(void **state)
{
	struct sim sim;

	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
	for (size_t row = 0; row < 6; row++) {
		sim_open(&sim, seed);
		sim.ipv6 = seed & 1;
		for (int i = 0; i < SIM_SIDES; i++) {
			sim.sides[i].secret = good;
			sim.sides[i].late = seed & (2u << i);
			sim.sides[i].profile = i ? table[row].b :
				table[row].a;
		}
		sim.ike_lifetime = sim.child_lifetime = IKE_SECONDS(100);
		sim.network.lose = (unsigned)(seed % 4 * 50);
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_run(&sim, (struct ike_time){ sim_random(&sim) % 20000 });
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run(&sim, IKE_SECONDS(60));
		sim.check_flow = true;
		sim_run(&sim, IKE_SECONDS(200));
		sim.network.lose = 0;
		sim_run_settled(&sim, IKE_SECONDS(120));
		check_row(&sim, row);
		sim_close(&sim);
	}
}

/* What must not work: another key, no key, certificates on one side. */
static void shared_keys_refused(void **state)
{
	static const struct {
		const char *a, *b;
		bool no_key;
		enum ike_reason reason;		/* on one side at least */
	} cases[] = {
		{ good, bad, false, IKE_REASON_AUTH },
		{ bad, good, false, IKE_REASON_AUTH },
		{ good, good, true, IKE_REASON_SIGNATURE },
		{ good, NULL, false, IKE_REASON_AUTH_METHOD },
		{ NULL, good, false, IKE_REASON_AUTH_METHOD },
	};
	struct sim sim;

	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + 8; seed++)
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint64_t *counters[2];
		unsigned found = 0;

		sim_open(&sim, seed);
		sim.sides[0].secret = cases[i].a;
		sim.sides[1].secret = cases[i].b;
		sim.sides[0].cannot_sign = cases[i].no_key;
		sim.sides[0].late = seed & 2;
		sim.sides[1].late = seed & 4;
		sim_input(&sim, (int)(seed & 1), IKE_INPUT_START);
		if (seed & 8)
			sim_run(&sim, IKE_SECONDS(1));
		sim_input(&sim, !(seed & 1), IKE_INPUT_START);
		sim_run(&sim, IKE_SECONDS(60));
		for (int s = 0; s < SIM_SIDES; s++) {
			counters[s] = ike_counters(sim.sides[s].ike);
			found += sim.sides[s].failed[cases[i].reason] +
				(unsigned)counters[s][cases[i].reason];
			sim_assert(&sim, sim.sides[s].sad_count == 0);
			sim_assert(&sim, sim.sides[s].state != IKE_ESTABLISHED);
		}
		sim_assert(&sim, found > 0);
		sim_close(&sim);
	}
}

/* The right key with another identity than the pair's address. */
static void shared_key_is_bound_to_the_pair(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, first_seed);
	for (int i = 0; i < SIM_SIDES; i++)
		sim.sides[i].secret = good;
	sim_input(&sim, 0, IKE_INPUT_STOP);
	sim_input(&sim, 1, IKE_INPUT_STOP);
	/* side 1 takes itself for 192.0.0.77 */
	sim.sides[1].ike->config.local.s6_addr[15] = 77;
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_input(&sim, 1, IKE_INPUT_START);
	sim_run(&sim, IKE_SECONDS(60));
	sim_assert(&sim, sim.sides[0].failed[IKE_REASON_IDENTITY] +
		   ike_counters(sim.sides[0].ike)[IKE_REASON_IDENTITY] +
		   ike_counters(sim.sides[0].ike)[IKE_REASON_NAT] > 0);
	sim_assert(&sim, sim.sides[0].sad_count == 0);
	sim_close(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_meet),
		cmocka_unit_test(profiles_rekey),
		cmocka_unit_test(keys_meet),
		cmocka_unit_test(keys_differ),
		cmocka_unit_test(shared_keys_meet),
		cmocka_unit_test(shared_keys_refused),
		cmocka_unit_test(shared_key_is_bound_to_the_pair),
	};

	if (getenv("SEED")) {
		first_seed = strtoull(getenv("SEED"), NULL, 10);
		seeds = 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
