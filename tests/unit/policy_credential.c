/* Credentials and anchors from files, and signatures with the key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <openssl/rsa.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/credential.h"
#include "tests/unit/policy_certs.h"

static char dir[] = "/tmp/policy_credential.XXXXXX";
static struct made ca, end, other;
static char why[POLICY_TEXT_SIZE];

/* The certificates, then a private key if there is one, after some comment. */
static void write_pem(const char *name, const struct made *const *certs,
		      size_t count, EVP_PKEY *key)
{
	FILE *file = fopen(name, "w");
	size_t i;

	fputs("subject=some comment\n", file);
	for (i = 0; i < count; i++)
		PEM_write_X509(file, certs[i]->cert);
	if (key != NULL)
		PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	chmod(name, 0600);
}

static int set_up(void **state)
{
	struct spec spec = { .name = "CA", .ca = true,
			     .as = "critical,AS:64501" };

	(void)state;
	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return -1;
	ca = make(&spec);
	spec = (struct spec){ .name = "end", .issuer = &ca };
	end = make(&spec);
	spec.name = "other";
	other = make(&spec);
	write_pem("end.crt", (const struct made *const []){ &end, &ca }, 2,
		  NULL);
	write_pem("ca.crt", (const struct made *const []){ &ca }, 1, NULL);
	write_pem("end.key", NULL, 0, end.key);
	write_pem("other.key", NULL, 0, other.key);
	write_pem("mixed.crt", (const struct made *const []){ &end }, 1,
		  end.key);
	return 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	unmake(&ca);
	unmake(&end);
	unmake(&other);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void test_reads(void **state)
{
	struct policy_credential *credential =
		policy_credential_read("end.crt", "end.key", why, sizeof(why));

	(void)state;
	assert_non_null(credential);
	assert_int_equal(sk_X509_num(credential->certs), 2);
	assert_int_equal(X509_cmp(sk_X509_value(credential->certs, 0),
				  end.cert), 0);
	assert_int_equal(EVP_PKEY_eq(credential->key, end.key), 1);
	policy_credential_free(credential);
	policy_credential_free(NULL);
}

static void credential_refused(const char *cert, const char *key,
			       const char *sentence)
{
	assert_null(policy_credential_read(cert, key, why, sizeof(why)));
	if (strstr(why, sentence) == NULL)
		print_error("# got: %s\n", why);
	assert_non_null(strstr(why, sentence));
}

static void test_refuses(void **state)
{
	static const struct { mode_t mode; const char *sentence; } modes[] = {
		{ 0640, "(mode 0640), expected mode 0600: chmod 0600 x.key" },
		{ 0604, "(mode 0604)" },
		{ 0620, "(mode 0620)" },
		{ 0610, "(mode 0610)" },
	};
	size_t i;

	(void)state;
	credential_refused("end.crt", "other.key", "key file other.key is not "
			   "the key of the first certificate in end.crt");
	credential_refused("nix", "end.key", "certificate file nix cannot be "
			   "opened: No such file");
	credential_refused("end.crt", "nix", "key file nix cannot be opened");
	credential_refused(".", "end.key", "is no regular file");
	credential_refused("end.crt", "ca.crt", "key file ca.crt is "
			   "malformed");
	/* a private key does not belong where everybody may read */
	credential_refused("mixed.crt", "end.key", "is malformed, expected 1 "
			   "to 5 PEM certificates and nothing else");
	credential_refused("end.key", "end.key", "is malformed");
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		write_pem("x.key", NULL, 0, end.key);
		chmod("x.key", modes[i].mode);
		credential_refused("end.crt", "x.key", modes[i].sentence);
	}
	if (geteuid() == 0) {
		write_pem("x.key", NULL, 0, end.key);
		assert_int_equal(chown("x.key", 65534, 0), 0);
		credential_refused("end.crt", "x.key", "belongs to user 65534, "
				   "expected root");
	}
}

static void test_too_many(void **state)
{
	const struct made *certs[POLICY_MAX_ANCHORS + 1];
	size_t i;

	(void)state;
	for (i = 0; i < POLICY_MAX_ANCHORS + 1; i++)
		certs[i] = &ca;
	write_pem("x.crt", certs, POLICY_MAX_CHAIN + 1, NULL);
	credential_refused("x.crt", "end.key", "expected 1 to 5 PEM");
	write_pem("x.crt", certs, POLICY_MAX_ANCHORS + 1, NULL);
	assert_null(policy_anchors_read("x.crt", why, sizeof(why)));
	assert_non_null(strstr(why, "expected 1 to 8 PEM"));
}

static void test_anchors(void **state)
{
	struct policy_anchors *a, *b;

	(void)state;
	a = policy_anchors_read("ca.crt", why, sizeof(why));
	assert_non_null(a);
	b = policy_anchors_read("ca.crt", why, sizeof(why));
	assert_true(policy_anchors_equal(a, b));
	assert_false(policy_anchors_equal(a, NULL));
	assert_true(policy_anchors_equal(NULL, NULL));
	policy_anchors_free(b);
	write_pem("x.crt", (const struct made *const []){ &ca, &ca }, 2, NULL);
	b = policy_anchors_read("x.crt", why, sizeof(why));
	assert_false(policy_anchors_equal(a, b));
	policy_anchors_free(b);
	policy_anchors_free(a);
	assert_null(policy_anchors_read("end.crt", why, sizeof(why)));
	assert_non_null(strstr(why, "trust file end.crt: certificate CN=end is "
			       "no CA"));
	assert_null(policy_anchors_read("nix", why, sizeof(why)));
	assert_non_null(strstr(why, "trust file nix cannot be opened"));
	policy_anchors_free(NULL);
}

static void test_anchor_is_a_ca(void **state)
{
	static const struct { const char *constraints, *usage; } rows[] = {
		{ "critical,CA:FALSE", "critical,digitalSignature" },
		{ "critical,CA:FALSE", "critical,keyCertSign" },
		{ "", "critical,keyCertSign" },
		{ "critical,CA:TRUE", "critical,digitalSignature" },
		{ "critical,CA:TRUE", "critical,cRLSign" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spec spec = { .name = "no CA",
				     .constraints = rows[i].constraints,
				     .usage = rows[i].usage };
		struct made odd = make(&spec);

		write_pem("x.crt", (const struct made *const []){ &ca, &odd },
			  2, NULL);
		assert_null(policy_anchors_read("x.crt", why, sizeof(why)));
		assert_non_null(strstr(why, "certificate CN=no CA is no CA"));
		unmake(&odd);
	}
}

static void test_anchor_algorithms(void **state)
{
	static const enum key_type types[] = { KEY_RSA_1024, KEY_P224,
					       KEY_EXPLICIT, KEY_RSA_E0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct spec spec = { .name = "odd", .issuer = &ca, .ca = true,
				     .key_type = types[i] };
		struct made odd = make(&spec);

		write_pem("x.crt", (const struct made *const []){ &odd }, 1,
			  NULL);
		assert_null(policy_anchors_read("x.crt", why, sizeof(why)));
		assert_non_null(strstr(why, "has a key that is not accepted"));
		unmake(&odd);
	}
}

/* ----------------------------------------------------------------- signing */

static bool verifies(const EVP_MD *md, const uint8_t *signature, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = EVP_DigestVerifyInit(ctx, NULL, md, NULL, end.key) == 1 &&
		  EVP_DigestVerify(ctx, signature, len,
				   (const uint8_t *)"octets", 6) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}

static void test_signs(void **state)
{
	struct policy_credential *credential =
		policy_credential_read("end.crt", "end.key", why, sizeof(why));
	const EVP_MD *const mds[] = { EVP_sha256(), EVP_sha384(),
				      EVP_sha512() };
	const uint8_t *octets = (const uint8_t *)"octets";
	uint8_t signature[128];
	size_t len;
	uint16_t hash;

	(void)state;
	for (hash = 2; hash <= 4; hash++) {
		len = sizeof(signature);
		assert_true(policy_credential_sign(credential, hash, octets, 6,
						   signature, &len));
		assert_true(verifies(mds[hash - 2], signature, len));
		signature[len - 1] ^= 1;
		assert_false(verifies(mds[hash - 2], signature, len));
	}
	/* SHA-1, identity and what nobody knows */
	len = sizeof(signature);
	assert_false(policy_credential_sign(credential, 1, octets, 6,
					    signature, &len));
	assert_false(policy_credential_sign(credential, 5, octets, 6,
					    signature, &len));
	assert_false(policy_credential_sign(credential, 0, octets, 6,
					    signature, &len));
	/* no room: untouched */
	len = 16;
	memset(signature, 0xaa, sizeof(signature));
	assert_false(policy_credential_sign(credential, 2, octets, 6,
					    signature, &len));
	assert_int_equal(len, 16);
	assert_int_equal(signature[0], 0xaa);
	policy_credential_free(credential);
}

/* As a peer does; id 5 is of keys that hash by themselves. */
static bool verified(EVP_PKEY *key, uint16_t hash, const uint8_t *octets,
		     size_t octets_len, const uint8_t *signature, size_t len)
{
	const EVP_MD *const mds[] = { EVP_sha256(), EVP_sha384(),
				      EVP_sha512(), NULL };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding;
	bool ok = EVP_DigestVerifyInit(ctx, &padding, mds[hash - 2], NULL,
				       key) == 1;

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		ok = ok && EVP_PKEY_CTX_set_rsa_padding(
			padding, RSA_PKCS1_PSS_PADDING) == 1 &&
			EVP_PKEY_CTX_set_rsa_pss_saltlen(
				padding, RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok && EVP_DigestVerify(ctx, signature, len, octets,
				    octets_len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* Each kind of key with each hash id: which go together. One after the other,
 * several times each, and after one that had no room. */
static void test_signs_with_every_key(void **state)
{
	static const struct {
		enum key_type key;
		bool digest, identity;
		size_t len;		/* 0: varies, and so do all octets */
	} rows[] = {
		{ KEY_P384, true, false, 0 }, { KEY_P521, true, false, 0 },
		{ KEY_RSA_2048, true, false, 256 },
		{ KEY_ED25519, false, true, 64 },
		{ KEY_ED448, false, true, 114 },
	};
	const uint8_t *octets = (const uint8_t *)"octets";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_credential credential = {
			.key = make_key(rows[i].key) };
		uint8_t last[32] = { 0 };

		for (unsigned n = 0; n < 4 * 7 * 2; n++) {
			uint16_t hash = (uint16_t)(n / 4 % 7);
			uint8_t signature[512];
			size_t len = n % 4 == 2 ? 8 : sizeof(signature);
			bool right = hash == 5 ? rows[i].identity :
				hash >= 2 && hash <= 4 && rows[i].digest;
			bool signs = right && n % 4 != 2;

			assert_int_equal(policy_credential_sign(
				&credential, hash, octets, 1 + n % 6,
				signature, &len), signs);
			if (signs)
				assert_true(verified(credential.key, hash,
						     octets, 1 + n % 6,
						     signature, len));
			if (signs && rows[i].len)
				assert_int_equal(len, rows[i].len);
			/* r, and so the secret number behind it, is new */
			if (signs && !rows[i].len) {
				assert_memory_not_equal(signature, last, 32);
				memcpy(last, signature, 32);
			}
		}
		EVP_PKEY_CTX_free(credential.signer);
		EVP_PKEY_free(credential.key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_anchors),
		cmocka_unit_test(test_anchor_is_a_ca),
		cmocka_unit_test(test_anchor_algorithms),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_signs_with_every_key),
	};

	return cmocka_run_group_tests_name("policy_credential", tests, set_up,
					   tear_down);
}
