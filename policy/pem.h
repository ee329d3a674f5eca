/* The blocks of a PEM text (RFC 7468). Internal to policy/. */
#ifndef POLICY_PEM_H
#define POLICY_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Hand every block of the text to `take`, in order. True if there are 1 to
 * `max`, each is called `name`, whole, and taken; what stands between them is
 * comment.
 */
bool pem_each(const char *pem, const char *name, int max,
	      bool (*take)(void *ctx, const uint8_t *der, size_t len),
	      void *ctx);

#endif
