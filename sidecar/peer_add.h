/* Adding a neighbour: its anchor beside the configuration, its section in it.
 * All of it or nothing. */
#ifndef SIDECAR_PEER_ADD_H
#define SIDECAR_PEER_ADD_H

#include "sidecar/cli_make.h"

/*
 * Add `peer NAME` with the AS number and the addresses of `router` to
 * router->dir/bgpward.conf, and the CA in the file `trust`, which must hold
 * them, as peers/NAME.crt. Says what it did or why not. Returns the exit
 * status: 0, 1 (the system refused) or 2 (the arguments or the configuration
 * are wrong).
 */
int peer_add(const struct cli_router *router, const char *name,
	     const char *trust);

#endif
