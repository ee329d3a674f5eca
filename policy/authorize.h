/*
 * Who may: the decision whether a chain of certificates may speak for a
 * configured peer on one pair. Section 9 of RFC 5406, "Authentication": it ties
 * back to the source address and the AS number.
 */
#ifndef POLICY_AUTHORIZE_H
#define POLICY_AUTHORIZE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "policy/credential.h"
#include "policy/crls.h"
#include "policy/expiry.h"
#include "policy/limits.h"

/* Each refusal has its own reason; the names stand in logs and in status. */
#define POLICY_REFUSALS(X) \
	X(ALLOWED, "allowed") \
	X(MALFORMED, "certificate_malformed") \
	X(TOO_MANY, "too_many_certificates") \
	X(ALGORITHM, "algorithm_refused") \
	X(UNTRUSTED, "untrusted_issuer") \
	X(NOT_YET_VALID, "not_yet_valid") \
	X(EXPIRED, "expired") \
	X(BAD_SIGNATURE, "bad_signature") \
	X(NOT_A_CA, "issuer_not_a_ca") \
	X(KEY_USAGE, "key_usage") \
	X(CRITICAL_EXTENSION, "critical_extension") \
	X(RESOURCES, "resources_not_encompassed") \
	X(REVOKED, "revoked") \
	X(CRL_MISSING, "crl_missing") \
	X(CRL_BAD_SIGNATURE, "crl_bad_signature") \
	X(CRL_EXPIRED, "crl_expired") \
	X(CRL_NOT_YET_VALID, "crl_not_yet_valid") \
	X(WRONG_AS, "wrong_as") \
	X(WRONG_ADDRESS, "wrong_address") \
	X(WRONG_IDENTITY, "wrong_identity")

enum policy_refusal {
#define X(name, text) POLICY_##name,
	POLICY_REFUSALS(X)
#undef X
	POLICY_REFUSAL_COUNT
};

const char *policy_refusal_name(enum policy_refusal refusal);

struct policy_bytes {
	const uint8_t *data;
	size_t len;
};

/* What a peer showed in IKE_AUTH, and what it is to be held against. */
struct policy_request {
	struct policy_bytes certs[POLICY_MAX_CHAIN];	/* DER, end first */
	size_t certs_count;
	/* identity as IKE carries it: its bytes are to be `address` itself
	 * (4 or 16 bytes, by address family) */
	bool id_is_address;
	struct policy_bytes id;
	/* the configured peer */
	const char *peer_name;
	uint32_t as;
	struct in6_addr address;	/* that the peer has itself */
	/* where a NAT was found, the one that it made of it, else all zero */
	struct in6_addr outside;
	const struct policy_anchors *anchors;
	const struct policy_crls *crls;	/* NULL: none are asked for */
	time_t now;			/* wall clock */
};

struct policy_verdict {
	enum policy_refusal refusal;	/* POLICY_ALLOWED or why not */
	/* One sentence with both values: "certificate holds AS 64666, peer
	 * as64501 is configured with AS 64501". Empty if allowed. Text from
	 * the certificate is escaped. */
	char text[POLICY_TEXT_SIZE];
	/* subject and expiry of the end certificate, for status */
	char subject[POLICY_TEXT_SIZE];
	time_t not_before, not_after;	/* of the earliest end in the chain */
	struct policy_span crl;	/* the CRL that runs out first; 0: none */
};

/* Decide. Pure: no file, no log, no clock. Also RFC 3779 2.3, 3.3. */
void policy_authorize(const struct policy_request *request,
		      struct policy_verdict *ret_verdict);

#endif
