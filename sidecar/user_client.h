/*
 * The daemon's end of the socket to the plane process, which it starts if
 * nobody listens. The socket is named after the network namespace: one plane
 * in each.
 */
#ifndef SIDECAR_USER_CLIENT_H
#define SIDECAR_USER_CLIENT_H

#include "sidecar/user_wire.h"

#define USER_CLIENT_FOLDER "/run/bgpward"

enum user_client_limits {
	USER_CLIENT_TIMEOUT_S = 5	/* the process answers at once */
};

/* Connect to a plane process that runs: descriptor, or -ENOENT if none does,
 * -EPERM if the socket is not root's, or another -errno. */
int user_client_connect(void);

/* Start one, in a session of its own, and connect: descriptor or -errno. The
 * TUN device must be there. */
int user_client_start(void);

/* One request and its reply. 0; the reply's result; or -errno of the
 * connection, which is shut down then. Wipes the request. */
int user_client_call(int fd, struct user_request *request,
		     struct user_reply *ret_reply);
/* The same, and a descriptor goes with it, which stays open here. */
int user_client_lend(int fd, struct user_request *request, int lent,
		     struct user_reply *ret_reply);

/* A request that asks for nothing: is a process there, of this version? 0;
 * -EPROTO or -ECONNRESET if it is of another (the length of requests may have
 * changed with the version); or another -errno. */
int user_client_greet(int fd);

#endif
