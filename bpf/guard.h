/*
 * Loader of the classifier: one program on ingress and one on egress of every
 * interface but lo, at our own clsact handle and priority. The filters stay
 * when the process ends, however it ends; a new process fills maps of its own
 * first and then replaces filter by filter, so that no packet passes
 * unclassified in between. Errors are -errno. Never logs.
 */
#ifndef BPF_GUARD_H
#define BPF_GUARD_H

#include <linux/types.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/classifier.h"

struct guard;

/* Load programs and empty maps; attaches nothing. */
int guard_open(struct guard **ret_guard);
/* Releases the descriptors. What is attached stays attached. */
void guard_close(struct guard *guard);

/* Attach to (or replace our filters on) one interface, both directions.
 * -EEXIST: another program's filter has our handle, or an `ingress` qdisc has
 * clsact's place. On any error what could be attached is. */
int guard_attach(struct guard *guard, unsigned ifindex);
/* Remove our filters from one interface; another program's stay, and so does
 * clsact if it is in use. 0 also if they were not there. */
int guard_detach(unsigned ifindex);
/* Attached, and with this guard's programs? */
bool guard_attached(const struct guard *guard, unsigned ifindex);
/* Are there programs of others on the interface that the kernel runs before all
 * filters (tcx)? What one of them accepts, ours do not see. */
bool guard_is_preceded(unsigned ifindex);

/* The TUN device of the user plane, or 0. There nothing is dropped, and what
 * comes in of BGP gets CLASSIFIER_PLANE_MARK. */
int guard_set_plane(struct guard *guard, unsigned ifindex);

/* A protected local address. Idempotent; block_others may be changed. */
int guard_set_local(struct guard *guard, const struct in6_addr *local,
		    bool block_others);
int guard_delete_local(struct guard *guard, const struct in6_addr *local);

/* A pair. Idempotent; keeps its counters. */
int guard_set_pair(struct guard *guard, const struct in6_addr *local,
		   const struct in6_addr *peer, enum classifier_mode mode,
		   const uint32_t reqid[2]);
int guard_delete_pair(struct guard *guard, const struct in6_addr *local,
		      const struct in6_addr *peer);

/* SPI of an inbound SA, host order. */
int guard_add_spi(struct guard *guard, const struct in6_addr *local,
		  const struct in6_addr *peer, uint32_t spi);
int guard_delete_spi(struct guard *guard, const struct in6_addr *local,
		     const struct in6_addr *peer, uint32_t spi);

/* Drops since this guard was opened, summed over the CPUs, for a pair or (peer
 * NULL) for what concerns a local address but no pair. */
int guard_counters(const struct guard *guard, const struct in6_addr *local,
		   const struct in6_addr *peer,
		   uint64_t ret_drops[CLASSIFIER_REASON_COUNT]);

/* Names from CLASSIFIER_REASONS. */
const char *guard_reason_name(enum classifier_reason reason);
const char *guard_reason_sentence(enum classifier_reason reason);

#endif
