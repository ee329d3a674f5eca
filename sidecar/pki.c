#include "sidecar/pki.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "policy/address.h"
#include "policy/text.h"

enum {
	SERIAL_BITS = 128,	/* RFC 5280 4.1.2.2 allows 159 */
	VALUE_SIZE = 1024	/* of an extension's text: 8 addresses */
};

/* ------------------------------------------------------------------ parts */

static bool set_serial(X509 *cert)
{
	BIGNUM *serial = BN_new();
	bool done = serial != NULL &&
		    BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ANY,
			    BN_RAND_BOTTOM_ANY) == 1 &&
		    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) !=
		    NULL;

	BN_free(serial);
	return done;
}

static bool set_names(X509 *cert, const X509 *issuer, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(cert);
	const unsigned char *text = (const unsigned char *)common_name;

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1,
					  -1, 0) == 1 &&
	       X509_set_issuer_name(cert, issuer == NULL ? name :
				    X509_get_subject_name(issuer)) == 1;
}

static bool set_times(X509 *cert, time_t not_before, time_t not_after)
{
	return ASN1_TIME_set(X509_getm_notBefore(cert), not_before) != NULL &&
	       ASN1_TIME_set(X509_getm_notAfter(cert), not_after) != NULL;
}

static bool add(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, ctx, nid, value);
	bool done = ext != NULL && X509_add_ext(cert, ext, -1) == 1;

	X509_EXTENSION_free(ext);
	return done;
}

/* RFC 3779 2.2.3 and 3.2.3, both critical as RFC 6487 4.8.10-11 asks. */
static bool add_resources(X509 *cert, X509V3_CTX *ctx,
			  const struct pki_spec *spec)
{
	char value[VALUE_SIZE] = "critical", text[INET6_ADDRSTRLEN];
	char as[64];
	size_t i;

	for (i = 0; i < spec->addresses_count; i++) {
		const struct in6_addr *address = &spec->addresses[i];
		bool ipv4 = address_family(address) == AF_INET;

		text_append(value, sizeof(value), ",%s:%s/%d",
			    ipv4 ? "IPv4" : "IPv6",
			    address_text(address, text), ipv4 ? 32 : 128);
	}
	text_format(as, sizeof(as), "critical,AS:%u", spec->as);
	return add(cert, ctx, NID_sbgp_autonomousSysNum, as) &&
	       (spec->addresses_count == 0 ||
		add(cert, ctx, NID_sbgp_ipAddrBlock, value));
}

/* What the IKE identity is compared with by other programs (RFC 4945 5.1.3),
 * which know nothing of RFC 3779. */
static bool add_alt_name(X509 *cert, X509V3_CTX *ctx,
			 const struct pki_spec *spec)
{
	char value[VALUE_SIZE] = "", text[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < spec->addresses_count; i++)
		text_append(value, sizeof(value), "%sIP:%s",
			    i == 0 ? "" : ",",
			    address_text(&spec->addresses[i], text));
	return spec->addresses_count == 0 ||
	       add(cert, ctx, NID_subject_alt_name, value);
}

/* A CA of one router needs no CA below it; without extendedKeyUsage strongSwan
 * and we are content (RFC 4945 5.1.3.12 makes it optional). */
static bool add_extensions(X509 *cert, X509V3_CTX *ctx,
			   const struct pki_spec *spec)
{
	if (!add(cert, ctx, NID_subject_key_identifier, "hash") ||
	    !add(cert, ctx, NID_authority_key_identifier, "keyid:always") ||
	    !add_resources(cert, ctx, spec))
		return false;
	if (spec->ca)
		return add(cert, ctx, NID_basic_constraints,
			   "critical,CA:TRUE,pathlen:0") &&
		       add(cert, ctx, NID_key_usage,
			   "critical,keyCertSign,cRLSign");
	return add(cert, ctx, NID_key_usage, "critical,digitalSignature") &&
	       add_alt_name(cert, ctx, spec);
}

/* ------------------------------------------------------------------- whole */

static bool fill(X509 *cert, const struct pki_spec *spec, EVP_PKEY *key,
		 const struct pki_pair *issuer)
{
	X509 *issuer_cert = issuer == NULL ? NULL : issuer->cert;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer_cert == NULL ? cert : issuer_cert, cert,
		       NULL, NULL, 0);
	return X509_set_version(cert, X509_VERSION_3) == 1 &&
	       set_serial(cert) &&
	       set_names(cert, issuer_cert, spec->common_name) &&
	       set_times(cert, spec->not_before, spec->not_after) &&
	       X509_set_pubkey(cert, key) == 1 &&
	       add_extensions(cert, &ctx, spec);
}

bool pki_make(const struct pki_spec *spec, const struct pki_pair *issuer,
	      struct pki_pair *ret_pair)
{
	struct pki_pair pair = { X509_new(), EVP_EC_gen("P-256") };

	if (pair.cert == NULL || pair.key == NULL ||
	    !fill(pair.cert, spec, pair.key, issuer) ||
	    X509_sign(pair.cert, issuer == NULL ? pair.key : issuer->key,
		      EVP_sha256()) <= 0) {
		pki_clear(&pair);
		return false;
	}
	*ret_pair = pair;
	return true;
}

const EVP_MD *pki_digest(const EVP_PKEY *key)
{
	const int type = EVP_PKEY_get_base_id(key);

	return type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448 ?
	       NULL : EVP_sha256();
}

X509 *pki_renew(X509 *old, const struct pki_pair *issuer, time_t not_before,
		time_t not_after)
{
	X509 *cert = X509_dup(old);

	if (cert != NULL && set_serial(cert) &&
	    set_times(cert, not_before, not_after) &&
	    X509_sign(cert, issuer->key, pki_digest(issuer->key)) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}

void pki_clear(struct pki_pair *pair)
{
	X509_free(pair->cert);
	EVP_PKEY_free(pair->key);
	*pair = (struct pki_pair){ NULL, NULL };
}

/* -------------------------------------------------------------------- text */

/* The bytes of a memory BIO as a string; frees and wipes the BIO. */
static char *take_text(BIO *bio, bool written)
{
	char *data = NULL, *text = NULL;
	long len = BIO_get_mem_data(bio, &data);

	if (written && len > 0)
		text = OPENSSL_strndup(data, (size_t)len);
	if (data != NULL && len > 0)
		OPENSSL_cleanse(data, (size_t)len);
	BIO_free(bio);
	return text;
}

char *pki_cert_pem(X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio == NULL)
		return NULL;
	return take_text(bio, PEM_write_bio_X509(bio, cert) == 1);
}

char *pki_key_pem(const EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem());

	if (bio == NULL)
		return NULL;
	return take_text(bio, PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0,
						       NULL, NULL) == 1);
}

void pki_free_pem(char *pem)
{
	if (pem != NULL)
		OPENSSL_clear_free(pem, strlen(pem));
}

bool pki_fingerprint(const X509 *cert, char ret_text[PKI_FINGERPRINT_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned i, len;

	if (X509_digest(cert, EVP_sha256(), digest, &len) != 1 ||
	    len * 3 != PKI_FINGERPRINT_SIZE)
		return false;
	for (i = 0; i < len; i++) {
		text_format(ret_text + (size_t)i * 3, 3, "%02X", digest[i]);
		ret_text[i * 3 + 2] = i + 1 < len ? ':' : '\0';
	}
	return true;
}
