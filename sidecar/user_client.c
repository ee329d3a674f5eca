#include "sidecar/user_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sidecar/user_process.h"

/* ---------------------------------------------------------------- address */

static int make_address(struct sockaddr_un *ret_address)
{
	struct stat namespace;

	if (stat("/proc/self/ns/net", &namespace) == -1)
		return -errno;
	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->sun_family = AF_UNIX;
	snprintf(ret_address->sun_path, sizeof(ret_address->sun_path),
		 "%s/plane-%lu", USER_CLIENT_FOLDER,
		 (unsigned long)namespace.st_ino);
	return 0;
}

static int open_socket(struct sockaddr_un *ret_address)
{
	int err = make_address(ret_address);
	int fd = err ? -1 : socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (err)
		return err;
	return fd == -1 ? -errno : fd;
}

/* ---------------------------------------------------------------- connect */

static int set_timeout(int fd)
{
	const struct timeval timeout = { .tv_sec = USER_CLIENT_TIMEOUT_S };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
		       sizeof(timeout)) == -1)
		return -errno;
	return 0;
}

/* Keys go down this socket: root must be at its other end. */
static int check_peer(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return -errno;
	return peer.uid == 0 ? 0 : -EPERM;
}

/* Waits where the listener's queue is full: of a process that stands still. */
static int connect_to(int fd, const struct sockaddr_un *address)
{
	int result;

	do
		result = connect(fd, (const struct sockaddr *)address,
				 sizeof(*address));
	while (result == -1 && errno == EINTR);
	if (result == 0)
		return 0;
	if (errno == EAGAIN)
		return -ETIMEDOUT;
	return errno == ECONNREFUSED ? -ENOENT : -errno;
}

int user_client_connect(void)
{
	struct sockaddr_un address;
	int fd = open_socket(&address);
	int err;

	if (fd < 0)
		return fd;
	err = set_timeout(fd);
	if (!err)
		err = connect_to(fd, &address);
	if (!err)
		err = check_peer(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* ------------------------------------------------------------------ start */

static int open_listener(void)
{
	struct sockaddr_un address;
	int fd = open_socket(&address);
	mode_t mask;
	int err = 0;

	if (fd < 0)
		return fd;
	if (mkdir(USER_CLIENT_FOLDER, 0755) == -1 && errno != EEXIST)
		err = -errno;
	mask = umask(0177);
	/* nobody listens there, or we would not be here */
	unlink(address.sun_path);
	if (!err && (bind(fd, (struct sockaddr *)&address,
			  sizeof(address)) == -1 ||
		     listen(fd, USER_PROCESS_CLIENTS) == -1))
		err = -errno;
	umask(mask);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* In the child: only calls that are safe between fork and exec. */
static void become_plane(int listener)
{
	static char name[] = "bgpwardd", option[] = "--plane";
	char *const arguments[] = { name, option, NULL };
	int null = open("/dev/null", O_RDWR);

	if (setsid() == -1 || fork() != 0)
		_exit(0);	/* the grandchild is nobody's child */
	if (null == -1 || dup2(null, 0) == -1 || dup2(null, 1) == -1 ||
	    dup2(listener, USER_PROCESS_LISTENER) == -1)
		_exit(1);
	if (listener == USER_PROCESS_LISTENER)
		fcntl(listener, F_SETFD, 0);
	close_range(USER_PROCESS_LISTENER + 1, ~0u, 0);
	if (chdir("/") == 0)
		execv("/proc/self/exe", arguments);
	_exit(1);
}

int user_client_start(void)
{
	int listener = open_listener();
	pid_t child;
	int fd, err;

	if (listener < 0)
		return listener;
	child = fork();
	if (child == 0)
		become_plane(listener);
	close(listener);
	if (child == -1)
		return -errno;
	while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
		;
	fd = user_client_connect();
	if (fd < 0)
		return fd == -ENOENT ? -ECHILD : fd;
	/* it waits in the listener's queue until the process is ready */
	err = user_client_greet(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* ------------------------------------------------------------------- call */

static ssize_t send_request(int fd, struct user_request *request, int lent)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(lent))] = {
		0
	};
	struct iovec iovec = { request, sizeof(*request) };
	struct msghdr message = { .msg_iov = &iovec, .msg_iovlen = 1 };
	struct cmsghdr *header = (void *)control;
	ssize_t len;

	if (lent != -1) {
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(lent));
		memcpy(CMSG_DATA(header), &lent, sizeof(lent));
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
	}
	do
		len = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (len == -1 && errno == EINTR);
	return len;
}

static int failure_of(ssize_t len)
{
	if (len != -1)
		return len == 0 ? -ECONNRESET : -EPROTO;
	return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

/* True, and the reply's result; or false, and why there is none. */
static bool exchange(int fd, struct user_request *request, int lent,
		     struct user_reply *ret_reply, int *ret_result)
{
	ssize_t len = send_request(fd, request, lent);

	if (len != -1)
		do
			len = recv(fd, ret_reply, sizeof(*ret_reply), 0);
		while (len == -1 && errno == EINTR);
	if (len != sizeof(*ret_reply) ||
	    ret_reply->version != USER_WIRE_VERSION) {
		*ret_result = failure_of(len);
		return false;
	}
	*ret_result = ret_reply->result;
	return true;
}

/* A reply that comes late would be taken for that to the next request: so
 * after a failure there is none. Whoever watches the descriptor sees its end. */
int user_client_lend(int fd, struct user_request *request, int lent,
		     struct user_reply *ret_reply)
{
	int result;

	request->version = USER_WIRE_VERSION;
	if (!exchange(fd, request, lent, ret_reply, &result))
		shutdown(fd, SHUT_RDWR);
	explicit_bzero(request, sizeof(*request));
	return result;
}

int user_client_call(int fd, struct user_request *request,
		     struct user_reply *ret_reply)
{
	return user_client_lend(fd, request, -1, ret_reply);
}

/* A query for what is behind the last SA. */
int user_client_greet(int fd)
{
	struct user_request request = { .call = USER_QUERY,
					.cursor = UINT64_MAX };
	struct user_reply reply;

	return user_client_call(fd, &request, &reply);
}
