/*
 * What the kernel plane is made of, seen from inside: selectors, SAD entries
 * (xfrm_sa.c), SPD entries (xfrm_policy.c) and the table of pairs and their
 * reqids (xfrm_pairs.c). plane_xfrm.c alone shows it to the world.
 */
#ifndef SIDECAR_XFRM_H
#define SIDECAR_XFRM_H

#include <linux/xfrm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sidecar/netlink.h"
#include "sidecar/plane.h"

enum xfrm_constants {
	XFRM_BGP_PORT = 179,
	XFRM_SPI_MIN = 256,		/* RFC 4303 2.1: 1-255 are reserved */
	XFRM_SPI_ATTEMPTS = 64,
	XFRM_WINDOW = 1024,		/* packets, multiple of 32 */
	XFRM_SLOTS = 0x80000,		/* as many as the reqids hold */
	XFRM_PROBE_SLOT = XFRM_SLOTS - 1,	/* never a pair's */
	XFRM_MAX_ENTRIES = 4		/* SPD entries of one policy */
};

/* Where each kind of entry stands in the SPD; the kernel looks at the lowest
 * number first. strongSwan's entries begin beyond 100000 and libreswan's
 * beyond 1000000, so a wide policy of theirs cannot carry our TCP/179 off. Odd
 * numbers, since they are also how entries without a template are known. */
enum xfrm_priority {
	XFRM_PRIORITY_REQUIRE = 17901,
	XFRM_PRIORITY_OFF = 17902,
	XFRM_PRIORITY_BLOCK = 17903
};

/* ------------------------------------------------------------- selectors */

/* One direction of the packets of one kind of TCP connection. */
struct xfrm_traffic {
	struct plane_pair pair;
	enum plane_kind kind;
	bool inbound;
	bool any_peer;		/* pair.peer is all zero: whoever it is */
	bool any_local;		/* the same of pair.local */
};

void xfrm_address_make(const struct in6_addr *address,
		       xfrm_address_t *ret_address);
bool xfrm_address_equal(const xfrm_address_t *a, const xfrm_address_t *b);
/* False if the family is neither AF_INET nor AF_INET6. */
bool xfrm_address_read(uint16_t family, const xfrm_address_t *address,
		       struct in6_addr *ret_address);

void xfrm_selector_make(const struct xfrm_traffic *traffic,
			struct xfrm_selector *ret_selector);
/* Read a selector of a given direction; false unless it is exactly one that
 * xfrm_selector_make() makes. */
bool xfrm_selector_read(const struct xfrm_selector *selector, bool inbound,
			struct xfrm_traffic *ret_traffic);

/* ---------------------------------------------------------------- reqids */

uint32_t xfrm_reqid(uint32_t slot, enum plane_kind kind);
/* False if the reqid is not in our range. */
bool xfrm_reqid_read(uint32_t reqid, uint32_t *ret_slot,
		     enum plane_kind *ret_kind);

/* Pairs that have or had a slot. A pair keeps its slot for as long as the
 * process lives, so that SAs that outlive their policy never share a reqid
 * with another pair's. */
struct xfrm_pair {
	struct plane_pair pair;
	uint32_t slot;
	bool required;		/* has a REQUIRE policy */
};

struct xfrm_pairs {
	struct xfrm_pair *items;
	size_t count, room;
	uint32_t next;		/* slot to try first */
};

void xfrm_pairs_free(struct xfrm_pairs *pairs);
/* NULL if the pair has no slot. Valid until the next pair is added. */
struct xfrm_pair *xfrm_pairs_find(struct xfrm_pairs *pairs,
				  const struct plane_pair *pair);
/* A slot seen in the SPD or the SAD: nobody else gets it. -ENOMEM. */
int xfrm_pairs_learn(struct xfrm_pairs *pairs, const struct plane_pair *pair,
		     uint32_t slot, bool required);
/* The pair's record, made with a free slot if there is none yet: 0, -ENOMEM,
 * or -ENOSPC when all slots are taken. */
int xfrm_pairs_get(struct xfrm_pairs *pairs, const struct plane_pair *pair,
		   struct xfrm_pair **ret_pair);

/* ------------------------------------------------------------------- SAD */

/*
 * The request that adds an SA (RFC 4301 4.4.2.1): transport mode, the exact
 * selector, a reqid of its own, replay window of XFRM_WINDOW packets, UDP
 * around it if the SA says so. 0;
 * -EINVAL for an SPI, key length or address that cannot be; -EPROTONOSUPPORT
 * for algorithms that are not in the table. The request holds the key: the
 * caller wipes it, on failure too.
 */
int xfrm_sa_build(const struct plane_sa *sa, uint32_t reqid,
		  union netlink_request *ret_request);

/* Read an SA of a dump; false if it is not ours. `now` is the wall clock in
 * seconds, by which the kernel dates SAs. */
bool xfrm_sa_read(const struct nlmsghdr *message, uint64_t now,
		  struct plane_sa_stats *ret_stats, uint32_t *ret_reqid);

/* Is there a row for this cipher (IKEv2 transform id)? */
bool xfrm_carries(uint16_t encr);

int xfrm_sa_add(struct netlink *netlink, const struct plane_sa *sa,
		uint32_t reqid);
/* 0 also if there is none; -EPERM if it is another program's. */
int xfrm_sa_delete(struct netlink *netlink, const struct plane_pair *pair,
		   bool inbound, uint32_t spi);
/* An SPI of no SA from peer to local (RFC 4303 2.1); 0 on failure. */
uint32_t xfrm_sa_allocate_spi(struct netlink *netlink,
			      const struct plane_pair *pair);

struct xfrm_sa {
	struct plane_sa_stats stats;
	uint32_t reqid;
};

/* All of ours: 0 and an array that the caller frees, or -errno. */
int xfrm_sa_list(struct netlink *netlink, struct xfrm_sa **ret_sas,
		 size_t *ret_count);

/* ------------------------------------------------------------------- SPD */

/* One SPD entry, ours by its reqid or its priority. */
struct xfrm_entry {
	enum plane_policy_type type;
	struct xfrm_traffic traffic;
	uint32_t reqid;		/* PLANE_REQUIRE only */
	uint32_t index;		/* the kernel's handle */
	bool altered;		/* ours, but not as we would install it */
};

/* The entries of a policy, inbound first, and how many they are. `slot` is
 * looked at for PLANE_REQUIRE only. */
size_t xfrm_policy_entries(const struct plane_policy *policy, uint32_t slot,
			   struct xfrm_entry ret_entries[XFRM_MAX_ENTRIES]);

/* Read an entry of a dump: false if it is another program's. */
bool xfrm_entry_read(const struct nlmsghdr *message,
		     struct xfrm_entry *ret_entry);

/* What stands in the SPD under the selector and direction of `wanted`: 0 and
 * our entry, -ENOENT, or -EEXIST if it is another program's. */
int xfrm_entry_get(struct netlink *netlink, const struct xfrm_entry *wanted,
		   struct xfrm_entry *ret_entry);
/* Install; `replace` takes the place of what has this selector, without a
 * moment in which neither counts. Without, -EEXIST if there is one. */
int xfrm_entry_put(struct netlink *netlink, const struct xfrm_entry *entry,
		   bool replace);
/* Delete by index; 0 also if it is gone. */
int xfrm_entry_delete(struct netlink *netlink, const struct xfrm_entry *entry);

/* All of ours: 0 and an array that the caller frees, or -errno. */
int xfrm_entry_list(struct netlink *netlink, struct xfrm_entry **ret_entries,
		    size_t *ret_count);

#endif
