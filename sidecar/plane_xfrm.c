/* The plane of the kernel: SAD and SPD (RFC 4301 4.4) through NETLINK_XFRM. */
#include "sidecar/plane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ike/proto.h"
#include "policy/address.h"
#include "sidecar/netlink.h"
#include "sidecar/xfrm.h"

struct plane {
	struct netlink *netlink;
	struct xfrm_pairs pairs;
};

/* ----------------------------------------------------------------- probe */

enum {
	PROBE_LIFETIME_S = 5,	/* should we die between add and delete */
	PROBE_KEY_LEN = 32	/* bytes, AUTH_HMAC_SHA2_256_128 */
};

/* Addresses that nobody has: TEST-NET-3 (RFC 5737) and 2001:db8 (RFC 3849). */
static const char *const probe_pairs[][2] = {
	{ "203.0.113.253", "203.0.113.254" },
	{ "2001:db8:ffff:ffff::fffd", "2001:db8:ffff:ffff::fffe" },
};

/* Add an SA and take it away again. Loads esp4 and what it needs, where those
 * are modules. */
static int try_sa(struct netlink *netlink, const char *const addresses[2])
{
	static const uint8_t key[PROBE_KEY_LEN];
	struct plane_sa sa = {
		.kind = PLANE_ACTIVE, .inbound = true, .encr = IKE_ENCR_NULL,
		.integ = IKE_INTEG_HMAC_SHA2_256_128, .esn = true,
		.lifetime_s = PROBE_LIFETIME_S, .key = key,
		.key_len = sizeof(key)
	};
	int err;

	if (!address_parse(addresses[0], &sa.pair.local) ||
	    !address_parse(addresses[1], &sa.pair.peer))
		return -EINVAL;
	sa.spi = xfrm_sa_allocate_spi(netlink, &sa.pair);
	if (!sa.spi)
		return -EPERM;
	err = xfrm_sa_add(netlink, &sa, xfrm_reqid(XFRM_PROBE_SLOT, sa.kind));
	if (err)
		return err;
	return xfrm_sa_delete(netlink, &sa.pair, true, sa.spi);
}

static bool has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

static const char *explain(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return "the SAD may not be read and changed: CAP_NET_ADMIN is "
		       "missing";
	case EPROTONOSUPPORT:
		return "this kernel has no ESP (CONFIG_INET_ESP, "
		       "CONFIG_INET6_ESP)";
	case ENOENT:
	case ENOSYS:
		return "this kernel's ESP lacks NULL encryption or "
		       "HMAC-SHA2-256 with ESN (CONFIG_CRYPTO_NULL, "
		       "CONFIG_CRYPTO_AUTHENC, CONFIG_CRYPTO_SHA256)";
	}
	return "the kernel refused a trial SA";
}

static int xfrm_probe(const char **ret_why)
{
	struct netlink *netlink;
	int err;

	err = netlink_open(NETLINK_XFRM, &netlink);
	if (err) {
		*ret_why = "this kernel has no XFRM (CONFIG_XFRM_USER)";
		return err;
	}
	err = try_sa(netlink, probe_pairs[0]);
	if (!err && has_ipv6())
		err = try_sa(netlink, probe_pairs[1]);
	netlink_close(netlink);
	if (err)
		*ret_why = explain(err);
	return err;
}

/* ----------------------------------------------------------- open, close */

static void xfrm_close(struct plane *plane)
{
	if (!plane)
		return;
	netlink_close(plane->netlink);
	xfrm_pairs_free(&plane->pairs);
	free(plane);
}

static int learn_policies(struct plane *plane)
{
	struct xfrm_entry *entries;
	enum plane_kind kind;
	uint32_t slot;
	size_t count;
	int err;

	err = xfrm_entry_list(plane->netlink, &entries, &count);
	if (err)
		return err;
	for (size_t i = 0; !err && i < count; i++)
		if (xfrm_reqid_read(entries[i].reqid, &slot, &kind))
			err = xfrm_pairs_learn(&plane->pairs,
					       &entries[i].traffic.pair, slot,
					       true);
	free(entries);
	return err;
}

/* After the policies: an SA may have outlived its own. */
static int learn_sas(struct plane *plane)
{
	struct xfrm_sa *sas;
	enum plane_kind kind;
	uint32_t slot;
	size_t count;
	int err;

	err = xfrm_sa_list(plane->netlink, &sas, &count);
	if (err)
		return err;
	for (size_t i = count; !err && i-- > 0;)
		if (xfrm_reqid_read(sas[i].reqid, &slot, &kind))
			err = xfrm_pairs_learn(&plane->pairs,
					       &sas[i].stats.pair, slot,
					       false);
	free(sas);
	return err;
}

static int xfrm_open(struct plane **ret_plane)
{
	struct plane *plane = calloc(1, sizeof(*plane));
	int err;

	if (!plane)
		return -ENOMEM;
	err = netlink_open(NETLINK_XFRM, &plane->netlink);
	if (!err)
		err = learn_policies(plane);
	if (!err)
		err = learn_sas(plane);
	if (err) {
		xfrm_close(plane);
		return err;
	}
	*ret_plane = plane;
	return 0;
}

/* ------------------------------------------------------------------- SAs */

static uint32_t xfrm_allocate_spi(struct plane *plane,
				  const struct plane_pair *pair)
{
	return xfrm_sa_allocate_spi(plane->netlink, pair);
}

static uint32_t reqid_of(struct plane *plane, const struct plane_pair *pair,
			 enum plane_kind kind)
{
	const struct xfrm_pair *found = xfrm_pairs_find(&plane->pairs, pair);

	return found && found->required ? xfrm_reqid(found->slot, kind) : 0;
}

/* Guard first: no SA for a pair that has no policy. */
static int xfrm_add_sa(struct plane *plane, const struct plane_sa *sa)
{
	uint32_t reqid;

	if ((unsigned)sa->kind >= PLANE_KINDS)
		return -EINVAL;
	reqid = reqid_of(plane, &sa->pair, sa->kind);
	if (!reqid)
		return -ENOENT;
	return xfrm_sa_add(plane->netlink, sa, reqid);
}

static int xfrm_delete_sa(struct plane *plane, const struct plane_pair *pair,
			  bool inbound, uint32_t spi)
{
	return xfrm_sa_delete(plane->netlink, pair, inbound, spi);
}

/* The whole list is read before the first call of `each`, which may therefore
 * add and delete. The kernel has the newest one first. */
static int xfrm_query(struct plane *plane,
		      int (*each)(void *ctx, const struct plane_sa_stats *sa),
		      void *ctx)
{
	struct xfrm_sa *sas;
	enum plane_kind kind;
	uint32_t slot;
	size_t count;
	int err;

	err = xfrm_sa_list(plane->netlink, &sas, &count);
	if (err)
		return err;
	for (size_t i = count; !err && i-- > 0;)
		if (xfrm_reqid_read(sas[i].reqid, &slot, &kind) &&
		    slot != XFRM_PROBE_SLOT)
			err = each(ctx, &sas[i].stats);
	free(sas);
	return err;
}

/* -------------------------------------------------------------- policies */

/* What is there, entry by entry. -EEXIST if any is another program's, so that
 * nothing has been changed yet when we find that we may not. */
static int look(struct plane *plane, const struct xfrm_entry *wanted,
		size_t count, struct xfrm_entry *ret_found, bool *ret_there)
{
	int err;

	for (size_t i = 0; i < count; i++) {
		err = xfrm_entry_get(plane->netlink, &wanted[i],
				     &ret_found[i]);
		if (err && err != -ENOENT)
			return err;
		ret_there[i] = err == 0;
	}
	return 0;
}

/* Each entry that is to change is replaced in its place, so the pair is never
 * without one; an error half-way leaves entries that are old or new, and no
 * gap. Those that stand keep their reqid and with it their SAs. */
static int install(struct plane *plane, const struct xfrm_entry *wanted,
		   size_t count)
{
	struct xfrm_entry found[XFRM_MAX_ENTRIES];
	bool there[XFRM_MAX_ENTRIES];
	int err;

	err = look(plane, wanted, count, found, there);
	for (size_t i = 0; !err && i < count; i++) {
		if (there[i] && !found[i].altered &&
		    found[i].type == wanted[i].type &&
		    found[i].reqid == wanted[i].reqid)
			continue;
		err = xfrm_entry_put(plane->netlink, &wanted[i], there[i]);
	}
	return err;
}

static bool policy_is_sound(const struct plane_policy *policy)
{
	if (policy->type == PLANE_BLOCK_OTHERS ||
	    policy->type == PLANE_BLOCK_ELSEWHERE)
		return true;
	return address_family(&policy->pair.local) ==
	       address_family(&policy->pair.peer);
}

static int set_required(struct plane *plane, const struct plane_policy *policy)
{
	struct xfrm_entry wanted[XFRM_MAX_ENTRIES];
	struct xfrm_pair *pair;
	size_t count;
	int err;

	err = xfrm_pairs_get(&plane->pairs, &policy->pair, &pair);
	if (err)
		return err;
	count = xfrm_policy_entries(policy, pair->slot, wanted);
	err = install(plane, wanted, count);
	if (!err)
		pair->required = true;
	return err;
}

static void forget_required(struct plane *plane, const struct plane_pair *pair)
{
	struct xfrm_pair *found = xfrm_pairs_find(&plane->pairs, pair);

	if (found)
		found->required = false;
}

static int xfrm_set_policy(struct plane *plane,
			   const struct plane_policy *policy)
{
	struct xfrm_entry wanted[XFRM_MAX_ENTRIES];
	size_t count;
	int err;

	if (!policy_is_sound(policy))
		return -EINVAL;
	if (policy->type == PLANE_REQUIRE)
		return set_required(plane, policy);
	count = xfrm_policy_entries(policy, 0, wanted);
	err = install(plane, wanted, count);
	if (!err && policy->type == PLANE_OFF)
		forget_required(plane, &policy->pair);
	return err;
}

/* Only what is of this type goes: after a change from OFF to REQUIRE, a late
 * deletion of OFF must not open the pair's SPD entries. */
static int xfrm_delete_policy(struct plane *plane,
			      const struct plane_policy *policy)
{
	struct xfrm_entry wanted[XFRM_MAX_ENTRIES], found;
	int err = 0, result = 0;
	size_t count;

	if (!policy_is_sound(policy))
		return -EINVAL;
	count = xfrm_policy_entries(policy, 0, wanted);
	for (size_t i = 0; i < count; i++) {
		err = xfrm_entry_get(plane->netlink, &wanted[i], &found);
		if (!err && found.type == policy->type)
			err = xfrm_entry_delete(plane->netlink, &found);
		if (err && err != -ENOENT && err != -EEXIST && !result)
			result = err;
	}
	if (!result && policy->type == PLANE_REQUIRE)
		forget_required(plane, &policy->pair);
	return result;
}

static int compare_policies(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct plane_policy));
}

/* Several entries make a policy. `ret_policies` has room for one an entry. */
static size_t distinct(const struct xfrm_entry *entries, size_t count,
		       struct plane_policy *ret_policies)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		ret_policies[i].type = entries[i].type;
		ret_policies[i].pair = entries[i].traffic.pair;
	}
	qsort(ret_policies, count, sizeof(*ret_policies), compare_policies);
	for (size_t i = 0; i < count; i++)
		if (!kept || compare_policies(&ret_policies[kept - 1],
					      &ret_policies[i]) != 0)
			ret_policies[kept++] = ret_policies[i];
	return kept;
}

static int xfrm_query_policies(struct plane *plane,
			       int (*each)(void *ctx,
					   const struct plane_policy *policy),
			       void *ctx)
{
	struct plane_policy *policies;
	struct xfrm_entry *entries;
	size_t count;
	int err;

	err = xfrm_entry_list(plane->netlink, &entries, &count);
	if (err)
		return err;
	policies = calloc(count + 1, sizeof(*policies));
	if (!policies) {
		free(entries);
		return -ENOMEM;
	}
	count = distinct(entries, count, policies);
	for (size_t i = 0; !err && i < count; i++)
		err = each(ctx, &policies[i]);
	free(policies);
	free(entries);
	return err;
}

const struct plane_ops plane_xfrm = {
	.name = "kernel",
	.udp = PLANE_UDP_CARRIED,
	.probe = xfrm_probe,
	.carries = xfrm_carries,
	.open = xfrm_open,
	.close = xfrm_close,
	.allocate_spi = xfrm_allocate_spi,
	.add_sa = xfrm_add_sa,
	.delete_sa = xfrm_delete_sa,
	.set_policy = xfrm_set_policy,
	.delete_policy = xfrm_delete_policy,
	.query = xfrm_query,
	.query_policies = xfrm_query_policies,
	.reqid = reqid_of,
};
