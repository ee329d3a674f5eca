/*
 * /etc/bgpward/bgpward.conf (libconfuse syntax): what is protected, and who
 * the designated peers are. Reading it touches nothing but the files it names.
 */
#ifndef POLICY_CONFIG_H
#define POLICY_CONFIG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/credential.h"
#include "policy/crls.h"
#include "policy/limits.h"
#include "policy/secret.h"

enum policy_mode {
	POLICY_REQUIRE,		/* ESP or nothing (default) */
	POLICY_OFF		/* a designated neighbour, left in clear */
};

enum policy_plane {
	POLICY_PLANE_AUTO,	/* the kernel's ESP if it has one (default) */
	POLICY_PLANE_KERNEL,
	POLICY_PLANE_USER	/* a process of ours */
};

enum policy_auth {
	POLICY_CERTIFICATE,
	POLICY_PSK
};

/* Which algorithms; what they are is the engine's (ike/algorithms.c). */
enum policy_profile {
	POLICY_PROFILE_DEFAULT,
	POLICY_PROFILE_CNSA,
	POLICY_PROFILE_LEGACY
};

struct policy_algorithms {
	enum policy_profile profile;
	/* proposals in place of the profile's, or NULL */
	char *ike, *esp;
	bool pfs;
};

struct policy_peer {
	char *name;
	uint32_t as;
	struct in6_addr addresses[POLICY_MAX_ADDRESSES];
	size_t addresses_count;
	/* What a NAT translates to the one IPv4, the one IPv6 address of
	 * `addresses`; all zero: none does. policy_peer_identity() reads it. */
	struct in6_addr inside[2];
	bool encapsulate;	/* encapsulate = always: ESP in UDP */
	enum policy_auth auth;
	enum policy_mode mode;
	enum policy_plane plane;
	struct policy_algorithms algorithms;	/* its own, or the global ones */
	uint32_t hold_time_s;			/* the same */
	/* The file `trust`: this peer's own anchors. NULL with POLICY_OFF and
	 * POLICY_PSK. */
	struct policy_anchors *anchors;
	struct policy_crls *crls;	/* the files `crl`, or NULL */
	struct policy_secret *secret;	/* the file `secret`, with POLICY_PSK */
	/* The file `ppk` and its name, or NULL, NULL and false. */
	struct policy_secret *ppk;
	char *ppk_id;
	bool ppk_required;
	char *file;		/* where the section stands */
	int line;
};

struct policy_config {
	uint32_t as;
	struct in6_addr addresses[POLICY_MAX_ADDRESSES];
	size_t addresses_count;
	bool block_others;	/* others = block, the default */
	uint32_t ike_lifetime_s, child_lifetime_s;	/* of each SA */
	uint32_t hold_time_s;		/* BGP's, of peers that have none */
	struct policy_algorithms algorithms;	/* of peers that have none */
	/* certificate and key files, checked against each other and against
	 * `as` and `addresses` */
	struct policy_credential *credential;
	struct policy_peer *peers;
	size_t peers_count;
};

/* 1 to 32 of a-z 0-9 _ - */
bool policy_peer_name_valid(const char *name);

struct policy_reader {
	/* Is this address on an interface of this machine? NULL: do not check
	 * (bgpward check on another machine). */
	bool (*address_is_local)(void *ctx, const struct in6_addr *address);
	/* Are these proposals for IKE or ESP ones that the engine has? If not,
	 * a sentence that goes on after the option's name. NULL: all are. */
	bool (*proposals)(bool esp, const char *text, char *ret_why,
			  size_t why_size);
	/* Called once per error: "file:line: what, expected, cure". */
	void (*report)(void *ctx, const char *message);
	/* The same for what must not keep the guard from standing after a
	 * boot: the router's own certificate is out of its dates. NULL: that
	 * is an error like others. */
	void (*warn)(void *ctx, const char *message);
	/* At a reload, the configuration in force: a CRL file that it does not
	 * name of the peer is not spared by `warn`, for a pair that runs would
	 * be closed. NULL: it is a start, or `bgpward check`. */
	const struct policy_config *in_force;
	/* Advice, which is no error (a short secret). NULL: none. */
	void (*advise)(void *ctx, const char *message);
	void *ctx;
};

/*
 * Read and check the whole file and what it includes. Every error is reported,
 * not only the first. Returns NULL if there was one, or else a configuration
 * that policy_config_free() releases.
 */
struct policy_config *policy_config_read(const char *path,
					 const struct policy_reader *reader);
void policy_config_free(struct policy_config *config);

/* The peer that owns this address, or NULL. */
const struct policy_peer *
policy_config_peer(const struct policy_config *config,
		   const struct in6_addr *address);

/* Who the peer with this address says it is: the address that it has itself. */
const struct in6_addr *policy_peer_identity(const struct policy_peer *peer,
					    const struct in6_addr *address);

/* Nothing that the pairs of this peer depend on differs: a reload may leave
 * its SAs alone. The local part is compared by policy_same_local(). */
bool policy_same_peer(const struct policy_peer *a, const struct policy_peer *b);
/* What `old` was authenticated by still authorizes `new`: same AS, identity,
 * kind of authentication, secret and plane, no anchor taken away. SAs may carry
 * on until new ones are there. `proven`: the certificates that they rest on are
 * at hand, to be judged by themselves, so anchors and CRLs do not count. */
bool policy_still_trusts(const struct policy_peer *old,
			 const struct policy_peer *new, bool proven);
/* Take over what was read before from CRL files that cannot be used now. */
void policy_config_inherit(struct policy_config *config,
			   const struct policy_config *old);
bool policy_same_local(const struct policy_config *a,
		       const struct policy_config *b);

#endif
