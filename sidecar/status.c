#include "sidecar/status.h"

#include <openssl/asn1.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "policy/address.h"
#include "policy/pairs.h"
#include "sidecar/daemon.h"
#include "sidecar/sad_list.h"
#include "sidecar/warnings.h"

/* ------------------------------------------------------------ small pieces */

static json_t *address_json(const struct in6_addr *address)
{
	char text[INET6_ADDRSTRLEN];

	return json_string(address_text(address, text));
}

static json_t *hex_json(uint64_t value, int digits)
{
	char text[24];

	snprintf(text, sizeof(text), "%s%0*llx", digits == 8 ? "0x" : "",
		 digits, (unsigned long long)value);
	return json_string(text);
}

/* An SPI, or null for a direction that is not installed. */
static json_t *spi_json(uint32_t spi)
{
	return spi ? hex_json(spi, 8) : json_null();
}

static json_t *time_json(time_t time)
{
	char text[32];
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

static json_int_t seconds_between(struct ike_time from, struct ike_time to)
{
	return to.us > from.us ? (json_int_t)((to.us - from.us) / 1000000) : 0;
}

static json_t *drops_json(const struct daemon *daemon,
			  const struct in6_addr *local,
			  const struct in6_addr *peer)
{
	uint64_t drops[CLASSIFIER_REASON_COUNT];
	json_t *object = json_object();

	if (warden_drops(daemon->warden, local, peer, drops) < 0)
		return object;
	for (int i = 0; i < CLASSIFIER_REASON_COUNT; i++)
		json_object_set_new(
			object, guard_reason_name((enum classifier_reason)i),
			json_integer((json_int_t)drops[i]));
	return object;
}

/* What classifier and plane dropped of a pair, by reason. */
static json_t *pair_drops_json(const struct daemon *daemon,
			       const struct plane_pair *id)
{
	static const char *const names[] = {
#define X(name, text) text,
		PLANE_COUNTERS_LIST(X)
#undef X
	};
	json_t *object = drops_json(daemon, &id->local, &id->peer);
	uint64_t counters[PLANE_COUNTERS];

	if (warden_plane_drops(daemon->warden, id, counters) < 0)
		return object;
	for (int i = 0; i < PLANE_COUNTERS; i++)
		json_object_set_new(object, names[i],
				    json_integer((json_int_t)counters[i]));
	return object;
}

/* ------------------------------------------------------------------ a pair */

static const char *without(const char *prefix, const char *name)
{
	const size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 ? name + len : name;
}

/* "AES_GCM_16-256", "NULL/HMAC_SHA2_256_128" */
static json_t *algorithms_json(uint16_t encr, uint16_t key_bits, uint16_t integ,
			       const char *behind)
{
	char bits[8] = "";

	if (key_bits)
		snprintf(bits, sizeof(bits), "-%u", key_bits);
	return json_sprintf("%s%s%s%s%s",
			    without("ENCR_", ike_name(IKE_NAMES_ENCR, encr)),
			    bits, integ ? "/" : "", integ ?
			    without("AUTH_", ike_name(IKE_NAMES_INTEG, integ)) :
			    "", behind);
}

static json_t *esp_json(const struct sas_child *child)
{
	return algorithms_json(child->encr, child->encr_key_bits, child->integ,
			       child->esn ? "/ESN" : "");
}

/* Seconds from now. Where the peer's rekeying goes first, there is no more. */
static json_t *rekey_json(const struct sas_child *child)
{
	if (child->rekey.us == IKE_NEVER.us)
		return json_null();
	return json_integer(seconds_between(pair_now(), child->rekey));
}

static const char *kind_name(int kind)
{
	return kind == IKE_CHILD_ACTIVE ? "active" : "passive";
}

static json_t *sa_json(int kind, json_t *esp, json_t *rekey, bool taken_over,
		       const struct plane_sa_stats *in,
		       const struct plane_sa_stats *out)
{
	const uint64_t age = in->spi ? in->age_s : out->age_s;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"kind", kind_name(kind),
		"spi_in", spi_json(in->spi),
		"spi_out", spi_json(out->spi),
		"esp", esp,
		"rekey", rekey,
		"taken_over", (int)taken_over,
		"age", (json_int_t)age,
		"packets_in", (json_int_t)in->packets,
		"bytes_in", (json_int_t)in->bytes,
		"packets_out", (json_int_t)out->packets,
		"bytes_out", (json_int_t)out->bytes,
		"replay_drops", (json_int_t)in->replay_drops,
		"integrity_drops", (json_int_t)in->integrity_drops);
}

static const struct plane_sa_stats none;

/* What the SAD says of one; nothing if it has none, or cannot be read. */
static const struct plane_sa_stats *
stats_of(const struct sad_list *sad, const struct pair *pair, bool inbound,
	 uint32_t spi)
{
	const struct plane_sa_stats *found =
		sad ? sad_list_find(sad, &pair->id, inbound, spi) : NULL;

	return found ? found : &none;
}

static json_t *children_json(const struct pair *pair,
			     const struct sad_list *sad)
{
	const struct sas *sas = &pair->sas;
	json_t *array = json_array();

	for (size_t i = 0; i < sas->children_count; i++) {
		const struct sas_child *child = &sas->children[i];

		json_array_append_new(array, sa_json(
			(int)child->kind, esp_json(child), rekey_json(child),
			false,
			stats_of(sad, pair, true, child->spi_in),
			stats_of(sad, pair, false, child->spi_out)));
	}
	for (size_t i = 0; i < sas->orphans_count; i++) {
		const struct plane_sa_stats *sa = &sas->orphans[i].sa;
		const struct plane_sa_stats *now =
			stats_of(sad, pair, sa->inbound, sa->spi);

		json_array_append_new(array, sa_json(
			(int)sa->kind, json_null(), json_null(), true,
			sa->inbound ? now : &none, sa->inbound ? &none : now));
	}
	return array;
}

static json_t *ike_json(const struct pair *pair)
{
	const struct ike_sa_info *sa = &pair->ike_sa;
	const struct ike_time now = pair_now();

	if (!pair->ike || pair->state != IKE_ESTABLISHED)
		return json_null();
	return json_pack("{s:o, s:o, s:s, s:o, s:s, s:s, s:b, s:I, s:I}",
		"spi_initiator", hex_json(sa->spi_initiator, 16),
		"spi_responder", hex_json(sa->spi_responder, 16),
		"role", sa->initiator ? "initiator" : "responder",
		"encr", algorithms_json(sa->encr, sa->encr_key_bits,
					sa->integ, ""),
		"prf", ike_name(IKE_NAMES_PRF, sa->prf),
		"ke", ike_name(IKE_NAMES_KE, sa->ke),
		"ppk", (int)sa->ppk,
		"age", seconds_between(sa->established, now),
		"rekey", seconds_between(now, sa->rekey));
}

/* Datagrams that the engine dropped, by reason; only what happened. */
static json_t *ike_drops_json(const struct pair *pair)
{
	const uint64_t *counters = pair->ike ? ike_counters(pair->ike) : NULL;
	json_t *object = json_object();

	for (int i = 0; counters && i < IKE_REASONS; i++)
		if (counters[i])
			json_object_set_new(
				object, ike_reason_name((enum ike_reason)i),
				json_integer((json_int_t)counters[i]));
	return object;
}

static json_t *failure_json(const struct failure *failure)
{
	if (failure->count == 0)
		return json_null();
	return json_pack("{s:s, s:s, s:I, s:o}", "reason", failure->reason,
			 "message", failure->message,
			 "count", (json_int_t)failure->count,
			 "last", time_json(failure->last));
}

static json_t *certificate_json(const struct pair *pair)
{
	if (pair->subject[0] == '\0')
		return json_null();
	return json_pack("{s:s, s:o, s:o}", "subject", pair->subject,
			 "not_after", time_json(pair->certificate.until),
			 "crl_until", pair->crl.until == 0 ? json_null() :
			 time_json(pair->crl.until));
}

static json_t *pair_json(const struct daemon *daemon, const struct pair *pair,
			 const struct sad_list *sad)
{
	const struct policy_peer *peer = pair->peer;
	/* its SAs are gone, whatever the engine believes until there is another */
	const bool dead = daemon->plane_retry.us && pair->ike && !pair->down &&
		warden_is_mortal(daemon->warden, &pair->id);

	return json_pack("{s:s, s:I, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"peer", peer->name,
		"as", (json_int_t)peer->as,
		"local", address_json(&pair->id.local),
		"remote", address_json(&pair->id.peer),
		"mode", peer->mode == POLICY_REQUIRE ? "require" : "off",
		"plane", warden_plane_name(daemon->warden, &pair->id),
		"state", dead ? "connecting" : pair_state_name(pair),
		"failure", failure_json(dead ? &daemon->plane_failure :
					&pair->failure),
		"warnings", warnings_of_pair(pair),
		"ike", ike_json(pair),
		"certificate", certificate_json(pair),
		"child", children_json(pair, sad),
		"drops", pair_drops_json(daemon, &pair->id),
		"ike_drops", ike_drops_json(pair));
}

/* ------------------------------------------------------------------ status */

struct listing {
	const struct daemon *daemon;
	struct sad_list *sad;	/* NULL: it cannot be read */
	json_t *pairs;
};

static int list_pair(void *ctx, const struct policy_peer *peer,
		     const struct in6_addr *local,
		     const struct in6_addr *remote)
{
	struct listing *listing = ctx;
	const struct plane_pair id = { .local = *local, .peer = *remote };
	struct pair *pair;

	(void)peer;
	HASH_FIND(hh, listing->daemon->pairs, &id, sizeof(id), pair);
	if (pair)
		json_array_append_new(listing->pairs,
				      pair_json(listing->daemon, pair,
						listing->sad));
	return 0;
}

static json_t *own_certificate_json(const struct policy_config *config)
{
	const X509 *cert = sk_X509_value(config->credential->certs, 0);
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return json_null();
	return json_pack("{s:o}", "not_after", time_json(timegm(&tm)));
}

static json_t *local_json(const struct daemon *daemon)
{
	const struct policy_config *config = daemon->config;
	json_t *addresses = json_array();

	for (size_t i = 0; i < config->addresses_count; i++)
		json_array_append_new(addresses,
				      address_json(&config->addresses[i]));
	return json_pack("{s:I, s:o, s:s, s:o, s:o}",
			 "as", (json_int_t)config->as,
			 "addresses", addresses,
			 "others", config->block_others ? "block" : "allow",
			 "certificate", own_certificate_json(config),
			 "warnings", warnings_of_router(daemon));
}

static json_t *locals_json(const struct daemon *daemon)
{
	const struct policy_config *config = daemon->config;
	json_t *array = json_array();

	for (size_t i = 0; i < config->addresses_count; i++)
		json_array_append_new(array, json_pack("{s:o, s:o}",
			"address", address_json(&config->addresses[i]),
			"drops", drops_json(daemon, &config->addresses[i],
					    NULL)));
	return array;
}

static json_t *answer_status(struct daemon *daemon)
{
	struct listing listing = {
		.daemon = daemon,
		.pairs = json_array(),
	};
	json_t *answer;

	(void)sad_list_read(daemon->warden, &listing.sad);
	policy_each_pair(daemon->config, list_pair, &listing);
	answer = json_pack("{s:b, s:i, s:o, s:o, s:o}", "ok", 1,
			   "pid", (int)getpid(),
			   "local", local_json(daemon),
			   "pairs", listing.pairs,
			   "locals", locals_json(daemon));
	sad_list_free(listing.sad);
	return answer;
}

/* ---------------------------------------------------------------- commands */

static json_t *answer_peer(struct daemon *daemon, const json_t *request,
			   void (*act)(struct pair *pair))
{
	const char *name = json_string_value(json_object_get(request, "peer"));
	struct pair *pair, *next;
	bool found = false;

	HASH_ITER(hh, daemon->pairs, pair, next) {
		if (!name || strcmp(pair->peer->name, name) != 0)
			continue;
		found = true;
		if (!pair->ike)
			return json_pack("{s:b, s:o}", "ok", 0, "error",
				json_sprintf("peer '%s' has mode = off: there is nothing to bring up or down",
					     name));
		act(pair);
	}
	if (found)
		return json_pack("{s:b}", "ok", 1);
	return json_pack("{s:b, s:o}", "ok", 0, "error",
		json_sprintf("no peer is named '%s': `bgpward status` lists them",
			     name ? name : ""));
}

json_t *status_answer(void *ctx, const json_t *request)
{
	const char *command =
		json_string_value(json_object_get(request, "command"));

	if (command && strcmp(command, "status") == 0)
		return answer_status(ctx);
	if (command && strcmp(command, "up") == 0)
		return answer_peer(ctx, request, pair_up);
	if (command && strcmp(command, "down") == 0)
		return answer_peer(ctx, request, pair_down);
	return json_pack("{s:b, s:s}", "ok", 0, "error",
			 "unknown command, expected status, up or down");
}
