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
	int nid;
	const char *name;
} methods[] = {
	{ KIND_X25519, IKE_KE_X25519, 255, X25519_SIZE, 0xff, 0, "" },
	{ KIND_EC, IKE_KE_P256, 256, 32, 0xff, NID_X9_62_prime256v1,
	  SN_X9_62_prime256v1 },
	{ KIND_EC, IKE_KE_P384, 384, 48, 0xff, NID_secp384r1, SN_secp384r1 },
	{ KIND_EC, IKE_KE_P521, 521, 66, 0x01, NID_secp521r1, SN_secp521r1 },
	{ KIND_MODP, IKE_KE_MODP_2048, 2048, 32, 0xff, 0, "" },
	{ KIND_MODP, IKE_KE_MODP_3072, 3072, 40, 0xff, 0, "" },
	{ KIND_MODP, IKE_KE_MODP_4096, 4096, 48, 0xff, 0, "" },
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
static bool derive(EVP_PKEY *own, EVP_PKEY *peer, size_t size,
		   struct secret_wide *ret_shared)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	size_t len = SECRET_WIDE_MAX;
	bool done;

	done = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
		EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
		EVP_PKEY_derive(ctx, ret_shared->bytes, &len) == 1 &&
		len == size;
	if (done)
		ret_shared->len = len;
	EVP_PKEY_CTX_free(ctx);
	return done;
}

/* ------------------------------------------------------- keys of OpenSSL's */

static OSSL_PARAM octets(const char *name, const uint8_t *bytes, size_t len)
{
	/* not written to; the type is not const for other uses */
	return OSSL_PARAM_construct_octet_string(
		name, (void *)(uintptr_t)bytes, len);
}

static EVP_PKEY *key_from(const char *type, int selection, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* A key pair; `private` as OpenSSL has it for this type. */
static EVP_PKEY *key_pair(const char *type, const char *group,
			  struct ike_bytes public, OSSL_PARAM private)
{
	char name[16] = "";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 name, 0),
		octets(OSSL_PKEY_PARAM_PUB_KEY, public.data, public.len),
		private, OSSL_PARAM_construct_end()
	};

	if (!memccpy(name, group, 0, sizeof(name)))
		return NULL;
	params[0].data_size = strlen(name);
	return key_from(type, private.key ? EVP_PKEY_KEYPAIR :
			EVP_PKEY_PUBLIC_KEY, group[0] ? params : params + 1);
}

EVP_PKEY *crypto_public_key(const char *type, const char *group,
			    struct ike_bytes public)
{
	return key_pair(type, group, public, OSSL_PARAM_construct_end());
}

EVP_PKEY *crypto_key_like(const EVP_PKEY *like, struct ike_bytes point)
{
	EVP_PKEY *key = EVP_PKEY_new();

	if (key && EVP_PKEY_copy_parameters(key, like) == 1 &&
	    EVP_PKEY_set1_encoded_public_key(key, point.data, point.len) == 1)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

/* ---------------------------------------------------------------- X25519 */

static bool x25519_make(struct crypto_ke *ke)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
						     ke->private.bytes,
						     X25519_SIZE);
	size_t len = sizeof(ke->public);
	bool done;

	done = key &&
		EVP_PKEY_get_raw_public_key(key, ke->public, &len) == 1 &&
		len == X25519_SIZE;
	ke->public_len = len;
	EVP_PKEY_free(key);
	return done;
}

static enum ike_reason
x25519_shared(const struct crypto_ke *ke, struct ike_bytes public,
	      struct secret_wide *ret_shared)
{
	static const uint8_t zero[X25519_SIZE];
	enum ike_reason reason = IKE_REASON_PUBLIC_VALUE;
	EVP_PKEY *own, *peer;

	if (public.len != X25519_SIZE)
		return reason;
	/* with the public value: it would be computed anew */
	own = key_pair("X25519", "", (struct ike_bytes){ ke->public,
							 X25519_SIZE },
		       octets(OSSL_PKEY_PARAM_PRIV_KEY, ke->private.bytes,
			      X25519_SIZE));
	peer = own ? crypto_key_like(own, public) : NULL;
	if (!own)
		reason = IKE_REASON_CRYPTO;
	else if (peer && derive(own, peer, X25519_SIZE, ret_shared) &&
		 CRYPTO_memcmp(ret_shared->bytes, zero, X25519_SIZE) != 0)
		reason = IKE_REASON_NONE;
	EVP_PKEY_free(own);
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
	EC_GROUP *group = EC_GROUP_new_by_curve_name(method->nid);
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

/* The KE payload holds x | y (RFC 5903 7). */
static bool ec_make(const struct method *method, struct crypto_ke *ke)
{
	uint8_t point[MAX_POINT];

	if (!ec_point(method, &ke->private, point))
		return false;
	ke->public_len = point_size(method) - 1;
	memcpy(ke->public, point + 1, ke->public_len);
	return true;
}

/* Our key pair; x | y of `ke` is on the curve. */
static EVP_PKEY *ec_own(const struct method *method, const struct crypto_ke *ke)
{
	uint8_t point[MAX_POINT] = { POINT_CONVERSION_UNCOMPRESSED };
	uint8_t d[MAX_COORDINATE];
	EVP_PKEY *key;

	memcpy(point + 1, ke->public, ke->public_len);
	/* OpenSSL's numbers have the machine's order of octets */
	for (size_t i = 0; i < ke->private.len; i++)
		d[BIG_ENDIAN_HOST ? i : ke->private.len - 1 - i] =
			ke->private.bytes[i];
	key = key_pair("EC", method->name,
		       (struct ike_bytes){ point, point_size(method) },
		       OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, d,
					       ke->private.len));
	OPENSSL_cleanse(d, sizeof(d));
	return key;
}

/* NULL for a point that is not on the curve: OpenSSL looks when it decodes one,
 * and on a curve of prime order that is enough (RFC 6989 2.3). */
static EVP_PKEY *ec_peer(const EVP_PKEY *own, struct ike_bytes public)
{
	uint8_t point[MAX_POINT] = { POINT_CONVERSION_UNCOMPRESSED };

	memcpy(point + 1, public.data, public.len);
	return crypto_key_like(own, (struct ike_bytes){ point,
							1 + public.len });
}

static enum ike_reason
ec_shared(const struct method *method, const struct crypto_ke *ke,
	  struct ike_bytes public, struct secret_wide *ret_shared)
{
	enum ike_reason reason = IKE_REASON_PUBLIC_VALUE;
	EVP_PKEY *own, *peer;

	if (!public.data || public.len != point_size(method) - 1)
		return reason;
	own = ec_own(method, ke);
	peer = own ? ec_peer(own, public) : NULL;
	if (!own)
		reason = IKE_REASON_CRYPTO;
	else if (peer)
		reason = derive(own, peer, coordinate(method), ret_shared) ?
			IKE_REASON_NONE : IKE_REASON_CRYPTO;
	EVP_PKEY_free(own);
	EVP_PKEY_free(peer);
	return reason;
}

/* ------------------------------------------------------------ all of them */

static bool make(const struct method *method, struct crypto_ke *ke)
{
	switch (method->kind) {
	case KIND_X25519:
		return x25519_make(ke);
	case KIND_EC:
		return ec_make(method, ke);
	case KIND_MODP:
		return modp_make(method->bits, ke);
	}
	return false;
}

static enum ike_reason
shared_of(const struct method *method, const struct crypto_ke *ke,
	  struct ike_bytes public, struct secret_wide *ret_shared)
{
	switch (method->kind) {
	case KIND_X25519:
		return x25519_shared(ke, public, ret_shared);
	case KIND_EC:
		return ec_shared(method, ke, public, ret_shared);
	case KIND_MODP:
		return modp_shared(method->bits, ke, public, ret_shared);
	}
	return IKE_REASON_CRYPTO;
}

bool crypto_ke_make(uint16_t group, bool (*random)(void *, uint8_t *, size_t),
		    void *ctx, struct crypto_ke *ret_ke)
{
	const struct method *method = find(group);
	struct crypto_ke ke = { .group = group };
	bool made = false;

	/* a scalar out of range is drawn again; rare but for P-521 */
	for (int i = 0; method && !made && i < SCALAR_TRIES; i++) {
		ke.private.len = method->private;
		if (!random(ctx, ke.private.bytes, method->private))
			break;
		ke.private.bytes[0] &= method->mask;
		made = make(method, &ke);
	}
	if (made)
		*ret_ke = ke;
	secret_wipe(&ke.private);
	return made;
}

enum ike_reason
crypto_ke_shared(const struct crypto_ke *ke, struct ike_bytes public,
		 struct secret_wide *ret_shared)
{
	const struct method *method = find(ke->group);
	struct secret_wide shared = { .len = 0 };
	enum ike_reason reason = IKE_REASON_CRYPTO;

	if (method)
		reason = shared_of(method, ke, public, &shared);
	if (reason == IKE_REASON_NONE)
		*ret_shared = shared;
	secret_wide_wipe(&shared);
	return reason;
}
