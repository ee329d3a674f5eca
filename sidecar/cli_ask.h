/* How a command of `bgpward` asks the daemon. */
#ifndef SIDECAR_CLI_ASK_H
#define SIDECAR_CLI_ASK_H

#include <jansson.h>

/*
 * Send the request (its reference is taken) to the control socket that -s,
 * $BGPWARD_SOCKET or the default names. A new reference to a reply that is ok;
 * otherwise says on stderr what is wrong and returns NULL.
 */
json_t *cli_ask(json_t *request);

#endif
