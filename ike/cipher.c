/*
 * Ciphers and integrity algorithms by transform id, and the protection of a
 * message with them: AEAD (RFC 5282, RFC 7634), or AES-CBC (RFC 3602) with
 * HMAC over everything before it (RFC 7296 3.14, RFC 4868). A new one is a
 * row.
 */
#include <openssl/evp.h>
#include <string.h>

#include "ike/crypto.h"

enum { AEAD_NONCE = 12, BLOCK = 16 };

/* Lengths in octets. Rows without a name are for ESP only. */
static const struct cipher {
	uint16_t id, key_bits;		/* as negotiated (RFC 7296 3.3.5) */
	const char *name;
	size_t key, salt, iv, block, icv;
	const EVP_CIPHER *(*make_iv)(void);
} ciphers[CRYPTO_CIPHERS] = {
	{ IKE_ENCR_AES_GCM_16, 256, "AES-256-GCM", 32, 4, 8, 1, 16, NULL },
	{ IKE_ENCR_AES_GCM_16, 128, "AES-128-GCM", 16, 4, 8, 1, 16, NULL },
	{ IKE_ENCR_CHACHA20_POLY1305, 0, "ChaCha20-Poly1305", 32, 4, 8, 1,
	  16, NULL },
	{ IKE_ENCR_AES_CBC, 256, "AES-256-CBC", 32, 0, BLOCK, BLOCK, 0,
	  EVP_aes_256_ecb },
	{ IKE_ENCR_AES_CBC, 128, "AES-128-CBC", 16, 0, BLOCK, BLOCK, 0,
	  EVP_aes_128_ecb },
	{ IKE_ENCR_NULL, 0, NULL, 0, 0, 0, 1, 0, NULL },
	{ IKE_ENCR_NULL_AUTH_AES_GMAC, 256, NULL, 32, 4, 8, 1, 16, NULL },
	{ IKE_ENCR_NULL_AUTH_AES_GMAC, 128, NULL, 16, 4, 8, 1, 16, NULL },
};

/* RFC 4868 2.6 */
static const struct integ {
	uint16_t id;
	enum crypto_hash hash;
	size_t key, icv;
} integs[] = {
	{ IKE_INTEG_HMAC_SHA2_256_128, CRYPTO_SHA2_256, 32, 16 },
	{ IKE_INTEG_HMAC_SHA2_384_192, CRYPTO_SHA2_384, 48, 24 },
	{ IKE_INTEG_HMAC_SHA2_512_256, CRYPTO_SHA2_512, 64, 32 },
};

void cipher_fetch(struct ike_crypto *crypto)
{
	for (size_t i = 0; i < CRYPTO_CIPHERS; i++)
		if (ciphers[i].name)
			crypto->ciphers[i] = EVP_CIPHER_fetch(
				NULL, ciphers[i].name, NULL);
}

static const struct cipher *find_cipher(uint16_t id, uint16_t key_bits)
{
	for (size_t i = 0; i < CRYPTO_CIPHERS; i++)
		if (ciphers[i].id == id && ciphers[i].key_bits == key_bits)
			return &ciphers[i];
	return NULL;
}

static const struct integ *find_integ(uint16_t id)
{
	for (size_t i = 0; i < sizeof(integs) / sizeof(integs[0]); i++)
		if (integs[i].id == id)
			return &integs[i];
	return NULL;
}

size_t crypto_encr_key_size(uint16_t encr, uint16_t key_bits)
{
	const struct cipher *cipher = find_cipher(encr, key_bits);

	return cipher ? cipher->key + cipher->salt : 0;
}

size_t crypto_integ_key_size(uint16_t integ)
{
	const struct integ *found = find_integ(integ);

	return found ? found->key : 0;
}

bool crypto_sound(uint16_t encr, uint16_t key_bits, uint16_t integ)
{
	const struct cipher *cipher = find_cipher(encr, key_bits);

	if (!cipher)
		return false;
	if (cipher->icv > 0)
		return integ == IKE_INTEG_NONE;
	return find_integ(integ) != NULL;
}

bool crypto_shape(const struct crypto_protection *protection,
		  struct crypto_shape *ret_shape)
{
	const struct cipher *cipher = find_cipher(protection->encr,
						  protection->key_bits);
	const struct integ *integ = find_integ(protection->integ);

	if (!cipher || !cipher->name ||
	    !crypto_sound(protection->encr, protection->key_bits,
			  protection->integ) ||
	    protection->e->len != cipher->key + cipher->salt ||
	    (integ && protection->a->len != integ->key))
		return false;
	*ret_shape = (struct crypto_shape){
		.iv = cipher->iv, .block = cipher->block,
		.icv = integ ? integ->icv : cipher->icv
	};
	return true;
}

static const EVP_CIPHER *evp_of(const struct crypto_protection *protection,
				const struct cipher *cipher)
{
	return protection->crypto->ciphers[cipher - ciphers];
}

/* ------------------------------------------------------------------- AEAD */

/* What is the same in both directions: cipher, key, nonce of salt | IV
 * (RFC 5282 4), associated data. */
static bool aead_begin(EVP_CIPHER_CTX *ctx, const struct cipher *cipher,
		       const struct crypto_protection *protection,
		       const uint8_t *message, size_t aad_len, int encrypt)
{
	const struct secret *key = protection->e;
	uint8_t nonce[AEAD_NONCE];
	int len;

	memcpy(nonce, key->bytes + cipher->key, cipher->salt);
	memcpy(nonce + cipher->salt, message + aad_len, cipher->iv);
	return EVP_CipherInit_ex2(ctx, evp_of(protection, cipher), key->bytes,
				  nonce, encrypt, NULL) == 1 &&
		EVP_CipherUpdate(ctx, NULL, &len, message,
				 (int)aad_len) == 1;
}

static bool aead_seal(EVP_CIPHER_CTX *ctx, const struct cipher *cipher,
		      const struct crypto_protection *protection,
		      uint8_t *message, size_t aad_len, size_t len)
{
	uint8_t *text = message + aad_len + cipher->iv;
	int done, last;

	return aead_begin(ctx, cipher, protection, message, aad_len, 1) &&
		EVP_CipherUpdate(ctx, text, &done, text, (int)len) == 1 &&
		EVP_CipherFinal_ex(ctx, text + done, &last) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG,
				    (int)cipher->icv, text + len) == 1;
}

static bool aead_open(EVP_CIPHER_CTX *ctx, const struct cipher *cipher,
		      const struct crypto_protection *protection,
		      struct ike_bytes message, size_t aad_len, size_t len,
		      uint8_t *ret_plaintext)
{
	const uint8_t *text = message.data + aad_len + cipher->iv;
	uint8_t icv[CRYPTO_MAX_ICV];
	int done = 0, last;

	memcpy(icv, text + len, cipher->icv);
	return aead_begin(ctx, cipher, protection, message.data, aad_len, 0) &&
		EVP_CipherUpdate(ctx, ret_plaintext, &done, text,
				 (int)len) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
				    (int)cipher->icv, icv) == 1 &&
		EVP_CipherFinal_ex(ctx, ret_plaintext + done, &last) == 1;
}

/* ----------------------------------------------------------- CBC and HMAC */

/* In and out may be the same. */
static bool run(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *evp,
		const struct secret *key, const uint8_t *iv, int encrypt,
		struct ike_bytes in, uint8_t *out)
{
	int done, last;

	return EVP_CipherInit_ex2(ctx, evp, key->bytes, iv, encrypt,
				  NULL) == 1 &&
		EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
		EVP_CipherUpdate(ctx, out, &done, in.data,
				 (int)in.len) == 1 &&
		EVP_CipherFinal_ex(ctx, out + done, &last) == 1 &&
		(size_t)done + (size_t)last == in.len;
}

static bool hmac(const struct crypto_protection *protection,
		 const uint8_t *message, size_t len, struct secret *ret_mac)
{
	struct ike_bytes part = { message, len };

	return crypto_hmac(protection->crypto,
			   find_integ(protection->integ)->hash,
			   (struct ike_bytes){ protection->a->bytes,
					       protection->a->len },
			   &part, 1, ret_mac);
}

/* The IV must not be predictable: a counter that never repeats, encrypted
 * under the key (NIST SP 800-38A, appendix C). */
static bool cbc_seal(EVP_CIPHER_CTX *ctx, const struct cipher *cipher,
		     const struct crypto_protection *protection,
		     uint8_t *message, size_t aad_len, size_t len)
{
	uint8_t *iv = message + aad_len, *text = iv + cipher->iv;
	size_t signed_len = aad_len + cipher->iv + len;
	struct secret mac = { .len = 0 };
	bool done;

	done = run(ctx, cipher->make_iv(), protection->e, NULL, 1,
		   (struct ike_bytes){ iv, cipher->iv }, iv) &&
		run(ctx, evp_of(protection, cipher), protection->e, iv, 1,
		    (struct ike_bytes){ text, len }, text) &&
		hmac(protection, message, signed_len, &mac);
	if (done)
		memcpy(message + signed_len, mac.bytes,
		       find_integ(protection->integ)->icv);
	secret_wipe(&mac);
	return done;
}

static bool cbc_open(EVP_CIPHER_CTX *ctx, const struct cipher *cipher,
		     const struct crypto_protection *protection,
		     struct ike_bytes message, size_t aad_len, size_t len,
		     uint8_t *ret_plaintext)
{
	const uint8_t *iv = message.data + aad_len, *text = iv + cipher->iv;
	struct secret mac = { .len = 0 };
	bool valid;

	/* the check comes before any decryption (RFC 7296 3.14) */
	valid = hmac(protection, message.data, aad_len + cipher->iv + len,
		     &mac) &&
		CRYPTO_memcmp(mac.bytes, text + len,
			      find_integ(protection->integ)->icv) == 0 &&
		len % cipher->block == 0 &&
		run(ctx, evp_of(protection, cipher), protection->e, iv, 0,
		    (struct ike_bytes){ text, len }, ret_plaintext);
	secret_wipe(&mac);
	return valid;
}

/* ---------------------------------------------------------- both together */

bool crypto_seal(const struct crypto_protection *protection, uint64_t counter,
		 uint8_t *message, size_t aad_len, size_t len)
{
	const struct cipher *cipher = find_cipher(protection->encr,
						  protection->key_bits);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct crypto_shape shape;
	struct writer iv;
	bool done = false;

	if (ctx && crypto_shape(protection, &shape) &&
	    len % shape.block == 0 && aad_len <= IKE_MAX_DATAGRAM &&
	    len <= IKE_MAX_DATAGRAM) {
		memset(message + aad_len, 0, shape.iv);
		iv = writer_of(message + aad_len + shape.iv - 8, 8);
		write_u64(&iv, counter);
		done = cipher->icv > 0 ?
			aead_seal(ctx, cipher, protection, message,
				  aad_len, len) :
			cbc_seal(ctx, cipher, protection, message, aad_len,
				 len);
	}
	EVP_CIPHER_CTX_free(ctx);
	return done;
}

bool crypto_open(const struct crypto_protection *protection,
		 struct ike_bytes message, size_t aad_len,
		 uint8_t *ret_plaintext, size_t *ret_len)
{
	const struct cipher *cipher = find_cipher(protection->encr,
						  protection->key_bits);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct crypto_shape shape;
	bool done = false;
	size_t len;

	if (ctx && crypto_shape(protection, &shape) &&
	    message.len <= IKE_MAX_DATAGRAM && aad_len <= message.len &&
	    message.len - aad_len >= shape.iv + shape.icv) {
		len = message.len - aad_len - shape.iv - shape.icv;
		done = cipher->icv > 0 ?
			aead_open(ctx, cipher, protection, message,
				  aad_len, len, ret_plaintext) :
			cbc_open(ctx, cipher, protection, message, aad_len,
				 len, ret_plaintext);
		if (done)
			*ret_len = len;
	}
	EVP_CIPHER_CTX_free(ctx);
	return done;
}
