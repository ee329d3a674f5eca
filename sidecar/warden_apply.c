/* The warden's way from one configuration to the next: warden_apply(), and
 * warden_release(). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/address.h"
#include "policy/pairs.h"
#include "sidecar/warden_parts.h"

/* What one warden_apply() carries through its callbacks. */
struct application {
	struct warden *warden;
	const struct policy_config *config;	/* the new one */
	bool opening;				/* the second pass */
	char *why;
};

/* ------------------------------------------------------------------ apply */

static const char *hint(int err)
{
	if (err == -EEXIST)
		return " (another program has it: see `ip xfrm policy`)";
	if (err == -ENOTUNIQ)
		return " (the user plane needs a device bgpward0, and another device has that name: see `ip -d link`, rename it)";
	return "";
}

static int explain(struct application *application, const char *what,
		   const struct plane_pair *pair, bool with_peer, int err)
{
	char local[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];

	snprintf(application->why, WARDEN_WHY_SIZE, "%s for %s%s%s: %s%s", what,
		 address_text(&pair->local, local), with_peer ? " and " : "",
		 with_peer ? address_text(&pair->peer, peer) : "",
		 strerror(-err), hint(err));
	return err;
}

/* Each pair is in the SPD once: what another plane, or an earlier choice, has
 * of it goes first, for its entries would be in the way. In between, and it
 * is that short, the classifier alone keeps the pair closed. */
static int clear_way(struct warden *warden, const struct plane_pair *pair,
		     const struct carrier *chosen)
{
	const struct plane_policy policy = { .type = PLANE_REQUIRE,
					     .pair = *pair };
	const struct plane_policy off = { .type = PLANE_OFF, .pair = *pair };
	const struct carrier *kernel = &warden->carriers[CARRIER_KERNEL];
	int err = 0;

	for (int i = 0; !err && i < CARRIERS; i++) {
		struct carrier *carrier = &warden->carriers[i];

		if (!carrier->plane || carrier == chosen)
			continue;
		/* the kernel turns its own REQUIRE into OFF without a gap */
		if (chosen || i != CARRIER_KERNEL)
			err = carrier->ops->delete_policy(carrier->plane,
							  &policy);
	}
	/* OFF is the kernel's, whose own REQUIRE takes its place at once */
	if (!err && chosen && chosen != kernel)
		err = kernel->ops->delete_policy(kernel->plane, &off);
	return err;
}

static int set_policy(struct warden *warden, const struct plane_policy *policy,
		      const struct carrier *chosen)
{
	const struct carrier *carrier =
		chosen ? chosen : &warden->carriers[CARRIER_KERNEL];

	return carrier->ops->set_policy(carrier->plane, policy);
}

/* The plane that the peer wants, or the reason why it cannot be had. */
static int choose(struct application *application,
		  const struct policy_peer *peer,
		  const struct carrier **ret_carrier)
{
	struct warden *warden = application->warden;
	enum carrier_kind kind;
	const char *reason;
	int err;

	*ret_carrier = NULL;
	if (peer->mode != POLICY_REQUIRE)
		return 0;
	err = carrier_choose(warden->carriers, peer->plane, &kind, &reason);
	if (!err && !warden->carriers[kind].plane) {
		err = -ENOTCONN;
		reason = "the plane process does not start";
	}
	if (!err && peer->encapsulate &&
	    warden->carriers[kind].ops->udp == PLANE_UDP_NONE) {
		err = -EPROTONOSUPPORT;
		reason = "encapsulate = always, which its plane cannot do: say plane = kernel, or remove it";
	}
	if (err)
		snprintf(application->why, WARDEN_WHY_SIZE,
			 "no plane for peer %s: %s%s", peer->name, reason,
			 peer->plane == POLICY_PLANE_KERNEL ?
			 ": set plane = auto" : "");
	else
		*ret_carrier = &warden->carriers[kind];
	return err;
}

static int set_classifier(struct warden *warden, const struct plane_pair *pair,
			  const struct carrier *carrier)
{
	uint32_t reqid[PLANE_KINDS] = { 0 };

	for (int kind = 0; carrier && kind < PLANE_KINDS; kind++)
		reqid[kind] = carrier->ops->reqid(carrier->plane, pair,
						  (enum plane_kind)kind);
	return guard_set_pair(warden->guard, &pair->local, &pair->peer,
			      carrier ? CLASSIFIER_REQUIRE : CLASSIFIER_OFF,
			      reqid);
}

/* Would this open what the configuration in force keeps closed? */
static bool pair_opens(const struct application *application,
		       const struct policy_peer *peer,
		       const struct plane_pair *pair)
{
	const struct policy_config *old = application->warden->config;
	const struct policy_peer *before =
		old ? policy_find_pair(old, &pair->local, &pair->peer) : NULL;

	return peer->mode == POLICY_OFF && before &&
	       before->mode == POLICY_REQUIRE;
}

static bool local_opens(const struct application *application,
			const struct in6_addr *local)
{
	const struct policy_config *old = application->warden->config;

	return !application->config->block_others && old &&
	       old->block_others && policy_is_local(old, local);
}

/* A BGP daemon knows its neighbour by the address alone. Whoever comes with a
 * peer's to another address of this router, one that no pair protects, must not
 * be taken for it. */
static int block_elsewhere(struct application *application,
			   const struct in6_addr *peer)
{
	const struct plane_policy policy = {
		.type = PLANE_BLOCK_ELSEWHERE,
		.pair = { .peer = *peer },
	};

	return set_policy(application->warden, &policy, NULL);
}

static int set_pair(void *ctx, const struct policy_peer *peer,
		    const struct in6_addr *local, const struct in6_addr *remote)
{
	struct application *application = ctx;
	struct warden *warden = application->warden;
	const struct carrier *carrier;
	struct plane_policy policy = {
		.type = PLANE_OFF,
		.pair = { .local = *local, .peer = *remote },
	};
	int err;

	if (pair_opens(application, peer, &policy.pair) != application->opening)
		return 0;
	err = choose(application, peer, &carrier);
	if (err)
		return err;
	if (carrier)
		policy.type = PLANE_REQUIRE;
	err = clear_way(warden, &policy.pair, carrier);
	if (!err && carrier)
		err = block_elsewhere(application, remote);
	if (!err)
		err = set_policy(warden, &policy, carrier);
	if (err)
		return explain(application, "cannot install the SPD entries",
			       &policy.pair, true, err);
	err = set_classifier(warden, &policy.pair, carrier);
	if (err)
		return explain(application, "cannot set the classifier entry",
			       &policy.pair, true, err);
	return 0;
}

static int set_local(struct application *application,
		     const struct in6_addr *local)
{
	struct warden *warden = application->warden;
	const bool block = application->config->block_others;
	const struct plane_policy policy = {
		.type = PLANE_BLOCK_OTHERS,
		.pair = { .local = *local },
	};
	int err;

	if (local_opens(application, local) != application->opening)
		return 0;
	err = block ? set_policy(warden, &policy, NULL) : 0;
	if (err)
		return explain(application, "cannot install the block entries",
			       &policy.pair, false, err);
	err = guard_set_local(warden->guard, local, block);
	if (err)
		return explain(application, "cannot set the classifier entry",
			       &policy.pair, false, err);
	return 0;
}

/* ------------------------------------------------------------------ sweep */

/* Things found in a dump of one plane, to be deleted once the dump is over:
 * netlink does not like to be changed while it lists. */
struct sweep {
	const struct warden *warden;
	const struct carrier *carrier;
	const struct policy_config *config;	/* NULL: nothing is wanted */
	struct plane_sa_stats *sas;
	size_t sas_count;
	struct plane_policy *policies;
	size_t policies_count;
};

static bool policy_wanted(const struct sweep *sweep,
			  const struct plane_policy *policy)
{
	const struct policy_config *config = sweep->config;
	const struct policy_peer *peer;

	if (!config)
		return false;
	if (policy->type == PLANE_BLOCK_ELSEWHERE) {
		peer = policy_config_peer(config, &policy->pair.peer);
		return peer && peer->mode == POLICY_REQUIRE;
	}
	if (policy->type == PLANE_BLOCK_OTHERS)
		return config->block_others &&
		       policy_is_local(config, &policy->pair.local);
	if (policy->type == PLANE_REQUIRE)
		return warden_carrier(sweep->warden, config, &policy->pair) ==
		       sweep->carrier;
	peer = policy_find_pair(config, &policy->pair.local,
				&policy->pair.peer);
	return peer && peer->mode == POLICY_OFF;
}

static int sweep_sa(void *ctx, const struct plane_sa_stats *sa)
{
	struct sweep *sweep = ctx;
	struct plane_sa_stats *grown;

	if (warden_carrier(sweep->warden, sweep->config, &sa->pair) ==
	    sweep->carrier)
		return 0;
	grown = reallocarray(sweep->sas, sweep->sas_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	sweep->sas = grown;
	grown[sweep->sas_count++] = *sa;
	return 0;
}

static int sweep_policy(void *ctx, const struct plane_policy *policy)
{
	struct sweep *sweep = ctx;
	struct plane_policy *grown;

	if (policy_wanted(sweep, policy))
		return 0;
	grown = reallocarray(sweep->policies, sweep->policies_count + 1,
			     sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	sweep->policies = grown;
	grown[sweep->policies_count++] = *policy;
	return 0;
}

/* Remove SAs and SPD entries of ours that `config` does not want of this
 * plane, SAs first: while they go, the entries still keep the pair closed. */
static int sweep_carrier(struct warden *warden, const struct carrier *carrier,
			 const struct policy_config *config)
{
	struct sweep sweep = { .warden = warden, .carrier = carrier,
			       .config = config };
	const struct plane_ops *ops = carrier->ops;
	int err = ops->query(carrier->plane, sweep_sa, &sweep);

	if (!err)
		err = ops->query_policies(carrier->plane, sweep_policy, &sweep);
	for (size_t i = 0; !err && i < sweep.sas_count; i++)
		err = warden_remove_from(warden, carrier, &sweep.sas[i].pair,
				sweep.sas[i].inbound, sweep.sas[i].spi);
	for (size_t i = 0; !err && i < sweep.policies_count; i++)
		err = ops->delete_policy(carrier->plane, &sweep.policies[i]);
	free(sweep.sas);
	free(sweep.policies);
	return err;
}

static int sweep_planes(struct warden *warden,
			const struct policy_config *config)
{
	int err = 0;

	for (int i = 0; !err && i < CARRIERS; i++)
		if (warden->carriers[i].plane)
			err = sweep_carrier(warden, &warden->carriers[i],
					    config);
	return err;
}

struct guard_sweep {
	struct guard *guard;
	const struct policy_config *kept;
};

static int sweep_guard_pair(void *ctx, const struct policy_peer *peer,
			    const struct in6_addr *local,
			    const struct in6_addr *remote)
{
	const struct guard_sweep *sweep = ctx;

	(void)peer;
	if (policy_find_pair(sweep->kept, local, remote))
		return 0;
	return guard_delete_pair(sweep->guard, local, remote);
}

/* What the configuration that is `gone` had and the one `kept` has not. */
static int sweep_guard(struct warden *warden, const struct policy_config *gone,
		       const struct policy_config *kept)
{
	struct guard_sweep sweep = { warden->guard, kept };
	int err = policy_each_pair(gone, sweep_guard_pair, &sweep);

	for (size_t i = 0; !err && i < gone->addresses_count; i++)
		if (!policy_is_local(kept, &gone->addresses[i]))
			err = guard_delete_local(warden->guard,
						 &gone->addresses[i]);
	return err;
}

static int take_over_sa(void *ctx, const struct plane_sa_stats *sa)
{
	struct application *application = ctx;

	if (!sa->inbound ||
	    !warden_carrier(application->warden, application->config, &sa->pair))
		return 0;
	return guard_add_spi(application->warden->guard, &sa->pair.local,
			     &sa->pair.peer, sa->spi);
}

/* The device of the user plane may have come with its first pair. */
static int set_device(struct warden *warden)
{
	const struct carrier *user = &warden->carriers[CARRIER_USER];

	if (!user->plane || !user->ops->device)
		return 0;
	return guard_set_plane(warden->guard, user->ops->device(user->plane));
}

/* Pairs before the block entries, so that a neighbour that is designated is
 * never cut, not even for the blink of an eye. */
static int set_all(struct application *application)
{
	const struct policy_config *config = application->config;
	int err = policy_each_pair(config, set_pair, application);

	for (size_t i = 0; !err && i < config->addresses_count; i++)
		err = set_local(application, &config->addresses[i]);
	return err;
}

static int sweep_all(struct application *application)
{
	struct warden *warden = application->warden;
	int err = sweep_planes(warden, application->config);

	if (!err && warden->config)
		err = sweep_guard(warden, warden->config, application->config);
	return err;
}

/* What the SPD does not close the classifier does, alone. One that cannot be
 * closed at all does not keep the next from it. */
static int close_pair_again(void *ctx, const struct policy_peer *peer,
			    const struct in6_addr *local,
			    const struct in6_addr *remote)
{
	const struct application *application = ctx;
	const struct plane_pair pair = { .local = *local, .peer = *remote };
	const struct carrier *carrier = warden_carrier(
		application->warden, application->config, &pair);

	if (set_pair(ctx, peer, local, remote) < 0 && carrier)
		set_classifier(application->warden, &pair, carrier);
	return 0;
}

static void close_again(struct warden *warden)
{
	char why[WARDEN_WHY_SIZE];
	struct application application = {
		.warden = warden,
		.config = warden->config,
		.why = why,
	};

	policy_each_pair(warden->config, close_pair_again, &application);
	for (size_t i = 0; i < warden->config->addresses_count; i++)
		set_local(&application, &warden->config->addresses[i]);
	set_device(warden);
}

/* Something failed: what the configuration in force keeps closed is closed
 * again, should it have been opened, and what only the refused one closes is
 * as before, for nobody would ever look for it again. */
static void go_back(struct warden *warden, const struct policy_config *refused)
{
	if (!warden->config)
		return;
	close_again(warden);
	sweep_planes(warden, warden->config);
	sweep_guard(warden, refused, warden->config);
}

/* Two passes: what closes comes first, and what opens only once all that can
 * be known to fail has not. */
int warden_apply(struct warden *warden, const struct policy_config *config,
		 char *ret_why)
{
	struct application application = {
		.warden = warden,
		.config = config,
		.why = ret_why,
	};
	int err;

	*ret_why = '\0';
	err = set_all(&application);
	if (!err)
		err = warden_query(warden, take_over_sa, &application);
	if (!err)
		err = set_device(warden);
	application.opening = true;
	if (!err)
		err = set_all(&application);
	if (!err)
		err = sweep_all(&application);
	if (err && !*ret_why)
		snprintf(ret_why, WARDEN_WHY_SIZE,
			 "cannot bring SPD, SAD and classifier up to date: %s%s",
			 strerror(-err), hint(err));
	if (err)
		go_back(warden, config);
	else
		warden->config = config;
	return err;
}

int warden_release(struct warden *warden)
{
	return sweep_planes(warden, NULL);
}
