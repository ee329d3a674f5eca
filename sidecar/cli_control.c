/* `bgpward up` and `bgpward down`: one request, one answer. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "sidecar/cli.h"
#include "sidecar/cli_ask.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **ret_peer = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*ret_peer)
			argp_error(state, "unexpected argument '%s': one peer at a time",
				   arg);
		*ret_peer = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no peer named: `bgpward status` lists them");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int command_peer(int argc, char **argv, char *name, const char *command,
			const char *doc)
{
	const struct argp argp = {
		.parser = parse,
		.args_doc = "NAME",
		.doc = doc,
	};
	const char *peer = NULL;
	json_t *reply;

	argv[0] = name;
	if (argp_parse(&argp, argc, argv, 0, NULL, &peer) != 0)
		return 2;
	reply = cli_ask(json_pack("{s:s, s:s}", "command", command,
				  "peer", peer));
	if (!reply)
		return 1;
	json_decref(reply);
	return 0;
}

int cli_up(int argc, char **argv)
{
	static char name[] = "bgpward up";

	return command_peer(argc, argv, name, "up",
			    "Bring every pair of the peer NAME up again.");
}

int cli_down(int argc, char **argv)
{
	static char name[] = "bgpward down";

	return command_peer(argc, argv, name, "down",
			    "Close every pair of the peer NAME: delete its SAs "
			    "and tell the peer.\vThe guard stays: no BGP "
			    "passes, in clear or otherwise, until `bgpward up "
			    "NAME` or the daemon's next start.");
}
