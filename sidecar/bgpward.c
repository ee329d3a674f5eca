/* bgpward, the command-line tool: one table gives dispatch and help. */
#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sidecar/cli.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "status", cli_status, "show every pair (the default)" },
	{ "up", cli_up, "bring a peer up again" },
	{ "down", cli_down, "close a peer: delete its SAs, keep the guard" },
	{ "init", cli_init, "make a CA, a router certificate, a configuration" },
	{ "peer", cli_peer, "`peer add`: add a peer to the configuration" },
	{ "renew", cli_renew, "make the next certificate of this router" },
	{ "crl", cli_crl, "make or renew the CRL of this router's CA" },
	{ "check", cli_check, "check the configuration, touch nothing" },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static char *command_list(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t size = 0;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	out = open_memstream(&list, &size);
	if (!out)
		return NULL;
	fprintf(out, "Commands:\n");
	for (int i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s%s\n", commands[i].name, commands[i].help);
	fprintf(out, "\n`bgpward COMMAND --help` says more of each.");
	fclose(out);
	return list;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	int *ret_first = state->input;

	switch (key) {
	case 's':
		return setenv(CLI_SOCKET_VARIABLE, arg, 1) == 0 ? 0 : ENOMEM;
	case ARGP_KEY_ARG:
		/* the command and all behind it are for the command */
		*ret_first = state->next - 1;
		state->next = state->argc;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What could not be written must not look like success. */
static int finish(int status)
{
	if (!ferror(stdout) && fflush(stdout) == 0)
		return status;
	fprintf(stderr, "bgpward: cannot write to standard output: %s\n",
		errno ? strerror(errno) : "write error");
	return status ? status : 1;
}

int main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "socket", 's', "PATH", 0, "control socket of the daemon "
		  "(default " CLI_CONTROL_SOCKET ", or $"
		  CLI_SOCKET_VARIABLE ")", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[COMMAND [OPTION...]]",
		.doc = "Show and set up the protection of BGP sessions.\v.",
		.help_filter = command_list,
	};
	char *status[] = { argv[0], NULL };
	int first = argc;

	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &first) != 0)
		return 1;
	if (first == argc)
		return finish(cli_status(1, status));
	for (int i = 0; i < COMMANDS; i++)
		if (strcmp(argv[first], commands[i].name) == 0)
			return finish(commands[i].run(argc - first,
						      argv + first));
	fprintf(stderr, "bgpward: no such command: '%s', expected one of those "
			"that `bgpward --help` lists\n", argv[first]);
	return 2;
}
