/*
 * Exchanges that are drawn, and go as they are drawn: each line of a drawing
 * hands over one message of two engines that have been up for a while, and
 * fails the test if the next message is another one. At the end both sides
 * have what they should, traffic has flowed at every moment, nothing has
 * failed, and after a stop nothing is left.
 *
 *	|rekey      rekey|	both sides begin at once (or one)
 *	|--REKEY-------->|	arrives
 *	|  x--CHILD------|	is lost
 *	|--REKEY-----.   |	is delayed,
 *	|   '-REKEY----->|	and arrives now
 *	|<==CHILD========|	arrives twice
 *	|     500 ms     |	time passes: enough for a retransmission
 *	|--REKEY again-->|	which has the very octets of the one before
 *
 * What is begun: `rekey` of one Child SA, `other` of the second one, `ike` of
 * the IKE SA; `close` loses that Child SA from the SAD, so that it is deleted,
 * and `create` makes it anew; `end` deletes the IKE SA.
 *
 * Messages: REKEY (REKEY_SA), CREATE and REKEY_IKE ask for a Child SA in place
 * of one, for one more and for an IKE SA; CHILD and IKE give it, a notify's
 * name refuses it; DELETE is of the Child SA from before or of a new one,
 * DELETED answers it and names an SPI; DELETE_IKE, ASK (empty) and OK (empty)
 * speak for themselves, and INIT is an IKE_SA_INIT request. A message that
 * travels in another IKE SA than the first is "on new".
 */
#ifndef TESTS_SIM_LADDER_H
#define TESTS_SIM_LADDER_H

#include <stdbool.h>
#include <stddef.h>

struct ladder {
	const char *name;
	const char *drawing;
	/* whose new one is used in the end: 'a', 'b'; 0: that of before */
	char child, other, ike;
	/* both have made one: whose has the lowest of the four nonces, and so
	 * goes (RFC 7296 2.8.1, 2.8.2). It is that side's own nonce, and in
	 * another run its peer's. 0: there are no two */
	char lowest;
	/* what was refused is tried again afterwards, and nobody says who
	 * will have made what by then */
	bool later;
	/* something is deleted that has no successor yet */
	bool cut;
};

/* Each drawing is a test of its own, twice: a is the initiator of the IKE SA,
 * and b is. Arguments as in sim_arguments(). Returns main()'s. */
int ladder_main(const struct ladder *ladders, size_t count, int argc,
		char **argv);

#endif
