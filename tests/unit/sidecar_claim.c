/* claim.c: one a network namespace, and root's alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "sidecar/claim.h"
#include "tests/unit/netns.h"

enum { NOBODY = 65534 };

/* What claim_take() says to another process of this user. */
static int answer_to(uid_t uid)
{
	int fd, status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(setuid(uid) == 0 ? -claim_take(&fd) : 255);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void one_a_namespace(void **state)
{
	int here, fd = -1, other = -1;

	(void)state;
	assert_true(netns_fresh());
	here = netns_here();
	/* lo is down */
	assert_int_equal(claim_take(&fd), 0);
	assert_int_equal(netns_run("ip link set lo up"), 0);
	assert_int_equal(answer_to(0), -EADDRINUSE);
	assert_true(netns_fresh());
	assert_int_equal(claim_take(&other), 0);
	assert_true(netns_enter(here));
	assert_int_equal(answer_to(0), -EADDRINUSE);
	/* it ends with its descriptor */
	close(fd);
	assert_int_equal(answer_to(0), 0);
	close(other);
	close(here);
}

/* Who is nobody cannot keep the daemon from starting. */
static void nobody_can_take_it(void **state)
{
	static const struct sockaddr_un name = {
		.sun_family = AF_UNIX, .sun_path = "\0bgpwardd"
	};
	int fd, claim = -1;

	(void)state;
	assert_true(netns_fresh());
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(netns_run("ip link set lo up"), 0);
	assert_int_equal(answer_to(NOBODY), -EACCES);
	/* the name that it once was */
	assert_int_equal(bind(fd, (const struct sockaddr *)&name,
			      offsetof(struct sockaddr_un, sun_path) +
			      sizeof("\0bgpwardd") - 1), 0);
	assert_int_equal(claim_take(&claim), 0);
	close(claim);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_a_namespace),
		cmocka_unit_test(nobody_can_take_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
