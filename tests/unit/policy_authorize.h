/* A peer, its CA and that of another neighbour, and policy_authorize() asked
 * about chains under them. */
#ifndef TESTS_UNIT_POLICY_AUTHORIZE_H
#define TESTS_UNIT_POLICY_AUTHORIZE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "policy/address.h"
#include "policy/authorize.h"
#include "tests/unit/policy_certs.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The peer: as64501, AS 64501, 192.0.2.2 and 2001:db8::2. Its CA, and that of
 * another neighbour, AS 64502. */
#define PEER_AS 64501
#define ADDRESSES "critical,IPv4:192.0.2.2/32,IPv6:2001:db8::2/128"

static struct made ca, other_ca;
static struct policy_request request;
static struct policy_verdict verdict;
static uint8_t identity[16];

static const struct spec ca_spec = {
	.name = "AS64501 CA", .ca = true, .as = "critical,AS:64501",
	.addresses = ADDRESSES,
};
static const struct spec other_ca_spec = {
	.name = "AS64502 CA", .ca = true, .as = "critical,AS:64502",
	.addresses = "critical,IPv4:192.0.2.3/32",
};

static int set_up(void **state)
{
	(void)state;
	ca = make(&ca_spec);
	other_ca = make(&other_ca_spec);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unmake(&ca);
	unmake(&other_ca);
	return 0;
}

static struct spec end_spec(void)
{
	return (struct spec){
		.name = "router 192.0.2.2", .issuer = &ca,
		.as = "critical,AS:64501", .addresses = ADDRESSES,
		.san = "IP:192.0.2.2,IP:2001:db8::2",
	};
}

static void set_address(const char *address)
{
	const uint8_t *bytes;
	size_t len;

	assert_true(address_parse(address, &request.address));
	bytes = address_bytes(&request.address, &len);
	memcpy(identity, bytes, len);
	request.id.data = identity;
	request.id.len = len;
}

/* Ask with this chain, held against these anchors, and expect. */
static void ask(const struct made *const *chain, size_t chain_len,
		const struct made *const *trusted, size_t trusted_len)
{
	struct policy_anchors anchors = { sk_X509_new_null() };
	size_t i;

	for (i = 0; i < trusted_len; i++) {
		X509_up_ref(trusted[i]->cert);
		sk_X509_push(anchors.certs, trusted[i]->cert);
	}
	for (i = 0; i < chain_len && i < POLICY_MAX_CHAIN; i++) {
		request.certs[i].data = chain[i]->der;
		request.certs[i].len = (size_t)chain[i]->der_len;
	}
	request.certs_count = chain_len;
	request.anchors = &anchors;
	memset(&verdict, 0x5a, sizeof(verdict));
	policy_authorize(&request, &verdict);
	sk_X509_pop_free(anchors.certs, X509_free);
	request.anchors = NULL;
	/* always terminated, and a sentence exactly if refused */
	assert_true(strlen(verdict.text) < sizeof(verdict.text));
	assert_int_equal(verdict.text[0] == '\0',
			 verdict.refusal == POLICY_ALLOWED);
}

static void reset_request(void)
{
	memset(&request, 0, sizeof(request));
	request.peer_name = "as64501";
	request.as = PEER_AS;
	request.now = NOW;
	request.id_is_address = true;
	set_address("192.0.2.2");
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

/* One end certificate under the peer's CA. */
static void ask_one(const struct spec *spec)
{
	struct made end = make(spec);
	const struct made *const chain[] = { &end }, *const trusted[] = { &ca };

	ask(chain, 1, trusted, 1);
	unmake(&end);
}

#define ASK(chain_, ...) do { \
	const struct made *const trusted_[] = { __VA_ARGS__ }; \
	ask(chain_, COUNT(chain_), trusted_, COUNT(trusted_)); \
} while (0)

#endif
