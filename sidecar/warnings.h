/* What will close a pair soon if nobody does something about it, for status
 * and log. */
#ifndef SIDECAR_WARNINGS_H
#define SIDECAR_WARNINGS_H

#include <jansson.h>

struct daemon;
struct pair;

/* Arrays of sentences, empty if all is well. */
json_t *warnings_of_pair(const struct pair *pair);
json_t *warnings_of_router(const struct daemon *daemon);

/* All of them, a line each. */
void warnings_log(const struct daemon *daemon);

#endif
