#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/ppk.h"
#include "ike/shared_key.h"
#include "tests/sim/sim.h"

enum { ANSWER_DELAY_US = 40000, MAX_IDLE = 5000 };

/* ------------------------------------------------------------ randomness */

uint64_t sim_random(struct sim *sim)
{
	uint64_t z = sim->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static bool chance(struct sim *sim, unsigned per_mille)
{
	return per_mille > 0 && sim_random(sim) % 1000 < per_mille;
}

static bool give_random(void *ctx, uint8_t *ret_bytes, size_t len)
{
	struct sim_side *side = ctx;

	if (side->no_random)
		return false;
	for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
		uint64_t value = sim_random(side->sim);

		memcpy(ret_bytes + i, &value, len - i < sizeof(value) ?
		       len - i : sizeof(value));
	}
	if (side->first_octet && len > 0)
		ret_bytes[0] = side->first_octet;
	return true;
}

static uint32_t give_spi(void *ctx)
{
	struct sim_side *side = ctx;

	if (side->no_spis)
		return 0;
	return (uint32_t)sim_random(side->sim) | 0x1000;
}

/* ------------------------------------------------------------- network */

static void enqueue(struct sim *sim, int to, const struct ike_effect *effect)
{
	struct sim_packet *packet = &sim->packets[sim->packets_count];
	const uint8_t *data = effect->send.bytes.data;
	size_t len = effect->send.bytes.len;
	uint64_t delay = sim->network.delay_us;

	if (sim->packets_count == SIM_MAX_PACKETS)
		return;
	if (sim->network.jitter_us)
		delay += sim_random(sim) % sim->network.jitter_us;
	packet->at = (struct ike_time){ sim->now.us + delay };
	packet->to = to;
	packet->source = effect->send.local_port;
	packet->destination = effect->send.peer_port;
	sim_nat_open(&sim->nat, !to, packet->source);
	if (!sim_nat_pass(&sim->nat, !to, &packet->source,
			  &packet->destination))
		return;
	packet->len = len;
	packet->data = malloc(len ? len : 1);
	memcpy(packet->data, data, len);
	if (len > 0 && chance(sim, sim->network.corrupt))
		packet->data[sim_random(sim) % len] ^=
			(uint8_t)(1u << sim_random(sim) % 8);
	sim->packets_count++;
}

static void send_out(struct sim_side *side, const struct ike_effect *effect)
{
	const struct ike_bytes bytes = effect->send.bytes;
	struct sim *sim = side->sim;

	side->sends++;
	if (bytes.len <= sizeof(sim->last[0])) {
		memcpy(sim->last[side->index], bytes.data, bytes.len);
		sim->last_len[side->index] = bytes.len;
	}
	if (sim->tap && !sim->tap(sim, side->index, bytes.data, bytes.len))
		return;
	if (sim->network.cut || chance(sim, sim->network.lose))
		return;
	enqueue(sim, !side->index, effect);
	if (chance(sim, sim->network.duplicate))
		enqueue(sim, !side->index, effect);
}

/* ------------------------------------------------------------- effects */

/* TRACE=1 shows what happens, for a seed that failed. */
static void trace(const struct sim_side *side, const char *what,
		  const char *name, unsigned a, unsigned b)
{
	static int on = -1;

	if (on < 0)
		on = getenv("TRACE") != NULL;
	if (on)
		print_error("%12llu %c %s %s %x %u\n",
			    (unsigned long long)side->sim->now.us,
			    'A' + side->index, what, name, a, b);
}

static void trace_datagram(const struct sim_side *side, const char *what,
			   const uint8_t *data, size_t len)
{
	if (len >= 28)
		trace(side, what, ike_name(IKE_NAMES_EXCHANGE, data[18]),
		      data[0] << 8 | data[1],
		      data[23] | (data[19] & 0x20 ? 1000 : 0));
}

static void trace_child(const struct sim_side *side, const char *what,
			enum ike_child_kind kind, uint32_t spi_in,
			unsigned directions)
{
	trace(side, what, kind == IKE_CHILD_ACTIVE ? "active" : "passive",
	      spi_in, directions);
}

static void drain(struct sim_side *side);

static void answer(struct sim_side *side, const struct ike_input *input)
{
	struct sim *sim = side->sim;
	struct sim_answer *later = &sim->answers[sim->answers_count];

	if (!side->late || sim->answers_count == SIM_MAX_ANSWERS) {
		ike_input(side->ike, sim->now, input);
		return;
	}
	later->at = (struct ike_time){
		sim->now.us + sim_random(sim) % ANSWER_DELAY_US };
	later->to = side->index;
	later->input = *input;
	if (input->type == IKE_INPUT_SIGNATURE && input->signature.bytes.len)
		memcpy(later->signature, input->signature.bytes.data,
		       input->signature.bytes.len);
	sim->answers_count++;
}

/* The keys mixed with the PPK. */
static struct ike_bytes mix(const struct sim_side *side,
			    const struct ike_effect *effect, uint8_t *ret)
{
	const struct ike_bytes keys = effect->need_signature.octets;
	const char *ppk = side->ppk;

	sim_assert(side->sim, ppk);
	assert_true(ppk_mix(test_crypto(),
			    effect->need_signature.prf, (struct ike_bytes){
			    (const uint8_t *)ppk, strlen(ppk) }, keys, ret));
	if (side->sim->watch) {
		side->sim->watch(keys.data, keys.len);
		side->sim->watch(ret, keys.len);
	}
	return (struct ike_bytes){ ret, keys.len };
}

static void on_signature(struct sim_side *side, const struct ike_effect *effect)
{
	uint8_t signature[IKE_MAX_SIGNATURE];
	struct ike_input input = { .type = IKE_INPUT_SIGNATURE };
	const bool ppk = effect->need_signature.ppk;

	input.signature.request = effect->need_signature.request;
	sim_assert(side->sim, !effect->need_signature.prf ==
		   !(side->secret || ppk));
	if (ppk && !side->cannot_sign)
		input.signature.bytes = mix(side, effect, signature);
	else if (side->secret && !side->cannot_sign) {
		struct secret mac;

		assert_true(shared_key_mac(test_crypto(),
					   effect->need_signature.prf,
			(struct ike_bytes){ (const uint8_t *)side->secret,
					    strlen(side->secret) },
			effect->need_signature.octets, &mac));
		memcpy(signature, mac.bytes, mac.len);
		input.signature.bytes = (struct ike_bytes){
			signature, mac.len };
	} else if (!side->cannot_sign)
		input.signature.bytes = (struct ike_bytes){
			signature,
			sim_sign(side->identity, effect->need_signature.hash,
				 effect->need_signature.octets, signature) };
	answer(side, &input);
}

static void
on_authorization(struct sim_side *side, const struct ike_effect *effect)
{
	int peer = side->sim->sides[!side->index].identity;
	struct ike_input input = { .type = IKE_INPUT_AUTHORIZATION };

	sim_assert(side->sim, effect->need_authorization.certs_count ==
		   side->sim->chain);
	for (size_t i = 0; i < side->sim->chain; i++)
		sim_assert(side->sim,
			   effect->need_authorization.certs[i].len ==
			   sim_certificate(peer).len);
	sim_assert(side->sim, effect->need_authorization.id.len ==
		   (side->sim->ipv6 ? 16 : 4));
	side->authorization = effect->need_authorization.request;
	input.authorization.request = side->authorization;
	input.authorization.allowed = !side->refuse;
	input.authorization.valid_for = side->valid_for;
	answer(side, &input);
}

/* What is not in the SAD is an absent entry of the model. */
static void reject(struct sim_side *side, uint32_t child)
{
	struct ike_input input = {
		.type = IKE_INPUT_CHILD_FAILED, .child_failed = { child }
	};

	trace(side, "rejected", "", child, 0);
	side->sad[side->sad_count - 1].absent = true;
	ike_input(side->ike, side->sim->now, &input);
}

static void on_install(struct sim_side *side, const struct ike_effect *effect)
{
	trace_child(side, "install", effect->install.sa.kind,
		    effect->install.sa.spi_in, effect->install.directions);
	if (effect->install.directions & IKE_INBOUND)
		sim_sad_install(side, &effect->install.sa, true);
	if (effect->install.directions & IKE_OUTBOUND)
		sim_sad_install(side, &effect->install.sa, false);
	if (chance(side->sim, side->reject))
		reject(side, effect->install.sa.id);
}

static void on_remove(struct sim_side *side, const struct ike_effect *effect)
{
	trace_child(side, "remove", effect->remove.kind,
		    effect->remove.spi_in, effect->remove.directions);
	if (effect->remove.directions & IKE_INBOUND)
		sim_sad_remove(side, effect->remove.child, true);
	if (effect->remove.directions & IKE_OUTBOUND)
		sim_sad_remove(side, effect->remove.child, false);
}

static void carry_out(struct sim_side *side, const struct ike_effect *effect)
{
	switch (effect->type) {
	case IKE_SEND:
		trace_datagram(side, "->", effect->send.bytes.data,
			       effect->send.bytes.len);
		send_out(side, effect);
		return;
	case IKE_KEEPALIVE:
		side->keepalives++;
		return;
	case IKE_NEED_SIGNATURE:
		on_signature(side, effect);
		return;
	case IKE_NEED_AUTHORIZATION:
		on_authorization(side, effect);
		return;
	case IKE_INSTALL_CHILD_SA:
		on_install(side, effect);
		return;
	case IKE_REMOVE_CHILD_SA:
		on_remove(side, effect);
		return;
	case IKE_STATE_CHANGED:
		side->states++;
		side->state = effect->state.state;
		side->info = effect->state.sa;
		return;
	case IKE_FAILED:
		side->failures++;
		side->failed[effect->failed.reason]++;
		trace(side, "failed", ike_reason_name(effect->failed.reason),
		      effect->failed.notify, 0);
		return;
	}
}

static void drain(struct sim_side *side)
{
	struct ike_effect effect;

	while (side->ike && ike_next_effect(side->ike, &effect))
		carry_out(side, &effect);
	sim_check(side->sim);
}

/* ---------------------------------------------------------- open, close */

static void make_engine(struct sim *sim, int index)
{
	struct sim_side *side = &sim->sides[index];
	struct ike_config config = {
		.crypto = test_crypto(),
		.certs_count = sim->chain, .anchors_count = 1,
		.ike_lifetime = sim->ike_lifetime,
		.child_lifetime = sim->child_lifetime,
		.hold_time = sim->hold_time,
		.random = give_random, .allocate_spi = give_spi, .ctx = side
	};
	struct in6_addr addresses[2] = { IN6ADDR_ANY_INIT, IN6ADDR_ANY_INIT };

	for (int i = 0; i < 2; i++) {
		uint8_t *bytes = addresses[i].s6_addr;

		bytes[0] = sim->ipv6 ? 0xfd : 0;
		bytes[10] = bytes[11] = sim->ipv6 ? 0 : 0xff;
		bytes[12] = 192;
		bytes[15] = (uint8_t)(i + 1);
	}
	config.profile = side->profile;
	config.udp = side->udp;
	config.ike_proposals = side->ike_words;
	config.esp_proposals = side->esp_words;
	config.pfs = side->pfs;
	config.local = addresses[index];
	config.peer = addresses[!index];
	if (sim->nat.address && index != SIM_INSIDE) {
		config.inside = config.peer;
		config.peer.s6_addr[14] = 77;
	}
	for (size_t i = 0; i < sim->chain; i++)
		config.certs[i] = sim_certificate(side->identity);
	if (side->secret) {
		config.certs_count = config.anchors_count = 0;
		config.shared_key = true;
	}
	if (side->ppk_id) {
		config.ppk_id_len = strlen(side->ppk_id);
		memcpy(config.ppk_id, side->ppk_id, config.ppk_id_len);
		config.ppk_required = side->ppk_required;
	}
	side->ike = ike_new(&config);
	assert_non_null(side->ike);
}

void sim_open(struct sim *sim, uint64_t seed)
{
	memset(sim, 0, sizeof(*sim));
	sim->seed = sim->random = seed;
	sim->now = IKE_SECONDS(1000);
	sim->ike_lifetime = sim->child_lifetime = IKE_SECONDS(3600);
	sim->hold_time = IKE_SECONDS(90);
	sim->chain = 1;
	sim->network = (struct sim_network){ .delay_us = 2000 };
	for (int i = 0; i < SIM_SIDES; i++) {
		sim->sides[i].sim = sim;
		sim->sides[i].index = sim->sides[i].identity = i;
		sim->sides[i].valid_for = IKE_NEVER;
	}
}

static void forget_packets(struct sim *sim)
{
	for (size_t i = 0; i < sim->packets_count; i++)
		free(sim->packets[i].data);
	sim->packets_count = 0;
}

void sim_close(struct sim *sim)
{
	forget_packets(sim);
	for (int i = 0; i < SIM_SIDES; i++)
		ike_free(sim->sides[i].ike);
}

void sim_restart(struct sim *sim, int index)
{
	struct sim_side *side = &sim->sides[index];
	size_t kept = 0;

	ike_free(side->ike);
	make_engine(sim, index);
	side->state = IKE_DOWN;
	/* answers that were on their way are for nobody */
	for (size_t i = 0; i < sim->answers_count; i++)
		if (sim->answers[i].to != index)
			sim->answers[kept++] = sim->answers[i];
	sim->answers_count = kept;
	/* the old engine's Child SAs stay in the SAD, under other names */
	for (size_t i = 0; i < side->sad_count; i++)
		side->sad[i].child |= SIM_STALE;
}

void sim_input(struct sim *sim, int index, enum ike_input_type type)
{
	struct ike_input input = { .type = type };

	if (!sim->sides[index].ike)
		make_engine(sim, index);
	ike_input(sim->sides[index].ike, sim->now, &input);
	drain(&sim->sides[index]);
}

static void deliver(struct sim *sim, int index, const uint8_t *data, size_t len,
		    uint16_t local_port, uint16_t peer_port)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct ike_input input = {
		.type = IKE_INPUT_DATAGRAM,
		.datagram = { .bytes = { exact, len },
			      .local_port = local_port,
			      .peer_port = peer_port }
	};

	/* a block of its own: the sanitizer sees every octet too far */
	memcpy(exact, data, len);
	if (sim->sides[index].ike) {
		trace_datagram(&sim->sides[index], "<-", data, len);
		ike_input(sim->sides[index].ike, sim->now, &input);
		drain(&sim->sides[index]);
	}
	free(exact);
}

void sim_deliver(struct sim *sim, int index, const uint8_t *data, size_t len)
{
	deliver(sim, index, data, len, IKE_PORT, IKE_PORT);
}

void sim_child_failed(struct sim *sim, int index, uint32_t child)
{
	struct ike_input input = {
		.type = IKE_INPUT_CHILD_FAILED,
		.child_failed = { .child = child }
	};

	ike_input(sim->sides[index].ike, sim->now, &input);
	drain(&sim->sides[index]);
}

void sim_decide(struct sim *sim, int index, bool allowed,
		struct ike_time valid_for)
{
	struct sim_side *side = &sim->sides[index];
	const struct ike_input input = {
		.type = IKE_INPUT_AUTHORIZATION,
		.authorization = { side->authorization, allowed, valid_for }
	};

	side->refuse = !allowed;
	side->valid_for = valid_for;
	ike_input(side->ike, sim->now, &input);
	drain(side);
}

/* ------------------------------------------------------------------ time */

static struct ike_time next_event(struct sim *sim)
{
	struct ike_time next = IKE_NEVER;

	for (size_t i = 0; i < sim->packets_count; i++)
		next = time_min(next, sim->packets[i].at);
	for (size_t i = 0; i < sim->answers_count; i++)
		next = time_min(next, sim->answers[i].at);
	for (int i = 0; i < SIM_SIDES; i++)
		if (sim->sides[i].ike)
			next = time_min(next, ike_deadline(sim->sides[i].ike));
	return next;
}

static void deliver_due(struct sim *sim)
{
	for (size_t i = 0; i < sim->packets_count; i++) {
		struct sim_packet packet = sim->packets[i];

		if (!time_due(packet.at, sim->now))
			continue;
		sim->packets[i] = sim->packets[--sim->packets_count];
		deliver(sim, packet.to, packet.data, packet.len,
			packet.destination, packet.source);
		free(packet.data);
		return;
	}
}

static void answer_due(struct sim *sim)
{
	for (size_t i = 0; i < sim->answers_count; i++) {
		struct sim_answer due = sim->answers[i];

		if (!time_due(due.at, sim->now))
			continue;
		sim->answers[i] = sim->answers[--sim->answers_count];
		if (due.input.type == IKE_INPUT_SIGNATURE)
			due.input.signature.bytes.data = due.signature;
		ike_input(sim->sides[due.to].ike, sim->now, &due.input);
		drain(&sim->sides[due.to]);
		return;
	}
}

/* One event. False if there is none before `end`. */
static bool step(struct sim *sim, struct ike_time end)
{
	static unsigned idle;
	struct ike_time next = next_event(sim);

	if (next.us > end.us) {
		sim->now = end;
		return false;
	}
	idle = next.us > sim->now.us ? 0 : idle + 1;
	sim_assert(sim, idle < MAX_IDLE);
	sim->now = time_max(sim->now, next);
	deliver_due(sim);
	answer_due(sim);
	for (int i = 0; i < SIM_SIDES; i++) {
		struct sim_side *side = &sim->sides[i];

		if (!side->ike || !time_due(ike_deadline(side->ike), sim->now))
			continue;
		ike_tick(side->ike, sim->now);
		drain(side);
	}
	return true;
}

void sim_run(struct sim *sim, struct ike_time span)
{
	struct ike_time end = time_add(sim->now, span);

	while (step(sim, end))
		;
}

size_t sim_sas(const struct sim *sim, int side, enum sa_state state)
{
	size_t count = 0;

	for (const struct sa *sa = sim->sides[side].ike->sas; sa; sa = sa->next)
		count += sa->state == state;
	return count;
}

size_t sim_children(const struct sim *sim, int side)
{
	size_t count = 0;

	for (const struct child *c = sim->sides[side].ike->children; c;
	     c = c->next)
		count++;
	return count;
}

/* Nothing but one established IKE SA and two Child SAs. */
static bool side_settled(const struct sim *sim, int side)
{
	const struct sim_side *s = &sim->sides[side];

	if (!s->ike || s->state != IKE_ESTABLISHED || s->sad_count != 4 ||
	    sim_children(sim, side) != 2 || s->ike->attempt)
		return false;
	return sim_sas(sim, side, SA_ESTABLISHED) == 1 &&
		sim_sas(sim, side, SA_REPLACED) == 0 &&
		sim_sas(sim, side, SA_DELETING) == 0;
}

bool sim_settled(const struct sim *sim)
{
	const struct ike_sa_info *a = &sim->sides[0].info;
	const struct ike_sa_info *b = &sim->sides[1].info;

	for (int i = 0; i < SIM_SIDES; i++) {
		if (!side_settled(sim, i))
			return false;
		for (unsigned k = 0; k < IKE_CHILD_KINDS; k++)
			if (!sim_flows(sim, i, (enum ike_child_kind)k))
				return false;
	}
	return a->spi_initiator == b->spi_initiator &&
		a->spi_responder == b->spi_responder &&
		a->initiator != b->initiator;
}

void sim_run_settled(struct sim *sim, struct ike_time span)
{
	struct ike_time end = time_add(sim->now, span);

	while (!sim_settled(sim))
		if (!step(sim, end))
			sim_fail(sim, "not settled after %llu s: states %d %d, "
				 "IKE SAs %zu %zu, SAD %zu %zu",
				 (unsigned long long)span.us / 1000000,
				 sim->sides[0].state, sim->sides[1].state,
				 sim_sas(sim, 0, SA_ESTABLISHED),
				 sim_sas(sim, 1, SA_ESTABLISHED),
				 sim->sides[0].sad_count,
				 sim->sides[1].sad_count);
}

void sim_calm(struct sim *sim, struct ike_time span)
{
	sim->network = (struct sim_network){ .delay_us = 2000 };
	sim_run_settled(sim, span);
}

void sim_start_both(struct sim *sim)
{
	sim_input(sim, 0, IKE_INPUT_START);
	sim_input(sim, 1, IKE_INPUT_START);
	sim_run_settled(sim, IKE_SECONDS(20));
}
