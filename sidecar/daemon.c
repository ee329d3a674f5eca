#include "sidecar/daemon.h"

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bpf/guard.h"
#include "sidecar/claim.h"
#include "sidecar/log.h"
#include "sidecar/notify.h"
#include "sidecar/sad_list.h"
#include "sidecar/status.h"

/* ------------------------------------------------------------------ links */

static void on_link(void *ctx, unsigned ifindex, const char *name, bool present)
{
	struct daemon *daemon = ctx;
	int err;

	if (!present)
		return;
	err = warden_attach(daemon->warden, ifindex);
	if (guard_is_preceded(ifindex))
		log_warning(NULL, "interface %s has another program's tcx filters, which come before the classifier: what they accept it does not see, and the SPD alone keeps pairs closed there (see `bpftool net show dev %s`)",
			    name, name);
	if (!err || err == -ENODEV)
		return;	/* done, or the interface is gone again */
	/* The SPD entries still keep the pairs closed there. */
	log_error(NULL, "cannot attach the classifier to interface %s: %s%s",
		  name, strerror(-err),
		  err == -EEXIST ? " (another program's filter or qdisc is in the way: see `tc qdisc show` and `tc filter show`); tried again when it is gone, or by SIGHUP" : "");
}

static void on_links_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;
	int err = links_read(daemon->links);

	(void)fd;
	(void)what;
	if (err)
		log_error(NULL, "cannot read link changes: %s", strerror(-err));
}

/* ---------------------------------------------------------------- signals */

static void on_stop(evutil_socket_t signal, short what, void *ctx)
{
	struct daemon *daemon = ctx;

	(void)signal;
	(void)what;
	event_base_loopbreak(daemon->base);
}

static int watch(struct daemon *daemon, evutil_socket_t fd, short what,
		 event_callback_fn callback, struct event **ret_event)
{
	const struct timeval period = { .tv_sec = SAS_EXPIRY_S };
	struct event *event = event_new(daemon->base, fd, what | EV_PERSIST,
					callback, daemon);

	/* with nothing to watch it is a timer */
	if (!event || event_add(event, fd < 0 ? &period : NULL) < 0) {
		if (event)
			event_free(event);
		return -ENOMEM;
	}
	*ret_event = event;
	return 0;
}

/* ------------------------------------------------------------------ planes */

/* What is in the way may stay there for long. */
static void note_dead(struct daemon *daemon, const char *reason,
		      const char *why)
{
	const unsigned twice = 2 * daemon->plane_wait_us;

	daemon->plane_wait_us = twice < DAEMON_REVIVE_MAX_US ?
		twice : DAEMON_REVIVE_MAX_US;
	daemon->plane_retry = (struct ike_time){
		pair_now().us + daemon->plane_wait_us };
	if (failure_note(&daemon->plane_failure, time(NULL), reason, why))
		log_error(NULL, "the plane process is dead, and does not start again: %s; tried again at least every %d s",
			  why, DAEMON_REVIVE_MAX_US / 1000000);
}

static void revive(struct daemon *daemon)
{
	char why[WARDEN_WHY_SIZE];
	struct sad_list *list = NULL;
	struct pair *pair, *next;
	int err;

	if (warden_revive(daemon->warden, why) < 0) {
		note_dead(daemon, "plane_dead", why);
		return;
	}
	daemon->plane_retry.us = 0;
	if (!daemon->plane_died_young) {
		failure_clear(&daemon->plane_failure);
		daemon->plane_wait_us = DAEMON_REVIVE_US;
	}
	log_warning(NULL, "the plane process had ended: started again");
	/* its SAs are gone: fresh engines negotiate fresh ones. Without a list
	 * of what is left each pair makes its own. */
	(void)sad_list_read(daemon->warden, &list);
	HASH_ITER(hh, daemon->pairs, pair, next) {
		if (!warden_is_mortal(daemon->warden, &pair->id))
			continue;
		err = pair_rebase(pair, pair->config, pair->peer, true, list);
		if (err)
			log_error(pair->peer->name, "cannot make the pair anew: %s",
				  strerror(-err));
		else if (!pair->down)
			pair_up(pair);
	}
	sad_list_free(list);
	daemon->plane_since = pair_now();
}

static void on_plane_death(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;
	const bool died = what & EV_READ;	/* else the pause is over */

	(void)fd;
	daemon_unwatch_plane(daemon);
	if (died)
		daemon->plane_died_young = daemon->plane_since.us > 0 &&
			pair_now().us - daemon->plane_since.us <
				DAEMON_PLANE_LIVES_US;
	if (died && daemon->plane_died_young) {
		note_dead(daemon, "plane_dies_young", "it ends at once");
	} else {
		mend_note(daemon->mend);
		revive(daemon);
		mend_done(daemon->mend);
	}
	daemon_watch_plane(daemon);
}

void daemon_unwatch_plane(struct daemon *daemon)
{
	if (daemon->plane_event)
		event_free(daemon->plane_event);
	daemon->plane_event = NULL;
}

void daemon_watch_plane(struct daemon *daemon)
{
	const uint64_t now = pair_now().us, retry = daemon->plane_retry.us;
	const uint64_t left = retry > now ? retry - now : 0;
	const struct timeval wait = {
		.tv_sec = (time_t)(left / 1000000),
		.tv_usec = (suseconds_t)(left % 1000000)
	};
	/* Where a plane should be and is none, the timer tries again. */
	const int fd = retry ? -1 : warden_descriptor(daemon->warden);

	if (fd < 0 && !retry)
		return;
	daemon->plane_event = event_new(daemon->base, fd, retry ? 0 : EV_READ,
					on_plane_death, daemon);
	if (!daemon->plane_event ||
	    event_add(daemon->plane_event, retry ? &wait : NULL) < 0)
		log_error(NULL, "cannot watch the plane process");
}

static void on_reload(evutil_socket_t signal, short what, void *ctx)
{
	struct daemon *daemon = ctx;

	(void)signal;
	(void)what;
	mend_note(daemon->mend);
	log_info(NULL, "reloading the configuration");
	/* whoever asks for it has perhaps put right what was in the way */
	if (daemon->plane_retry.us) {
		daemon_unwatch_plane(daemon);
		revive(daemon);
		daemon_watch_plane(daemon);
	}
	if (daemon_load(daemon) != 0)
		log_error(NULL, "the configuration in force stays as it was");
	/* filters that somebody took away come back */
	links_dump(daemon->links);
	mend_done(daemon->mend);
}

/* ----------------------------------------------------------------- orphans */

static bool has_orphans(const struct daemon *daemon)
{
	const struct pair *pair, *next;

	HASH_ITER(hh, daemon->pairs, pair, next)
		if (pair->sas.orphans_count > 0)
			return true;
	return false;
}

/* An engine knows when its SAs end; of those of an earlier daemon only the SAD
 * does. */
static void on_expiry(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;
	struct pair *pair, *next;
	struct sad_list *list;
	int err;

	(void)fd;
	(void)what;
	if (!has_orphans(daemon))
		return;
	err = sad_list_read(daemon->warden, &list);
	if (err) {
		log_error(NULL, "cannot list the SAs: %s", strerror(-err));
		return;
	}
	HASH_ITER(hh, daemon->pairs, pair, next)
		pair_expire(pair, list);
	sad_list_free(list);
}

/* ------------------------------------------------------------ start, stop */

static int open_control(struct daemon *daemon)
{
	int err = control_open(daemon->base, daemon->options->socket,
			       status_answer, daemon, &daemon->control);

	if (err == -EADDRINUSE)
		log_error(NULL, "another bgpwardd runs on %s: stop it first",
			  daemon->options->socket);
	else if (err == -ENOTSOCK)
		log_error(NULL, "cannot listen on %s: what is there is no socket: name another path with -s, or move it away",
			  daemon->options->socket);
	else if (err)
		log_error(NULL, "cannot listen on %s: %s",
			  daemon->options->socket, strerror(-err));
	return err;
}

static int claim_namespace(struct daemon *daemon)
{
	int err = claim_take(&daemon->claim);

	if (err == -EADDRINUSE)
		log_error(NULL, "another bgpwardd runs in this network namespace: stop it first (it has UDP port 179 of 127.0.0.1)");
	else if (err)
		log_error(NULL, "cannot claim the network namespace: %s",
			  strerror(-err));
	return err;
}

/* A guard that stands is worth more than a session that goes on. */
static void open_trust(struct daemon *daemon)
{
	int err = trust_open(daemon->options->socket, &daemon->trust);

	if (err)
		log_error(NULL, "cannot use folder %s.trust: %s%s; SAs of an earlier daemon are removed, and the next one will remove those of this one",
			  daemon->options->socket, strerror(-err),
			  err == -EPERM ? " (expected one of our own, mode 0700)" : "");
}

static int open_links(struct daemon *daemon)
{
	int err = links_open(&daemon->links, on_link, daemon);

	if (!err)
		err = links_dump(daemon->links);
	if (err)
		log_error(NULL, "cannot list the interfaces: %s",
			  strerror(-err));
	return err;
}

/* The order is the law "guard first": policies and classifier stand before
 * the service manager is told that BGP may start. */
static int start(struct daemon *daemon)
{
	char why[WARDEN_WHY_SIZE];
	int status;

	if (claim_namespace(daemon) < 0 || open_control(daemon) < 0)
		return 1;
	if (warden_open(&plane_xfrm, &plane_user, &daemon->warden,
			why) < 0) {
		log_error(NULL, "%s", why);
		return 1;
	}
	open_trust(daemon);
	daemon->crypto = ike_crypto_new();
	if (!daemon->crypto)	/* no pair can be made; the guard can */
		log_error(NULL, "OpenSSL gives no HMAC, SHA-1 or SHA-2: correct its configuration (openssl.cnf)");
	status = daemon_load(daemon);
	if (status)
		return status;
	if (open_links(daemon) < 0)
		return 1;
	mend_start(daemon);
	notify_service_manager("READY=1");
	log_info(NULL, "the guard stands");
	return 0;
}

static void start_pairs(struct daemon *daemon)
{
	struct pair *pair, *next;

	HASH_ITER(hh, daemon->pairs, pair, next)
		pair_up(pair);
}

static void release(struct daemon *daemon)
{
	struct if_nameindex *links = if_nameindex();
	struct pair *pair, *next;
	int err;

	HASH_ITER(hh, daemon->pairs, pair, next)
		pair_release(pair, "released (--release)");
	for (size_t i = 0; links && links[i].if_index; i++)
		guard_detach(links[i].if_index);
	if_freenameindex(links);
	err = warden_release(daemon->warden);
	if (err)
		log_error(NULL, "cannot remove all SPD entries and SAs: %s",
			  strerror(-err));
	else
		log_warning(NULL, "released: BGP is no longer protected");
}

static void stop(struct daemon *daemon)
{
	struct pair *pair, *next;

	HASH_ITER(hh, daemon->pairs, pair, next) {
		HASH_DEL(daemon->pairs, pair);
		pair_free(pair);
	}
	for (size_t i = 0; i < POLICY_MAX_ADDRESSES; i++)
		udp_close(daemon->sockets[i]);
	daemon_unwatch_plane(daemon);
	if (daemon->claim >= 0)
		close(daemon->claim);
	links_close(daemon->links);
	control_close(daemon->control);
	trust_close(daemon->trust);
	crl_watch_stop(daemon->crl_watch);
	mend_stop(daemon->mend);
	warden_close(daemon->warden);
	ike_crypto_free(daemon->crypto);
	policy_config_free(daemon->config);
}

static int run(struct daemon *daemon)
{
	struct event *events[5] = { NULL };
	int status = 0, err;

	/* Before the service manager is told that we are ready: it may answer
	 * with a signal at once, which then waits for the loop. */
	err = watch(daemon, SIGTERM, EV_SIGNAL, on_stop, &events[0]);
	if (!err)
		err = watch(daemon, SIGINT, EV_SIGNAL, on_stop, &events[1]);
	if (!err)
		err = watch(daemon, SIGHUP, EV_SIGNAL, on_reload, &events[2]);
	if (!err)
		status = start(daemon);
	if (!err && status)
		err = -ECANCELED;
	if (!err)
		err = watch(daemon, links_fd(daemon->links), EV_READ,
			    on_links_readable, &events[3]);
	if (!err)
		err = watch(daemon, -1, 0, on_expiry, &events[4]);
	if (!err) {
		start_pairs(daemon);
		event_base_dispatch(daemon->base);
		notify_service_manager("STOPPING=1");
		if (daemon->options->release)
			release(daemon);
	}
	for (size_t i = 0; i < 5; i++)
		if (events[i])
			event_free(events[i]);
	return status ? status : err ? 1 : 0;
}

int daemon_run(const struct daemon_options *options)
{
	struct daemon daemon = { .options = options, .claim = -1,
				 .plane_wait_us = DAEMON_REVIVE_US };
	int status;

	signal(SIGPIPE, SIG_IGN);
	daemon.base = event_base_new();
	if (!daemon.base) {
		log_error(NULL, "cannot make an event loop");
		return 1;
	}
	status = run(&daemon);
	stop(&daemon);
	event_base_free(daemon.base);
	return status;
}
