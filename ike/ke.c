/* Key exchange methods: X25519 (RFC 8031), P-256, P-384 and P-521 (RFC 5903),
 * and by ke_modp.c the MODP groups. */
#include "ike/crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <string.h>

enum {
	X25519_SIZE = 32,
	MAX_COORDINATE = 66,		/* P-521 */
	MAX_POINT = 1 + 2 * MAX_COORDINATE,	/* with OpenSSL's type octet */
	SCALAR_TRIES = 16,
	BIG_ENDIAN_HOST = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
};

enum kind { KIND_X25519, KIND_EC, KIND_MODP };

/* The methods that we have; a new one is a row. */
static const struct method {
	enum kind kind;
	uint16_t group;
	uint16_t bits;		/* of the modulus */
	/* octets of the private value. MODP: twice the strength of the group
	 * and more (RFC 3526 8) */
	uint8_t private;
	uint8_t mask;		/* of its first octet */
	enum crypto_curve curve;	/* but MODP */
} methods[] = {
	{ KIND_X25519, IKE_KE_X25519, 255, X25519_SIZE, 0xff, CRYPTO_X25519 },
	{ KIND_EC, IKE_KE_P256, 256, 32, 0xff, CRYPTO_P256 },
	{ KIND_EC, IKE_KE_P384, 384, 48, 0xff, CRYPTO_P384 },
	{ KIND_EC, IKE_KE_P521, 521, 66, 0x01, CRYPTO_P521 },
	{ KIND_MODP, IKE_KE_MODP_2048, 2048, 32, 0xff, CRYPTO_CURVES },
	{ KIND_MODP, IKE_KE_MODP_3072, 3072, 40, 0xff, CRYPTO_CURVES },
	{ KIND_MODP, IKE_KE_MODP_4096, 4096, 48, 0xff, CRYPTO_CURVES },
};

/* As OpenSSL names them. */
static const struct curve {
	const char *type, *group;
	int nid;
} curves[CRYPTO_CURVES] = {
	[CRYPTO_X25519] = { "X25519", "", NID_X25519 },
	[CRYPTO_P256] = { "EC", SN_X9_62_prime256v1, NID_X9_62_prime256v1 },
	[CRYPTO_P384] = { "EC", SN_secp384r1, NID_secp384r1 },
	[CRYPTO_P521] = { "EC", SN_secp521r1, NID_secp521r1 },
};

static const struct method *find(uint16_t group)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].group == group)
			return &methods[i];
	return NULL;
}

/* Derive; the result is always `size` octets. The peer's key has been checked
 * when it was made: OpenSSL need not do so again. */
static bool derive(EVP_PKEY_CTX *ctx, EVP_PKEY *peer, size_t size,
		   struct secret_wide *ret_shared)
{
	size_t len = SECRET_WIDE_MAX;

	if (EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) != 1 ||
	    EVP_PKEY_derive(ctx, ret_shared->bytes, &len) != 1 || len != size)
		return false;
	ret_shared->len = len;
	return true;
}

/* Ready to derive with our own key, which it takes. NULL on failure. */
static EVP_PKEY_CTX *derivation_new(EVP_PKEY *own)
{
	EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;

	EVP_PKEY_free(own);
	if (ctx && EVP_PKEY_derive_init(ctx) == 1)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

/* ------------------------------------------------------- keys of OpenSSL's */

static OSSL_PARAM octets(const char *name, const uint8_t *bytes, size_t len)
{
	/* not written to; the type is not const for other uses */
	return OSSL_PARAM_construct_octet_string(
		name, (void *)(uintptr_t)bytes, len);
}

/* A key; `private`, if any, as OpenSSL has it for this type. */
static EVP_PKEY *make_key(const struct ike_crypto *crypto,
			  enum crypto_curve curve, struct ike_bytes public,
			  OSSL_PARAM private)
{
	const char *group = curves[curve].group;
	EVP_PKEY *key = NULL;
	char name[16] = "";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 name, 0),
		octets(OSSL_PKEY_PARAM_PUB_KEY, public.data, public.len),
		private, OSSL_PARAM_construct_end()
	};

	if (!crypto->makers[curve] || !memccpy(name, group, 0, sizeof(name)))
		return NULL;
	params[0].data_size = strlen(name);
	if (EVP_PKEY_fromdata(crypto->makers[curve], &key, private.key ?
			      EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
			      group[0] ? params : params + 1) != 1)
		return NULL;
	return key;
}

void ke_fetch(struct ike_crypto *crypto)
{
	static const uint8_t base[X25519_SIZE] = { 9 };

	for (size_t i = 0; i < CRYPTO_CURVES; i++) {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(
			NULL, curves[i].type, NULL);

		if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
			crypto->makers[i] = ctx;
		else
			EVP_PKEY_CTX_free(ctx);
	}
	crypto->x25519_base = make_key(crypto, CRYPTO_X25519,
				       (struct ike_bytes){ base, X25519_SIZE },
				       OSSL_PARAM_construct_end());
}

EVP_PKEY *crypto_peer_key(struct ike_crypto *crypto, enum crypto_curve curve,
			  struct ike_bytes public)
{
	EVP_PKEY **key = &crypto->peers[curve];

	if (!*key)
		*key = make_key(crypto, curve, public,
				OSSL_PARAM_construct_end());
	else if (EVP_PKEY_set1_encoded_public_key(*key, public.data,
						  public.len) != 1)
		return NULL;
	return *key && EVP_PKEY_up_ref(*key) == 1 ? *key : NULL;
}

EVP_PKEY_CTX *crypto_verifier(struct ike_crypto *crypto, EVP_PKEY *key)
{
	for (size_t i = 0; i < CRYPTO_CURVES; i++) {
		if (crypto->peers[i] != key)
			continue;
		if (!crypto->verifiers[i])
			crypto->verifiers[i] = EVP_PKEY_CTX_new(key, NULL);
		return crypto->verifiers[i];
	}
	return NULL;
}

/* ---------------------------------------------------------------- X25519 */

/*
 * OpenSSL multiplies the base point in portable C and, on x86-64, all others in
 * assembly, which takes a third less: so the public value is derived (RFC 7748
 * 6.1), and not made with the key. Derivations do not look at it.
 */
static bool x25519_make(const struct ike_crypto *crypto, struct crypto_ke *ke)
{
	static const uint8_t none[X25519_SIZE];
	struct secret_wide public;

	ke->derivation = derivation_new(
		make_key(crypto, CRYPTO_X25519,
			 (struct ike_bytes){ none, X25519_SIZE },
			 octets(OSSL_PKEY_PARAM_PRIV_KEY, ke->private.bytes,
				X25519_SIZE)));
	if (!crypto->x25519_base || !ke->derivation ||
	    !derive(ke->derivation, crypto->x25519_base, X25519_SIZE, &public))
		return false;
	ke->public_len = X25519_SIZE;
	memcpy(ke->public, public.bytes, X25519_SIZE);
	return true;
}

static enum ike_reason
x25519_shared(struct ike_crypto *crypto, const struct crypto_ke *ke,
	      struct ike_bytes public, struct secret_wide *ret_shared)
{
	static const uint8_t zero[X25519_SIZE];
	enum ike_reason reason = IKE_REASON_PUBLIC_VALUE;
	EVP_PKEY *peer;

	if (public.len != X25519_SIZE)
		return reason;
	peer = crypto_peer_key(crypto, CRYPTO_X25519, public);
	if (peer && derive(ke->derivation, peer, X25519_SIZE, ret_shared) &&
	    CRYPTO_memcmp(ret_shared->bytes, zero, X25519_SIZE) != 0)
		reason = IKE_REASON_NONE;
	EVP_PKEY_free(peer);
	return reason;
}

/* -------------------------------------------------------- elliptic curves */

static size_t coordinate(const struct method *method)
{
	return (method->bits + 7u) / 8;
}

static size_t point_size(const struct method *method)
{
	return 1 + 2 * coordinate(method);
}

/* point = scalar * G; false for a scalar outside 1 .. n-1. */
static bool ec_point(const struct method *method, const struct secret *scalar,
		     uint8_t ret_point[MAX_POINT])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(
		curves[method->curve].nid);
	BIGNUM *d = BN_secure_new();
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	bool done;

	done = point && d &&
		BN_bin2bn(scalar->bytes, (int)scalar->len, d) == d &&
		!BN_is_zero(d) && BN_cmp(d, EC_GROUP_get0_order(group)) < 0;
	if (done) {
		BN_set_flags(d, BN_FLG_CONSTTIME);
		done = EC_POINT_mul(group, point, d, NULL, NULL, NULL) == 1 &&
			EC_POINT_point2oct(group, point,
					   POINT_CONVERSION_UNCOMPRESSED,
					   ret_point, MAX_POINT, NULL) ==
			point_size(method);
	}
	EC_POINT_free(point);
	BN_clear_free(d);
	EC_GROUP_free(group);
	return done;
}

static EVP_PKEY *ec_pair(const struct ike_crypto *crypto,
			 const struct method *method,
			 const struct secret *scalar, struct ike_bytes point)
{
	uint8_t d[MAX_COORDINATE];
	EVP_PKEY *key;

	/* OpenSSL's numbers have the machine's order of octets */
	for (size_t i = 0; i < scalar->len; i++)
		d[BIG_ENDIAN_HOST ? i : scalar->len - 1 - i] =
			scalar->bytes[i];
	key = make_key(crypto, method->curve, point,
		       OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, d,
					       scalar->len));
	OPENSSL_cleanse(d, sizeof(d));
	return key;
}

/* The KE payload holds x | y (RFC 5903 7). */
static bool ec_make(const struct ike_crypto *crypto,
		    const struct method *method, struct crypto_ke *ke)
{
	uint8_t point[MAX_POINT];

	if (!ec_point(method, &ke->private, point))
		return false;
	ke->public_len = point_size(method) - 1;
	memcpy(ke->public, point + 1, ke->public_len);
	ke->derivation = derivation_new(
		ec_pair(crypto, method, &ke->private, (struct ike_bytes){
			point, point_size(method) }));
	return ke->derivation != NULL;
}

static enum ike_reason
ec_shared(struct ike_crypto *crypto, const struct method *method,
	  const struct crypto_ke *ke, struct ike_bytes public,
	  struct secret_wide *ret_shared)
{
	uint8_t point[MAX_POINT] = { POINT_CONVERSION_UNCOMPRESSED };
	enum ike_reason reason = IKE_REASON_PUBLIC_VALUE;
	EVP_PKEY *peer;

	if (!public.data || public.len != point_size(method) - 1)
		return reason;
	memcpy(point + 1, public.data, public.len);
	/* fails for a point that is not on the curve: OpenSSL looks when it
	 * decodes one, and on a curve of prime order that is enough (RFC 6989
	 * 2.3) */
	peer = crypto_peer_key(crypto, method->curve, (struct ike_bytes){
			       point, point_size(method) });
	if (peer)
		reason = derive(ke->derivation, peer, coordinate(method),
				ret_shared) ?
			IKE_REASON_NONE : IKE_REASON_CRYPTO;
	EVP_PKEY_free(peer);
	return reason;
}

/* ------------------------------------------------------------ all of them */

static bool make(struct ike_crypto *crypto, const struct method *method,
		 struct crypto_ke *ke)
{
	switch (method->kind) {
	case KIND_X25519:
		return x25519_make(crypto, ke);
	case KIND_EC:
		return ec_make(crypto, method, ke);
	case KIND_MODP:
		return modp_make(method->bits, ke);
	}
	return false;
}

static enum ike_reason
shared_of(struct ike_crypto *crypto, const struct method *method,
	  const struct crypto_ke *ke, struct ike_bytes public,
	  struct secret_wide *ret_shared)
{
	switch (method->kind) {
	case KIND_X25519:
		return x25519_shared(crypto, ke, public, ret_shared);
	case KIND_EC:
		return ec_shared(crypto, method, ke, public, ret_shared);
	case KIND_MODP:
		return modp_shared(method->bits, ke, public, ret_shared);
	}
	return IKE_REASON_CRYPTO;
}

bool crypto_ke_make(struct ike_crypto *crypto, uint16_t group,
		    bool (*random)(void *, uint8_t *, size_t), void *ctx,
		    struct crypto_ke *ret_ke)
{
	const struct method *method = find(group);
	struct crypto_ke ke = { .derivation = NULL };
	bool made = false;

	/* a scalar out of range is drawn again; rare but for P-521 */
	for (int i = 0; method && !made && i < SCALAR_TRIES; i++) {
		crypto_ke_wipe(&ke);
		ke.group = group;
		ke.private.len = method->private;
		if (!random(ctx, ke.private.bytes, method->private))
			break;
		ke.private.bytes[0] &= method->mask;
		made = make(crypto, method, &ke);
	}
	if (ke.derivation)
		secret_wipe(&ke.private);	/* it is in there */
	if (!made) {
		crypto_ke_wipe(&ke);
		return false;
	}
	*ret_ke = ke;
	OPENSSL_cleanse(&ke, sizeof(ke));	/* it is no longer ours */
	return true;
}

void crypto_ke_wipe(struct crypto_ke *ke)
{
	EVP_PKEY_CTX_free(ke->derivation);	/* clears the private number */
	OPENSSL_cleanse(ke, sizeof(*ke));
}

enum ike_reason
crypto_ke_shared(struct ike_crypto *crypto, const struct crypto_ke *ke,
		 struct ike_bytes public, struct secret_wide *ret_shared)
{
	const struct method *method = find(ke->group);
	struct secret_wide shared = { .len = 0 };
	enum ike_reason reason = IKE_REASON_CRYPTO;

	if (method)
		reason = shared_of(crypto, method, ke, public, &shared);
	if (reason == IKE_REASON_NONE)
		*ret_shared = shared;
	secret_wide_wipe(&shared);
	return reason;
}
