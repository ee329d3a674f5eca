#include "sidecar/warnings.h"

#include "policy/certificate.h"
#include "policy/expiry.h"
#include "sidecar/daemon.h"
#include "sidecar/log.h"

static void add_end(json_t *warnings, const struct policy_span *span,
		    const char *what, const char *cure)
{
	char end[POLICY_TEXT_SIZE];

	if (span->until != 0 &&
	    policy_expiry_text(span, time(NULL), end, sizeof(end)))
		json_array_append_new(warnings, json_sprintf("%s %s: %s", what,
							     end, cure));
}

json_t *warnings_of_pair(const struct pair *pair)
{
	const struct policy_crls *crls = pair->peer->crls;
	json_t *warnings = json_array();

	for (size_t i = 0; crls && i < crls->count; i++)
		if (crls->files[i].fault[0] != '\0')
			json_array_append_new(
				warnings, json_string(crls->files[i].fault));
	if (pair->subject[0] == '\0')
		return warnings;
	add_end(warnings, &pair->certificate, "the peer's certificate, or a CA above it,",
		"then the pair closes, unless the peer has a new one");
	add_end(warnings, &pair->crl, "a CRL of the peer's chain",
		"then the pair closes, unless a fresh one is in its file");
	return warnings;
}

json_t *warnings_of_router(const struct daemon *daemon)
{
	const STACK_OF(X509) *certs = daemon->config->credential->certs;
	json_t *warnings = json_array();

	for (int i = 0; i < sk_X509_num(certs); i++) {
		const X509 *cert = sk_X509_value(certs, i);
		struct policy_span span;

		if (certificate_not_before(cert, &span.from) &&
		    certificate_not_after(cert, &span.until))
			add_end(warnings, &span, i == 0 ?
				"this router's certificate" :
				"an intermediate certificate of this router",
				"then every peer refuses it; have a new one made (bgpward renew)");
	}
	return warnings;
}

static void log_all(const char *who, json_t *warnings)
{
	json_t *warning;
	size_t i;

	json_array_foreach(warnings, i, warning)
		log_warning(who, "%s", json_string_value(warning));
	json_decref(warnings);
}

void warnings_log(const struct daemon *daemon)
{
	struct pair *pair, *next;

	log_all(NULL, warnings_of_router(daemon));
	HASH_ITER(hh, daemon->pairs, pair, next)
		log_all(pair->peer->name, warnings_of_pair(pair));
}
