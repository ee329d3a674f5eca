/* A key exchange of its own for each Child SA by CREATE_CHILD_SA (RFC 7296
 * 1.3.1), and algorithms in words. SEED=n runs one seed only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

static uint64_t first_seed = 1, seeds = 20;

/* Requests for Child SAs that went out, first tries only: with a key exchange
 * and without. */
static unsigned with_ke[SIM_SIDES], without_ke[SIM_SIDES], with_p384;

static bool count_requests(struct sim *sim, int from, const uint8_t *data,
			   size_t len)
{
	(void)len;
	if (data[18] != IKE_EXCHANGE_CREATE_CHILD_SA || data[19] & 0x20)
		return true;
	for (const struct sa *sa = sim->sides[from].ike->sas; sa; sa = sa->next)
		if (sa->out.bytes.data && sa->out.tries == 1 &&
		    !memcmp(sa->out.bytes.data, data, 24) &&
		    (sa->out.purpose == PURPOSE_CHILD ||
		     sa->out.purpose == PURPOSE_CHILD_REKEY)) {
			(sa->out.ke.group ? with_ke : without_ke)[from]++;
			with_p384 += sa->out.ke.group == IKE_KE_P384;
		}
	return true;
}

static void start(struct sim *sim, uint64_t seed)
{
	with_ke[0] = with_ke[1] = without_ke[0] = without_ke[1] = 0;
	sim->ike_lifetime = sim->child_lifetime = IKE_SECONDS(100);
	sim->tap = count_requests;
	sim->sides[0].late = seed & 2;
	sim->sides[1].late = seed & 4;
	sim_input(sim, (int)(seed & 1), IKE_INPUT_START);
	sim_input(sim, !(seed & 1), IKE_INPUT_START);
}

/* Both, one or none: traffic never stops, through rekeys and loss. A side
 * without makes none of its own; a side with refuses those of the other. */
static void sides_with_and_without(void **state)
{
	struct sim sim;

	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
	for (unsigned pfs = 0; pfs < 4; pfs++) {
		sim_open(&sim, seed);
		sim.sides[0].pfs = pfs & 1;
		sim.sides[1].pfs = pfs & 2;
		start(&sim, seed);
		sim_run_settled(&sim, IKE_SECONDS(30));
		sim.check_flow = true;
		sim.network.lose = (unsigned)(seed % 3 * 50);
		sim_run(&sim, IKE_SECONDS(400));
		sim.network.lose = 0;
		sim_run_settled(&sim, IKE_SECONDS(120));
		for (int i = 0; i < SIM_SIDES; i++) {
			const struct sim_side *side = &sim.sides[i];

			sim_assert(&sim, side->pfs ? !without_ke[i] :
				   !with_ke[i]);
			sim_assert(&sim, side->installs > 12);
			sim_assert(&sim, pfs == 1 || pfs == 2 ||
				   !side->failed[IKE_REASON_PEER_PROPOSAL]);
			/* with loss a peer may seem dead, for a moment */
			sim_assert(&sim, side->failures ==
				   side->failed[IKE_REASON_PEER_PROPOSAL] +
				   (seed % 3 ?
				    side->failed[IKE_REASON_PEER_DEAD] : 0));
		}
		sim_assert(&sim, (with_ke[0] + with_ke[1] > 4) == (pfs != 0));
		sim_close(&sim);
	}
}

/* The first Child SA of IKE_AUTH has none (RFC 7296 1.2), the second has. */
static void not_in_ike_auth(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, first_seed);
	sim.sides[0].pfs = sim.sides[1].pfs = true;
	start(&sim, 0);
	sim_run_settled(&sim, IKE_SECONDS(30));
	assert_int_equal(with_ke[0] + with_ke[1], 1);
	assert_int_equal(without_ke[0] + without_ke[1], 0);
	sim_close(&sim);
}

/*
 *	a	b
 *	|--KE(ecp384)-->|	which b does not accept
 *	|<--INVALID_KE--|	x25519
 *	|--KE(x25519)-->|	and all is well, nobody is told
 */
static void wrong_group_first(void **state)
{
	struct sim sim;

	(void)state;
	with_p384 = 0;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
		sim_open(&sim, seed);
		sim.sides[0].pfs = sim.sides[1].pfs = true;
		sim.sides[0].ike_words = "aes256gcm16-prfsha256-x25519-ecp384";
		sim.sides[1].ike_words = "aes256gcm16-prfsha256-x25519";
		start(&sim, seed);
		sim_run_settled(&sim, IKE_SECONDS(30));
		sim.check_flow = true;
		for (struct sa *sa = sim.sides[0].ike->sas; sa; sa = sa->next)
			sa->rekey_group = IKE_KE_P384;
		sim_run(&sim, IKE_SECONDS(200));
		sim_run_settled(&sim, IKE_SECONDS(120));
		sim_assert(&sim, sim.sides[0].failures == 0);
		sim_assert(&sim, sim.sides[1].failures == 0);
		sim_close(&sim);
	}
	assert_true(with_p384 > 0 || seeds == 1);
}

/* A peer that asks for a group that we do not offer is told of, and the pair
 * keeps what it has. */
static void group_that_is_not_offered(void **state)
{
	struct payload_notify notify = { .type = IKE_NOTIFY_INVALID_KE_PAYLOAD };
	static const struct {
		uint8_t data[2];
		size_t len;
		bool taken;
	} cases[] = {
		{ { 0, IKE_KE_P256 }, 2, true },
		{ { 0, IKE_KE_X25519 }, 2, false },	/* as we sent */
		{ { 0, IKE_KE_MODP_2048 }, 2, false },
		{ { 0, IKE_KE_NONE }, 2, false },
		{ { 0xff, 0xff }, 2, false },
		{ { 0, 0 }, 0, false },
		{ { 0, 0 }, 1, false },
	};
	struct sim sim;

	(void)state;
	sim_open(&sim, first_seed);
	start(&sim, 0);
	sim_run_settled(&sim, IKE_SECONDS(30));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike *ike = sim.sides[0].ike;
		struct sa *sa = sa_best(ike);

		sa->rekey_group = 0;
		sa->out.ke.group = IKE_KE_X25519;
		notify.data = (struct ike_bytes){ cases[i].data,
						  cases[i].len };
		assert_int_equal(rekey_wanted_group(ike, sa, &notify),
				 cases[i].taken);
		assert_int_equal(sa->rekey_group,
				 cases[i].taken ? IKE_KE_P256 : 0);
		sa->out.ke.group = 0;
	}
	sim_close(&sim);
}

/* Algorithms of the operator's own, and that two sides have none in common. */
static void words_meet(void **state)
{
	static const struct {
		const char *a_ike, *b_ike, *a_esp, *b_esp;
		uint16_t encr, integ;		/* of ESP; 0, 0: none */
		bool esn;
	} cases[] = {
		{ NULL, NULL, "aes256gcm16", "null-sha256, aes256gcm16",
		  IKE_ENCR_AES_GCM_16, 0, true },
		{ NULL, NULL, "null-sha512-noesn", "null-sha256-sha512",
		  IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_512_256, false },
		{ "chacha20poly1305-prfsha512-ecp521",
		  "aes128-sha256-prfsha256-ecp256, "
		  "chacha20poly1305-prfsha512-ecp521", "aes128gmac-esn",
		  "aes128gmac", IKE_ENCR_NULL_AUTH_AES_GMAC, 0, true },
		{ NULL, NULL, "aes128gmac-esn", "aes128gmac-noesn", 0, 0,
		  false },
		{ "aes256gcm16-prfsha256-x25519",
		  "aes256gcm16-prfsha384-x25519", NULL, NULL, 0, 0, false },
	};
	struct sim sim;

	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + 4; seed++)
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sim_open(&sim, seed);
		sim.sides[0].ike_words = cases[i].a_ike;
		sim.sides[1].ike_words = cases[i].b_ike;
		sim.sides[0].esp_words = cases[i].a_esp;
		sim.sides[1].esp_words = cases[i].b_esp;
		start(&sim, seed);
		if (cases[i].encr == 0) {
			sim_run(&sim, IKE_SECONDS(40));
			sim_assert(&sim, sim.sides[0].sad_count == 0);
			sim_assert(&sim, sim.sides[1].sad_count == 0);
			sim_close(&sim);
			continue;
		}
		sim_run_settled(&sim, IKE_SECONDS(30));
		for (size_t j = 0; j < sim.sides[0].sad_count; j++) {
			const struct sim_sad *sad = &sim.sides[0].sad[j];

			sim_assert(&sim, sad->encr == cases[i].encr);
			sim_assert(&sim, sad->integ == cases[i].integ);
			sim_assert(&sim, sad->esn == cases[i].esn);
		}
		sim_close(&sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sides_with_and_without),
		cmocka_unit_test(not_in_ike_auth),
		cmocka_unit_test(wrong_group_first),
		cmocka_unit_test(group_that_is_not_offered),
		cmocka_unit_test(words_meet),
	};

	if (getenv("SEED")) {
		first_seed = strtoull(getenv("SEED"), NULL, 10);
		seeds = 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
