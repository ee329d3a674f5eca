/*
 * The two planes side by side, and which of them carries a pair: what the
 * peer's section says (`plane = auto | kernel | user`), by what the machine
 * has.
 */
#ifndef SIDECAR_CARRIER_H
#define SIDECAR_CARRIER_H

#include "policy/config.h"
#include "sidecar/plane.h"

enum carrier_kind {
	CARRIER_KERNEL,
	CARRIER_USER,
	CARRIERS
};

struct carrier {
	const struct plane_ops *ops;	/* NULL: there is no such plane */
	struct plane *plane;		/* NULL: not open */
	int err;			/* of the probe */
	const char *why;		/* sentence, if that failed */
};

/* Probe; opens nothing. */
void carrier_probe(const struct plane_ops *ops, struct carrier *ret_carrier);

/* The plane for a peer that wants `wanted`: 0, or the -errno of the plane's
 * probe. *ret_why, a static sentence, says why this one or why not. */
int carrier_choose(const struct carrier carriers[CARRIERS],
		   enum policy_plane wanted, enum carrier_kind *ret_kind,
		   const char **ret_why);

#endif
