#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/handshake.h"

enum { DIGEST = 32, MAX_SIGNATURE = 512, MAX_SHARED = 66 };

struct handshake_floor {
	EVP_PKEY_CTX *make, *derive, *sign, *verify;
	EVP_PKEY *own, *peer, *key;
	bool edwards;		/* signs messages, not digests */
	unsigned verifications;
	uint8_t signature[MAX_SIGNATURE];
	size_t signature_len;
};

static const uint8_t digest[DIGEST];

static void need(int result, const char *what)
{
	if (result != 1)
		handshake_die(what);
}

static EVP_PKEY_CTX *maker(const char *ke)
{
	bool x25519 = strcmp(ke, "X25519") == 0;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(
		NULL, x25519 ? "X25519" : "EC", NULL);

	need(EVP_PKEY_keygen_init(ctx), "keygen");
	if (!x25519)
		need(EVP_PKEY_CTX_set_group_name(ctx, ke), ke);
	return ctx;
}

static EVP_PKEY *make_key(EVP_PKEY_CTX *ctx)
{
	EVP_PKEY *key = NULL;

	need(EVP_PKEY_generate(ctx, &key), "keygen");
	return key;
}

static void set_padding(EVP_PKEY_CTX *ctx, const EVP_PKEY *key)
{
	need(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), "digest");
	if (!EVP_PKEY_is_a(key, "RSA"))
		return;
	need(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), "PSS");
	need(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST),
	     "PSS");
}

/* EdDSA has no operation on digests in OpenSSL 3.0. */
static void edwards(struct handshake_floor *floor, bool sign)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (sign) {
		need(EVP_DigestSignInit(ctx, NULL, NULL, NULL, floor->key),
		     "sign");
		floor->signature_len = sizeof(floor->signature);
		need(EVP_DigestSign(ctx, floor->signature,
				    &floor->signature_len, digest, DIGEST),
		     "sign");
	} else {
		need(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, floor->key),
		     "verify");
		need(EVP_DigestVerify(ctx, floor->signature,
				      floor->signature_len, digest, DIGEST),
		     "verify");
	}
	EVP_MD_CTX_free(ctx);
}

static void sign(struct handshake_floor *floor)
{
	if (floor->edwards) {
		edwards(floor, true);
		return;
	}
	floor->signature_len = sizeof(floor->signature);
	need(EVP_PKEY_sign(floor->sign, floor->signature,
			   &floor->signature_len, digest, DIGEST), "sign");
}

static void verify(struct handshake_floor *floor)
{
	if (floor->edwards)
		edwards(floor, false);
	else
		need(EVP_PKEY_verify(floor->verify, floor->signature,
				     floor->signature_len, digest, DIGEST),
		     "verify");
}

struct handshake_floor *
floor_make(const struct handshake_suite *suite,
	   const struct handshake_identity *identity)
{
	struct handshake_floor *floor = calloc(1, sizeof(*floor));

	if (!floor)
		handshake_die("calloc");
	floor->key = identity->credential.key;
	floor->edwards = strncmp(suite->key, "ED", 2) == 0;
	floor->verifications = suite->authorize ? 2 : 1;
	floor->make = maker(suite->ke);
	floor->own = make_key(floor->make);
	floor->peer = make_key(floor->make);
	floor->derive = EVP_PKEY_CTX_new(floor->own, NULL);
	need(EVP_PKEY_derive_init(floor->derive), "derive");
	need(EVP_PKEY_derive_set_peer_ex(floor->derive, floor->peer, 0),
	     "derive");
	if (!floor->edwards) {
		floor->sign = EVP_PKEY_CTX_new(floor->key, NULL);
		floor->verify = EVP_PKEY_CTX_new(floor->key, NULL);
		need(EVP_PKEY_sign_init(floor->sign), "sign");
		need(EVP_PKEY_verify_init(floor->verify), "verify");
		set_padding(floor->sign, floor->key);
		set_padding(floor->verify, floor->key);
	}
	return floor;
}

void floor_run(struct handshake_floor *floor)
{
	uint8_t shared[MAX_SHARED];
	size_t len = sizeof(shared);

	EVP_PKEY_free(make_key(floor->make));
	need(EVP_PKEY_derive(floor->derive, shared, &len), "derive");
	sign(floor);
	for (unsigned i = 0; i < floor->verifications; i++)
		verify(floor);
}

void floor_clear(struct handshake_floor *floor)
{
	EVP_PKEY_CTX_free(floor->make);
	EVP_PKEY_CTX_free(floor->derive);
	EVP_PKEY_CTX_free(floor->sign);
	EVP_PKEY_CTX_free(floor->verify);
	EVP_PKEY_free(floor->own);
	EVP_PKEY_free(floor->peer);
	free(floor);
}
