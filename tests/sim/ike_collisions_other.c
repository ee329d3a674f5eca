/*
 * Collisions of exchanges that are about different things (RFC 7296 2.25): one
 * is rekeyed, created or deleted while the peer does something else to it, or
 * to the IKE SA that it is of. ladder.h says how to read the drawings.
 */
#include "tests/sim/ladder.h"

static const struct ladder ladders[] = {
	{ "2.25.1: rekey of a Child SA that the peer closes",
	  "|rekey              close|\n"
	  "|--REKEY---------------->|\n"
	  "|<--TEMPORARY_FAILURE----|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n",
	  .later = true, .cut = true },
	{ "2.25.1: rekey of a Child SA that the peer has closed",
	  "|rekey              close|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n"
	  "|--REKEY---------------->|\n"
	  "|<--CHILD_SA_NOT_FOUND---|\n",
	  .later = true, .cut = true },
	{ "2.25.1: deletion of a Child SA that both close",
	  "|close              close|\n"
	  "|--DELETE old----------->|\n"
	  "|<--DELETE old-----------|\n"
	  "|--OK------------------->|\n"
	  "|<--OK-------------------|\n",
	  .later = true, .cut = true },
	{ "2.25.1: rekey of the IKE SA while the peer rekeys a Child SA",
	  "|ike                rekey|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--REKEY----------------|\n"
	  "|--TEMPORARY_FAILURE---->|\n"
	  "|<--TEMPORARY_FAILURE----|\n",
	  .later = true },
	{ "2.25.1: rekey of the IKE SA while the peer closes a Child SA",
	  "|ike                close|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n"
	  "|<--TEMPORARY_FAILURE----|\n",
	  .later = true, .cut = true },
	{ "2.25.1: rekey of the IKE SA while the peer creates a Child SA",
	  "|                   close|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n"
	  "|ike               create|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--CREATE---------------|\n"
	  "|--TEMPORARY_FAILURE---->|\n"
	  "|<--TEMPORARY_FAILURE----|\n",
	  .later = true, .cut = true },
	{ "2.25.2: rekey of a Child SA while the peer rekeys the IKE SA",
	  "|ike                rekey|\n"
	  "|--REKEY_IKE--.          |\n"
	  "|<--REKEY----------------|\n"
	  "|--TEMPORARY_FAILURE---->|\n"
	  "|  '-REKEY_IKE---------->|\n"
	  "|<--IKE------------------|\n"
	  "|--DELETE_IKE----------->|\n"
	  "|<--OK-------------------|\n",
	  .later = true },
	{ "2.25.2: rekey of an IKE SA that the peer ends",
	  "|ike                  end|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|<--TEMPORARY_FAILURE----|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n"
	  "|               x--INIT--|\n",
	  .later = true, .cut = true },
	{ "2.25.2: rekey of an IKE SA that the peer has ended",
	  "|ike                  end|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n"
	  "|--REKEY_IKE------------>|\n"
	  "|               x--INIT--|\n",
	  .later = true, .cut = true },
	{ "2.25.2: deletion of an IKE SA that both end",
	  "|end                  end|\n"
	  "|--DELETE_IKE----------->|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n"
	  "|<--OK-------------------|\n"
	  "|--INIT--x               |\n"
	  "|               x--INIT--|\n",
	  .later = true, .cut = true },
	{ "2.25.2: rekey of a Child SA when the peer ends the IKE SA",
	  "|rekey                end|\n"
	  "|--REKEY---------------->|\n"
	  "|<--TEMPORARY_FAILURE----|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n"
	  "|               x--INIT--|\n",
	  .later = true, .cut = true },
	{ "2.25.2: deletion of a Child SA when the peer ends the IKE SA",
	  "|close                end|\n"
	  "|--DELETE old----------->|\n"
	  "|<--OK-------------------|\n"
	  "|<--DELETE_IKE-----------|\n"
	  "|--OK------------------->|\n"
	  "|               x--INIT--|\n",
	  .later = true, .cut = true },
	{ "two Child SAs, one by each side",
	  "|rekey              other|\n"
	  "|--REKEY---------------->|\n"
	  "|<--REKEY----------------|\n"
	  "|--CHILD---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|--DELETE old----------->|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n"
	  "|<--DELETED--------------|\n",
	  .child = 'a', .other = 'b' },
	{ "the same Child SA created by both",
	  "|                   close|\n"
	  "|<--DELETE old-----------|\n"
	  "|--DELETED-------------->|\n"
	  "|create            create|\n"
	  "|--CREATE--------------->|\n"
	  "|<--CREATE---------------|\n"
	  "|--CHILD---------------->|\n"
	  "|<--CHILD----------------|\n"
	  "|--DELETE new----------->|\n"
	  "|<--DELETED--------------|\n"
	  "|<--ASK------------------|\n"
	  "|--OK------------------->|\n",
	  .child = 'b', .lowest = 'a', .cut = true },
};

int main(int argc, char **argv)
{
	return ladder_main(ladders, sizeof(ladders) / sizeof(ladders[0]), argc,
			   argv);
}
