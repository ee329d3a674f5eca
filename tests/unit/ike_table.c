/* The table refuses what a state does not expect; and the names. */
#include "tests/unit/ike_test.h"

#include <openssl/ec.h>
#include <openssl/x509.h>

#include "ike/engine.h"

#define P(name) PAYLOAD_BIT(IKE_PAYLOAD_##name)

static const struct {
	const char *why;
	enum sa_state state;
	enum purpose purpose;
	enum ike_exchange exchange;
	bool response;
	uint32_t present;
	enum ike_reason expected;
} cases[] = {
	{ "first message", SA_NONE, PURPOSE_NONE, IKE_EXCHANGE_SA_INIT, false,
	  P(SA) | P(KE) | P(NONCE) | P(NOTIFY), IKE_REASON_NONE },
	{ "first message without KE", SA_NONE, PURPOSE_NONE,
	  IKE_EXCHANGE_SA_INIT, false, P(SA) | P(NONCE),
	  IKE_REASON_PAYLOAD_MISSING },
	{ "first message with AUTH", SA_NONE, PURPOSE_NONE,
	  IKE_EXCHANGE_SA_INIT, false, P(SA) | P(KE) | P(NONCE) | P(AUTH),
	  IKE_REASON_PAYLOAD_FORBIDDEN },
	{ "first message sealed", SA_NONE, PURPOSE_NONE,
	  IKE_EXCHANGE_SA_INIT, false, P(SA) | P(KE) | P(NONCE) | P(SK),
	  IKE_REASON_PAYLOAD_FORBIDDEN },
	{ "IKE_SA_INIT response to another request", SA_INIT_SENT,
	  PURPOSE_AUTH, IKE_EXCHANGE_SA_INIT, true,
	  P(SA) | P(KE) | P(NONCE), IKE_REASON_UNEXPECTED },
	{ "IKE_SA_INIT response twice", SA_AUTH_SENT, PURPOSE_AUTH,
	  IKE_EXCHANGE_SA_INIT, true, P(SA) | P(KE) | P(NONCE),
	  IKE_REASON_UNEXPECTED },
	/* CVE-2019-12312 */
	{ "INFORMATIONAL before IKE_AUTH", SA_INIT_ANSWERED, PURPOSE_NONE,
	  IKE_EXCHANGE_INFORMATIONAL, false, 0, IKE_REASON_UNEXPECTED },
	{ "DELETE before IKE_AUTH", SA_AUTH_SENT, PURPOSE_AUTH,
	  IKE_EXCHANGE_INFORMATIONAL, false, P(DELETE),
	  IKE_REASON_UNEXPECTED },
	{ "CREATE_CHILD_SA before IKE_AUTH", SA_INIT_ANSWERED, PURPOSE_NONE,
	  IKE_EXCHANGE_CREATE_CHILD_SA, false,
	  P(SA) | P(NONCE) | P(TSI) | P(TSR), IKE_REASON_UNEXPECTED },
	{ "CREATE_CHILD_SA while the decision is awaited",
	  SA_AUTHORIZING_REQUEST, PURPOSE_NONE, IKE_EXCHANGE_CREATE_CHILD_SA,
	  false, P(SA) | P(NONCE) | P(TSI) | P(TSR), IKE_REASON_UNEXPECTED },
	{ "IKE_AUTH again while the decision is awaited",
	  SA_AUTHORIZING_REQUEST, PURPOSE_NONE, IKE_EXCHANGE_AUTH, false,
	  P(IDI) | P(CERT) | P(AUTH) | P(SA) | P(TSI) | P(TSR),
	  IKE_REASON_UNEXPECTED },
	{ "IKE_AUTH", SA_INIT_ANSWERED, PURPOSE_NONE, IKE_EXCHANGE_AUTH,
	  false, P(IDI) | P(CERT) | P(AUTH) | P(SA) | P(TSI) | P(TSR),
	  IKE_REASON_NONE },
	{ "IKE_AUTH without AUTH (EAP)", SA_INIT_ANSWERED, PURPOSE_NONE,
	  IKE_EXCHANGE_AUTH, false, P(IDI) | P(SA) | P(TSI) | P(TSR),
	  IKE_REASON_PAYLOAD_MISSING },
	{ "IKE_AUTH without CERT: by pre-shared key", SA_INIT_ANSWERED,
	  PURPOSE_NONE, IKE_EXCHANGE_AUTH, false,
	  P(IDI) | P(AUTH) | P(SA) | P(TSI) | P(TSR),
	  IKE_REASON_NONE },
	{ "IKE_AUTH without AUTH", SA_INIT_ANSWERED, PURPOSE_NONE,
	  IKE_EXCHANGE_AUTH, false,
	  P(IDI) | P(SA) | P(TSI) | P(TSR),
	  IKE_REASON_PAYLOAD_MISSING },
	{ "IKE_AUTH with EAP", SA_INIT_ANSWERED, PURPOSE_NONE,
	  IKE_EXCHANGE_AUTH, false,
	  P(IDI) | P(CERT) | P(AUTH) | P(SA) | P(TSI) | P(TSR) | P(EAP),
	  IKE_REASON_PAYLOAD_FORBIDDEN },
	{ "IKE_AUTH response", SA_AUTH_SENT, PURPOSE_AUTH, IKE_EXCHANGE_AUTH,
	  true, P(IDR) | P(CERT) | P(AUTH) | P(SA) | P(TSI) | P(TSR),
	  IKE_REASON_NONE },
	{ "IKE_AUTH response without AUTH", SA_AUTH_SENT, PURPOSE_AUTH,
	  IKE_EXCHANGE_AUTH, true, P(IDR) | P(CERT) | P(SA) | P(TSI) | P(TSR),
	  IKE_REASON_PAYLOAD_MISSING },
	{ "IKE_AUTH refused", SA_AUTH_SENT, PURPOSE_AUTH, IKE_EXCHANGE_AUTH,
	  true, P(NOTIFY), IKE_REASON_NONE },
	{ "IKE_AUTH response, empty", SA_AUTH_SENT, PURPOSE_AUTH,
	  IKE_EXCHANGE_AUTH, true, 0, IKE_REASON_PAYLOAD_MISSING },
	{ "IKE_AUTH once established", SA_ESTABLISHED, PURPOSE_NONE,
	  IKE_EXCHANGE_AUTH, false,
	  P(IDI) | P(CERT) | P(AUTH) | P(SA) | P(TSI) | P(TSR),
	  IKE_REASON_UNEXPECTED },
	{ "Child SA", SA_ESTABLISHED, PURPOSE_NONE,
	  IKE_EXCHANGE_CREATE_CHILD_SA, false,
	  P(SA) | P(NONCE) | P(TSI) | P(TSR), IKE_REASON_NONE },
	{ "rekey of the IKE SA", SA_ESTABLISHED, PURPOSE_NONE,
	  IKE_EXCHANGE_CREATE_CHILD_SA, false, P(SA) | P(NONCE) | P(KE),
	  IKE_REASON_NONE },
	{ "neither", SA_ESTABLISHED, PURPOSE_NONE,
	  IKE_EXCHANGE_CREATE_CHILD_SA, false, P(SA) | P(NONCE),
	  IKE_REASON_PAYLOAD_MISSING },
	{ "TSi without TSr", SA_ESTABLISHED, PURPOSE_NONE,
	  IKE_EXCHANGE_CREATE_CHILD_SA, false, P(SA) | P(NONCE) | P(TSI),
	  IKE_REASON_PAYLOAD_MISSING },
	{ "a Child SA's answer to the rekey of the IKE SA", SA_ESTABLISHED,
	  PURPOSE_IKE_REKEY, IKE_EXCHANGE_CREATE_CHILD_SA, true,
	  P(SA) | P(NONCE) | P(TSI) | P(TSR), IKE_REASON_PAYLOAD_MISSING },
	{ "an IKE SA's answer to a Child SA", SA_ESTABLISHED, PURPOSE_CHILD,
	  IKE_EXCHANGE_CREATE_CHILD_SA, true, P(SA) | P(NONCE) | P(KE),
	  IKE_REASON_PAYLOAD_MISSING },
	{ "an answer to nothing", SA_ESTABLISHED, PURPOSE_NONE,
	  IKE_EXCHANGE_CREATE_CHILD_SA, true,
	  P(SA) | P(NONCE) | P(TSI) | P(TSR), IKE_REASON_UNEXPECTED },
	{ "anything to a closed one", SA_CLOSED, PURPOSE_NONE,
	  IKE_EXCHANGE_INFORMATIONAL, false, 0, IKE_REASON_UNEXPECTED },
	{ "an exchange that nobody knows", SA_ESTABLISHED, PURPOSE_NONE,
	  (enum ike_exchange)43, false, 0, IKE_REASON_UNEXPECTED },
};

static void legal_and_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message_header header = {
			.exchange = (uint8_t)cases[i].exchange,
			.response = cases[i].response
		};
		struct payloads payloads = { .present = cases[i].present };
		enum ike_reason reason = IKE_REASON_NONE;
		const struct table_row *row;

		row = table_find(cases[i].state, cases[i].purpose, &header,
				 &payloads, &reason);
		if (reason != cases[i].expected ||
		    (row == NULL) != (reason != IKE_REASON_NONE))
			fail_msg("%s: %s, expected %s", cases[i].why,
				 ike_reason_name(reason),
				 ike_reason_name(cases[i].expected));
	}
}

/* No state before IKE_AUTH lets in any exchange but its own. */
static void nothing_before_authentication(void **state)
{
	(void)state;
	for (unsigned s = SA_INIT_SENT; s <= SA_SIGNING_RESPONSE; s++)
		for (unsigned exchange = 0; exchange < 256; exchange++) {
			struct message_header header = {
				.exchange = (uint8_t)exchange };
			struct payloads payloads = { .present = 0x3fff };
			enum ike_reason reason;

			if (exchange == IKE_EXCHANGE_AUTH &&
			    s == SA_INIT_ANSWERED)
				continue;
			assert_null(table_find((enum sa_state)s, PURPOSE_AUTH,
					       &header, &payloads, &reason));
			assert_int_equal(reason, IKE_REASON_UNEXPECTED);
		}
}

static void names(void **state)
{
	(void)state;
	for (unsigned r = 0; r < IKE_REASONS; r++) {
		assert_true(strlen(ike_reason_name((enum ike_reason)r)) > 0);
		assert_true(strlen(ike_reason_text((enum ike_reason)r)) > 0);
		for (unsigned other = 0; other < r; other++)
			assert_string_not_equal(
				ike_reason_name((enum ike_reason)r),
				ike_reason_name((enum ike_reason)other));
	}
	assert_string_equal(ike_reason_name(IKE_REASONS), "unknown");
	assert_string_equal(ike_name(IKE_NAMES_EXCHANGE, 34), "IKE_SA_INIT");
	assert_string_equal(ike_name(IKE_NAMES_NOTIFY, 24),
			    "AUTHENTICATION_FAILED");
	assert_string_equal(ike_name(IKE_NAMES_KE, 31), "CURVE25519");
	assert_string_equal(ike_name(IKE_NAMES_KE, 9999), "unknown");
}

static bool give_random(void *ctx, uint8_t *ret_bytes, size_t len)
{
	(void)ctx;
	memset(ret_bytes, 1, len);
	return true;
}

static uint32_t give_spi(void *ctx)
{
	(void)ctx;
	return 4096;
}

/* A certificate of which nothing but the key is looked at. */
static struct ike_bytes make_certificate(const char *group, uint8_t *ret_der)
{
	EVP_PKEY *key = EVP_EC_gen(group);
	X509 *x509 = X509_new();
	uint8_t *at = ret_der;
	int len;

	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, key);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	len = i2d_X509(x509, &at);
	X509_free(x509);
	EVP_PKEY_free(key);
	return (struct ike_bytes){ ret_der, (size_t)len };
}

static void unusable_configurations(void **state)
{
	static const uint8_t junk[] = { 0x30, 0x00 };
	uint8_t der[2048], p224[2048];
	struct ike_config good = {
		.crypto = test_crypto(),
		.certs = { make_certificate("P-256", der) }, .certs_count = 1,
		.ike_lifetime = IKE_SECONDS(60),
		.child_lifetime = IKE_SECONDS(60),
		.hold_time = IKE_SECONDS(90), .random = give_random,
		.allocate_spi = give_spi
	}, bad;
	struct ike *ike;

	(void)state;
	good.local.s6_addr[15] = 1;
	good.peer.s6_addr[15] = 2;
	ike = ike_new(&good);
	assert_non_null(ike);
	assert_int_equal(ike_deadline(ike).us, UINT64_MAX);
	ike_free(ike);
	ike_free(NULL);
	bad = good;
	bad.crypto = NULL;
	assert_null(ike_new(&bad));
	bad = good;
	bad.certs_count = 0;
	assert_null(ike_new(&bad));
	/* a pre-shared key goes without certificates, and only then */
	bad.shared_key = true;
	ike = ike_new(&bad);
	assert_non_null(ike);
	ike_free(ike);
	bad.certs_count = 1;
	assert_null(ike_new(&bad));
	bad = good;
	bad.certs[0] = VIEW(junk);
	assert_null(ike_new(&bad));
	bad.certs[0] = make_certificate("P-224", p224);
	assert_null(ike_new(&bad));
	bad = good;
	bad.certs_count = IKE_MAX_CERTS + 1;
	assert_null(ike_new(&bad));
	bad = good;
	bad.anchors_count = IKE_MAX_ANCHORS + 1;
	assert_null(ike_new(&bad));
	bad = good;
	bad.peer.s6_addr[10] = bad.peer.s6_addr[11] = 0xff;
	assert_null(ike_new(&bad));
	bad = good;
	bad.peer = bad.local;
	assert_null(ike_new(&bad));
	bad = good;
	bad.random = NULL;
	assert_null(ike_new(&bad));
	bad = good;
	bad.certs[0].len = IKE_MAX_OWN_CERTS + 1;
	assert_null(ike_new(&bad));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legal_and_not),
		cmocka_unit_test(nothing_before_authentication),
		cmocka_unit_test(names),
		cmocka_unit_test(unusable_configurations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
