#include "ike/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

static const struct hash {
	const char *name;
	uint16_t prf;
	size_t size;
} hashes[CRYPTO_HASHES] = {
	[CRYPTO_SHA2_256] = { "SHA256", IKE_PRF_HMAC_SHA2_256, 32 },
	[CRYPTO_SHA2_384] = { "SHA384", IKE_PRF_HMAC_SHA2_384, 48 },
	[CRYPTO_SHA2_512] = { "SHA512", IKE_PRF_HMAC_SHA2_512, 64 },
};

/* ------------------------------------------------------------- new, free */

static EVP_MAC_CTX *hmac_template(const char *name)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	char digest[16];
	OSSL_PARAM params[2];

	/* its length is taken at once: it must be there by then */
	memccpy(digest, name, 0, sizeof(digest));
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						     digest, 0);
	params[1] = OSSL_PARAM_construct_end();
	EVP_MAC_free(hmac);
	if (ctx && EVP_MAC_CTX_set_params(ctx, params) == 1)
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

struct ike_crypto *ike_crypto_new(void)
{
	struct ike_crypto *crypto = calloc(1, sizeof(*crypto));
	bool all;

	if (!crypto)
		return NULL;
	crypto->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	crypto->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	all = crypto->sha1 && crypto->sha256;
	for (size_t i = 0; i < CRYPTO_HASHES; i++) {
		crypto->hmac[i] = hmac_template(hashes[i].name);
		all = all && crypto->hmac[i];
	}
	cipher_fetch(crypto);
	ke_fetch(crypto);
	if (all)
		return crypto;
	ike_crypto_free(crypto);
	return NULL;
}

void ike_crypto_free(struct ike_crypto *crypto)
{
	if (!crypto)
		return;
	EVP_MD_free(crypto->sha1);
	EVP_MD_free(crypto->sha256);
	for (size_t i = 0; i < CRYPTO_HASHES; i++)
		EVP_MAC_CTX_free(crypto->hmac[i]);
	for (size_t i = 0; i < CRYPTO_CIPHERS; i++)
		EVP_CIPHER_free(crypto->ciphers[i]);
	for (size_t i = 0; i < CRYPTO_CURVES; i++) {
		EVP_PKEY_CTX_free(crypto->makers[i]);
		EVP_PKEY_CTX_free(crypto->verifiers[i]);
		EVP_PKEY_free(crypto->peers[i]);
	}
	EVP_PKEY_free(crypto->x25519_base);
	free(crypto);
}

/* ---------------------------------------------------------------- hashes */

bool crypto_sha1(const struct ike_crypto *crypto, struct ike_bytes data,
		 uint8_t ret_hash[CRYPTO_SHA1_SIZE])
{
	return EVP_Digest(data.data, data.len, ret_hash, NULL, crypto->sha1,
			  NULL) == 1;
}

bool crypto_sha256(const struct ike_crypto *crypto, struct ike_bytes data,
		   uint8_t ret_hash[CRYPTO_SHA256_SIZE])
{
	return EVP_Digest(data.data, data.len, ret_hash, NULL, crypto->sha256,
			  NULL) == 1;
}

/* ------------------------------------------------------------------ PRFs */

/* HMAC under a key, ready for one use, and with EVP_MAC_init() for another.
 * NULL on failure. */
static EVP_MAC_CTX *hmac_new(const struct ike_crypto *crypto,
			     enum crypto_hash hash, struct ike_bytes key)
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(crypto->hmac[hash]);

	if (ctx && key.len > 0 &&
	    EVP_MAC_init(ctx, key.data, key.len, NULL) == 1)
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

static bool hmac_run(EVP_MAC_CTX *ctx, const struct ike_bytes *parts,
		     size_t count, struct secret *ret_output)
{
	struct secret output = { .len = 0 };
	bool done = true;

	for (size_t i = 0; done && i < count; i++)
		done = EVP_MAC_update(ctx, parts[i].data, parts[i].len) == 1;
	done = done && EVP_MAC_final(ctx, output.bytes, &output.len,
				     SECRET_MAX) == 1;
	if (done)
		*ret_output = output;
	secret_wipe(&output);
	return done;
}

bool crypto_hmac(const struct ike_crypto *crypto, enum crypto_hash hash,
		 struct ike_bytes key, const struct ike_bytes *parts,
		 size_t count, struct secret *ret_output)
{
	EVP_MAC_CTX *ctx = hmac_new(crypto, hash, key);
	bool done = ctx && hmac_run(ctx, parts, count, ret_output);

	EVP_MAC_CTX_free(ctx);
	return done;
}

/* CRYPTO_HASHES if it is none of ours. */
static enum crypto_hash hash_of(uint16_t prf)
{
	size_t i = 0;

	while (i < CRYPTO_HASHES && hashes[i].prf != prf)
		i++;
	return (enum crypto_hash)i;
}

bool crypto_prf(const struct ike_crypto *crypto, uint16_t prf,
		struct ike_bytes key, const struct ike_bytes *parts,
		size_t count, struct secret *ret_output)
{
	const enum crypto_hash hash = hash_of(prf);

	return hash < CRYPTO_HASHES &&
		crypto_hmac(crypto, hash, key, parts, count, ret_output);
}

bool crypto_prf_plus(const struct ike_crypto *crypto, uint16_t prf,
		     struct ike_bytes key, struct ike_bytes seed,
		     uint8_t *ret_output, size_t len)
{
	const enum crypto_hash hash = hash_of(prf);
	EVP_MAC_CTX *ctx = hash < CRYPTO_HASHES ?
		hmac_new(crypto, hash, key) : NULL;
	struct secret block = { .len = 0 };
	size_t done = 0;

	/* T1 = prf(K, S | 0x01), T2 = prf(K, T1 | S | 0x02), ... */
	for (unsigned i = 1; ctx && done < len; i++) {
		uint8_t number = (uint8_t)i;
		struct ike_bytes parts[] = {
			{ block.bytes, block.len }, seed, { &number, 1 }
		};
		size_t take;

		if (i > 255 ||
		    (i > 1 && EVP_MAC_init(ctx, NULL, 0, NULL) != 1) ||
		    !hmac_run(ctx, parts, 3, &block))
			break;
		take = len - done < block.len ? len - done : block.len;
		memcpy(ret_output + done, block.bytes, take);
		done += take;
	}
	secret_wipe(&block);
	EVP_MAC_CTX_free(ctx);
	return done == len;
}

size_t crypto_prf_key_size(uint16_t prf)
{
	const enum crypto_hash hash = hash_of(prf);

	return hash < CRYPTO_HASHES ? hashes[hash].size : 0;
}
