/* policy_config_read(): post-quantum preshared keys (RFC 8784). */
#include "tests/unit/policy_config.h"

#define KEY32 "0123456789abcdef0123456789abcdef"
#define PPK "\tppk = \"peers/a.ppk\"\n"
#define ID "\tppk_id = \"as64500-as64501\"\n"
#define PEER_A(more) LOCAL PEER("a", AS ADDRESS TRUST more)

static void test_ppk(void **state)
{
	struct policy_config *config;
	const struct policy_peer *peer;

	(void)state;
	write_file("peers/a.ppk", KEY32 "\n", 0600);
	config = read_text(PEER_A(PPK ID));
	assert_string_equal(messages, "");
	assert_non_null(config);
	peer = &config->peers[0];
	assert_int_equal(peer->ppk->len, 32);
	assert_memory_equal(peer->ppk->bytes, KEY32, 32);
	assert_string_equal(peer->ppk_id, "as64500-as64501");
	assert_true(peer->ppk_required);
	policy_config_free(config);
	/* with a pre-shared key, too */
	write_file("peers/a.psk", "fedcba9876543210fedcba9876543210", 0600);
	config = read_text(LOCAL PEER("a", AS ADDRESS "\tauth = psk\n"
				      "\tsecret = \"peers/a.psk\"\n" PPK ID
				      "\tppk_required = no\n"));
	assert_string_equal(messages, "");
	assert_non_null(config);
	assert_false(config->peers[0].ppk_required);
	assert_int_equal(config->peers[0].ppk->len, 32);
	policy_config_free(config);
	config = read_text(PEER_A(""));
	assert_null(config->peers[0].ppk);
	assert_null(config->peers[0].ppk_id);
	assert_false(config->peers[0].ppk_required);
	policy_config_free(config);
	/* with mode off it is not looked at */
	config = read_text(PEER_A("\tmode = off\n\tppk = nix\n"));
	assert_string_equal(messages, "");
	assert_null(config->peers[0].ppk);
	policy_config_free(config);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *message;
	} files[] = {
		{ "0123456789abcdef0123456789abcde\n", 0600, "c.conf:11: ppk "
		  "file peers/a.ppk holds 31 bytes, expected 32 to 256: make "
		  "a new one" },
		{ "", 0600, "holds 0 bytes" },
		{ KEY32 "\n" KEY32 "\n", 0600, "ppk file peers/a.ppk has more "
		  "than one line" },
		{ KEY32, 0640, "ppk file peers/a.ppk is open to others (mode "
		  "0640), expected mode 0600: chmod 0600" },
	};
	static const char *const ids[] = {
		"\"\"", "\"two words\"", "\"tab\\t\"", "\"\\x7f\"",
		"\"\xc3\xa4\"",
		(KEY32 KEY32 "!")
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		write_file("peers/a.ppk", files[i].text, files[i].mode);
		refused(PEER_A(PPK ID), 1, files[i].message);
		assert_null(strstr(messages, "012345678"));
	}
	unlink("peers/a.ppk");
	refused(PEER_A(PPK ID), 1, "ppk file peers/a.ppk cannot be opened");
	write_file("peers/a.ppk", KEY32, 0600);
	refused(PEER_A(PPK), 1, "section peer a lacks option 'ppk_id', "
		"expected ppk_id = \"NAME\": add it");
	refused(PEER_A(ID), 1, "section peer a lacks option 'ppk', expected "
		"ppk = \"FILE\": add it");
	refused(PEER_A("\tppk_required = no\n"), 2, "lacks option 'ppk'");
	refused(PEER_A(PPK ID "\tppk_required = maybe\n"), 1, "c.conf:13: "
		"ppk_required = 'maybe', expected yes or no: correct it");
	refused(PEER_A(PPK ID PPK), 1, "c.conf:13: option 'ppk' is given "
		"twice, first in line 11");
	refused(PEER_A(PPK ID ID), 1, "option 'ppk_id' is given twice");
	for (size_t i = 0; i < COUNT(ids); i++) {
		snprintf(text, sizeof(text), PEER_A(PPK "\tppk_id = %s\n"),
			 ids[i]);
		refused(text, 1, "expected 1 to 64 visible ASCII characters: "
			"correct it");
	}
}

/* A reload: another PPK is another peer, and what rests on the old one goes;
 * another name of the same is negotiated anew. */
static void test_same(void **state)
{
	static const struct {
		const char *more;
		bool same, trusted;
	} cases[] = {
		{ PPK ID, true, true },
		{ PPK ID "\tppk_required = yes\n", true, true },
		{ PPK "\tppk_id = other\n", false, true },
		{ PPK ID "\tppk_required = no\n", false, false },
		{ "\tppk = peers/b.ppk\n" ID, false, false },
		{ "\tppk = peers/longer.ppk\n" ID, false, false },
		{ "", false, false },
	};
	struct policy_config *a, *b, *optional;
	char text[1024];

	(void)state;
	write_file("peers/a.ppk", KEY32, 0600);
	write_file("peers/b.ppk", "1" KEY32, 0600);
	write_file("peers/longer.ppk", KEY32 "0", 0600);
	a = read_text(PEER_A(PPK ID));
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text), PEER_A("%s"), cases[i].more);
		b = read_text(text);
		assert_string_equal(messages, "");
		assert_int_equal(policy_same_peer(&a->peers[0], &b->peers[0]),
				 cases[i].same);
		assert_int_equal(policy_same_peer(&b->peers[0], &a->peers[0]),
				 cases[i].same);
		for (int proven = 0; proven < 2; proven++) {
			assert_int_equal(policy_still_trusts(
				&a->peers[0], &b->peers[0], proven),
				cases[i].trusted);
			assert_int_equal(policy_still_trusts(
				&b->peers[0], &a->peers[0], proven),
				cases[i].trusted);
		}
		policy_config_free(b);
	}
	/* an optional one comes without a cut, and does not go without */
	b = read_text(PEER_A(""));
	optional = read_text(PEER_A(PPK ID "\tppk_required = no\n"));
	for (int proven = 0; proven < 2; proven++) {
		assert_true(policy_still_trusts(
			&b->peers[0], &optional->peers[0], proven));
		assert_false(policy_still_trusts(
			&optional->peers[0], &b->peers[0], proven));
	}
	policy_config_free(optional);
	policy_config_free(b);
	policy_config_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ppk),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests_name("policy_config_ppk", tests, set_up,
					   tear_down);
}
