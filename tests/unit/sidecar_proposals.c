/* Algorithms of the configuration: errors that quote and list, and what a
 * plane carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sidecar/proposals.h"

static void errors_quote_and_list(void **state)
{
	static const struct {
		bool esp;
		const char *text, *says, *lists, *not;
	} cases[] = {
		{ false, "aes256gcm16-prfsha256-x22519", "'x22519' is no ",
		  "expected aes256gcm16, ", "null" },
		{ true, "null-md5", "'md5' is no algorithm here, expected "
		  "null, ", "noesn: correct it", "aes256,"  },
		{ true, "null-sha256-ecp256", "'ecp256' is no algorithm",
		  "pfs = yes", "modp" },
		{ true, "null", "'null' has a cipher that needs an integrity "
		  "check", "add sha256", "expected" },
	};
	char why[1024];

	(void)state;
	assert_true(proposals_check(false, "aes128-sha256-prfsha256-x25519",
				    why, sizeof(why)));
	assert_true(proposals_check(true, "null-sha256", why, sizeof(why)));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(proposals_check(cases[i].esp, cases[i].text, why,
					     sizeof(why)));
		if (!strstr(why, cases[i].says) ||
		    !strstr(why, cases[i].lists) || strstr(why, cases[i].not))
			fail_msg("%s: %s", cases[i].text, why);
	}
	/* what does not fit is cut, and no more */
	assert_false(proposals_check(false, "x", why, 20));
	assert_true(strlen(why) < 20);
}

static void what_planes_carry(void **state)
{
	static char gcm[] = "aes256gcm16-aes128gcm16", gmac[] = "aes256gmac",
		    both[] = "aes256gcm16, null-sha256-sha512";
	static const struct {
		struct policy_algorithms wanted;
		bool user;
		const char *user_not;
	} cases[] = {
		{ { POLICY_PROFILE_DEFAULT, NULL, NULL, false }, true, "" },
		{ { POLICY_PROFILE_CNSA, NULL, NULL, false }, false,
		  "ENCR_AES_GCM_16" },
		{ { POLICY_PROFILE_LEGACY, NULL, NULL, true }, true,
		  "ENCR_AES_GCM_16" },
		{ { POLICY_PROFILE_DEFAULT, NULL, gcm, false }, false,
		  "ENCR_AES_GCM_16" },
		{ { POLICY_PROFILE_CNSA, NULL, both, true }, true,
		  "ENCR_AES_GCM_16" },
		{ { POLICY_PROFILE_CNSA, NULL, gmac, false }, true, "" },
	};
	char not[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(proposals_carried(&cases[i].wanted, &plane_xfrm,
					      not, sizeof(not)));
		assert_string_equal(not, "");
		assert_int_equal(proposals_carried(&cases[i].wanted,
						   &plane_user, not,
						   sizeof(not)),
				 cases[i].user);
		assert_string_equal(not, cases[i].user_not);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_quote_and_list),
		cmocka_unit_test(what_planes_carry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
