/* What the classifier costs for each packet, beside an empty program. */
#include "tests/bpf/test_run.h"

static int empty_program(void)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0,
		  .imm = TC_ACT_UNSPEC },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "own", code,
			     sizeof(code) / sizeof(code[0]), NULL);
}

/* Only printed: other work on the machine makes any bound a gamble. */
static void test_speed(void **state)
{
	enum { REPEAT = 200000, ROUNDS = 5 };
	static const struct row *const kinds[] = {
		&ssh_in, &bgp_in, &stranger_in, &bgp_out
	};
	int empty = empty_program();

	(void)state;
	assert_true(empty >= 0);
	for (int family = 0; family < FAMILIES; family++)
		for (int i = 0; i < 4; i++) {
			uint32_t best = UINT32_MAX, floor = UINT32_MAX, ns;
			struct frame frame;

			make(&frame, kinds[i], family, 0);
			for (int round = 0; round < ROUNDS; round++) {
				run_program(empty, frame.bytes, frame.len,
					    REPEAT, &ns);
				floor = ns < floor ? ns : floor;
				run_program(programs[kinds[i]->direction],
					    frame.bytes, frame.len, REPEAT,
					    &ns);
				best = ns < best ? ns : best;
			}
			print_message("# IPv%d %s: %u ns, empty program %u ns\n",
				      family ? 6 : 4, kinds[i]->name, best,
				      floor);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
