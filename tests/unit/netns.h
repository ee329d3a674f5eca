/* For tests that need a network of their own: nameless network namespaces,
 * which the kernel removes with the last process in them. */
#ifndef TESTS_UNIT_NETNS_H
#define TESTS_UNIT_NETNS_H

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Move into a new namespace; false without the privilege. */
static inline bool netns_fresh(void)
{
	return unshare(CLONE_NEWNET) == 0;
}

/* A descriptor by which netns_enter() finds the way back. */
static inline int netns_here(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static inline bool netns_enter(int fd)
{
	return setns(fd, CLONE_NEWNET) == 0;
}

/* Run a shell command in the present namespace; its exit status. */
__attribute__((format(printf, 1, 2)))
static inline int netns_run(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

#endif
