/*
 * OpenSSL's d2i_X509() makes the key by its decoders, which try every format
 * and type there is: that takes longer than to verify a signature by it. So
 * the key is found here, and keys of the usual types are made directly.
 */
#include "ike/certificate.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

enum { BEFORE_KEY = 5, SEQUENCE = 0x30, VERSION = 0xa0 };

/* SubjectPublicKeyInfo up to the octets of the key (RFC 5480 2, RFC 8410 4). */
static const struct form {
	enum signature_key kind;
	enum crypto_curve curve;	/* but Ed25519 */
	size_t head_len, key_len;
	const char *head;
} forms[] = {
	{ SIGNATURE_P256, CRYPTO_P256, 26, 65,
	  "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a"
	  "\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00" },
	{ SIGNATURE_P384, CRYPTO_P384, 23, 97,
	  "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b"
	  "\x81\x04\x00\x22\x03\x62\x00" },
	{ SIGNATURE_ED25519, CRYPTO_CURVES, 12, 32,
	  "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00" },
};

struct element {
	struct ike_bytes whole, contents;
};

/* The next element of a DER encoding; 0x81: an error, or an indefinite
 * length. */
static bool next(struct ike_bytes *rest, struct element *ret_element)
{
	const uint8_t *at = rest->data;
	int tag, class;
	long len;

	if (rest->len == 0 || rest->len > IKE_MAX_DATAGRAM ||
	    ASN1_get_object(&at, &len, &tag, &class, (long)rest->len) & 0x81)
		return false;
	ret_element->contents = (struct ike_bytes){ at, (size_t)len };
	ret_element->whole = (struct ike_bytes){
		rest->data, (size_t)(at - rest->data) + (size_t)len };
	rest->data += ret_element->whole.len;
	rest->len -= ret_element->whole.len;
	return true;
}

static bool enter(struct ike_bytes *rest, struct element *ret_element)
{
	return next(rest, ret_element) &&
		ret_element->whole.data[0] == SEQUENCE;
}

/* Certificate, TBSCertificate; there the key comes after version (which may be
 * missing), serialNumber, signature, issuer, validity and subject. */
static bool find_key(struct ike_bytes certificate, struct ike_bytes *ret_info)
{
	struct ike_bytes rest;
	struct element e;

	if (!enter(&certificate, &e) || certificate.len > 0)
		return false;
	rest = e.contents;
	if (!enter(&rest, &e))
		return false;
	rest = e.contents;
	if (!next(&rest, &e) ||
	    (e.whole.data[0] == VERSION && !next(&rest, &e)))
		return false;
	for (int i = 1; i < BEFORE_KEY; i++)
		if (!next(&rest, &e))
			return false;
	if (!enter(&rest, &e))
		return false;
	*ret_info = e.whole;
	return true;
}

static EVP_PKEY *make_key(struct ike_crypto *crypto, const struct form *form,
			  const uint8_t *public)
{
	/* of an Edwards key OpenSSL would leave the old value */
	if (form->kind == SIGNATURE_ED25519)
		return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
						   public, form->key_len);
	return crypto_peer_key(crypto, form->curve, (struct ike_bytes){
			       public, form->key_len });
}

static const struct form *find_form(struct ike_bytes info)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (info.len == forms[i].head_len + forms[i].key_len &&
		    !memcmp(info.data, forms[i].head, forms[i].head_len))
			return &forms[i];
	return NULL;
}

EVP_PKEY *certificate_key(struct ike_crypto *crypto,
			  struct ike_bytes certificate,
			  enum signature_key *ret_kind)
{
	const struct form *form;
	struct ike_bytes info;
	const uint8_t *at;
	EVP_PKEY *key;

	if (!find_key(certificate, &info))
		return NULL;
	form = find_form(info);
	at = info.data;
	key = form ? make_key(crypto, form, at + form->head_len) :
		d2i_PUBKEY(NULL, &at, (long)info.len);
	if (key)
		*ret_kind = form ? form->kind : signature_key_of(key);
	return key;
}
