#include "ike/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

/* The PRFs that we have. */
static const struct prf {
	uint16_t id;
	const char *digest;
	size_t size;
} prfs[] = {
	{ IKE_PRF_HMAC_SHA2_256, "SHA256", 32 },
	{ IKE_PRF_HMAC_SHA2_384, "SHA384", 48 },
	{ IKE_PRF_HMAC_SHA2_512, "SHA512", 64 },
};

static const struct prf *find_prf(uint16_t id)
{
	for (size_t i = 0; i < sizeof(prfs) / sizeof(prfs[0]); i++)
		if (prfs[i].id == id)
			return &prfs[i];
	return NULL;
}

bool crypto_sha1(struct ike_bytes data, uint8_t ret_hash[CRYPTO_SHA1_SIZE])
{
	return EVP_Digest(data.data, data.len, ret_hash, NULL, EVP_sha1(),
			  NULL) == 1;
}

bool crypto_sha256(struct ike_bytes data, uint8_t ret_hash[CRYPTO_SHA256_SIZE])
{
	return EVP_Digest(data.data, data.len, ret_hash, NULL, EVP_sha256(),
			  NULL) == 1;
}

/* HMAC under a key, ready for one use, and with EVP_MAC_init() for another:
 * what OpenSSL does to get so far costs more than a short message. NULL on
 * failure. */
static EVP_MAC_CTX *hmac_new(const char *name, struct ike_bytes key)
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
	if (ctx && key.len > 0 &&
	    EVP_MAC_init(ctx, key.data, key.len, params) == 1)
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

bool crypto_hmac(const char *digest, struct ike_bytes key,
		 const struct ike_bytes *parts, size_t count,
		 struct secret *ret_output)
{
	EVP_MAC_CTX *ctx = hmac_new(digest, key);
	bool done = ctx && hmac_run(ctx, parts, count, ret_output);

	EVP_MAC_CTX_free(ctx);
	return done;
}

bool crypto_prf(uint16_t prf, struct ike_bytes key,
		const struct ike_bytes *parts, size_t count,
		struct secret *ret_output)
{
	const struct prf *found = find_prf(prf);

	return found && crypto_hmac(found->digest, key, parts, count,
				    ret_output);
}

bool crypto_prf_plus(uint16_t prf, struct ike_bytes key, struct ike_bytes seed,
		     uint8_t *ret_output, size_t len)
{
	const struct prf *found = find_prf(prf);
	EVP_MAC_CTX *ctx = found ? hmac_new(found->digest, key) : NULL;
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
	const struct prf *found = find_prf(prf);

	return found ? found->size : 0;
}
