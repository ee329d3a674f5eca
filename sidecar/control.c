#include "sidecar/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct control {
	struct event_base *base;
	struct evconnlistener *listener;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int lock;
	struct bufferevent *clients[CONTROL_MAX_CLIENTS];	/* or NULL */
	json_t *(*answer)(void *ctx, const json_t *request);
	void *ctx;
};

static bool socket_address(const char *path, struct sockaddr_un *ret_address)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return false;
	strcpy(address.sun_path, path);
	*ret_address = address;
	return true;
}

/* ---------------------------------------------------------------- clients */

/* The place of a client, or (NULL) a free one; NULL if there is none. */
static struct bufferevent **place_of(struct control *control,
				     const struct bufferevent *client)
{
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (control->clients[i] == client)
			return &control->clients[i];
	return NULL;
}

static void drop_client(struct bufferevent *client, struct control *control)
{
	*place_of(control, client) = NULL;
	bufferevent_free(client);
}

static void on_event(struct bufferevent *client, short what, void *ctx)
{
	(void)what;	/* end of file, error, time-out: all the same */
	drop_client(client, ctx);
}

static json_t *refusal(const char *error)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", error);
}

static json_t *answer_line(struct control *control, const char *line,
			   size_t len)
{
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *reply;

	if (json_is_object(request))
		reply = control->answer(control->ctx, request);
	else
		reply = refusal("expected one JSON object a line");
	json_decref(request);
	return reply;
}

static void on_readable(struct bufferevent *client, void *ctx)
{
	struct control *control = ctx;
	struct evbuffer *input = bufferevent_get_input(client);
	char *line, *text;
	size_t len;

	while ((line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF))) {
		json_t *reply = answer_line(control, line, len);

		text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
		if (text)
			evbuffer_add_printf(bufferevent_get_output(client),
					    "%s\n", text);
		free(text);
		json_decref(reply);
		free(line);
	}
	/* a line without end, or a client that asks and does not read */
	if (evbuffer_get_length(input) >= CONTROL_MAX_REQUEST ||
	    evbuffer_get_length(bufferevent_get_output(client)) >
		    CONTROL_MAX_BACKLOG)
		drop_client(client, control);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd,
			  struct sockaddr *address, int len, void *ctx)
{
	const struct timeval timeout = { .tv_sec = CONTROL_TIMEOUT_S };
	struct control *control = ctx;
	struct bufferevent **place = place_of(control, NULL);
	struct bufferevent *client = NULL;

	(void)listener;
	(void)address;
	(void)len;
	if (place)
		client = bufferevent_socket_new(control->base, fd,
						BEV_OPT_CLOSE_ON_FREE);
	if (!client) {
		close(fd);
		return;
	}
	*place = client;
	bufferevent_setwatermark(client, EV_READ, 0, CONTROL_MAX_REQUEST);
	bufferevent_setcb(client, on_readable, NULL, on_event, control);
	bufferevent_set_timeouts(client, &timeout, &timeout);
	bufferevent_enable(client, EV_READ | EV_WRITE);
}

/* ------------------------------------------------------------------- open */

/* The folder of the socket, one level; systemd makes it by itself. */
static int make_folder(const char *path)
{
	char folder[sizeof(((struct control *)NULL)->path)];
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	return mkdir(folder, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* What is there at a start may be the socket of a dead daemon, and nothing
 * else: it is going to be removed. */
static int check_place(const char *path)
{
	struct stat there;

	if (lstat(path, &there) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return S_ISSOCK(there.st_mode) ? 0 : -ENOTSOCK;
}

/* Who holds the lock file is the daemon; the lock goes with its process. */
static int take_lock(struct control *control)
{
	char path[sizeof(control->path) + sizeof(".lock")];

	snprintf(path, sizeof(path), "%s.lock", control->path);
	control->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			     0600);
	if (control->lock < 0)
		return -errno;
	if (flock(control->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	return 0;
}

static int listen_on(struct control *control)
{
	struct sockaddr_un address;
	mode_t mask;

	if (!socket_address(control->path, &address))
		return -ENAMETOOLONG;
	unlink(control->path);	/* a stale socket: we hold the lock */
	mask = umask(0177);
	control->listener = evconnlistener_new_bind(
		control->base, on_connection, control,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 8,
		(struct sockaddr *)&address, sizeof(address));
	umask(mask);
	return control->listener ? 0 : -errno;
}

int control_open(struct event_base *base, const char *path,
		 json_t *(*answer)(void *ctx, const json_t *request), void *ctx,
		 struct control **ret_control)
{
	struct control *control;
	int err;

	if (strlen(path) >= sizeof(control->path))
		return -ENAMETOOLONG;
	control = calloc(1, sizeof(*control));
	if (!control)
		return -ENOMEM;
	control->base = base;
	control->lock = -1;
	control->answer = answer;
	control->ctx = ctx;
	strcpy(control->path, path);
	err = check_place(path);
	if (!err)
		err = make_folder(path);
	if (!err)
		err = take_lock(control);
	if (!err)
		err = listen_on(control);
	if (err) {
		control_close(control);
		return err;
	}
	*ret_control = control;
	return 0;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (control->clients[i])
			bufferevent_free(control->clients[i]);
	if (control->listener) {
		evconnlistener_free(control->listener);
		unlink(control->path);
	}
	if (control->lock >= 0)
		close(control->lock);
	free(control);
}

/* --------------------------------------------------------------- asking it */

/* A daemon that is stuck must not hold up who asks it. */
static bool set_patience(int fd)
{
	const struct timeval patience = { .tv_sec = CONTROL_PATIENCE_S };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			  sizeof(patience)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			  sizeof(patience)) == 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address;
	int fd, err;

	if (!socket_address(path, &address))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (set_patience(fd) &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* One line there and one back: 0, -EAGAIN after a time-out, or another
 * -errno. */
static int exchange(FILE *stream, const json_t *request, json_t **ret_reply)
{
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	errno = 0;
	if (json_dumpf(request, stream, JSON_COMPACT) != 0 ||
	    fputc('\n', stream) == EOF || fflush(stream) != 0 ||
	    getline(&line, &size, stream) < 0)
		err = errno ? -errno : -ECONNRESET;
	else
		*ret_reply = json_loads(line, 0, NULL);
	free(line);
	return err || *ret_reply ? err : -EPROTO;
}

static void say_why(const char *path, int err, char *ret_why, size_t why_size)
{
	if (err == -EAGAIN)
		snprintf(ret_why, why_size,
			 "the daemon at %s gave no answer within %d seconds: try again, and if it hangs, see its log and restart bgpwardd (BGP goes on meanwhile)",
			 path, CONTROL_PATIENCE_S);
	else
		snprintf(ret_why, why_size,
			 "the daemon at %s gave no answer: %s; has it just ended?",
			 path, strerror(-err));
}

json_t *control_ask(const char *path, const json_t *request, char *ret_why,
		    size_t why_size)
{
	int fd = connect_to(path), err;
	json_t *reply = NULL;
	FILE *stream;

	if (fd == -EAGAIN) {
		say_why(path, fd, ret_why, why_size);
		return NULL;
	}
	if (fd < 0) {
		snprintf(ret_why, why_size,
			 "cannot reach the daemon at %s: %s; is bgpwardd running, and are you root?",
			 path, strerror(-fd));
		return NULL;
	}
	stream = fdopen(fd, "r+");
	if (!stream) {
		close(fd);
		snprintf(ret_why, why_size, "%s", strerror(errno));
		return NULL;
	}
	err = exchange(stream, request, &reply);
	if (err)
		say_why(path, err, ret_why, why_size);
	fclose(stream);
	return reply;
}
