/* Which algorithms: `profile`, `ike`, `esp` and `pfs`, at the top level and in
 * peer sections. */
#include <stdlib.h>
#include <string.h>

#include "policy/config_read.h"
#include "policy/text.h"

static const struct {
	const char *name;
	enum policy_profile profile;
} profiles[] = {
	{ "default", POLICY_PROFILE_DEFAULT },
	{ "cnsa", POLICY_PROFILE_CNSA },
	{ "legacy", POLICY_PROFILE_LEGACY },
};

static void replace(char **text, char *by)
{
	free(*text);
	*text = by;
}

void config_read_profile(struct config_reading *r, cfg_t *section,
			 struct policy_algorithms *algorithms)
{
	const char *text;
	size_t i;

	if (section == NULL || !config_given(section, "profile"))
		return;
	replace(&algorithms->ike, NULL);
	replace(&algorithms->esp, NULL);
	text = cfg_getstr(section, "profile");
	for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		if (strcmp(text, profiles[i].name) != 0)
			continue;
		algorithms->profile = profiles[i].profile;
		return;
	}
	config_fault(r, section, "profile", "profile = '%.40s', expected "
		     "default, cnsa or legacy: correct it", text);
}

void config_read_proposals(struct config_reading *r, cfg_t *section,
			   const char *option, char **proposals)
{
	const bool esp = strcmp(option, "esp") == 0;
	char why[2 * POLICY_TEXT_SIZE];
	const char *text;

	if (section == NULL || !config_given(section, option))
		return;
	text = cfg_getstr(section, option);
	replace(proposals, strdup(text));
	if (*proposals == NULL)
		config_fault(r, section, option, "out of memory");
	else if (r->reader->proposals != NULL &&
		 !r->reader->proposals(esp, text, why, sizeof(why)))
		config_fault(r, section, option, "%s = '%.80s': %s", option,
			     text, why);
}

void config_read_yes(struct config_reading *r, cfg_t *section,
		     const char *option, bool *yes)
{
	const char *text;

	if (section == NULL || !config_given(section, option))
		return;
	text = cfg_getstr(section, option);
	*yes = strcmp(text, "yes") == 0;
	if (!*yes && strcmp(text, "no") != 0)
		config_fault(r, section, option, "%s = '%.40s', expected yes "
			     "or no: correct it", option, text);
}

void config_read_algorithms(struct config_reading *r, cfg_t *section,
			    struct policy_algorithms *ret_algorithms)
{
	const struct policy_algorithms *global = &r->config->algorithms;

	*ret_algorithms = *global;
	ret_algorithms->ike = global->ike ? strdup(global->ike) : NULL;
	ret_algorithms->esp = global->esp ? strdup(global->esp) : NULL;
	if ((global->ike && ret_algorithms->ike == NULL) ||
	    (global->esp && ret_algorithms->esp == NULL))
		config_fault(r, section, "", "out of memory");
	config_read_profile(r, section, ret_algorithms);
	config_read_proposals(r, section, "ike", &ret_algorithms->ike);
	config_read_proposals(r, section, "esp", &ret_algorithms->esp);
	config_read_yes(r, section, "pfs", &ret_algorithms->pfs);
}
