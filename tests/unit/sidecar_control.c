/* The control socket: well-behaved, slow, oversized and malformed clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sidecar/control.h"

static struct event_base *base;
static struct control *control;
static char folder[] = "/tmp/bgpward-control-XXXXXX";
static char path[64];

static json_t *echo(void *ctx, const json_t *request)
{
	(void)ctx;
	return json_pack("{s:b, s:O}", "ok", 1, "echo", request);
}

static int setup(void **state)
{
	(void)state;
	base = event_base_new();
	return control_open(base, path, echo, NULL, &control);
}

static int teardown(void **state)
{
	(void)state;
	control_close(control);
	event_base_free(base);
	return 0;
}

static int client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address,
				 sizeof(address)), 0);
	return fd;
}

static void turn(void)
{
	for (int i = 0; i < 8; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Say it; what comes back, or "" when the other side hung up. */
static const char *say(int fd, const char *text, size_t len)
{
	static char reply[8192];
	ssize_t got;

	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
	turn();
	got = recv(fd, reply, sizeof(reply) - 1, MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return NULL;
	reply[got > 0 ? got : 0] = '\0';
	return reply;
}

static const char *say_text(int fd, const char *text)
{
	return say(fd, text, strlen(text));
}

static void a_request_is_answered(void **state)
{
	int fd = client();

	(void)state;
	assert_string_equal(say_text(fd, "{\"command\":\"status\"}\n"),
		"{\"ok\":true,\"echo\":{\"command\":\"status\"}}\n");
	/* byte by byte: no answer before the line is whole */
	assert_null(say_text(fd, "{\"a\":"));
	assert_string_equal(say_text(fd, "1}\n"),
			    "{\"ok\":true,\"echo\":{\"a\":1}}\n");
	close(fd);
}

static void malformed_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"\n", "x\n", "[]\n", "1\n", "{\n", "{\"a\":1,\"a\":2}\n",
		"\"\\ud800\"\n", "null\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int fd = client();
		const char *reply = say_text(fd, lines[i]);

		assert_non_null(reply);
		assert_non_null(strstr(reply, "\"ok\":false"));
		close(fd);
	}
	turn();
}

static void nested_arrays_do_not_exhaust_the_stack(void **state)
{
	char line[CONTROL_MAX_REQUEST];
	int fd = client();
	const char *reply;

	(void)state;
	memset(line, '[', sizeof(line) - 1);
	line[sizeof(line) - 2] = '\n';
	reply = say(fd, line, sizeof(line) - 1);
	assert_non_null(reply);
	assert_non_null(strstr(reply, "\"ok\":false"));
	close(fd);
}

static void an_endless_line_is_cut_off(void **state)
{
	static char text[CONTROL_MAX_REQUEST];
	int fd = client();

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_string_equal(say(fd, text, sizeof(text)), "");
	close(fd);
}

/* A client that asks and never reads does not grow in us. */
static void replies_are_bounded(void **state)
{
	char line[CONTROL_MAX_REQUEST / 2];
	size_t sent = 0;
	int fd = client();
	ssize_t n = 0;

	(void)state;
	snprintf(line, sizeof(line), "{\"a\":\"%0*d\"}\n",
		 (int)sizeof(line) - 20, 0);
	while (n >= 0 && sent < 2 * (size_t)CONTROL_MAX_BACKLOG) {
		n = send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			n = 0;
		sent += n > 0 ? (size_t)n : 0;
		turn();
	}
	assert_true(n < 0);
	assert_true(errno == EPIPE || errno == ECONNRESET);
	close(fd);
}

static void clients_are_bounded(void **state)
{
	int fds[CONTROL_MAX_CLIENTS + 1];
	char byte;

	(void)state;
	for (int i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		fds[i] = client();
		turn();
		assert_null(say_text(fds[i], " "));
	}
	fds[CONTROL_MAX_CLIENTS] = client();
	turn();
	assert_int_equal(recv(fds[CONTROL_MAX_CLIENTS], &byte, 1,
			      MSG_DONTWAIT), 0);
	/* one leaves, the next may come */
	close(fds[0]);
	turn();
	fds[0] = client();
	assert_non_null(strstr(say_text(fds[0], "{}\n"), "true"));
	for (int i = 0; i <= CONTROL_MAX_CLIENTS; i++)
		close(fds[i]);
	turn();
}

static void only_root_may_connect(void **state)
{
	struct stat status;

	(void)state;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_second_daemon_is_refused(void **state)
{
	struct control *second = NULL;

	(void)state;
	assert_int_equal(control_open(base, path, echo, NULL, &second),
			 -EADDRINUSE);
	assert_null(second);
	/* and the first still listens */
	int fd = client();

	assert_non_null(strstr(say_text(fd, "{}\n"), "true"));
	close(fd);
}

/* -s names somebody's file, by mistake: it stays, and nothing is put beside. */
static void a_file_in_the_place_is_left_alone(void **state)
{
	struct control *none = NULL;
	char file[80], lock[96];

	(void)state;
	snprintf(file, sizeof(file), "%s/mine", folder);
	snprintf(lock, sizeof(lock), "%s.lock", file);
	fclose(fopen(file, "w"));
	assert_int_equal(control_open(base, file, echo, NULL, &none),
			 -ENOTSOCK);
	assert_null(none);
	assert_int_equal(access(lock, F_OK), -1);
	assert_int_equal(unlink(file), 0);
	/* nor what a symbolic link is */
	assert_int_equal(symlink(path, file), 0);
	assert_int_equal(control_open(base, file, echo, NULL, &none),
			 -ENOTSOCK);
	assert_int_equal(unlink(file), 0);
}

/* kill -9 leaves a socket behind. */
static void a_stale_socket_is_replaced(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct control *next = NULL;
	char lock[128];

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/stale",
		 folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      sizeof(address)), 0);
	close(fd);
	assert_int_equal(control_open(base, address.sun_path, echo, NULL,
				      &next), 0);
	control_close(next);
	snprintf(lock, sizeof(lock), "%s.lock", address.sun_path);
	unlink(lock);
}

static void nobody_there_is_said(void **state)
{
	json_t *request = json_object();
	char why[256];

	(void)state;
	assert_null(control_ask("/nonexistent/socket", request, why,
				sizeof(why)));
	assert_non_null(strstr(why, "/nonexistent/socket"));
	assert_non_null(strstr(why, "bgpwardd"));
	json_decref(request);
}

/* It takes connections, as the kernel does for it, and does nothing more. */
static void a_stuck_daemon_is_not_waited_for(void **state)
{
	json_t *request = json_object();
	char why[512];

	(void)state;
	alarm(10 * CONTROL_PATIENCE_S);
	assert_null(control_ask(path, request, why, sizeof(why)));
	alarm(0);
	assert_non_null(strstr(why, "no answer within"));
	assert_non_null(strstr(why, path));
	json_decref(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_request_is_answered),
		T(malformed_lines_are_refused),
		T(nested_arrays_do_not_exhaust_the_stack),
		T(an_endless_line_is_cut_off),
		T(replies_are_bounded),
		T(clients_are_bounded),
		T(only_root_may_connect),
		T(a_second_daemon_is_refused),
		T(a_file_in_the_place_is_left_alone),
		T(a_stale_socket_is_replaced),
		T(a_stuck_daemon_is_not_waited_for),
		cmocka_unit_test(nobody_there_is_said),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/control", folder);
	failed = cmocka_run_group_tests_name("control", tests, NULL, NULL);
	strcat(path, ".lock");
	unlink(path);
	rmdir(folder);
	return failed;
}
