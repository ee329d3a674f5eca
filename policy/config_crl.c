/* The option `crl` of a peer, and what ends soon. What is wrong with a CRL
 * closes its peer, not the guard: a warning where the reader takes one. */
#include <stdlib.h>
#include <string.h>

#include "policy/certificate.h"
#include "policy/config_read.h"
#include "policy/crl.h"
#include "policy/expiry.h"
#include "policy/file.h"
#include "policy/text.h"

void config_check_end(struct config_reading *r, cfg_t *section,
		      const char *option, const X509 *cert)
{
	char subject[CERTIFICATE_NAME_SIZE], end[POLICY_TEXT_SIZE];
	struct policy_span span;

	if (!certificate_not_before(cert, &span.from) ||
	    !certificate_not_after(cert, &span.until) ||
	    !policy_expiry_text(&span, r->now, end, sizeof(end)))
		return;
	certificate_subject(cert, subject, sizeof(subject));
	config_advise(r, section, option, "certificate %s %s: have a new one "
		      "made%s", subject, end, strcmp(option, "certificate") ?
		      "" : " (bgpward renew)");
}

/* How to say what is wrong: config_fault() or config_caution(). */
typedef void saying(struct config_reading *r, cfg_t *section,
		    const char *option, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A pair that runs is not closed by a word in the configuration that is wrong:
 * a reload with it is refused. */
static saying *how_to_say(const struct config_reading *r,
		       const struct policy_peer *peer, const char *path)
{
	const struct policy_config *in_force = r->reader->in_force;
	const struct policy_peer *before = NULL;

	if (in_force == NULL)
		return config_caution;
	if (peer->addresses_count > 0)
		before = policy_config_peer(in_force, &peer->addresses[0]);
	return before != NULL && policy_crls_name(before->crls, path) ?
	       config_caution : config_fault;
}

static void check_crl(struct config_reading *r, cfg_t *section, saying *say,
		      const char *path, const X509_CRL *crl)
{
	char issuer[CERTIFICATE_NAME_SIZE], end[POLICY_TEXT_SIZE];
	const struct policy_span span = { crl_from(crl), crl_until(crl) };

	if (!policy_expiry_text(&span, r->now, end, sizeof(end)))
		return;
	crl_issuer(crl, issuer, sizeof(issuer));
	if (span.until <= r->now)
		say(r, section, "crl", "CRL file %s: the CRL of %s %s, and the "
		    "peer is refused: get a fresh one", path, issuer, end);
	else
		config_advise(r, section, "crl", "CRL file %s: the CRL of %s "
			      "%s, and then the peer is refused: get a fresh "
			      "one", path, issuer, end);
}

static void check_file(struct config_reading *r, cfg_t *section,
		       const struct policy_peer *peer,
		       const struct policy_crl_file *file)
{
	saying *say = how_to_say(r, peer, file->path);

	if (file->fault[0] != '\0')
		say(r, section, "crl", "%s", file->fault);
	for (int i = 0; i < sk_X509_CRL_num(file->crls); i++)
		check_crl(r, section, say, file->path,
			  sk_X509_CRL_value(file->crls, i));
}

static bool add_files(struct config_reading *r, cfg_t *section,
		      struct policy_crls *crls)
{
	const unsigned given = cfg_size(section, "crl");
	bool added = crls != NULL;

	if (given == 0 || given > POLICY_MAX_CRLS) {
		config_fault(r, section, "crl", "crl names %u files, expected "
			     "crl = {\"FILE\", ...} with 1 to %d: correct it",
			     given, POLICY_MAX_CRLS);
		return false;
	}
	for (unsigned i = 0; added && i < given; i++) {
		char *path = file_relative(section->filename,
					   cfg_getnstr(section, "crl", i));

		added = path != NULL && policy_crls_add(crls, path);
		free(path);
	}
	if (!added)
		config_fault(r, section, "crl", "out of memory");
	return added;
}

void config_read_crls(struct config_reading *r, cfg_t *section,
		      struct policy_peer *peer)
{
	if (!config_given(section, "crl"))
		return;
	peer->crls = policy_crls_new();
	if (!add_files(r, section, peer->crls))
		return;
	for (size_t i = 0; i < peer->crls->count; i++) {
		(void)policy_crls_read(peer->crls, peer->anchors, i, true);
		check_file(r, section, peer, &peer->crls->files[i]);
	}
}
