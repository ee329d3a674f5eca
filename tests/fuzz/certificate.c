/*
 * Chains of certificates against the anchor of a fixed CA. Each record
 * (fuzz.h) is one certificate in DER, the end certificate first. A kind with
 * bit 0 set has it signed anew by the CA, if it can be read at all: so that
 * what the fuzzer changes in it is looked at, and not only the signature that
 * does not fit any more. Bit 1 asks for the pair's IPv6 address. Bit 2: it is
 * no certificate but a CRL that the chain is held against.
 */
#include "tests/fuzz/fuzz.h"

#include "ike/certificate.h"
#include "ike/signature.h"
#include "policy/address.h"
#include "policy/authorize.h"
#include "policy/crl.h"
#include "policy/resources.h"
#include "tests/sim/engine.h"
#include "tests/fuzz/pki.h"

static struct pki pki;
static struct policy_anchors anchors;

/* AlgorithmIdentifier of ecdsa-with-SHA256, SEQUENCE { 1, 1 } */
static const uint8_t auth[] = {
	0x0c, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03,
	0x02, 0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01
};

static void tidy(void)
{
	sk_X509_free(anchors.certs);
	pki_free(&pki);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	engine_fix_randomness();
	pki = pki_make();
	anchors.certs = sk_X509_new_null();
	sk_X509_push(anchors.certs, pki.ca.cert);
	atexit(tidy);
	return 0;
}

/* A copy of the certificate, signed anew if that is wanted and possible. */
static struct policy_bytes prepare(struct ike_bytes der, bool anew)
{
	const uint8_t *at = der.data;
	X509 *cert = anew ? d2i_X509(NULL, &at, (long)der.len) : NULL;
	unsigned char *made = NULL;
	int len = 0;

	if (cert && X509_set_issuer_name(cert, X509_get_subject_name(
						 pki.ca.cert)) == 1 &&
	    X509_sign(cert, pki.ca.key, EVP_sha256()) > 0)
		len = i2d_X509(cert, &made);
	X509_free(cert);
	if (len > 0)
		der = (struct ike_bytes){ made, (size_t)len };
	at = fuzz_exact(der);
	OPENSSL_free(made);
	return (struct policy_bytes){ at, der.len };
}

/* A CRL as it would be read from a file. */
static void add_crl(struct policy_crls *crls, struct ike_bytes der, bool anew)
{
	const uint8_t *at = der.data;
	X509_CRL *crl = anew ? d2i_X509_CRL(NULL, &at, (long)der.len) : NULL;
	unsigned char *made = NULL;
	char why[POLICY_TEXT_SIZE];
	int len = 0;

	if (crl && X509_CRL_set_issuer_name(crl, X509_get_subject_name(
						    pki.ca.cert)) == 1 &&
	    X509_CRL_sign(crl, pki.ca.key, EVP_sha256()) > 0)
		len = i2d_X509_CRL(crl, &made);
	X509_CRL_free(crl);
	if (len > 0)
		der = (struct ike_bytes){ made, (size_t)len };
	at = fuzz_exact(der);
	crl = crl_decode(at, der.len, why, sizeof(why));
	if (crl && sk_X509_CRL_push(crls->files[0].crls, crl) <= 0)
		X509_CRL_free(crl);
	free((void *)(uintptr_t)at);
	OPENSSL_free(made);
}

static void check(const struct policy_request *request)
{
	struct policy_verdict verdict;
	const uint8_t *at = request->certs[0].data;
	enum signature_key kind;
	EVP_PKEY *key;
	X509 *end;

	memset(&verdict, 0x5a, sizeof(verdict));
	policy_authorize(request, &verdict);
	FUZZ_ASSERT(memchr(verdict.text, 0, sizeof(verdict.text)));
	FUZZ_ASSERT(memchr(verdict.subject, 0, sizeof(verdict.subject)));
	FUZZ_ASSERT((verdict.refusal == POLICY_ALLOWED) ==
		    (verdict.text[0] == '\0'));
	if (verdict.refusal != POLICY_ALLOWED)
		return;
	/* asked once more, it is what it should be */
	end = d2i_X509(NULL, &at, (long)request->certs[0].len);
	FUZZ_ASSERT(end && resources_hold_as(end, PKI_AS));
	FUZZ_ASSERT(resources_hold_address(end, &request->address) ||
		    resources_name_address(end, &request->address));
	FUZZ_ASSERT(verdict.not_after > request->now);
	FUZZ_ASSERT(!request->crls || verdict.crl.until > request->now);
	/* and AUTH was verified by the key that is in it */
	key = certificate_key(test_crypto(), (struct ike_bytes){
			      request->certs[0].data, request->certs[0].len },
			      &kind);
	FUZZ_ASSERT(key && kind == signature_key_of(key) &&
		    EVP_PKEY_eq(key, X509_get0_pubkey(end)) == 1);
	EVP_PKEY_free(key);
	X509_free(end);
}

/* AUTH is verified before anybody has looked at the certificate. */
static void check_auth(struct policy_bytes der)
{
	static const uint8_t octets[] = { 'x' };

	FUZZ_ASSERT(signature_verify(test_crypto(),
				     (struct ike_bytes){ der.data, der.len },
				     IKE_AUTH_METHOD_DIGITAL_SIGNATURE,
				     (struct ike_bytes){ auth, sizeof(auth) },
				     (struct ike_bytes){ octets, 1 }) !=
		    IKE_REASON_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader script = reader_of((struct ike_bytes){ data, size });
	struct policy_request request = {
		.id_is_address = true, .peer_name = "as64501", .as = PKI_AS,
		.anchors = &anchors, .now = NOW
	};
	struct policy_crls crls = {
		.files = { { .crls = sk_X509_CRL_new_null() } }, .count = 1
	};
	struct ike_bytes body;
	uint8_t kind, kinds = 0;

	while (request.certs_count < POLICY_MAX_CHAIN &&
	       fuzz_record(&script, &kind, &body)) {
		kinds |= kind;
		if (kind & 4) {
			add_crl(&crls, body, kind & 1);
			request.crls = &crls;
			continue;
		}
		request.certs[request.certs_count++] =
			prepare(body, kind & 1);
	}
	FUZZ_ASSERT(address_parse(kinds & 2 ? "2001:db8::2" : "192.0.2.2",
				  &request.address));
	request.id.data = address_bytes(&request.address, &request.id.len);
	check(&request);
	for (size_t i = 0; i < request.certs_count; i++) {
		check_auth(request.certs[i]);
		free((void *)(uintptr_t)request.certs[i].data);
	}
	sk_X509_CRL_pop_free(crls.files[0].crls, X509_CRL_free);
	return 0;
}
