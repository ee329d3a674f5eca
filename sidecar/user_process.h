/* The plane process: `bgpwardd --plane`, started by the daemon (user_start.c)
 * and apart from it, so that SAs and BGP sessions outlive it. */
#ifndef SIDECAR_USER_PROCESS_H
#define SIDECAR_USER_PROCESS_H

enum user_process_limits {
	USER_PROCESS_LISTENER = 3,	/* descriptor, inherited */
	USER_PROCESS_CLIENTS = 4,	/* at once; a daemon and its successor */
	USER_PROCESS_EXPIRY_S = 1	/* between looks at lifetimes */
};

/* Serve until told to end. Returns the exit status. */
int user_process_run(void);

#endif
