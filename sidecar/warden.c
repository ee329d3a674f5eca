#include "sidecar/warden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/address.h"
#include "policy/pairs.h"
#include "sidecar/warden_parts.h"

_Static_assert((int)POLICY_MAX_PAIRS <= (int)CLASSIFIER_MAX_PAIRS,
	       "what the configuration takes, the classifier holds");

static int open_carrier(struct warden *warden, enum carrier_kind kind,
			const struct plane_ops *ops, char *ret_why)
{
	struct carrier *carrier = &warden->carriers[kind];
	int err;

	carrier_probe(ops, carrier);
	err = ops ? ops->open(&carrier->plane) : 0;
	if (err)
		snprintf(ret_why, WARDEN_WHY_SIZE, "cannot open plane %s: %s",
			 ops->name, strerror(-err));
	return err;
}

int warden_open(const struct plane_ops *kernel, const struct plane_ops *user,
		struct warden **ret_warden, char *ret_why)
{
	struct warden *warden = calloc(1, sizeof(*warden));
	int err;

	if (!warden) {
		snprintf(ret_why, WARDEN_WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	err = open_carrier(warden, CARRIER_KERNEL, kernel, ret_why);
	if (!err)
		err = open_carrier(warden, CARRIER_USER, user, ret_why);
	if (err)
		goto fail;
	err = guard_open(&warden->guard);
	if (err) {
		snprintf(ret_why, WARDEN_WHY_SIZE,
			 "cannot load the classifier: %s (is this process root, with CAP_BPF and CAP_NET_ADMIN?)",
			 strerror(-err));
		goto fail;
	}
	*ret_warden = warden;
	return 0;
fail:
	warden_close(warden);
	return err;
}

void warden_close(struct warden *warden)
{
	if (!warden)
		return;
	guard_close(warden->guard);
	for (int i = 0; i < CARRIERS; i++)
		if (warden->carriers[i].plane)
			warden->carriers[i].ops->close(
				warden->carriers[i].plane);
	free(warden);
}

/* --------------------------------------------------------------- carriers */

const struct carrier *warden_carrier(const struct warden *warden,
				     const struct policy_config *config,
				     const struct plane_pair *pair)
{
	const struct policy_peer *peer =
		config ? policy_find_pair(config, &pair->local, &pair->peer) :
			 NULL;
	enum carrier_kind kind;
	const char *why;

	if (!peer || peer->mode != POLICY_REQUIRE ||
	    carrier_choose(warden->carriers, peer->plane, &kind, &why) < 0 ||
	    !warden->carriers[kind].plane)
		return NULL;
	return &warden->carriers[kind];
}

const char *warden_plane_name(const struct warden *warden,
			      const struct plane_pair *pair)
{
	const struct carrier *carrier =
		warden_carrier(warden, warden->config, pair);

	return carrier ? carrier->ops->name : "none";
}

enum plane_udp warden_udp(const struct warden *warden,
			  const struct plane_pair *pair)
{
	const struct carrier *carrier =
		warden_carrier(warden, warden->config, pair);

	return carrier ? carrier->ops->udp : PLANE_UDP_NONE;
}

bool warden_is_mortal(const struct warden *warden,
		      const struct plane_pair *pair)
{
	return warden_carrier(warden, warden->config, pair) ==
	       &warden->carriers[CARRIER_USER];
}

int warden_descriptor(const struct warden *warden)
{
	const struct carrier *user = &warden->carriers[CARRIER_USER];

	return user->plane && user->ops->descriptor ?
		user->ops->descriptor(user->plane) : -1;
}

int warden_revive(struct warden *warden, char *ret_why)
{
	struct carrier *user = &warden->carriers[CARRIER_USER];
	int err;

	if (user->plane)
		user->ops->close(user->plane);
	user->plane = NULL;
	err = user->ops->open(&user->plane);
	if (err) {
		snprintf(ret_why, WARDEN_WHY_SIZE, "cannot open plane %s: %s",
			 user->ops->name, strerror(-err));
		return err;
	}
	return warden_apply(warden, warden->config, ret_why);
}

/* -------------------------------------------------------------------- SAs */

int warden_attach(struct warden *warden, unsigned ifindex)
{
	return guard_attach(warden->guard, ifindex);
}

uint32_t warden_allocate_spi(struct warden *warden,
			     const struct plane_pair *pair)
{
	const struct carrier *carrier =
		warden_carrier(warden, warden->config, pair);

	return carrier ? carrier->ops->allocate_spi(carrier->plane, pair) : 0;
}

int warden_install_sa(struct warden *warden, const struct plane_sa *sa)
{
	const struct carrier *carrier =
		warden_carrier(warden, warden->config, &sa->pair);
	int err;

	if (!carrier)
		return -EPERM;
	if (!sa->inbound)
		return carrier->ops->add_sa(carrier->plane, sa);
	err = carrier->ops->add_sa(carrier->plane, sa);
	if (err)
		return err;
	/* last, and first to go: what it lets through has its SA */
	err = guard_add_spi(warden->guard, &sa->pair.local, &sa->pair.peer,
			    sa->spi);
	if (err)
		carrier->ops->delete_sa(carrier->plane, &sa->pair, true,
					sa->spi);
	return err;
}

int warden_remove_from(struct warden *warden, const struct carrier *carrier,
		       const struct plane_pair *pair, bool inbound,
		       uint32_t spi)
{
	if (inbound)
		guard_delete_spi(warden->guard, &pair->local, &pair->peer, spi);
	return carrier->ops->delete_sa(carrier->plane, pair, inbound, spi);
}

/* From every plane: the pair may have changed hands. */
int warden_remove_sa(struct warden *warden, const struct plane_pair *pair,
		     bool inbound, uint32_t spi)
{
	int err = 0, last;

	for (int i = 0; i < CARRIERS; i++) {
		if (!warden->carriers[i].plane)
			continue;
		last = warden_remove_from(warden, &warden->carriers[i], pair,
					  inbound, spi);
		err = err ? err : last;
	}
	return err;
}

int warden_query(struct warden *warden,
		 int (*each)(void *ctx, const struct plane_sa_stats *sa),
		 void *ctx)
{
	int err = 0;

	for (int i = 0; !err && i < CARRIERS; i++)
		if (warden->carriers[i].plane)
			err = warden->carriers[i].ops->query(
				warden->carriers[i].plane, each, ctx);
	return err;
}

int warden_drops(const struct warden *warden, const struct in6_addr *local,
		 const struct in6_addr *peer,
		 uint64_t ret_drops[CLASSIFIER_REASON_COUNT])
{
	return guard_counters(warden->guard, local, peer, ret_drops);
}

int warden_plane_drops(const struct warden *warden,
		       const struct plane_pair *pair,
		       uint64_t ret_counters[PLANE_COUNTERS])
{
	const struct carrier *carrier =
		warden_carrier(warden, warden->config, pair);

	if (!carrier || !carrier->ops->counters)
		return -ENOSYS;
	return carrier->ops->counters(carrier->plane, pair, ret_counters);
}

static int is_policy(void *ctx, const struct plane_policy *policy)
{
	const struct plane_policy *wanted = ctx;

	return policy->type == wanted->type &&
	       address_equal(&policy->pair.local, &wanted->pair.local) &&
	       address_equal(&policy->pair.peer, &wanted->pair.peer);
}

static bool stands(struct warden *warden, struct plane_policy *policy)
{
	const struct carrier *kernel = &warden->carriers[CARRIER_KERNEL];

	return kernel->plane &&
	       kernel->ops->query_policies(kernel->plane, is_policy,
					   policy) == 1;
}

bool warden_blocks(struct warden *warden, const struct in6_addr *local)
{
	struct plane_policy policy = { .type = PLANE_BLOCK_OTHERS,
				       .pair.local = *local };

	return stands(warden, &policy);
}

bool warden_blocks_elsewhere(struct warden *warden, const struct in6_addr *peer)
{
	struct plane_policy policy = { .type = PLANE_BLOCK_ELSEWHERE,
				       .pair.peer = *peer };

	return stands(warden, &policy);
}
