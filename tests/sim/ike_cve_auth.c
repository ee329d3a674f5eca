/*
 * Published IKE vulnerabilities around IKE_AUTH: whose octets are signed, and
 * what comes before it. Each test first shows that the message without the
 * fault is accepted.
 */
#include <openssl/ec.h>
#include <openssl/x509.h>

#include "tests/sim/cve.h"

/* ------------------------------------------- AUTH over the wrong octets */

static struct {
	EVP_PKEY *key;
	uint8_t der[2048];
	size_t len;
} peer;

static int make_peer(void **state)
{
	X509 *x509 = X509_new();
	uint8_t *at = peer.der;

	fix_randomness(state);
	peer.key = EVP_EC_gen("P-256");
	assert_non_null(peer.key);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, peer.key);
	assert_true(X509_sign(x509, peer.key, EVP_sha256()) > 0);
	peer.len = (size_t)i2d_X509(x509, &at);
	X509_free(x509);
	return 0;
}

static int free_peer(void **state)
{
	(void)state;
	EVP_PKEY_free(peer.key);
	return 0;
}

static const uint8_t id_body[] = { IKE_ID_IPV4_ADDR, 0, 0, 0, 192, 0, 0, 2 };
static const uint8_t other_id[] = { IKE_ID_IPV4_ADDR, 0, 0, 0, 192, 0, 0, 3 };

static struct ike_bytes id_view(bool other)
{
	return (struct ike_bytes){ other ? other_id : id_body,
				   sizeof(id_body) };
}

/* What the initiator signs, with one thing wrong. */
enum fault { RIGHT, OTHER_MESSAGE, OWN_NONCE, OTHER_KEY, OTHER_ID, NO_MAC,
	     NO_NONCE, NOTHING, FAULTS };

static size_t sign_octets(enum fault fault, uint8_t ret_signature[128])
{
	const struct sa *sa = the_sa();
	const struct handshake *h = sa->handshake;
	struct signature_octets input = {
		.message = buffer_view(fault == OTHER_MESSAGE ?
				       &h->init_response : &h->init_request),
		.nonce = nonce_view(fault == OWN_NONCE ? &h->peer : &h->own),
		.id_body = id_view(fault == OTHER_ID),
		.prf = sa->algorithms.prf,
		.sk_p = fault == OTHER_KEY ? &sa->keys.pr : &sa->keys.pi
	};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t octets_len, len = 128;
	uint8_t *octets;

	if (fault == NO_NONCE)
		input.nonce.len = 0;
	assert_true(signature_octets(test_crypto(),
				     &input, &octets, &octets_len));
	if (fault == NO_MAC)
		octets_len -= CRYPTO_SHA256_SIZE;
	if (fault == NOTHING)
		octets_len = 0;
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
					    peer.key), 1);
	assert_int_equal(EVP_DigestSign(ctx, ret_signature, &len, octets,
					octets_len), 1);
	EVP_MD_CTX_free(ctx);
	free(octets);
	return len;
}

/* The initiator's IKE_AUTH request (we are the responder). */
static void write_auth(struct writer *inner, enum fault fault)
{
	uint8_t signature[128];
	struct ike_bytes view = { signature, sign_octets(fault, signature) };
	struct signature_choice choice = {
		.method = IKE_AUTH_METHOD_DIGITAL_SIGNATURE,
		.hash = IKE_HASH_SHA2_256, .row = signature_row(ECDSA_SHA256)
	};

	write_payload(inner, IKE_PAYLOAD_IDI);
	write_view(inner, id_view(false));
	write_payload(inner, IKE_PAYLOAD_CERT);
	write_u8(inner, IKE_CERT_X509_SIGNATURE);
	write_bytes(inner, peer.der, peer.len);
	signature_write(inner, &choice, view);
	child_write_offer(ike, inner, IKE_CHILD_ACTIVE, 0x12345678, NULL,
			  NULL);
}

static void auth_over_wrong_octets(void **state)
{
	uint8_t bytes[4096];

	(void)state;
	for (unsigned fault = RIGHT; fault < FAULTS; fault++) {
		struct writer inner = writer_of(bytes, sizeof(bytes));
		enum sa_state expected = fault == RIGHT ?
			SA_AUTHORIZING_REQUEST : SA_CLOSED;

		enter(ENGINE_HALF_OPEN);
		write_auth(&inner, (enum fault)fault);
		feed_sealed(IKE_EXCHANGE_AUTH, false, &inner);
		assert_int_equal(out->authorizations, fault == RIGHT);
		assert_int_equal(counted(IKE_REASON_AUTH), fault != RIGHT);
		assert_int_equal(the_sa()->state, expected);
		if (fault != RIGHT)
			assert_int_equal(answered(),
					 IKE_NOTIFY_AUTHENTICATION_FAILED);
		assert_int_equal(out->installs + out->states, 0);
	}
}

/* Our own identity, certificate and AUTH, told back to us by a peer that has
 * none: as the responder's. */
static void our_own_auth_reflected(void **state)
{
	uint8_t bytes[4096];
	struct writer inner = writer_of(bytes, sizeof(bytes));
	struct ike_bytes request;
	struct payloads p;
	struct crypto_protection own;
	uint8_t *plain;
	size_t len;

	(void)state;
	enter(ENGINE_AUTH_SENT);
	request = buffer_view(&the_sa()->out.bytes);
	assert_int_equal(payloads_parse(IKE_PAYLOAD_SK, (struct ike_bytes){
			request.data + MESSAGE_HEADER_SIZE,
			request.len - MESSAGE_HEADER_SIZE }, &p),
			IKE_REASON_NONE);
	own = sa_protection(test_crypto(), the_sa(), true);
	assert_true(message_open(request, &p, &own, &plain, &len));
	assert_int_equal(payloads_parse(p.sk_first, (struct ike_bytes){
			plain, len }, &p), IKE_REASON_NONE);
	write_payload(&inner, IKE_PAYLOAD_IDR);
	write_view(&inner, p.idi.body);
	write_payload(&inner, IKE_PAYLOAD_CERT);
	write_u8(&inner, IKE_CERT_X509_SIGNATURE);
	write_view(&inner, p.certs[0]);
	write_payload(&inner, IKE_PAYLOAD_AUTH);
	write_u32(&inner, (uint32_t)p.auth_method << 24);
	write_view(&inner, p.auth);
	feed_sealed(IKE_EXCHANGE_AUTH, true, &inner);
	message_free_plaintext(plain, len);
	assert_int_equal(counted(IKE_REASON_AUTH), 1);
	assert_int_equal(out->authorizations, 0);
	assert_int_equal(out->failures, 1);
}

/* CVE-2024-2357: no credential, and the same request once more. Also a CERT
 * that is only a URI (CVE-2022-40617), and a shared key. */
static void auth_without_certificate(void **state)
{
	static const struct {
		uint8_t encoding, method;
		enum ike_reason reason;
	} cases[] = {
		{ 0, 14, IKE_REASON_CERTIFICATE },	/* none at all */
		{ 12, 14, IKE_REASON_CERTIFICATE },	/* hash and URL */
		{ 13, 14, IKE_REASON_CERTIFICATE },	/* of a bundle */
		{ 4, IKE_AUTH_METHOD_SHARED_KEY, IKE_REASON_AUTH_METHOD },
		{ 4, IKE_AUTH_METHOD_RSA, IKE_REASON_AUTH_METHOD },
		{ 4, 0, IKE_REASON_AUTH_METHOD },
		{ 4, 13, IKE_REASON_AUTH_METHOD },	/* NULL, RFC 7619 */
	};
	static const char url[] = "0123456789abcdef0123http://192.0.2.9/c.der";
	uint8_t bytes[4096], message[IKE_MAX_MESSAGE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct writer inner = writer_of(bytes, sizeof(bytes));
		bool real = cases[i].encoding == 4;
		size_t len;

		enter(ENGINE_HALF_OPEN);
		write_payload(&inner, IKE_PAYLOAD_IDI);
		write_view(&inner, id_view(false));
		if (cases[i].encoding) {
			write_payload(&inner, IKE_PAYLOAD_CERT);
			write_u8(&inner, cases[i].encoding);
			write_bytes(&inner, real ? peer.der :
				    (const uint8_t *)url,
				    real ? peer.len : sizeof(url));
		}
		write_payload(&inner, IKE_PAYLOAD_AUTH);
		write_u32(&inner, (uint32_t)cases[i].method << 24);
		write_bytes(&inner, url, 32);
		child_write_offer(ike, &inner, IKE_CHILD_ACTIVE, 0x1234567,
				  NULL, NULL);
		len = seal(IKE_EXCHANGE_AUTH, false, &inner, message);
		feed(message, len);
		feed(message, len);
		assert_int_equal(counted(cases[i].reason), 1);
		assert_int_equal(counted(IKE_REASON_RETRANSMISSION), 1);
		assert_int_equal(out->sends, 2);
		assert_int_equal(out->authorizations + out->installs, 0);
	}
}

/* -------------------------- CVE-2019-12312: INFORMATIONAL before IKE_AUTH */

static void informational(unsigned which)
{
	uint8_t bytes[256];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	if (which == 1)
		write_delete(&inner, IKE_PROTOCOL_IKE, 0, 0);
	if (which == 2)
		write_delete(&inner, IKE_PROTOCOL_ESP, 4, 2);
	if (which == 3)
		payload_write_notify(&inner,
				     IKE_NOTIFY_AUTHENTICATION_FAILED,
				     (struct ike_bytes){ NULL, 0 });
	feed_sealed(which < 4 ? IKE_EXCHANGE_INFORMATIONAL :
		    IKE_EXCHANGE_CREATE_CHILD_SA, false, &inner);
}

static void informational_before_auth(void **state)
{
	static const enum engine_state states[] = {
		ENGINE_HALF_OPEN, ENGINE_AUTH_SENT
	};
	uint8_t bytes[4096];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (unsigned which = 0; which < 5; which++) {
			enum sa_state was;

			enter(states[i]);
			was = the_sa()->state;
			informational(which);
			assert_int_equal(the_sa()->state, was);
			assert_non_null(the_sa()->handshake);
			assert_int_equal(out->sends + out->failures, 0);
			assert_true(counted(IKE_REASON_UNEXPECTED) +
				    counted(IKE_REASON_MESSAGE_ID) == 1);
		}
	/* and the handshake goes on */
	enter(ENGINE_HALF_OPEN);
	informational(1);
	write_auth(&inner, RIGHT);
	feed_sealed(IKE_EXCHANGE_AUTH, false, &inner);
	assert_int_equal(out->authorizations, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auth_over_wrong_octets),
		cmocka_unit_test(our_own_auth_reflected),
		cmocka_unit_test(auth_without_certificate),
		cmocka_unit_test(informational_before_auth),
	};

	return cmocka_run_group_tests(tests, make_peer, free_peer);
}
