/*
 * Rekeying of a Child SA, one message lost, delayed or duplicated: {request,
 * response, delete} x {lost, delayed, duplicated} x {initiator, responder, both
 * at once} (RFC 7296 1.3.3, 2.8, 2.8.1). ladder.h says how to read the
 * drawings. Each is run with either side as the initiator of the IKE SA, so
 * that one of nine covers two cases: `a` begins. Where both do, a loses by the
 * nonces, and there is a drawing for the loser's message and one for the
 * winner's.
 */
#include "tests/sim/ladder.h"

static const struct ladder ladders[] = {
	{ "nothing lost",
	  "|rekey                   |\n"
	  "|--REKEY---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|--DELETE old----------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'a' },
	{ "request lost",
	  "|rekey                   |\n"
	  "|--REKEY--x              |\n"
	  "|         500 ms         |\n"
	  "|--REKEY again---------->|\n"
	  "|<--CHILD----------------|\n"
	  "|--DELETE old----------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'a' },
	{ "request delayed",
	  "|rekey                   |\n"
	  "|--REKEY--.              |\n"
	  "|         500 ms         |\n"
	  "|--REKEY again---------->|\n"
	  "|<--CHILD----------------|\n"
	  "|  '-REKEY-------------->|\n"
	  "|<--CHILD again----------|\n"
	  "|--DELETE old----------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'a' },
	{ "request duplicated",
	  "|rekey                   |\n"
	  "|==REKEY================>|\n"
	  "|<--CHILD----------------|\n"
	  "|--DELETE old----------->|\n"
	  "|<--CHILD again----------|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'a' },
	{ "response lost",
	  "|rekey                   |\n"
	  "|--REKEY---------------->|\n"
	  "|              x--CHILD--|\n"
	  "|         500 ms         |\n"
	  "|--REKEY again---------->|\n"
	  "|<--CHILD again----------|\n"
	  "|--DELETE old----------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'a' },
	{ "response delayed",
	  "|rekey                   |\n"
	  "|--REKEY---------------->|\n"
	  "|              .--CHILD--|\n"
	  "|         500 ms         |\n"
	  "|--REKEY again---------->|\n"
	  "|<--CHILD again----------|\n"
	  "|--DELETE old----------->|\n"
	  "|<--CHILD-'              |\n"
	  "|<--DELETED--------------|\n",
	  .child = 'a' },
	{ "response duplicated",
	  "|rekey                   |\n"
	  "|--REKEY---------------->|\n"
	  "|<==CHILD================|\n"
	  "|--DELETE old----------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'a' },
	{ "delete lost",
	  "|rekey                   |\n"
	  "|--REKEY---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|--DELETE old--x         |\n"
	  "|         500 ms         |\n"
	  "|--DELETE old again----->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'a' },
	{ "delete delayed",
	  "|rekey                   |\n"
	  "|--REKEY---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|--DELETE old--.         |\n"
	  "|         500 ms         |\n"
	  "|--DELETE old again----->|\n"
	  "|<--DELETED--------------|\n"
	  "|  '-DELETE old--------->|\n"
	  "|<--DELETED again--------|\n",
	  .child = 'a' },
	{ "delete duplicated",
	  "|rekey                   |\n"
	  "|--REKEY---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|==DELETE old===========>|\n"
	  "|<--DELETED--------------|\n"
	  "|<--DELETED again--------|\n",
	  .child = 'a' },
	{ "both at once, nothing lost",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETE new----------->|\n"
	  "|--DELETED-------------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the loser's request lost",
	  "|rekey              rekey|\n"
	  "|--REKEY--x              |\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD---------------->|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n"
	  "|         500 ms         |\n"
	  "|--REKEY again---------->|\n"
	  "|<--CHILD_SA_NOT_FOUND---|\n",
	  .child = 'b' },
	{ "both at once, the winner's request lost",
	  "|rekey              rekey|\n"
	  "|              x--REKEY--|\n"
	  "|--REKEY---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|--DELETE old----------->|\n"
	  "|<--DELETED--------------|\n"
	  "|         500 ms         |\n"
	  "|<--REKEY again----------|\n"
	  "|--CHILD_SA_NOT_FOUND--->|\n",
	  .child = 'a' },
	{ "both at once, the loser's request delayed",
	  "|rekey              rekey|\n"
	  "|--REKEY--.              |\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD---------------->|\n"
	  "|  '-REKEY-------------->|\n"
	  "|<--TEMPORARY_FAILURE----|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n",
	  .child = 'b' },
	{ "both at once, the winner's request delayed",
	  "|rekey              rekey|\n"
	  "|              .--REKEY--|\n"
	  "|--REKEY---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|<--REKEY-'              |\n"
	  "|--TEMPORARY_FAILURE---->|\n"
	  "|--DELETE old----------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'a' },
	{ "both at once, the loser's request duplicated",
	  "|rekey              rekey|\n"
	  "|==REKEY================>|\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|<--CHILD again----------|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETE new----------->|\n"
	  "|--DELETED-------------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the winner's request duplicated",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<==REKEY================|\n"
	  "|--CHILD---------------->|\n"
	  "|--CHILD again---------->|\n"
	  "|<--CHILD----------------|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETE new----------->|\n"
	  "|--DELETED-------------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the loser's response lost",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|              x--CHILD--|\n"
	  "|--CHILD---------------->|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n"
	  "|         500 ms         |\n"
	  "|--REKEY again---------->|\n"
	  "|<--CHILD again----------|\n"
	  "|--DELETE new----------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the winner's response lost",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|<--CHILD----------------|\n"
	  "|--CHILD--x              |\n"
	  "|--DELETE new----------->|\n"
	  "|<--DELETED--------------|\n"
	  "|         500 ms         |\n"
	  "|<--REKEY again----------|\n"
	  "|--CHILD again---------->|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the loser's response delayed",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|              .--CHILD--|\n"
	  "|--CHILD---------------->|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n"
	  "|<--CHILD-'              |\n"
	  "|--DELETE new----------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the winner's response delayed",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD--.              |\n"
	  "|<--CHILD----------------|\n"
	  "|--DELETE new----------->|\n"
	  "|<--DELETED--------------|\n"
	  "|  '-CHILD-------------->|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the loser's response duplicated",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|<==CHILD================|\n"
	  "|--CHILD---------------->|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETE new----------->|\n"
	  "|--DELETED-------------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the winner's response duplicated",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|==CHILD================>|\n"
	  "|<--CHILD----------------|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETE new----------->|\n"
	  "|--DELETED-------------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the loser's delete lost",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|--DELETE new--x         |\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n"
	  "|         500 ms         |\n"
	  "|--DELETE new again----->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the winner's delete lost",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|         x--DELETE old--|\n"
	  "|--DELETE new----------->|\n"
	  "|<--DELETED--------------|\n"
	  "|         500 ms         |\n"
	  "|<--DELETE old again-----|\n"
	  "|--DELETED-------------->|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the loser's delete delayed",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|--DELETE new--.         |\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n"
	  "|  '-DELETE new--------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the winner's delete delayed",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|         .--DELETE old--|\n"
	  "|--DELETE new----------->|\n"
	  "|<--DELETED--------------|\n"
	  "|         500 ms         |\n"
	  "|<--DELETE old again-----|\n"
	  "|--DELETED-------------->|\n"
	  "|<--DELETE old-'         |\n"
	  "|--DELETED again-------->|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the loser's delete duplicated",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|==DELETE new===========>|\n"
	  "|<--DELETED--------------|\n"
	  "|<--DELETED again--------|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n",
	  .child = 'b', .lowest = 'a' },
	{ "both at once, the winner's delete duplicated",
	  "|rekey              rekey|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|<==DELETE old===========|\n"
	  "|--DELETED-------------->|\n"
	  "|--DELETED again-------->|\n"
	  "|--DELETE new----------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'b', .lowest = 'a' },
};

int main(int argc, char **argv)
{
	return ladder_main(ladders, sizeof(ladders) / sizeof(ladders[0]), argc,
			   argv);
}
