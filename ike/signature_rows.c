/*
 * How AUTH payloads are signed: the algorithms of RFC 7427 (appendix A) and
 * RFC 8420, which of them we sign with, and which keys they go with.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

#include "ike/signature.h"

enum {
	RSA_MIN_BITS = 2048,
	RSA_MAX_BITS = 8 * IKE_MAX_SIGNATURE,
	RSA_MAX_EXPONENT_BITS = 64
};

/* AlgorithmIdentifiers as they travel. The first row of a scheme and hash is
 * the one that we write. RSASSA-PSS: MGF1 with the same hash, salt as long as
 * the hash, parameters of the hash NULL or absent (RFC 4055 2.1). SHA-1 has
 * no row. */
static const struct signature_row rows[] = {
	{ SCHEME_ECDSA, IKE_HASH_SHA2_256, 12,
	  "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02" },
	{ SCHEME_ECDSA, IKE_HASH_SHA2_384, 12,
	  "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03" },
	{ SCHEME_ECDSA, IKE_HASH_SHA2_512, 12,
	  "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04" },
	{ SCHEME_RSA_PSS, IKE_HASH_SHA2_256, 67,
	  "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
	  "\x30\x34\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65"
	  "\x03\x04\x02\x01\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a"
	  "\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60"
	  "\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\xa2\x03\x02"
	  "\x01\x20" },
	{ SCHEME_RSA_PSS, IKE_HASH_SHA2_384, 67,
	  "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
	  "\x30\x34\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65"
	  "\x03\x04\x02\x02\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a"
	  "\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60"
	  "\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\xa2\x03\x02"
	  "\x01\x30" },
	{ SCHEME_RSA_PSS, IKE_HASH_SHA2_512, 67,
	  "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
	  "\x30\x34\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65"
	  "\x03\x04\x02\x03\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a"
	  "\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60"
	  "\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\xa2\x03\x02"
	  "\x01\x40" },
	{ SCHEME_RSA_PSS, IKE_HASH_SHA2_256, 63,
	  "\x30\x3d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
	  "\x30\x30\xa0\x0d\x30\x0b\x06\x09\x60\x86\x48\x01\x65"
	  "\x03\x04\x02\x01\xa1\x1a\x30\x18\x06\x09\x2a\x86\x48"
	  "\x86\xf7\x0d\x01\x01\x08\x30\x0b\x06\x09\x60\x86\x48"
	  "\x01\x65\x03\x04\x02\x01\xa2\x03\x02\x01\x20" },
	{ SCHEME_RSA_PSS, IKE_HASH_SHA2_384, 63,
	  "\x30\x3d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
	  "\x30\x30\xa0\x0d\x30\x0b\x06\x09\x60\x86\x48\x01\x65"
	  "\x03\x04\x02\x02\xa1\x1a\x30\x18\x06\x09\x2a\x86\x48"
	  "\x86\xf7\x0d\x01\x01\x08\x30\x0b\x06\x09\x60\x86\x48"
	  "\x01\x65\x03\x04\x02\x02\xa2\x03\x02\x01\x30" },
	{ SCHEME_RSA_PSS, IKE_HASH_SHA2_512, 63,
	  "\x30\x3d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
	  "\x30\x30\xa0\x0d\x30\x0b\x06\x09\x60\x86\x48\x01\x65"
	  "\x03\x04\x02\x03\xa1\x1a\x30\x18\x06\x09\x2a\x86\x48"
	  "\x86\xf7\x0d\x01\x01\x08\x30\x0b\x06\x09\x60\x86\x48"
	  "\x01\x65\x03\x04\x02\x03\xa2\x03\x02\x01\x40" },
	{ SCHEME_RSA_PKCS1, IKE_HASH_SHA2_256, 15,
	  "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
	  "\x05\x00" },
	{ SCHEME_RSA_PKCS1, IKE_HASH_SHA2_384, 15,
	  "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"
	  "\x05\x00" },
	{ SCHEME_RSA_PKCS1, IKE_HASH_SHA2_512, 15,
	  "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"
	  "\x05\x00" },
	{ SCHEME_ED25519, IKE_HASH_IDENTITY, 7,
	  "\x30\x05\x06\x03\x2b\x65\x70" },
	{ SCHEME_ED448, IKE_HASH_IDENTITY, 7,
	  "\x30\x05\x06\x03\x2b\x65\x71" },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* The keys that we know; `hash` is the one that suits best. */
static const struct key {
	enum signature_key key;
	const char *type, *group;
	enum signature_scheme scheme;
	uint16_t hash;
	uint8_t method;		/* of RFC 4754, for peers without RFC 7427 */
	size_t coordinate;	/* octets of r and of s there */
} keys[] = {
	{ SIGNATURE_P256, "EC", "prime256v1", SCHEME_ECDSA, IKE_HASH_SHA2_256,
	  IKE_AUTH_METHOD_ECDSA_P256, 32 },
	{ SIGNATURE_P384, "EC", "secp384r1", SCHEME_ECDSA, IKE_HASH_SHA2_384,
	  IKE_AUTH_METHOD_ECDSA_P384, 48 },
	{ SIGNATURE_P521, "EC", "secp521r1", SCHEME_ECDSA, IKE_HASH_SHA2_512,
	  IKE_AUTH_METHOD_ECDSA_P521, 66 },
	{ SIGNATURE_RSA, "RSA", NULL, SCHEME_RSA_PSS, IKE_HASH_SHA2_256, 0, 0 },
	{ SIGNATURE_ED25519, "ED25519", NULL, SCHEME_ED25519,
	  IKE_HASH_IDENTITY, 0, 0 },
	{ SIGNATURE_ED448, "ED448", NULL, SCHEME_ED448, IKE_HASH_IDENTITY, 0,
	  0 },
};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static bool group_is(const EVP_PKEY *key, const char *expected)
{
	char group[32];

	return EVP_PKEY_get_group_name(key, group, sizeof(group),
				       NULL) == 1 && !strcmp(group, expected);
}

/* Not too weak, not so large that verifying is a denial of service, and no
 * exponent that makes forgeries easy (0, 1, 3). */
static bool rsa_is_sane(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);
	BIGNUM *e = NULL;
	bool sane;

	if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
		return false;
	sane = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
		BN_is_odd(e) && BN_num_bits(e) > 16 &&
		BN_num_bits(e) <= RSA_MAX_EXPONENT_BITS;
	BN_free(e);
	return sane;
}

enum signature_key signature_key_of(const EVP_PKEY *key)
{
	for (size_t i = 0; key && i < KEYS; i++) {
		if (EVP_PKEY_is_a(key, keys[i].type) != 1 ||
		    (keys[i].group && !group_is(key, keys[i].group)))
			continue;
		if (keys[i].key == SIGNATURE_RSA && !rsa_is_sane(key))
			break;
		return keys[i].key;
	}
	return SIGNATURE_NONE;
}

static const struct key *find_key(enum signature_key key)
{
	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].key == key)
			return &keys[i];
	return NULL;
}

static const struct signature_row *
find_row(enum signature_scheme scheme, uint16_t hash)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].scheme == scheme && rows[i].hash == hash)
			return &rows[i];
	return NULL;
}

const struct signature_row *signature_row(struct ike_bytes algorithm)
{
	for (size_t i = 0; i < ROWS; i++)
		if (bytes_equal(algorithm, (struct ike_bytes){
				(const uint8_t *)rows[i].der, rows[i].len }))
			return &rows[i];
	return NULL;
}

bool signature_row_fits(const struct signature_row *row,
			enum signature_key key)
{
	const struct key *found = find_key(key);

	if (key == SIGNATURE_RSA)
		return row->scheme == SCHEME_RSA_PSS ||
			row->scheme == SCHEME_RSA_PKCS1;
	return found && found->scheme == row->scheme;
}

bool signature_method(uint8_t method, enum signature_key key,
		      struct signature_choice *ret_choice)
{
	const struct key *found = find_key(key);

	if (!found || found->method == 0 || found->method != method)
		return false;
	*ret_choice = (struct signature_choice){
		.method = method, .hash = found->hash,
		.row = find_row(found->scheme, found->hash),
		.coordinate = found->coordinate
	};
	return true;
}

/* ----------------------------------------------------------- negotiation */

void signature_write_hashes(struct writer *writer)
{
	static const uint8_t hashes[] = {
		0, IKE_HASH_SHA2_256, 0, IKE_HASH_SHA2_384,
		0, IKE_HASH_SHA2_512, 0, IKE_HASH_IDENTITY
	};

	payload_write_notify(writer, IKE_NOTIFY_SIGNATURE_HASH_ALGORITHMS,
			     (struct ike_bytes){ hashes, sizeof(hashes) });
}

static bool lists(struct ike_bytes data, uint16_t wanted)
{
	struct reader reader = reader_of(data);
	uint16_t hash;

	while (read_u16(&reader, &hash))
		if (hash == wanted)
			return true;
	return false;
}

bool signature_choose(enum signature_key key, const struct payloads *payloads,
		      struct signature_choice *ret_choice)
{
	static const uint16_t others[] = {
		IKE_HASH_SHA2_256, IKE_HASH_SHA2_384, IKE_HASH_SHA2_512
	};
	const struct payload_notify *notify = payloads_notify(
		payloads, IKE_NOTIFY_SIGNATURE_HASH_ALGORITHMS);
	const struct key *found = find_key(key);
	const struct signature_row *row = NULL;

	if (!found)
		return false;
	/* a peer older than RFC 7427 */
	if (!notify)
		return signature_method(found->method, key, ret_choice);
	if (lists(notify->data, found->hash))
		row = find_row(found->scheme, found->hash);
	for (size_t i = 0; !row && i < 3; i++)
		if (lists(notify->data, others[i]))
			row = find_row(found->scheme, others[i]);
	if (!row)
		return false;
	*ret_choice = (struct signature_choice){
		.method = IKE_AUTH_METHOD_DIGITAL_SIGNATURE,
		.hash = row->hash, .row = row
	};
	return true;
}
