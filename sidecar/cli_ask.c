#include "sidecar/cli_ask.h"

#include <stdio.h>
#include <stdlib.h>

#include "sidecar/cli.h"
#include "sidecar/control.h"

json_t *cli_ask(json_t *request)
{
	const char *path = getenv(CLI_SOCKET_VARIABLE);
	const char *error;
	char why[512];
	json_t *reply;

	reply = control_ask(path ? path : CLI_CONTROL_SOCKET, request, why,
			    sizeof(why));
	json_decref(request);
	if (!reply) {
		fprintf(stderr, "bgpward: %s\n", why);
		return NULL;
	}
	if (json_is_true(json_object_get(reply, "ok")))
		return reply;
	error = json_string_value(json_object_get(reply, "error"));
	fprintf(stderr, "bgpward: %s\n", error ? error : "the daemon refused");
	json_decref(reply);
	return NULL;
}
