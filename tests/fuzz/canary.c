/* No target but a proof that the others can fail: it reads one octet too far
 * as soon as the fuzzer has found "BGP". */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_exact((struct ike_bytes){ data, size });
	volatile uint8_t seen = 0;

	if (size >= 3 && copy[0] == 'B' && copy[1] == 'G' && copy[2] == 'P')
		seen = copy[size];
	(void)seen;
	free(copy);
	return 0;
}
