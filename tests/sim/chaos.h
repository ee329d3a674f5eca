/* One seed: a pair comes up, things happen to it at random moments over a
 * random network, the network gets well, and the pair must be well too; then
 * it is stopped, and nothing may be left. */
#ifndef TESTS_SIM_CHAOS_H
#define TESTS_SIM_CHAOS_H

#include "tests/sim/sim.h"

/* First thing in main(). */
void chaos_open(void);

/* Rekeying, reauthentication, a bad or silent network: traffic that flows must
 * flow at every moment. */
void chaos_steady(uint64_t seed);

/* Also stops, restarts, Child SAs that the plane refuses or loses, a peer that
 * is not authorized for a while. */
void chaos_upheaval(uint64_t seed);

#endif
