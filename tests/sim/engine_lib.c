#define OPENSSL_SUPPRESS_DEPRECATED	/* RAND_METHOD, to be deterministic */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/rand.h>

#include "tests/sim/engine.h"

enum { MAX_STEPS = 5000 };

static struct sim sim;		/* the engines' randomness comes from it */
static struct ike *templates[ENGINE_STATES], *current;
static struct ike_time when[ENGINE_STATES];
static uint64_t random_then[ENGINE_STATES];

/* ------------------------------------------------------------ randomness */

static uint64_t sequence = 1;

static int fixed_bytes(unsigned char *ret_bytes, int len)
{
	for (int i = 0; i < len; i++) {
		sequence = sequence * 6364136223846793005u + 1442695040888963407u;
		ret_bytes[i] = (unsigned char)(sequence >> 56);
	}
	return 1;
}

static int fixed_status(void)
{
	return 1;
}

void engine_fix_randomness(void)
{
	static const RAND_METHOD fixed = {
		.bytes = fixed_bytes, .pseudorand = fixed_bytes,
		.status = fixed_status
	};

	sequence = 1;
	assert_int_equal(RAND_set_rand_method(&fixed), 1);
}

/* -------------------------------------------------------------- templates */

/* what side 0's IKE SA is then */
static const enum sa_state reached[ENGINE_STATES] = {
	[ENGINE_CONNECTING] = SA_INIT_SENT,
	[ENGINE_AUTH_SENT] = SA_AUTH_SENT,
	[ENGINE_HALF_OPEN] = SA_INIT_ANSWERED,
	[ENGINE_ESTABLISHED] = SA_ESTABLISHED
};

static void reach(enum engine_state state)
{
	switch (state) {
	case ENGINE_DOWN:
		sim_input(&sim, 0, IKE_INPUT_STOP);
		return;
	case ENGINE_CONNECTING:
		sim_input(&sim, 0, IKE_INPUT_START);
		return;
	case ENGINE_AUTH_SENT:
		/* the initiator's second message is on its way */
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_input(&sim, 1, IKE_INPUT_START);
		while (sim_sas(&sim, 0, SA_AUTH_SENT) == 0)
			sim_run(&sim, IKE_MSECONDS(1));
		return;
	case ENGINE_HALF_OPEN:
		/* its own attempt has failed: it is between two */
		sim.network.cut = true;
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_run(&sim, IKE_MSECONDS(15600));
		sim.network.cut = false;
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run(&sim, IKE_MSECONDS(3));
		return;
	case ENGINE_ESTABLISHED:
		sim_input(&sim, 0, IKE_INPUT_START);
		sim_input(&sim, 1, IKE_INPUT_START);
		sim_run_settled(&sim, IKE_SECONDS(20));
		/* what was still to be confirmed */
		sim_run(&sim, IKE_SECONDS(5));
		return;
	case ENGINE_STATES:
		return;
	}
}

static void make(enum engine_state state)
{
	sim_open(&sim, 1 + (uint64_t)state);
	reach(state);
	assert_true(sim_sas(&sim, 0, reached[state]) == 1 ||
		    state == ENGINE_DOWN);
	templates[state] = sim.sides[0].ike;
	when[state] = sim.now;
	random_then[state] = sim.random;
	sim.sides[0].ike = NULL;
	sim_close(&sim);
}

/* ----------------------------------------------------------------- clones */

static void *copy_of(const void *bytes, size_t len)
{
	void *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

static void own(struct buffer *buffer)
{
	if (buffer->data)
		buffer->data = copy_of(buffer->data, buffer->len);
}

static void own_ke(struct crypto_ke *ke)
{
	if (!ke->derivation)
		return;
	ke->derivation = EVP_PKEY_CTX_dup(ke->derivation);
	assert_non_null(ke->derivation);
}

static struct handshake *clone_handshake(const struct handshake *from)
{
	struct handshake *copy;

	if (!from)
		return NULL;
	/* no template waits for an authorization: it holds no message */
	assert_null(from->held);
	copy = copy_of(from, sizeof(*from));
	own(&copy->init_request);
	own(&copy->init_response);
	own_ke(&copy->ke);
	return copy;
}

static struct sa *clone_sas(const struct sa *from)
{
	struct sa *copy;

	if (!from)
		return NULL;
	copy = copy_of(from, sizeof(*from));
	own(&copy->out.bytes);
	own_ke(&copy->out.ke);
	own(&copy->response);
	assert_null(copy->out.rival.sa);
	assert_null(copy->collected[0]);
	assert_null(copy->collected[1]);
	copy->handshake = clone_handshake(from->handshake);
	copy->next = clone_sas(from->next);
	return copy;
}

/* The clone of the IKE SA that stands at the same place of its list. */
static struct sa *same(const struct ike *from, struct ike *to,
		       const struct sa *sa)
{
	struct sa *clone = to->sas;

	for (const struct sa *s = from->sas; s && clone; s = s->next) {
		if (s == sa)
			return clone;
		clone = clone->next;
	}
	return NULL;
}

static struct child *clone_children(const struct ike *from, struct ike *to,
				    const struct child *child)
{
	struct child *copy;

	if (!child)
		return NULL;
	copy = copy_of(child, sizeof(*child));
	copy->sa = same(from, to, child->sa);
	copy->next = clone_children(from, to, child->next);
	return copy;
}

static struct ike *clone_engine(const struct ike *from)
{
	struct ike *copy = copy_of(from, sizeof(*from));
	size_t len = 0;

	for (size_t i = 0; i < from->config.certs_count; i++)
		len += from->config.certs[i].len;
	copy->certs = copy_of(from->certs, len);
	for (size_t i = 0; i < from->config.certs_count; i++)
		copy->config.certs[i].data = copy->certs +
			(from->config.certs[i].data - from->certs);
	assert_null(from->effects);
	copy->taken = NULL;
	copy->effects_end = &copy->effects;
	copy->sas = clone_sas(from->sas);
	copy->attempt = same(from, copy, from->attempt);
	copy->children = clone_children(from, copy, from->children);
	return copy;
}

/* ------------------------------------------------------------------- SAD */

struct engine_out engine_out;

static struct {
	uint32_t child;
	unsigned directions;
} sad[SIM_MAX_SAD];

static unsigned *installed(uint32_t child)
{
	for (size_t i = 0; i < SIM_MAX_SAD; i++)
		if (sad[i].directions && sad[i].child == child)
			return &sad[i].directions;
	for (size_t i = 0; i < SIM_MAX_SAD; i++)
		if (!sad[i].directions) {
			sad[i].child = child;
			return &sad[i].directions;
		}
	fail_msg("more Child SAs than there may be");
	return NULL;
}

static void install(const struct ike_child_sa *sa, unsigned directions)
{
	unsigned *there = installed(sa->id);

	engine_out.installs++;
	assert_int_equal(*there & directions, 0);
	assert_true(directions & IKE_INBOUND || *there & IKE_INBOUND);
	assert_true(sa->key_in.len >= 16 && sa->key_out.len >= 16);
	assert_true(sa->encr != IKE_ENCR_NULL || sa->integ != IKE_INTEG_NONE);
	*there |= directions;
}

static void uninstall(uint32_t child, unsigned directions)
{
	unsigned *there = installed(child);

	engine_out.removes++;
	assert_int_equal(*there & directions, directions);
	*there &= ~directions;
}

/* ---------------------------------------------------------------- effects */

static void sign(struct ike *ike, uint32_t request)
{
	static const uint8_t none[] = { 0x30, 6, 2, 1, 1, 2, 1, 1 };
	struct ike_input input = {
		.type = IKE_INPUT_SIGNATURE,
		.signature = { request, { none, sizeof(none) } }
	};

	engine_out.signatures++;
	ike_input(ike, ike->now, &input);
}

static void sent(struct ike_bytes bytes)
{
	assert_true(bytes.len <= sizeof(engine_out.last));
	memcpy(engine_out.last, bytes.data, bytes.len);
	engine_out.last_len = bytes.len;
	engine_out.sends++;
}

static void carry_out(struct ike *ike, const struct ike_effect *effect)
{
	switch (effect->type) {
	case IKE_SEND:
		sent(effect->send.bytes);
		return;
	case IKE_KEEPALIVE:
		return;
	case IKE_NEED_SIGNATURE:
		sign(ike, effect->need_signature.request);
		return;
	case IKE_NEED_AUTHORIZATION:
		engine_out.authorizations++;
		engine_out.authorization = effect->need_authorization.request;
		return;
	case IKE_INSTALL_CHILD_SA:
		install(&effect->install.sa, effect->install.directions);
		return;
	case IKE_REMOVE_CHILD_SA:
		uninstall(effect->remove.child, effect->remove.directions);
		return;
	case IKE_STATE_CHANGED:
		engine_out.states++;
		return;
	case IKE_FAILED:
		engine_out.failures++;
		return;
	}
}

static void drain(struct ike *ike)
{
	struct ike_effect effect;

	while (ike_next_effect(ike, &effect))
		carry_out(ike, &effect);
}

/* ------------------------------------------------------------- using them */

struct ike *engine_in(enum engine_state state)
{
	ike_free(current);
	current = NULL;
	if (!templates[state])
		make(state);
	sim.now = when[state];
	sim.random = random_then[state];
	sim.sides[0].sim = &sim;
	current = clone_engine(templates[state]);
	memset(sad, 0, sizeof(sad));
	for (struct child *c = current->children; c; c = c->next) {
		*installed(c->info.id) = IKE_INBOUND | IKE_OUTBOUND;
		/* seeds of tests/fuzz name them: always the same */
		c->info.spi_in = 0x10000 + c->info.kind;
		c->info.spi_out = 0x20000 + c->info.kind;
	}
	engine_wait(current, IKE_SECONDS(0));
	memset(&engine_out, 0, sizeof(engine_out));
	return current;
}

void engine_feed(struct ike *ike, const uint8_t *data, size_t len)
{
	uint8_t *exact = copy_of(data, len);
	struct ike_input input = {
		.type = IKE_INPUT_DATAGRAM,
		.datagram = { { exact, len }, IKE_PORT, IKE_PORT }
	};

	ike_input(ike, sim.now, &input);
	free(exact);
	drain(ike);
}

void engine_authorize(struct ike *ike)
{
	struct ike_input input = {
		.type = IKE_INPUT_AUTHORIZATION,
		.authorization = { engine_out.authorization, true,
				   IKE_SECONDS(86400) }
	};

	ike_input(ike, sim.now, &input);
	drain(ike);
}

void engine_wait(struct ike *ike, struct ike_time span)
{
	struct ike_time end = time_add(sim.now, span);
	unsigned steps = 0;

	do {
		/* it must not stand still */
		assert_true(++steps < MAX_STEPS);
		sim.now = time_min(end, time_max(sim.now, ike_deadline(ike)));
		ike_tick(ike, sim.now);
		drain(ike);
	} while (ike_deadline(ike).us <= end.us || sim.now.us < end.us);
}

struct sa *engine_sa(struct ike *ike, bool oldest)
{
	struct sa *found = NULL;

	for (struct sa *sa = ike->sas; sa; sa = sa->next) {
		if (!sa_has_keys(sa) || sa->state == SA_DEAD)
			continue;
		found = sa;
		if (!oldest)
			break;
	}
	return found;
}

size_t engine_seal(const struct sa *sa, uint8_t exchange, bool response,
		   uint8_t first, struct ike_bytes chain,
		   uint8_t ret_bytes[IKE_MAX_MESSAGE])
{
	static uint64_t iv = 1;
	const struct crypto_protection peers =
		sa_protection(test_crypto(), sa, false);
	uint8_t plain[IKE_MAX_MESSAGE];
	struct writer inner = writer_of(plain, sizeof(plain));
	struct writer outer = writer_of(ret_bytes, IKE_MAX_MESSAGE);
	struct message_header header = {
		.spi_i = sa_spi_i(sa), .spi_r = sa_spi_r(sa),
		.exchange = exchange, .initiator = !sa->initiator,
		.response = response, .id = response ? sa->out.id : sa->recv_id
	};

	write_view(&inner, chain);
	inner.first = first;
	if (!message_seal(&outer, &header, &inner, &peers, &iv, SIZE_MAX))
		return 0;
	return outer.len;
}

void engine_shoot(const struct ike *ike, struct engine_shot *ret_shot)
{
	const struct sa *best = sa_best(ike);

	memset(ret_shot, 0, sizeof(*ret_shot));
	ret_shot->present = best != NULL;
	if (best)
		memcpy(&ret_shot->sa, best, sizeof(*best));
	/* where it stands in the list is no part of it */
	ret_shot->sa.next = NULL;
	for (const struct child *c = ike->children; c; c = c->next)
		memcpy(&ret_shot->children[ret_shot->count++], c, sizeof(*c));
}

bool engine_unchanged(const struct ike *ike, const struct engine_shot *shot)
{
	struct engine_shot after;

	engine_shoot(ike, &after);
	return memcmp(&after, shot, sizeof(after)) == 0;
}
