/* The wall clock, which can be set: by NTP after a boot with a wrong one, or
 * by hand. Certificates end by it, and timers run by one that nobody sets. */
#ifndef SIDECAR_WALL_CLOCK_H
#define SIDECAR_WALL_CLOCK_H

#include <stdbool.h>
#include <time.h>

enum wall_clock_limits {
	WALL_CLOCK_STEP_S = 2	/* more than this is no drift */
};

struct wall_clock {
	time_t ahead;		/* s, of the clock since boot, at the last step */
};

/* Has it been set since the last time that this said so? The clocks are
 * CLOCK_REALTIME and CLOCK_BOOTTIME. */
bool wall_clock_stepped(struct wall_clock *clock, time_t wall,
			time_t since_boot);

/* The same, with the machine's clocks. */
bool wall_clock_stepped_now(struct wall_clock *clock);

#endif
