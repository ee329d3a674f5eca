#include "policy/config_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config_mark.h"
#include "policy/config_skip.h"
#include "policy/file.h"
#include "policy/text.h"

#define BEGIN_OPTION CFG_STR_LIST(CONFIG_MARK_BEGIN, begin_default, CFGF_NONE)

static char begin_default[] = "begin";

static cfg_opt_t local_options[] = {
	BEGIN_OPTION,
	CFG_STR("as", NULL, CFGF_NONE),
	CFG_STR_LIST("addresses", NULL, CFGF_NONE),
	CFG_STR("certificate", NULL, CFGF_NONE),
	CFG_STR("key", NULL, CFGF_NONE),
	CFG_END()
};

static cfg_opt_t peer_options[] = {
	BEGIN_OPTION,
	CFG_STR("as", NULL, CFGF_NONE),
	CFG_STR_LIST("addresses", NULL, CFGF_NONE),
	CFG_STR("trust", NULL, CFGF_NONE),
	CFG_STR_LIST("crl", NULL, CFGF_NONE),
	CFG_STR("secret", NULL, CFGF_NONE),
	CFG_STR("ppk", NULL, CFGF_NONE),
	CFG_STR("ppk_id", NULL, CFGF_NONE),
	CFG_STR("ppk_required", NULL, CFGF_NONE),
	CFG_STR("auth", NULL, CFGF_NONE),
	CFG_STR("mode", NULL, CFGF_NONE),
	CFG_STR("plane", NULL, CFGF_NONE),
	CFG_STR_LIST("inside", NULL, CFGF_NONE),
	CFG_STR("encapsulate", NULL, CFGF_NONE),
	CFG_STR("profile", NULL, CFGF_NONE),
	CFG_STR("ike", NULL, CFGF_NONE),
	CFG_STR("esp", NULL, CFGF_NONE),
	CFG_STR("pfs", NULL, CFGF_NONE),
	CFG_STR("hold_time", NULL, CFGF_NONE),
	CFG_END()
};

static int queue_include(cfg_t *cfg, cfg_opt_t *opt, int argc,
			 const char **argv);

static cfg_opt_t root_options[] = {
	CFG_SEC("local", local_options, CFGF_MULTI),
	CFG_SEC("peer", peer_options, CFGF_MULTI | CFGF_TITLE),
	CFG_STR("others", NULL, CFGF_NONE),
	CFG_STR("profile", NULL, CFGF_NONE),
	CFG_STR("ike", NULL, CFGF_NONE),
	CFG_STR("esp", NULL, CFGF_NONE),
	CFG_STR("pfs", NULL, CFGF_NONE),
	CFG_STR("ike_lifetime", NULL, CFGF_NONE),
	CFG_STR("child_lifetime", NULL, CFGF_NONE),
	CFG_STR("hold_time", NULL, CFGF_NONE),
	CFG_FUNC("include", queue_include),
	CFG_END()
};

/* The file that is being parsed: libconfuse's callbacks carry no context. */
static struct {
	struct config_tree *tree;
	const struct config_file *file;
	int unknown_line;	/* 0: it is no unknown option that failed */
	char unknown[64];	/* the name of an unknown option */
} current;

/* ----------------------------------------------------------------- errors */

static void add_error(struct config_tree *tree, const char *file, int line,
		      const char *format, va_list ap)
	__attribute__((format(printf, 4, 0)));

static void add_error(struct config_tree *tree, const char *file, int line,
		      const char *format, va_list ap)
{
	char what[4 * POLICY_TEXT_SIZE];
	char *message;

	tree->errors_total++;
	text_vformat(what, sizeof(what), format, ap);
	if (tree->errors_count < POLICY_MAX_ERRORS &&
	    asprintf(&message, "%s:%d: %s", file, line, what) >= 0)
		tree->errors[tree->errors_count++] = message;
}

void config_error(struct config_tree *tree, const char *file, int line,
		  const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_error(tree, file, line, format, ap);
	va_end(ap);
}


/* The names that this section has, for the cure. */
static void list_options(const cfg_t *cfg, char *ret_text, size_t size)
{
	const cfg_opt_t *opt;
	const char *comma = "";

	text_format(ret_text, size, "%s", "");
	for (opt = cfg->opts; opt->name != NULL; opt++) {
		if (strcmp(opt->name, CONFIG_MARK_BEGIN) == 0)
			continue;
		text_append(ret_text, size, "%s%s", comma, opt->name);
		comma = ", ";
	}
}

static void take_unknown(const cfg_t *cfg, const char *name)
{
	char options[POLICY_TEXT_SIZE];

	list_options(cfg, options, sizeof(options));
	text_format(current.unknown, sizeof(current.unknown), "%s", name);
	current.unknown_line = cfg->line;
	config_error(current.tree, current.file->path, cfg->line,
		     "unknown option '%s', expected one of %s: correct or "
		     "remove it", current.unknown, options);
}

/* cfg_set_error_function() */
static void take_error(cfg_t *cfg, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void take_error(cfg_t *cfg, const char *format, va_list ap)
{
	char message[POLICY_TEXT_SIZE];

	if (strstr(format, "no such option") != NULL) {
		take_unknown(cfg, va_arg(ap, const char *));
		return;
	}
	text_vformat(message, sizeof(message), format, ap);
	config_error(current.tree, current.file->path, cfg->line,
		     "%s, expected NAME = VALUE, NAME = {VALUE, ...} or "
		     "SECTION {...}: correct the line", message);
}

/* -------------------------------------------------------------- callbacks */

static int mark_line(cfg_t *cfg, cfg_opt_t *opt)
{
	int first = config_mark(cfg, opt);

	if (first > 0)
		config_error(current.tree, current.file->path, cfg->line,
			     "option '%s' is given twice, first in line %d: "
			     "remove one of them", opt->name, first);
	return first < 0 ? -1 : 0;
}

static bool add_title(struct config_tree *tree, const char *title, int line)
{
	struct config_title *entry;

	if (tree->titles_count == tree->titles_size) {
		size_t size = tree->titles_size * 2 + 16;

		entry = reallocarray(tree->titles, size, sizeof(*entry));
		if (entry == NULL)
			return false;
		tree->titles = entry;
		tree->titles_size = size;
	}
	entry = &tree->titles[tree->titles_count];
	entry->title = strdup(title);
	entry->file = current.file;
	entry->line = line;
	if (entry->title == NULL)
		return false;
	tree->titles_count++;
	return true;
}

static int begin_section(cfg_t *cfg, cfg_opt_t *opt)
{
	if (cfg->title != NULL &&
	    !add_title(current.tree, cfg->title, cfg->line))
		return -1;
	return mark_line(cfg, opt);
}

/*
 * Not cfg_include(): its names are relative to the working directory, it loses
 * its place after an error, and it lets a section begin in one file and end in
 * another. Each file is parsed by itself.
 */
static int queue_include(cfg_t *cfg, cfg_opt_t *opt, int argc,
			 const char **argv)
{
	struct config_tree *tree = current.tree;
	struct config_file *file;

	(void)opt;
	if (argc != 1 || tree->files_count == POLICY_MAX_INCLUDES) {
		config_error(tree, current.file->path, cfg->line, argc != 1 ?
			     "include has %d arguments, expected "
			     "include(\"FILE\")" : "include of more than %d "
			     "files: put them together", argc != 1 ? argc :
			     POLICY_MAX_INCLUDES);
		return 0;
	}
	file = calloc(1, sizeof(*file));
	if (file == NULL)
		return -1;
	file->path = file_relative(current.file->path, argv[0]);
	file->from = current.file;
	file->from_line = cfg->line;
	tree->files[tree->files_count++] = file;
	return file->path == NULL ? -1 : 0;
}

static cfg_t *new_cfg(const char *path)
{
	static const char *const marked[] = {
		"others", "ike_lifetime", "child_lifetime", "hold_time",
		"local|as", "local|addresses", "local|certificate",
		"local|key", "peer|as", "peer|addresses", "peer|trust",
		"peer|auth", "peer|mode", "peer|plane", "peer|profile",
		"peer|secret", "peer|ppk", "peer|ppk_id",
		"peer|ppk_required", "peer|crl", "peer|ike", "peer|esp",
		"peer|pfs", "peer|hold_time", "peer|inside", "peer|encapsulate",
		"profile", "ike", "esp", "pfs",
	};
	cfg_t *cfg = cfg_init(root_options, CFGF_NONE);
	size_t i;

	if (cfg == NULL)
		return NULL;
	cfg->filename = strdup(path);
	cfg_set_error_function(cfg, take_error);
	for (i = 0; i < sizeof(marked) / sizeof(marked[0]); i++)
		cfg_set_validate_func(cfg, marked[i], mark_line);
	cfg_set_validate_func(cfg, "local|" CONFIG_MARK_BEGIN, begin_section);
	cfg_set_validate_func(cfg, "peer|" CONFIG_MARK_BEGIN, begin_section);
	return cfg;
}

/* ---------------------------------------------------------------- parsing */

static void free_file(struct config_file *file)
{
	if (file->cfg != NULL)
		cfg_free(file->cfg);
	free(file->path);
	free(file);
}

/* What an attempt to parse has added, to be taken back by the next one. */
struct attempt {
	size_t files, titles, errors, errors_total;
};

static void take_back(struct config_tree *tree, const struct attempt *to)
{
	while (tree->files_count > to->files)
		free_file(tree->files[--tree->files_count]);
	while (tree->titles_count > to->titles)
		free(tree->titles[--tree->titles_count].title);
	while (tree->errors_count > to->errors)
		free(tree->errors[--tree->errors_count]);
	tree->errors_total = to->errors_total;
}

/* One attempt: the tree, or NULL after an error. */
static cfg_t *parse_text(const char *path, char *text)
{
	cfg_t *cfg = new_cfg(path);
	FILE *file;
	int result;

	if (cfg == NULL || text[0] == '\0')
		return cfg;
	file = fmemopen(text, strlen(text), "r");
	if (file == NULL)
		goto fail;
	current.unknown_line = 0;
	result = cfg_parse_fp(cfg, file);
	(void)fclose(file);
	if (result == CFG_SUCCESS)
		return cfg;
fail:
	/* also resets the scanner, which may have stopped inside a string */
	cfg_free(cfg);
	return NULL;
}

/* libconfuse stops at an unknown option. Take it out, keep its error, and try
 * again for the errors behind it. */
static void parse_file(struct config_tree *tree, struct config_file *file,
		       char *text)
{
	struct attempt start = { tree->files_count, tree->titles_count,
				 tree->errors_count, tree->errors_total };
	char *unknown;

	current.tree = tree;
	current.file = file;
	while (tree->errors_count < POLICY_MAX_ERRORS) {
		file->cfg = parse_text(file->path, text);
		if (file->cfg != NULL || current.unknown_line == 0 ||
		    tree->errors_count == start.errors ||
		    !config_skip(text, current.unknown_line, current.unknown))
			break;
		/* the error of the unknown option is the newest */
		unknown = tree->errors[--tree->errors_count];
		take_back(tree, &start);
		tree->errors[tree->errors_count++] = unknown;
		tree->errors_total++;
		start.errors = tree->errors_count;
		start.errors_total = tree->errors_total;
	}
	if (file->cfg == NULL && tree->errors_total == start.errors_total &&
	    current.unknown_line == 0)
		config_error(tree, file->path, 1, "cannot be parsed");
}

/* The same file, by whatever path. */
static bool read_before(const struct config_tree *tree, size_t index)
{
	const struct config_file *file = tree->files[index];
	size_t i;

	for (i = 0; i < index; i++) {
		if (tree->files[i]->device == file->device &&
		    tree->files[i]->inode == file->inode)
			return true;
	}
	return false;
}

/* Nothing can be said of what is in a part that is missing. */
static bool is_whole(struct config_tree *tree, const struct config_file *file,
		     char *text)
{
	const char *what;
	int line = config_unclosed(text, &what);

	if (line > 0)
		config_error(tree, file->path, line, "%s before the end of the "
			     "file: add it, or get the whole file if it was "
			     "cut off", what);
	return line == 0;
}

static void read_file(struct config_tree *tree, size_t index)
{
	struct config_file *file = tree->files[index];
	const char *at = file->from == NULL ? file->path : file->from->path;
	int line = file->from == NULL ? 1 : file->from_line;
	char why[2 * POLICY_TEXT_SIZE], *text;
	struct stat stat;

	text = file_read(file->path, "configuration file", &stat, why,
			 sizeof(why));
	if (text == NULL) {
		config_error(tree, at, line, "%s", why);
		return;
	}
	file->device = stat.st_dev;
	file->inode = stat.st_ino;
	if (read_before(tree, index)) {
		config_error(tree, at, line, "file %s is included twice: "
			     "remove one include", file->path);
	} else if (is_whole(tree, file, text)) {
		config_skip_comments(text);
		parse_file(tree, file, text);
	}
	file_free(text);
}

void config_tree_parse(struct config_tree *tree, const char *path)
{
	struct config_file *file = calloc(1, sizeof(*file));
	size_t i;

	memset(tree, 0, sizeof(*tree));
	if (file == NULL) {
		config_error(tree, path, 1, "out of memory");
		return;
	}
	file->path = strdup(path);
	tree->files[tree->files_count++] = file;
	/* includes add to the files meanwhile */
	for (i = 0; i < tree->files_count; i++)
		read_file(tree, i);
}

bool config_tree_whole(const struct config_tree *tree)
{
	size_t i;

	for (i = 0; i < tree->files_count; i++) {
		if (tree->files[i]->cfg == NULL)
			return false;
	}
	return tree->files_count > 0;
}

void config_tree_clear(struct config_tree *tree)
{
	static const struct attempt nothing;

	take_back(tree, &nothing);
	free(tree->titles);
	memset(tree, 0, sizeof(*tree));
}
