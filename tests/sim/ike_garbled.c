/* Answers of the peer's that are authentic and make no sense: what was asked
 * for is done all the same, and nothing is asked for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/engine.h"

static struct ike *ike;

static void begin(enum ike_input_type type)
{
	struct ike_input input = { .type = type };

	ike = engine_in(ENGINE_ESTABLISHED);
	if (type == IKE_INPUT_CHILD_FAILED)
		input.child_failed.child = ike->children->info.id;
	ike_input(ike, ike->now, &input);
	engine_wait(ike, IKE_SECONDS(0));
	assert_int_equal(engine_out.sends, 1);
}

/* The answer that is owed, but for its payloads: an unknown one marked
 * critical; one that is cut short; one that does not belong there. */
static const struct {
	uint8_t first, chain[8];
	size_t len;
} garbage[] = {
	{ 200, { 0, 0x80, 0, 4 }, 4 },
	{ IKE_PAYLOAD_DELETE, { 0, 0, 0, 8, 1 }, 5 },
	{ IKE_PAYLOAD_SA, { 0, 0, 0, 5, 1 }, 5 },
};
enum { GARBAGE = sizeof(garbage) / sizeof(garbage[0]) };

static void answer(size_t i)
{
	const struct sa *sa = ike->sas;
	uint8_t bytes[IKE_MAX_MESSAGE];
	size_t len = engine_seal(sa, sa->out.exchange, true, garbage[i].first,
				 (struct ike_bytes){ garbage[i].chain,
						     garbage[i].len }, bytes);

	engine_feed(ike, bytes, len);
	engine_wait(ike, IKE_SECONDS(0));
}

/* The record of a Child SA goes with the answer to its DELETE. */
static void to_delete_of_a_child_sa(void **state)
{
	(void)state;
	for (size_t i = 0; i < GARBAGE; i++) {
		begin(IKE_INPUT_CHILD_FAILED);
		assert_non_null(ike->children->next);
		answer(i);
		assert_null(ike->children->next);
		assert_int_equal(ike->sas->state, SA_ESTABLISHED);
		assert_int_equal(engine_out.sends, 1);
	}
}

/* And so does an IKE SA. */
static void to_delete_of_the_ike_sa(void **state)
{
	(void)state;
	for (size_t i = 0; i < GARBAGE; i++) {
		begin(IKE_INPUT_STOP);
		assert_int_equal(ike->sas->state, SA_DELETING);
		answer(i);
		assert_null(ike->sas);
		assert_int_equal(engine_out.sends, 1);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_delete_of_a_child_sa),
		cmocka_unit_test(to_delete_of_the_ike_sa),
	};

	engine_fix_randomness();
	sim_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
