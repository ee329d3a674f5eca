#include "sidecar/claim.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLAIM_PORT = 179 };

/*
 * An abstract name of AF_UNIX is scoped the same, and anybody on the machine
 * can take it: then no daemon starts. A port that only root may bind is as
 * good: BGP's, of UDP, which nobody uses. It is never read.
 */
int claim_take(int *ret_fd)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(CLAIM_PORT),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	const int on = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	/* lo may be down */
	if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		err = -errno;
	if (err)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}
