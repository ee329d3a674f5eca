/* sd_notify(3)'s datagram, without libsystemd: one message, one socket. */
#ifndef SIDECAR_NOTIFY_H
#define SIDECAR_NOTIFY_H

/*
 * Tell the service manager a state such as "READY=1". 0 on success and where
 * no service manager asks ($NOTIFY_SOCKET is not set); else -errno.
 */
int notify_service_manager(const char *state);

#endif
