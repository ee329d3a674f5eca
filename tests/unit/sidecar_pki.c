/* Certificates as `bgpward init` makes them pass the peer's check, and only
 * for what they name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "policy/address.h"
#include "policy/authorize.h"
#include "policy/resources.h"
#include "sidecar/pki.h"

#define NOW ((time_t)1768464000)	/* 2026-01-15 08:00:00 UTC */

static struct in6_addr addresses[2];
static struct pki_pair ca, router;
static struct pki_spec ca_spec = {
	.common_name = "AS4200000000 CA",
	.ca = true,
	.as = 4200000000,
	.addresses = addresses,
	.addresses_count = 2,
	.not_before = NOW - 3600,
	.not_after = NOW + 864000,
}, router_spec;

static int set_up(void **state)
{
	(void)state;
	address_parse("192.0.2.1", &addresses[0]);
	address_parse("2001:db8::1", &addresses[1]);
	router_spec = ca_spec;
	router_spec.ca = false;
	router_spec.common_name = "router";
	router_spec.not_after = NOW + 3600;
	return pki_make(&ca_spec, NULL, &ca) &&
	       pki_make(&router_spec, &ca, &router) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	pki_clear(&ca);
	pki_clear(&router);
	return 0;
}

static enum policy_refusal ask(X509 *cert, uint32_t as,
			       const struct in6_addr *address, time_t now)
{
	struct policy_anchors anchors = { sk_X509_new_null() };
	struct policy_verdict verdict;
	unsigned char *der = NULL;
	struct policy_request request = {
		.certs = { { NULL, (size_t)i2d_X509(cert, &der) } },
		.certs_count = 1, .id_is_address = true, .peer_name = "p",
		.as = as, .address = *address, .anchors = &anchors,
		.now = now,
	};

	sk_X509_push(anchors.certs, ca.cert);
	request.certs[0].data = der;
	request.id.data = address_bytes(address, &request.id.len);
	policy_authorize(&request, &verdict);
	if (verdict.refusal != POLICY_ALLOWED)
		print_message("# %s\n", verdict.text);
	OPENSSL_free(der);
	sk_X509_free(anchors.certs);
	return verdict.refusal;
}

static void test_passes(void **state)
{
	struct in6_addr other;

	(void)state;
	address_parse("192.0.2.2", &other);
	assert_int_equal(ask(router.cert, 4200000000, &addresses[0], NOW),
			 POLICY_ALLOWED);
	assert_int_equal(ask(router.cert, 4200000000, &addresses[1], NOW),
			 POLICY_ALLOWED);
	assert_int_equal(ask(router.cert, 64500, &addresses[0], NOW),
			 POLICY_WRONG_AS);
	assert_int_equal(ask(router.cert, 4200000000, &other, NOW),
			 POLICY_WRONG_ADDRESS);
	assert_int_equal(ask(router.cert, 4200000000, &addresses[0],
			     NOW - 3601), POLICY_NOT_YET_VALID);
	assert_int_equal(ask(router.cert, 4200000000, &addresses[0],
			     NOW + 3601), POLICY_EXPIRED);
	/* the CA itself is no router */
	assert_int_equal(ask(ca.cert, 4200000000, &addresses[0], NOW),
			 POLICY_KEY_USAGE);
}

static void test_contents(void **state)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(router.cert);
	int critical;

	(void)state;
	assert_in_range(ASN1_STRING_length(serial), 12, 16);
	assert_int_not_equal(ASN1_INTEGER_cmp(serial,
			     X509_get0_serialNumber(ca.cert)), 0);
	assert_int_equal(X509_get_version(router.cert), X509_VERSION_3);
	assert_int_equal(X509_get_key_usage(router.cert),
			 KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_get_key_usage(ca.cert),
			 KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_int_equal(X509_check_ca(router.cert), 0);
	assert_int_equal(X509_check_ca(ca.cert), 1);
	assert_int_equal(X509_get_pathlen(ca.cert), 0);
	assert_int_equal(EVP_PKEY_eq(router.key,
				     X509_get0_pubkey(router.cert)), 1);
	assert_int_equal(EVP_PKEY_eq(router.key, ca.key), 0);
	ASIdentifiers_free(X509_get_ext_d2i(router.cert,
			   NID_sbgp_autonomousSysNum, &critical, NULL));
	assert_int_equal(critical, 1);
	sk_IPAddressFamily_pop_free(X509_get_ext_d2i(router.cert,
				    NID_sbgp_ipAddrBlock, &critical, NULL),
				    IPAddressFamily_free);
	assert_int_equal(critical, 1);
	assert_true(resources_name_address(router.cert, &addresses[1]));
	assert_false(resources_name_address(ca.cert, &addresses[1]));
}

static void test_eight_addresses(void **state)
{
	struct in6_addr many[8];
	struct pki_spec spec = ca_spec;
	struct pki_pair pair;
	char text[64];
	int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		snprintf(text, sizeof(text),
			 "2001:db8:ffff:ffff:ffff:ffff:ffff:fff%d", i);
		address_parse(text, &many[i]);
	}
	spec.addresses = many;
	spec.addresses_count = 8;
	spec.ca = false;
	assert_true(pki_make(&spec, &ca, &pair));
	for (i = 0; i < 8; i++) {
		assert_true(resources_hold_address(pair.cert, &many[i]));
		assert_true(resources_name_address(pair.cert, &many[i]));
	}
	pki_clear(&pair);
}

static void test_impossible(void **state)
{
	struct pki_spec spec = ca_spec;
	struct pki_pair pair = { NULL, NULL };
	char long_name[100];

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	spec.common_name = long_name;	/* RFC 5280: at most 64 */
	assert_false(pki_make(&spec, NULL, &pair));
	assert_null(pair.cert);
	assert_null(pair.key);
	pki_clear(&pair);
}

static void test_text(void **state)
{
	char fingerprint[PKI_FINGERPRINT_SIZE];
	char *pem = pki_cert_pem(router.cert), *key_pem;
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *back = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char digest[32], byte;
	EVP_PKEY *key;
	size_t i;

	(void)state;
	assert_int_equal(X509_cmp(back, router.cert), 0);
	BIO_free(bio);
	key_pem = pki_key_pem(router.key);
	bio = BIO_new_mem_buf(key_pem, -1);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	assert_int_equal(EVP_PKEY_eq(key, router.key), 1);
	BIO_free(bio);
	EVP_PKEY_free(key);
	assert_true(pki_fingerprint(back, fingerprint));
	assert_int_equal(strlen(fingerprint), 95);
	X509_digest(back, EVP_sha256(), digest, NULL);
	for (i = 0; i < 32; i++) {
		byte = (unsigned char)strtoul(fingerprint + 3 * i, NULL, 16);
		assert_int_equal(byte, digest[i]);
	}
	X509_free(back);
	pki_free_pem(pem);
	pki_free_pem(key_pem);
	pki_free_pem(NULL);
}

/* The same extensions, byte for byte, and the same names and key. */
static void test_renew(void **state)
{
	X509 *next = pki_renew(router.cert, &ca, NOW + 3000, NOW + 7200);

	(void)state;
	assert_non_null(next);
	assert_int_equal(ask(next, 4200000000, &addresses[1], NOW + 7100),
			 POLICY_ALLOWED);
	assert_int_equal(ask(next, 4200000000, &addresses[1], NOW + 7201),
			 POLICY_EXPIRED);
	assert_int_equal(ask(next, 4200000000, &addresses[1], NOW),
			 POLICY_NOT_YET_VALID);
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(next),
				       X509_get_subject_name(router.cert)), 0);
	assert_int_equal(EVP_PKEY_eq(router.key, X509_get0_pubkey(next)), 1);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(next),
			     X509_get0_serialNumber(router.cert)), 0);
	assert_int_equal(X509_get_ext_count(next),
			 X509_get_ext_count(router.cert));
	for (int i = 0; i < X509_get_ext_count(next); i++) {
		X509_EXTENSION *a = X509_get_ext(next, i);
		X509_EXTENSION *b = X509_get_ext(router.cert, i);

		assert_int_equal(OBJ_cmp(X509_EXTENSION_get_object(a),
					 X509_EXTENSION_get_object(b)), 0);
		assert_int_equal(X509_EXTENSION_get_critical(a),
				 X509_EXTENSION_get_critical(b));
		assert_int_equal(ASN1_OCTET_STRING_cmp(
					 X509_EXTENSION_get_data(a),
					 X509_EXTENSION_get_data(b)), 0);
	}
	X509_free(next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passes),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_eight_addresses),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_renew),
	};

	return cmocka_run_group_tests_name("sidecar_pki", tests, set_up,
					   tear_down);
}
