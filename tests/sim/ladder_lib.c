#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/ladder.h"
#include "tests/sim/sim.h"

enum {
	MAX_PENDING = 32, MAX_SENT = 256, MAX_NAME = 96, MAX_TESTS = 160,
	SEEDS = 2,
	/* what random octets begin with */
	ORDINARY = 0x80, LOWEST = 1,
	/* header, and the IV that is never twice the same */
	HEAD = MESSAGE_HEADER_SIZE + 12
};

struct pending {
	int from;
	bool kept;		/* delayed */
	char name[MAX_NAME];
	uint8_t bytes[IKE_MAX_MESSAGE];
	size_t len;
};

/* The nonces of the exchange that a side began last. */
struct exchange {
	struct nonce request, response;
};

static struct run {
	const struct ladder *ladder;
	bool mirrored, by_peer;		/* the lowest nonce is its peer's */
	const char *at;			/* the line being carried out */
	struct sim sim;
	struct pending pending[MAX_PENDING];
	size_t count;
	uint8_t sent[MAX_SENT][HEAD];
	size_t sent_count;
	unsigned undrawn;		/* CREATE_CHILD_SA after the drawing */
	bool done;			/* with the drawing: all arrives */
	struct exchange exchanges[SIM_SIDES];
	uint64_t spi;			/* of the IKE SA at the beginning */
	uint32_t children[SIM_SIDES][IKE_CHILD_KINDS];	/* inbound SPIs */
} run;

static int side_of(char letter)
{
	return (letter == 'b') != run.mirrored;
}

static char letter_of(int side)
{
	return (side == 1) != run.mirrored ? 'b' : 'a';
}

/* The Child SA that all this is about: a's active, b's passive. */
static enum ike_child_kind kind_of(int side)
{
	return letter_of(side) == 'a' ? IKE_CHILD_ACTIVE : IKE_CHILD_PASSIVE;
}

#define ladder_fail(...) \
	do { \
		print_error("%s%s, at %.*s\n", run.ladder->name, \
			    run.mirrored ? " (mirrored)" : "", \
			    (int)strcspn(run.at, "\n"), run.at); \
		for (size_t i_ = 0; i_ < run.count; i_++) \
			print_error("\tfrom %c: %s%s\n", \
				    letter_of(run.pending[i_].from), \
				    run.pending[i_].name, \
				    run.pending[i_].kept ? " (late)" : ""); \
		sim_fail(&run.sim, __VA_ARGS__); \
	} while (0)
#define ladder_assert(what) \
	do { \
		if (!(what)) \
			ladder_fail("%s:%d: %s", __FILE__, __LINE__, #what); \
	} while (0)

/* ---------------------------------------------------------------- messages */

/* Does the DELETE name the Child SA from before? */
static bool of_before(int from, const struct payload_delete *del)
{
	struct reader reader = reader_of(del->spis);
	uint32_t spi;

	while (read_u32(&reader, &spi))
		for (unsigned k = 0; k < IKE_CHILD_KINDS; k++)
			if (spi == run.children[from][k])
				return true;
	return false;
}

static const char *create_name(const struct message_header *header,
			       const struct payloads *payloads)
{
	const struct payload_notify *error = payloads_error(payloads);

	if (header->response && error)
		return ike_name(IKE_NAMES_NOTIFY, error->type);
	if (!PAYLOAD_HAS(payloads, TSI))
		return header->response ? "IKE" : "REKEY_IKE";
	if (header->response)
		return "CHILD";
	return payloads_notify(payloads, IKE_NOTIFY_REKEY_SA) ? "REKEY" :
		"CREATE";
}

static const char *informational_name(int from,
				      const struct message_header *header,
				      const struct payloads *payloads)
{
	const struct payload_delete *del = &payloads->deletes[0];

	if (payloads->deletes_count == 0)
		return header->response ? "OK" : "ASK";
	if (del->protocol == IKE_PROTOCOL_IKE)
		return "DELETE_IKE";
	if (header->response)
		return "DELETED";
	return of_before(from, del) ? "DELETE old" : "DELETE new";
}

static void note_nonce(int from, const struct message_header *header,
		       const struct payloads *payloads)
{
	struct exchange *exchange =
		&run.exchanges[header->response ? !from : from];

	if (payloads->nonce.len == 0)
		return;
	if (!header->response) {
		memset(exchange, 0, sizeof(*exchange));
		ladder_assert(nonce_set(&exchange->request, payloads->nonce));
	} else {
		ladder_assert(nonce_set(&exchange->response, payloads->nonce));
	}
}

/* Open what side `from` has sealed, and name it. */
static void name_message(struct pending *message)
{
	const struct ike_bytes bytes = { message->bytes, message->len };
	struct ike *ike = run.sim.sides[message->from].ike;
	struct crypto_protection protection;
	struct message_header header;
	struct payloads payloads;
	uint8_t *plaintext;
	struct sa *sa;
	size_t len;

	assert_int_equal(message_parse_header(bytes, &header), 0);
	if (header.exchange == IKE_EXCHANGE_SA_INIT) {
		strcpy(message->name, "INIT");
		return;
	}
	assert_int_equal(payloads_parse(header.first, (struct ike_bytes){
			bytes.data + MESSAGE_HEADER_SIZE,
			bytes.len - MESSAGE_HEADER_SIZE }, &payloads), 0);
	sa = sa_find(ike, &header);
	assert_non_null(sa);
	protection = sa_protection(test_crypto(), sa, true);
	assert_true(message_open(bytes, &payloads, &protection, &plaintext,
				 &len));
	assert_int_equal(payloads_parse(payloads.sk_first, (struct ike_bytes){
			plaintext, len }, &payloads), 0);
	snprintf(message->name, sizeof(message->name), "%s%s",
		 header.exchange == IKE_EXCHANGE_CREATE_CHILD_SA ?
		 create_name(&header, &payloads) :
		 informational_name(message->from, &header, &payloads),
		 sa_spi_i(sa) == run.spi ? "" : " on new");
	note_nonce(message->from, &header, &payloads);
	message_free_plaintext(plaintext, len);
}

/* The very same has been sent before. */
static bool again(const uint8_t *data, size_t len)
{
	ladder_assert(len > HEAD && run.sent_count < MAX_SENT);
	for (size_t i = 0; i < run.sent_count; i++)
		if (!memcmp(run.sent[i], data, HEAD))
			return true;
	memcpy(run.sent[run.sent_count++], data, HEAD);
	return false;
}

static bool hold(struct sim *sim, int from, const uint8_t *data, size_t len)
{
	struct pending *message = &run.pending[run.count];
	bool repeated = again(data, len);

	(void)sim;
	if (run.done) {
		run.undrawn += data[18] == IKE_EXCHANGE_CREATE_CHILD_SA;
		return true;
	}
	ladder_assert(run.count < MAX_PENDING);
	memset(message, 0, sizeof(*message));
	message->from = from;
	memcpy(message->bytes, data, len);
	message->len = len;
	run.count++;
	name_message(message);
	if (repeated)
		strcat(message->name, " again");
	return false;
}

/* --------------------------------------------------------------- one line */

/* The oldest of this name from a side, delayed or not. */
static struct pending take(int from, bool kept, const char *name)
{
	for (size_t i = 0; i < run.count; i++) {
		struct pending found = run.pending[i];

		if (found.from != from || found.kept != kept ||
		    strcmp(found.name, name))
			continue;
		run.count--;
		memmove(&run.pending[i], &run.pending[i + 1],
			(run.count - i) * sizeof(run.pending[0]));
		return found;
	}
	ladder_fail("no %s from %c", name, letter_of(from));
	return (struct pending){ 0 };
}

/* The side that answers has the lowest nonce, if it is to be that one. */
static void deliver(const struct pending *message)
{
	struct sim_side *to = &run.sim.sides[!message->from];

	if (run.by_peer && letter_of(message->from) == run.ladder->lowest)
		to->first_octet = LOWEST;
	sim_deliver(&run.sim, to->index, message->bytes, message->len);
	to->first_octet = ORDINARY;
}

static void keep(struct pending message)
{
	message.kept = true;
	run.pending[run.count++] = message;
}

/* "|--NAME-->|", "|  x--NAME--|", "|--NAME--.  |", "|  '-NAME-->|", ... */
static void carry_out_message(const char *line)
{
	bool from_a = strchr(line, '>') ||
		(!strchr(line, '<') && (line[1] == '-' || line[1] == '='));
	int from = side_of(from_a ? 'a' : 'b');
	const char *at = strpbrk(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	struct pending message;
	char name[MAX_NAME];

	ladder_assert(at && strcspn(at, "-=|<>") < sizeof(name));
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "-=|<>"), at);
	message = take(from, strchr(line, '\''), name);
	if (strchr(line, '.')) {
		keep(message);
	} else if (!strchr(line, 'x')) {
		deliver(&message);
		if (strchr(line, '='))
			deliver(&message);
	}
}

static struct child *child_at(int side, enum ike_child_kind kind)
{
	struct child *child = child_of(run.sim.sides[side].ike,
				       sa_best(run.sim.sides[side].ike), kind);

	ladder_assert(child);
	return child;
}

/* Delete the IKE SA, and see the effects carried out. */
static void end(int side)
{
	struct ike *ike = run.sim.sides[side].ike;

	sa_delete(ike, sa_best(ike));
	sim_child_failed(&run.sim, side, 0);
}

static void begin(int side, const char *what)
{
	struct ike *ike = run.sim.sides[side].ike;
	enum ike_child_kind kind = kind_of(side);

	if (!run.by_peer && letter_of(side) == run.ladder->lowest)
		run.sim.sides[side].first_octet = LOWEST;
	if (!strcmp(what, "rekey"))
		child_at(side, kind)->rekey_at = run.sim.now;
	else if (!strcmp(what, "other"))
		child_at(side, !kind)->rekey_at = run.sim.now;
	else if (!strcmp(what, "ike"))
		sa_best(ike)->rekey_at = run.sim.now;
	else if (!strcmp(what, "close"))
		sim_child_failed(&run.sim, side, child_at(side, kind)->info.id);
	else if (!strcmp(what, "create"))
		sa_best(ike)->negotiate_at[kind] = run.sim.now;
	else if (!strcmp(what, "end"))
		end(side);
	else
		ladder_fail("what is \"%s\"?", what);
}

/* "|rekey      rekey|" */
static void carry_out_beginning(const char *line)
{
	const size_t half = strcspn(line + 1, "|") / 2;
	char left[MAX_NAME], what[2][MAX_NAME] = { "", "" };

	snprintf(left, sizeof(left), "%.*s", (int)half, line + 1);
	(void)sscanf(left, "%95s", what[0]);
	(void)sscanf(line + 1 + half, " %95[^| ]", what[1]);
	for (int i = 0; i < 2; i++)
		if (what[i][0])
			begin(side_of(i ? 'b' : 'a'), what[i]);
	sim_run(&run.sim, IKE_MSECONDS(0));
	for (int i = 0; i < SIM_SIDES; i++)
		run.sim.sides[i].first_octet = ORDINARY;
}

static void carry_out_line(const char *text)
{
	char line[MAX_NAME];
	unsigned ms;

	ladder_assert(strcspn(text, "\n") < sizeof(line));
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
	ladder_assert(line[0] == '|' && line[strlen(line) - 1] == '|');
	if (sscanf(line, "| %u ms", &ms) == 1)
		sim_run(&run.sim, IKE_MSECONDS(ms));
	else if (strpbrk(line, "-="))
		carry_out_message(line);
	else
		carry_out_beginning(line);
}

/* ---------------------------------------------------------------- the end */

/* Both have made one: whose goes by the rule, by our own reading of it. */
static void check_nonces(void)
{
	struct ike_bytes lowest = { NULL, 0 };
	int whose = -1;

	for (int i = 0; i < SIM_SIDES; i++) {
		const struct nonce *nonces[] = { &run.exchanges[i].request,
						 &run.exchanges[i].response };

		for (size_t j = 0; j < 2; j++) {
			struct ike_bytes nonce = nonce_view(nonces[j]);

			ladder_assert(nonce.len == IKE_OWN_NONCE);
			if (whose >= 0 && memcmp(nonce.data, lowest.data,
						 lowest.len) > 0)
				continue;
			lowest = nonce;
			whose = i;
		}
	}
	ladder_assert(letter_of(whose) == run.ladder->lowest);
	ladder_assert(run.ladder->child != run.ladder->lowest &&
		      run.ladder->ike != run.ladder->lowest);
}

static void check_child(int side, enum ike_child_kind kind, char survivor)
{
	const struct child *child = child_at(side, kind);

	ladder_assert((child->info.spi_in != run.children[side][kind]) ==
		      !!survivor);
	ladder_assert(!survivor ||
		      child->ours == (letter_of(side) == survivor));
}

static void check_survivors(void)
{
	const struct ladder *ladder = run.ladder;

	for (int i = 0; i < SIM_SIDES; i++) {
		const struct sa *sa = sa_best(run.sim.sides[i].ike);

		ladder_assert((sa_spi_i(sa) != run.spi) == !!ladder->ike);
		ladder_assert(!ladder->ike ||
			      sa->initiator == (letter_of(i) == ladder->ike));
		check_child(i, kind_of(i), ladder->child);
		check_child(i, !kind_of(i), ladder->other);
	}
	if (ladder->lowest)
		check_nonces();
}

/* Nobody is told of a collision. */
static void check_failures(void)
{
	for (int i = 0; i < SIM_SIDES; i++) {
		const struct sim_side *side = &run.sim.sides[i];
		unsigned wanted = !run.ladder->cut ? 0 :
			side->failed[IKE_REASON_INSTALL] +
			side->failed[IKE_REASON_PEER_DELETED];

		ladder_assert(side->failures == wanted);
	}
}

/* Let go: what is to go goes. Nothing more is negotiated, unless it was
 * refused. */
static void settle(void)
{
	run.at = "the end";
	ladder_assert(run.count == 0);
	run.done = true;
	sim_run(&run.sim, IKE_SECONDS(60));
	ladder_assert(sim_settled(&run.sim));
	ladder_assert((run.undrawn > 0) == run.ladder->later);
	if (!run.ladder->later)
		check_survivors();
	check_failures();
}

static void stop(void)
{
	run.at = "stop";
	run.sim.check_flow = false;
	for (int i = 0; i < SIM_SIDES; i++) {
		sim_input(&run.sim, i, IKE_INPUT_STOP);
		sim_run(&run.sim, IKE_SECONDS(60));
	}
	for (int i = 0; i < SIM_SIDES; i++) {
		ladder_assert(run.sim.sides[i].sad_count == 0);
		ladder_assert(!run.sim.sides[i].ike->sas);
		ladder_assert(!run.sim.sides[i].ike->children);
	}
}

/* ------------------------------------------------------------------ whole */

static void start(uint64_t seed)
{
	struct sim *sim = &run.sim;

	sim_open(sim, seed);
	sim->hold_time = IKE_NEVER;
	sim->ike_lifetime = sim->child_lifetime = IKE_SECONDS(86400);
	/* the one that starts is the initiator */
	sim_input(sim, 0, IKE_INPUT_START);
	sim_run(sim, IKE_MSECONDS(1));
	sim_input(sim, 1, IKE_INPUT_START);
	sim_run_settled(sim, IKE_SECONDS(20));
	sim_run(sim, IKE_SECONDS(60));
	ladder_assert(sa_best(sim->sides[0].ike)->initiator);
	run.spi = sa_spi_i(sa_best(sim->sides[0].ike));
	for (int i = 0; i < SIM_SIDES; i++) {
		sim->sides[i].first_octet = ORDINARY;
		for (unsigned k = 0; k < IKE_CHILD_KINDS; k++)
			run.children[i][k] = child_at(i, (enum ike_child_kind)
						      k)->info.spi_in;
	}
	sim->check_flow = !run.ladder->cut;
	sim->tap = hold;
}

static void climb(const struct ladder *ladder, bool mirrored, bool by_peer,
		  uint64_t seed)
{
	memset(&run, 0, sizeof(run));
	run.ladder = ladder;
	run.mirrored = mirrored;
	run.by_peer = by_peer;
	run.at = "the beginning";
	start(seed);
	for (run.at = ladder->drawing; *run.at;
	     run.at += strcspn(run.at, "\n") + 1)
		carry_out_line(run.at);
	settle();
	stop();
	sim_close(&run.sim);
}

struct climb {
	const struct ladder *ladder;
	bool mirrored;
	char name[MAX_NAME];
};

static void climb_all(void **state)
{
	const struct climb *climbed = *state;

	FOR_SEEDS(seed, SEEDS) {
		climb(climbed->ladder, climbed->mirrored, false, seed);
		if (climbed->ladder->lowest)
			climb(climbed->ladder, climbed->mirrored, true, seed);
	}
}

int ladder_main(const struct ladder *ladders, size_t count, int argc,
		char **argv)
{
	static struct climb climbs[MAX_TESTS];
	static struct CMUnitTest tests[MAX_TESTS];

	assert_true(count * 2 <= MAX_TESTS);
	for (size_t i = 0; i < count * 2; i++) {
		struct climb *c = &climbs[i];

		c->ladder = &ladders[i / 2];
		c->mirrored = i % 2;
		snprintf(c->name, sizeof(c->name), "%s, a is the %s",
			 c->ladder->name, c->mirrored ? "responder" :
			 "initiator");
		tests[i] = (struct CMUnitTest){ c->name, climb_all, NULL, NULL,
						c };
	}
	sim_arguments(argc, argv);
	return _cmocka_run_group_tests("ladders", tests, count * 2, NULL,
				       NULL);
}
