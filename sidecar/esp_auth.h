/* What esp.c needs to know of an integrity key: esp_auth.c makes them, and
 * alone knows the algorithms. */
#ifndef SIDECAR_ESP_AUTH_H
#define SIDECAR_ESP_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "sidecar/esp.h"

size_t esp_auth_icv_len(const struct esp_key *key);
/* Bytes of IV in each packet; 0 without. */
size_t esp_auth_iv_len(const struct esp_key *key);

/* The ICV over the pieces, in that order. With an IV, which must never come
 * twice under a key (RFC 4543 3.1), `iv` holds it; else it is NULL. */
bool esp_auth_icv(const struct esp_key *key, const uint8_t *iv,
		  const struct iovec *pieces, size_t count, uint8_t *ret_icv);

#endif
