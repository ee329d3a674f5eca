/* bgpwardd: arguments, and off it goes. */
#include <argp.h>
#include <unistd.h>

#include "sidecar/cli.h"
#include "sidecar/daemon.h"
#include "sidecar/log.h"
#include "sidecar/user_process.h"

enum {
	OPTION_PLANE = 256	/* no letter: for our own use */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct daemon_options *options = state->input;

	switch (key) {
	case 'c':
		options->config = arg;
		return 0;
	case 's':
		options->socket = arg;
		return 0;
	case OPTION_PLANE:
		options->plane = true;
		return 0;
	case 'r':
		options->release = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s': bgpwardd takes options only",
			   arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp_option option_table[] = {
		{ "config", 'c', "FILE", 0, "configuration (default "
		  CLI_CONFIG_FILE ")", 0 },
		{ "socket", 's', "PATH", 0, "control socket (default "
		  CLI_CONTROL_SOCKET ")", 0 },
		{ "release", 'r', NULL, 0, "at SIGTERM remove guard and SAs: "
		  "BGP goes on in clear", 0 },
		{ "plane", OPTION_PLANE, NULL, OPTION_HIDDEN, "be the plane "
		  "process, as bgpwardd starts it", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.doc = "Keep BGP sessions in transport-mode ESP, and closed "
		       "without it.\vRuns in the foreground. SIGHUP reloads "
		       "the configuration, SIGTERM stops and leaves guard and "
		       "SAs in place. See bgpwardd(8).",
	};
	struct daemon_options options = {
		.config = CLI_CONFIG_FILE,
		.socket = CLI_CONTROL_SOCKET,
	};

	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
		return 2;
	if (geteuid() != 0) {
		log_error(NULL, "must run as root (it installs SPD entries and eBPF programs)");
		return 1;
	}
	return options.plane ? user_process_run() : daemon_run(&options);
}
