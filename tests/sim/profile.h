/* The algorithms of a profile, as an engine without more in its configuration
 * has them. */
#ifndef TESTS_SIM_PROFILE_H
#define TESTS_SIM_PROFILE_H

#include <stdlib.h>

#include "ike/algorithms.h"

static inline const struct algorithms *profile(enum ike_profile which)
{
	static struct algorithms all[IKE_PROFILES];
	const struct ike_config config = { .profile = which };

	if (all[which].count == 0 && !algorithms_of(&config, &all[which]))
		abort();
	return &all[which];
}

#endif
