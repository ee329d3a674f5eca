/*
 * The control socket: a Unix stream socket for root, one JSON object a line in
 * each direction.
 *
 *   {"command": "status"}                        -> {"ok": true, ...}
 *   {"command": "up" | "down", "peer": "NAME"}   -> {"ok": true}
 *   anything else                    -> {"ok": false, "error": "..."}
 */
#ifndef SIDECAR_CONTROL_H
#define SIDECAR_CONTROL_H

#include <event2/event.h>
#include <jansson.h>

enum control_limits {
	CONTROL_MAX_CLIENTS = 16,
	CONTROL_MAX_REQUEST = 4096,	/* bytes, of one line */
	CONTROL_MAX_BACKLOG = 16 << 20,	/* bytes of replies not yet read */
	CONTROL_TIMEOUT_S = 10,		/* for a client to say something */
	CONTROL_PATIENCE_S = 5		/* of a client, for the daemon */
};

struct control;

/*
 * Listen on `path` (mode 0600; a stale socket is replaced, its folder made).
 * A second daemon is refused: -EADDRINUSE; so is a file of another kind in the
 * place, which stays: -ENOTSOCK. `answer` is given the request, a
 * JSON object, and returns the reply, a new reference. 0 or -errno.
 */
int control_open(struct event_base *base, const char *path,
		 json_t *(*answer)(void *ctx, const json_t *request), void *ctx,
		 struct control **ret_control);
/* Close, and remove the socket file. */
void control_close(struct control *control);

/*
 * The client's side: connect, ask, wait, but not for ever. The reply is a new
 * reference; NULL with a sentence in ret_why (why_size bytes) if there was
 * none.
 */
json_t *control_ask(const char *path, const json_t *request, char *ret_why,
		    size_t why_size);

#endif
