/*
 * libFuzzer: an ESP packet from a stranger (esp.c, replay.c). The first byte
 * chooses algorithm and ESN; with its top bit set the ICV is made right, so
 * that what comes after it is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "ike/proto.h"
#include "sidecar/esp.h"
#include "sidecar/esp_auth.h"
#include "sidecar/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	uint16_t encr, integ;
	size_t key_len;
} algorithms[] = {
	{ IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_256_128, 32 },
	{ IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_384_192, 48 },
	{ IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_512_256, 64 },
	{ IKE_ENCR_NULL_AUTH_AES_GMAC, IKE_INTEG_NONE, 20 },
};

/* Authenticate the packet as it stands, without ESN. */
static void make_authentic(const struct esp_key *key, uint8_t *packet,
			   size_t len)
{
	const size_t icv_len = esp_auth_icv_len(key);
	const struct iovec all = { packet, len - icv_len };

	if (!esp_auth_icv(key, packet + ESP_HEADER_LEN, &all, 1,
			  packet + len - icv_len))
		abort();
}

static void receive(const struct esp_key *key, bool esn, const uint8_t *packet,
		    size_t len)
{
	struct esp_number number = { .esn = esn };
	struct esp_payload payload;
	struct replay replay;
	uint32_t low;

	replay_init(&replay, esn);
	if (!esp_read_header(packet, len, &number.spi, &low) ||
	    !replay_check(&replay, low, &number.sequence) ||
	    esp_open(key, &number, packet, len, &payload) != ESP_OK)
		return;
	replay_commit(&replay, number.sequence);
	if (payload.data < packet || payload.data > packet + len ||
	    payload.len > (size_t)(packet + len - payload.data) ||
	    replay_check(&replay, low, &number.sequence))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t bytes[ESP_KEY_MAX];
	struct esp_key *key;
	uint8_t *packet;
	size_t len;

	if (size < 1)
		return 0;
	len = size - 1;
	key = esp_key_new(algorithms[data[0] % 4].encr,
			  algorithms[data[0] % 4].integ, bytes,
			  algorithms[data[0] % 4].key_len);
	packet = malloc(len ? len : 1);
	if (!key || !packet)
		abort();
	memcpy(packet, data + 1, len);
	if (data[0] & 0x80 && len >= ESP_HEAD_MAX + ESP_ICV_MAX)
		make_authentic(key, packet, len);
	receive(key, data[0] & 0x40, packet, len);
	free(packet);
	esp_key_free(key);
	return 0;
}
