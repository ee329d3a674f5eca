/*
 * The lines of options. libconfuse counts lines but keeps none. A validator
 * runs right after each value was read: there config_mark() leaves the line in
 * the option's comment (libconfuse is not asked to keep comments). Every
 * section has a list of the name below with a default value, and the validator
 * of that runs when the section is begun. Internal to policy/.
 */
#ifndef POLICY_CONFIG_MARK_H
#define POLICY_CONFIG_MARK_H

#include <confuse.h>
#include <stdbool.h>

#define CONFIG_MARK_BEGIN "(begin)"

/* Mark the option with the line that is being read. Returns 0, the line where
 * the option was given already, or -1 when out of memory. */
int config_mark(const cfg_t *cfg, cfg_opt_t *opt);

/* The line where this option was given, or else where its section begins, or
 * else 1. */
int config_line(const cfg_t *section, const char *option);

/* Was it given? */
bool config_given(const cfg_t *section, const char *option);

#endif
