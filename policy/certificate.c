#include "policy/certificate.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "policy/limits.h"
#include "policy/pem.h"
#include "policy/text.h"

/* Keys and signatures that we accept: a new algorithm is a new row. */
static const struct {
	int type;
	const char *group;
} accepted_keys[] = {
	{ EVP_PKEY_EC, SN_X9_62_prime256v1 },
	{ EVP_PKEY_EC, SN_secp384r1 },
	{ EVP_PKEY_EC, SN_secp521r1 },
	{ EVP_PKEY_RSA, NULL },
	{ EVP_PKEY_ED25519, NULL },
	{ EVP_PKEY_ED448, NULL },
};
static const char accepted_keys_text[] = "ECDSA P-256, P-384 or P-521, "
	"RSA of 2048 to 4096 bits, Ed25519 or Ed448";

/* Too small is weak, too large a denial of service; small exponents help
 * forgers (CVE-2018-16151, CVE-2018-17540). */
enum {
	RSA_MIN_BITS = 2048,
	RSA_MAX_BITS = 4096,
	RSA_MIN_EXPONENT_BITS = 17,
	RSA_MAX_EXPONENT_BITS = 64
};

static const int accepted_signatures[] = {
	NID_ecdsa_with_SHA256,
	NID_ecdsa_with_SHA384,
	NID_ecdsa_with_SHA512,
	NID_sha256WithRSAEncryption,
	NID_sha384WithRSAEncryption,
	NID_sha512WithRSAEncryption,
	NID_rsassaPss,			/* and its hash, below */
	NID_ED25519,
	NID_ED448,
};
static const char accepted_signatures_text[] =
	"ECDSA or RSA with SHA-256, -384 or -512, Ed25519 or Ed448";

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --------------------------------------------------------------- decoding */

X509 *certificate_decode(const uint8_t *der, size_t len)
{
	const unsigned char *end = der;
	X509 *cert;

	if (der == NULL || len == 0 || len > POLICY_MAX_CERT_SIZE)
		return NULL;
	cert = d2i_X509(NULL, &end, (long)len);
	if (cert == NULL)
		return NULL;
	if (end != der + len ||
	    (X509_get_extension_flags(cert) & EXFLAG_INVALID) != 0) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static bool take(void *ctx, const uint8_t *der, size_t len)
{
	X509 *cert = certificate_decode(der, len);

	if (cert != NULL && sk_X509_push(ctx, cert) > 0)
		return true;
	X509_free(cert);
	return false;
}

STACK_OF(X509) *certificate_decode_pem(const char *pem, int max)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	if (certs != NULL && pem_each(pem, PEM_STRING_X509, max, take, certs))
		return certs;
	sk_X509_pop_free(certs, X509_free);
	return NULL;
}

/* ----------------------------------------------------------- for people */

void certificate_name(const X509_NAME *name, char *ret_text, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	text_format(ret_text, size, "(no name)");
	if (bio == NULL)
		return;
	/* These flags escape control and non-ASCII characters. */
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) > 0) {
		len = BIO_get_mem_data(bio, &data);
		if (len > 0)
			text_format(ret_text, size, "%.*s", (int)len, data);
	}
	BIO_free(bio);
}

void certificate_subject(const X509 *cert, char *ret_text, size_t size)
{
	certificate_name(X509_get_subject_name(cert), ret_text, size);
}

void certificate_issuer(const X509 *cert, char *ret_text, size_t size)
{
	certificate_name(X509_get_issuer_name(cert), ret_text, size);
}

bool certificate_time(const ASN1_TIME *asn1, time_t *ret_time)
{
	struct tm tm;

	if (asn1 == NULL || ASN1_TIME_to_tm(asn1, &tm) != 1)
		return false;
	*ret_time = timegm(&tm);
	return true;
}

bool certificate_not_before(const X509 *cert, time_t *ret_time)
{
	return certificate_time(X509_get0_notBefore(cert), ret_time);
}

bool certificate_not_after(const X509 *cert, time_t *ret_time)
{
	return certificate_time(X509_get0_notAfter(cert), ret_time);
}

/* ------------------------------------------------------------- algorithms */

/* Explicit curve parameters may imitate a named curve (CVE-2020-0601). */
static bool group_is(const EVP_PKEY *key, const char *group)
{
	char name[64];
	size_t len;
	int is_explicit = 1;

	return EVP_PKEY_get_group_name(key, name, sizeof(name), &len) == 1 &&
	       strcmp(name, group) == 0 &&
	       EVP_PKEY_get_int_param(key,
			OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
			&is_explicit) == 1 && is_explicit == 0;
}

static bool rsa_is_sane(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);
	BIGNUM *e = NULL;
	bool sane;

	if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
		return false;
	sane = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	       BN_is_odd(e) && BN_num_bits(e) >= RSA_MIN_EXPONENT_BITS &&
	       BN_num_bits(e) <= RSA_MAX_EXPONENT_BITS;
	BN_free(e);
	return sane;
}

static bool key_fits(const EVP_PKEY *key, int type, const char *group)
{
	if (EVP_PKEY_get_base_id(key) != type)
		return false;
	if (type == EVP_PKEY_RSA)
		return rsa_is_sane(key);
	return group == NULL || group_is(key, group);
}

static void key_text(const X509 *cert, const EVP_PKEY *key, char *ret_text,
		     size_t size)
{
	ASN1_OBJECT *algorithm = NULL;
	char name[64] = "unknown";

	if (X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL,
				   X509_get_X509_PUBKEY(cert)) == 1)
		OBJ_obj2txt(name, sizeof(name), algorithm, 0);
	if (key == NULL)
		text_format(ret_text, size, "malformed %s", name);
	else
		text_format(ret_text, size, "%d-bit %s",
			    EVP_PKEY_get_bits(key), name);
}

bool certificate_key_accepted(const X509 *cert, char *ret_why, size_t size)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);
	char subject[CERTIFICATE_NAME_SIZE], kind[96];
	size_t i;

	for (i = 0; key != NULL && i < COUNT(accepted_keys); i++) {
		if (key_fits(key, accepted_keys[i].type,
			     accepted_keys[i].group))
			return true;
	}
	certificate_subject(cert, subject, sizeof(subject));
	key_text(cert, key, kind, sizeof(kind));
	text_format(ret_why, size, "certificate %s has a key that is not "
		    "accepted (%s), expected %s", subject, kind,
		    accepted_keys_text);
	return false;
}

/* RSASSA-PSS names its hash in parameters (RFC 4055 3.1). */
static bool pss_accepted(const X509_ALGOR *algorithm)
{
	RSA_PSS_PARAMS *pss = ASN1_TYPE_unpack_sequence(
		ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter);
	/* absent is SHA-1 */
	int hash = pss == NULL || pss->hashAlgorithm == NULL ? NID_sha1 :
		   OBJ_obj2nid(pss->hashAlgorithm->algorithm);

	RSA_PSS_PARAMS_free(pss);
	return hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512;
}

bool certificate_algorithm_accepted(const X509_ALGOR *algorithm, char *ret_why,
				    size_t size)
{
	const int nid = OBJ_obj2nid(algorithm->algorithm);

	for (size_t i = 0; i < COUNT(accepted_signatures); i++) {
		if (nid == accepted_signatures[i] &&
		    (nid != NID_rsassaPss || pss_accepted(algorithm)))
			return true;
	}
	text_format(ret_why, size, "is signed with %s, expected %s",
		    nid == NID_undef ? "an unknown algorithm" : OBJ_nid2sn(nid),
		    accepted_signatures_text);
	return false;
}

bool certificate_signature_accepted(const X509 *cert, char *ret_why,
				    size_t size)
{
	char subject[CERTIFICATE_NAME_SIZE], why[POLICY_TEXT_SIZE];
	const X509_ALGOR *algorithm;

	X509_get0_signature(NULL, &algorithm, cert);
	if (certificate_algorithm_accepted(algorithm, why, sizeof(why)))
		return true;
	certificate_subject(cert, subject, sizeof(subject));
	text_format(ret_why, size, "certificate %s %s", subject, why);
	return false;
}

/* ------------------------------------------------------------- extensions */

bool certificate_is_ca(X509 *cert)
{
	uint32_t flags = X509_get_extension_flags(cert);

	/* X509_check_ca() would also take version 1 and Netscape's ways. */
	return (flags & EXFLAG_BCONS) != 0 && (flags & EXFLAG_CA) != 0 &&
	       (X509_get_key_usage(cert) & KU_KEY_CERT_SIGN) != 0;
}

bool certificate_may_sign(X509 *cert)
{
	/* X509_get_key_usage() has all bits set if there is none. */
	return (X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE) != 0;
}
