#include "sidecar/mend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sidecar/daemon.h"
#include "sidecar/log.h"
#include "sidecar/losses.h"

struct mend {
	struct daemon *daemon;
	struct losses *losses;
	struct event *route, *xfrm, *timer;
	bool unsure;		/* what is to be mended may be our own doing */
};

/* ---------------------------------------------------------------- the SAs */

static size_t count_sas(const struct sad_list *list, const struct pair *pair)
{
	const struct sad_list_sa *sa = sad_list_of(list, &pair->id);
	size_t count = 0;

	for (; sa; sa = sa->next)
		count++;
	return count;
}

/* Fresh engines take over what is left, and begin anew. */
void mend_sas(struct daemon *daemon, const char *what)
{
	struct pair *pair, *next;
	struct sad_list *list;
	int err = sad_list_read(daemon->warden, &list);

	if (err) {
		log_error(NULL, "cannot list the SAs: %s", strerror(-err));
		return;
	}
	HASH_ITER(hh, daemon->pairs, pair, next) {
		/* those of a plane that is dead are its revival's business */
		if (count_sas(list, pair) >= sas_count(&pair->sas) ||
		    (daemon->plane_retry.us &&
		     warden_is_mortal(daemon->warden, &pair->id)))
			continue;
		log_warning(pair->peer->name, "%s: negotiating fresh ones",
			    what);
		if (pair_rebase(pair, pair->config, pair->peer, true, list) < 0)
			log_error(pair->peer->name, "cannot make the pair anew");
		else if (!pair->down)
			pair_up(pair);
	}
	sad_list_free(list);
}

/* -------------------------------------------------------------------- mend */

static void put_right(struct daemon *daemon)
{
	char why[WARDEN_WHY_SIZE];
	int err;

	daemon_unwatch_plane(daemon);
	err = warden_apply(daemon->warden, daemon->config, why);
	daemon_watch_plane(daemon);
	if (err)
		log_error(NULL, "%s", why);
	err = links_dump(daemon->links);
	if (err)
		log_error(NULL, "cannot list the interfaces: %s",
			  strerror(-err));
	mend_sas(daemon, "SAs were removed by another program");
}

static void mend_soon(struct mend *self, bool unsure)
{
	const struct timeval wait = { .tv_usec = MEND_WAIT_US };
	const bool pending = evtimer_pending(self->timer, NULL);

	self->unsure = unsure && (self->unsure || !pending);
	if (!pending)
		event_add(self->timer, &wait);
}

/* A look to be sure is the last one, whatever is told meanwhile. */
static void mend(evutil_socket_t fd, short what, void *ctx)
{
	struct mend *self = ctx;
	const bool unsure = self->unsure;
	enum loss loss;

	(void)fd;
	(void)what;
	losses_read(self->losses);
	if (!unsure)
		log_warning(NULL, "SPD entries, SAs, filters or routing of ours were changed by another program: putting them right");
	put_right(self->daemon);
	loss = losses_read(self->losses);
	if (loss == LOSS_BY_OTHERS || (loss == LOSS_POSSIBLE && !unsure))
		mend_soon(self, loss == LOSS_POSSIBLE);
}

void mend_note(struct mend *self)
{
	if (self && losses_read(self->losses) != LOSS_NONE)
		mend_soon(self, false);
}

void mend_done(struct mend *self)
{
	enum loss loss = self ? losses_read(self->losses) : LOSS_NONE;

	if (loss != LOSS_NONE)
		mend_soon(self, loss == LOSS_POSSIBLE);
}

static void on_change(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	mend_note(ctx);
}

/* ------------------------------------------------------------- start, stop */

static struct event *watch(struct mend *self, int fd)
{
	struct event *event = event_new(self->daemon->base, fd,
					EV_READ | EV_PERSIST, on_change, self);

	if (event)
		event_add(event, NULL);
	return event;
}

void mend_start(struct daemon *daemon)
{
	struct mend *self = calloc(1, sizeof(*self));
	int err = -ENOMEM;

	if (self) {
		self->daemon = daemon;
		err = losses_open(&self->losses);
	}
	if (!err) {
		self->timer = evtimer_new(daemon->base, mend, self);
		self->route = watch(self, losses_route_fd(self->losses));
		self->xfrm = watch(self, losses_xfrm_fd(self->losses));
		if (!self->timer || !self->route || !self->xfrm)
			err = -ENOMEM;
	}
	if (err) {
		mend_stop(self);
		log_error(NULL, "cannot watch for what other programs remove: %s; SIGHUP puts it back",
			  strerror(-err));
		return;
	}
	daemon->mend = self;
}

void mend_stop(struct mend *self)
{
	if (!self)
		return;
	if (self->timer)
		event_free(self->timer);
	if (self->route)
		event_free(self->route);
	if (self->xfrm)
		event_free(self->xfrm);
	losses_close(self->losses);
	free(self);
}
