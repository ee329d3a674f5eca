#include "policy/config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/address.h"
#include "policy/config_read.h"
#include "policy/file.h"
#include "policy/number.h"
#include "policy/text.h"

enum config_bounds {
	LIFETIME_MIN = 5,	/* s; for tests that see much rekeying */
	LIFETIME_MAX = 86400,
	IKE_LIFETIME_DEFAULT = 14400,
	CHILD_LIFETIME_DEFAULT = 3600,
	HOLD_TIME_MIN = 3,	/* s (RFC 4271 4.2) */
	HOLD_TIME_MAX = 65535,
	HOLD_TIME_DEFAULT = 90	/* RFC 4271 10 */
};

/* ---------------------------------------------------------- for all parts */

void config_fault(struct config_reading *r, cfg_t *section, const char *option,
		  const char *format, ...)
{
	char what[3 * POLICY_TEXT_SIZE];
	va_list ap;

	va_start(ap, format);
	text_vformat(what, sizeof(what), format, ap);
	va_end(ap);
	config_error(&r->tree, section->filename, config_line(section, option),
		     "%s", what);
}

static void tell(void (*how)(void *ctx, const char *message),
		 const struct config_reading *r, cfg_t *section,
		 const char *option, const char *what)
{
	char line[4 * POLICY_TEXT_SIZE];

	text_format(line, sizeof(line), "%s:%d: %s", section->filename,
		    config_line(section, option), what);
	how(r->reader->ctx, line);
}

void config_caution(struct config_reading *r, cfg_t *section,
		    const char *option, const char *format, ...)
{
	char what[3 * POLICY_TEXT_SIZE];
	va_list ap;

	va_start(ap, format);
	text_vformat(what, sizeof(what), format, ap);
	va_end(ap);
	if (r->reader->warn == NULL)
		config_fault(r, section, option, "%s", what);
	else
		tell(r->reader->warn, r, section, option, what);
}

void config_advise(struct config_reading *r, cfg_t *section,
		   const char *option, const char *format, ...)
{
	char what[3 * POLICY_TEXT_SIZE];
	va_list ap;

	if (r->reader->advise == NULL)
		return;
	va_start(ap, format);
	text_vformat(what, sizeof(what), format, ap);
	va_end(ap);
	tell(r->reader->advise, r, section, option, what);
}

const char *config_need(struct config_reading *r, cfg_t *section,
			const char *option, const char *example)
{
	if (config_given(section, option))
		return cfg_getstr(section, option);
	config_fault(r, section, option, "section %s%s%s lacks option '%s', "
		     "expected %s: add it", section->name,
		     section->title == NULL ? "" : " ",
		     section->title == NULL ? "" : section->title, option,
		     example);
	return NULL;
}

char *config_path(struct config_reading *r, cfg_t *section, const char *option,
		  const char *example)
{
	const char *value = config_need(r, section, option, example);

	return value == NULL ? NULL : file_relative(section->filename, value);
}

bool config_read_as(struct config_reading *r, cfg_t *section, uint32_t *ret_as)
{
	const char *text = config_need(r, section, "as", "as = NUMBER");
	const char *why;

	if (text == NULL)
		return false;
	why = number_parse_as(text, ret_as);
	if (why == NULL)
		return true;
	config_fault(r, section, "as", "as = '%.40s' %s: correct it", text,
		     why);
	return false;
}

bool config_read_address(struct config_reading *r, cfg_t *section,
			 const char *option, const char *text,
			 struct in6_addr *ret_address)
{
	const char *why;

	if (!address_parse(text, ret_address)) {
		config_fault(r, section, option, "'%.60s' is no IP "
			     "address, expected such as \"192.0.2.1\" or "
			     "\"2001:db8::1\": correct it", text);
		return false;
	}
	why = address_unusable(ret_address);
	if (why == NULL)
		return true;
	config_fault(r, section, option, "%.60s %s, expected an address on the "
		     "loopback interface of a router that the other one can "
		     "route to: correct it", text, why);
	return false;
}

bool config_read_addresses(struct config_reading *r, cfg_t *section,
			   struct in6_addr *ret_addresses, size_t *ret_count)
{
	unsigned i, given = cfg_size(section, "addresses");
	size_t count = 0;

	if (given == 0 || given > POLICY_MAX_ADDRESSES) {
		config_fault(r, section, "addresses", "section %s%s%s has %u "
			     "addresses, expected addresses = {\"ADDRESS\", "
			     "...} with 1 to %d: correct it", section->name,
			     section->title == NULL ? "" : " ",
			     section->title == NULL ? "" : section->title,
			     given, POLICY_MAX_ADDRESSES);
		return false;
	}
	for (i = 0; i < given; i++) {
		const char *text = cfg_getnstr(section, "addresses", i);

		if (!config_read_address(r, section, "addresses", text,
					 &ret_addresses[count]))
			continue;
		if (address_among(ret_addresses, count, &ret_addresses[count]))
			config_fault(r, section, "addresses", "address %s "
				     "stands twice in one list: remove one",
				     text);
		else
			count++;
	}
	*ret_count = count;
	return count == given;
}

/* ---------------------------------------------------------- local section */

static cfg_t *find_local(struct config_reading *r)
{
	cfg_t *first = NULL;
	unsigned i, j;

	for (i = 0; i < r->tree.files_count; i++) {
		cfg_t *root = r->tree.files[i]->cfg;

		for (j = 0; root != NULL && j < cfg_size(root, "local"); j++) {
			cfg_t *local = cfg_getnsec(root, "local", j);

			if (first == NULL)
				first = local;
			else
				config_fault(r, local, "", "second section "
					     "local, the first is %s:%d: "
					     "remove one", first->filename,
					     config_line(first, ""));
		}
	}
	return first;
}

static void check_interfaces(struct config_reading *r)
{
	const struct policy_config *config = r->config;
	char text[INET6_ADDRSTRLEN];
	size_t i;

	if (r->reader->address_is_local == NULL)
		return;
	for (i = 0; i < config->addresses_count; i++) {
		const struct in6_addr *address = &config->addresses[i];

		if (r->reader->address_is_local(r->reader->ctx, address))
			continue;
		address_text(address, text);
		config_fault(r, r->local, "addresses", "address %s is on no "
			     "interface of this machine, expected the "
			     "loopback address that BGP uses: correct it or "
			     "add it (ip address add %s dev lo)", text, text);
	}
}

void config_read_local(struct config_reading *r)
{
	struct policy_config *config = r->config;

	r->local = find_local(r);
	if (r->local == NULL) {
		if (!config_tree_whole(&r->tree))
			return;
		config_error(&r->tree, r->tree.files[0]->path, 1, "section "
			     "local is missing, expected local { as = ... "
			     "addresses = ... certificate = ... key = ... }: "
			     "add it, or begin with bgpward init");
		return;
	}
	(void)config_read_as(r, r->local, &config->as);
	r->local_addresses_right =
		config_read_addresses(r, r->local, config->addresses,
				      &config->addresses_count);
	check_interfaces(r);
}

/* ------------------------------------------------- options at the top level */

static cfg_t *find_global(struct config_reading *r, const char *option)
{
	cfg_t *first = NULL;
	size_t i;

	for (i = 0; i < r->tree.files_count; i++) {
		cfg_t *root = r->tree.files[i]->cfg;

		if (root == NULL || !config_given(root, option))
			continue;
		if (first == NULL)
			first = root;
		else
			config_fault(r, root, option, "option '%s' is given "
				     "twice, first at %s:%d: remove one of "
				     "them", option, first->filename,
				     config_line(first, option));
	}
	return first;
}

/* `section` NULL: not given. */
static void read_seconds(struct config_reading *r, cfg_t *section,
			 const char *option, unsigned min, unsigned max,
			 uint32_t *ret_seconds)
{
	uint64_t number;
	const char *text;

	if (section == NULL || !config_given(section, option))
		return;
	text = cfg_getstr(section, option);
	if (number_parse(text, max, &number) && number >= min)
		*ret_seconds = (uint32_t)number;
	else
		config_fault(r, section, option, "%s = '%.40s', expected %u "
			     ".. %u (seconds): correct it", option, text, min,
			     max);
}

void config_read_hold_time(struct config_reading *r, cfg_t *section,
			   uint32_t *seconds)
{
	read_seconds(r, section, "hold_time", HOLD_TIME_MIN, HOLD_TIME_MAX,
		     seconds);
}

static void read_others(struct config_reading *r)
{
	cfg_t *root = find_global(r, "others");
	const char *text;

	if (root == NULL)
		return;
	text = cfg_getstr(root, "others");
	if (strcmp(text, "allow") == 0)
		r->config->block_others = false;
	else if (strcmp(text, "block") != 0)
		config_fault(r, root, "others", "others = '%.40s', expected "
			     "block or allow: correct it", text);
}

static void read_globals(struct config_reading *r)
{
	r->config->block_others = true;
	r->config->ike_lifetime_s = IKE_LIFETIME_DEFAULT;
	r->config->child_lifetime_s = CHILD_LIFETIME_DEFAULT;
	r->config->hold_time_s = HOLD_TIME_DEFAULT;
	read_others(r);
	config_read_profile(r, find_global(r, "profile"),
			    &r->config->algorithms);
	config_read_proposals(r, find_global(r, "ike"), "ike",
			      &r->config->algorithms.ike);
	config_read_proposals(r, find_global(r, "esp"), "esp",
			      &r->config->algorithms.esp);
	config_read_yes(r, find_global(r, "pfs"), "pfs",
			&r->config->algorithms.pfs);
	read_seconds(r, find_global(r, "ike_lifetime"), "ike_lifetime",
		     LIFETIME_MIN, LIFETIME_MAX, &r->config->ike_lifetime_s);
	read_seconds(r, find_global(r, "child_lifetime"), "child_lifetime",
		     LIFETIME_MIN, LIFETIME_MAX, &r->config->child_lifetime_s);
	config_read_hold_time(r, find_global(r, "hold_time"),
			      &r->config->hold_time_s);
}

/* ------------------------------------------------------------- read, free */

static void report_errors(const struct config_reading *r)
{
	char more[POLICY_TEXT_SIZE];
	size_t i;

	if (r->reader->report == NULL)
		return;
	for (i = 0; i < r->tree.errors_count; i++)
		r->reader->report(r->reader->ctx, r->tree.errors[i]);
	if (r->tree.errors_total > r->tree.errors_count) {
		text_format(more, sizeof(more), "%.200s:1: %zu more errors are "
			 "not shown: correct these first",
			 r->tree.files[0]->path,
			 r->tree.errors_total - r->tree.errors_count);
		r->reader->report(r->reader->ctx, more);
	}
}

struct policy_config *policy_config_read(const char *path,
					 const struct policy_reader *reader)
{
	struct config_reading *r = calloc(1, sizeof(*r));
	struct policy_config *config = calloc(1, sizeof(*config));

	if (r == NULL || config == NULL) {
		free(r);
		free(config);
		return NULL;
	}
	r->reader = reader;
	r->config = config;
	r->now = time(NULL);
	config_tree_parse(&r->tree, path);
	read_globals(r);
	config_read_local(r);
	config_read_credential(r);
	config_read_peers(r);
	report_errors(r);
	if (r->tree.errors_total > 0) {
		policy_config_free(config);
		config = NULL;
	}
	config_tree_clear(&r->tree);
	free(r);
	return config;
}

void policy_config_free(struct policy_config *config)
{
	size_t i;

	if (config == NULL)
		return;
	for (i = 0; i < config->peers_count; i++) {
		free(config->peers[i].name);
		free(config->peers[i].file);
		free(config->peers[i].algorithms.ike);
		free(config->peers[i].algorithms.esp);
		policy_anchors_free(config->peers[i].anchors);
		policy_crls_free(config->peers[i].crls);
		policy_secret_free(config->peers[i].secret);
		policy_secret_free(config->peers[i].ppk);
		free(config->peers[i].ppk_id);
	}
	free(config->peers);
	policy_credential_free(config->credential);
	free(config->algorithms.ike);
	free(config->algorithms.esp);
	free(config);
}

const struct policy_peer *
policy_config_peer(const struct policy_config *config,
		   const struct in6_addr *address)
{
	size_t i;

	for (i = 0; i < config->peers_count; i++) {
		if (address_among(config->peers[i].addresses,
			     config->peers[i].addresses_count, address))
			return &config->peers[i];
	}
	return NULL;
}
