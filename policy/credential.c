#include "policy/credential.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "policy/certificate.h"
#include "policy/file.h"
#include "policy/text.h"

/* IANA, "IKEv2 Hash Algorithms" (RFC 7427 section 7, RFC 8420 section 2).
 * SHA-1 is 1 and is not here. */
enum hash_id {
	HASH_SHA2_256 = 2,
	HASH_SHA2_384 = 3,
	HASH_SHA2_512 = 4,
	HASH_IDENTITY = 5	/* EdDSA, which hashes by itself */
};

/* ---------------------------------------------------------------- reading */

static STACK_OF(X509) *read_certificates(const char *file, const char *what,
					 int max, char *ret_why, size_t size)
{
	STACK_OF(X509) *certs;
	struct stat stat;
	char *pem = file_read(file, what, &stat, ret_why, size);

	if (pem == NULL)
		return NULL;
	certs = certificate_decode_pem(pem, max);
	file_free(pem);
	if (certs == NULL)
		text_format(ret_why, size, "%s %s is malformed, expected 1 to "
			    "%d PEM certificates and nothing else: replace it",
			    what, file, max);
	return certs;
}

STACK_OF(X509) *policy_certificates_read(const char *file, char *ret_why,
					 size_t why_size)
{
	return read_certificates(file, "certificate file", POLICY_MAX_CHAIN,
				 ret_why, why_size);
}

/* OpenSSL would ask on the terminal for the passphrase of an encrypted key. */
static int no_passphrase(char *buffer, int size, int writing, void *ctx)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static EVP_PKEY *decode_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return key;
}

EVP_PKEY *policy_key_read(const char *file, char *ret_why, size_t why_size)
{
	EVP_PKEY *key = NULL;
	struct stat stat;
	char *pem = file_read(file, "key file", &stat, ret_why, why_size);

	if (pem == NULL)
		return NULL;
	if (!file_private(&stat, "key file", file, ret_why, why_size))
		goto done;
	key = decode_key(pem);
	if (key == NULL)
		text_format(ret_why, why_size, "key file %s is malformed, "
			    "expected an unencrypted PEM private key: "
			    "replace it", file);
done:
	file_free(pem);
	return key;
}

/* ------------------------------------------------------------- credential */

struct policy_credential *
policy_credential_read(const char *certificate_file, const char *key_file,
		       char *ret_why, size_t why_size)
{
	struct policy_credential *credential = calloc(1, sizeof(*credential));

	if (credential == NULL) {
		text_format(ret_why, why_size, "out of memory");
		return NULL;
	}
	credential->certs = policy_certificates_read(certificate_file, ret_why,
						     why_size);
	if (credential->certs == NULL)
		goto fail;
	credential->key = policy_key_read(key_file, ret_why, why_size);
	if (credential->key == NULL)
		goto fail;
	if (X509_check_private_key(sk_X509_value(credential->certs, 0),
				   credential->key) != 1) {
		text_format(ret_why, why_size, "key file %s is not the key of "
			    "the first certificate in %s: name the two that "
			    "were made together", key_file, certificate_file);
		goto fail;
	}
	return credential;
fail:
	policy_credential_free(credential);
	return NULL;
}

void policy_credential_free(struct policy_credential *credential)
{
	if (credential == NULL)
		return;
	sk_X509_pop_free(credential->certs, X509_free);
	EVP_PKEY_CTX_free(credential->signer);
	/* clears the private number (BN_clear_free) */
	EVP_PKEY_free(credential->key);
	free(credential);
}

static const EVP_MD *hash_of(uint16_t id)
{
	switch (id) {
	case HASH_SHA2_256:
		return EVP_sha256();
	case HASH_SHA2_384:
		return EVP_sha384();
	case HASH_SHA2_512:
		return EVP_sha512();
	}
	return NULL;
}

static bool hash_fits(const EVP_PKEY *key, uint16_t hash)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
	case EVP_PKEY_RSA:
		return hash_of(hash) != NULL;
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
		return hash == HASH_IDENTITY;
	}
	return false;
}

/* RSA signs with RSASSA-PSS, never with the older padding (RFC 8247 3.2). */
static bool set_padding(const EVP_PKEY *key, EVP_PKEY_CTX *ctx)
{
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx,
						RSA_PSS_SALTLEN_DIGEST) == 1;
}

/* What signs hashes of this kind; it does so again and again. NULL on
 * failure. */
static EVP_PKEY_CTX *signer_new(EVP_PKEY *key, const EVP_MD *md)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

	if (ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
	    set_padding(key, ctx))
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

static bool sign_hash(struct policy_credential *credential, uint16_t hash,
		      const uint8_t *octets, size_t len,
		      uint8_t *ret_signature, size_t *ret_len)
{
	const EVP_MD *md = hash_of(hash);
	const size_t room = *ret_len;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;

	if (credential->signer == NULL || credential->signer_hash != hash) {
		EVP_PKEY_CTX_free(credential->signer);
		credential->signer = signer_new(credential->key, md);
		credential->signer_hash = hash;
	}
	return credential->signer != NULL &&
	       EVP_Digest(octets, len, digest, &digest_len, md, NULL) == 1 &&
	       /* fails if *ret_len bytes might not be enough */
	       EVP_PKEY_sign(credential->signer, ret_signature, ret_len,
			     digest, digest_len) == 1 &&
	       /* without memory OpenSSL 3.0 says 1, and a length of -1 */
	       *ret_len <= room;
}

/* EdDSA hashes by itself, and not only the octets. */
static bool sign_pure(EVP_PKEY *key, const uint8_t *octets, size_t len,
		      uint8_t *ret_signature, size_t *ret_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done;

	done = ctx != NULL &&
	       EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	       EVP_DigestSign(ctx, ret_signature, ret_len, octets, len) == 1;
	EVP_MD_CTX_free(ctx);
	return done;
}

bool policy_credential_sign(struct policy_credential *credential,
			    uint16_t hash, const uint8_t *octets, size_t len,
			    uint8_t *ret_signature, size_t *ret_len)
{
	if (!hash_fits(credential->key, hash))
		return false;
	if (hash == HASH_IDENTITY)
		return sign_pure(credential->key, octets, len, ret_signature,
				 ret_len);
	return sign_hash(credential, hash, octets, len, ret_signature,
			 ret_len);
}

/* ---------------------------------------------------------------- anchors */

static bool anchor_accepted(X509 *cert, const char *file, char *ret_why,
			    size_t size)
{
	char subject[CERTIFICATE_NAME_SIZE], why[POLICY_TEXT_SIZE];

	if (!certificate_is_ca(cert)) {
		certificate_subject(cert, subject, sizeof(subject));
		text_format(ret_why, size, "trust file %s: certificate %s is "
			    "no CA, expected the peer's CA certificate "
			    "(its ca.crt)", file, subject);
		return false;
	}
	if (!certificate_key_accepted(cert, why, sizeof(why))) {
		text_format(ret_why, size, "trust file %s: %s", file, why);
		return false;
	}
	return true;
}

struct policy_anchors *policy_anchors_read(const char *file, char *ret_why,
					   size_t why_size)
{
	struct policy_anchors *anchors = calloc(1, sizeof(*anchors));
	int i;

	if (anchors == NULL) {
		text_format(ret_why, why_size, "out of memory");
		return NULL;
	}
	anchors->certs = read_certificates(file, "trust file",
					   POLICY_MAX_ANCHORS, ret_why,
					   why_size);
	if (anchors->certs == NULL)
		goto fail;
	for (i = 0; i < sk_X509_num(anchors->certs); i++) {
		if (!anchor_accepted(sk_X509_value(anchors->certs, i), file,
				     ret_why, why_size))
			goto fail;
	}
	return anchors;
fail:
	policy_anchors_free(anchors);
	return NULL;
}

void policy_anchors_free(struct policy_anchors *anchors)
{
	if (anchors == NULL)
		return;
	sk_X509_pop_free(anchors->certs, X509_free);
	free(anchors);
}

bool policy_anchors_equal(const struct policy_anchors *a,
			  const struct policy_anchors *b)
{
	int i, count;

	if (a == NULL || b == NULL)
		return a == b;
	count = sk_X509_num(a->certs);
	if (count != sk_X509_num(b->certs))
		return false;
	for (i = 0; i < count; i++) {
		if (X509_cmp(sk_X509_value(a->certs, i),
			     sk_X509_value(b->certs, i)) != 0)
			return false;
	}
	return true;
}
