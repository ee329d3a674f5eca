#include "policy/config_mark.h"

#include <stdio.h>
#include <string.h>

#include "policy/text.h"

struct mark {
	int line;
	unsigned values;
	char first[64];
};

static bool mark_read(const cfg_opt_t *opt, struct mark *ret_mark)
{
	return opt->comment != NULL &&
	       sscanf(opt->comment, "%d %u %63s", &ret_mark->line,
		      &ret_mark->values, ret_mark->first) == 3;
}

/* A list grows by one value a call. If it does not, or begins differently, the
 * option was given again, and libconfuse forgot what it had before. */
static bool given_again(const cfg_opt_t *opt, const struct mark *before,
			const struct mark *now)
{
	if ((opt->flags & CFGF_LIST) == 0)
		return true;
	return now->values < before->values ||
	       strcmp(now->first, before->first) != 0;
}

int config_mark(const cfg_t *cfg, cfg_opt_t *opt)
{
	struct mark before, now = { cfg->line, opt->nvalues, "" };
	char text[2 * sizeof(now.first)];
	int first = 0;

	text_format(now.first, sizeof(now.first), "=%s",
		 opt->values[0]->string);
	now.first[strcspn(now.first, " \t\n\r\v\f")] = '\0';
	if (mark_read(opt, &before)) {
		if (given_again(opt, &before, &now))
			first = before.line;
		else
			now.line = before.line;
	}
	text_format(text, sizeof(text), "%d %u %s", now.line, now.values,
		 now.first);
	return cfg_opt_setcomment(opt, text) == CFG_SUCCESS ? first : -1;
}

/* Unlike cfg_getopt(), no error if it is not there. */
static const cfg_opt_t *find_option(const cfg_t *section, const char *name)
{
	const cfg_opt_t *opt;

	for (opt = section->opts; opt->name != NULL; opt++) {
		if (strcmp(opt->name, name) == 0)
			return opt;
	}
	return NULL;
}

int config_line(const cfg_t *section, const char *option)
{
	const cfg_opt_t *opt = find_option(section, option);
	struct mark mark;

	if (opt != NULL && mark_read(opt, &mark))
		return mark.line;
	opt = find_option(section, CONFIG_MARK_BEGIN);
	return opt != NULL && mark_read(opt, &mark) ? mark.line : 1;
}

bool config_given(const cfg_t *section, const char *option)
{
	const cfg_opt_t *opt = find_option(section, option);

	/* nobody is called for an empty list, so that it has no mark */
	return opt != NULL && (opt->comment != NULL ||
			       (opt->flags & CFGF_MODIFIED) != 0);
}
