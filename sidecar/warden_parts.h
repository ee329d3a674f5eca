/* What the warden is made of, for its own two files: warden.c, and
 * warden_apply.c for what changes with the configuration. */
#ifndef SIDECAR_WARDEN_PARTS_H
#define SIDECAR_WARDEN_PARTS_H

#include "sidecar/warden.h"

struct warden {
	struct carrier carriers[CARRIERS];
	struct guard *guard;
	const struct policy_config *config;	/* NULL before the first apply */
};

/* The plane of a pair by this configuration; NULL if it has none: the pair is
 * not required, or the plane that it wants is not to be had. */
const struct carrier *warden_carrier(const struct warden *warden,
				     const struct policy_config *config,
				     const struct plane_pair *pair);

/* Remove one SA from one plane, and its SPI from the classifier. */
int warden_remove_from(struct warden *warden, const struct carrier *carrier,
		       const struct plane_pair *pair, bool inbound,
		       uint32_t spi);

#endif
