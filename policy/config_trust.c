/* How a peer authenticates: the options `auth`, `trust`, `secret` and those of
 * its PPK (RFC 8784). */
#include <stdlib.h>
#include <string.h>

#include "policy/certificate.h"
#include "policy/config_read.h"
#include "policy/resources.h"
#include "policy/text.h"

static bool anchor_covers(const X509 *anchor, const struct policy_peer *peer)
{
	size_t i;

	if (resources_address_state(anchor) == RESOURCES_ABSENT)
		return true;
	for (i = 0; i < peer->addresses_count; i++) {
		if (!resources_hold_address(anchor, policy_peer_identity(
				peer, &peer->addresses[i])))
			return false;
	}
	return true;
}

/* Early warning of what policy_authorize() would refuse again and again: of
 * the anchors (several while one follows the other) one at least must be able
 * to vouch for this peer. */
static void check_anchors(struct config_reading *r, cfg_t *section,
			  const struct policy_peer *peer)
{
	const STACK_OF(X509) *certs = peer->anchors->certs;
	const X509 *anchor = sk_X509_value(certs, 0);
	char as[CERTIFICATE_NAME_SIZE], holds[CERTIFICATE_NAME_SIZE];
	bool as_held = false;
	int i;

	for (i = 0; i < sk_X509_num(certs); i++) {
		if (!resources_hold_as(sk_X509_value(certs, i), peer->as))
			continue;
		as_held = true;
		anchor = sk_X509_value(certs, i);
		if (anchor_covers(anchor, peer))
			return;
	}
	resources_as_text(anchor, as, sizeof(as));
	resources_address_text(anchor, holds, sizeof(holds));
	if (!as_held)
		config_fault(r, section, "trust", "trust anchor holds %s, "
			     "peer %s is configured with AS %u: correct as, or "
			     "get the peer's own ca.crt", as, peer->name,
			     peer->as);
	else
		config_fault(r, section, "trust", "trust anchor holds %s, "
			     "which lacks an address of peer %s: correct "
			     "addresses, name what a NAT translates in inside, "
			     "or get the peer's own ca.crt", holds,
			     peer->name);
}

static void read_anchors(struct config_reading *r, cfg_t *section,
			 bool complete, struct policy_peer *peer)
{
	char *file = config_path(r, section, "trust", "trust = \"FILE\"");
	char why[2 * POLICY_TEXT_SIZE];

	if (file == NULL)
		return;
	peer->anchors = policy_anchors_read(file, why, sizeof(why));
	if (peer->anchors == NULL)
		config_fault(r, section, "trust", "%s", why);
	else if (complete)
		check_anchors(r, section, peer);
	for (int i = 0; peer->anchors != NULL &&
			i < sk_X509_num(peer->anchors->certs); i++)
		config_check_end(r, section, "trust",
				 sk_X509_value(peer->anchors->certs, i));
	free(file);
}

static void read_secret(struct config_reading *r, cfg_t *section,
			struct policy_peer *peer)
{
	char *file = config_path(r, section, "secret", "secret = \"FILE\"");
	char why[2 * POLICY_TEXT_SIZE];

	if (file == NULL)
		return;
	peer->secret = policy_secret_read(file, "secret file",
					  POLICY_MIN_SECRET, why, sizeof(why));
	if (peer->secret == NULL)
		config_fault(r, section, "secret", "%s", why);
	else if (peer->secret->len < POLICY_GOOD_SECRET)
		config_advise(r, section, "secret", "secret file %s holds "
			      "%zu bytes, expected %d and more against "
			      "guessing: openssl rand -hex 32", file,
			      peer->secret->len, POLICY_GOOD_SECRET);
	free(file);
}

/* The whole name goes into PPK_IDENTITY, as it stands. */
static bool ppk_id_valid(const char *id)
{
	size_t len = 0;

	while (id[len] > ' ' && id[len] <= '~')
		len++;
	return len > 0 && len <= POLICY_MAX_PPK_ID && id[len] == '\0';
}

static void read_ppk_id(struct config_reading *r, cfg_t *section,
			struct policy_peer *peer)
{
	const char *id = config_need(r, section, "ppk_id",
				     "ppk_id = \"NAME\"");

	if (id == NULL)
		return;
	if (!ppk_id_valid(id)) {
		config_fault(r, section, "ppk_id", "ppk_id = '%.80s', "
			     "expected 1 to %d visible ASCII characters: "
			     "correct it", id, POLICY_MAX_PPK_ID);
		return;
	}
	peer->ppk_id = strdup(id);
	if (peer->ppk_id == NULL)
		config_fault(r, section, "ppk_id", "out of memory");
}

static void read_ppk(struct config_reading *r, cfg_t *section,
		     struct policy_peer *peer)
{
	char why[2 * POLICY_TEXT_SIZE], *file;

	if (!config_given(section, "ppk") && !config_given(section, "ppk_id") &&
	    !config_given(section, "ppk_required"))
		return;
	peer->ppk_required = true;
	config_read_yes(r, section, "ppk_required", &peer->ppk_required);
	read_ppk_id(r, section, peer);
	file = config_path(r, section, "ppk", "ppk = \"FILE\"");
	if (file == NULL)
		return;
	peer->ppk = policy_secret_read(file, "ppk file", POLICY_MIN_PPK, why,
				       sizeof(why));
	if (peer->ppk == NULL)
		config_fault(r, section, "ppk", "%s", why);
	free(file);
}

/* Certificates and keys do not mix: an option of the other way is an error,
 * not something to fall back to. */
static void refuse_option(struct config_reading *r, cfg_t *section,
			  const char *option, const char *auth)
{
	if (config_given(section, option))
		config_fault(r, section, option, "option '%s' has no meaning "
			     "with auth = %s: remove one of them", option,
			     auth);
}

void config_read_trust(struct config_reading *r, cfg_t *section, bool complete,
		       struct policy_peer *peer)
{
	const char *auth = config_given(section, "auth") ?
			   cfg_getstr(section, "auth") : "certificate";

	peer->auth = POLICY_CERTIFICATE;
	if (strcmp(auth, "psk") == 0)
		peer->auth = POLICY_PSK;
	else if (strcmp(auth, "certificate") != 0)
		config_fault(r, section, "auth", "auth = '%.40s', expected "
			     "certificate or psk: correct it", auth);
	if (peer->mode == POLICY_OFF)
		return;
	read_ppk(r, section, peer);
	switch (peer->auth) {
	case POLICY_CERTIFICATE:
		refuse_option(r, section, "secret", "certificate");
		read_anchors(r, section, complete, peer);
		config_read_crls(r, section, peer);
		return;
	case POLICY_PSK:
		refuse_option(r, section, "trust", "psk");
		refuse_option(r, section, "crl", "psk");
		read_secret(r, section, peer);
		return;
	}
}
