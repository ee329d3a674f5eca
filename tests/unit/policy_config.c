/* policy_config_read(): what is right, and what a reload compares. */
#include "tests/unit/policy_config.h"

/* ------------------------------------------------------------------- right */

static void test_right(void **state)
{
	struct policy_config *config = read_text(
		"# comment\n" LOCAL
		"others = allow\nike_lifetime = 600\nchild_lifetime = 60\nhold_time = 30\n"
		PEER("as64501", AS "\taddresses = {\"192.0.2.2\",\n"
		     "\t\t\"2001:db8::2\"}\n" TRUST
		     "\tauth = certificate\n\tmode = require\n"
		     "\tplane = user\n\thold_time = 9\n")
		PEER("off-1", "\tas = 64500\n\taddresses = {192.0.2.9}\n"
		     "\tmode = off\n"));
	const struct policy_peer *peer;
	struct in6_addr address;

	(void)state;
	assert_string_equal(messages, "");
	assert_non_null(config);
	assert_int_equal(config->as, 64500);
	assert_int_equal(config->addresses_count, 2);
	assert_false(config->block_others);
	assert_int_equal(config->ike_lifetime_s, 600);
	assert_int_equal(config->child_lifetime_s, 60);
	assert_int_equal(config->hold_time_s, 30);
	assert_int_equal(config->peers[0].hold_time_s, 9);
	assert_int_equal(config->peers[1].hold_time_s, 30);
	assert_int_equal(sk_X509_num(config->credential->certs), 1);
	assert_int_equal(config->peers_count, 2);
	peer = &config->peers[0];
	assert_string_equal(peer->name, "as64501");
	assert_string_equal(peer->file, "c.conf");
	assert_int_equal(peer->line, 12);
	assert_int_equal(peer->as, 64501);
	assert_int_equal(peer->addresses_count, 2);
	assert_int_equal(peer->mode, POLICY_REQUIRE);
	assert_int_equal(peer->plane, POLICY_PLANE_USER);
	assert_int_equal(config->peers[1].plane, POLICY_PLANE_AUTO);
	assert_int_equal(sk_X509_num(peer->anchors->certs), 1);
	assert_null(config->peers[1].anchors);
	assert_int_equal(config->peers[1].mode, POLICY_OFF);
	address_parse("2001:db8::2", &address);
	assert_ptr_equal(policy_config_peer(config, &address), peer);
	address_parse("192.0.2.1", &address);
	assert_null(policy_config_peer(config, &address));
	policy_config_free(config);
}

/* That of a peer is its own, or else the global one. */
static void test_profiles(void **state)
{
	static const struct {
		const char *global, *own;
		enum policy_profile expected;
	} cases[] = {
		{ "", "", POLICY_PROFILE_DEFAULT },
		{ "profile = default\n", "", POLICY_PROFILE_DEFAULT },
		{ "profile = cnsa\n", "", POLICY_PROFILE_CNSA },
		{ "", "profile = legacy\n", POLICY_PROFILE_LEGACY },
		{ "profile = cnsa\n", "profile = default\n",
		  POLICY_PROFILE_DEFAULT },
		{ "profile = legacy\n", "profile = cnsa\n",
		  POLICY_PROFILE_CNSA },
	};
	struct policy_config *config;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text), LOCAL "%s"
			 PEER("a", AS ADDRESS TRUST "%s"), cases[i].global,
			 cases[i].own);
		config = read_text(text);
		assert_non_null(config);
		assert_int_equal(config->peers[0].algorithms.profile, cases[i].expected);
		policy_config_free(config);
	}
}

/* An option of the peer's goes first, and its own profile replaces the global
 * proposals. */
static void test_proposals(void **state)
{
	static const struct {
		const char *global, *own;
		const char *ike, *esp;
		bool pfs;
	} cases[] = {
		{ "", "", NULL, NULL, false },
		{ "ike = i\nesp = \"e-e\"\npfs = yes\n", "", "i", "e-e", true },
		{ "ike = i\npfs = yes\n", "esp = f\npfs = no\n", "i", "f",
		  false },
		{ "ike = i\nesp = e\n", "ike = j\n", "j", "e", false },
		{ "ike = i\nesp = e\n", "profile = default\n", NULL, NULL,
		  false },
		{ "ike = i\n", "esp = f\nprofile = legacy\n", NULL, "f",
		  false },
		{ "profile = cnsa\nike = i\n", "", "i", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct policy_algorithms *found;
		struct policy_config *config;
		char text[1024];

		snprintf(text, sizeof(text), LOCAL "%s"
			 PEER("a", AS ADDRESS TRUST "%s"), cases[i].global,
			 cases[i].own);
		config = read_text(text);
		assert_non_null(config);
		found = &config->peers[0].algorithms;
		assert_true(!found->ike == !cases[i].ike);
		assert_true(!found->esp == !cases[i].esp);
		if (found->ike)
			assert_string_equal(found->ike, cases[i].ike);
		if (found->esp)
			assert_string_equal(found->esp, cases[i].esp);
		assert_int_equal(found->pfs, cases[i].pfs);
		policy_config_free(config);
	}
}

/* The one who reads says what is a proposal. */
static bool only_good(bool esp, const char *text, char *ret_why, size_t size)
{
	if (strcmp(text, esp ? "good-esp" : "good-ike") == 0)
		return true;
	snprintf(ret_why, size, "no good");
	return false;
}

static void test_proposals_refused(void **state)
{
	struct policy_config *config;

	(void)state;
	reader.proposals = only_good;
	config = read_text(LOCAL "ike = good-ike\n"
			   PEER("a", AS ADDRESS TRUST "esp = good-esp\n"));
	assert_non_null(config);
	policy_config_free(config);
	refused(LOCAL "ike = good-esp\n", 1, "c.conf:7: ike = 'good-esp': no "
		"good");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "\tesp = bad\n"), 1,
		"c.conf:11: esp = 'bad': no good");
	refused(LOCAL "esp = good-esp\nesp = good-esp\n", 1,
		"'esp' is given twice");
	reader.proposals = NULL;
	refused(LOCAL "pfs = maybe\n", 1, "c.conf:7: pfs = 'maybe', expected "
		"yes or no: correct it");
	refused(LOCAL PEER("a", AS ADDRESS TRUST "pfs = 1\n"), 1,
		"pfs = '1', expected yes or no");
}

#define PSK "\tauth = psk\n\tsecret = \"peers/a.psk\"\n"
#define SECRET32 "0123456789abcdef0123456789abcdef"

static void take_advice(void *ctx, const char *message)
{
	(void)ctx;
	snprintf(messages, sizeof(messages), "%s\n", message);
}

static void test_psk(void **state)
{
	struct policy_config *config, *other;

	(void)state;
	reader.advise = take_advice;
	write_file("peers/a.psk", SECRET32 "\n", 0600);
	config = read_text(LOCAL PEER("a", AS ADDRESS PSK));
	assert_non_null(config);
	assert_string_equal(messages, "");
	assert_int_equal(config->peers[0].auth, POLICY_PSK);
	assert_null(config->peers[0].anchors);
	assert_int_equal(config->peers[0].secret->len, 32);
	assert_memory_equal(config->peers[0].secret->bytes, SECRET32, 32);
	/* 16 bytes will do, with advice that does not quote them */
	write_file("peers/a.psk", "0123456789abcdef", 0600);
	other = read_text(LOCAL PEER("a", AS ADDRESS PSK));
	assert_non_null(other);
	assert_non_null(strstr(messages, "c.conf:11: secret file peers/a.psk "
			       "holds 16 bytes, expected 32 and more"));
	assert_null(strstr(messages, "0123"));
	/* a new key is a new peer */
	assert_false(policy_same_peer(&config->peers[0], &other->peers[0]));
	policy_config_free(other);
	other = read_text(LOCAL PEER("a", AS ADDRESS TRUST));
	assert_false(policy_same_peer(&config->peers[0], &other->peers[0]));
	policy_config_free(other);
	write_file("peers/a.psk", SECRET32 "\n\n", 0600);
	other = read_text(LOCAL PEER("a", AS ADDRESS PSK));
	assert_true(policy_same_peer(&config->peers[0], &other->peers[0]));
	policy_config_free(other);
	policy_config_free(config);
	reader.advise = NULL;
}

static void test_psk_refused(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *message;
	} files[] = {
		{ "0123456789abcde\n", 0600, "c.conf:11: secret file "
		  "peers/a.psk holds 15 bytes, expected 16 to 256: make" },
		{ "", 0600, "holds 0 bytes" },
		{ "\n" SECRET32, 0600, "has more than one line" },
		{ SECRET32 "\n" SECRET32 "\n", 0600, "more than one line" },
		{ SECRET32, 0640, "secret file peers/a.psk is open to others "
		  "(mode 0640), expected mode 0600: chmod 0600" },
		{ SECRET32, 0604, "is open to others" },
	};
	char long_key[300];

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		write_file("peers/a.psk", files[i].text, files[i].mode);
		refused(LOCAL PEER("a", AS ADDRESS PSK), 1, files[i].message);
		assert_null(strstr(messages, "012345678"));
	}
	memset(long_key, 'x', 257);
	long_key[257] = '\0';
	write_file("peers/a.psk", long_key, 0600);
	refused(LOCAL PEER("a", AS ADDRESS PSK), 1, "holds 257 bytes");
	unlink("peers/a.psk");
	refused(LOCAL PEER("a", AS ADDRESS PSK), 1, "secret file peers/a.psk "
		"cannot be opened");
	refused(LOCAL PEER("a", AS ADDRESS "\tauth = psk\n"), 1, "section "
		"peer a lacks option 'secret', expected secret = \"FILE\"");
	write_file("peers/a.psk", SECRET32, 0600);
	/* the two ways do not mix */
	refused(LOCAL PEER("a", AS ADDRESS PSK TRUST), 1, "option 'trust' has "
		"no meaning with auth = psk");
	refused(LOCAL PEER("a", AS ADDRESS TRUST
			   "\tsecret = \"peers/a.psk\"\n"), 1, "option "
		"'secret' has no meaning with auth = certificate");
}

static void test_defaults(void **state)
{
	struct policy_config *config = read_text(LOCAL);

	(void)state;
	assert_string_equal(messages, "");
	assert_non_null(config);
	assert_true(config->block_others);
	assert_int_equal(config->ike_lifetime_s, 14400);
	assert_int_equal(config->child_lifetime_s, 3600);
	assert_int_equal(config->hold_time_s, 90);
	assert_int_equal(config->peers_count, 0);
	policy_config_free(config);
	policy_config_free(NULL);
}

static void test_names_in_alt_name_suffice(void **state)
{
	struct policy_config *config = read_text(
		LOCAL_TOP "certificate = san.crt\nkey = router.key }\n");

	(void)state;
	assert_string_equal(messages, "");
	policy_config_free(config);
}

static void test_include(void **state)
{
	struct policy_config *config;

	(void)state;
	/* paths are relative to the file they stand in */
	write_file("peers/a.conf", "\n" PEER("a", AS ADDRESS
		   "\ttrust = a.crt\n"), 0644);
	config = read_text(LOCAL "include(\"peers/a.conf\")\n"
			   "include('d.conf')\n");
	assert_null(config);
	assert_non_null(strstr(messages, "c.conf:8: configuration file d.conf "
			       "cannot be opened: No such file"));
	write_file("d.conf", "ike_lifetime = 100\n", 0644);
	config = read_text(LOCAL "include(\"peers/a.conf\")\n"
			   "include('d.conf')\n");
	assert_string_equal(messages, "");
	assert_non_null(config);
	assert_int_equal(config->ike_lifetime_s, 100);
	assert_string_equal(config->peers[0].file, "peers/a.conf");
	assert_int_equal(config->peers[0].line, 2);
	policy_config_free(config);
	refused(LOCAL "include(c.conf)\n", 1, "c.conf:7: file c.conf is "
		"included twice");
	refused(LOCAL "include(d.conf)\nike_lifetime = 50\n", 1,
		"d.conf:1: option 'ike_lifetime' is given twice, first at "
		"c.conf:8");
	assert_int_equal(symlink("d.conf", "e.conf"), 0);
	refused(LOCAL "include(d.conf)\ninclude(e.conf)\n", 1,
		"c.conf:8: file e.conf is included twice");
	refused(LOCAL "include(./c.conf)\n", 1, "c.conf:7: file ./c.conf is "
		"included twice");
	refused(LOCAL "include(a, b)\n", 1, "c.conf:7: include has 2 "
		"arguments");
	refused(LOCAL "include(peers)\n", 1, "peers is no regular file");
	write_file("d.conf", "local { foo = 1 }\n peer a {}\n", 0644);
	refused(LOCAL "include(d.conf)\n" PEER("a", AS ADDRESS TRUST), 6,
		"d.conf:1: unknown option 'foo'");
}

/* ---------------------------------------------------------------- comparing */

static void test_same(void **state)
{
	static const char *const others[] = {
		PEER("a", "as = 64501\n" ADDRESS "mode = off\n"),
		PEER("a", AS "addresses = {192.0.2.3}\n" TRUST),
		PEER("a", AS "addresses = {192.0.2.2, 192.0.2.3}\n" TRUST),
		PEER("b", AS ADDRESS TRUST),
		PEER("a", AS ADDRESS TRUST "profile = cnsa\n"),
		PEER("a", AS ADDRESS TRUST "ike = x\n"),
		PEER("a", AS ADDRESS TRUST "esp = x\n"),
		PEER("a", AS ADDRESS TRUST "pfs = yes\n"),
		PEER("a", AS ADDRESS TRUST "hold_time = 91\n"),
	};
	struct policy_config *a, *b;
	char text[1024];
	size_t i;

	(void)state;
	a = read_text(LOCAL PEER("a", AS ADDRESS TRUST));
	b = read_text(LOCAL "child_lifetime = 3600\n" PEER("a", ADDRESS AS TRUST));
	assert_true(policy_same_peer(&a->peers[0], &b->peers[0]));
	assert_true(policy_same_local(a, b));
	policy_config_free(b);
	for (i = 0; i < COUNT(others); i++) {
		snprintf(text, sizeof(text), LOCAL "%s = 60\n%s",
			 i % 2 ? "ike_lifetime" : "child_lifetime",
			 others[i]);
		b = read_text(text);
		assert_non_null(b);
		assert_false(policy_same_peer(&a->peers[0], &b->peers[0]));
		assert_false(policy_same_local(a, b));
		policy_config_free(b);
	}
	/* who else may come is no affair of an engine's */
	b = read_text(LOCAL "others = allow\n" PEER("b", AS ADDRESS TRUST));
	assert_true(policy_same_local(a, b));
	/* another name, but the same trust */
	assert_true(policy_still_trusts(&a->peers[0], &b->peers[0], false));
	/* another identity */
	address_parse("10.0.0.2", &b->peers[0].inside[0]);
	assert_false(policy_still_trusts(&a->peers[0], &b->peers[0], true));
	assert_false(policy_same_peer(&a->peers[0], &b->peers[0]));
	policy_config_free(b);
	b = read_text(LOCAL PEER("a", "as = 64501\n" ADDRESS "mode = off\n"));
	assert_false(policy_still_trusts(&a->peers[0], &b->peers[0], false));
	assert_false(policy_still_trusts(&a->peers[0], &b->peers[0], true));
	policy_config_free(b);
	/* another certificate for the same key */
	b = read_text(LOCAL_TOP "certificate = san.crt\nkey = router.key\n}\n");
	assert_false(policy_same_local(a, b));
	policy_config_free(b);
	policy_config_free(a);
}

static int count_pair(void *ctx, const struct policy_peer *peer,
		      const struct in6_addr *local,
		      const struct in6_addr *remote)
{
	int *count = ctx;

	assert_string_equal(peer->name, "a");
	assert_int_equal(address_family(local), address_family(remote));
	return ++*count == 3 ? 77 : 0;
}

static void test_pairs(void **state)
{
	struct policy_config *config = read_text(LOCAL
		PEER("a", AS "addresses = {192.0.2.2, \"2001:db8::2\"}\n"
		     TRUST));
	struct in6_addr v4, v6;
	int count = 0;

	(void)state;
	assert_int_equal(policy_each_pair(config, count_pair, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(policy_each_pair(config, count_pair, &count), 77);
	address_parse("192.0.2.1", &v4);
	address_parse("2001:db8::2", &v6);
	assert_true(policy_is_local(config, &v4));
	assert_false(policy_is_local(config, &v6));
	assert_null(policy_find_pair(config, &v4, &v6));
	assert_null(policy_find_pair(config, &v6, &v6));
	address_parse("192.0.2.2", &v6);
	assert_ptr_equal(policy_find_pair(config, &v4, &v6),
			 &config->peers[0]);
	policy_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_proposals),
		cmocka_unit_test(test_proposals_refused),
		cmocka_unit_test(test_psk),
		cmocka_unit_test(test_psk_refused),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_names_in_alt_name_suffice),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_pairs),
	};

	return cmocka_run_group_tests_name("policy_config", tests, set_up,
					   tear_down);
}
