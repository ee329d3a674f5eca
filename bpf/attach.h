/* Filters on interfaces: guard.h's attaching, without its maps. */
#ifndef BPF_ATTACH_H
#define BPF_ATTACH_H

#include <linux/types.h>
#include <stdbool.h>

struct attach_programs {
	int in, out;		/* descriptors, borrowed */
	__u32 in_id, out_id;
};

/* The kernel's id of a program. -errno. */
int attach_program_id(int fd, __u32 *ret_id);

/* See guard_attach(), guard_detach(), guard_attached() and
 * guard_is_preceded() in guard.h. */
int attach_interface(const struct attach_programs *programs, unsigned ifindex);
int attach_remove(unsigned ifindex);
bool attach_stands(const struct attach_programs *programs, unsigned ifindex);
bool attach_is_preceded(unsigned ifindex);

#endif
