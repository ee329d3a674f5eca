/*
 * The sockets of the user plane: a raw one for ESP in each family, and one for
 * ESP in UDP (RFC 3948) on each local address whose peers take that. UDP can
 * be segmented late and joined early, by the kernel or the network card: one
 * system call carries up to 64 KB.
 */
#ifndef SIDECAR_USER_SOCKET_H
#define SIDECAR_USER_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "sidecar/user_sad.h"

enum user_socket_limits {
	USER_SOCKET_BUFFER = 8 << 20,	/* bytes, each way */
	USER_SOCKET_UDP = 64		/* sockets */
};

/* A socket for ESP (IPPROTO_ESP) of one family: packets are sent with their
 * IP header; received with it in IPv4, with control messages in IPv6. Errors
 * such as "too big" are in its error queue. Descriptor or -errno. */
int user_socket_open_esp(int family);

/* A socket for ESP in UDP, beside that of IKE if `port` is its. Datagrams come
 * joined, with control messages: hop limit, traffic class, segment size.
 * Descriptor or -errno. */
int user_socket_open_udp(const struct in6_addr *local, uint16_t port);

struct event;

struct user_udp {
	struct in6_addr local;
	uint16_t port;
	int fd;
	struct event *event;	/* the process's */
};

/* All of them, in the plane process. */
struct user_sockets {
	int esp_ipv4, esp_ipv6;	/* -1: no such family here */
	struct user_udp udp[USER_SOCKET_UDP];
	size_t udp_count;
};

/* NULL if there is none. */
struct user_udp *user_sockets_udp(struct user_sockets *sockets,
				  const struct in6_addr *local, uint16_t port);

/* The one with this descriptor, which is there. */
struct user_udp *user_sockets_by_fd(struct user_sockets *sockets, int fd);
/* 0, -EEXIST, -ENOSPC. */
int user_sockets_add(struct user_sockets *sockets, const struct user_udp *udp);

/* What an SA's packets leave on, or -1. */
int user_sockets_of(struct user_sockets *sockets, const struct user_sa *sa);

#endif
