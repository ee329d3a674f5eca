/*
 * What others took away is put back: the configuration in force is applied
 * once more, and pairs whose SAs are gone negotiate fresh ones.
 */
#ifndef SIDECAR_MEND_H
#define SIDECAR_MEND_H

struct daemon;
struct mend;

enum mend_limits {
	MEND_WAIT_US = 200000	/* a flush tells of many entries */
};

/* From now on; failure is logged, and SIGHUP still puts all back. */
void mend_start(struct daemon *daemon);
/* NULL is legal. */
void mend_stop(struct mend *mend);

/* Around what we do ourselves, which takes away as well: what was told before
 * was the doing of others, and stays to be mended; what was told meanwhile may
 * be, and is looked after without a word in the log. */
void mend_note(struct mend *mend);
void mend_done(struct mend *mend);

/* Pairs whose SAs are not all in the SAD negotiate fresh ones; the log says
 * `what` has become of them. */
void mend_sas(struct daemon *daemon, const char *what);

#endif
