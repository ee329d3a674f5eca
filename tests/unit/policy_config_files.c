/* policy_config_read(): the files that it names, and what is wrong with them. */
#include "tests/unit/policy_config.h"
#include "tests/unit/policy_crls.h"

/* ------------------------------------------------------ files that it names */

static void test_own_certificate(void **state)
{
	static const struct {
		const char *certificate, *message;
	} rows[] = {
		{ "wrong_as.crt", "certificate holds AS 64555, section local "
		  "is configured with AS 64500" },
		{ "no_as.crt", "certificate holds no AS number, section local "
		  "is configured with AS 64500" },
		{ "no_ipv6.crt", "certificate holds 192.0.2.1, section local "
		  "is configured with 2001:db8::1" },
		{ "no_signing.crt", "lacks digitalSignature" },
		{ "future.crt", "CN=router is not valid before" },
		{ "sha1.crt", "signed with ecdsa-with-SHA1" },
		{ "nix.crt", "certificate file nix.crt cannot be opened: No "
		  "such file" },
		{ "junk.pem", "certificate file junk.pem is malformed" },
		{ "half.pem", "is malformed, expected 1 to 5 PEM" },
		{ "router.key", "is malformed" },
		{ "peers", "peers is no regular file" },
	};
	char text[1024];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), LOCAL_TOP "\tcertificate = %s\n"
			 "\tkey = router.key\n}\n", rows[i].certificate);
		refused(text, 1, rows[i].message);
		refused(text, 1, "c.conf:4: ");
	}
}

static void test_own_certificate_expired(void **state)
{
	(void)state;
	refused(LOCAL_TOP "certificate = expired.crt\nkey = router.key\n}\n", 1,
		"c.conf:4: certificate CN=router expired on 2026-01-06 "
		"08:00:00 UTC, now it is ");
}

static void ignore(void *ctx, const char *message)
{
	(void)ctx;
	(void)message;
	messages_count += 100;
}

/* The daemon only warns: after a boot the guard must stand. */
static void test_own_certificate_expired_is_a_warning(void **state)
{
	const struct policy_reader lenient = {
		.address_is_local = is_local, .report = ignore, .warn = take
	};
	struct policy_config *config;

	(void)state;
	write_file("c.conf", LOCAL_TOP
		   "certificate = expired.crt\nkey = router.key\n}\n", 0644);
	messages[0] = '\0';
	messages_count = 0;
	config = policy_config_read("c.conf", &lenient);
	assert_non_null(config);
	assert_int_equal(messages_count, 1);
	assert_non_null(strstr(messages, "c.conf:4: certificate CN=router "
			       "expired on 2026-01-06 08:00:00 UTC"));
	policy_config_free(config);
}

static void test_own_key(void **state)
{
	static const struct {
		const char *key, *message;
	} rows[] = {
		{ "open.key", "key file open.key is open to others (mode "
		  "0640), expected mode 0600: chmod 0600 open.key" },
		{ "world.key", "(mode 0604)" },
		{ "other.key", "key file other.key is not the key of the first "
		  "certificate in router.crt" },
		{ "nix.key", "key file nix.key cannot be opened" },
		{ "router.crt", "is open to others" },
		{ "encrypted.key", "is malformed, expected an unencrypted PEM "
		  "private key" },
	};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *file = fopen("encrypted.key", "w");
	char text[1024];
	size_t i;

	(void)state;
	PEM_write_PKCS8PrivateKey(file, key, EVP_aes_128_cbc(), "x", 1, NULL,
				  NULL);
	fclose(file);
	chmod("encrypted.key", 0600);
	EVP_PKEY_free(key);
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), LOCAL_TOP "\tcertificate = "
			 "router.crt\n\tkey = %s\n}\n", rows[i].key);
		refused(text, 1, rows[i].message);
		refused(text, 1, "c.conf:5: ");
	}
}

static void test_trust(void **state)
{
	(void)state;
	refused(LOCAL PEER("a", AS ADDRESS "\ttrust = peers/b.crt\n"), 1,
		"c.conf:10: trust file peers/b.crt cannot be opened");
	refused(LOCAL PEER("a", AS ADDRESS "\ttrust = router.crt\n"), 1,
		"c.conf:10: trust file router.crt: certificate CN=router is "
		"no CA");
	refused(LOCAL PEER("a", AS ADDRESS "\ttrust = junk.pem\n"), 1,
		"trust file junk.pem is malformed, expected 1 to 8 PEM");
	refused(LOCAL PEER("a", AS ADDRESS "\ttrust = ca.crt\n"), 1,
		"c.conf:10: trust anchor holds AS 64500, peer a is configured "
		"with AS 64501");
	refused(LOCAL PEER("a", AS "\taddresses = {192.0.2.4}\n" TRUST), 1,
		"trust anchor holds 192.0.2.2-192.0.2.3, ");
	/* with mode off it is not looked at */
	policy_config_free(read_text(LOCAL PEER("a", AS ADDRESS
			   "\ttrust = nix\n\tmode = off\n")));
	assert_string_equal(messages, "");
}

/* All of it in one run, in all sections. */
static void test_all_in_one_run(void **state)
{
	(void)state;
	refused("local {\n\tas = 23456\n\taddresses = {10.0.0.999, ff02::1}\n"
		"\tcertificate = nix.crt\n\tkey = open.key\n}\n"
		"ike_lifetime = 1\nothers = x\n"
		PEER("a", "\tas = x\n" TRUST)
		PEER("b", AS ADDRESS)
		PEER("c", AS ADDRESS TRUST "\tmode = x\n"), 12,
		"c.conf:2: as = '23456'");
}

static void test_bounds(void **state)
{
	char *text = malloc(POLICY_MAX_FILE_SIZE), *at;
	int i;

	(void)state;
	/* too many errors: the rest is counted */
	at = text + sprintf(text, LOCAL);
	for (i = 0; i < 150; i++)
		at += sprintf(at, PEER("p%d", AS "\taddresses = {x}\n"
				       "\tmode = off\n"), i);
	refused(text, POLICY_MAX_ERRORS + 1, "50 more errors are not shown");
	at = text + sprintf(text, LOCAL);
	for (i = 0; i < 150; i++)
		at += sprintf(at, "u%d = 1\n", i);
	refused(text, POLICY_MAX_ERRORS, "c.conf:106: unknown option 'u99'");
	at = text + sprintf(text, LOCAL);
	for (i = 0; i < POLICY_MAX_PEERS + 1; i++)
		at += sprintf(at, PEER("p%d", AS "\taddresses = {10.0.%d.%d}\n"
				       "\tmode = off\n"), i, i / 250, i % 250);
	refused(text, 1, "2049 peers, at most 2048");
	at = text + sprintf(text, LOCAL);
	for (i = 0; i < POLICY_MAX_PEERS; i++)
		at += sprintf(at, PEER("p%d", AS "\taddresses = {10.1.%d.%d}\n"
				       "\tmode = off\n"), i, i / 250, i % 250);
	policy_config_free(read_text(text));
	assert_string_equal(messages, "");
	/* 683 peers of three addresses, two of ours: 4098 pairs (and the
	 * certificate does not hold one of ours) */
	at = text + sprintf(text, "local {\n\tas = 64500\n\taddresses = "
			    "{192.0.2.1, 192.0.2.2}\n" FILES);
	for (i = 0; i < POLICY_MAX_PAIRS / 6 + 1; i++)
		at += sprintf(at, PEER("p%d", AS "\taddresses = {10.1.%d.%d, "
				       "10.2.%d.%d, 10.3.%d.%d}\n\tmode = "
				       "off\n"), i, i / 250, i % 250, i / 250,
			      i % 250, i / 250, i % 250);
	refused(text, 2, "c.conf:1: 4098 pairs (each address of a peer with "
		"each of local's of its family), at most 4096");
	at = text + sprintf(text, LOCAL);
	for (i = 0; i < POLICY_MAX_INCLUDES; i++)
		at += sprintf(at, "include(i%d)\n", i);
	write_file("c.conf", text, 0644);
	messages[0] = '\0';
	assert_null(policy_config_read("c.conf", &reader));
	assert_non_null(strstr(messages, "include of more than 256 files"));
	free(text);
}

/* Cut anywhere, a right file is another right file or has errors; never a
 * crash, and never a configuration without its local section. */
static void test_cut_anywhere(void **state)
{
	static const char text[] = "# c\n" LOCAL "/* d */ include(\"x\")\n"
		PEER("a", AS ADDRESS TRUST) "others = \"allow\"\n";
	char copy[sizeof(text)];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text); i++) {
		struct policy_config *config;

		memcpy(copy, text, i);
		copy[i] = '\0';
		config = read_text(copy);
		assert_int_equal(config == NULL, messages_count > 0);
		policy_config_free(config);
	}
}


/* -------------------------------------------------------------------- CRLs */

#define CRL "\tcrl = peers/a.crl\n"

static void write_crl(const char *name, time_t from, time_t until)
{
	const struct crl_spec spec = {
		.issuer = &peer_ca, .from = from, .until = until,
	};
	struct made_crl made = make_crl(&spec);
	FILE *file = fopen(name, "w");

	must(file != NULL && PEM_write_X509_CRL(file, made.crl) == 1 &&
	     fclose(file) == 0, name);
	unmake_crl(&made);
}

static void test_crl(void **state)
{
	const time_t now = time(NULL);
	struct policy_config *config;

	(void)state;
	write_crl("peers/a.crl", now - DAYS(1), now + DAYS(1));
	write_crl("peers/b.crl", now - DAYS(1), now + DAYS(1));
	config = read_text(LOCAL PEER("a", AS ADDRESS TRUST CRL));
	assert_string_equal(messages, "");
	assert_int_equal(config->peers[0].crls->count, 1);
	assert_string_equal(config->peers[0].crls->files[0].path,
			    "peers/a.crl");
	assert_int_equal(sk_X509_CRL_num(config->peers[0].crls->files[0].crls),
			 1);
	policy_config_free(config);
	config = read_text(LOCAL PEER("a", AS ADDRESS TRUST
				      "\tcrl = {\"peers/a.crl\", peers/b.crl}\n"));
	assert_int_equal(config->peers[0].crls->count, 2);
	policy_config_free(config);
	config = read_text(LOCAL PEER("a", AS ADDRESS TRUST));
	assert_null(config->peers[0].crls);
	policy_config_free(config);
}

static void test_crl_refused(void **state)
{
	const time_t now = time(NULL);

	(void)state;
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tcrl = nix.crl\n"), 1,
		"c.conf:11: CRL file nix.crl cannot be opened: No such file");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tcrl = c.conf\n"), 1,
		"c.conf:11: CRL file c.conf is malformed, expected one DER or "
		"1 to 8 PEM CRLs that are complete: replace it");
	refused(LOCAL PEER("a", AS ADDRESS TRUST
			   "\tcrl = {a, b, c, d, e, f, g, h, i}\n"), 1,
		"c.conf:11: crl names 9 files, expected crl = {\"FILE\", ...} "
		"with 1 to 8: correct it");
	write_crl("peers/a.crl", now - DAYS(2), now - DAYS(1));
	refused(LOCAL PEER("a", AS ADDRESS TRUST CRL), 1, "c.conf:11: CRL file "
		"peers/a.crl: the CRL of CN=");
	write_file("peers/a.psk", "0123456789abcdef0123456789abcdef\n", 0600);
	refused(LOCAL PEER("a", AS ADDRESS "\tauth = psk\n"
			   "\tsecret = \"peers/a.psk\"\n" CRL), 1,
		"c.conf:12: option 'crl' has no meaning with auth = psk");
}

/* What is wrong with a CRL closes its peer, and not the guard. */
static void test_crl_is_a_warning(void **state)
{
	const struct policy_reader lenient = {
		.address_is_local = is_local, .report = ignore, .warn = take
	};
	struct policy_config *config;

	(void)state;
	write_file("c.conf", LOCAL PEER("a", AS ADDRESS TRUST
					"\tcrl = nix.crl\n"), 0644);
	messages[0] = '\0';
	messages_count = 0;
	config = policy_config_read("c.conf", &lenient);
	assert_non_null(config);
	assert_int_equal(messages_count, 1);
	assert_non_null(strstr(messages, "CRL file nix.crl cannot be opened"));
	assert_non_null(config->peers[0].crls);
	policy_config_free(config);
}

/* At a reload that is so of what the configuration in force names. */
static void test_crl_at_reload(void **state)
{
	static const char with_crl[] = LOCAL PEER("a", AS ADDRESS TRUST CRL);
	struct policy_reader reload = {
		.address_is_local = is_local, .report = take, .warn = take
	};
	struct policy_config *in_force, *without, *config;
	const time_t now = time(NULL);

	(void)state;
	write_crl("peers/a.crl", now - DAYS(1), now + DAYS(1));
	in_force = read_text(with_crl);
	without = read_text(LOCAL PEER("a", AS ADDRESS TRUST));
	assert_non_null(in_force);
	assert_non_null(without);
	write_file("c.conf", with_crl, 0644);
	unlink("peers/a.crl");

	reload.in_force = in_force;
	messages[0] = '\0';
	config = policy_config_read("c.conf", &reload);
	assert_non_null(config);
	assert_non_null(strstr(messages, "CRL file peers/a.crl cannot be"));
	policy_config_free(config);

	reload.in_force = without;
	messages[0] = '\0';
	assert_null(policy_config_read("c.conf", &reload));
	assert_non_null(strstr(messages, "c.conf:11: CRL file peers/a.crl "
			       "cannot be opened"));
	write_crl("peers/a.crl", now - DAYS(2), now - DAYS(1));
	messages[0] = '\0';
	assert_null(policy_config_read("c.conf", &reload));
	assert_non_null(strstr(messages, "c.conf:11: CRL file peers/a.crl: "));
	write_crl("peers/a.crl", now - DAYS(1), now + DAYS(1));
	config = policy_config_read("c.conf", &reload);
	assert_non_null(config);
	policy_config_free(config);
	policy_config_free(in_force);
	policy_config_free(without);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_certificate),
		cmocka_unit_test(test_own_certificate_expired),
		cmocka_unit_test(test_own_certificate_expired_is_a_warning),
		cmocka_unit_test(test_own_key),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_all_in_one_run),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_crl),
		cmocka_unit_test(test_crl_refused),
		cmocka_unit_test(test_crl_is_a_warning),
		cmocka_unit_test(test_crl_at_reload),
	};

	return cmocka_run_group_tests_name("policy_config_files", tests, set_up,
					   tear_down);
}
