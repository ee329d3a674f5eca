#include "tests/unit/ike_test.h"

#include "ike/crypto.h"
#include "ike/proposal.h"
#include "tests/sim/profile.h"

#define D IKE_PROFILE_DEFAULT
#define C IKE_PROFILE_CNSA
#define L IKE_PROFILE_LEGACY

/* Transforms as they travel; the last one of a proposal begins with 00. */
#define GCM256 "0300000c0100001480" "0e0100"
#define GCM128 "0300000c0100001480" "0e0080"
#define CBC256 "0300000c0100000c80" "0e0100"
#define PRF256 "0300000802000005"
#define PRF1 "0300000802000002"
#define X25519_LAST "000000080400001f"
#define X25519_MORE "030000080400001f"
#define P256_LAST "0000000804000013"
#define P256_MORE "0300000804000013"
#define MODP_LAST "000000080400000e"
#define MODP_MORE "030000080400000e"
#define ENCR_NULL_ "030000080100000b"
#define HMAC256 "030000080300000c"
#define ESN1_LAST "0000000805000001"
#define ESN1_MORE "0300000805000001"
#define ESN0_LAST "0000000805000000"

static const struct {
	const char *why;
	enum ike_protocol protocol;
	enum proposal_ke ke;
	uint16_t prefer;
	const char *sa;
	enum ike_reason expected;
	uint16_t ke_chosen, esn;
} cases[] = {
	{ "ours", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000002401010003" GCM256 PRF256 X25519_LAST,
	  IKE_REASON_NONE, IKE_KE_X25519, 0 },
	{ "P-256 only", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000002401010003" GCM256 PRF256 P256_LAST,
	  IKE_REASON_NONE, IKE_KE_P256, 0 },
	{ "both groups, ours is preferred", IKE_PROTOCOL_IKE,
	  PROPOSAL_KE_NEEDED, 0,
	  "0000002c01010004" GCM256 PRF256 P256_MORE X25519_LAST,
	  IKE_REASON_NONE, IKE_KE_X25519, 0 },
	{ "both groups, that of the KE payload saves a round trip",
	  IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, IKE_KE_P256,
	  "0000002c01010004" GCM256 PRF256 P256_MORE X25519_LAST,
	  IKE_REASON_NONE, IKE_KE_P256, 0 },
	{ "no KE", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000001c01010002" GCM256 "0000000802000005",
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "a group that we do not have", IKE_PROTOCOL_IKE,
	  PROPOSAL_KE_NEEDED, 14,
	  "0000002401010003" GCM256 PRF256 MODP_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "128 bits", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000002401010003" GCM128 PRF256 X25519_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "another cipher", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000002401010003" CBC256 PRF256 X25519_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "another PRF", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000002401010003" GCM256 PRF1 X25519_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "AEAD with an integrity transform (RFC 7296 3.3)",
	  IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000002c01010004" GCM256 PRF256 HMAC256 X25519_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "AEAD with integrity NONE", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000002c01010004" GCM256 PRF256 "0300000803000000" X25519_LAST,
	  IKE_REASON_NONE, IKE_KE_X25519, 0 },
	{ "a transform type that nobody knows", IKE_PROTOCOL_IKE,
	  PROPOSAL_KE_NEEDED, 0,
	  "0000002c01010004" GCM256 PRF256 "0300000806000001" X25519_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "an attribute that nobody knows", IKE_PROTOCOL_IKE,
	  PROPOSAL_KE_NEEDED, 0,
	  "0000002401010003" "0300000c0100001480110100" PRF256 X25519_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "second proposal", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0200002401010003" GCM128 PRF256 X25519_LAST
	  "0000002402010003" GCM256 PRF256 X25519_LAST,
	  IKE_REASON_NONE, IKE_KE_X25519, 0 },
	{ "ESP", IKE_PROTOCOL_ESP, PROPOSAL_KE_IGNORED, 0,
	  "0000002401030403" "12345678" ENCR_NULL_ HMAC256 ESN1_LAST,
	  IKE_REASON_NONE, 0, 1 },
	{ "ESN is preferred", IKE_PROTOCOL_ESP, PROPOSAL_KE_OPTIONAL, 0,
	  "0000002c01030404" "12345678" ENCR_NULL_ HMAC256
	  "0300000805000000" ESN1_LAST, IKE_REASON_NONE, 0, 1 },
	{ "no ESN, if there is nothing else", IKE_PROTOCOL_ESP,
	  PROPOSAL_KE_OPTIONAL, 0,
	  "0000002401030403" "12345678" ENCR_NULL_ HMAC256 ESN0_LAST,
	  IKE_REASON_NONE, 0, 0 },
	{ "ESP without ESN transform", IKE_PROTOCOL_ESP,
	  PROPOSAL_KE_OPTIONAL, 0,
	  "0000001c01030402" "12345678" ENCR_NULL_ "000000080300000c",
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "ESP without integrity", IKE_PROTOCOL_ESP, PROPOSAL_KE_OPTIONAL, 0,
	  "0000001c01030402" "12345678" ENCR_NULL_ ESN1_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "a key exchange that we accept", IKE_PROTOCOL_ESP,
	  PROPOSAL_KE_OPTIONAL, IKE_KE_X25519,
	  "0000002c01030404" "12345678" ENCR_NULL_ HMAC256 X25519_MORE
	  ESN1_LAST, IKE_REASON_NONE, IKE_KE_X25519, 1 },
	{ "a key exchange that we do not accept", IKE_PROTOCOL_ESP,
	  PROPOSAL_KE_OPTIONAL, 14,
	  "0000002c01030404" "12345678" ENCR_NULL_ HMAC256 MODP_MORE
	  ESN1_LAST, IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "the same in IKE_AUTH, where it has no meaning", IKE_PROTOCOL_ESP,
	  PROPOSAL_KE_IGNORED, 0,
	  "0000002c01030404" "12345678" ENCR_NULL_ HMAC256 MODP_MORE
	  ESN1_LAST, IKE_REASON_NONE, 0, 1 },
	{ "the wrong protocol", IKE_PROTOCOL_ESP, PROPOSAL_KE_IGNORED, 0,
	  "0000002401010003" GCM256 PRF256 X25519_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "says that one more follows", IKE_PROTOCOL_IKE,
	  PROPOSAL_KE_NEEDED, 0,
	  "0200002401010003" GCM256 PRF256 X25519_LAST,
	  IKE_REASON_PAYLOAD, 0, 0 },
	{ "one transform more than there is", IKE_PROTOCOL_IKE,
	  PROPOSAL_KE_NEEDED, 0,
	  "0000002401010004" GCM256 PRF256 X25519_LAST,
	  IKE_REASON_PAYLOAD, 0, 0 },
	{ "one transform less", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000002401010002" GCM256 PRF256 X25519_LAST,
	  IKE_REASON_PAYLOAD, 0, 0 },
	{ "octets behind the last transform", IKE_PROTOCOL_IKE,
	  PROPOSAL_KE_NEEDED, 0,
	  "0000002801010003" GCM256 PRF256 X25519_LAST "00000000",
	  IKE_REASON_PAYLOAD, 0, 0 },
	{ "key length 0", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000002401010003" "0300000c01000014800e0000" PRF256 X25519_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "no key length", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000002001010003" "0300000801000014" PRF256 X25519_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "two key lengths", IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
	  "0000002801010003" "0300001001000014800e0080800e0100" PRF256
	  X25519_LAST, IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "NULL with a key length", IKE_PROTOCOL_ESP, PROPOSAL_KE_IGNORED, 0,
	  "0000002801030403" "12345678" "0300000c0100000b800e0100" HMAC256
	  ESN1_LAST, IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "NULL with integrity NONE", IKE_PROTOCOL_ESP, PROPOSAL_KE_IGNORED, 0,
	  "0000002401030403" "12345678" ENCR_NULL_ "0300000803000000"
	  ESN1_LAST, IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "GMAC, which is of another profile", IKE_PROTOCOL_ESP,
	  PROPOSAL_KE_IGNORED, 0, "0000002001030402" "12345678"
	  "0300000c01000015800e0100" ESN1_LAST,
	  IKE_REASON_NO_PROPOSAL, 0, 0 },
	{ "SPI longer than the proposal", IKE_PROTOCOL_IKE,
	  PROPOSAL_KE_NEEDED, 0, "000000080101ff00", IKE_REASON_PAYLOAD, 0, 0 },
};

static void chooses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[256];
		struct ike_bytes sa = { bytes, hex(cases[i].sa, bytes) };
		struct selection chosen = { .number = 99 };
		enum ike_reason reason;

		reason = proposal_choose(profile(D), sa, cases[i].protocol, cases[i].ke,
					 cases[i].prefer, &chosen);
		if (reason != cases[i].expected)
			fail_msg("%s: %s, expected %s", cases[i].why,
				 ike_reason_name(reason),
				 ike_reason_name(cases[i].expected));
		if (reason != IKE_REASON_NONE) {
			assert_int_equal(chosen.number, 99);
			continue;
		}
		assert_int_equal(chosen.ke, cases[i].ke_chosen);
		assert_int_equal(chosen.esn, cases[i].esn);
	}
}

/* Our own offer as it stands in a message, without the payload header. */
static struct ike_bytes offer(enum ike_protocol protocol, struct ike_bytes spi,
			      uint8_t *buffer, size_t size)
{
	struct writer writer = writer_of(buffer, size);

	proposal_write_offer(&writer, profile(D), protocol, protocol ==
			     IKE_PROTOCOL_IKE ? PROPOSAL_KE_NEEDED :
			     PROPOSAL_KE_IGNORED, spi);
	assert_true(writer_finish(&writer));
	return (struct ike_bytes){ buffer + 4, writer.len - 4 };
}

static void our_offer_as_it_travels(void **state)
{
	static const uint8_t spi[] = { 1, 2, 3, 4 };
	uint8_t buffer[256];
	struct ike_bytes sa;

	(void)state;
	sa = offer(IKE_PROTOCOL_IKE, (struct ike_bytes){ NULL, 0 }, buffer,
		   sizeof(buffer));
	assert_int_equal(sa.len, 44);
	assert_hex(sa.data, "0000002c01010004" GCM256 PRF256 X25519_MORE
		   P256_LAST);
	sa = offer(IKE_PROTOCOL_ESP, VIEW(spi), buffer, sizeof(buffer));
	assert_int_equal(sa.len, 72);
	assert_hex(sa.data, "0200002401030403" "01020304" ENCR_NULL_ HMAC256
		   ESN1_LAST "0000002402030403" "01020304" ENCR_NULL_ HMAC256
		   ESN0_LAST);
}

static void answer_is_accepted(void **state)
{
	static const uint8_t spi[] = { 1, 2, 3, 4 };
	uint8_t buffer[256], answer[256];
	struct selection chosen, accepted;
	struct writer writer = writer_of(answer, sizeof(answer));
	struct ike_bytes sa = offer(IKE_PROTOCOL_ESP, VIEW(spi), buffer,
				    sizeof(buffer));

	(void)state;
	assert_int_equal(proposal_choose(profile(D), sa, IKE_PROTOCOL_ESP,
					 PROPOSAL_KE_OPTIONAL, 0, &chosen),
			 IKE_REASON_NONE);
	proposal_write_selection(&writer, &chosen, VIEW(spi));
	assert_true(writer_finish(&writer));
	sa = (struct ike_bytes){ answer + 4, writer.len - 4 };
	assert_int_equal(proposal_accept(profile(D), sa, IKE_PROTOCOL_ESP,
					 PROPOSAL_KE_IGNORED, &accepted),
			 IKE_REASON_NONE);
	assert_int_equal(accepted.esn, IKE_ESN_YES);
	assert_int_equal(accepted.encr, IKE_ENCR_NULL);
	assert_int_equal(accepted.integ, IKE_INTEG_HMAC_SHA2_256_128);
}

static const struct {
	const char *why, *sa;
	enum ike_reason expected;
} answers[] = {
	{ "good", "0000002401010003" GCM256 PRF256 P256_LAST,
	  IKE_REASON_NONE },
	{ "the whole offer", "0000002c01010004" GCM256 PRF256 X25519_MORE
	  P256_LAST, IKE_REASON_NO_PROPOSAL },
	{ "another number", "0000002402010003" GCM256 PRF256 P256_LAST,
	  IKE_REASON_NO_PROPOSAL },
	{ "what we did not offer", "0000002401010003" GCM128 PRF256 P256_LAST,
	  IKE_REASON_NO_PROPOSAL },
	{ "no PRF", "0000001c01010002" GCM256 P256_LAST,
	  IKE_REASON_NO_PROPOSAL },
	{ "what another profile has", "0000002401010003" GCM256 PRF256
	  MODP_LAST, IKE_REASON_NO_PROPOSAL },
	{ "two proposals", "0200002401010003" GCM256 PRF256 P256_LAST
	  "0000002402010003" GCM256 PRF256 P256_LAST, IKE_REASON_PAYLOAD },
	{ "nothing", "", IKE_REASON_PAYLOAD },
};

static void answers_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		uint8_t bytes[256];
		struct ike_bytes sa = { bytes, hex(answers[i].sa, bytes) };
		struct selection chosen;
		enum ike_reason reason;

		reason = proposal_accept(profile(D), sa, IKE_PROTOCOL_IKE,
			    PROPOSAL_KE_NEEDED, &chosen);
		if (reason != answers[i].expected)
			fail_msg("%s: %s, expected %s", answers[i].why,
				 ike_reason_name(reason),
				 ike_reason_name(answers[i].expected));
	}
}

/* Whatever two profiles agree on can be used, and is what each of them has. */
static void profiles_agree(void **state)
{
	static const struct {
		enum ike_profile ours, theirs;
		enum ike_protocol protocol;
		bool agree;
		uint16_t encr, bits, integ, prf, ke, esn;
	} table[] = {
		{ D, D, IKE_PROTOCOL_IKE, true, 20, 256, 0, 5, 31, 0 },
		{ C, C, IKE_PROTOCOL_IKE, true, 20, 256, 0, 6, 20, 0 },
		{ L, L, IKE_PROTOCOL_IKE, true, 20, 256, 0, 5, 31, 0 },
		{ D, C, IKE_PROTOCOL_IKE, false, 0, 0, 0, 0, 0, 0 },
		{ C, D, IKE_PROTOCOL_IKE, false, 0, 0, 0, 0, 0, 0 },
		{ C, L, IKE_PROTOCOL_IKE, true, 20, 256, 0, 6, 20, 0 },
		{ L, C, IKE_PROTOCOL_IKE, true, 20, 256, 0, 6, 20, 0 },
		{ L, D, IKE_PROTOCOL_IKE, true, 20, 256, 0, 5, 31, 0 },
		{ D, D, IKE_PROTOCOL_ESP, true, 11, 0, 12, 0, 0, 1 },
		{ C, C, IKE_PROTOCOL_ESP, true, 20, 256, 0, 0, 0, 1 },
		{ L, L, IKE_PROTOCOL_ESP, true, 11, 0, 12, 0, 0, 1 },
		{ D, C, IKE_PROTOCOL_ESP, false, 0, 0, 0, 0, 0, 0 },
		{ L, C, IKE_PROTOCOL_ESP, true, 20, 256, 0, 0, 0, 1 },
		{ D, L, IKE_PROTOCOL_ESP, true, 11, 0, 12, 0, 0, 1 },
	};
	static const uint8_t spi[] = { 1, 2, 3, 4 };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t theirs[1024], ours[1024];
		struct writer writer = writer_of(theirs, sizeof(theirs));
		enum ike_protocol protocol = table[i].protocol;
		enum proposal_ke ke = protocol == IKE_PROTOCOL_IKE ?
			PROPOSAL_KE_NEEDED : PROPOSAL_KE_IGNORED;
		struct selection s = { .number = 0 }, back;
		struct ike_bytes sa;

		proposal_write_offer(&writer, profile(table[i].theirs),
				     protocol, ke, VIEW(spi));
		assert_true(writer_finish(&writer));
		sa = (struct ike_bytes){ theirs + 4, writer.len - 4 };
		assert_int_equal(proposal_choose(
			profile(table[i].ours), sa, protocol, ke, 0,
			&s) == IKE_REASON_NONE, table[i].agree);
		assert_int_equal(s.encr, table[i].encr);
		assert_int_equal(s.encr_key_bits, table[i].bits);
		assert_int_equal(s.integ, table[i].integ);
		assert_int_equal(s.prf, table[i].prf);
		assert_int_equal(s.ke, table[i].ke);
		assert_int_equal(s.esn, table[i].esn);
		if (!table[i].agree)
			continue;
		writer = writer_of(ours, sizeof(ours));
		proposal_write_selection(&writer, &s, VIEW(spi));
		assert_true(writer_finish(&writer));
		sa = (struct ike_bytes){ ours + 4, writer.len - 4 };
		assert_int_equal(proposal_accept(profile(table[i].theirs), sa,
						 protocol, ke, &back), IKE_REASON_NONE);
		assert_int_equal(back.encr, s.encr);
		assert_int_equal(back.integ, s.integ);
	}
}

static bool suite_has(const struct suite *suite, unsigned type)
{
	for (size_t i = 0; i < suite->count; i++)
		if (suite->transforms[i].type == type &&
		    suite->transforms[i].id != 0)
			return true;
	return false;
}

/* NULL without integrity is not to be had in any profile, by any choice. */
static void every_suite_is_sound(void **state)
{
	(void)state;
	for (unsigned p = 0; p < IKE_PROFILES; p++)
	for (unsigned protocol = 1; protocol <= 3; protocol++) {
		const struct suite *suite;

		for (unsigned n = 1; (suite = algorithms_suite(
			profile((enum ike_profile)p),
			(enum ike_protocol)protocol, n)); n++)
		for (size_t i = 0; i < suite->count; i++) {
			const struct transform *t = &suite->transforms[i];
			uint16_t integ = suite_has(suite, 3) ?
				IKE_INTEG_HMAC_SHA2_256_128 : 0;

			if (t->type == IKE_TRANSFORM_ENCR)
				assert_true(crypto_sound(t->id, t->key_bits,
							 integ));
			if (t->type == IKE_TRANSFORM_INTEG)
				assert_true(crypto_integ_key_size(t->id) >=
					    32);
			if (t->type == IKE_TRANSFORM_PRF)
				assert_true(crypto_prf_key_size(t->id) >= 32);
		}
	}
	assert_false(crypto_sound(IKE_ENCR_NULL, 0, IKE_INTEG_NONE));
	assert_false(crypto_sound(IKE_ENCR_NULL, 0, IKE_INTEG_HMAC_SHA1_96));
	assert_false(crypto_sound(IKE_ENCR_NULL, 256,
				  IKE_INTEG_HMAC_SHA2_256_128));
	assert_false(crypto_sound(IKE_ENCR_NULL_AUTH_AES_GMAC, 0, 0));
	assert_false(crypto_sound(IKE_ENCR_AES_CBC, 256, 0));
	assert_null(algorithms_suite(profile(D), IKE_PROTOCOL_IKE,
				     0));
}

/* The first KE, and which others can be asked for. */
static void groups_of_profiles(void **state)
{
	(void)state;
	assert_int_equal(algorithms_first_ke(profile(D)), IKE_KE_X25519);
	assert_int_equal(algorithms_first_ke(profile(C)), IKE_KE_P384);
	assert_int_equal(algorithms_first_ke(profile(L)), IKE_KE_X25519);
	for (uint16_t group = 0; group < 64; group++) {
		assert_int_equal(algorithms_offer_ke(profile(D), group),
				 group == 31 || group == 19);
		assert_int_equal(algorithms_offer_ke(profile(C), group),
				 group == 20 || group == 15 || group == 16);
		assert_int_equal(algorithms_offer_ke(profile(L), group), group == 31 ||
				 (group >= 14 && group <= 16) ||
				 (group >= 19 && group <= 21));
	}
}

static void refuse_one(struct ike_bytes sa)
{
	struct selection chosen;

	/* cut at nothing there is no proposal at all */
	assert_int_not_equal(proposal_choose(profile(D), sa, IKE_PROTOCOL_IKE,
					     PROPOSAL_KE_NEEDED, 0, &chosen),
			     IKE_REASON_NONE);
}

static void survive_one(struct ike_bytes sa)
{
	struct selection chosen;

	if (proposal_choose(profile(D), sa, IKE_PROTOCOL_IKE, PROPOSAL_KE_NEEDED, 0,
			    &chosen) == IKE_REASON_NONE)
		assert_int_equal(chosen.encr_key_bits, 256);
	if (proposal_accept(profile(D), sa, IKE_PROTOCOL_IKE,
			    PROPOSAL_KE_NEEDED, &chosen) == IKE_REASON_NONE)
		assert_int_equal(chosen.encr_key_bits, 256);
}

static void mutilated(void **state)
{
	uint8_t bytes[256];
	size_t len = hex("0000002c01010004" GCM256 PRF256 P256_MORE
			 X25519_LAST, bytes);

	(void)state;
	each_truncation((struct ike_bytes){ bytes, len }, refuse_one);
	each_flip((struct ike_bytes){ bytes, len }, survive_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses),
		cmocka_unit_test(our_offer_as_it_travels),
		cmocka_unit_test(answer_is_accepted),
		cmocka_unit_test(answers_are_checked),
		cmocka_unit_test(profiles_agree),
		cmocka_unit_test(every_suite_is_sound),
		cmocka_unit_test(groups_of_profiles),
		cmocka_unit_test(mutilated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
