#include "policy/config_skip.h"

#include <stddef.h>
#include <string.h>

/* Characters that end a bare word in libconfuse's scanner. */
static bool ends_word(char c)
{
	return c == '\0' || strchr(" \t\r\n{}()=+,\"'#", c) != NULL;
}

static char *skip_line(char *at)
{
	return at + strcspn(at, "\n");
}

static char *skip_comment(char *at)
{
	char *end;

	if (at[0] == '#' || (at[0] == '/' && at[1] == '/'))
		return skip_line(at);
	end = strstr(at + 2, "*/");
	return end == NULL ? at + strlen(at) : end + 2;
}

static bool at_comment(const char *at)
{
	return at[0] == '#' ||
	       (at[0] == '/' && (at[1] == '/' || at[1] == '*'));
}

static char *skip_space(char *at)
{
	for (;;) {
		at += strspn(at, " \t\r\n");
		if (!at_comment(at))
			return at;
		at = skip_comment(at);
	}
}

/* From a quote to the one that closes it, or to the end of the text. */
static char *find_quote(char *at)
{
	char quote = *at++;

	while (*at != '\0' && *at != quote) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		at++;
	}
	return at;
}

static char *skip_quoted(char *at)
{
	at = find_quote(at);
	return *at == '\0' ? at : at + 1;
}

static char *skip_word(char *at)
{
	if (*at == '"' || *at == '\'')
		return skip_quoted(at);
	while (!ends_word(*at))
		at++;
	return at;
}

/* To behind a comment, a string, a bare word (in which // is no comment: it may
 * be in a path), or one character of any other kind. */
static char *skip_token(char *at)
{
	if (at_comment(at))
		return skip_comment(at);
	if (*at == '"' || *at == '\'')
		return skip_quoted(at);
	if (ends_word(*at))
		return *at == '\0' ? at : at + 1;
	while (!ends_word(*at) && (at[0] != '/' || at[1] != '*'))
		at++;
	return at;
}

/* From an opening brace or parenthesis to behind the one that closes it. */
static char *skip_block(char *at)
{
	int depth = 0;

	do {
		if (*at == '{' || *at == '(')
			depth++;
		if (*at == '}' || *at == ')')
			depth--;
		at = skip_token(at);
	} while (depth > 0 && *at != '\0');
	return at;
}

static bool at_block(const char *at)
{
	return *at == '{' || *at == '(';
}

/* `at` is behind the name: skip "= value", "{...}" or "title {...}". */
static char *skip_value(char *at)
{
	char *next = skip_space(at);

	if (*next == '+')
		next++;
	if (*next == '=')
		next = skip_space(next + 1);
	if (at_block(next))
		return skip_block(next);
	next = skip_word(next);
	at = next;
	next = skip_space(next);
	return at_block(next) ? skip_block(next) : at;
}

static void blank(char *from, const char *to)
{
	for (; from < to; from++) {
		if (*from != '\n')
			*from = ' ';
	}
}

void config_skip_comments(char *text)
{
	char *end;

	for (; *text != '\0'; text = end) {
		end = skip_token(text);
		if (at_comment(text))
			blank(text, end);
	}
}

static int line_of(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* What begins here and has no end by itself, or NULL. */
static const char *endless(char *at)
{
	if (at[0] == '/' && at[1] == '*' && strstr(at + 2, "*/") == NULL)
		return "comment begins here and has no */";
	if ((*at == '"' || *at == '\'') && *find_quote(at) == '\0')
		return "string begins here and has no closing quote";
	return NULL;
}

int config_unclosed(char *text, const char **ret_what)
{
	const char *open = text;
	int depth = 0;

	for (char *at = text; *at != '\0'; at = skip_token(at)) {
		*ret_what = endless(at);
		if (*ret_what != NULL)
			return line_of(text, at);
		if (*at == '{' && depth++ == 0)
			open = at;
		if (*at == '}' && depth > 0)
			depth--;
	}
	*ret_what = "section begins here and has no }";
	return depth > 0 ? line_of(text, open) : 0;
}

static char *find_line(char *text, int line)
{
	while (--line > 0) {
		text = skip_line(text);
		if (*text == '\0')
			return NULL;
		text++;
	}
	return text;
}

static char *find_word(char *text, const char *end, const char *name)
{
	size_t len = strlen(name);
	char *at = text;

	while (len > 0 && (at = strstr(at, name)) != NULL && at < end) {
		if ((at == text || ends_word(at[-1])) && ends_word(at[len]))
			return at;
		at++;
	}
	return NULL;
}

bool config_skip(char *text, int line, const char *name)
{
	char *start = find_line(text, line), *word, *end;

	if (start == NULL)
		return false;
	word = find_word(start, skip_line(start), name);
	if (word == NULL)
		return false;
	end = word + strlen(name);
	if (*end == '"' || *end == '\'')
		end++;
	if (word > start && (word[-1] == '"' || word[-1] == '\''))
		word--;
	blank(word, skip_value(end));
	return true;
}
