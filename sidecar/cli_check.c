/* bgpward check: read the configuration and say what is wrong with it. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/address.h"
#include "policy/config.h"
#include "policy/pairs.h"
#include "sidecar/carrier.h"
#include "sidecar/cli.h"
#include "sidecar/own_address.h"
#include "sidecar/proposals.h"

struct arguments {
	const char *file;
	bool offline;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'c':
		arguments->file = arg;
		return 0;
	case 'o':
		arguments->offline = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "argument '%s' is one too many: name the "
			   "file with --config '%s'", arg, arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "config", 'c', "FILE", 0, "configuration (default " CLI_CONFIG_FILE
	  ")", 0 },
	{ "offline", 'o', NULL, 0, "do not ask whether the local addresses "
	  "are on an interface: for another machine than the router", 0 },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Read the configuration and the files that it names, and list "
	       "the pairs that it protects, or every error.\v"
	       "Touches nothing and asks no daemon. Exit status 2 if there is "
	       "an error.",
};

static void print_error(void *ctx, const char *message)
{
	(void)ctx;
	(void)fprintf(stderr, "%s\n", message);
}

/* What carries this peer's pairs on this machine, and why. False if nothing
 * does, or nothing carries its algorithms. */
static bool print_plane(const struct carrier carriers[CARRIERS],
			const struct policy_peer *peer)
{
	static const char *const names[CARRIERS] = { "kernel", "user" };
	enum carrier_kind kind;
	char not[POLICY_TEXT_SIZE];
	const char *why;
	bool some;

	if (carrier_choose(carriers, peer->plane, &kind, &why) < 0) {
		printf("    no plane here: %s\n", why);
		(void)fprintf(stderr, "%s:%d: peer %s: nothing here carries its "
			      "ESP: %s, and bgpwardd would not start: set plane "
			      "= auto, or see to the kernel\n", peer->file,
			      peer->line, peer->name, why);
		return false;
	}
	printf("    plane %s: %s\n", names[kind], why);
	some = proposals_carried(&peer->algorithms, carriers[kind].ops, not,
				 sizeof(not));
	if (*not)
		printf("    plane %s cannot carry %s\n", names[kind], not);
	if (!some)
		(void)fprintf(stderr, "%s:%d: peer %s: plane %s carries none "
			      "of its esp algorithms (%s), and the pair would "
			      "stay closed: set esp = \"null-sha256\", or plane "
			      "= kernel\n", peer->file, peer->line, peer->name,
			      names[kind], not);
	return some;
}

static void print_advice(void *ctx, const char *message)
{
	(void)ctx;
	(void)fprintf(stderr, "%s (advice, no error)\n", message);
}

struct machine {
	const struct carrier *carriers;		/* NULL: another one */
	int status;
};

static int print_pair(void *ctx, const struct policy_peer *peer,
		      const struct in6_addr *local,
		      const struct in6_addr *remote)
{
	char local_text[INET6_ADDRSTRLEN], remote_text[INET6_ADDRSTRLEN];
	struct machine *machine = ctx;

	printf("peer %s: %s <-> %s, AS %u, %s\n", peer->name,
	       address_text(local, local_text),
	       address_text(remote, remote_text), peer->as,
	       peer->mode == POLICY_OFF ? "off: left in clear" :
					  "require: ESP or nothing");
	if (machine->carriers && peer->mode == POLICY_REQUIRE &&
	    !print_plane(machine->carriers, peer))
		machine->status = 2;
	return 0;
}

int cli_check(int argc, char **argv)
{
	static char name[] = "bgpward check";
	struct policy_reader reader = {
		.report = print_error, .advise = print_advice,
		.proposals = proposals_check
	};
	struct arguments arguments = { .file = CLI_CONFIG_FILE };
	struct carrier carriers[CARRIERS];
	struct machine machine = { .status = EXIT_SUCCESS };
	struct policy_config *config;

	argp_err_exit_status = 2;
	argv[0] = name;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (!arguments.offline)
		reader.address_is_local = own_address;
	config = policy_config_read(arguments.file, &reader);
	if (config == NULL)
		return 2;
	if (!arguments.offline) {
		carrier_probe(&plane_xfrm, &carriers[CARRIER_KERNEL]);
		carrier_probe(&plane_user, &carriers[CARRIER_USER]);
		machine.carriers = carriers;
	}
	policy_each_pair(config, print_pair, &machine);
	if (machine.status == EXIT_SUCCESS)
		printf("%s: no errors\n", arguments.file);
	policy_config_free(config);
	return machine.status;
}
