/* bgpward init: a CA of this router's own, the router's key and certificate
 * under it, and a configuration to begin with. */
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/address.h"
#include "policy/text.h"
#include "sidecar/cli.h"
#include "sidecar/cli_make.h"
#include "sidecar/pki.h"

enum {
	DAY = 24 * 3600,
	/* The anchor that peers configured by hand. */
	CA_LIFE = 3650 * DAY
};

/* In the order they are written: the configuration, which makes them count,
 * last. */
enum product {
	CA_KEY,
	CA_CRT,
	ROUTER_KEY,
	ROUTER_CRT,
	CONFIG,
	PRODUCTS
};

static const struct {
	const char *name;
	mode_t mode;
	const char *what;
} products[PRODUCTS] = {
	[CA_KEY] = { "ca.key", 0600, "key of this router's own CA: secret, "
		     "needed only by `bgpward renew` and `bgpward crl`" },
	[CA_CRT] = { "ca.crt", 0644, "its certificate: send this to every "
		     "peer" },
	[ROUTER_KEY] = { "router.key", 0600, "key of this router: secret" },
	[ROUTER_CRT] = { "router.crt", 0644, "its certificate" },
	[CONFIG] = { "bgpward.conf", 0644, "configuration: add peers with "
		     "`bgpward peer add`" },
};

struct init {
	struct cli_router router;
	struct pki_pair ca, router_pair;
	char *paths[PRODUCTS];
	char *texts[PRODUCTS];
	bool written[PRODUCTS];
	bool dir_made;
};

/* ----------------------------------------------------------------- making */

static bool make_pairs(struct init *init)
{
	const struct cli_router *router = &init->router;
	char ca_name[64], router_name[64], text[INET6_ADDRSTRLEN];
	time_t now = time(NULL);
	struct pki_spec spec = {
		.common_name = ca_name,
		.ca = true,
		.as = router->as,
		.addresses = router->addresses,
		.addresses_count = router->addresses_count,
		.not_before = now - PKI_BACKDATE,
		.not_after = now + CA_LIFE,
	};

	text_format(ca_name, sizeof(ca_name), "AS%u bgpward CA %s",
		    router->as, address_text(&router->addresses[0], text));
	if (!pki_make(&spec, NULL, &init->ca))
		return false;
	text_format(router_name, sizeof(router_name), "AS%u router %s",
		    router->as, text);
	spec.common_name = router_name;
	spec.ca = false;
	spec.not_after = now + PKI_ROUTER_DAYS * DAY;
	return pki_make(&spec, &init->ca, &init->router_pair);
}

static char *make_config(const struct cli_router *router)
{
	char addresses[POLICY_MAX_ADDRESSES * (INET6_ADDRSTRLEN + 4)];
	char *text;

	cli_make_list(router, addresses, sizeof(addresses));
	if (asprintf(&text,
		     "# bgpward.conf(5). `bgpward check` checks it; paths are "
		     "relative to this file.\n"
		     "\n"
		     "local {\n"
		     "\tas = %u\n"
		     "\taddresses = %s\n"
		     "\tcertificate = \"router.crt\"\n"
		     "\tkey = \"router.key\"\n"
		     "}\n"
		     "\n"
		     "# Neighbours on TCP/179 that no peer section names: "
		     "block or allow.\n"
		     "others = block\n"
		     "\n"
		     "# Seconds that an SA lives, of either kind, and BGP's "
		     "hold time, within\n"
		     "# which a dead peer is noticed.\n"
		     "ike_lifetime = 14400\n"
		     "child_lifetime = 3600\n"
		     "hold_time = 90\n"
		     "\n"
		     "# One section for each neighbour, written by\n"
		     "# bgpward peer add NAME --as M --address B --trust "
		     "FILE\n", router->as, addresses) < 0)
		return NULL;
	return text;
}

static bool make_texts(struct init *init)
{
	int i;

	init->texts[CA_KEY] = pki_key_pem(init->ca.key);
	init->texts[CA_CRT] = pki_cert_pem(init->ca.cert);
	init->texts[ROUTER_KEY] = pki_key_pem(init->router_pair.key);
	init->texts[ROUTER_CRT] = pki_cert_pem(init->router_pair.cert);
	init->texts[CONFIG] = make_config(&init->router);
	for (i = 0; i < PRODUCTS; i++) {
		if (init->texts[i] == NULL)
			return false;
	}
	return true;
}

/* ---------------------------------------------------------------- writing */

/* Every file that is in the way is named, before anything is written. */
static bool way_is_free(const struct init *init)
{
	bool is_free = true;
	struct stat stat;
	int i;

	for (i = 0; i < PRODUCTS; i++) {
		if (lstat(init->paths[i], &stat) != 0 &&
		    (errno == ENOENT || errno == ENOTDIR))
			continue;
		warnx("%s is in the way (init never overwrites): move it "
		      "away, or choose another folder with --dir",
		      init->paths[i]);
		is_free = false;
	}
	return is_free;
}

static void take_back(const struct init *init)
{
	int i;

	for (i = 0; i < PRODUCTS; i++) {
		if (init->written[i])
			unlink(init->paths[i]);
	}
	if (init->dir_made)
		rmdir(init->router.dir);
}

/* All of it, or nothing. The exit status. */
static int write_files(struct init *init)
{
	int i, ret = cli_make_dir(init->router.dir);

	if (ret < 0) {
		warnx("folder %s cannot be made: %s", init->router.dir,
		      strerror(-ret));
		return EXIT_FAILURE;
	}
	init->dir_made = ret == 1;
	ret = 0;
	for (i = 0; i < PRODUCTS && ret == 0; i++) {
		ret = cli_make_file(init->paths[i], products[i].mode,
				    init->texts[i]);
		init->written[i] = ret == 0;
		if (ret != 0)
			warnx("%s cannot be written: %s", init->paths[i],
			      strerror(-ret));
	}
	if (ret == 0)
		ret = cli_make_sync(init->router.dir);
	if (ret == 0)
		return EXIT_SUCCESS;
	take_back(init);
	return ret == -EEXIST ? 2 : EXIT_FAILURE;
}

static void print_result(const struct init *init)
{
	const struct cli_router *router = &init->router;
	char fingerprint[PKI_FINGERPRINT_SIZE] = "?";
	char text[INET6_ADDRSTRLEN];
	size_t i;

	pki_fingerprint(init->ca.cert, fingerprint);
	printf("Made in %s:\n", router->dir);
	for (i = 0; i < PRODUCTS; i++)
		printf("  %-13s %s\n", products[i].name, products[i].what);
	printf("\nSend %s to each peer. Its SHA-256 fingerprint, to be "
	       "compared by another way than the file went:\n  %s\n"
	       "The peer adds this router with:\n"
	       "  bgpward peer add NAME --as %u", init->paths[CA_CRT],
	       fingerprint, router->as);
	for (i = 0; i < router->addresses_count; i++)
		printf(" --address %s", address_text(&router->addresses[i],
						     text));
	printf(" --trust ca.crt\n");
}

/* ---------------------------------------------------------------- command */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct init *init = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &init->router;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "argument '%s' is one too many: init takes "
			   "options only", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{ &cli_make_own_argp, 0, NULL, 0 },
	{ 0 },
};

static const struct argp argp = {
	.parser = parse,
	.children = children,
	.args_doc = "--as N --address A",
	.doc = "Make a CA for this router, its key and certificate (which "
	       "name the AS number and the addresses, RFC 3779), and a "
	       "configuration without peers.\v"
	       "Writes ca.key, ca.crt, router.key, router.crt and "
	       "bgpward.conf, and overwrites nothing. Exit status 2 if the "
	       "arguments are wrong or a file is in the way.",
};

static void clear(struct init *init)
{
	int i;

	for (i = 0; i < PRODUCTS; i++) {
		free(init->paths[i]);
		if (i == CONFIG)
			free(init->texts[i]);
		else
			pki_free_pem(init->texts[i]);
	}
	pki_clear(&init->router_pair);
	pki_clear(&init->ca);
}

int cli_init(int argc, char **argv)
{
	static char name[] = "bgpward init";
	struct init init = { 0 };
	int i, status;

	argp_err_exit_status = 2;
	argv[0] = name;
	argp_parse(&argp, argc, argv, 0, NULL, &init);
	for (i = 0; i < PRODUCTS; i++)
		init.paths[i] = cli_make_path(init.router.dir,
					      products[i].name);
	if (!way_is_free(&init)) {
		status = 2;
	} else if (!make_pairs(&init) || !make_texts(&init)) {
		warnx("OpenSSL could not make keys and certificates");
		status = EXIT_FAILURE;
	} else {
		status = write_files(&init);
	}
	if (status == EXIT_SUCCESS)
		print_result(&init);
	clear(&init);
	return status;
}
