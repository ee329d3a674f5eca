#include "sidecar/udp_share.h"

#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "sidecar/plane.h"

/* The sockets of a group are numbered as they came; where there are two, the
 * one that joined last is the second. A number that is not there makes the
 * kernel choose by hash: among one, that one. */
enum { OTHER, LAST };

int udp_share_prepare(int fd)
{
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == -1)
		return -errno;
	return 0;
}

int udp_share_join(int fd, enum udp_share share)
{
	const unsigned ike = share == UDP_SHARE_IKE ? LAST : OTHER;
	const unsigned esp = share == UDP_SHARE_ESP ? LAST : OTHER;
	/* what is shorter than a marker ends the program with OTHER, and is
	 * dropped there as here */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PLANE_SPI_USER, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, esp),
		BPF_STMT(BPF_RET | BPF_K, ike),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]), .filter = code
	};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
		       sizeof(program)) == -1)
		return -errno;
	return 0;
}
