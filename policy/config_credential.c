/* The part `certificate` and `key` of the local section. Our own certificate
 * has to pass the check that the peer will make (policy/authorize.c), as far
 * as that can be known without the peer's idea of our anchor. */
#include <openssl/x509.h>
#include <stdlib.h>

#include "policy/address.h"
#include "policy/certificate.h"
#include "policy/config_read.h"
#include "policy/resources.h"
#include "policy/text.h"

static void check_algorithms(struct config_reading *r, X509 *cert)
{
	char why[POLICY_TEXT_SIZE];

	if (!certificate_key_accepted(cert, why, sizeof(why)) ||
	    !certificate_signature_accepted(cert, why, sizeof(why)))
		config_fault(r, r->local, "certificate", "%s: have it made "
			     "anew", why);
}

static void check_times(struct config_reading *r, const X509 *cert)
{
	char subject[CERTIFICATE_NAME_SIZE], now[TEXT_TIME_SIZE];
	char limit[TEXT_TIME_SIZE];
	time_t begin, end;

	certificate_subject(cert, subject, sizeof(subject));
	text_time(r->now, now);
	if (!certificate_not_before(cert, &begin) ||
	    !certificate_not_after(cert, &end))
		config_fault(r, r->local, "certificate", "certificate %s has "
			     "malformed times: have it made anew", subject);
	else if (end < r->now)
		config_caution(r, r->local, "certificate", "certificate %s "
			       "expired on %s, now it is %s, and every peer "
			       "would refuse it: have a new one made (bgpward "
			       "renew)",
			       subject, text_time(end, limit), now);
	else if (begin > r->now)
		config_caution(r, r->local, "certificate", "certificate %s is "
			       "not valid before %s, now it is %s: set the "
			       "clock, or have a new one made", subject,
			       text_time(begin, limit), now);
	else
		config_check_end(r, r->local, "certificate", cert);
}

static void check_resources(struct config_reading *r, X509 *cert)
{
	const struct policy_config *config = r->config;
	char holds[CERTIFICATE_NAME_SIZE], text[INET6_ADDRSTRLEN];
	size_t i;

	if (config->as != 0 && !resources_hold_as(cert, config->as)) {
		resources_as_text(cert, holds, sizeof(holds));
		config_fault(r, r->local, "certificate", "certificate holds "
			     "%s, section local is configured with AS %u: "
			     "correct as, or have the certificate made anew",
			     holds, config->as);
	}
	for (i = 0; i < config->addresses_count; i++) {
		if (resources_hold_address(cert, &config->addresses[i]) ||
		    resources_name_address(cert, &config->addresses[i]))
			continue;
		resources_address_text(cert, holds, sizeof(holds));
		config_fault(r, r->local, "certificate", "certificate holds "
			     "%s, section local is configured with %s: "
			     "correct addresses, or have the certificate made "
			     "anew", holds,
			     address_text(&config->addresses[i], text));
	}
}

static void check_certificates(struct config_reading *r,
			       const STACK_OF(X509) *certs)
{
	X509 *end = sk_X509_value(certs, 0);
	char subject[CERTIFICATE_NAME_SIZE];
	int i;

	for (i = 0; i < sk_X509_num(certs); i++) {
		check_algorithms(r, sk_X509_value(certs, i));
		check_times(r, sk_X509_value(certs, i));
	}
	if (!certificate_may_sign(end)) {
		certificate_subject(end, subject, sizeof(subject));
		config_fault(r, r->local, "certificate", "keyUsage of "
			     "certificate %s lacks digitalSignature: have it "
			     "made anew", subject);
	}
	check_resources(r, end);
}

static STACK_OF(X509) *read_certificates(struct config_reading *r,
					 const char *file)
{
	char why[2 * POLICY_TEXT_SIZE];
	STACK_OF(X509) *certs = policy_certificates_read(file, why,
							 sizeof(why));

	if (certs == NULL)
		config_fault(r, r->local, "certificate", "%s", why);
	else
		check_certificates(r, certs);
	return certs;
}

static EVP_PKEY *read_key(struct config_reading *r, const char *file)
{
	char why[2 * POLICY_TEXT_SIZE];
	EVP_PKEY *key = policy_key_read(file, why, sizeof(why));

	if (key == NULL)
		config_fault(r, r->local, "key", "%s", why);
	return key;
}

static void check_match(struct config_reading *r, const char *cert_file,
			const char *key_file)
{
	const struct policy_credential *credential = r->config->credential;

	if (X509_check_private_key(sk_X509_value(credential->certs, 0),
				   credential->key) == 1)
		return;
	config_fault(r, r->local, "key", "key file %s is not the key of the "
		     "first certificate in %s: name the two that were made "
		     "together", key_file, cert_file);
}

void config_read_credential(struct config_reading *r)
{
	struct policy_credential *credential;
	char *cert_file, *key_file;

	if (r->local == NULL)
		return;
	cert_file = config_path(r, r->local, "certificate",
				"certificate = \"FILE\"");
	key_file = config_path(r, r->local, "key", "key = \"FILE\"");
	credential = calloc(1, sizeof(*credential));
	r->config->credential = credential;
	if (credential == NULL) {
		config_fault(r, r->local, "certificate", "out of memory");
		goto done;
	}
	if (cert_file != NULL)
		credential->certs = read_certificates(r, cert_file);
	if (key_file != NULL)
		credential->key = read_key(r, key_file);
	if (credential->certs != NULL && credential->key != NULL)
		check_match(r, cert_file, key_file);
done:
	free(cert_file);
	free(key_file);
}
