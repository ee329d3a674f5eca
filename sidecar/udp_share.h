/*
 * Two sockets on one address and port 4500: the daemon's for IKE and for the
 * kernel's ESP in UDP (RFC 3948), and the plane process's for that of its own.
 * Neither hands datagrams to the other: the kernel looks at the first four
 * bytes, the non-ESP marker or an SPI, and picks the socket.
 */
#ifndef SIDECAR_UDP_SHARE_H
#define SIDECAR_UDP_SHARE_H

enum udp_share {
	UDP_SHARE_IKE,		/* non-ESP marker, or an SPI of the kernel's */
	UDP_SHARE_ESP		/* an SPI with PLANE_SPI_USER */
};

/* Before bind(): let the other one bind as well. 0 or -errno. */
int udp_share_prepare(int fd);

/* After bind(): say what this socket, the later one of the two, is for. While
 * it is alone it gets both, and has to drop what is not its. 0 or -errno. */
int udp_share_join(int fd, enum udp_share share);

#endif
