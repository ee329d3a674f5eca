/* daemon_load(): the configuration, at start and at SIGHUP, as a difference. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/address.h"
#include "policy/pairs.h"
#include "sidecar/daemon.h"
#include "sidecar/established.h"
#include "sidecar/log.h"
#include "sidecar/own_address.h"
#include "sidecar/proposals.h"

/* ----------------------------------------------------------------- reading */

static void report(void *ctx, const char *message)
{
	(void)ctx;
	log_error(NULL, "%s", message);
}

static void warn(void *ctx, const char *message)
{
	(void)ctx;
	log_warning(NULL, "%s", message);
}

/* ------------------------------------------------- connections to be cut */

struct cuts {
	struct daemon *daemon;
	const struct policy_config *config;
	/* the addresses whose strangers it would cut */
	struct in6_addr locals[POLICY_MAX_ADDRESSES];
	size_t locals_count;
};

/* At a start, where block entries of an earlier daemon stand, strangers are
 * cut already. */
static void find_newly_blocked(struct cuts *cuts)
{
	const struct policy_config *config = cuts->config;

	for (size_t i = 0; config->block_others &&
	     i < config->addresses_count; i++)
		if (cuts->daemon->config ||
		    !warden_blocks(cuts->daemon->warden, &config->addresses[i]))
			cuts->locals[cuts->locals_count++] =
				config->addresses[i];
}

static bool is_newly_blocked(const struct cuts *cuts,
			     const struct in6_addr *local)
{
	for (size_t i = 0; i < cuts->locals_count; i++)
		if (address_equal(&cuts->locals[i], local))
			return true;
	return false;
}

static bool is_blocked_elsewhere(const struct cuts *cuts,
				 const struct in6_addr *remote)
{
	const struct policy_config *before = cuts->daemon->config;
	const struct policy_peer *peer;

	if (!before)
		return warden_blocks_elsewhere(cuts->daemon->warden, remote);
	peer = policy_config_peer(before, remote);
	return peer && peer->mode == POLICY_REQUIRE;
}

static bool is_cut(void *ctx, const struct in6_addr *local,
		   const struct in6_addr *remote)
{
	const struct cuts *cuts = ctx;
	const struct policy_peer *peer = policy_config_peer(cuts->config,
							    remote);

	if (policy_is_local(cuts->config, local))
		return !peer && is_newly_blocked(cuts, local);
	return peer && peer->mode == POLICY_REQUIRE &&
	       !is_blocked_elsewhere(cuts, remote);
}

static void report_cut(void *ctx, const struct in6_addr *local,
		       const struct in6_addr *remote, uint16_t local_port,
		       uint16_t remote_port)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	const struct cuts *cuts = ctx;

	address_text(local, from);
	address_text(remote, to);
	if (policy_is_local(cuts->config, local))
		log_error(NULL, "established BGP connection with no peer section: %s port %u with %s port %u",
			  from, local_port, to, remote_port);
	else
		log_error(policy_config_peer(cuts->config, remote)->name,
			  "established BGP connection from an address that is not protected: %s port %u with %s port %u: have the BGP daemon use one of `addresses` (FRR: update-source, BIRD: local), or name %s there",
			  from, local_port, to, remote_port, from);
}

/* An operator with a hundred sessions who protects one must not lose
 * ninety-nine. */
static int check_cuts(struct daemon *daemon,
		      const struct policy_config *config)
{
	struct cuts cuts = { .daemon = daemon, .config = config };
	size_t count = 0;
	int err;

	find_newly_blocked(&cuts);
	err = established_find(is_cut, report_cut, &cuts, &count);
	if (err && cuts.locals_count > 0) {
		log_error(NULL, "cannot list the established TCP connections: %s",
			  strerror(-err));
		return 1;
	}
	if (count == 0)
		return 0;
	log_error(NULL, "refused: this configuration would cut %zu established BGP connection%s. Add a peer section for each address (with `mode = off` until its turn has come), or set `others = allow`, or shut these sessions down first",
		  count, count == 1 ? "" : "s");
	return 1;
}

/* ---------------------------------------------------------------- sockets */

static void on_datagram(void *ctx, const struct udp_datagram *datagram)
{
	struct daemon *daemon = ctx;
	const struct plane_pair id = {
		.local = datagram->local,
		.peer = datagram->remote,
	};
	struct pair *pair;

	HASH_FIND(hh, daemon->pairs, &id, sizeof(id), pair);
	if (pair)
		pair_receive(pair, datagram);
}

static struct udp **socket_of(struct daemon *daemon,
			      const struct in6_addr *local)
{
	const struct policy_config *config = daemon->config;

	for (size_t i = 0; config && i < config->addresses_count; i++)
		if (address_equal(&config->addresses[i], local))
			return &daemon->sockets[i];
	return NULL;
}

static bool is_kept(struct daemon *daemon, const struct udp *udp)
{
	for (size_t i = 0; i < POLICY_MAX_ADDRESSES; i++)
		if (daemon->sockets[i] == udp)
			return true;
	return false;
}

static void close_new_sockets(struct daemon *daemon, struct udp **sockets)
{
	for (size_t i = 0; i < POLICY_MAX_ADDRESSES; i++)
		if (sockets[i] && !is_kept(daemon, sockets[i]))
			udp_close(sockets[i]);
}

/* A socket for each address of `config`: those we have, and new ones. */
static int open_sockets(struct daemon *daemon,
			const struct policy_config *config,
			struct udp *ret_sockets[POLICY_MAX_ADDRESSES])
{
	struct udp *sockets[POLICY_MAX_ADDRESSES] = { NULL };

	for (size_t i = 0; i < config->addresses_count; i++) {
		struct udp **have = socket_of(daemon, &config->addresses[i]);
		char text[INET6_ADDRSTRLEN];
		int err = 0;

		if (have)
			sockets[i] = *have;
		else
			err = udp_open(daemon->base, &config->addresses[i],
				       on_datagram, daemon, &sockets[i]);
		if (err) {
			log_error(NULL, "cannot bind UDP ports %d and %d of %s: %s%s",
				  UDP_IKE_PORT, UDP_IKE_NAT_PORT,
				  address_text(&config->addresses[i], text),
				  strerror(-err),
				  err == -EADDRINUSE ? " (another IKE daemon on this address?)" : "");
			close_new_sockets(daemon, sockets);
			return err;
		}
	}
	memcpy(ret_sockets, sockets, sizeof(sockets));
	return 0;
}

static void replace_sockets(struct daemon *daemon,
			    struct udp *sockets[POLICY_MAX_ADDRESSES])
{
	struct udp *old[POLICY_MAX_ADDRESSES];

	memcpy(old, daemon->sockets, sizeof(old));
	memcpy(daemon->sockets, sockets, sizeof(daemon->sockets));
	close_new_sockets(daemon, old);	/* now: those no longer kept */
}

/* ------------------------------------------------------------------ pairs */

static void discard(struct daemon *daemon, struct pair *pair)
{
	HASH_DEL(daemon->pairs, pair);
	pair_free(pair);
}

/* What a pair is that the configuration does not name any more. */
static const char *how_left(const struct policy_config *config,
			    const struct plane_pair *id)
{
	const struct policy_peer *peer = policy_config_peer(config, &id->peer);

	if (!policy_is_local(config, &id->local))
		return peer && peer->mode == POLICY_REQUIRE ?
			"not of a protected address any more: blocked" :
			"not of a protected address any more: in clear";
	return config->block_others ?
		"no peer's any more: blocked, like all others" :
		"no peer's any more: in clear (others = allow)";
}

/* Close what is gone, and let the rest see to itself. */
static void sort_out_pairs(struct daemon *daemon,
			   const struct policy_config *config,
			   const struct sad_list *list)
{
	const bool renew = !policy_same_local(daemon->config, config);
	struct pair *pair, *next;

	HASH_ITER(hh, daemon->pairs, pair, next) {
		const struct policy_peer *peer = policy_find_pair(
			config, &pair->id.local, &pair->id.peer);

		if (!peer) {
			pair_release(pair, how_left(config, &pair->id));
			trust_forget(daemon->trust, &pair->id);
			discard(daemon, pair);
		} else if (pair_rebase(pair, config, peer, renew, list) < 0) {
			discard(daemon, pair);	/* add_pair() tries again */
		}
	}
}

struct addition {
	struct daemon *daemon;
	const struct sad_list *list;
};

static int add_pair(void *ctx, const struct policy_peer *peer,
		    const struct in6_addr *local, const struct in6_addr *remote)
{
	const struct addition *addition = ctx;
	struct daemon *daemon = addition->daemon;
	const struct plane_pair id = { .local = *local, .peer = *remote };
	struct pair *pair;
	int err;

	HASH_FIND(hh, daemon->pairs, &id, sizeof(id), pair);
	if (pair)
		return 0;
	err = pair_new(daemon->base, daemon->warden, *socket_of(daemon, local),
		       daemon->trust, daemon->crypto, daemon->config, peer,
		       &id, addition->list, &pair);
	if (err) {
		log_error(peer->name, "cannot make the pair: %s",
			  err == -EINVAL ?
			  "the IKE engine does not take this router's certificates" :
			  strerror(-err));
		return err;	/* its guard stands: it stays closed */
	}
	HASH_ADD(hh, daemon->pairs, id, sizeof(pair->id), pair);
	return 0;
}

static int start_new_pair(void *ctx, const struct policy_peer *peer,
			  const struct in6_addr *local,
			  const struct in6_addr *remote)
{
	struct daemon *daemon = ctx;
	const struct plane_pair id = { .local = *local, .peer = *remote };
	struct pair *pair;

	(void)peer;
	HASH_FIND(hh, daemon->pairs, &id, sizeof(id), pair);
	if (pair && !pair->down)
		pair_up(pair);
	return 0;
}

/* Everything is checked: put the new configuration in force. */
static int commit(struct daemon *daemon, struct policy_config *config,
		  struct udp *sockets[POLICY_MAX_ADDRESSES])
{
	struct policy_config *old = daemon->config;
	const bool reload = old != NULL;
	struct addition addition = { .daemon = daemon };
	struct sad_list *list = NULL;
	int err;

	/* without one each pair makes its own */
	(void)sad_list_read(daemon->warden, &list);
	addition.list = list;
	if (reload) {
		policy_config_inherit(config, old);
		sort_out_pairs(daemon, config, list);
	}
	daemon->config = config;
	replace_sockets(daemon, sockets);
	err = policy_each_pair(config, add_pair, &addition);
	sad_list_free(list);
	/* at start, pairs wait until the guard stands on every link */
	if (reload)
		policy_each_pair(config, start_new_pair, daemon);
	crl_watch_start(daemon);
	policy_config_free(old);
	return err;
}

int daemon_load(struct daemon *daemon)
{
	const struct policy_reader reader = {
		.address_is_local = own_address,
		.proposals = proposals_check,
		.report = report,
		.warn = warn,
		.in_force = daemon->config,
		.advise = warn,
	};
	struct policy_config *config =
		policy_config_read(daemon->options->config, &reader);
	struct udp *sockets[POLICY_MAX_ADDRESSES];
	char why[WARDEN_WHY_SIZE];
	int err;

	if (!config)
		return 2;
	if (check_cuts(daemon, config) != 0 ||
	    open_sockets(daemon, config, sockets) != 0)
		goto fail;
	daemon_unwatch_plane(daemon);
	err = warden_apply(daemon->warden, config, why);
	daemon_watch_plane(daemon);
	if (err) {
		log_error(NULL, "%s", why);
		close_new_sockets(daemon, sockets);
		/* a pair that was on its way to another plane lost them */
		mend_sas(daemon, "SAs went with what was refused");
		goto fail;
	}
	return commit(daemon, config, sockets) < 0 ? 1 : 0;
fail:
	policy_config_free(config);
	return 1;
}
