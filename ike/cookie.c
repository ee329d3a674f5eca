/* Cookies against floods of IKE_SA_INIT requests (RFC 7296 2.6). */
#include "ike/exchanges.h"

#include <string.h>

/* RFC 7296 2.6: generation | HMAC(secret, SPIi | Ni), nothing stored. */
static bool make(const struct ike *ike, uint8_t generation,
		 const struct message *message, struct secret *ret_mac)
{
	uint64_t spi = message->header.spi_i;
	struct ike_bytes parts[] = {
		{ (const uint8_t *)&spi, sizeof(spi) },
		message->payloads.nonce
	};
	const uint8_t *secret = ike->cookie_secrets[generation & 1];

	return crypto_prf(ike->config.crypto, IKE_PRF_HMAC_SHA2_256,
			  (struct ike_bytes){ secret, CRYPTO_SHA256_SIZE },
			  parts, 2, ret_mac);
}

/* At first both: nobody may know that of the generation before, either. */
static bool renew_secret(struct ike *ike)
{
	uint8_t generation = (uint8_t)(ike->cookie_generation + 1);
	bool first = ike->cookie_until.us == 0;

	if (!first && !time_due(ike->cookie_until, ike->now))
		return true;
	if (!engine_random(ike, ike->cookie_secrets[generation & 1],
			   CRYPTO_SHA256_SIZE) ||
	    (first && !engine_random(ike, ike->cookie_secrets[~generation & 1],
				     CRYPTO_SHA256_SIZE)))
		return false;
	ike->cookie_generation = generation;
	ike->cookie_until = time_add(ike->now, COOKIE_TIME);
	return true;
}

bool cookie_valid(struct ike *ike, const struct message *message)
{
	const struct payload_notify *notify =
		payloads_notify(&message->payloads, IKE_NOTIFY_COOKIE);
	uint8_t generation;
	struct secret mac;
	bool valid;

	if (!notify || notify->data.len != 1 + CRYPTO_SHA256_SIZE ||
	    ike->cookie_until.us == 0)
		return false;
	generation = notify->data.data[0];
	if ((uint8_t)(ike->cookie_generation - generation) > 1 ||
	    !make(ike, generation, message, &mac))
		return false;
	valid = CRYPTO_memcmp(mac.bytes, notify->data.data + 1,
			      CRYPTO_SHA256_SIZE) == 0;
	secret_wipe(&mac);
	return valid;
}

void cookie_ask(struct ike *ike, const struct message *message)
{
	uint8_t cookie[1 + CRYPTO_SHA256_SIZE];
	struct secret mac;

	if (!renew_secret(ike) ||
	    !make(ike, ike->cookie_generation, message, &mac))
		return;
	cookie[0] = ike->cookie_generation;
	memcpy(cookie + 1, mac.bytes, CRYPTO_SHA256_SIZE);
	secret_wipe(&mac);
	engine_count(ike, IKE_REASON_COOKIE);
	sa_init_refuse(ike, &message->header, IKE_NOTIFY_COOKIE,
		       (struct ike_bytes){ cookie, sizeof(cookie) });
}
