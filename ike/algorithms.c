#include "ike/algorithms.h"

#include <string.h>

#include "ike/crypto.h"

/* --------------------------------------------------------------- profiles */

#define LEGACY_REST "prfsha256-prfsha384-prfsha512-" \
	"x25519-ecp256-ecp384-ecp521-modp2048-modp3072-modp4096"

static const struct {
	const char *ike, *esp;
} profiles[IKE_PROFILES] = {
	[IKE_PROFILE_DEFAULT] = {
		"aes256gcm16-prfsha256-x25519-ecp256",
		"null-sha256-esn, null-sha256-noesn"
	},
	/* RFC 9206 5 */
	[IKE_PROFILE_CNSA] = {
		"aes256gcm16-prfsha384-prfsha512-ecp384-modp3072-modp4096",
		"aes256gcm16-esn, aes256gcm16-noesn"
	},
	/* everything that is not yet broken */
	[IKE_PROFILE_LEGACY] = {
		"aes256gcm16-aes128gcm16-chacha20poly1305-" LEGACY_REST ", "
		"aes256-aes128-sha256-sha384-sha512-" LEGACY_REST,
		"null-sha256-sha384-sha512, aes256gmac-aes128gmac, "
		"aes256gcm16-aes128gcm16"
	},
};

/* ------------------------------------------------------------------ words */

#define I (1u << IKE_PROTOCOL_IKE)
#define E (1u << IKE_PROTOCOL_ESP)
#define T(type, id) { IKE_TRANSFORM_##type, IKE_##type##_##id, 0 }
#define K(type, id, bits) { IKE_TRANSFORM_##type, IKE_##type##_##id, bits }

static const struct {
	const char *text;
	unsigned protocols;
	struct transform transform;
} words[] = {
	{ "null", E, T(ENCR, NULL) },
	{ "aes256gmac", E, K(ENCR, NULL_AUTH_AES_GMAC, 256) },
	{ "aes128gmac", E, K(ENCR, NULL_AUTH_AES_GMAC, 128) },
	{ "aes256gcm16", I | E, K(ENCR, AES_GCM_16, 256) },
	{ "aes128gcm16", I | E, K(ENCR, AES_GCM_16, 128) },
	{ "chacha20poly1305", I, T(ENCR, CHACHA20_POLY1305) },
	{ "aes256", I, K(ENCR, AES_CBC, 256) },
	{ "aes128", I, K(ENCR, AES_CBC, 128) },
	{ "sha256", I | E, T(INTEG, HMAC_SHA2_256_128) },
	{ "sha384", I | E, T(INTEG, HMAC_SHA2_384_192) },
	{ "sha512", I | E, T(INTEG, HMAC_SHA2_512_256) },
	{ "prfsha256", I, T(PRF, HMAC_SHA2_256) },
	{ "prfsha384", I, T(PRF, HMAC_SHA2_384) },
	{ "prfsha512", I, T(PRF, HMAC_SHA2_512) },
	{ "x25519", I, T(KE, X25519) },
	{ "ecp256", I, T(KE, P256) },
	{ "ecp384", I, T(KE, P384) },
	{ "ecp521", I, T(KE, P521) },
	{ "modp2048", I, T(KE, MODP_2048) },
	{ "modp3072", I, T(KE, MODP_3072) },
	{ "modp4096", I, T(KE, MODP_4096) },
	{ "esn", E, T(ESN, YES) },
	{ "noesn", E, T(ESN, NO) },
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

const char *algorithms_word(enum ike_protocol protocol, size_t number)
{
	for (size_t i = 0; i < WORDS; i++)
		if (words[i].protocols & 1u << protocol && number-- == 0)
			return words[i].text;
	return NULL;
}

static const struct transform *find_word(enum ike_protocol protocol,
					 struct ike_bytes word)
{
	for (size_t i = 0; i < WORDS; i++)
		if (words[i].protocols & 1u << protocol &&
		    strlen(words[i].text) == word.len &&
		    !memcmp(words[i].text, word.data, word.len))
			return &words[i].transform;
	return NULL;
}

/* ---------------------------------------------------------------- parsing */

static bool fault(struct algorithms_fault *ret_fault, const char *why,
		  struct ike_bytes word)
{
	*ret_fault = (struct algorithms_fault){ .why = why, .word = word };
	return false;
}

static bool add(struct suite *suite, const struct transform *transform)
{
	if (suite->count == IKE_MAX_OWN_TRANSFORMS)
		return false;
	suite->transforms[suite->count++] = *transform;
	return true;
}

static bool add_word(struct suite *suite, struct ike_bytes word,
		     struct algorithms_fault *ret_fault)
{
	const struct transform *transform = find_word(suite->protocol, word);

	if (!transform) {
		fault(ret_fault, "is no algorithm here", word);
		ret_fault->unknown = true;
		return false;
	}
	if (suite_offers(suite, transform))
		return fault(ret_fault, "stands twice in a proposal", word);
	if (!add(suite, transform))
		return fault(ret_fault, "is one too many in a proposal", word);
	return true;
}

/* Every cipher comes with exactly one integrity check, its own or that of the
 * INTEG transforms: AEAD and GMAC never stand in one proposal with ENCR_NULL
 * or AES-CBC (RFC 7296 3.3). */
static const char *unsound(const struct suite *suite)
{
	const struct transform *integ = suite_first(suite, IKE_TRANSFORM_INTEG);

	for (size_t i = 0; i < suite->count; i++) {
		const struct transform *t = &suite->transforms[i];

		if (t->type != IKE_TRANSFORM_ENCR ||
		    crypto_sound(t->id, t->key_bits, integ ? integ->id :
				 IKE_INTEG_NONE))
			continue;
		return integ ? "has sha256, sha384 or sha512 beside a cipher "
			"that brings its own integrity check (gcm, gmac, "
			"poly1305): separate proposals by a comma" :
			"has a cipher that needs an integrity check beside it: "
			"add sha256, sha384 or sha512";
	}
	return NULL;
}

static const char *incomplete(const struct suite *suite)
{
	if (!suite_first(suite, IKE_TRANSFORM_ENCR))
		return "has no cipher: add one, such as aes256gcm16";
	if (suite->protocol == IKE_PROTOCOL_ESP)
		return unsound(suite);
	if (!suite_first(suite, IKE_TRANSFORM_PRF))
		return "has no PRF: add one, such as prfsha256";
	if (!suite_first(suite, IKE_TRANSFORM_KE))
		return "has no group: add one, such as x25519";
	return unsound(suite);
}

static bool parse_proposal(struct ike_bytes text, struct suite *suite,
			   struct algorithms_fault *ret_fault)
{
	static const struct transform esn[] = { T(ESN, YES), T(ESN, NO) };
	struct ike_bytes word = { text.data, 0 };
	const char *why;

	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && text.data[i] != '-') {
			word.len++;
			continue;
		}
		if (!add_word(suite, word, ret_fault))
			return false;
		word = (struct ike_bytes){ text.data + i + 1, 0 };
	}
	why = incomplete(suite);
	if (why)
		return fault(ret_fault, why, text);
	/* ESN if the peer has it */
	if (suite->protocol == IKE_PROTOCOL_ESP &&
	    !suite_first(suite, IKE_TRANSFORM_ESN) &&
	    (!add(suite, &esn[0]) || !add(suite, &esn[1])))
		return fault(ret_fault, "has too many algorithms", text);
	return true;
}

bool algorithms_parse(enum ike_protocol protocol, const char *text,
		      struct algorithms *algorithms,
		      struct algorithms_fault *ret_fault)
{
	for (;; text++) {
		struct ike_bytes proposal = { NULL, 0 };
		struct suite *suite = &algorithms->suites[algorithms->count];
		const char *end;

		text += strspn(text, " \t");
		end = text + strcspn(text, ",");
		while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		proposal.data = (const uint8_t *)text;
		proposal.len = (size_t)(end - text);
		if (algorithms_suite(algorithms, protocol,
				     IKE_MAX_OWN_PROPOSALS))
			return fault(ret_fault, "is one proposal too many",
				     proposal);
		*suite = (struct suite){ .protocol = protocol };
		if (!parse_proposal(proposal, suite, ret_fault))
			return false;
		algorithms->count++;
		text += strcspn(text, ",");
		if (*text == '\0')
			return true;
	}
}

/* ----------------------------------------------------------------- groups */

/* The groups of the IKE proposals, into one of ESP. */
static bool complete(struct algorithms *algorithms, struct suite *esp)
{
	static const struct transform none = T(KE, NONE);
	const struct suite *ike;

	if (!algorithms->pfs && !add(esp, &none))
		return false;
	for (unsigned i = 1; (ike = algorithms_suite(
			algorithms, IKE_PROTOCOL_IKE, i)); i++)
		for (size_t j = 0; j < ike->count; j++) {
			const struct transform *t = &ike->transforms[j];

			if (t->type == IKE_TRANSFORM_KE &&
			    !suite_offers(esp, t) && !add(esp, t))
				return false;
		}
	return true;
}

bool algorithms_of(const struct ike_config *config,
		   struct algorithms *ret_algorithms)
{
	struct algorithms algorithms = { .pfs = config->pfs };
	struct algorithms_fault ignored;

	if (config->profile >= IKE_PROFILES ||
	    !algorithms_parse(IKE_PROTOCOL_IKE, config->ike_proposals ?
			      config->ike_proposals :
			      profiles[config->profile].ike,
			      &algorithms, &ignored) ||
	    !algorithms_parse(IKE_PROTOCOL_ESP, config->esp_proposals ?
			      config->esp_proposals :
			      profiles[config->profile].esp,
			      &algorithms, &ignored))
		return false;
	for (size_t i = 0; i < algorithms.count; i++)
		if (algorithms.suites[i].protocol == IKE_PROTOCOL_ESP &&
		    !complete(&algorithms, &algorithms.suites[i]))
			return false;
	*ret_algorithms = algorithms;
	return true;
}

/* ---------------------------------------------------------------- looking */

bool transform_equal(const struct transform *a, const struct transform *b)
{
	return a->type == b->type && a->id == b->id &&
		a->key_bits == b->key_bits;
}

bool suite_offers(const struct suite *suite, const struct transform *transform)
{
	for (size_t i = 0; i < suite->count; i++)
		if (transform_equal(&suite->transforms[i], transform))
			return true;
	return false;
}

const struct transform *suite_first(const struct suite *suite, unsigned type)
{
	for (size_t i = 0; i < suite->count; i++)
		if (suite->transforms[i].type == type)
			return &suite->transforms[i];
	return NULL;
}

const struct suite *algorithms_suite(const struct algorithms *algorithms,
				     enum ike_protocol protocol,
				     unsigned number)
{
	for (size_t i = 0; number > 0 && i < algorithms->count; i++)
		if (algorithms->suites[i].protocol == protocol &&
		    --number == 0)
			return &algorithms->suites[i];
	return NULL;
}

bool algorithms_offer_ke(const struct algorithms *algorithms, uint16_t group)
{
	const struct transform ke = { IKE_TRANSFORM_KE, group, 0 };
	const struct suite *suite;

	for (unsigned i = 1; (suite = algorithms_suite(
			algorithms, IKE_PROTOCOL_IKE, i)); i++)
		if (suite_offers(suite, &ke))
			return true;
	return false;
}

uint16_t algorithms_first_ke(const struct algorithms *algorithms)
{
	return suite_first(algorithms_suite(algorithms, IKE_PROTOCOL_IKE, 1),
			   IKE_TRANSFORM_KE)->id;
}
