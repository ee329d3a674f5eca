/* CRLs: which are read, what they refuse, and what a file that changes does to
 * what was read before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/address.h"
#include "policy/authorize.h"
#include "policy/crls.h"
#include "tests/unit/policy_crls.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ADDRESSES "critical,IPv4:192.0.2.2/32"

static struct made ca, middle, no_crl_sign, end, end_below, end_no_sign;
static struct policy_anchors anchors;
static struct policy_verdict verdict;
static char folder[] = "/tmp/bgpward-crl.XXXXXX", path[64], other_path[64];

static struct made make_one(const char *name, const struct made *issuer,
			    bool is_ca, const char *usage)
{
	const struct spec spec = {
		.name = name, .issuer = issuer, .ca = is_ca, .usage = usage,
		.as = "critical,AS:64501", .addresses = ADDRESSES,
	};

	return make(&spec);
}

static int set_up(void **state)
{
	(void)state;
	ca = make_one("CA", NULL, true, NULL);
	middle = make_one("middle", &ca, true, NULL);
	no_crl_sign = make_one("no cRLSign", &ca, true,
			       "critical,keyCertSign");
	end = make_one("router", &ca, false, NULL);
	end_below = make_one("router below", &middle, false, NULL);
	end_no_sign = make_one("router", &no_crl_sign, false, NULL);
	anchors.certs = sk_X509_new_null();
	sk_X509_push(anchors.certs, ca.cert);
	must(mkdtemp(folder) != NULL, folder);
	snprintf(path, sizeof(path), "%s/a.crl", folder);
	snprintf(other_path, sizeof(other_path), "%s/b.crl", folder);
	return 0;
}

static int tear_down(void **state)
{
	struct made *const all[] = { &ca, &middle, &no_crl_sign, &end,
				     &end_below, &end_no_sign };

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		unmake(all[i]);
	sk_X509_free(anchors.certs);
	unlink(path);
	unlink(other_path);
	return rmdir(folder);
}

/* ----------------------------------------------------------------- helpers */

static void write_bytes(const char *to, const void *bytes, size_t len)
{
	FILE *file = fopen(to, "w");

	must(file != NULL && fwrite(bytes, 1, len, file) == len &&
	     fclose(file) == 0, to);
}

static void write_crl(const char *to, const struct crl_spec *spec)
{
	struct made_crl made = make_crl(spec);

	write_bytes(to, made.der, (size_t)made.der_len);
	unmake_crl(&made);
}

static void append_pem(const char *to, const struct crl_spec *spec)
{
	struct made_crl made = make_crl(spec);
	FILE *file = fopen(to, "a");

	must(file != NULL && PEM_write_X509_CRL(file, made.crl) == 1 &&
	     fclose(file) == 0, to);
	unmake_crl(&made);
}

static struct policy_crls *new_crls(void)
{
	struct policy_crls *crls = policy_crls_new();

	assert_true(policy_crls_add(crls, path));
	return crls;
}

static const char *fault_of(struct policy_crls *crls)
{
	assert_true(policy_crls_read(crls, &anchors, 0, true));
	return crls->files[0].fault;
}

/* The file is refused, and for this. */
static void unreadable(const char *why)
{
	struct policy_crls *crls = new_crls();
	const char *fault = fault_of(crls);

	if (strstr(fault, why) == NULL)
		print_error("# got: %s\n", fault);
	assert_non_null(strstr(fault, why));
	assert_null(crls->files[0].crls);
	policy_crls_free(crls);
}

static void ask(const struct made *cert, const struct made *issuer,
		const struct policy_crls *crls, time_t now)
{
	struct policy_request request = {
		.certs = { { cert->der, (size_t)cert->der_len } },
		.certs_count = issuer == NULL ? 1 : 2,
		.id_is_address = true, .peer_name = "as64501", .as = 64501,
		.anchors = &anchors, .crls = crls, .now = now,
	};

	if (issuer != NULL)
		request.certs[1] = (struct policy_bytes){
			issuer->der, (size_t)issuer->der_len };
	assert_true(address_parse("192.0.2.2", &request.address));
	request.id.data = address_bytes(&request.address, &request.id.len);
	policy_authorize(&request, &verdict);
}

static void expect(enum policy_refusal refusal, const char *sentence)
{
	if (verdict.refusal != refusal ||
	    strstr(verdict.text, sentence) == NULL)
		print_error("# got %s: %s\n", policy_refusal_name(
			    verdict.refusal), verdict.text);
	assert_string_equal(policy_refusal_name(verdict.refusal),
			    policy_refusal_name(refusal));
	assert_non_null(strstr(verdict.text, sentence));
}

/* The CRL in the file, held against the end certificate under the CA. */
static void judge(const struct crl_spec *spec, enum policy_refusal refusal,
		  const char *sentence)
{
	struct policy_crls *crls = new_crls();

	write_crl(path, spec);
	assert_string_equal(fault_of(crls), "");
	ask(&end, NULL, crls, NOW);
	expect(refusal, sentence);
	policy_crls_free(crls);
}

/* ----------------------------------------------------------------- verdict */

static void test_allows(void **state)
{
	struct crl_spec spec = { .issuer = &ca, .revoked = &end_below };

	(void)state;
	judge(&spec, POLICY_ALLOWED, "");
	assert_int_equal(verdict.crl.from, NOW - DAYS(1));
	assert_int_equal(verdict.crl.until, NOW + DAYS(7));
	assert_int_equal(verdict.not_after, NOW + DAYS(30));
	spec.revoked = NULL;
	spec.no_key_id = true;
	judge(&spec, POLICY_ALLOWED, "");
	/* a clock that is behind does not hide news */
	spec.from = NOW + 3599;
	judge(&spec, POLICY_ALLOWED, "");
	ask(&end, NULL, NULL, NOW);
	expect(POLICY_ALLOWED, "");
	assert_int_equal(verdict.crl.until, 0);
}

static void test_revoked(void **state)
{
	struct crl_spec spec = { .issuer = &ca, .revoked = &end };
	char sentence[160];

	(void)state;
	snprintf(sentence, sizeof(sentence), "certificate 0x%04lX of as64501 "
		 "(CN=router) was revoked on 2026-01-13 08:00:00 UTC",
		 ASN1_INTEGER_get(X509_get0_serialNumber(end.cert)));
	judge(&spec, POLICY_REVOKED, sentence);
	/* also by one that has run out, or for which it is too early */
	spec.until = NOW - 1;
	judge(&spec, POLICY_REVOKED, "was revoked on");
	spec.from = NOW + DAYS(2);
	spec.until = 0;
	judge(&spec, POLICY_REVOKED, "was revoked on");
	spec.from = 0;
	spec.entry_name = "CRLReason";
	spec.entry = "DER:0A:01:08";	/* removeFromCRL */
	judge(&spec, POLICY_REVOKED, "was revoked on");
	spec.entry = "DER:0A:01:01";	/* keyCompromise */
	judge(&spec, POLICY_REVOKED, "was revoked on");
}

static void test_times(void **state)
{
	struct crl_spec spec = { .issuer = &ca, .until = NOW };

	(void)state;
	judge(&spec, POLICY_CRL_EXPIRED, "the CRL of CN=CA ran out on "
	      "2026-01-15 08:00:00 UTC, now it is 2026-01-15 08:00:00 UTC");
	spec.until = NOW + 1;
	judge(&spec, POLICY_ALLOWED, "");
	spec.until = NOW + DAYS(9);
	spec.from = NOW + 3601;
	judge(&spec, POLICY_CRL_NOT_YET_VALID, "the CRL of CN=CA is not valid "
	      "before 2026-01-15 09:00:01 UTC");
}

static void test_newest_counts(void **state)
{
	const struct crl_spec old = {
		.issuer = &ca, .revoked = &end, .from = NOW - DAYS(3),
	}, new = { .issuer = &ca };
	struct policy_crls *crls = new_crls();

	(void)state;
	assert_true(policy_crls_add(crls, other_path));
	write_crl(path, &old);
	write_crl(other_path, &new);
	for (size_t i = 0; i < 2; i++)
		assert_true(policy_crls_read(crls, &anchors, i, true));
	ask(&end, NULL, crls, NOW);
	expect(POLICY_ALLOWED, "");
	write_crl(path, &new);
	write_crl(other_path, &old);
	for (size_t i = 0; i < 2; i++)
		assert_true(policy_crls_read(crls, &anchors, i, true));
	ask(&end, NULL, crls, NOW);
	expect(POLICY_ALLOWED, "");
	policy_crls_free(crls);
}

/* Each CA that has one listed is asked; that of the end certificate must. */
static void test_chain(void **state)
{
	const struct crl_spec of_ca = { .issuer = &ca, .until = NOW + DAYS(2) };
	const struct crl_spec bad_ca = { .issuer = &ca, .revoked = &middle };
	const struct crl_spec of_middle = { .issuer = &middle };
	const struct crl_spec bad_middle = {
		.issuer = &middle, .revoked = &end_below,
	};
	static const struct crl_spec nothing;
	const struct {
		const struct crl_spec *first, *second;
		enum policy_refusal refusal;
		const char *sentence;
	} rows[] = {
		{ &of_ca, &of_middle, POLICY_ALLOWED, "" },
		{ &of_middle, &nothing, POLICY_ALLOWED, "" },
		{ &of_ca, &nothing, POLICY_CRL_MISSING, "CN=middle issued a "
		  "certificate that peer as64501 sent, but no usable CRL" },
		{ &of_ca, &bad_middle, POLICY_REVOKED, "(CN=router below)" },
		{ &bad_ca, &of_middle, POLICY_REVOKED, "(CN=middle)" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy_crls *crls = new_crls();

		unlink(path);
		append_pem(path, rows[i].first);
		if (rows[i].second != &nothing)
			append_pem(path, rows[i].second);
		assert_string_equal(fault_of(crls), "");
		ask(&end_below, &middle, crls, NOW);
		expect(rows[i].refusal, rows[i].sentence);
		/* the one that runs out first */
		if (i == 0)
			assert_int_equal(verdict.crl.until, NOW + DAYS(2));
		policy_crls_free(crls);
	}
}

static void test_wrong_signer(void **state)
{
	struct crl_spec spec = { .issuer = &middle, .key = ca.key };
	struct policy_crls *crls = new_crls();

	(void)state;
	/* the CA that it names is not at hand while it is read */
	write_crl(path, &spec);
	assert_string_equal(fault_of(crls), "");
	ask(&end_below, &middle, crls, NOW);
	expect(POLICY_CRL_BAD_SIGNATURE, "the CRL of CN=middle is not signed");
	/* here it is */
	spec.issuer = &ca;
	spec.key = middle.key;
	write_crl(path, &spec);
	unreadable("is not signed by the trust anchor that it names");
	/* another CA's, of another name, is no use */
	spec.issuer = &end;
	spec.key = end.key;
	spec.no_key_id = true;
	write_crl(path, &spec);
	assert_string_equal(fault_of(crls), "");
	ask(&end_below, &middle, crls, NOW);
	expect(POLICY_CRL_MISSING, "CN=middle");
	policy_crls_free(crls);
}

static void test_key_usage(void **state)
{
	const struct crl_spec spec = { .issuer = &no_crl_sign };
	STACK_OF(X509) *before = anchors.certs;
	struct policy_crls *crls = new_crls();

	(void)state;
	write_crl(path, &spec);
	assert_string_equal(fault_of(crls), "");
	ask(&end_no_sign, &no_crl_sign, crls, NOW);
	expect(POLICY_KEY_USAGE, "keyUsage lacks cRLSign");
	policy_crls_free(crls);
	anchors.certs = sk_X509_new_null();
	sk_X509_push(anchors.certs, no_crl_sign.cert);
	unreadable("is of a CA whose keyUsage lacks cRLSign");
	sk_X509_free(anchors.certs);
	anchors.certs = before;
}

/* ----------------------------------------------------------------- reading */

static void test_refused_kinds(void **state)
{
	static const struct {
		struct crl_spec spec;
		const char *why;
	} rows[] = {
		{ { .extra_name = "2.5.29.27",
		    .extra = "critical,DER:02:01:01" },
		  "is a delta CRL" },
		{ { .extra_name = "2.5.29.28", .extra = "critical,DER:"
		    "30:03:84:01:FF" }, "is indirect or for a part" },
		{ { .extra_name = "2.5.29.28", .extra = "critical,DER:"
		    "30:03:81:01:FF" }, "is indirect or for a part" },
		{ { .extra_name = "2.5.29.28", .extra = "DER:30:00" },
		  "is indirect or for a part" },
		{ { .extra_name = "1.3.6.1.4.1.99999.1",
		    .extra = "critical,DER:05:00" },
		  "has a critical extension that is not known" },
		{ { .extra_name = "2.5.29.20",
		.extra = "DER:02:01:07", .twice = true },
		  "is malformed" },
		{ { .no_until = true }, "no nextUpdate" },
		{ { .until = NOW - DAYS(9) }, "has malformed times" },
		{ { .digest = "SHA1" }, "is signed with ecdsa-with-SHA1" },
		{ { .entry_name = "1.3.6.1.4.1.99999.1",
		    .entry = "critical,DER:05:00" },
		  "has an entry with a critical extension" },
		{ { .entry_name = "2.5.29.29", .entry = "critical,DER:30:00" },
		  "has an entry with a critical extension" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct crl_spec spec = rows[i].spec;

		spec.issuer = &ca;
		spec.revoked = &end_below;
		write_crl(path, &spec);
		unreadable(rows[i].why);
	}
}

static void test_harmless_extensions(void **state)
{
	struct crl_spec spec = {
		.issuer = &ca, .extra_name = "2.5.29.20",
		.extra = "DER:02:01:07",
	};

	(void)state;
	judge(&spec, POLICY_ALLOWED, "");
	spec.extra_name = "1.3.6.1.4.1.99999.1";
	spec.extra = "DER:05:00";
	judge(&spec, POLICY_ALLOWED, "");
}

/* RSA, both ways to sign, and EdDSA; PSS with SHA-1 is refused. */
static void test_algorithms(void **state)
{
	static const struct {
		enum key_type key;
		const char *digest;
		bool pss, accepted;
	} rows[] = {
		{ KEY_RSA_2048, "SHA256", false, true },
		{ KEY_RSA_2048, "SHA384", true, true },
		{ KEY_RSA_2048, "SHA1", true, false },
		{ KEY_RSA_2048, "SHA1", false, false },
		{ KEY_ED25519, NULL, false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct spec ca_spec = {
			.name = "another", .ca = true,
			.key_type = rows[i].key, .as = "critical,AS:64501",
		};
		struct made another = make(&ca_spec);
		const struct crl_spec spec = {
			.issuer = &another, .digest = rows[i].digest,
			.pss = rows[i].pss,
		};
		struct policy_crls *crls = new_crls();

		write_crl(path, &spec);
		if (rows[i].accepted)
			assert_string_equal(fault_of(crls), "");
		else
			unreadable("is signed with");
		policy_crls_free(crls);
		unmake(&another);
	}
}

/* Cut at every octet and with every octet changed: refused, or at the least
 * not believed. */
static void test_damaged(void **state)
{
	const struct crl_spec spec = { .issuer = &ca, .revoked = &end };
	struct made_crl made = make_crl(&spec);
	struct policy_crls *crls = new_crls();
	const size_t len = (size_t)made.der_len;
	size_t bad_signatures = 0;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		write_bytes(path, made.der, i);
		assert_non_null(strstr(fault_of(crls), "is malformed"));
	}
	for (size_t i = 0; i < len; i++) {
		made.der[i] ^= (uint8_t)(1 << i % 8);
		write_bytes(path, made.der, len);
		/* one that names another CA is of no use for this one */
		if (fault_of(crls)[0] == '\0') {
			ask(&end, NULL, crls, NOW);
			expect(POLICY_CRL_MISSING, "");
			sk_X509_CRL_pop_free(crls->files[0].crls,
					     X509_CRL_free);
			crls->files[0].crls = NULL;
		} else if (strstr(crls->files[0].fault, "not signed")) {
			bad_signatures++;
		}
		made.der[i] ^= (uint8_t)(1 << i % 8);
	}
	assert_true(bad_signatures > len / 4);
	/* something behind it */
	made.der = OPENSSL_realloc(made.der, len + 1);
	made.der[len] = 0;
	write_bytes(path, made.der, len + 1);
	unreadable("is malformed");
	policy_crls_free(crls);
	unmake_crl(&made);
}

static void test_files(void **state)
{
	const struct crl_spec spec = { .issuer = &ca };
	char large[POLICY_MAX_FILE_SIZE + 1] = "";

	(void)state;
	unlink(path);
	unreadable("cannot be opened: No such file or directory");
	write_bytes(path, "", 0);
	unreadable("is malformed");
	write_bytes(path, large, sizeof(large));
	unreadable("is larger than 1 MiB");
	unlink(path);
	append_pem(path, &spec);
	append_pem(path, &spec);
	judge(&spec, POLICY_ALLOWED, "");
	for (int i = 0; i < POLICY_MAX_CRLS; i++)
		append_pem(other_path, &spec);
	append_pem(other_path, &spec);
	must(rename(other_path, path) == 0, "rename");
	unreadable("is malformed, expected one DER or 1 to 8 PEM CRLs");
	write_bytes(path, "-----BEGIN X509 CRL-----\nMII", 28);
	unreadable("is malformed");
}

/* ---------------------------------------------------------------- rereading */

static void test_keeps_the_last_good(void **state)
{
	const struct crl_spec good = { .issuer = &ca };
	const struct crl_spec bad = { .issuer = &ca, .revoked = &end };
	struct policy_crls *crls = new_crls(), *fresh;

	(void)state;
	write_crl(path, &good);
	assert_string_equal(fault_of(crls), "");
	assert_false(policy_crls_read(crls, &anchors, 0, false));
	write_bytes(path, "half", 4);
	assert_true(policy_crls_read(crls, &anchors, 0, false));
	assert_non_null(strstr(crls->files[0].fault, "is malformed"));
	ask(&end, NULL, crls, NOW);
	expect(POLICY_ALLOWED, "");
	assert_false(policy_crls_read(crls, &anchors, 0, false));
	unlink(path);
	assert_true(policy_crls_read(crls, &anchors, 0, false));
	assert_non_null(strstr(crls->files[0].fault, "cannot be opened"));
	ask(&end, NULL, crls, NOW);
	expect(POLICY_ALLOWED, "");
	/* a reload that finds nothing either takes it over */
	fresh = new_crls();
	fault_of(fresh);
	ask(&end, NULL, fresh, NOW);
	expect(POLICY_CRL_MISSING, "");
	policy_crls_inherit(fresh, crls);
	ask(&end, NULL, fresh, NOW);
	expect(POLICY_ALLOWED, "");
	policy_crls_free(fresh);
	/* and a new one counts, for a reload as well */
	write_crl(path, &bad);
	assert_true(policy_crls_read(crls, &anchors, 0, false));
	assert_string_equal(crls->files[0].fault, "");
	ask(&end, NULL, crls, NOW);
	expect(POLICY_REVOKED, "");
	write_crl(path, &good);
	fresh = new_crls();
	fault_of(fresh);
	policy_crls_inherit(fresh, crls);
	ask(&end, NULL, fresh, NOW);
	expect(POLICY_ALLOWED, "");
	policy_crls_free(fresh);
	policy_crls_free(crls);
}

static void test_too_many(void **state)
{
	struct policy_crls *crls = policy_crls_new();

	(void)state;
	for (int i = 0; i < POLICY_MAX_CRLS; i++)
		assert_true(policy_crls_add(crls, path));
	assert_false(policy_crls_add(crls, path));
	policy_crls_free(crls);
	policy_crls_free(NULL);
}

/* ------------------------------------------------------------------ expiry */

static void test_expiry(void **state)
{
	static const struct {
		int life, left;		/* days */
		enum policy_expiry expiry;
		const char *text;
	} rows[] = {
		{ 365, 31, POLICY_FAR, NULL },
		{ 365, 29, POLICY_SOON, "expires in 29 days, on 2026-02-13" },
		{ 365, 6, POLICY_NEAR, "expires in 6 days, on" },
		{ 365, 1, POLICY_NEAR, "expires in 24 hours, on" },
		{ 365, 0, POLICY_PAST, "expired on 2026-01-15 08:00:00 UTC" },
		{ 365, -3, POLICY_PAST, "expired on 2026-01-12" },
		/* renewed every few days anyway */
		{ 30, 20, POLICY_FAR, NULL },
		{ 30, 7, POLICY_SOON, "expires in 7 days" },
		{ 30, 3, POLICY_NEAR, "expires in 3 days" },
		{ 4, 2, POLICY_FAR, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const time_t end_time = NOW + DAYS(rows[i].left);
		const struct policy_span span = {
			end_time - DAYS(rows[i].life), end_time,
		};
		char text[POLICY_TEXT_SIZE] = "untouched";

		assert_int_equal(policy_expiry_of(&span, NOW),
				 rows[i].expiry);
		assert_int_equal(policy_expiry_text(&span, NOW, text,
						    sizeof(text)),
				 rows[i].text != NULL);
		assert_non_null(strstr(text, rows[i].text == NULL ?
				       "untouched" : rows[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allows),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_newest_counts),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_wrong_signer),
		cmocka_unit_test(test_key_usage),
		cmocka_unit_test(test_refused_kinds),
		cmocka_unit_test(test_harmless_extensions),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_keeps_the_last_good),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_expiry),
	};

	return cmocka_run_group_tests_name("policy_crl", tests, set_up,
					   tear_down);
}
