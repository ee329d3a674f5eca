/*
 * IKE_AUTH without a Child SA (RFC 6023). The engine never asks for that
 * itself: its request is opened on the way and sealed again without SA, TSi
 * and TSr, which AUTH does not cover.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/reseal.h"

enum { SEEDS = 20 };

/* Payloads to be taken out, and how often that was done; IKE_SA_INIT responses
 * that announced it. */
static uint32_t taken_out;
static unsigned changed, announced;
static bool not_by_initiator;

static void copy_others(struct writer *inner, uint8_t type,
			struct ike_bytes body)
{
	if (!(taken_out & PAYLOAD_BIT(type)))
		reseal_copy(inner, type, body);
}

static void look_for_notify(const uint8_t *data, size_t len)
{
	struct payloads payloads;
	struct ike_bytes chain = { data + MESSAGE_HEADER_SIZE,
				   len - MESSAGE_HEADER_SIZE };

	assert_int_equal(payloads_parse(data[16], chain, &payloads),
			 IKE_REASON_NONE);
	announced += payloads_notify(&payloads,
				     IKE_NOTIFY_CHILDLESS_IKEV2_SUPPORTED) !=
		NULL;
}

static bool take_out(struct sim *sim, int from, const uint8_t *data,
		     size_t len)
{
	const bool response = data[19] & 0x20;
	struct ike *ike = sim->sides[from].ike;

	if (data[18] == IKE_EXCHANGE_SA_INIT && response)
		look_for_notify(data, len);
	if (data[18] == IKE_EXCHANGE_CREATE_CHILD_SA && !response &&
	    not_by_initiator && sim->sides[from].info.initiator)
		return false;
	if (data[18] != IKE_EXCHANGE_AUTH || response || !ike->attempt)
		return true;
	changed++;
	reseal_deliver(sim, ike->attempt, from,
		       (struct ike_bytes){ data, len }, copy_others);
	return false;
}

static void start(struct sim *sim, uint64_t seed, uint32_t payloads)
{
	changed = announced = 0;
	taken_out = payloads;
	sim_open(sim, seed);
	sim->sides[0].late = seed & 2;
	sim->sides[1].late = seed & 4;
	sim->tap = take_out;
	sim_input(sim, (int)(seed & 1), IKE_INPUT_START);
	sim_input(sim, !(seed & 1), IKE_INPUT_START);
}

#define CHILD (PAYLOAD_BIT(IKE_PAYLOAD_SA) | PAYLOAD_BIT(IKE_PAYLOAD_TSI) | \
	       PAYLOAD_BIT(IKE_PAYLOAD_TSR))

/* An IKE SA, and both Child SAs by CREATE_CHILD_SA. */
static void child_sas_come_later(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		start(&sim, seed, CHILD);
		while (sim.sides[0].state != IKE_ESTABLISHED ||
		       sim.sides[1].state != IKE_ESTABLISHED)
			sim_run(&sim, IKE_MSECONDS(1));
		sim_assert(&sim, changed == 1 && announced == 1);
		sim_assert(&sim, sim.sides[0].sad_count == 0);
		sim_assert(&sim, sim.sides[1].sad_count == 0);
		sim_run_settled(&sim, IKE_SECONDS(20));
		sim.check_flow = true;
		for (int i = 0; i < SIM_SIDES; i++)
			sa_best(sim.sides[i].ike)->rekey_at = sim.now;
		sim_run(&sim, IKE_SECONDS(60));
		sim_assert(&sim, sim_settled(&sim));
		sim_close(&sim);
	}
}

/* By the responder of IKE_AUTH if the initiator does not. */
static void by_the_responder(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		start(&sim, seed, CHILD);
		not_by_initiator = true;
		sim_run(&sim, IKE_SECONDS(14));
		for (int i = 0; i < SIM_SIDES; i++)
			for (unsigned k = 0; k < IKE_CHILD_KINDS; k++)
				sim_assert(&sim, sim_flows(
					&sim, i, (enum ike_child_kind)k));
		not_by_initiator = false;
		sim_close(&sim);
	}
}

/* Half of it is no childless request. */
static void all_or_nothing(void **state)
{
	static const uint32_t parts[] = {
		PAYLOAD_BIT(IKE_PAYLOAD_SA), PAYLOAD_BIT(IKE_PAYLOAD_TSI),
		CHILD & ~PAYLOAD_BIT(IKE_PAYLOAD_SA),
		CHILD & ~PAYLOAD_BIT(IKE_PAYLOAD_TSR),
		CHILD | PAYLOAD_BIT(IKE_PAYLOAD_AUTH),
		CHILD | PAYLOAD_BIT(IKE_PAYLOAD_IDI)
	};
	struct sim sim;

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		start(&sim, 1, parts[i]);
		sim_run(&sim, IKE_SECONDS(3));
		sim_assert(&sim, changed > 0);
		sim_assert(&sim, sim.sides[0].state != IKE_ESTABLISHED);
		sim_assert(&sim, sim.sides[1].state != IKE_ESTABLISHED);
		sim.tap = NULL;
		sim_run_settled(&sim, IKE_SECONDS(60));
		sim_close(&sim);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(child_sas_come_later),
		cmocka_unit_test(by_the_responder),
		cmocka_unit_test(all_or_nothing),
	};

	sim_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
