#include "sidecar/proposals.h"

#include <string.h>

#include "ike/algorithms.h"
#include "policy/text.h"

_Static_assert((int)IKE_PROFILE_DEFAULT == (int)POLICY_PROFILE_DEFAULT &&
	       (int)IKE_PROFILE_CNSA == (int)POLICY_PROFILE_CNSA &&
	       (int)IKE_PROFILE_LEGACY == (int)POLICY_PROFILE_LEGACY,
	       "engine and configuration number the profiles alike");

static void list_words(enum ike_protocol protocol, char *text, size_t size)
{
	const char *word, *before = ", expected ";

	for (size_t i = 0; (word = algorithms_word(protocol, i)); i++) {
		text_append(text, size, "%s%s", before, word);
		before = ", ";
	}
}

bool proposals_check(bool esp, const char *text, char *ret_why,
		     size_t why_size)
{
	const enum ike_protocol protocol = esp ? IKE_PROTOCOL_ESP :
		IKE_PROTOCOL_IKE;
	struct algorithms ignored = { .count = 0 };
	struct algorithms_fault fault = { .why = "" };

	if (algorithms_parse(protocol, text, &ignored, &fault))
		return true;
	text_format(ret_why, why_size, "'%.*s' %s",
		    fault.word.len < 80 ? (int)fault.word.len : 80,
		    (const char *)fault.word.data, fault.why);
	if (fault.unknown) {
		list_words(protocol, ret_why, why_size);
		text_append(ret_why, why_size, ": correct it%s", esp ?
			    " (groups are those of ike; pfs = yes uses them)" :
			    "");
	}
	return false;
}

void proposals_fill(const struct policy_algorithms *algorithms,
		    struct ike_config *config)
{
	config->profile = (enum ike_profile)algorithms->profile;
	config->ike_proposals = algorithms->ike;
	config->esp_proposals = algorithms->esp;
	config->pfs = algorithms->pfs;
}

bool proposals_carried(const struct policy_algorithms *wanted,
		       const struct plane_ops *ops, char *ret_not,
		       size_t not_size)
{
	struct ike_config config = { .local = IN6ADDR_ANY_INIT };
	struct algorithms algorithms;
	const struct suite *suite;
	bool carried = false;

	text_format(ret_not, not_size, "%s", "");
	proposals_fill(wanted, &config);
	if (!algorithms_of(&config, &algorithms))
		return false;
	for (unsigned n = 1; (suite = algorithms_suite(
			&algorithms, IKE_PROTOCOL_ESP, n)); n++)
	for (size_t i = 0; i < suite->count; i++) {
		const char *name = ike_name(IKE_NAMES_ENCR,
					    suite->transforms[i].id);

		if (suite->transforms[i].type != IKE_TRANSFORM_ENCR)
			continue;
		if (ops->carries(suite->transforms[i].id))
			carried = true;
		else if (!strstr(ret_not, name))
			text_append(ret_not, not_size, "%s%s", *ret_not ?
				    ", " : "", name);
	}
	return carried;
}
