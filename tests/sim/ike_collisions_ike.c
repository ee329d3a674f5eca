/*
 * Rekeying of the IKE SA, one message lost, delayed or duplicated: {request,
 * response, delete} x {lost, delayed, duplicated} x {initiator, responder, both
 * at once} (RFC 7296 1.3.2, 2.8, 2.8.2). ladder.h says how to read the
 * drawings. Each is run with either side as the initiator of the IKE SA, so
 * that one of nine covers two cases: `a` begins. Where both do, a loses by the
 * nonces, and there is a drawing for the loser's message and one for the
 * winner's.
 */
#include "tests/sim/ladder.h"

static const struct ladder ladders[] = {
	{ "nothing lost",
	  "|ike                     |\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--IKE------------------|\n"
	  "|--DELETE_IKE----------->|\n"
	  "|<--OK-------------------|\n",
	  .ike = 'a' },
	{ "request lost",
	  "|ike                     |\n"
	  "|--REKEY_IKE--x          |\n"
	  "|         500 ms         |\n"
	  "|--REKEY_IKE again------>|\n"
	  "|<--IKE------------------|\n"
	  "|--DELETE_IKE----------->|\n"
	  "|<--OK-------------------|\n",
	  .ike = 'a' },
	{ "request delayed",
	  "|ike                     |\n"
	  "|--REKEY_IKE--.          |\n"
	  "|         500 ms         |\n"
	  "|--REKEY_IKE again------>|\n"
	  "|<--IKE------------------|\n"
	  "|  '-REKEY_IKE---------->|\n"
	  "|<--IKE again------------|\n"
	  "|--DELETE_IKE----------->|\n"
	  "|<--OK-------------------|\n",
	  .ike = 'a' },
	{ "request duplicated",
	  "|ike                     |\n"
	  "|==REKEY_IKE============>|\n"
	  "|<--IKE------------------|\n"
	  "|--DELETE_IKE----------->|\n"
	  "|<--IKE again------------|\n"
	  "|<--OK-------------------|\n",
	  .ike = 'a' },
	{ "response lost",
	  "|ike                     |\n"
	  "|--REKEY_IKE------------>|\n"
	  "|                x--IKE--|\n"
	  "|         500 ms         |\n"
	  "|--REKEY_IKE again------>|\n"
	  "|<--IKE again------------|\n"
	  "|--DELETE_IKE----------->|\n"
	  "|<--OK-------------------|\n",
	  .ike = 'a' },
	{ "response delayed",
	  "|ike                     |\n"
	  "|--REKEY_IKE------------>|\n"
	  "|                .--IKE--|\n"
	  "|         500 ms         |\n"
	  "|--REKEY_IKE again------>|\n"
	  "|<--IKE again------------|\n"
	  "|--DELETE_IKE----------->|\n"
	  "|<--IKE-'                |\n"
	  "|<--OK-------------------|\n",
	  .ike = 'a' },
	{ "response duplicated",
	  "|ike                     |\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<==IKE==================|\n"
	  "|--DELETE_IKE----------->|\n"
	  "|<--OK-------------------|\n",
	  .ike = 'a' },
	{ "delete lost",
	  "|ike                     |\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--IKE------------------|\n"
	  "|--DELETE_IKE--x         |\n"
	  "|         500 ms         |\n"
	  "|--DELETE_IKE again----->|\n"
	  "|<--OK-------------------|\n",
	  .ike = 'a' },
	{ "delete delayed",
	  "|ike                     |\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--IKE------------------|\n"
	  "|--DELETE_IKE--.         |\n"
	  "|         500 ms         |\n"
	  "|--DELETE_IKE again----->|\n"
	  "|<--OK-------------------|\n"
	  "|  '-DELETE_IKE--------->|\n"
	  "|<--OK again-------------|\n",
	  .ike = 'a' },
	{ "delete duplicated",
	  "|ike                     |\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--IKE------------------|\n"
	  "|==DELETE_IKE===========>|\n"
	  "|<--OK-------------------|\n"
	  "|<--OK again-------------|\n",
	  .ike = 'a' },
	{ "both at once, nothing lost",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|--IKE------------------>|\n"
	  "|<--IKE------------------|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--DELETE_IKE on new---->|\n"
	  "|--OK------------------->|\n"
	  "|<--OK on new------------|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the loser's request lost",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE--x          |\n"
	  "|<--REKEY_IKE------------|\n"
	  "|--IKE------------------>|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n"
	  "|         500 ms         |\n",
	  .ike = 'b' },
	{ "both at once, the winner's request lost",
	  "|ike                  ike|\n"
	  "|          x--REKEY_IKE--|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--IKE------------------|\n"
	  "|--DELETE_IKE----------->|\n"
	  "|<--OK-------------------|\n"
	  "|         500 ms         |\n",
	  .ike = 'a' },
	{ "both at once, the loser's request delayed",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE--.          |\n"
	  "|<--REKEY_IKE------------|\n"
	  "|--IKE------------------>|\n"
	  "|  '-REKEY_IKE---------->|\n"
	  "|<--TEMPORARY_FAILURE----|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n",
	  .ike = 'b' },
	{ "both at once, the winner's request delayed",
	  "|ike                  ike|\n"
	  "|          .--REKEY_IKE--|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--IKE------------------|\n"
	  "|<--REKEY_IKE-'          |\n"
	  "|--TEMPORARY_FAILURE---->|\n"
	  "|--DELETE_IKE----------->|\n"
	  "|<--OK-------------------|\n",
	  .ike = 'a' },
	{ "both at once, the loser's request duplicated",
	  "|ike                  ike|\n"
	  "|==REKEY_IKE============>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|--IKE------------------>|\n"
	  "|<--IKE------------------|\n"
	  "|<--IKE again------------|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--DELETE_IKE on new---->|\n"
	  "|--OK------------------->|\n"
	  "|<--OK on new------------|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the winner's request duplicated",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<==REKEY_IKE============|\n"
	  "|--IKE------------------>|\n"
	  "|--IKE again------------>|\n"
	  "|<--IKE------------------|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--DELETE_IKE on new---->|\n"
	  "|--OK------------------->|\n"
	  "|<--OK on new------------|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the loser's response lost",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|                x--IKE--|\n"
	  "|--IKE------------------>|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n"
	  "|        30000 ms        |\n"
	  "|<--DELETE_IKE on new----|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the winner's response lost",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|<--IKE------------------|\n"
	  "|--IKE--x                |\n"
	  "|--DELETE_IKE on new---->|\n"
	  "|<--OK on new------------|\n"
	  "|         500 ms         |\n"
	  "|<--REKEY_IKE again------|\n"
	  "|--IKE again------------>|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the loser's response delayed",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|                .--IKE--|\n"
	  "|--IKE------------------>|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|<--IKE-'                |\n"
	  "|--OK------------------->|\n"
	  "|        30000 ms        |\n"
	  "|<--DELETE_IKE on new----|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the winner's response delayed",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|--IKE--.                |\n"
	  "|<--IKE------------------|\n"
	  "|--DELETE_IKE on new---->|\n"
	  "|<--OK on new------------|\n"
	  "|  '-IKE---------------->|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the loser's response duplicated",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|<==IKE==================|\n"
	  "|--IKE------------------>|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--DELETE_IKE on new---->|\n"
	  "|--OK------------------->|\n"
	  "|<--OK on new------------|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the winner's response duplicated",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|==IKE==================>|\n"
	  "|<--IKE------------------|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--DELETE_IKE on new---->|\n"
	  "|--OK------------------->|\n"
	  "|<--OK on new------------|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the loser's delete lost",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|--IKE------------------>|\n"
	  "|<--IKE------------------|\n"
	  "|--DELETE_IKE on new--x  |\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n"
	  "|         500 ms         |\n"
	  "|--DELETE_IKE on new again>|\n"
	  "|<--OK on new------------|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the winner's delete lost",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|--IKE------------------>|\n"
	  "|<--IKE------------------|\n"
	  "|         x--DELETE_IKE--|\n"
	  "|--DELETE_IKE on new---->|\n"
	  "|<--OK on new------------|\n"
	  "|         500 ms         |\n"
	  "|<--DELETE_IKE again-----|\n"
	  "|--OK------------------->|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the loser's delete delayed",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|--IKE------------------>|\n"
	  "|<--IKE------------------|\n"
	  "|--DELETE_IKE on new--.  |\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n"
	  "|  '-DELETE_IKE on new-->|\n"
	  "|<--OK on new------------|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the winner's delete delayed",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|--IKE------------------>|\n"
	  "|<--IKE------------------|\n"
	  "|         .--DELETE_IKE--|\n"
	  "|--DELETE_IKE on new---->|\n"
	  "|<--OK on new------------|\n"
	  "|         500 ms         |\n"
	  "|<--DELETE_IKE again-----|\n"
	  "|--OK------------------->|\n"
	  "|<--DELETE_IKE-'         |\n"
	  "|--OK again------------->|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the loser's delete duplicated",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|--IKE------------------>|\n"
	  "|<--IKE------------------|\n"
	  "|==DELETE_IKE on new====>|\n"
	  "|<--OK on new------------|\n"
	  "|<--OK on new again------|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n",
	  .ike = 'b', .lowest = 'a' },
	{ "both at once, the winner's delete duplicated",
	  "|ike                  ike|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY_IKE------------|\n"
	  "|--IKE------------------>|\n"
	  "|<--IKE------------------|\n"
	  "|<==DELETE_IKE===========|\n"
	  "|--OK------------------->|\n"
	  "|--OK again------------->|\n"
	  "|--DELETE_IKE on new---->|\n"
	  "|<--OK on new------------|\n",
	  .ike = 'b', .lowest = 'a' },
};

int main(int argc, char **argv)
{
	return ladder_main(ladders, sizeof(ladders) / sizeof(ladders[0]), argc,
			   argv);
}
