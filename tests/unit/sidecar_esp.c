/* esp.c against known answers of other tools (esp_vectors.py), and against
 * packets that are cut, bent and badly padded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "ike/proto.h"
#include "sidecar/esp.h"

enum {
	MAX_PAYLOAD = 133,
	MAX_PACKET = 1500
};

struct vector {
	uint16_t encr, integ;
	size_t key_len;
	uint32_t spi;
	uint64_t sequence;
	int esn;
	size_t payload_len, packet_len;
	const char *packet;
};

static const struct vector vectors[] = {
#include "tests/unit/esp_vectors.h"
};

enum { VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

static void octets(uint8_t *to, size_t count, unsigned seed)
{
	for (size_t i = 0; i < count; i++)
		to[i] = (uint8_t)(seed + 7 * i);
}

static struct esp_key *key_of(const struct vector *vector)
{
	uint8_t bytes[ESP_KEY_MAX];
	struct esp_key *key;

	octets(bytes, vector->key_len, 1);
	key = esp_key_new(vector->encr, vector->integ, bytes, vector->key_len);
	assert_non_null(key);
	return key;
}

static struct esp_number number_of(const struct vector *vector)
{
	return (struct esp_number){ vector->spi, vector->sequence,
				    vector->esn != 0 };
}

static size_t seal(struct esp_key *key, const struct esp_number *number,
		   uint8_t *payload, size_t len, size_t first,
		   uint8_t *ret_packet)
{
	const struct iovec pieces[] = {
		{ payload, first }, { payload + first, len - first }
	};
	struct esp_frame frame;

	assert_true(esp_seal(key, number, 6, pieces, 2, &frame));
	memcpy(ret_packet, frame.head, frame.head_len);
	memcpy(ret_packet + frame.head_len, payload, len);
	memcpy(ret_packet + frame.head_len + len, frame.tail, frame.tail_len);
	return frame.head_len + len + frame.tail_len;
}

static void test_known_answers_seal(void **state)
{
	uint8_t payload[MAX_PAYLOAD], packet[MAX_PACKET];

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *vector = &vectors[i];
		const struct esp_number number = number_of(vector);
		const size_t len = vector->payload_len;
		struct esp_key *key = key_of(vector);

		octets(payload, len, 3);
		for (size_t first = 0; first <= len; first += 1 + len / 3) {
			assert_int_equal(seal(key, &number, payload, len, first,
					      packet), vector->packet_len);
			assert_memory_equal(packet, vector->packet,
					    vector->packet_len);
		}
		esp_key_free(key);
	}
}

static enum esp_verdict open_copy(struct esp_key *key,
				  const struct esp_number *number,
				  const uint8_t *packet, size_t len,
				  struct esp_payload *ret_payload)
{
	/* a block of exactly this length: ASan sees what reads beyond */
	uint8_t *copy = malloc(len ? len : 1);
	enum esp_verdict verdict;

	assert_non_null(copy);
	memcpy(copy, packet, len);
	verdict = esp_open(key, number, copy, len, ret_payload);
	if (verdict == ESP_OK)
		ret_payload->data = packet + (ret_payload->data - copy);
	free(copy);
	return verdict;
}

static void test_known_answers_open(void **state)
{
	uint8_t payload[MAX_PAYLOAD];

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *vector = &vectors[i];
		const struct esp_number number = number_of(vector);
		struct esp_key *key = key_of(vector);
		struct esp_payload found;

		octets(payload, vector->payload_len, 3);
		assert_int_equal(open_copy(key, &number,
					   (const uint8_t *)vector->packet,
					   vector->packet_len, &found), ESP_OK);
		assert_int_equal(found.len, vector->payload_len);
		assert_int_equal(found.next_header, 6);
		assert_memory_equal(found.data, payload, found.len);
		esp_key_free(key);
	}
}

/* The packet under ENCR_NULL_AUTH_AES_GMAC of draft-mcgrew-gcm-test-01, which
 * RFC 4543's authors published: an ICMP message in ESP. */
static void test_published_gmac(void **state)
{
	static const uint8_t key[] =
		"\x4c\x80\xcd\xef\xbb\x5d\x10\xda\x90\x6a\xc7\x3c\x36\x13"
		"\xa6\x34\x22\x43\x3c\x64";
	static const uint8_t packet[] =
		/* SPI, sequence number, IV */
		"\x00\x00\x43\x21\x00\x00\x00\x07\0\0\0\0\0\0\0\0"
		"\x45\x00\x00\x30\xda\x3a\x00\x00\x80\x01\xdf\x3b\xc0\xa8"
		"\x00\x05\xc0\xa8\x00\x01\x08\x00\xc6\xcd\x02\x00\x07\x00"
		"abcdefghijklmnopqrst\x01\x02\x02\x01"
		"\xf2\xa9\xa8\x36\xe1\x55\x10\x6a\xa8\xdc\xd6\x18\xe4\x09"
		"\x9a\xaa";
	const struct esp_number number = { 0x4321, 7, false };
	struct esp_payload found = { .len = 0 };
	struct esp_key *with;

	(void)state;
	with = esp_key_new(IKE_ENCR_NULL_AUTH_AES_GMAC, IKE_INTEG_NONE, key,
			   sizeof(key) - 1);
	assert_non_null(with);
	assert_int_equal(open_copy(with, &number, packet, sizeof(packet) - 1,
				   &found), ESP_OK);
	assert_int_equal(found.len, 48);
	assert_int_equal(found.next_header, IPPROTO_ICMP);
	assert_ptr_equal(found.data, packet + 16);
	esp_key_free(with);
}

static void test_truncated_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *vector = &vectors[i];
		const struct esp_number number = number_of(vector);
		struct esp_key *key = key_of(vector);
		struct esp_payload found = { .len = 4711 };

		for (size_t len = 0; len < vector->packet_len; len++)
			assert_int_not_equal(
				open_copy(key, &number,
					  (const uint8_t *)vector->packet, len,
					  &found), ESP_OK);
		assert_int_equal(found.len, 4711);
		esp_key_free(key);
	}
}

static void test_every_bit_counts(void **state)
{
	uint8_t packet[MAX_PACKET];

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *vector = &vectors[i];
		const struct esp_number number = number_of(vector);
		struct esp_payload found;
		struct esp_key *key;

		if (vector->payload_len > 20)
			continue;
		key = key_of(vector);
		memcpy(packet, vector->packet, vector->packet_len);
		for (size_t at = 0; at < 8 * vector->packet_len; at++) {
			packet[at / 8] ^= (uint8_t)(1 << at % 8);
			assert_int_equal(open_copy(key, &number, packet,
						   vector->packet_len, &found),
					 ESP_NOT_AUTHENTIC);
			packet[at / 8] ^= (uint8_t)(1 << at % 8);
		}
		esp_key_free(key);
	}
}

/* With ESN the high half is not sent, and yet covered. */
static void test_high_half_is_covered(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *vector = &vectors[i];
		struct esp_number number = number_of(vector);
		struct esp_key *key = key_of(vector);
		struct esp_payload found;

		number.sequence ^= UINT64_C(1) << 32;
		assert_int_equal(open_copy(key, &number,
					   (const uint8_t *)vector->packet,
					   vector->packet_len, &found),
				 vector->esn ? ESP_NOT_AUTHENTIC : ESP_OK);
		esp_key_free(key);
	}
}

/* An authentic packet whose payload and trailer are `body`, whatever that is. */
static enum esp_verdict open_body(const uint8_t *body, size_t len,
				  struct esp_payload *ret_payload)
{
	const struct esp_number number = { 0x1000, 1, false };
	uint8_t bytes[32] = { 0 }, icv[EVP_MAX_MD_SIZE];
	uint8_t packet[8 + 300 + 16] = { 0, 0, 0x10, 0, 0, 0, 0, 1 };
	struct esp_key *key = esp_key_new(IKE_ENCR_NULL,
					  IKE_INTEG_HMAC_SHA2_256_128,
					  bytes, sizeof(bytes));
	enum esp_verdict verdict;
	unsigned icv_len;

	assert_non_null(key);
	assert_true(len <= 300);
	memcpy(packet + 8, body, len);
	assert_non_null(HMAC(EVP_sha256(), bytes, sizeof(bytes), packet,
			     8 + len, icv, &icv_len));
	memcpy(packet + 8 + len, icv, 16);
	verdict = open_copy(key, &number, packet, 8 + len + 16, ret_payload);
	esp_key_free(key);
	return verdict;
}

static void test_padding_is_checked(void **state)
{
	static const struct {
		uint8_t body[8];
		enum esp_verdict verdict;
		size_t len;	/* of the payload */
	} cases[] = {
		{ { 9, 9, 9, 9, 9, 9, 0, 6 }, ESP_OK, 6 },
		{ { 9, 9, 9, 9, 9, 1, 1, 6 }, ESP_OK, 5 },
		{ { 9, 9, 9, 9, 9, 2, 1, 6 }, ESP_MALFORMED, 0 },
		{ { 9, 9, 9, 9, 1, 3, 2, 6 }, ESP_MALFORMED, 0 },
		{ { 9, 9, 9, 9, 9, 2, 2, 6 }, ESP_MALFORMED, 0 },
		{ { 1, 2, 3, 4, 5, 6, 6, 6 }, ESP_OK, 0 },
		{ { 1, 2, 3, 4, 5, 6, 7, 6 }, ESP_MALFORMED, 0 },
		{ { 1, 2, 3, 4, 5, 6, 255, 6 }, ESP_MALFORMED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esp_payload found;

		assert_int_equal(open_body(cases[i].body, 8, &found),
				 cases[i].verdict);
		if (cases[i].verdict == ESP_OK)
			assert_int_equal(found.len, cases[i].len);
	}
}

/* RFC 4303 2.4: up to 255 bytes of padding are legal. */
static void test_longest_padding(void **state)
{
	uint8_t body[260] = { 9, 9, 9 };
	struct esp_payload found;

	(void)state;
	for (unsigned i = 0; i < 255; i++)
		body[3 + i] = (uint8_t)(i + 1);
	body[258] = 255;
	body[259] = 59;
	assert_int_equal(open_body(body, 260, &found), ESP_OK);
	assert_int_equal(found.len, 3);
	assert_int_equal(found.next_header, 59);
	assert_int_equal(open_body(body, 2, &found), ESP_MALFORMED);
	assert_int_equal(open_body(body, 0, &found), ESP_MALFORMED);
}

static void test_room(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		const struct esp_number number = { 0x1000, 1, true };
		struct esp_key *key = key_of(&vectors[i]);
		uint8_t payload[1500] = { 0 }, packet[1600];

		for (size_t room = 0; room < 1480; room++) {
			size_t len = esp_payload_room(key, room);

			if (!len)
				continue;
			assert_true(seal(key, &number, payload, len, 0,
					 packet) <= room);
			assert_true(seal(key, &number, payload, len + 1, 0,
					 packet) > room);
		}
		assert_true(esp_payload_room(key, 1480) > 1400);
		esp_key_free(key);
	}
}

static void test_unknown_algorithms(void **state)
{
	static const struct {
		uint16_t encr, integ;
		size_t len;
	} cases[] = {
		{ IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_256_128, 31 },
		{ IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_256_128, 0 },
		{ IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_384_192, 32 },
		{ IKE_ENCR_NULL, IKE_INTEG_NONE, 0 },
		{ IKE_ENCR_NULL, IKE_INTEG_NONE, 32 },
		{ IKE_ENCR_NULL_AUTH_AES_GMAC, IKE_INTEG_NONE, 16 },
		{ IKE_ENCR_NULL_AUTH_AES_GMAC, IKE_INTEG_NONE, 0 },
		{ IKE_ENCR_NULL_AUTH_AES_GMAC, IKE_INTEG_HMAC_SHA2_256_128,
		  20 },
		{ IKE_ENCR_AES_GCM_16, IKE_INTEG_NONE, 20 },
		{ 0, 0, 32 },
	};
	const uint8_t key[ESP_KEY_MAX] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_null(esp_key_new(cases[i].encr, cases[i].integ, key,
					cases[i].len));
	esp_key_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers_seal),
		cmocka_unit_test(test_known_answers_open),
		cmocka_unit_test(test_published_gmac),
		cmocka_unit_test(test_truncated_at_every_byte),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_high_half_is_covered),
		cmocka_unit_test(test_padding_is_checked),
		cmocka_unit_test(test_longest_padding),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_unknown_algorithms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
