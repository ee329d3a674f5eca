/* What a reload may leave alone. */
#include <string.h>

#include "policy/address.h"
#include "policy/basis.h"

/* The same addresses, in whatever order. */
static bool same_addresses(const struct in6_addr *a, size_t a_count,
			   const struct in6_addr *b, size_t b_count)
{
	size_t i;

	if (a_count != b_count)
		return false;
	for (i = 0; i < a_count; i++) {
		if (!address_among(b, b_count, &a[i]))
			return false;
	}
	return true;
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_algorithms(const struct policy_algorithms *a,
			    const struct policy_algorithms *b)
{
	return a->profile == b->profile && same_text(a->ike, b->ike) &&
	       same_text(a->esp, b->esp) && a->pfs == b->pfs;
}

static bool same_inside(const struct policy_peer *a,
			const struct policy_peer *b)
{
	return memcmp(a->inside, b->inside, sizeof(a->inside)) == 0;
}

bool policy_same_peer(const struct policy_peer *a, const struct policy_peer *b)
{
	return strcmp(a->name, b->name) == 0 && a->as == b->as &&
	       a->auth == b->auth && a->mode == b->mode &&
	       a->plane == b->plane && a->hold_time_s == b->hold_time_s &&
	       same_algorithms(&a->algorithms, &b->algorithms) &&
	       a->encapsulate == b->encapsulate && same_inside(a, b) &&
	       same_addresses(a->addresses, a->addresses_count, b->addresses,
			      b->addresses_count) &&
	       policy_anchors_equal(a->anchors, b->anchors) &&
	       policy_secret_equal(a->secret, b->secret) &&
	       policy_secret_equal(a->ppk, b->ppk) &&
	       same_text(a->ppk_id, b->ppk_id) &&
	       a->ppk_required == b->ppk_required;
}

/* As at a restart (basis.h), so that both decide alike. */
bool policy_still_trusts(const struct policy_peer *old,
			 const struct policy_peer *new, bool proven)
{
	static const uint8_t key[POLICY_BASIS_KEY];	/* nobody sees them */
	struct policy_basis old_basis, new_basis;

	if (!policy_basis_make(old, key, &old_basis) ||
	    !policy_basis_make(new, key, &new_basis))
		return false;
	if (proven) {
		old_basis.anchors_count = 0;
		memcpy(old_basis.crls, new_basis.crls, sizeof(old_basis.crls));
	}
	return policy_basis_covers(&old_basis, &new_basis);
}

void policy_config_inherit(struct policy_config *config,
			   const struct policy_config *old)
{
	for (size_t i = 0; i < config->peers_count; i++) {
		struct policy_peer *peer = &config->peers[i];
		const struct policy_peer *before = NULL;

		if (peer->crls != NULL && peer->addresses_count > 0)
			before = policy_config_peer(old, &peer->addresses[0]);
		if (before != NULL && before->crls != NULL)
			policy_crls_inherit(peer->crls, before->crls);
	}
}

static bool same_credential(const struct policy_credential *a,
			    const struct policy_credential *b)
{
	const struct policy_anchors a_certs = { a->certs };
	const struct policy_anchors b_certs = { b->certs };

	return policy_anchors_equal(&a_certs, &b_certs) &&
	       EVP_PKEY_eq(a->key, b->key) == 1;
}

bool policy_same_local(const struct policy_config *a,
		       const struct policy_config *b)
{
	return a->as == b->as && a->ike_lifetime_s == b->ike_lifetime_s &&
	       a->child_lifetime_s == b->child_lifetime_s &&
	       same_credential(a->credential, b->credential);
}
