/* policy_authorize(): chains that are refused for what they are made of. */
#include "tests/unit/policy_authorize.h"

/* --------------------------------------------------------------- malformed */

static void ask_bytes(const uint8_t *data, size_t len)
{
	struct policy_anchors anchors = { sk_X509_new_null() };

	X509_up_ref(ca.cert);
	sk_X509_push(anchors.certs, ca.cert);
	request.certs[0].data = data;
	request.certs[0].len = len;
	request.certs_count = 1;
	request.anchors = &anchors;
	policy_authorize(&request, &verdict);
	sk_X509_pop_free(anchors.certs, X509_free);
}

static void test_malformed(void **state)
{
	struct spec spec = end_spec();
	struct made end = make(&spec);
	size_t len = (size_t)end.der_len, i;
	uint8_t *copy;

	(void)state;
	reset_request();
	ask_bytes(NULL, 0);
	expect(POLICY_MALFORMED, "certificate 1 of 1 that peer as64501 sent (0 "
	       "bytes) is malformed");
	/* cut at every byte, in memory of just that size */
	for (i = 1; i < len; i++) {
		copy = malloc(i);
		memcpy(copy, end.der, i);
		ask_bytes(copy, i);
		assert_int_equal(verdict.refusal, POLICY_MALFORMED);
		free(copy);
	}
	/* something behind it */
	copy = calloc(1, len + POLICY_MAX_CERT_SIZE);
	memcpy(copy, end.der, len);
	ask_bytes(copy, len);
	expect(POLICY_ALLOWED, "");
	ask_bytes(copy, len + 1);
	expect(POLICY_MALFORMED, "is malformed");
	ask_bytes(copy, POLICY_MAX_CERT_SIZE + 1);
	expect(POLICY_MALFORMED, "(16385 bytes)");
	free(copy);
	request.certs_count = 0;
	unmake(&end);
}

/* Each bit flipped: never a crash, never another verdict than a refusal. */
static void test_every_byte_changed(void **state)
{
	struct spec spec = end_spec();
	struct made end = make(&spec);
	uint8_t *copy = malloc((size_t)end.der_len);
	int i, bit, signatures = 0;

	(void)state;
	reset_request();
	for (i = 0; i < end.der_len; i++) {
		bit = i % 8;
		memcpy(copy, end.der, (size_t)end.der_len);
		copy[i] ^= (uint8_t)(1 << bit);
		ask_bytes(copy, (size_t)end.der_len);
		assert_int_not_equal(verdict.refusal, POLICY_ALLOWED);
		signatures += verdict.refusal == POLICY_BAD_SIGNATURE;
	}
	/* most of them get as far as the signature */
	assert_true(signatures > end.der_len / 4);
	free(copy);
	unmake(&end);
}

static void test_no_certificate(void **state)
{
	(void)state;
	reset_request();
	ask(NULL, 0, (const struct made *const []){ &ca }, 1);
	expect(POLICY_MALFORMED, "peer as64501 sent no certificate");
}

static void test_no_anchor(void **state)
{
	struct spec spec = end_spec();
	struct made end = make(&spec);
	const struct made *chain[] = { &end };

	(void)state;
	reset_request();
	ask(chain, 1, NULL, 0);
	expect(POLICY_UNTRUSTED, "trust anchor none");
	request.anchors = NULL;
	policy_authorize(&request, &verdict);
	expect(POLICY_UNTRUSTED, "peer as64501 has no trust anchor");
	unmake(&end);
}

static void test_too_many(void **state)
{
	struct spec spec = end_spec();
	struct made end = make(&spec);
	const struct made *chain[] = { &end, &end, &end, &end, &end, &end };

	(void)state;
	reset_request();
	ASK(chain, &ca);
	expect(POLICY_TOO_MANY, "sent 6 certificates, at most 5");
	/* repeats within the bound do no harm */
	ask(chain, 5, (const struct made *const []){ &ca }, 1);
	expect(POLICY_ALLOWED, "");
	unmake(&end);
}

/* A chain that is longer than what is sent may be. */
static void test_long_chain(void **state)
{
	struct spec spec = {
		.ca = true, .as = "critical,AS:64501", .addresses = ADDRESSES,
	};
	struct made cas[6], end;
	const struct made *chain[] = { &end, &cas[5], &cas[4], &cas[3],
				       &cas[2] };
	int i;

	(void)state;
	reset_request();
	for (i = 0; i < 6; i++) {
		char name[] = "CA 0";

		name[3] = (char)('0' + i);
		spec.name = name;
		spec.issuer = i == 0 ? &ca : &cas[i - 1];
		cas[i] = make(&spec);
	}
	spec = end_spec();
	spec.issuer = &cas[5];
	end = make(&spec);
	ASK(chain, &ca);
	expect(POLICY_UNTRUSTED, "CN=CA 1");
	ASK(chain, &cas[1]);
	expect(POLICY_ALLOWED, "");
	for (i = 0; i < 6; i++)
		unmake(&cas[i]);
	unmake(&end);
}

/* -------------------------------------------------------------- algorithms */

static void test_algorithms(void **state)
{
	static const struct {
		enum key_type key;
		const char *digest, *sentence;
	} rows[] = {
		{ KEY_RSA_1024, NULL, "(1024-bit rsaEncryption), expected "
		  "ECDSA P-256, P-384 or P-521, RSA of 2048 to 4096 bits" },
		{ KEY_RSA_E3, NULL, "(2048-bit rsaEncryption)" },
		{ KEY_RSA_512, NULL, "(512-bit rsaEncryption)" },
		{ KEY_RSA_E0, NULL, "rsaEncryption" },
		{ KEY_P224, NULL, "(224-bit id-ecPublicKey)" },
		{ KEY_EXPLICIT, NULL, "id-ecPublicKey" },
		{ KEY_P256, "SHA1", "signed with ecdsa-with-SHA1, expected" },
		{ KEY_P256, "SHA224", "signed with ecdsa-with-SHA224" },
	};
	size_t i;

	(void)state;
	reset_request();
	for (i = 0; i < COUNT(rows); i++) {
		struct spec spec = end_spec();

		spec.key_type = rows[i].key;
		spec.digest = rows[i].digest;
		ask_one(&spec);
		expect(POLICY_ALGORITHM, rows[i].sentence);
	}
}

/* Every key that is accepted, and every way to sign with it. */
static void test_accepted_algorithms(void **state)
{
	static const struct {
		enum key_type key;
		const char *digest;
		bool pss, accepted;
	} rows[] = {
		{ KEY_P256, "SHA512", false, true },
		{ KEY_P384, "SHA384", false, true },
		{ KEY_P521, "SHA512", false, true },
		{ KEY_RSA_2048, "SHA256", false, true },
		{ KEY_RSA_2048, "SHA512", false, true },
		{ KEY_RSA_2048, "SHA256", true, true },
		{ KEY_RSA_2048, "SHA384", true, true },
		{ KEY_RSA_2048, "SHA1", false, false },
		{ KEY_RSA_2048, "SHA1", true, false },
		{ KEY_ED25519, NULL, false, true },
		{ KEY_ED448, NULL, false, true },
	};
	size_t i;

	(void)state;
	reset_request();
	for (i = 0; i < COUNT(rows); i++) {
		struct spec middle_spec = {
			.name = "middle", .issuer = &ca, .ca = true,
			.as = "critical,AS:64501", .addresses = ADDRESSES,
			.key_type = rows[i].key,
		}, spec = end_spec();
		struct made middle = make(&middle_spec), end;
		const struct made *chain[] = { &end, &middle };

		spec.issuer = &middle;
		spec.key_type = rows[i].key;
		spec.digest = rows[i].digest;
		spec.pss = rows[i].pss;
		end = make(&spec);
		ASK(chain, &ca);
		expect(rows[i].accepted ? POLICY_ALLOWED : POLICY_ALGORITHM,
		       rows[i].accepted ? "" : "is signed with");
		unmake(&end);
		unmake(&middle);
	}
}

static void test_algorithm_of_issuer(void **state)
{
	struct spec middle_spec = {
		.name = "RSA CA", .issuer = &ca, .ca = true,
		.as = "critical,AS:64501", .addresses = ADDRESSES,
		.key_type = KEY_RSA_1024,
	}, spec = end_spec();
	struct made middle = make(&middle_spec), end;
	const struct made *chain[] = { &end, &middle };

	(void)state;
	reset_request();
	spec.issuer = &middle;
	end = make(&spec);
	ASK(chain, &ca);
	expect(POLICY_ALGORITHM, "CN=RSA CA has a key");
	unmake(&end);
	spec = end_spec();
	end = make(&spec);
	ASK(chain, &ca);
	expect(POLICY_ALGORITHM, "CN=RSA CA has a key");
	unmake(&end);
	unmake(&middle);
}

/* ------------------------------------------------------------------- trust */

static void test_foreign_ca(void **state)
{
	struct spec spec = end_spec(), foreign_spec = ca_spec;
	struct made foreign, end;
	const struct made *chain[] = { &end };

	(void)state;
	reset_request();
	foreign_spec.name = "somebody";
	foreign = make(&foreign_spec);
	spec.issuer = &foreign;
	end = make(&spec);
	ASK(chain, &ca);
	expect(POLICY_UNTRUSTED, "certificate CN=router 192.0.2.2 is issued by "
	       "CN=somebody, peer as64501 is configured with trust anchor "
	       "CN=AS64501 CA");
	/* its root sent along changes nothing */
	ask((const struct made *const []){ &end, &foreign }, 2,
	    (const struct made *const []){ &ca }, 1);
	expect(POLICY_UNTRUSTED, "CN=somebody");
	unmake(&end);
	unmake(&foreign);
	/* the same name */
	foreign_spec.name = ca_spec.name;
	foreign = make(&foreign_spec);
	spec.issuer = &foreign;
	end = make(&spec);
	ASK(chain, &ca);
	expect(POLICY_UNTRUSTED, "");
	unmake(&end);
	unmake(&foreign);
}

static void test_self_signed(void **state)
{
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	spec.issuer = NULL;
	ask_one(&spec);
	expect(POLICY_UNTRUSTED, "is issued by CN=router 192.0.2.2");
}

/* A forger that also copies the key identifier: the signature tells. */
static void test_bad_signature(void **state)
{
	struct spec forged_spec = ca_spec, spec = end_spec();
	ASN1_OCTET_STRING *skid = X509_get_ext_d2i(ca.cert,
					NID_subject_key_identifier, NULL,
					NULL);
	struct made forged, end;
	const struct made *chain[] = { &end };
	char hex[41];
	int i;

	(void)state;
	reset_request();
	for (i = 0; i < 20; i++)
		snprintf(hex + 2 * i, 3, "%02x", skid->data[i]);
	ASN1_OCTET_STRING_free(skid);
	forged_spec.skid = hex;
	forged = make(&forged_spec);
	spec.issuer = &forged;
	end = make(&spec);
	ASK(chain, &ca);
	expect(POLICY_BAD_SIGNATURE, "CN=router 192.0.2.2: certificate "
	       "signature failure");
	unmake(&end);
	unmake(&forged);
}

static void test_times(void **state)
{
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	spec.not_after = NOW - 1;
	ask_one(&spec);
	expect(POLICY_EXPIRED, "certificate CN=router 192.0.2.2 expired on "
	       "2026-01-15 07:59:59 UTC, now it is 2026-01-15 08:00:00 UTC");
	assert_int_equal(verdict.not_after, NOW - 1);
	spec = end_spec();
	spec.not_before = NOW + 1;
	ask_one(&spec);
	expect(POLICY_NOT_YET_VALID, "is not valid before 2026-01-15 08:00:01 "
	       "UTC, now it is 2026-01-15 08:00:00 UTC");
	/* an expired anchor vouches for nobody */
	spec = end_spec();
	spec.not_after = NOW + DAYS(300);
	request.now = NOW + DAYS(31);
	ask_one(&spec);
	expect(POLICY_EXPIRED, "certificate CN=AS64501 CA expired on");
}

static void test_issuer_not_a_ca(void **state)
{
	static const struct {
		const char *constraints, *usage;
		enum policy_refusal refusal;
	} rows[] = {
		{ "", "critical,digitalSignature", POLICY_NOT_A_CA },
		{ "critical,CA:FALSE", "critical,digitalSignature",
		  POLICY_NOT_A_CA },
		/* OpenSSL's "invalid CA" is both of these */
		{ "critical,CA:TRUE", "critical,digitalSignature",
		  POLICY_NOT_A_CA },
		{ "critical,CA:TRUE", "", POLICY_KEY_USAGE },
		{ "CA:TRUE", NULL, POLICY_NOT_A_CA },
		{ NULL, NULL, POLICY_ALLOWED },
	};
	size_t i;

	(void)state;
	reset_request();
	for (i = 0; i < COUNT(rows); i++) {
		struct spec middle_spec = {
			.name = "middle", .issuer = &ca, .ca = true,
			.as = "critical,AS:64501", .addresses = ADDRESSES,
			.constraints = rows[i].constraints,
			.usage = rows[i].usage,
		}, spec = end_spec();
		struct made middle = make(&middle_spec), end;
		const struct made *chain[] = { &end, &middle };

		spec.issuer = &middle;
		end = make(&spec);
		ASK(chain, &ca);
		if (verdict.refusal != rows[i].refusal)
			print_error("# row %zu\n", i);
		expect(rows[i].refusal, "");
		unmake(&end);
		unmake(&middle);
	}
}

static void test_path_length(void **state)
{
	struct spec root_spec = ca_spec, spec = end_spec(), middle_spec = {
		.name = "middle", .ca = true, .as = "critical,AS:64501",
		.addresses = ADDRESSES,
	};
	struct made root, middle, end;
	const struct made *chain[] = { &end, &middle };

	(void)state;
	reset_request();
	root_spec.constraints = "critical,CA:TRUE,pathlen:0";
	root = make(&root_spec);
	middle_spec.issuer = &root;
	middle = make(&middle_spec);
	spec.issuer = &middle;
	end = make(&spec);
	ASK(chain, &root);
	expect(POLICY_NOT_A_CA, "path length constraint exceeded");
	unmake(&end);
	unmake(&middle);
	unmake(&root);
}

static void test_key_usage(void **state)
{
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	spec.usage = "critical,keyAgreement";
	ask_one(&spec);
	expect(POLICY_KEY_USAGE, "CN=router 192.0.2.2 lacks digitalSignature");
}

static void test_critical_extension(void **state)
{
	struct spec spec = end_spec();

	(void)state;
	reset_request();
	spec.extra_name = "1.3.6.1.4.1.99999.1";
	spec.extra = "critical,DER:0500";
	ask_one(&spec);
	expect(POLICY_CRITICAL_EXTENSION, "unhandled critical extension");
	spec.extra = "DER:0500";
	ask_one(&spec);
	expect(POLICY_ALLOWED, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_every_byte_changed),
		cmocka_unit_test(test_no_certificate),
		cmocka_unit_test(test_no_anchor),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_accepted_algorithms),
		cmocka_unit_test(test_algorithm_of_issuer),
		cmocka_unit_test(test_foreign_ca),
		cmocka_unit_test(test_self_signed),
		cmocka_unit_test(test_bad_signature),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_issuer_not_a_ca),
		cmocka_unit_test(test_path_length),
		cmocka_unit_test(test_key_usage),
		cmocka_unit_test(test_critical_extension),
	};

	return cmocka_run_group_tests_name("policy_authorize_chain", tests, set_up,
					   tear_down);
}
