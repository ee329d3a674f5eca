/* ESP in UDP (RFC 3948): who agrees to it, and with which ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim.h"

enum { SEEDS = 20 };

/* Have every SA rekeyed, the IKE SA first, and see them all replaced. */
static void rekey_all(struct sim *sim)
{
	const uint64_t before = sim->order;

	sa_best(sim->sides[0].ike)->rekey_at = sim->now;
	sim_run(sim, IKE_SECONDS(60));
	for (struct child *c = sim->sides[1].ike->children; c; c = c->next)
		c->rekey_at = sim->now;
	sim_run(sim, IKE_SECONDS(60));
	sim_run_settled(sim, IKE_SECONDS(1));
	for (size_t i = 0; i < sim->sides[0].sad_count; i++)
		sim_assert(sim, sim->sides[0].sad[i].order > before);
}

/* All SAs of a side are in UDP between these ports; 0: bare. */
static void check_ports(struct sim *sim, int side, uint16_t local,
			uint16_t peer)
{
	const struct sim_side *s = &sim->sides[side];

	sim_assert(sim, s->sad_count == 4);
	for (size_t i = 0; i < s->sad_count; i++) {
		sim_assert(sim, s->sad[i].udp_local == local);
		sim_assert(sim, s->sad[i].udp_peer == peer);
	}
}

/* ------------------------------------------------------ without any NAT */

/* In UDP if both prefer it, and then for good. */
static void preferred_by_both(void **state)
{
	struct sim sim;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		for (int both = 0; both < 4; both++) {
			uint16_t port = both == 3 ? 4500 : 0;

			sim_open(&sim, seed);
			sim.check_flow = true;
			sim.sides[0].udp = both & 1 ? IKE_UDP_PREFER :
				IKE_UDP_NAT;
			sim.sides[1].udp = both & 2 ? IKE_UDP_PREFER :
				IKE_UDP_NEVER;
			sim_start_both(&sim);
			check_ports(&sim, 0, port, port);
			check_ports(&sim, 1, port, port);
			rekey_all(&sim);
			check_ports(&sim, 0, port, port);
			check_ports(&sim, 1, port, port);
			sim_close(&sim);
		}
}

/* Our Vendor ID on the wire, its last octet changed. */
static bool spoil_vendor(struct sim *sim, int from, const uint8_t *data,
			 size_t len)
{
	uint8_t vendor[20], copy[IKE_MAX_MESSAGE], *at;
	struct writer writer = writer_of(vendor, sizeof(vendor));

	payload_write_vendor_udp(&writer);
	memcpy(copy, data, len);
	at = memmem(copy, len, vendor + 4, 16);
	if (!at)
		return true;
	at[15] ^= 1;
	sim_deliver(sim, !from, copy, len);
	return false;
}

/* What anybody has done to it on the way, AUTH covers. */
static void vendor_is_authenticated(void **state)
{
	struct sim sim;

	(void)state;
	sim_open(&sim, 1);
	sim.sides[0].udp = sim.sides[1].udp = IKE_UDP_PREFER;
	sim.tap = spoil_vendor;
	sim_input(&sim, 1, IKE_INPUT_START);
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_run(&sim, IKE_SECONDS(60));
	sim_assert(&sim, sim.sides[0].installs + sim.sides[1].installs == 0);
	sim.tap = NULL;
	sim_run_settled(&sim, IKE_SECONDS(60));
	check_ports(&sim, 0, 4500, 4500);
	sim_close(&sim);
}

/* ------------------------------------------------------------ with a NAT */

/* One line each: what it does to ports and addresses, and what the outside
 * then sees of the side behind it. */
static const struct {
	struct sim_nat nat;
	uint16_t port;
} nats[] = {
	{ { true, false, false, { 1024, 1025 }, { false } }, 1025 },
	{ { true, false, true, { 500, 4500 }, { false } }, 0 },
	{ { true, true, true, { 500, 4500 }, { false } }, 4500 },
	{ { true, true, false, { 1024, 1025 }, { false } }, 1025 },
};

static void open_nat(struct sim *sim, uint64_t seed, size_t nat)
{
	sim_open(sim, seed);
	sim->ipv6 = seed & 4;
	sim->nat = nats[nat].nat;
	sim->sides[0].udp = sim->sides[1].udp = IKE_UDP_NAT;
	if (seed & 2)
		sim->sides[0].secret = sim->sides[1].secret =
			"a secret of the two";
}

static void translated(void **state)
{
	struct sim sim;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		for (size_t i = 0; i < sizeof(nats) / sizeof(nats[0]); i++) {
			uint16_t port = nats[i].port;

			open_nat(&sim, seed, i);
			sim.check_flow = true;
			sim_start_both(&sim);
			check_ports(&sim, 0, port ? 4500 : 0, port ? 4500 : 0);
			check_ports(&sim, 1, port ? 4500 : 0, port);
			rekey_all(&sim);
			check_ports(&sim, 1, port ? 4500 : 0, port);
			/* the side behind it, and nobody else */
			sim.sides[0].keepalives = 0;
			sim_run(&sim, IKE_SECONDS(100));
			sim_assert(&sim, sim.sides[0].keepalives ==
				   (port ? 5 : 0));
			sim_assert(&sim, sim.sides[1].keepalives == 0);
			sim_close(&sim);
		}
}

/* A network that loses, duplicates and delays, and a NAT. */
static void translated_and_lossy(void **state)
{
	struct sim sim;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		open_nat(&sim, seed, seed % 4);
		sim.network = (struct sim_network){
			.lose = 200, .duplicate = 200,
			.delay_us = 1000, .jitter_us = 500000
		};
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run(&sim, IKE_SECONDS(60));
		sim.network = (struct sim_network){ .delay_us = 2000 };
		sim_run_settled(&sim, IKE_SECONDS(120));
		sim_close(&sim);
	}
}

/* The NAT has started afresh and gives out other ports: what comes from inside
 * shows it, and traffic follows. */
static void other_mapping(void **state)
{
	struct sim sim;

	(void)state;
	open_nat(&sim, 1, 0);
	sim_start_both(&sim);
	sim.nat.ports[0] = 2048;
	sim.nat.ports[1] = 2049;
	sim.nat.open[0] = sim.nat.open[1] = false;
	sim_assert(&sim, !sim_flows(&sim, 1, IKE_CHILD_ACTIVE));
	sim_run(&sim, IKE_SECONDS(20));
	sim_run_settled(&sim, IKE_SECONDS(20));
	check_ports(&sim, 1, 4500, 2049);
	sim_close(&sim);
}

/* The outside renews its authorization: its own request finds the way in. */
static void reauthenticates_inwards(void **state)
{
	struct sim sim;
	uint64_t spi;

	(void)state;
	open_nat(&sim, 1, 0);
	sim.check_flow = true;
	sim.sides[1].valid_for = IKE_SECONDS(600);
	sim_start_both(&sim);
	spi = sim.sides[1].info.spi_initiator;
	sim_run(&sim, IKE_SECONDS(590));
	sim_run_settled(&sim, IKE_SECONDS(5));
	sim_assert(&sim, sim.sides[1].info.spi_initiator != spi);
	sim_assert(&sim, sim.sides[1].info.initiator);
	sim_assert(&sim, sim.sides[1].failures == 0);
	sim_close(&sim);
}

/* Each address has two names: the one inside must be known outside. */
static void unknown_address_is_refused(void **state)
{
	struct sim sim;

	(void)state;
	open_nat(&sim, 2, 2);		/* pre-shared key */
	sim_input(&sim, 1, IKE_INPUT_STOP);
	sim.sides[1].ike->config.inside = sim.sides[1].ike->config.peer;
	sim_input(&sim, 0, IKE_INPUT_START);
	sim_input(&sim, 1, IKE_INPUT_START);
	sim_run(&sim, IKE_SECONDS(60));
	sim_assert(&sim, sim.sides[1].installs == 0);
	sim_assert(&sim, sim.sides[0].sad_count == 0);
	sim_assert(&sim, ike_counters(sim.sides[1].ike)[IKE_REASON_IDENTITY] +
		   sim.sides[1].failed[IKE_REASON_IDENTITY] > 0);
	sim_close(&sim);
}

/* A plane that cannot carry ESP in UDP, behind the NAT or before it. */
static void refused_without_udp(void **state)
{
	struct sim sim;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (int side = 0; side < 2; side++) {
			if (nats[i].port == 0)
				continue;
			open_nat(&sim, 1, i);
			sim.sides[side].udp = IKE_UDP_NEVER;
			sim_input(&sim, 0, IKE_INPUT_START);
			sim_input(&sim, 1, IKE_INPUT_START);
			sim_run(&sim, IKE_SECONDS(60));
			sim_assert(&sim, ike_counters(sim.sides[side].ike)
				   [IKE_REASON_NAT] > 0);
			sim_assert(&sim, sim.sides[0].installs +
				   sim.sides[1].installs == 0);
			sim_close(&sim);
		}
}

/* encapsulate = always on one side: a NAT that is none. */
static void pretended(void **state)
{
	struct sim sim;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		for (int side = 0; side < 2; side++) {
			sim_open(&sim, seed);
			sim.check_flow = true;
			sim.sides[side].udp = IKE_UDP_ALWAYS;
			sim.sides[!side].udp = IKE_UDP_NAT;
			sim_start_both(&sim);
			check_ports(&sim, 0, 4500, 4500);
			check_ports(&sim, 1, 4500, 4500);
			rekey_all(&sim);
			check_ports(&sim, 0, 4500, 4500);
			check_ports(&sim, 1, 4500, 4500);
			sim_close(&sim);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preferred_by_both),
		cmocka_unit_test(vendor_is_authenticated),
		cmocka_unit_test(translated),
		cmocka_unit_test(translated_and_lossy),
		cmocka_unit_test(other_mapping),
		cmocka_unit_test(reauthenticates_inwards),
		cmocka_unit_test(unknown_address_is_refused),
		cmocka_unit_test(refused_without_udp),
		cmocka_unit_test(pretended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
