/* Blanking out parts of a configuration text that libconfuse cannot deal with.
 * Newlines stay, so that lines keep their numbers. Internal to policy/. */
#ifndef POLICY_CONFIG_SKIP_H
#define POLICY_CONFIG_SKIP_H

#include <stdbool.h>

/* Overwrite all comments with spaces: libconfuse 3.3 counts up to three lines
 * for a comment of one. */
void config_skip_comments(char *text);

/*
 * The line where a comment, a string or a section begins that has no end, or 0:
 * libconfuse takes the end of the file for one. *ret_what says which. To be
 * called before config_skip_comments().
 */
int config_unclosed(char *text, const char **ret_what);

/*
 * Overwrite with spaces the option or section `name`, which stands on `line`
 * of `text`, together with its value or block; false if it is not found there.
 * An unknown option need not be the only error of the file, and libconfuse
 * stops at the first.
 */
bool config_skip(char *text, int line, const char *name);

#endif
