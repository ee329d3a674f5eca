#include "ike/shared_key.h"

#include "ike/engine.h"

bool shared_key_mac(const struct ike_crypto *crypto, uint16_t prf,
		    struct ike_bytes secret, struct ike_bytes octets,
		    struct secret *ret_mac)
{
	static const uint8_t pad[] = "Key Pad for IKEv2";
	struct ike_bytes part = { pad, sizeof(pad) - 1 };
	struct secret key = { .len = 0 };
	bool done;

	done = secret.len >= SHARED_KEY_MIN &&
		crypto_prf(crypto, prf, secret, &part, 1, &key) &&
		crypto_prf(crypto, prf,
			   (struct ike_bytes){ key.bytes, key.len }, &octets,
			   1, ret_mac);
	secret_wipe(&key);
	return done;
}

/* The identity is the peer's own address: the key is bound to it. */
static bool is_peer(const struct ike *ike, const struct payload_id *id)
{
	const struct in6_addr *peer = &ike->config.inside;
	bool v4 = IN6_IS_ADDR_V4MAPPED(peer);
	struct ike_bytes address = {
		peer->s6_addr + (v4 ? 12 : 0), v4 ? 4 : 16
	};

	return id->type == (v4 ? IKE_ID_IPV4_ADDR : IKE_ID_IPV6_ADDR) &&
		bytes_equal(id->bytes, address);
}

enum ike_reason shared_key_check(const struct ike *ike, const struct sa *sa,
				 const struct payloads *payloads)
{
	/* certificates on one side and a key on the other do not mix */
	if (payloads->auth_method != IKE_AUTH_METHOD_SHARED_KEY)
		return IKE_REASON_AUTH_METHOD;
	if (!is_peer(ike, sa->initiator ? &payloads->idr : &payloads->idi))
		return IKE_REASON_IDENTITY;
	if (payloads->auth.len != crypto_prf_key_size(sa->algorithms.prf))
		return IKE_REASON_AUTH;
	return IKE_REASON_NONE;
}

bool shared_key_matches(const struct payloads *payloads,
			struct ike_bytes expected)
{
	return expected.len > 0 && expected.len == payloads->auth.len &&
		CRYPTO_memcmp(expected.data, payloads->auth.data,
			      expected.len) == 0;
}
