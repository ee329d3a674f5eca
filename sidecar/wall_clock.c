#include "sidecar/wall_clock.h"

/* Two clocks that are read in whole seconds differ by one more or less. */
bool wall_clock_stepped(struct wall_clock *clock, time_t wall,
			time_t since_boot)
{
	const time_t ahead = wall - since_boot;
	const time_t moved = ahead > clock->ahead ? ahead - clock->ahead :
						    clock->ahead - ahead;

	if (moved <= WALL_CLOCK_STEP_S)
		return false;
	clock->ahead = ahead;
	return true;
}

bool wall_clock_stepped_now(struct wall_clock *clock)
{
	struct timespec since_boot;

	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	return wall_clock_stepped(clock, time(NULL), since_boot.tv_sec);
}
