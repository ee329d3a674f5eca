/*
 * The machine's interfaces but lo, now and as they come and go (rtnetlink(7)).
 * The classifier must stand on every one of them.
 */
#ifndef SIDECAR_LINKS_H
#define SIDECAR_LINKS_H

#include <stdbool.h>

struct links;

/*
 * Listen for changes. `changed` is called from links_dump() and links_read():
 * with present = true for an interface that is there (possibly again: its name
 * may have changed, or changes were lost and all are told anew), with false
 * for one that is gone. The name is valid during the call only. Nothing is
 * told before links_dump(). 0 and *ret_links, which links_close() releases,
 * or -errno.
 */
int links_open(struct links **ret_links,
	       void (*changed)(void *ctx, unsigned ifindex, const char *name,
			       bool present),
	       void *ctx);
void links_close(struct links *links);

/* Tell of every interface there is, and of those that are gone since the last
 * time. 0 or -errno. */
int links_dump(struct links *links);

/* Becomes readable when something changed; non-blocking. */
int links_fd(const struct links *links);

/* Read and tell what changed; if the kernel had to drop messages, as
 * links_dump(). 0 or -errno. */
int links_read(struct links *links);

#endif
