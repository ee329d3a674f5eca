#include "sidecar/user_process.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sidecar/log.h"
#include "sidecar/user_calls.h"
#include "sidecar/user_device.h"
#include "sidecar/user_in.h"
#include "sidecar/user_out.h"

struct process {
	struct event_base *base;
	struct user_sad sad;
	struct user_in *in;
	struct user_out *out;
	struct user_sockets sockets;
	int tun;
	size_t clients;
	struct event *events[5];
	size_t events_count;
};

struct client {
	struct process *process;
	struct event *event;
	int fd;
};

static uint64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

/* ----------------------------------------------------------------- packets */

static void on_tun(evutil_socket_t fd, short what, void *ctx)
{
	struct process *process = ctx;

	(void)fd;
	(void)what;
	/* The daemon starts another one, with a device. */
	if (!user_out_run(process->out, seconds())) {
		log_error(NULL, "plane: %s was removed", USER_DEVICE_NAME);
		event_base_loopbreak(process->base);
	}
}

static void on_esp_ipv4(evutil_socket_t fd, short what, void *ctx)
{
	struct process *process = ctx;

	(void)what;
	user_in_run(process->in, fd, AF_INET, seconds());
	user_out_read_errors(process->out, fd, seconds());
}

static void on_esp_ipv6(evutil_socket_t fd, short what, void *ctx)
{
	struct process *process = ctx;

	(void)what;
	user_in_run(process->in, fd, AF_INET6, seconds());
	user_out_read_errors(process->out, fd, seconds());
}

static void on_udp(evutil_socket_t fd, short what, void *ctx)
{
	struct process *process = ctx;
	const struct user_udp *udp = user_sockets_by_fd(&process->sockets, fd);

	(void)what;
	user_in_run_udp(process->in, udp, seconds());
	user_out_read_errors(process->out, fd, seconds());
}

static void on_expiry(evutil_socket_t fd, short what, void *ctx)
{
	struct process *process = ctx;

	(void)fd;
	(void)what;
	user_sad_expire(&process->sad, seconds());
}

/* ----------------------------------------------------------------- sockets */

static void close_udp(struct user_udp *udp)
{
	event_free(udp->event);
	close(udp->fd);
}

/* Takes the descriptor over, also if it fails. */
static int add_udp(struct process *process, const struct user_request *request,
		   int fd)
{
	struct user_udp udp = { .local = request->pair.local,
				.port = request->udp_local, .fd = fd };
	int err = -EINVAL;

	if (fd == -1)
		return err;
	udp.event = event_new(process->base, fd, EV_READ | EV_PERSIST, on_udp,
			      process);
	if (udp.event && event_add(udp.event, NULL) == 0)
		err = user_sockets_add(&process->sockets, &udp);
	if (err && udp.event)
		event_free(udp.event);
	if (err)
		close(fd);
	return err;
}

/* Those of addresses that have no pair any more. */
static void prune_udp(struct process *process)
{
	struct user_sockets *sockets = &process->sockets;

	for (size_t i = sockets->udp_count; i-- > 0;) {
		if (user_sad_has_local(&process->sad, &sockets->udp[i].local))
			continue;
		close_udp(&sockets->udp[i]);
		sockets->udp[i] = sockets->udp[--sockets->udp_count];
	}
}

/* ----------------------------------------------------------------- clients */

static void drop_client(struct client *client)
{
	client->process->clients--;
	event_free(client->event);
	close(client->fd);
	free(client);
}

/* What concerns sockets; the rest is the SAD's. */
static void carry_out(struct process *process,
		      const struct user_request *request, int lent,
		      struct user_reply *ret_reply)
{
	user_calls_answer(&process->sad, request, seconds(), ret_reply);
	if (request->version != USER_WIRE_VERSION) {
		if (lent != -1)
			close(lent);
		return;
	}
	if (request->call == USER_ADD_SOCKET)
		ret_reply->result = add_udp(process, request, lent);
	else if (lent != -1)
		close(lent);
	if (request->call == USER_HAS_SOCKET)
		ret_reply->result = user_sockets_udp(&process->sockets,
						     &request->pair.local,
						     request->udp_local) ?
			0 : -ENOENT;
	if (request->call == USER_DELETE_PAIR)
		prune_udp(process);
	if (request->call == USER_EXIT)
		event_base_loopbreak(process->base);
}

static void answer(struct client *client, const struct user_request *request,
		   int lent)
{
	struct user_reply reply;

	carry_out(client->process, request, lent, &reply);
	if (send(client->fd, &reply, sizeof(reply), MSG_NOSIGNAL) !=
	    sizeof(reply))
		drop_client(client);
}

/* The descriptor that came with a request, or -1. There is room for one. */
static int lent_with(struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (header && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static void on_request(evutil_socket_t fd, short what, void *ctx)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))];
	struct user_request request;
	struct iovec iovec = { &request, sizeof(request) };
	struct msghdr message = {
		.msg_iov = &iovec, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control)
	};
	ssize_t len = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const int lent = len >= 0 ? lent_with(&message) : -1;

	(void)what;
	if (len == sizeof(request))
		answer(ctx, &request, lent);
	else if (len != -1 || (errno != EAGAIN && errno != EINTR))
		drop_client(ctx);
	if (len >= 0 && len != sizeof(request) && lent != -1)
		close(lent);
	explicit_bzero(&request, sizeof(request));
}

static bool is_root(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       peer.uid == 0;
}

static bool add_client(struct process *process, int fd)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return false;
	client->process = process;
	client->fd = fd;
	client->event = event_new(process->base, fd, EV_READ | EV_PERSIST,
				  on_request, client);
	if (!client->event || event_add(client->event, NULL) < 0) {
		if (client->event)
			event_free(client->event);
		free(client);
		return false;
	}
	process->clients++;
	return true;
}

static void on_client(evutil_socket_t listener, short what, void *ctx)
{
	struct process *process = ctx;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (fd == -1)
		return;
	if (process->clients >= USER_PROCESS_CLIENTS || !is_root(fd) ||
	    !add_client(process, fd))
		close(fd);
}

/* ------------------------------------------------------------------- start */

static bool watch(struct process *process, int fd, event_callback_fn callback)
{
	const struct timeval period = { .tv_sec = USER_PROCESS_EXPIRY_S };
	struct event *event;

	event = event_new(process->base, fd,
			  (fd == -1 ? 0 : EV_READ) | EV_PERSIST, callback,
			  process);
	if (!event)
		return false;
	process->events[process->events_count++] = event;
	return event_add(event, fd == -1 ? &period : NULL) == 0;
}

static bool open_device(struct process *process)
{
	struct user_sockets *sockets = &process->sockets;

	process->tun = user_device_open();
	sockets->esp_ipv4 = user_socket_open_esp(AF_INET);
	sockets->esp_ipv6 = user_socket_open_esp(AF_INET6);
	if (process->tun < 0)
		log_error(NULL, "plane: cannot open %s: %s%s", USER_DEVICE_NAME,
			  strerror(-process->tun),
			  process->tun == -EBUSY ? " (another program has a device of this name: see `ip -d link`)" : "");
	if (sockets->esp_ipv4 < 0)
		log_error(NULL, "plane: cannot open a raw socket: %s",
			  strerror(-sockets->esp_ipv4));
	/* a machine without IPv6 has no IPv6 pairs */
	return process->tun >= 0 && sockets->esp_ipv4 >= 0 &&
	       (sockets->esp_ipv6 >= 0 || sockets->esp_ipv6 == -EAFNOSUPPORT);
}

static bool start(struct process *process)
{
	process->base = event_base_new();
	if (!process->base || !open_device(process))
		return false;
	process->in = user_in_new(&process->sad, process->tun);
	process->out = user_out_new(&process->sad, process->tun,
				    &process->sockets);
	return process->in && process->out &&
	       watch(process, USER_PROCESS_LISTENER, on_client) &&
	       watch(process, process->tun, on_tun) &&
	       watch(process, process->sockets.esp_ipv4, on_esp_ipv4) &&
	       (process->sockets.esp_ipv6 < 0 ||
		watch(process, process->sockets.esp_ipv6, on_esp_ipv6)) &&
	       watch(process, -1, on_expiry);
}

/* All is open that ever will be: what parses packets keeps no privilege, and
 * its keys stay out of core files and debuggers. */
static bool drop_privileges(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	const struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	return prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_capset, &header, none) == 0;
}

static void stop(struct process *process)
{
	for (size_t i = 0; i < process->events_count; i++)
		event_free(process->events[i]);
	while (process->sockets.udp_count > 0)
		close_udp(&process->sockets.udp[--process->sockets.udp_count]);
	user_in_free(process->in);
	user_out_free(process->out);
	user_sad_free(&process->sad);
	if (process->base)
		event_base_free(process->base);
}

int user_process_run(void)
{
	struct process process = { .tun = -1 };
	bool started;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	started = start(&process) && drop_privileges();
	if (started)
		event_base_dispatch(process.base);
	stop(&process);
	return started ? 0 : 1;
}
