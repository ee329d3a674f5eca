/*
 * What stands at one attach point of an interface's clsact, read from the
 * kernel by netlink. Reading needs no capability, unlike asking for a program
 * by its id.
 */
#ifndef BPF_CLSACT_H
#define BPF_CLSACT_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Our own place. Priority 1 is asked first, and a filter that answers
 * TC_ACT_OK ends the matter: behind another program we would guard nothing.
 */
#define CLSACT_PRIORITY 1
#define CLSACT_HANDLE 0xb679

struct clsact_view {
	bool taken;		/* a filter at our handle and priority */
	uint32_t program_id;	/* its program */
	char name[16];		/* its program's name, "" if not known */
	unsigned others;	/* all other filters */
};

/* 1: the interface has a clsact. 0: it has none. -EEXIST: an `ingress` qdisc
 * is in its place, which knows no egress. Or another -errno. */
int clsact_present(unsigned ifindex);

/* Nothing there, or no such interface: 0 and an empty view. -errno. */
int clsact_read(unsigned ifindex, enum bpf_tc_attach_point point,
		struct clsact_view *ret_view);

#endif
