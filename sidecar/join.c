#include "sidecar/join.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ike/ppk.h"
#include "ike/shared_key.h"
#include "policy/address.h"
#include "sidecar/proposals.h"

_Static_assert((int)IKE_MAX_CERTS == (int)POLICY_MAX_CHAIN,
	       "what the engine accepts, the policy can judge");
_Static_assert((int)IKE_MAX_ANCHORS == (int)POLICY_MAX_ANCHORS,
	       "every anchor can be asked for");

_Static_assert((int)SHARED_KEY_MIN == (int)POLICY_MIN_SECRET,
	       "what the configuration takes, the engine uses");
_Static_assert((int)PPK_MIN == (int)POLICY_MIN_PPK &&
	       (int)IKE_MAX_PPK_ID == (int)POLICY_MAX_PPK_ID,
	       "what the configuration takes, the engine uses");

_Static_assert((int)IKE_UDP_NEVER == (int)PLANE_UDP_NONE &&
	       (int)IKE_UDP_NAT == (int)PLANE_UDP_CARRIED &&
	       (int)IKE_UDP_PREFER == (int)PLANE_UDP_PREFERRED,
	       "what a plane can do, the engine wants");

static bool random_bytes(void *ctx, uint8_t *ret_bytes, size_t len)
{
	(void)ctx;
	/* takes less than half the time of RAND_bytes() */
	return getentropy(ret_bytes, len) == 0;
}

/* CERTREQ names an anchor by the SHA-1 of its SubjectPublicKeyInfo (RFC 7296
 * 3.7): a label, not a security property. */
static bool anchor_label(const X509 *anchor, uint8_t ret_label[20])
{
	unsigned char *spki = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(anchor), &spki);
	bool ok = len > 0 && SHA1(spki, (size_t)len, ret_label);

	OPENSSL_free(spki);
	return ok;
}

static bool name_anchors(struct ike_config *config,
			 const struct policy_anchors *anchors)
{
	for (int i = 0; i < sk_X509_num(anchors->certs); i++) {
		if (config->anchors_count == IKE_MAX_ANCHORS)
			return false;
		if (!anchor_label(sk_X509_value(anchors->certs, i),
				  config->anchors[config->anchors_count++]))
			return false;
	}
	return true;
}

/* The DER of each certificate is allocated; free_certs() releases. */
static bool encode_certs(struct ike_config *config,
			 const struct policy_credential *credential)
{
	for (int i = 0; i < sk_X509_num(credential->certs); i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(sk_X509_value(credential->certs, i), &der);

		if (len <= 0 || config->certs_count == IKE_MAX_CERTS) {
			OPENSSL_free(der);
			return false;
		}
		config->certs[config->certs_count++] =
			(struct ike_bytes){ der, (size_t)len };
	}
	return config->certs_count > 0;
}

static void free_certs(struct ike_config *config)
{
	for (size_t i = 0; i < config->certs_count; i++) {
		/* ours, from i2d; the view is const, the bytes are not */
		void *der;

		memcpy(&der, &config->certs[i].data, sizeof(der));
		OPENSSL_free(der);
	}
}

/* The engine knows its name only. */
static void name_ppk(struct ike_config *config, const struct policy_peer *peer)
{
	if (!peer->ppk)
		return;
	config->ppk_id_len = strlen(peer->ppk_id);
	memcpy(config->ppk_id, peer->ppk_id, config->ppk_id_len);
	config->ppk_required = peer->ppk_required;
}

struct ike *join_new_engine(struct ike_crypto *crypto,
			    const struct policy_config *config,
			    const struct policy_peer *peer,
			    const struct in6_addr *local,
			    const struct in6_addr *remote, enum plane_udp udp,
			    uint32_t (*allocate_spi)(void *ctx), void *ctx)
{
	struct ike_config engine = {
		.crypto = crypto,
		.local = *local,
		.peer = *remote,
		.ike_lifetime = IKE_SECONDS(config->ike_lifetime_s),
		.child_lifetime = IKE_SECONDS(config->child_lifetime_s),
		.hold_time = IKE_SECONDS(peer->hold_time_s),
		.inside = *policy_peer_identity(peer, remote),
		.udp = peer->encapsulate ? IKE_UDP_ALWAYS : (enum ike_udp)udp,
		.random = random_bytes,
		.allocate_spi = allocate_spi,
		.ctx = ctx,
	};
	struct ike *ike = NULL;

	proposals_fill(&peer->algorithms, &engine);
	name_ppk(&engine, peer);
	engine.shared_key = peer->auth == POLICY_PSK;
	if (engine.shared_key ||
	    (encode_certs(&engine, config->credential) &&
	     name_anchors(&engine, peer->anchors)))
		ike = ike_new(&engine);
	free_certs(&engine);
	return ike;
}

static bool make_mac(const struct ike_crypto *crypto,
		     const struct ike_effect *effect,
		     const struct policy_secret *secret, uint8_t *ret_mac,
		     size_t *ret_len)
{
	struct secret mac = { .len = 0 };
	bool made;

	made = secret && shared_key_mac(
		crypto, effect->need_signature.prf,
		(struct ike_bytes){ secret->bytes, secret->len },
		effect->need_signature.octets, &mac);
	if (made) {
		memcpy(ret_mac, mac.bytes, mac.len);
		*ret_len = mac.len;
	}
	secret_wipe(&mac);
	return made;
}

static bool mix_ppk(const struct ike_crypto *crypto,
		    const struct ike_effect *effect,
		    const struct policy_secret *ppk, uint8_t *ret_keys,
		    size_t *ret_len)
{
	const struct ike_bytes keys = effect->need_signature.octets;

	if (!ppk || keys.len > *ret_len ||
	    !ppk_mix(crypto, effect->need_signature.prf,
		     (struct ike_bytes){ ppk->bytes, ppk->len }, keys,
		     ret_keys))
		return false;
	*ret_len = keys.len;
	return true;
}

void join_sign(struct ike *ike, const struct ike_crypto *crypto,
	       struct ike_time now, const struct ike_effect *effect,
	       struct policy_credential *credential,
	       const struct policy_peer *peer)
{
	uint8_t signature[IKE_MAX_SIGNATURE];
	bool made;
	size_t len = sizeof(signature);
	struct ike_input answer = {
		.type = IKE_INPUT_SIGNATURE,
		.signature.request = effect->need_signature.request,
	};

	if (effect->need_signature.ppk)
		made = mix_ppk(crypto, effect, peer->ppk, signature, &len);
	else if (effect->need_signature.prf)
		made = make_mac(crypto, effect, peer->secret, signature, &len);
	else
		made = policy_credential_sign(
			credential, effect->need_signature.hash,
			effect->need_signature.octets.data,
			effect->need_signature.octets.len, signature, &len);
	if (made)
		answer.signature.bytes = (struct ike_bytes){ signature, len };
	ike_input(ike, now, &answer);
	OPENSSL_cleanse(signature, sizeof(signature));
}
