#include "policy/basis.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

/* Fixed places, so that no two peers digest alike. */
struct fixed {
	uint32_t as, auth, mode, plane, has_anchors, has_secret, ppk_required;
	struct in6_addr inside[2];
	struct policy_secret secret;
};

static bool digest(const uint8_t *key, const void *data, size_t size,
		   uint8_t ret_digest[POLICY_BASIS_DIGEST])
{
	size_t len = 0;

	return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key,
			 POLICY_BASIS_KEY, data, size, ret_digest,
			 POLICY_BASIS_DIGEST, &len) != NULL &&
	       len == POLICY_BASIS_DIGEST;
}

static bool make_fixed(const struct policy_peer *peer, const uint8_t *key,
		       uint8_t ret_digest[POLICY_BASIS_DIGEST])
{
	struct fixed fixed;
	bool made;

	memset(&fixed, 0, sizeof(fixed));
	fixed.as = peer->as;
	fixed.auth = peer->auth;
	fixed.mode = peer->mode;
	fixed.plane = peer->plane;
	memcpy(fixed.inside, peer->inside, sizeof(fixed.inside));
	fixed.has_anchors = peer->anchors != NULL;
	fixed.has_secret = peer->secret != NULL;
	fixed.ppk_required = peer->ppk_required;
	if (peer->secret) {
		fixed.secret.len = peer->secret->len;
		memcpy(fixed.secret.bytes, peer->secret->bytes,
		       peer->secret->len);
	}
	made = digest(key, &fixed, sizeof(fixed), ret_digest);
	OPENSSL_cleanse(&fixed, sizeof(fixed));
	return made;
}

/* The content of the files, in their order. */
static bool digest_crls(const struct policy_crls *crls,
			uint8_t ret_digest[POLICY_BASIS_DIGEST])
{
	uint8_t all[2][POLICY_BASIS_DIGEST] = { { 0 } };

	for (size_t i = 0; crls != NULL && i < crls->count; i++) {
		const STACK_OF(X509_CRL) *in = crls->files[i].crls;

		for (int j = 0; j < sk_X509_CRL_num(in); j++)
			if (X509_CRL_digest(sk_X509_CRL_value(in, j),
					    EVP_sha256(), all[1], NULL) != 1 ||
			    EVP_Digest(all, sizeof(all), all[0], NULL,
				       EVP_sha256(), NULL) != 1)
				return false;
	}
	memcpy(ret_digest, all[0], sizeof(all[0]));
	return true;
}

bool policy_basis_make(const struct policy_peer *peer,
		       const uint8_t key[POLICY_BASIS_KEY],
		       struct policy_basis *ret_basis)
{
	struct policy_basis basis;
	const int count = peer->anchors ? sk_X509_num(peer->anchors->certs) : 0;

	memset(&basis, 0, sizeof(basis));
	if (count < 0 || count > POLICY_MAX_ANCHORS ||
	    !make_fixed(peer, key, basis.fixed) ||
	    (peer->ppk && !digest(key, peer->ppk->bytes, peer->ppk->len,
				  basis.ppk)) ||
	    !digest_crls(peer->crls, basis.crls))
		return false;
	for (int i = 0; i < count; i++)
		if (X509_digest(sk_X509_value(peer->anchors->certs, i),
				EVP_sha256(), basis.anchors[i], NULL) != 1)
			return false;
	basis.anchors_count = (size_t)count;
	*ret_basis = basis;
	return true;
}

static bool holds(const struct policy_basis *basis, const uint8_t *anchor)
{
	for (size_t i = 0; i < basis->anchors_count; i++)
		if (!memcmp(basis->anchors[i], anchor, POLICY_BASIS_DIGEST))
			return true;
	return false;
}

/* What rests on none rests on one that is added, as long as that is not
 * required (which is in `fixed`). */
static bool ppk_covers(const struct policy_basis *old,
		       const struct policy_basis *new)
{
	static const uint8_t none[POLICY_BASIS_DIGEST];

	return memcmp(old->ppk, none, POLICY_BASIS_DIGEST) == 0 ||
	       CRYPTO_memcmp(old->ppk, new->ppk, POLICY_BASIS_DIGEST) == 0;
}

bool policy_basis_covers(const struct policy_basis *old,
			 const struct policy_basis *new)
{
	if (CRYPTO_memcmp(old->fixed, new->fixed, POLICY_BASIS_DIGEST) != 0 ||
	    memcmp(old->crls, new->crls, POLICY_BASIS_DIGEST) != 0 ||
	    !ppk_covers(old, new))
		return false;
	for (size_t i = 0; i < old->anchors_count; i++)
		if (!holds(new, old->anchors[i]))
			return false;
	return true;
}
