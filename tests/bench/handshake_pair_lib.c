#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/address.h"
#include "policy/authorize.h"
#include "sidecar/pki.h"
#include "tests/bench/handshake.h"

enum { AS = 64500, DAY = 86400, MAX_PACKETS = 16, ALL_INSTALLED = 8 };

static const char *const addresses[ENDS] = { "192.0.2.1", "192.0.2.2" };

struct packet {
	uint8_t bytes[IKE_MAX_DATAGRAM];
	size_t len;
	uint16_t local_port, peer_port;
};

struct end {
	struct handshake_pair *pair;
	struct handshake_identity *identity;
	const struct handshake_identity *peers;
	struct in6_addr address, peer;
	struct ike *ike;
	bool deaf;			/* what it sends gets lost */
	unsigned installed;		/* SAs, one direction each */
};

struct handshake_pair {
	bool authorize;
	struct ike_time now;
	struct end ends[ENDS];
	double *cpu;
};

/* On their way to each end; nothing of a pair's own, so that it is not in the
 * memory of one. */
static struct packet packets[ENDS][MAX_PACKETS];
static size_t packets_count[ENDS];

static struct ike_crypto *crypto;	/* one for all, as in a daemon */

/* ------------------------------------------------------------ identities */

static EVP_PKEY *make_key(const char *name)
{
	if (strcmp(name, "RSA") == 0)
		return EVP_RSA_gen(2048);
	if (strncmp(name, "ED", 2) == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, name);
	return EVP_EC_gen(name);
}

/* Signed by itself: no chain that could be judged. */
static X509 *self_signed(EVP_PKEY *key, bool edwards)
{
	X509 *cert = X509_new();

	if (!cert || X509_set_version(cert, 2) != 1 ||
	    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) != 1 ||
	    !X509_gmtime_adj(X509_getm_notBefore(cert), 0) ||
	    !X509_gmtime_adj(X509_getm_notAfter(cert), DAY) ||
	    X509_set_pubkey(cert, key) != 1 ||
	    X509_sign(cert, key, edwards ? NULL : EVP_sha256()) <= 0)
		handshake_die("certificate");
	return cert;
}

/* As `bgpward init` makes it: a CA, and the router's certificate under it. */
static void certified(const struct in6_addr *address,
		      struct handshake_identity *identity, X509 **ret_cert)
{
	const time_t now = time(NULL);
	struct pki_spec spec = {
		.common_name = "bench", .ca = true, .as = AS,
		.addresses = address, .addresses_count = 1,
		.not_before = now - DAY, .not_after = now + DAY
	};
	struct pki_pair ca, router;

	if (!pki_make(&spec, NULL, &ca))
		handshake_die("CA");
	spec.ca = false;
	if (!pki_make(&spec, &ca, &router) ||
	    sk_X509_push(identity->anchors.certs, ca.cert) != 1)
		handshake_die("router certificate");
	EVP_PKEY_free(ca.key);
	identity->credential.key = router.key;
	*ret_cert = router.cert;
}

static void make_identity(const struct handshake_suite *suite,
			  const char *text, struct handshake_identity *identity)
{
	struct in6_addr address;
	X509 *cert;
	int len;

	address_parse(text, &address);
	identity->anchors.certs = sk_X509_new_null();
	identity->credential.certs = sk_X509_new_null();
	identity->credential.signer = NULL;
	if (strcmp(suite->key, "P-256") == 0)
		certified(&address, identity, &cert);
	else {
		identity->credential.key = make_key(suite->key);
		cert = self_signed(identity->credential.key,
				   suite->key[0] == 'E');
	}
	identity->der = NULL;
	len = i2d_X509(cert, &identity->der);
	if (len <= 0 || sk_X509_push(identity->credential.certs, cert) != 1)
		handshake_die("certificate");
	identity->der_len = (size_t)len;
}

void identity_make(const struct handshake_suite *suite,
		   struct handshake_identity ret_identities[ENDS])
{
	for (int i = 0; i < ENDS; i++)
		make_identity(suite, addresses[i], &ret_identities[i]);
}

void identity_clear(struct handshake_identity identities[ENDS])
{
	for (int i = 0; i < ENDS; i++) {
		sk_X509_pop_free(identities[i].anchors.certs, X509_free);
		sk_X509_pop_free(identities[i].credential.certs, X509_free);
		EVP_PKEY_CTX_free(identities[i].credential.signer);
		EVP_PKEY_free(identities[i].credential.key);
		OPENSSL_free(identities[i].der);
	}
}

/* --------------------------------------------------------------- effects */

static void on_send(struct end *end, const struct ike_effect *effect)
{
	const int to = end == &end->pair->ends[INITIATOR] ? RESPONDER :
							    INITIATOR;
	struct packet *packet = &packets[to][packets_count[to]];
	const struct ike_bytes bytes = effect->send.bytes;

	if (end->deaf)
		return;
	if (packets_count[to] == MAX_PACKETS)
		handshake_die("too many datagrams");
	memcpy(packet->bytes, bytes.data, bytes.len);
	packet->len = bytes.len;
	packet->local_port = effect->send.peer_port;
	packet->peer_port = effect->send.local_port;
	packets_count[to]++;
}

static void on_signature(struct end *end, const struct ike_effect *effect)
{
	const struct ike_bytes octets = effect->need_signature.octets;
	uint8_t signature[IKE_MAX_SIGNATURE];
	struct ike_input input = {
		.type = IKE_INPUT_SIGNATURE,
		.signature.request = effect->need_signature.request
	};
	size_t len = sizeof(signature);

	if (!policy_credential_sign(&end->identity->credential,
				    effect->need_signature.hash, octets.data,
				    octets.len, signature, &len))
		handshake_die("sign");
	input.signature.bytes = (struct ike_bytes){ signature, len };
	ike_input(end->ike, end->pair->now, &input);
}

static void judge(const struct end *end, const struct ike_effect *effect)
{
	const struct ike_bytes cert = effect->need_authorization.certs[0];
	const struct ike_bytes id = effect->need_authorization.id;
	struct policy_request request = {
		.certs = { { cert.data, cert.len } }, .certs_count = 1,
		.id_is_address = true, .id = { id.data, id.len },
		.peer_name = "bench", .as = AS, .address = end->peer,
		.anchors = &end->peers->anchors, .now = time(NULL)
	};
	struct policy_verdict verdict;

	policy_authorize(&request, &verdict);
	if (verdict.refusal != POLICY_ALLOWED)
		handshake_die(verdict.text);
}

static void on_authorization(struct end *end, const struct ike_effect *effect)
{
	const struct ike_input input = {
		.type = IKE_INPUT_AUTHORIZATION,
		.authorization = { effect->need_authorization.request, true,
				   IKE_NEVER }
	};

	if (end->pair->authorize)
		judge(end, effect);
	ike_input(end->ike, end->pair->now, &input);
}

static void carry_out(struct end *end, const struct ike_effect *effect)
{
	switch (effect->type) {
	case IKE_SEND:
		on_send(end, effect);
		return;
	case IKE_NEED_SIGNATURE:
		on_signature(end, effect);
		return;
	case IKE_NEED_AUTHORIZATION:
		on_authorization(end, effect);
		return;
	case IKE_INSTALL_CHILD_SA:
		end->installed += effect->install.directions & IKE_INBOUND ?
			1 : 0;
		end->installed += effect->install.directions & IKE_OUTBOUND ?
			1 : 0;
		return;
	case IKE_FAILED:
		if (!end->deaf)
			handshake_die(ike_reason_text(effect->failed.reason));
		return;
	case IKE_REMOVE_CHILD_SA:
	case IKE_KEEPALIVE:
	case IKE_STATE_CHANGED:
		return;
	}
}

static void drain(struct end *end)
{
	struct ike_effect effect;

	while (ike_next_effect(end->ike, &effect))
		carry_out(end, &effect);
}

/* --------------------------------------------------------------- engines */

static bool random_bytes(void *ctx, uint8_t *ret_bytes, size_t len)
{
	(void)ctx;
	return getentropy(ret_bytes, len) == 0;
}

static uint32_t allocate_spi(void *ctx)
{
	static uint32_t last = 0x1000;

	(void)ctx;
	return ++last;
}

static void make_end(const struct handshake_suite *suite, struct end *end)
{
	struct ike_config config = {
		.crypto = crypto, .local = end->address, .peer = end->peer,
		.ike_proposals = suite->ike, .esp_proposals = suite->esp,
		.certs = { { end->identity->der, end->identity->der_len } },
		.certs_count = 1, .anchors_count = 1,
		.ike_lifetime = IKE_SECONDS(DAY),
		.child_lifetime = IKE_SECONDS(DAY), .hold_time = IKE_NEVER,
		.random = random_bytes, .allocate_spi = allocate_spi
	};

	end->ike = ike_new(&config);
	if (!end->ike)
		handshake_die("ike_new");
}

static void tick(struct end *end)
{
	ike_tick(end->ike, end->pair->now);
	drain(end);
}

static void start(struct end *end)
{
	const struct ike_input input = { .type = IKE_INPUT_START };

	ike_input(end->ike, end->pair->now, &input);
	drain(end);
}

/* Nobody hears what it sends, and it gives up: for some time it begins nothing
 * of its own, and only answers. */
static void start_responder(struct end *end)
{
	const struct ike_time begun = end->pair->now;

	end->deaf = true;
	start(end);
	while (end->pair->now.us < begun.us + 15600000) {
		end->pair->now = ike_deadline(end->ike);
		tick(end);
	}
	end->deaf = false;
}

struct handshake_pair *
pair_make(const struct handshake_suite *suite,
	  struct handshake_identity identities[ENDS])
{
	struct handshake_pair *pair = calloc(1, sizeof(*pair));

	if (!crypto)
		crypto = ike_crypto_new();
	if (!pair || !crypto)
		handshake_die("no memory");
	pair->authorize = suite->authorize;
	pair->now = IKE_SECONDS(1000);
	for (int i = 0; i < ENDS; i++) {
		struct end *end = &pair->ends[i];

		end->pair = pair;
		end->identity = &identities[i];
		end->peers = &identities[!i];
		address_parse(addresses[i], &end->address);
		address_parse(addresses[!i], &end->peer);
		make_end(suite, end);
	}
	start_responder(&pair->ends[RESPONDER]);
	return pair;
}

void pair_clear(struct handshake_pair *pair)
{
	for (int i = 0; i < ENDS; i++)
		ike_free(pair->ends[i].ike);
	free(pair);
}

/* -------------------------------------------------------------- handshake */

static void deliver(struct end *end, const struct packet *packet)
{
	const struct ike_input input = {
		.type = IKE_INPUT_DATAGRAM,
		.datagram = { { packet->bytes, packet->len },
			      packet->local_port, packet->peer_port }
	};

	ike_input(end->ike, end->pair->now, &input);
	drain(end);
}

static bool is_due(const struct end *end)
{
	return ike_deadline(end->ike).us <= end->pair->now.us;
}

/* Everything that an end can do now. */
static void turn(struct handshake_pair *pair, int index)
{
	struct end *end = &pair->ends[index];

	for (size_t i = 0; i < packets_count[index]; i++)
		deliver(end, &packets[index][i]);
	packets_count[index] = 0;
	if (is_due(end))
		tick(end);
}

/* Whose turn it is; time passes when it is nobody's. */
static int next_turn(struct handshake_pair *pair)
{
	struct ike_time due[ENDS];

	for (int i = 0; i < ENDS; i++) {
		if (packets_count[i] > 0 || is_due(&pair->ends[i]))
			return i;
		due[i] = ike_deadline(pair->ends[i].ike);
	}
	pair->now = due[INITIATOR].us < due[RESPONDER].us ? due[INITIATOR] :
							    due[RESPONDER];
	return due[INITIATOR].us < due[RESPONDER].us ? INITIATOR : RESPONDER;
}

void pair_shake(struct handshake_pair *pair, double cpu[ENDS])
{
	const double look = handshake_look();
	double last = handshake_cpu(), now;
	int whose = INITIATOR;

	start(&pair->ends[INITIATOR]);
	while (pair->ends[INITIATOR].installed +
	       pair->ends[RESPONDER].installed < ALL_INSTALLED) {
		turn(pair, whose);
		now = handshake_cpu();
		cpu[whose] += now - last - look;
		last = now;
		whose = next_turn(pair);
	}
}
