/*
 * The CRL files of the configuration in force, watched: a changed one is read
 * again and held against the SAs of its peer, within a moment of the change
 * where inotify(7) sees it (in the folder that the configuration names), and
 * within CRL_WATCH_S elsewhere (behind symbolic links, on network file
 * systems). When the clock was set, all that ends by it is judged anew within
 * CRL_WATCH_S. What is about to expire is told in the log once a day.
 */
#ifndef SIDECAR_CRL_WATCH_H
#define SIDECAR_CRL_WATCH_H

struct daemon;
struct crl_watch;

enum crl_watch_limits {
	CRL_WATCH_S = 60,
	CRL_WATCH_TELL_S = 86400
};

/* Begin, or begin again, with daemon->config; what changed since that was read
 * is read now. Failure is logged: the files are then looked at by time only, or
 * at SIGHUP only. */
void crl_watch_start(struct daemon *daemon);
/* NULL is legal. */
void crl_watch_stop(struct crl_watch *watch);

#endif
