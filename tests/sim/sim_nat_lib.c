#include "tests/sim/sim.h"

static const uint16_t own[2] = { 500, 4500 };

bool sim_nat_pass(const struct sim_nat *nat, int from, uint16_t *source,
		  uint16_t *destination)
{
	if (!nat->on || *source == 0)	/* 0: bare ESP */
		return true;
	for (int i = 0; i < 2; i++) {
		if (from == SIM_INSIDE && *source == own[i]) {
			*source = nat->ports[i];
			return true;
		}
		if (from != SIM_INSIDE && *destination == nat->ports[i] &&
		    (nat->forward || nat->open[i])) {
			*destination = own[i];
			return true;
		}
	}
	return false;
}

void sim_nat_open(struct sim_nat *nat, int from, uint16_t source)
{
	for (int i = 0; i < 2; i++)
		if (from == SIM_INSIDE && source == own[i])
			nat->open[i] = true;
}
