/*
 * ESP in transport mode without encryption (RFC 4303): ENCR_NULL with
 * HMAC-SHA2 (RFC 4868), or ENCR_NULL_AUTH_AES_GMAC (RFC 4543). Pure functions
 * on bytes: no socket, no clock. Sequence numbers are the caller's, and so is
 * the order of checks: number (replay.h), then esp_open(), then commit.
 *
 *	| SPI | sequence number | IV | payload | padding | pad length | next |
 *	| ICV |
 */
#ifndef SIDECAR_ESP_H
#define SIDECAR_ESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum esp_limits {
	ESP_SPI_MIN = 256,	/* RFC 4303 2.1: 1-255 are reserved */
	ESP_HEADER_LEN = 8,	/* bytes: SPI, sequence number */
	ESP_IV_LEN = 8,		/* GMAC only */
	ESP_HEAD_MAX = ESP_HEADER_LEN + ESP_IV_LEN,
	ESP_ICV_MAX = 32,	/* HMAC-SHA2-512-256 */
	ESP_ALIGNMENT = 4,	/* of the end of the trailer, RFC 4303 2.4 */
	ESP_TRAILER_LEN = 2,	/* pad length, next header */
	ESP_TAIL_MAX = ESP_ALIGNMENT - 1 + ESP_TRAILER_LEN + ESP_ICV_MAX,
	ESP_KEY_MAX = 64,	/* bytes, salt included */
	ESP_UDP_LEN = 8		/* bytes in front, where ESP is in UDP */
};

/* An integrity key, prepared: no key setup is left to do for a packet. Not to
 * be used by two threads at once. */
struct esp_key;

/* Is there a key with this cipher (IKEv2 transform id)? */
bool esp_carries(uint16_t encr);

/* By IKEv2 transform ids (ike/proto.h). The key is copied: for GMAC the AES
 * key and then the salt (RFC 4543 7.1). NULL for algorithms or a length that
 * there are not, or out of memory. esp_key_free() wipes and releases it. */
struct esp_key *esp_key_new(uint16_t encr, uint16_t integ, const uint8_t *key,
			    size_t len);
void esp_key_free(struct esp_key *key);

/* The longest payload that makes at most `room` bytes of ESP; 0 if none. */
size_t esp_payload_room(const struct esp_key *key, size_t room);

/* What a packet's ICV covers beside its bytes. */
struct esp_number {
	uint32_t spi;		/* host order */
	uint64_t sequence;
	bool esn;
};

/* What stands before and behind the payload on the wire. */
struct esp_frame {
	uint8_t head[ESP_HEAD_MAX], tail[ESP_TAIL_MAX];
	size_t head_len, tail_len;
};

/* Seal a payload that lies in `count` pieces; it is not moved. False, and
 * ret_frame of no meaning, if OpenSSL fails. */
bool esp_seal(const struct esp_key *key, const struct esp_number *number,
	      uint8_t next_header, const struct iovec *pieces, size_t count,
	      struct esp_frame *ret_frame);

enum esp_verdict {
	ESP_OK,
	ESP_MALFORMED,		/* too short, or bad padding (RFC 4303 2.4) */
	ESP_NOT_AUTHENTIC	/* the ICV is wrong */
};

/* Where the payload of a verified packet lies. */
struct esp_payload {
	const uint8_t *data;
	size_t len;
	uint8_t next_header;
};

/* The header's fields, host order; false if the packet is too short. */
bool esp_read_header(const uint8_t *packet, size_t len, uint32_t *ret_spi,
		     uint32_t *ret_low);

/* Verify the packet that begins with its SPI. Padding is looked at only once
 * the ICV was right. *ret_payload is untouched unless ESP_OK. */
enum esp_verdict esp_open(const struct esp_key *key,
			  const struct esp_number *number,
			  const uint8_t *packet, size_t len,
			  struct esp_payload *ret_payload);

#endif
