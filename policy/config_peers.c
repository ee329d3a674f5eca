/* The peer sections of the configuration. */
#include <stdlib.h>
#include <string.h>

#include "policy/address.h"
#include "policy/config_read.h"
#include "policy/pairs.h"

enum {
	NAME_MAX_LEN = 32
};

/* ------------------------------------------------------------------- names */

bool policy_peer_name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len > 0 && len <= NAME_MAX_LEN && name[len] == '\0';
}

static void check_names(struct config_reading *r)
{
	const struct config_title *titles = r->tree.titles;
	size_t i, j;

	for (i = 0; i < r->tree.titles_count; i++) {
		const char *file = titles[i].file->path;

		if (!policy_peer_name_valid(titles[i].title))
			config_error(&r->tree, file, titles[i].line, "peer "
				     "'%.60s' is no name, expected 1 to %d of "
				     "a-z 0-9 _ -: rename it",
				     titles[i].title, NAME_MAX_LEN);
		for (j = 0; j < i; j++) {
			if (strcmp(titles[i].title, titles[j].title) != 0)
				continue;
			config_error(&r->tree, file, titles[i].line, "second "
				     "section peer %.60s, the first is "
				     "%s:%d: rename or remove one",
				     titles[i].title, titles[j].file->path,
				     titles[j].line);
			break;
		}
	}
}

/* --------------------------------------------------------------- addresses */

static bool local_has_family(const struct policy_config *config, int family)
{
	size_t i;

	for (i = 0; i < config->addresses_count; i++) {
		if (address_family(&config->addresses[i]) == family)
			return true;
	}
	return false;
}

static void check_address(struct config_reading *r, cfg_t *section,
			  const struct in6_addr *address)
{
	const struct policy_config *config = r->config;
	const struct policy_peer *other = policy_config_peer(config, address);
	int family = address_family(address);
	char text[INET6_ADDRSTRLEN];

	address_text(address, text);
	if (other != NULL)
		config_fault(r, section, "addresses", "address %s is also "
			     "that of peer %s (%s:%d), expected an address "
			     "of its own: correct one", text, other->name,
			     other->file, other->line);
	if (policy_is_local(config, address))
		config_fault(r, section, "addresses", "address %s is also in "
			     "section local, expected the peer's: correct one",
			     text);
	else if (r->local_addresses_right &&
		 !local_has_family(config, family))
		config_fault(r, section, "addresses", "address %s has no "
			     "local counterpart, expected %s address in "
			     "section local: add one there or remove this",
			     text, family == AF_INET ? "an IPv4" : "an IPv6");
}

/* ----------------------------------------------------------------- options */

static void read_mode(struct config_reading *r, cfg_t *section,
		      struct policy_peer *ret_peer)
{
	const char *mode = config_given(section, "mode") ?
			   cfg_getstr(section, "mode") : "require";

	ret_peer->mode = POLICY_REQUIRE;
	if (strcmp(mode, "off") == 0)
		ret_peer->mode = POLICY_OFF;
	else if (strcmp(mode, "require") != 0)
		config_fault(r, section, "mode", "mode = '%.40s', expected "
			     "require or off: correct it", mode);
}

static void read_plane(struct config_reading *r, cfg_t *section,
		       struct policy_peer *ret_peer)
{
	const char *plane = config_given(section, "plane") ?
			    cfg_getstr(section, "plane") : "auto";

	ret_peer->plane = POLICY_PLANE_AUTO;
	if (strcmp(plane, "kernel") == 0)
		ret_peer->plane = POLICY_PLANE_KERNEL;
	else if (strcmp(plane, "user") == 0)
		ret_peer->plane = POLICY_PLANE_USER;
	else if (strcmp(plane, "auto") != 0)
		config_fault(r, section, "plane", "plane = '%.40s', expected "
			     "auto, kernel or user: correct it", plane);
}

/* ---------------------------------------------------------------- sections */

static void read_peer(struct config_reading *r, cfg_t *section,
		      struct policy_peer *peer)
{
	bool complete;
	size_t i;

	peer->name = strdup(section->title);
	peer->file = strdup(section->filename);
	peer->line = config_line(section, "");
	if (peer->name == NULL || peer->file == NULL) {
		config_fault(r, section, "", "out of memory");
		return;
	}
	complete = config_read_as(r, section, &peer->as);
	if (!config_read_addresses(r, section, peer->addresses,
				   &peer->addresses_count))
		complete = false;
	for (i = 0; i < peer->addresses_count; i++)
		check_address(r, section, &peer->addresses[i]);
	read_mode(r, section, peer);
	read_plane(r, section, peer);
	config_read_nat(r, section, peer);
	config_read_algorithms(r, section, &peer->algorithms);
	peer->hold_time_s = r->config->hold_time_s;
	config_read_hold_time(r, section, &peer->hold_time_s);
	config_read_trust(r, section, complete, peer);
}

static size_t count_peers(const struct config_tree *tree)
{
	size_t i, count = 0;

	for (i = 0; i < tree->files_count; i++) {
		if (tree->files[i]->cfg != NULL)
			count += cfg_size(tree->files[i]->cfg, "peer");
	}
	return count;
}

static void read_file_peers(struct config_reading *r, cfg_t *root)
{
	struct policy_config *config = r->config;
	unsigned i;

	for (i = 0; i < cfg_size(root, "peer"); i++) {
		/* counted only then, so that it is not compared with itself */
		read_peer(r, cfg_getnsec(root, "peer", i),
			  &config->peers[config->peers_count]);
		config->peers_count++;
	}
}

static int count_pair(void *ctx, const struct policy_peer *peer,
		      const struct in6_addr *local,
		      const struct in6_addr *remote)
{
	size_t *count = ctx;

	(void)peer;
	(void)local;
	(void)remote;
	++*count;
	return 0;
}

static void check_pairs(struct config_reading *r)
{
	size_t count = 0;

	policy_each_pair(r->config, count_pair, &count);
	if (count > POLICY_MAX_PAIRS)
		config_error(&r->tree, r->tree.files[0]->path, 1, "%zu pairs "
			     "(each address of a peer with each of local's of "
			     "its family), at most %d are supported: remove "
			     "some peers or addresses", count,
			     POLICY_MAX_PAIRS);
}

void config_read_peers(struct config_reading *r)
{
	size_t i, count = count_peers(&r->tree);

	check_names(r);
	if (count > POLICY_MAX_PEERS) {
		config_error(&r->tree, r->tree.files[0]->path, 1, "%zu peers, "
			     "at most %d are supported: remove some", count,
			     POLICY_MAX_PEERS);
		return;
	}
	r->config->peers = calloc(count + 1, sizeof(*r->config->peers));
	if (r->config->peers == NULL) {
		config_error(&r->tree, r->tree.files[0]->path, 1,
			     "out of memory");
		return;
	}
	for (i = 0; i < r->tree.files_count; i++) {
		if (r->tree.files[i]->cfg != NULL)
			read_file_peers(r, r->tree.files[i]->cfg);
	}
	check_pairs(r);
}
