#include "policy/path.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "policy/certificate.h"
#include "policy/resources.h"
#include "policy/text.h"

/* One attempt to verify. */
struct path {
	const struct policy_request *request;
	STACK_OF(X509) *presented;
	char *text;
};

/* --------------------------------------------------------------- refusals */

/* What X509_verify_cert() found, in our words; what is not here is
 * POLICY_UNTRUSTED. */
static const struct {
	int error;
	enum policy_refusal refusal;
} refusals[] = {
	{ X509_V_ERR_CERT_NOT_YET_VALID, POLICY_NOT_YET_VALID },
	{ X509_V_ERR_CERT_HAS_EXPIRED, POLICY_EXPIRED },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, POLICY_MALFORMED },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, POLICY_MALFORMED },
	{ X509_V_ERR_INVALID_EXTENSION, POLICY_MALFORMED },
	{ X509_V_ERR_ISSUER_NAME_EMPTY, POLICY_MALFORMED },
	{ X509_V_ERR_SUBJECT_NAME_EMPTY, POLICY_MALFORMED },
	{ X509_V_ERR_EMPTY_SUBJECT_ALT_NAME, POLICY_MALFORMED },
	{ X509_V_ERR_EMPTY_SUBJECT_SAN_NOT_CRITICAL, POLICY_MALFORMED },
	{ X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER, POLICY_MALFORMED },
	{ X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER, POLICY_MALFORMED },
	{ X509_V_ERR_AUTHORITY_KEY_IDENTIFIER_CRITICAL, POLICY_MALFORMED },
	{ X509_V_ERR_SUBJECT_KEY_IDENTIFIER_CRITICAL, POLICY_MALFORMED },
	{ X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3, POLICY_MALFORMED },
	{ X509_V_ERR_CERT_CHAIN_TOO_LONG, POLICY_TOO_MANY },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, POLICY_BAD_SIGNATURE },
	{ X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,
	  POLICY_BAD_SIGNATURE },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, POLICY_BAD_SIGNATURE },
	{ X509_V_ERR_INVALID_CA, POLICY_NOT_A_CA },
	{ X509_V_ERR_INVALID_NON_CA, POLICY_NOT_A_CA },
	{ X509_V_ERR_INVALID_PURPOSE, POLICY_NOT_A_CA },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, POLICY_NOT_A_CA },
	{ X509_V_ERR_CA_BCONS_NOT_CRITICAL, POLICY_NOT_A_CA },
	{ X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA, POLICY_NOT_A_CA },
	{ X509_V_ERR_KEYUSAGE_NO_CERTSIGN, POLICY_KEY_USAGE },
	{ X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE, POLICY_KEY_USAGE },
	{ X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN, POLICY_KEY_USAGE },
	{ X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA, POLICY_KEY_USAGE },
	{ X509_V_ERR_CA_CERT_MISSING_KEY_USAGE, POLICY_KEY_USAGE },
	{ X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION,
	  POLICY_CRITICAL_EXTENSION },
	{ X509_V_ERR_UNNESTED_RESOURCE, POLICY_RESOURCES },
	{ X509_V_ERR_PERMITTED_VIOLATION, POLICY_RESOURCES },
	{ X509_V_ERR_EXCLUDED_VIOLATION, POLICY_RESOURCES },
	{ X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM, POLICY_ALGORITHM },
	{ X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, POLICY_ALGORITHM },
	{ X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY, POLICY_ALGORITHM },
	{ X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, POLICY_ALGORITHM },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, POLICY_ALGORITHM },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, POLICY_ALGORITHM },
	{ X509_V_ERR_CA_MD_TOO_WEAK, POLICY_ALGORITHM },
};

static enum policy_refusal refusal_of(int error)
{
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].error == error)
			return refusals[i].refusal;
	}
	return POLICY_UNTRUSTED;
}

#define REFUSE(path, reason, ...) \
	(text_format((path)->text, POLICY_TEXT_SIZE, __VA_ARGS__), reason)

static X509 *end_certificate(const struct path *p)
{
	return sk_X509_value(p->presented, 0);
}

static enum policy_refusal refuse_time(struct path *p, const X509 *cert,
				       enum policy_refusal refusal)
{
	char subject[CERTIFICATE_NAME_SIZE];
	char limit[TEXT_TIME_SIZE], now[TEXT_TIME_SIZE];
	bool expired = refusal == POLICY_EXPIRED;
	time_t time = 0;
	bool known = expired ? certificate_not_after(cert, &time) :
			       certificate_not_before(cert, &time);

	certificate_subject(cert, subject, sizeof(subject));
	return REFUSE(p, known ? refusal : POLICY_MALFORMED, "certificate %s "
		      "%s %s, now it is %s", subject,
		      expired ? "expired on" : "is not valid before",
		      text_time(time, limit), text_time(p->request->now, now));
}

static enum policy_refusal refuse_issuer(struct path *p, const X509 *cert)
{
	char subject[CERTIFICATE_NAME_SIZE], issuer[CERTIFICATE_NAME_SIZE];
	const STACK_OF(X509) *anchors = p->request->anchors->certs;
	char anchor[CERTIFICATE_NAME_SIZE] = "none";

	certificate_subject(cert, subject, sizeof(subject));
	certificate_issuer(cert, issuer, sizeof(issuer));
	if (sk_X509_num(anchors) > 0)
		certificate_subject(sk_X509_value(anchors, 0), anchor,
				    sizeof(anchor));
	return REFUSE(p, POLICY_UNTRUSTED, "certificate %.70s is issued by "
		      "%.70s, peer %s is configured with trust anchor %.70s",
		      subject, issuer, p->request->peer_name, anchor);
}

/* Which certificate of the path claims too much OpenSSL does not say well; what
 * the end certificate claims is what it is about. */
static enum policy_refusal refuse_resources(struct path *p)
{
	char as[CERTIFICATE_NAME_SIZE], holds[CERTIFICATE_NAME_SIZE];
	const X509 *cert = end_certificate(p);
	char issuer[CERTIFICATE_NAME_SIZE];

	resources_as_text(cert, as, sizeof(as));
	resources_address_text(cert, holds, sizeof(holds));
	certificate_issuer(cert, issuer, sizeof(issuer));
	return REFUSE(p, POLICY_RESOURCES, "certificate claims %.60s and "
		      "%.60s, which is more than its chain up to %.70s may "
		      "vouch for", as, holds, issuer);
}

static bool is_about_issuer(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	       error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	       error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
	       error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       error == X509_V_ERR_CERT_UNTRUSTED;
}

static enum policy_refusal refuse(struct path *p, X509_STORE_CTX *store_ctx)
{
	int error = X509_STORE_CTX_get_error(store_ctx);
	const X509 *cert = X509_STORE_CTX_get_current_cert(store_ctx);
	enum policy_refusal refusal = refusal_of(error);
	char subject[CERTIFICATE_NAME_SIZE];

	if (cert == NULL)
		cert = end_certificate(p);
	if (refusal == POLICY_EXPIRED || refusal == POLICY_NOT_YET_VALID)
		return refuse_time(p, cert, refusal);
	if (refusal == POLICY_RESOURCES)
		return refuse_resources(p);
	if (is_about_issuer(error))
		return refuse_issuer(p, cert);
	certificate_subject(cert, subject, sizeof(subject));
	return REFUSE(p, refusal, "certificate %s: %s", subject,
		      X509_verify_cert_error_string(error));
}

/* ----------------------------------------------------------- verification */

/* A store with this peer's anchors in it and nothing else: no default paths,
 * no lookups. */
static X509_STORE *store_of(const struct policy_anchors *anchors)
{
	X509_STORE *store = X509_STORE_new();
	int i;

	for (i = 0; store != NULL && i < sk_X509_num(anchors->certs); i++) {
		if (X509_STORE_add_cert(store, sk_X509_value(anchors->certs,
							     i)) != 1) {
			X509_STORE_free(store);
			return NULL;
		}
	}
	return store;
}

/*
 * X509_STRICT: the profile of RFC 5280, and named curves only. PARTIAL_CHAIN:
 * an anchor may be a CA below somebody's root (RFC 5280 6.1.1 (d)).
 */
static bool set_up(X509_STORE_CTX *store_ctx, X509_STORE *store,
		   const struct path *p)
{
	X509_VERIFY_PARAM *param;

	if (store == NULL || store_ctx == NULL ||
	    X509_STORE_CTX_init(store_ctx, store, end_certificate(p),
				p->presented) != 1)
		return false;
	param = X509_STORE_CTX_get0_param(store_ctx);
	X509_VERIFY_PARAM_set_depth(param, POLICY_MAX_CHAIN);
	X509_VERIFY_PARAM_set_time(param, p->request->now);
	return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT |
					   X509_V_FLAG_PARTIAL_CHAIN |
					   X509_V_FLAG_TRUSTED_FIRST) == 1;
}

enum policy_refusal path_verify(const struct policy_request *request,
				STACK_OF(X509) *presented,
				STACK_OF(X509) **ret_chain, char *ret_text)
{
	struct path p = { request, presented, ret_text };
	X509_STORE *store = store_of(request->anchors);
	X509_STORE_CTX *store_ctx = X509_STORE_CTX_new();
	enum policy_refusal refusal = POLICY_ALLOWED;
	STACK_OF(X509) *chain = NULL;

	if (!set_up(store_ctx, store, &p)) {
		refusal = REFUSE(&p, POLICY_UNTRUSTED, "out of memory");
		goto done;
	}
	/* also that resources are encompassed along the path */
	if (X509_verify_cert(store_ctx) != 1) {
		refusal = refuse(&p, store_ctx);
		goto done;
	}
	chain = X509_STORE_CTX_get1_chain(store_ctx);
	if (sk_X509_num(chain) < 1)
		refusal = REFUSE(&p, POLICY_UNTRUSTED, "out of memory");
	else
		*ret_chain = chain;
done:
	X509_STORE_CTX_free(store_ctx);
	X509_STORE_free(store);
	return refusal;
}
