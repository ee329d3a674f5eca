/* The running daemon: what it holds, and its life from start to stop. */
#ifndef SIDECAR_DAEMON_H
#define SIDECAR_DAEMON_H

#include <event2/event.h>
#include <stdbool.h>

#include "policy/config.h"
#include "sidecar/control.h"
#include "sidecar/crl_watch.h"
#include "sidecar/failure.h"
#include "sidecar/links.h"
#include "sidecar/mend.h"
#include "sidecar/pair.h"
#include "sidecar/trust.h"
#include "sidecar/udp.h"
#include "sidecar/warden.h"

enum daemon_limits {
	/* between attempts at a dead plane, from the first one on twice as
	 * long each time */
	DAEMON_REVIVE_US = 200000,
	DAEMON_REVIVE_MAX_US = 10000000,
	/* a plane that dies sooner would die again */
	DAEMON_PLANE_LIVES_US = 1000000
};

struct daemon_options {
	const char *config;	/* file names */
	const char *socket;
	bool plane;		/* be the plane process instead */
	bool release;		/* at SIGTERM take guard and SAs down */
};

struct daemon {
	const struct daemon_options *options;
	struct event_base *base;
	struct policy_config *config;
	struct warden *warden;
	struct links *links;
	struct control *control;
	struct trust *trust;	/* NULL if it cannot be had */
	struct ike_crypto *crypto;
	struct crl_watch *crl_watch;
	/* one for each of config->addresses, in that order */
	struct udp *sockets[POLICY_MAX_ADDRESSES];
	struct pair *pairs;	/* uthash by struct plane_pair */
	struct mend *mend;	/* NULL if it cannot be had */
	struct event *plane_event;	/* the plane process ended */
	struct failure plane_failure;	/* to start another */
	unsigned plane_wait_us;	/* before the next attempt */
	struct ike_time plane_retry;	/* when that is; 0 while it lives */
	struct ike_time plane_since;	/* when it was last started */
	bool plane_died_young;
	int claim;		/* one daemon a network namespace */
};

/* Run until SIGTERM or SIGINT. Returns the exit status: 0, 1 (it did not
 * work), 2 (configuration). */
int daemon_run(const struct daemon_options *options);

/*
 * Read the configuration and make it so, as a difference: pairs that nothing
 * changed keep engine and SAs; where only our own side changed (certificate,
 * lifetime) the SAs carry on until new ones are there; a pair whose peer
 * changed is closed first. On any error all stays as it was. Also the first
 * reading, at start. 0, or 1 or 2 as for daemon_run().
 */
int daemon_load(struct daemon *daemon);

/* Wait for the end of the plane process, to start another. Not while the
 * configuration is applied, which may end it on purpose. */
void daemon_watch_plane(struct daemon *daemon);
void daemon_unwatch_plane(struct daemon *daemon);

#endif
