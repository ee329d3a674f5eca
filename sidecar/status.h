/* The daemon's answers on the control socket (control.h lists the requests). */
#ifndef SIDECAR_STATUS_H
#define SIDECAR_STATUS_H

#include <jansson.h>

/* `ctx` is the struct daemon. Returns a new reference. */
json_t *status_answer(void *ctx, const json_t *request);

#endif
