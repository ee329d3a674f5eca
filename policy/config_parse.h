/*
 * The syntax of the configuration: files into libconfuse trees, with the line
 * of everything, and with errors gathered rather than printed. What the words
 * mean is config.c's. Internal to policy/.
 */
#ifndef POLICY_CONFIG_PARSE_H
#define POLICY_CONFIG_PARSE_H

#include <confuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "policy/config_mark.h"
#include "policy/limits.h"

struct config_file {
	char *path;
	dev_t device;		/* once read */
	ino_t inode;
	cfg_t *cfg;		/* NULL: not parsed, or a syntax error */
	/* where it is included, for the error if it cannot be read */
	const struct config_file *from;
	int from_line;
};

/* A section with a title, as it was begun. libconfuse keeps only the last one
 * of each title. */
struct config_title {
	char *title;
	const struct config_file *file;
	int line;
};

struct config_tree {
	struct config_file *files[POLICY_MAX_INCLUDES];
	size_t files_count;
	struct config_title *titles;
	size_t titles_count, titles_size;
	char *errors[POLICY_MAX_ERRORS];
	size_t errors_count;
	size_t errors_total;	/* also those that found no room */
};

/* Parse the file and what it includes. Errors are in *tree, which
 * config_tree_clear() releases in any case. Not reentrant, as libconfuse's
 * scanner is not. */
void config_tree_parse(struct config_tree *tree, const char *path);
void config_tree_clear(struct config_tree *tree);

/* Was every file read and parsed? If not, what is missing may stand there. */
bool config_tree_whole(const struct config_tree *tree);

/* Add an error: "file:line: ...". */
void config_error(struct config_tree *tree, const char *file, int line,
		  const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
