#include "sidecar/crl_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "sidecar/daemon.h"
#include "sidecar/log.h"
#include "sidecar/wall_clock.h"
#include "sidecar/warnings.h"

enum {
	/* Not IN_CREATE: the content is not there yet. */
	EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
		 IN_ATTRIB | IN_ONLYDIR,
	EVENTS_SIZE = 16 * (sizeof(struct inotify_event) + NAME_MAX + 1)
};

struct crl_watch {
	struct daemon *daemon;
	int fd;			/* inotify */
	struct event *event, *timer;
	struct wall_clock clock;
	time_t told;
};

/* ---------------------------------------------------------------- reading */

/* What the log says when `fault` has become this. */
static void tell_file(const struct policy_peer *peer,
		      const struct policy_crl_file *file)
{
	if (file->fault[0] == '\0')
		log_info(peer->name, "CRL file %s read", file->path);
	else
		log_warning(peer->name, "%s%s", file->fault, file->crls ?
			    "; what it held before stays in force" : "");
}

static void judge_pairs(struct daemon *daemon, const struct policy_peer *peer)
{
	struct pair *pair, *next;

	HASH_ITER(hh, daemon->pairs, pair, next)
		if (pair->peer == peer)
			pair_judge(pair);
}

/* File number `i` of a peer may have changed; certainly so if `always`. */
static void look(struct daemon *daemon, const struct policy_peer *peer,
		 size_t i, bool always)
{
	if (!policy_crls_read(peer->crls, peer->anchors, i, always))
		return;
	tell_file(peer, &peer->crls->files[i]);
	judge_pairs(daemon, peer);
}

static void look_at_all(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->config->peers_count; i++) {
		const struct policy_peer *peer = &daemon->config->peers[i];

		for (size_t j = 0; peer->crls && j < peer->crls->count; j++)
			look(daemon, peer, j, false);
	}
}

/* The engines were told how long a proof lasts by the clock of that time. No
 * rule has changed: SAs without a proof stay. */
static void judge_anew(struct daemon *daemon)
{
	struct pair *pair, *next;

	log_warning(NULL, "the clock was set: certificates and CRLs are held against it anew");
	HASH_ITER(hh, daemon->pairs, pair, next)
		if (pair->ike && pair_rebase(pair, pair->config, pair->peer,
					     false, NULL) < 0)
			log_error(pair->peer->name, "cannot judge the pair anew");
}

/* ---------------------------------------------------------------- inotify */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The folder's watch; the same one whoever asks. -1 if it cannot be. */
static int watch_folder(int fd, const char *path)
{
	char folder[PATH_MAX];
	const size_t len = (size_t)(base_name(path) - path);

	if (len >= sizeof(folder))
		return -1;
	memcpy(folder, path, len);
	memcpy(folder + len, len == 0 ? "." : "", len == 0 ? 2 : 1);
	return inotify_add_watch(fd, folder, EVENTS);
}

/* Watch again those folders that were not there. False: inotify has no more
 * room. */
static bool watch_folders(struct crl_watch *watch)
{
	const struct policy_config *config = watch->daemon->config;
	bool room = true;

	for (size_t i = 0; i < config->peers_count; i++) {
		const struct policy_crls *crls = config->peers[i].crls;

		for (size_t j = 0; crls && j < crls->count; j++)
			if (watch_folder(watch->fd, crls->files[j].path) < 0 &&
			    (errno == ENOSPC || errno == ENOMEM))
				room = false;
	}
	return room;
}

static void on_name(struct crl_watch *watch, const struct inotify_event *event)
{
	const struct policy_config *config = watch->daemon->config;

	for (size_t i = 0; i < config->peers_count; i++) {
		const struct policy_peer *peer = &config->peers[i];

		for (size_t j = 0; peer->crls && j < peer->crls->count; j++) {
			const char *path = peer->crls->files[j].path;

			if (strcmp(base_name(path), event->name) == 0 &&
			    watch_folder(watch->fd, path) == event->wd)
				look(watch->daemon, peer, j, true);
		}
	}
}

static void on_events(evutil_socket_t fd, short what, void *ctx)
{
	struct crl_watch *watch = ctx;
	char buffer[EVENTS_SIZE]
		__attribute__((aligned(_Alignof(struct inotify_event))));
	const struct inotify_event *event;
	const ssize_t len = read(fd, buffer, sizeof(buffer));

	(void)what;
	for (ssize_t at = 0; at < len;
	     at += (ssize_t)(sizeof(*event) + event->len)) {
		event = (const void *)(buffer + at);
		if (event->len > 0)
			on_name(watch, event);
		else	/* too much happened, or a folder is gone */
			look_at_all(watch->daemon);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct crl_watch *watch = ctx;
	const time_t now = time(NULL);

	(void)fd;
	(void)what;
	(void)watch_folders(watch);
	look_at_all(watch->daemon);
	if (wall_clock_stepped_now(&watch->clock)) {
		judge_anew(watch->daemon);
		watch->told = now;
	}
	if (now - watch->told < CRL_WATCH_TELL_S)
		return;
	watch->told = now;
	warnings_log(watch->daemon);
}

/* ------------------------------------------------------------ start, stop */

static int open_events(struct crl_watch *watch, struct event_base *base)
{
	const struct timeval period = { .tv_sec = CRL_WATCH_S };

	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	watch->timer = event_new(base, -1, EV_PERSIST, on_timer, watch);
	if (!watch->timer || event_add(watch->timer, &period) < 0)
		return -ENOMEM;
	if (watch->fd < 0)
		return -errno;
	watch->event = event_new(base, watch->fd, EV_READ | EV_PERSIST,
				 on_events, watch);
	if (!watch->event || event_add(watch->event, NULL) < 0)
		return -ENOMEM;
	return watch_folders(watch) ? 0 : -ENOSPC;
}

void crl_watch_start(struct daemon *daemon)
{
	struct crl_watch *watch = calloc(1, sizeof(*watch));
	int err = -ENOMEM;

	crl_watch_stop(daemon->crl_watch);
	daemon->crl_watch = watch;
	if (watch) {
		watch->daemon = daemon;
		watch->told = time(NULL);
		wall_clock_stepped_now(&watch->clock);
		err = open_events(watch, daemon->base);
	}
	if (err)
		log_error(NULL, "cannot watch the CRL files for changes: %s; they are read at most every %d s",
			  strerror(-err), CRL_WATCH_S);
	look_at_all(daemon);
}

void crl_watch_stop(struct crl_watch *watch)
{
	if (!watch)
		return;
	if (watch->event)
		event_free(watch->event);
	if (watch->timer)
		event_free(watch->timer);
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch);
}
