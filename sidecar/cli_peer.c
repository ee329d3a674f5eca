/* bgpward peer add: its arguments. */
#include <argp.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config.h"
#include "sidecar/cli.h"
#include "sidecar/cli_make.h"
#include "sidecar/peer_add.h"

struct peer_arguments {
	struct cli_router router;
	const char *name;
	const char *trust;
};

enum key {
	KEY_TRUST = 0x200
};

static void take_name(struct argp_state *state, const char *text)
{
	struct peer_arguments *args = state->input;

	if (args->name != NULL)
		argp_error(state, "argument '%s' is one too many: the name is "
			   "'%s' already", text, args->name);
	if (!policy_peer_name_valid(text))
		argp_error(state, "NAME '%s' is no name: give 1 to 32 of "
			   "a-z 0-9 _ -, such as as64501", text);
	args->name = text;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct peer_arguments *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->router;
		return 0;
	case KEY_TRUST:
		args->trust = arg;
		return 0;
	case ARGP_KEY_ARG:
		take_name(state, arg);
		return 0;
	case ARGP_KEY_END:
		if (args->name == NULL)
			argp_error(state, "NAME is missing: give the peer a "
				   "name, such as as64501");
		if (args->trust == NULL)
			argp_error(state, "--trust is missing: give the file "
				   "with the peer's CA certificate (its "
				   "ca.crt)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "trust", KEY_TRUST, "FILE", 0, "CA certificate of the peer (its "
	  "ca.crt), copied to D/peers/NAME.crt", 0 },
	{ 0 },
};

static const struct argp_child children[] = {
	{ &cli_make_peer_argp, 0, NULL, 0 },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.args_doc = "NAME --as M --address B --trust FILE",
	.doc = "Add the section `peer NAME` to the configuration, for the "
	       "neighbour with AS number M and address B.\v"
	       "FILE must be a CA whose RFC 3779 resources hold M and B: the "
	       "peer makes it with `bgpward init`. Exit status 2 if the "
	       "arguments or the configuration are wrong; then nothing has "
	       "been changed.",
};

int cli_peer(int argc, char **argv)
{
	static char name[] = "bgpward peer add";
	struct peer_arguments args = { .router = { .peer = true } };

	argp_err_exit_status = 2;
	if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
		argp_help(&argp, stdout, ARGP_HELP_STD_HELP, name);
		return EXIT_SUCCESS;
	}
	if (argc < 2 || strcmp(argv[1], "add") != 0) {
		warnx("peer '%s' is no command: say `bgpward peer add NAME "
		      "...` (`bgpward peer add --help`)",
		      argc < 2 ? "" : argv[1]);
		return 2;
	}
	argv[1] = name;
	argp_parse(&argp, argc - 1, argv + 1, 0, NULL, &args);
	return peer_add(&args.router, args.name, args.trust);
}
