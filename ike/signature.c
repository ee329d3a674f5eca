#include "ike/signature.h"

#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "ike/certificate.h"

enum { RAW_ROOM = 160 };	/* r and s of P-521, in either form */

bool signature_octets(const struct ike_crypto *crypto,
		      const struct signature_octets *input,
		      uint8_t **ret_octets, size_t *ret_len)
{
	struct secret mac;
	struct writer writer;
	uint8_t *octets;
	size_t size;

	if (!crypto_prf(crypto, input->prf,
			(struct ike_bytes){ input->sk_p->bytes,
					    input->sk_p->len },
			&input->id_body, 1, &mac))
		return false;
	size = input->message.len + input->nonce.len + mac.len;
	octets = size <= SIGNATURE_MAX_OCTETS ? malloc(size) : NULL;
	if (octets) {
		writer = writer_of(octets, size);
		write_view(&writer, input->message);
		write_view(&writer, input->nonce);
		write_bytes(&writer, mac.bytes, mac.len);
		*ret_octets = octets;
		*ret_len = size;
	}
	secret_wipe(&mac);
	return octets != NULL;
}

/* Split method 14's data into algorithm and signature (RFC 7427 3). */
static bool split(struct ike_bytes auth, struct ike_bytes *ret_algorithm,
		  struct ike_bytes *ret_signature)
{
	struct reader reader = reader_of(auth);
	uint8_t len;

	if (!read_u8(&reader, &len) ||
	    !read_bytes(&reader, len, ret_algorithm))
		return false;
	*ret_signature = read_rest(&reader);
	return ret_signature->len > 0 &&
		ret_signature->len <= IKE_MAX_SIGNATURE;
}

/* RSA's padding is checked by OpenSSL, all of it, and never by us. */
static bool set_padding(EVP_PKEY_CTX *ctx, enum signature_scheme scheme)
{
	switch (scheme) {
	case SCHEME_RSA_PSS:
		return EVP_PKEY_CTX_set_rsa_padding(
				ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
			EVP_PKEY_CTX_set_rsa_pss_saltlen(
				ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
	case SCHEME_RSA_PKCS1:
		return EVP_PKEY_CTX_set_rsa_padding(ctx,
						    RSA_PKCS1_PADDING) == 1;
	case SCHEME_ECDSA:
	case SCHEME_ED25519:
	case SCHEME_ED448:
		return true;
	}
	return false;
}

/* Of a row that names one: SHA-2. */
static const EVP_MD *digest_of(uint16_t hash)
{
	if (hash == IKE_HASH_SHA2_256)
		return EVP_sha256();
	return hash == IKE_HASH_SHA2_384 ? EVP_sha384() : EVP_sha512();
}

/* EdDSA hashes by itself, and not only the octets. */
static bool verify_pure(EVP_PKEY *key, struct ike_bytes signature,
			struct ike_bytes octets)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool valid;

	valid = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestVerify(ctx, signature.data, signature.len,
				 octets.data, octets.len) == 1;
	EVP_MD_CTX_free(ctx);
	return valid;
}

static bool verify_hash(struct ike_crypto *crypto, EVP_PKEY *key,
			const struct signature_row *row,
			struct ike_bytes signature, struct ike_bytes octets)
{
	const EVP_MD *md = digest_of(row->hash);
	EVP_PKEY_CTX *kept = crypto_verifier(crypto, key);
	EVP_PKEY_CTX *ctx = kept ? kept : EVP_PKEY_CTX_new(key, NULL);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len;
	bool valid;

	valid = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
		EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
		set_padding(ctx, row->scheme) &&
		EVP_Digest(octets.data, octets.len, digest, &len, md,
			   NULL) == 1 &&
		EVP_PKEY_verify(ctx, signature.data, signature.len, digest,
				len) == 1;
	if (!kept)
		EVP_PKEY_CTX_free(ctx);
	return valid;
}

static bool verify(struct ike_crypto *crypto, EVP_PKEY *key,
		   const struct signature_row *row, struct ike_bytes signature,
		   struct ike_bytes octets)
{
	return row->hash == IKE_HASH_IDENTITY ?
		verify_pure(key, signature, octets) :
		verify_hash(crypto, key, row, signature, octets);
}

/* r | s (RFC 4754 3) to DER ECDSA-Sig-Value; 0 on failure. */
static size_t raw_to_der(struct ike_bytes raw, uint8_t ret_der[RAW_ROOM])
{
	int half = (int)raw.len / 2, len = 0;
	ECDSA_SIG *value = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw.data, half, NULL);
	BIGNUM *s = BN_bin2bn(raw.data + half, half, NULL);
	unsigned char *at = ret_der;

	if (value && r && s && ECDSA_SIG_set0(value, r, s) == 1) {
		r = s = NULL;
		len = i2d_ECDSA_SIG(value, NULL);
		len = len > 0 && len <= RAW_ROOM ?
			i2d_ECDSA_SIG(value, &at) : 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(value);
	return len > 0 ? (size_t)len : 0;
}

/* And back. */
static bool der_to_raw(struct ike_bytes der, size_t coordinate,
		       uint8_t ret_raw[RAW_ROOM])
{
	const unsigned char *at = der.data;
	ECDSA_SIG *value = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
	int half = (int)coordinate;
	bool done;

	done = value && coordinate <= RAW_ROOM / 2 &&
		BN_bn2binpad(ECDSA_SIG_get0_r(value), ret_raw, half) == half &&
		BN_bn2binpad(ECDSA_SIG_get0_s(value), ret_raw + half,
			     half) == half;
	ECDSA_SIG_free(value);
	return done;
}

/* Methods 9, 10, 11. */
static enum ike_reason
verify_raw(struct ike_crypto *crypto, EVP_PKEY *key, enum signature_key kind,
	   uint8_t method, struct ike_bytes auth, struct ike_bytes octets)
{
	struct signature_choice choice;
	uint8_t der[RAW_ROOM];
	size_t len;

	if (!signature_method(method, kind, &choice))
		return IKE_REASON_CERTIFICATE;
	if (auth.len != 2 * choice.coordinate)
		return IKE_REASON_AUTH;
	len = raw_to_der(auth, der);
	if (len == 0 || !verify(crypto, key, choice.row,
				(struct ike_bytes){ der, len }, octets))
		return IKE_REASON_AUTH;
	return IKE_REASON_NONE;
}

static enum ike_reason
verify_digital(struct ike_crypto *crypto, EVP_PKEY *key,
	       enum signature_key kind, struct ike_bytes auth,
	       struct ike_bytes octets)
{
	struct ike_bytes algorithm, signature;
	const struct signature_row *row;

	row = split(auth, &algorithm, &signature) ? signature_row(algorithm) :
		NULL;
	if (!row)
		return IKE_REASON_AUTH_METHOD;
	if (kind == SIGNATURE_NONE)
		return IKE_REASON_CERTIFICATE;
	if (!signature_row_fits(row, kind) ||
	    !verify(crypto, key, row, signature, octets))
		return IKE_REASON_AUTH;
	return IKE_REASON_NONE;
}

enum ike_reason
signature_verify(struct ike_crypto *crypto, struct ike_bytes certificate,
		 uint8_t method, struct ike_bytes auth, struct ike_bytes octets)
{
	enum ike_reason reason = IKE_REASON_AUTH_METHOD;
	enum signature_key kind;
	EVP_PKEY *key = certificate_key(crypto, certificate, &kind);

	if (!key)
		reason = IKE_REASON_CERTIFICATE;
	else if (method == IKE_AUTH_METHOD_DIGITAL_SIGNATURE)
		reason = verify_digital(crypto, key, kind, auth, octets);
	else if (method == IKE_AUTH_METHOD_ECDSA_P256 ||
		 method == IKE_AUTH_METHOD_ECDSA_P384 ||
		 method == IKE_AUTH_METHOD_ECDSA_P521)
		reason = verify_raw(crypto, key, kind, method, auth, octets);
	EVP_PKEY_free(key);
	return reason;
}

void signature_write(struct writer *writer,
		     const struct signature_choice *choice,
		     struct ike_bytes signature)
{
	write_payload(writer, IKE_PAYLOAD_AUTH);
	write_u8(writer, choice->method);
	write_u8(writer, 0);
	write_u16(writer, 0);
	signature_write_data(writer, choice, signature);
}

void signature_write_data(struct writer *writer,
			  const struct signature_choice *choice,
			  struct ike_bytes signature)
{
	uint8_t raw[RAW_ROOM];

	if (choice->method == IKE_AUTH_METHOD_SHARED_KEY) {
		write_view(writer, signature);
		return;
	}
	if (choice->coordinate > 0) {
		if (!der_to_raw(signature, choice->coordinate, raw))
			writer->failed = true;
		else
			write_bytes(writer, raw, 2 * choice->coordinate);
		return;
	}
	write_u8(writer, (uint8_t)choice->row->len);
	write_bytes(writer, choice->row->der, choice->row->len);
	write_view(writer, signature);
}
