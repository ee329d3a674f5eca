/*
 * A peer that has one Child SA configured for both directions of connection:
 * each of its requests asks for TCP between the hosts, any port, with the
 * selectors of the packet at hand in front (RFC 7296 2.9), as strongSwan does.
 * Its requests are opened on the way and sealed again. An old one that knows
 * only the AUTH methods 9 to 11 (RFC 4754), and one without transport mode.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/reseal.h"

enum { SEEDS = 40 };

/* How the requests of one side are changed. */
static struct {
	int side;
	bool widen, tunnel, other, no_second;
	unsigned changed;
} change;

static void write_selector(struct writer *writer, uint16_t first,
			   uint16_t last, struct ike_bytes host)
{
	write_u8(writer, 7);
	write_u8(writer, IPPROTO_TCP);
	write_u16(writer, 16);
	write_u16(writer, first);
	write_u16(writer, last);
	write_view(writer, host);
	write_view(writer, host);
}

/* From the one selector of our engine: that of a packet, and any port. */
static void write_ts(struct writer *inner, uint8_t type, struct ike_bytes body)
{
	struct ike_bytes host = { body.data + 12, 4 };
	uint16_t port = 179;

	assert_int_equal(body.len, 20);
	if (body.data[8] == 0 && body.data[9] == 0)
		port = 50000;
	write_payload(inner, (enum ike_payload_type)type);
	write_u32(inner, 0x02000000);
	if (change.other)
		port = 22;
	write_selector(inner, port, port, host);
	write_selector(inner, change.other ? 22 : 0,
		       change.other ? 22 : UINT16_MAX, host);
}

static bool is_notify(uint8_t type, struct ike_bytes body, unsigned notify)
{
	return type == IKE_PAYLOAD_NOTIFY && body.len >= 4 &&
		(body.data[2] << 8 | body.data[3]) == (int)notify;
}

static void change_payload(struct writer *inner, uint8_t type,
			   struct ike_bytes body)
{
	const bool ts = type == IKE_PAYLOAD_TSI || type == IKE_PAYLOAD_TSR;

	if (ts && (change.widen || change.other))
		write_ts(inner, type, body);
	else if (!change.tunnel ||
		 !is_notify(type, body, IKE_NOTIFY_USE_TRANSPORT_MODE))
		reseal_copy(inner, type, body);
}

static bool change_requests(struct sim *sim, int from, const uint8_t *data,
			    size_t len)
{
	const bool response = data[19] & 0x20;
	struct message_header header;
	struct sa *sa;

	if (from != change.side || response ||
	    (data[18] != IKE_EXCHANGE_AUTH &&
	     data[18] != IKE_EXCHANGE_CREATE_CHILD_SA))
		return true;
	assert_int_equal(message_parse_header((struct ike_bytes){ data, len },
					      &header), IKE_REASON_NONE);
	sa = sa_find(sim->sides[from].ike, &header);
	assert_non_null(sa);
	if (change.no_second && sa->out.purpose == PURPOSE_CHILD)
		return false;
	change.changed++;
	reseal_deliver(sim, sa, from, (struct ike_bytes){ data, len },
		       change_payload);
	return false;
}

static void start(struct sim *sim, uint64_t seed)
{
	sim_open(sim, seed);
	sim->child_lifetime = IKE_SECONDS(60);
	change.side = (int)(seed & 1);
	change.changed = 0;
	sim->sides[0].late = seed & 2;
	sim->sides[1].late = seed & 4;
	sim->tap = change_requests;
	sim_input(sim, (int)(seed >> 3 & 1), IKE_INPUT_START);
	sim_input(sim, !(seed >> 3 & 1), IKE_INPUT_START);
}

/* It gets both Child SAs, each with exact selectors, whoever asks; and rekeys
 * them. With no_second it never asks for the second: we do. */
static void one_for_both(struct sim *sim, uint64_t seed, bool no_second)
{
	memset(&change, 0, sizeof(change));
	change.widen = true;
	change.no_second = no_second;
	start(sim, seed);
	sim_run_settled(sim, IKE_SECONDS(40));
	sim->check_flow = true;
	sim_run(sim, IKE_SECONDS(300));
	sim_assert(sim, sim->sides[0].installs > 12);
	sim_assert(sim, sim->sides[0].failed[IKE_REASON_TS] == 0);
	sim_assert(sim, sim->sides[1].failed[IKE_REASON_TS] == 0);
	change.no_second = false;
	sim_run_settled(sim, IKE_SECONDS(60));
	sim_assert(sim, change.changed > 0);
	sim_close(sim);
}

static void one_child_for_both_directions(void **state)
{
	struct sim sim;

	(void)state;
	FOR_SEEDS(seed, SEEDS) {
		one_for_both(&sim, seed, false);
		/* unless it is ours to begin with */
		one_for_both(&sim, seed, true);
	}
}

/* What is not BGP, and tunnel mode: no Child SA, the reason told. */
static void refused(enum ike_reason reason, bool tunnel)
{
	struct sim sim;

	FOR_SEEDS(seed, SEEDS / 4) {
		memset(&change, 0, sizeof(change));
		change.tunnel = tunnel;
		change.other = !tunnel;
		start(&sim, seed);
		/* it asks first, and alone */
		sim.sides[!change.side].ike->retry_at = IKE_NEVER;
		engine_attempt_abandon(sim.sides[!change.side].ike, false);
		sim_run(&sim, IKE_SECONDS(4));
		sim_assert(&sim, change.changed > 0);
		for (int i = 0; i < SIM_SIDES; i++) {
			sim_assert(&sim, sim.sides[i].state ==
				   IKE_ESTABLISHED);
			sim_assert(&sim, sim.sides[i].sad_count == 0);
		}
		sim_assert(&sim, sim.sides[!change.side].failed[reason] > 0);
		sim_assert(&sim, sim.sides[change.side].failed[
				   tunnel ? IKE_REASON_PEER_PROPOSAL :
				   IKE_REASON_PEER_TS] > 0);
		sim_close(&sim);
	}
}

static void something_else(void **state)
{
	(void)state;
	refused(IKE_REASON_TS, false);
}

static void no_transport_mode(void **state)
{
	(void)state;
	refused(IKE_REASON_TRANSPORT, true);
	assert_non_null(strstr(ike_reason_text(IKE_REASON_TRANSPORT),
			       "mode = transport"));
}

/* A side that has read no SIGNATURE_HASH_ALGORITHMS. */
static bool sign_the_old_way(struct sim_side *side)
{
	static const struct payloads none;

	for (struct sa *sa = side->ike->sas; sa; sa = sa->next)
		if (sa->state == SA_SIGNING_REQUEST ||
		    sa->state == SA_SIGNING_RESPONSE) {
			assert_true(signature_choose(
				side->ike->key_kind, &none,
				&sa->handshake->signing));
			return sa->handshake->signing.method ==
				(side->identity < 2 ? 9 : 8 + side->identity);
		}
	return false;
}

static void methods_9_to_11(void **state)
{
	struct sim sim;

	(void)state;
	for (int identity = 1; identity <= 3; identity++)
	for (int old = 0; old < SIM_SIDES; old++) {
		bool seen = false;

		sim_open(&sim, 1);
		sim.sides[old].identity = identity;
		sim.sides[old].late = true;
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_input(&sim, 1, IKE_INPUT_START);
		while (sim.sides[0].state != IKE_ESTABLISHED ||
		       sim.sides[1].state != IKE_ESTABLISHED) {
			sim_run(&sim, (struct ike_time){ 100 });
			seen |= sign_the_old_way(&sim.sides[old]);
		}
		sim_assert(&sim, seen);
		sim_run_settled(&sim, IKE_SECONDS(20));
		sim_assert(&sim, sim.sides[0].failures == 0);
		sim_assert(&sim, sim.sides[1].failures == 0);
		sim_close(&sim);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_child_for_both_directions),
		cmocka_unit_test(something_else),
		cmocka_unit_test(no_transport_mode),
		cmocka_unit_test(methods_9_to_11),
	};

	sim_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
