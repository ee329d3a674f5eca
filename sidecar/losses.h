/*
 * What other programs take away of ours in the kernel, as it happens: SPD
 * entries and SAs (a flush by another IKE daemon's scripts), the classifier's
 * filters, routing rules and routes of the user plane (a network manager that
 * knows only its own), its TUN device; and reverse path filtering, when it comes on for
 * that device. None of it opens a pair; all of it would leave one with a single
 * lock, or keep it closed until somebody wonders.
 */
#ifndef SIDECAR_LOSSES_H
#define SIDECAR_LOSSES_H

struct losses;

enum loss {
	LOSS_NONE,
	LOSS_POSSIBLE,		/* or it was our own doing */
	LOSS_BY_OTHERS		/* a flush: we never do that */
};

/* Listen, in the caller's network namespace. 0 and *ret_losses, which
 * losses_close() releases, or -errno. */
int losses_open(struct losses **ret_losses);
/* NULL is legal. */
void losses_close(struct losses *losses);

/* Two descriptors, readable when something was told: routing, and XFRM. */
int losses_route_fd(const struct losses *losses);
int losses_xfrm_fd(const struct losses *losses);

/* Read all that was told until now: may something be missing? */
enum loss losses_read(struct losses *losses);

#endif
