#include "sidecar/esp.h"

#include <openssl/crypto.h>
#include <string.h>

#include "sidecar/esp_auth.h"

enum {
	MAX_PIECES = 4,		/* of a payload to be sealed */
	EXTRA_PIECES = 4	/* header, IV, trailer, high half of the number */
};

static void put_u32(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 24);
	to[1] = (uint8_t)(value >> 16);
	to[2] = (uint8_t)(value >> 8);
	to[3] = (uint8_t)value;
}

static uint32_t get_u32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
	       (uint32_t)from[2] << 8 | from[3];
}

static struct iovec piece(const void *data, size_t len)
{
	union {
		const void *in;
		void *out;
	} base = { .in = data };

	return (struct iovec){ .iov_base = base.out, .iov_len = len };
}

/*
 * What the ICV covers (RFC 4303 2.2.1, RFC 4543 3.3). The high half of an
 * extended number is not sent: HMAC takes it last, GMAC in its natural place.
 */
struct covered {
	struct iovec pieces[MAX_PIECES + EXTRA_PIECES];
	size_t count;
	uint8_t high[4];
};

static void cover(struct covered *covered, const void *data, size_t len)
{
	covered->pieces[covered->count++] = piece(data, len);
}

static void cover_head(struct covered *covered, const struct esp_number *number,
		       const uint8_t *head, size_t iv_len)
{
	covered->count = 0;
	put_u32(covered->high, (uint32_t)(number->sequence >> 32));
	if (!iv_len || !number->esn) {
		cover(covered, head, ESP_HEADER_LEN + iv_len);
		return;
	}
	cover(covered, head, 4);
	cover(covered, covered->high, 4);
	cover(covered, head + 4, 4 + iv_len);
}

static void cover_end(struct covered *covered, const struct esp_number *number,
		      size_t iv_len)
{
	if (!iv_len && number->esn)
		cover(covered, covered->high, 4);
}

size_t esp_payload_room(const struct esp_key *key, size_t room)
{
	const size_t fixed = ESP_HEADER_LEN + esp_auth_iv_len(key) +
			     esp_auth_icv_len(key);

	if (room < fixed + ESP_ALIGNMENT)
		return 0;
	return (room - fixed) / ESP_ALIGNMENT * ESP_ALIGNMENT -
	       ESP_TRAILER_LEN;
}

/* ------------------------------------------------------------------ seal */

/* The sequence number serves as IV: it never comes twice (RFC 4543 3.1). */
static void make_head(const struct esp_number *number, size_t iv_len,
		      struct esp_frame *frame)
{
	put_u32(frame->head, number->spi);
	put_u32(frame->head + 4, (uint32_t)number->sequence);
	if (iv_len) {
		put_u32(frame->head + 8, (uint32_t)(number->sequence >> 32));
		put_u32(frame->head + 12, (uint32_t)number->sequence);
	}
	frame->head_len = ESP_HEADER_LEN + iv_len;
}

static void make_trailer(size_t payload_len, uint8_t next_header,
			 struct esp_frame *frame)
{
	const size_t odd = (payload_len + ESP_TRAILER_LEN) % ESP_ALIGNMENT;
	const size_t padding = odd ? ESP_ALIGNMENT - odd : 0;

	for (size_t i = 0; i < padding; i++)
		frame->tail[i] = (uint8_t)(i + 1);
	frame->tail[padding] = (uint8_t)padding;
	frame->tail[padding + 1] = next_header;
	frame->tail_len = padding + ESP_TRAILER_LEN;
}

bool esp_seal(const struct esp_key *key, const struct esp_number *number,
	      uint8_t next_header, const struct iovec *pieces, size_t count,
	      struct esp_frame *ret_frame)
{
	const size_t iv_len = esp_auth_iv_len(key);
	struct covered covered;
	size_t len = 0;

	if (count > MAX_PIECES)
		return false;
	make_head(number, iv_len, ret_frame);
	cover_head(&covered, number, ret_frame->head, iv_len);
	for (size_t i = 0; i < count; i++) {
		len += pieces[i].iov_len;
		covered.pieces[covered.count++] = pieces[i];
	}
	make_trailer(len, next_header, ret_frame);
	cover(&covered, ret_frame->tail, ret_frame->tail_len);
	cover_end(&covered, number, iv_len);
	if (!esp_auth_icv(key, ret_frame->head + ESP_HEADER_LEN,
			  covered.pieces, covered.count,
			  ret_frame->tail + ret_frame->tail_len))
		return false;
	ret_frame->tail_len += esp_auth_icv_len(key);
	return true;
}

/* ------------------------------------------------------------------ open */

bool esp_read_header(const uint8_t *packet, size_t len, uint32_t *ret_spi,
		     uint32_t *ret_low)
{
	if (len < ESP_HEADER_LEN)
		return false;
	*ret_spi = get_u32(packet);
	*ret_low = get_u32(packet + 4);
	return true;
}

/* Padding counts 1, 2, 3, ... (RFC 4303 2.4). `body` is the payload with its
 * trailer. */
static bool strip_trailer(const uint8_t *body, size_t len,
			  struct esp_payload *ret_payload)
{
	size_t padding;

	if (len < ESP_TRAILER_LEN)
		return false;
	padding = body[len - 2];
	if (padding > len - ESP_TRAILER_LEN)
		return false;
	ret_payload->data = body;
	ret_payload->len = len - ESP_TRAILER_LEN - padding;
	ret_payload->next_header = body[len - 1];
	for (size_t i = 0; i < padding; i++)
		if (body[ret_payload->len + i] != i + 1)
			return false;
	return true;
}

enum esp_verdict esp_open(const struct esp_key *key,
			  const struct esp_number *number,
			  const uint8_t *packet, size_t len,
			  struct esp_payload *ret_payload)
{
	const size_t iv_len = esp_auth_iv_len(key);
	const size_t icv_len = esp_auth_icv_len(key);
	const size_t head_len = ESP_HEADER_LEN + iv_len;
	struct esp_payload payload;
	struct covered covered;
	uint8_t icv[ESP_ICV_MAX];
	size_t body_len;

	if (len < head_len + ESP_TRAILER_LEN + icv_len ||
	    len % ESP_ALIGNMENT != 0)
		return ESP_MALFORMED;
	body_len = len - head_len - icv_len;
	cover_head(&covered, number, packet, iv_len);
	cover(&covered, packet + head_len, body_len);
	cover_end(&covered, number, iv_len);
	if (!esp_auth_icv(key, packet + ESP_HEADER_LEN, covered.pieces,
			  covered.count, icv) ||
	    CRYPTO_memcmp(icv, packet + len - icv_len, icv_len) != 0)
		return ESP_NOT_AUTHENTIC;
	if (!strip_trailer(packet + head_len, body_len, &payload))
		return ESP_MALFORMED;
	*ret_payload = payload;
	return ESP_OK;
}
