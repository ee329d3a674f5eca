/* Proposals in words: what they come to, and what is refused with which
 * words. */
#include "tests/unit/ike_test.h"

#include "ike/proposal.h"

#define GCM "aes256gcm16"

static const struct {
	const char *text;
	enum ike_protocol protocol;
	unsigned suites, transforms;	/* the latter of the last one */
} good[] = {
	{ GCM "-prfsha256-x25519", IKE_PROTOCOL_IKE, 1, 3 },
	{ GCM "-aes128gcm16-chacha20poly1305-prfsha384-ecp521-modp2048",
	  IKE_PROTOCOL_IKE, 1, 6 },
	{ " aes256-sha256-prfsha512-ecp256 ,\taes128-sha512-prfsha256-ecp384 ",
	  IKE_PROTOCOL_IKE, 2, 4 },
	{ "null-sha512", IKE_PROTOCOL_ESP, 1, 4 },
	{ "null-sha256-esn", IKE_PROTOCOL_ESP, 1, 3 },
	{ "noesn-sha384-null", IKE_PROTOCOL_ESP, 1, 3 },
	{ "aes128gmac,aes256gcm16-noesn", IKE_PROTOCOL_ESP, 2, 2 },
	{ "null-sha256,null-sha384,null-sha512,aes256gmac", IKE_PROTOCOL_ESP,
	  4, 3 },
};

static void read_well(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct algorithms all = { .count = 0 };
		struct algorithms_fault fault = { .why = "?" };

		if (!algorithms_parse(good[i].protocol, good[i].text, &all,
				      &fault))
			fail_msg("'%s': '%.*s' %s", good[i].text,
				 (int)fault.word.len,
				 (const char *)fault.word.data, fault.why);
		assert_int_equal(all.count, good[i].suites);
		assert_int_equal(all.suites[all.count - 1].count,
				 good[i].transforms);
		for (size_t s = 0; s < all.count; s++)
			assert_int_equal(all.suites[s].protocol,
					 good[i].protocol);
	}
}

static const struct {
	const char *text;
	enum ike_protocol protocol;
	const char *word, *why;
	bool unknown;
} bad[] = {
	{ "", IKE_PROTOCOL_IKE, "", "is no algorithm here", true },
	{ ",", IKE_PROTOCOL_ESP, "", "is no algorithm here", true },
	{ "null-sha256,", IKE_PROTOCOL_ESP, "", "is no algorithm", true },
	{ "null--sha256", IKE_PROTOCOL_ESP, "", "is no algorithm", true },
	{ "3des-sha256", IKE_PROTOCOL_ESP, "3des", "is no algo", true },
	{ "null-md5", IKE_PROTOCOL_ESP, "md5", "is no algorithm", true },
	{ "null-sha1", IKE_PROTOCOL_ESP, "sha1", "is no algorithm", true },
	{ "null-SHA256", IKE_PROTOCOL_ESP, "SHA256", "is no algo", true },
	{ "null-sha25", IKE_PROTOCOL_ESP, "sha25", "is no algorithm", true },
	{ "null-sha2567", IKE_PROTOCOL_ESP, "sha2567", "is no algo", true },
	/* each where it does not belong */
	{ "null-sha256-x25519", IKE_PROTOCOL_ESP, "x25519", "is no a", true },
	{ "aes256-sha256", IKE_PROTOCOL_ESP, "aes256", "is no algo", true },
	{ "null-prfsha256-x25519", IKE_PROTOCOL_IKE, "null", "is no", true },
	{ "aes256gmac-prfsha256-x25519", IKE_PROTOCOL_IKE, "aes256gmac",
	  "is no algorithm", true },
	/* NULL without integrity cannot be said */
	{ "null", IKE_PROTOCOL_ESP, "null", "needs an integrity check",
	  false },
	{ "null-sha256, null-esn", IKE_PROTOCOL_ESP, "null-esn",
	  "needs an integrity check", false },
	{ "aes256gmac-null", IKE_PROTOCOL_ESP, "aes256gmac-null",
	  "needs an integrity check", false },
	{ "aes256gmac-null-sha256", IKE_PROTOCOL_ESP,
	  "aes256gmac-null-sha256", "brings its own", false },
	{ "aes128gcm16-sha256", IKE_PROTOCOL_ESP, "aes128gcm16-sha256",
	  "brings its own", false },
	{ "sha256-esn", IKE_PROTOCOL_ESP, "sha256-esn", "has no cipher",
	  false },
	{ GCM "-x25519", IKE_PROTOCOL_IKE, GCM "-x25519", "has no PRF",
	  false },
	{ GCM "-prfsha256", IKE_PROTOCOL_IKE, GCM "-prfsha256",
	  "has no group", false },
	{ "aes256-prfsha256-ecp256", IKE_PROTOCOL_IKE,
	  "aes256-prfsha256-ecp256", "needs an integrity check", false },
	{ "null-sha256-null", IKE_PROTOCOL_ESP, "null", "stands twice",
	  false },
	{ "null-sha256,null-sha256,null-sha256,null-sha256, null-sha256",
	  IKE_PROTOCOL_ESP, "null-sha256", "one proposal too many", false },
};

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct algorithms all = { .count = 0 };
		struct algorithms_fault fault;

		if (algorithms_parse(bad[i].protocol, bad[i].text, &all,
				     &fault))
			fail_msg("'%s' was accepted", bad[i].text);
		if (!strstr(fault.why, bad[i].why) ||
		    fault.word.len != strlen(bad[i].word) ||
		    memcmp(fault.word.data, bad[i].word, fault.word.len) ||
		    fault.unknown != bad[i].unknown)
			fail_msg("'%s': '%.*s' %s", bad[i].text,
				 (int)fault.word.len,
				 (const char *)fault.word.data, fault.why);
	}
}

/* Every word that is listed as a cure is one, and the lists end. */
static void every_word(void **state)
{
	const char *word;

	(void)state;
	assert_null(algorithms_word(IKE_PROTOCOL_AH, 0));
	for (unsigned p = IKE_PROTOCOL_IKE; p <= IKE_PROTOCOL_ESP; p += 2)
	for (size_t i = 0; (word = algorithms_word((enum ike_protocol)p, i));
	     i++) {
		struct algorithms all = { .count = 0 };
		struct algorithms_fault fault = { .unknown = false };

		assert_true(i < 32);
		if (!algorithms_parse((enum ike_protocol)p, word, &all,
				      &fault))
			assert_false(fault.unknown);
	}
}

/* The texts of a configuration go before its profile's. */
static void configured(void **state)
{
	struct ike_config config = {
		.profile = IKE_PROFILE_CNSA,
		.esp_proposals = "null-sha512-noesn"
	};
	struct algorithms all = { .count = 99 };

	(void)state;
	assert_true(algorithms_of(&config, &all));
	assert_int_equal(algorithms_first_ke(&all), IKE_KE_P384);
	assert_non_null(algorithms_suite(&all, IKE_PROTOCOL_ESP, 1));
	assert_null(algorithms_suite(&all, IKE_PROTOCOL_ESP, 2));
	config.ike_proposals = "aes128-sha256-prfsha256-ecp521-ecp256";
	assert_true(algorithms_of(&config, &all));
	assert_int_equal(algorithms_first_ke(&all), IKE_KE_P521);
	assert_true(algorithms_offer_ke(&all, IKE_KE_P256));
	assert_false(algorithms_offer_ke(&all, IKE_KE_P384));
	assert_false(algorithms_offer_ke(&all, IKE_KE_NONE));
	all.count = 99;
	config.ike_proposals = "null";
	assert_false(algorithms_of(&config, &all));
	config.ike_proposals = NULL;
	config.profile = IKE_PROFILES;
	assert_false(algorithms_of(&config, &all));
	assert_int_equal(all.count, 99);
}

/* ------------------------------------------------------------------- PFS */

static struct ike_bytes offer(const struct algorithms *all,
			      enum proposal_ke ke, uint8_t *buffer)
{
	static const uint8_t spi[] = { 1, 2, 3, 4 };
	struct writer writer = writer_of(buffer, 512);

	proposal_write_offer(&writer, all, IKE_PROTOCOL_ESP, ke, VIEW(spi));
	assert_true(writer_finish(&writer));
	return (struct ike_bytes){ buffer + 4, writer.len - 4 };
}

/* Who wants a key exchange for Child SAs, and what that comes to. */
static void groups_of_esp(void **state)
{
	static const struct {
		bool theirs, ours;	/* pfs */
		enum proposal_ke exchange;
		uint16_t group;
		enum ike_reason reason;
	} cases[] = {
		{ false, false, PROPOSAL_KE_OPTIONAL, 0, IKE_REASON_NONE },
		{ true, false, PROPOSAL_KE_OPTIONAL, IKE_KE_X25519,
		  IKE_REASON_NONE },
		{ true, true, PROPOSAL_KE_OPTIONAL, IKE_KE_X25519,
		  IKE_REASON_NONE },
		{ false, true, PROPOSAL_KE_OPTIONAL, 0,
		  IKE_REASON_NO_PROPOSAL },
		/* in IKE_AUTH there is none, whoever wants one */
		{ false, true, PROPOSAL_KE_IGNORED, 0, IKE_REASON_NONE },
		{ true, true, PROPOSAL_KE_IGNORED, 0, IKE_REASON_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_config a = { .pfs = cases[i].theirs };
		struct ike_config b = { .pfs = cases[i].ours };
		struct selection chosen = { .ke = 0 };
		struct algorithms theirs, ours;
		uint8_t buffer[512];

		assert_true(algorithms_of(&a, &theirs));
		assert_true(algorithms_of(&b, &ours));
		assert_int_equal(proposal_choose(
			&ours, offer(&theirs, cases[i].exchange ==
				     PROPOSAL_KE_OPTIONAL && a.pfs ?
				     PROPOSAL_KE_NEEDED : PROPOSAL_KE_IGNORED,
				     buffer),
			IKE_PROTOCOL_ESP, cases[i].exchange, 0, &chosen),
			cases[i].reason);
		assert_int_equal(chosen.ke, cases[i].group);
	}
}

/* NONE is not offered with PFS, and not accepted as an answer. */
static void none_is_no_group(void **state)
{
	struct ike_config config = { .pfs = true };
	uint8_t buffer[512], answer[128];
	struct writer writer = writer_of(answer, sizeof(answer));
	struct selection chosen, back;
	struct algorithms all;
	struct ike_bytes sa;

	(void)state;
	assert_true(algorithms_of(&config, &all));
	sa = offer(&all, PROPOSAL_KE_IGNORED, buffer);
	config.pfs = false;
	assert_true(algorithms_of(&config, &all));
	assert_int_equal(proposal_choose(&all, sa, IKE_PROTOCOL_ESP,
					 PROPOSAL_KE_OPTIONAL, 0, &chosen),
			 IKE_REASON_NONE);
	proposal_write_selection(&writer, &chosen, chosen.spi);
	assert_true(writer_finish(&writer));
	sa = (struct ike_bytes){ answer + 4, writer.len - 4 };
	assert_int_equal(proposal_accept(&all, sa, IKE_PROTOCOL_ESP,
					 PROPOSAL_KE_IGNORED, &back),
			 IKE_REASON_NONE);
	assert_int_equal(proposal_accept(&all, sa, IKE_PROTOCOL_ESP,
					 PROPOSAL_KE_NEEDED, &back),
			 IKE_REASON_NO_PROPOSAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_well),
		cmocka_unit_test(refused),
		cmocka_unit_test(every_word),
		cmocka_unit_test(configured),
		cmocka_unit_test(groups_of_esp),
		cmocka_unit_test(none_is_no_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
