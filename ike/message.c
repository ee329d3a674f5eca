#include "ike/message.h"

#include <stdlib.h>
#include <string.h>

enum {
	FLAG_INITIATOR = 0x08,
	FLAG_RESPONSE = 0x20,
	MAJOR_VERSION = 2,
	SK_HEADER_SIZE = 4,
	FRAGMENT_HEADER_SIZE = 4,	/* more, in SKF */
	LENGTH_AT = 24,
	FIRST_AT = 16
};

enum ike_reason
message_parse_header(struct ike_bytes bytes, struct message_header *ret_header)
{
	struct reader reader = reader_of(bytes);
	struct message_header header = { 0 };
	uint8_t version, flags;
	uint32_t len;

	if (bytes.len > IKE_MAX_DATAGRAM ||
	    !read_u64(&reader, &header.spi_i) ||
	    !read_u64(&reader, &header.spi_r) ||
	    !read_u8(&reader, &header.first) || !read_u8(&reader, &version) ||
	    !read_u8(&reader, &header.exchange) ||
	    !read_u8(&reader, &flags) || !read_u32(&reader, &header.id) ||
	    !read_u32(&reader, &len))
		return IKE_REASON_HEADER;
	version >>= 4;
	header.initiator = (flags & FLAG_INITIATOR) != 0;
	header.response = (flags & FLAG_RESPONSE) != 0;
	/* the layout behind the version is only known for ours */
	if (header.spi_i == 0 || version < MAJOR_VERSION ||
	    (version == MAJOR_VERSION && len != bytes.len))
		return IKE_REASON_HEADER;
	*ret_header = header;
	return version > MAJOR_VERSION ? IKE_REASON_VERSION : IKE_REASON_NONE;
}

static void write_header(struct writer *writer,
			 const struct message_header *header, uint8_t first,
			 size_t len)
{
	write_u64(writer, header->spi_i);
	write_u64(writer, header->spi_r);
	write_u8(writer, first);
	write_u8(writer, MAJOR_VERSION << 4);
	write_u8(writer, header->exchange);
	write_u8(writer, (uint8_t)((header->initiator ? FLAG_INITIATOR : 0) |
				   (header->response ? FLAG_RESPONSE : 0)));
	write_u32(writer, header->id);
	write_u32(writer, (uint32_t)len);
}

void message_begin(struct writer *writer, const struct message_header *header)
{
	write_header(writer, header, IKE_PAYLOAD_NONE, 0);
}

bool message_finish(struct writer *writer)
{
	if (!writer_finish(writer))
		return false;
	write_u8_at(writer, FIRST_AT, writer->first);
	write_u16_at(writer, LENGTH_AT, (uint16_t)(writer->len >> 16));
	write_u16_at(writer, LENGTH_AT + 2, (uint16_t)writer->len);
	return true;
}

/* What goes into one message. */
struct part {
	struct ike_bytes bytes;
	uint8_t first;
	uint16_t number, total;		/* 0: in SK, else in SKF */
};

static size_t part_aad(const struct part *part)
{
	return MESSAGE_HEADER_SIZE + SK_HEADER_SIZE +
		(part->total ? FRAGMENT_HEADER_SIZE : 0);
}

/* As little padding as can be; AEAD needs none (RFC 5282 3). */
static size_t part_padding(const struct part *part,
			   const struct crypto_shape *shape)
{
	return shape->block - 1 - part->bytes.len % shape->block;
}

static size_t part_size(const struct part *part,
			const struct crypto_shape *shape)
{
	return part_aad(part) + shape->iv + part->bytes.len +
		part_padding(part, shape) + 1 + shape->icv;
}

static bool seal_part(struct writer *writer,
		      const struct message_header *header,
		      const struct part *part,
		      const struct crypto_protection *protection,
		      const struct crypto_shape *shape, uint64_t counter)
{
	size_t aad = part_aad(part), total = part_size(part, shape);
	size_t len = part->bytes.len, padding = part_padding(part, shape);
	uint8_t *message = writer->base + writer->len, *plain;

	if (total > UINT16_MAX || writer->size - writer->len < total)
		return false;
	write_header(writer, header, part->total ? IKE_PAYLOAD_SKF :
		     IKE_PAYLOAD_SK, total);
	write_u8(writer, part->first);
	write_u8(writer, 0);
	write_u16(writer, (uint16_t)(total - MESSAGE_HEADER_SIZE));
	if (part->total) {
		write_u16(writer, part->number);
		write_u16(writer, part->total);
	}
	plain = message + aad + shape->iv;
	if (len > 0)
		memcpy(plain, part->bytes.data, len);
	memset(plain + len, 0, padding);
	plain[len + padding] = (uint8_t)padding;
	writer->len += total - aad;
	return crypto_seal(protection, counter, message, aad,
			   len + padding + 1);
}

bool message_seal(struct writer *writer, const struct message_header *header,
		  const struct writer *inner,
		  const struct crypto_protection *protection,
		  uint64_t *counter, size_t limit)
{
	struct reader rest = reader_of((struct ike_bytes){ inner->base,
							   inner->len });
	struct part part = { { inner->base, inner->len }, inner->first, 0, 0 };
	struct crypto_shape shape;
	size_t room;

	if (inner->failed || !crypto_shape(protection, &shape))
		return false;
	if (part_size(&part, &shape) <= limit)
		return seal_part(writer, header, &part, protection, &shape,
				 (*counter)++);
	part = (struct part){ .first = inner->first, .total = 1 };
	if (part_size(&part, &shape) > limit)
		return false;
	room = limit - part_aad(&part) - shape.iv - shape.icv;
	room -= room % shape.block + 1;
	if (room == 0 || (inner->len - 1) / room >= IKE_MAX_FRAGMENTS)
		return false;
	part.total = (uint16_t)((inner->len - 1) / room + 1);
	while (part.number++ < part.total) {
		if (!read_bytes(&rest, rest.left < room ? rest.left : room,
				&part.bytes) ||
		    !seal_part(writer, header, &part, protection, &shape,
			       (*counter)++))
			return false;
		/* RFC 7383 2.5: in the first fragment only */
		part.first = IKE_PAYLOAD_NONE;
	}
	return true;
}

bool message_next(struct reader *messages, struct ike_bytes *ret_message)
{
	struct reader header = *messages;
	struct ike_bytes before;
	uint32_t len;

	return read_bytes(&header, LENGTH_AT, &before) &&
		read_u32(&header, &len) &&
		read_bytes(messages, len, ret_message);
}

/* Take the padding off (RFC 7296 3.14). */
static bool unpad(const uint8_t *plaintext, size_t *len)
{
	size_t padding;

	if (*len == 0)
		return false;
	padding = plaintext[*len - 1] + 1u;
	if (padding > *len)
		return false;
	*len -= padding;
	return true;
}

bool message_open(struct ike_bytes bytes, const struct payloads *outer,
		  const struct crypto_protection *protection,
		  uint8_t **ret_plaintext, size_t *ret_len)
{
	size_t aad_len = MESSAGE_HEADER_SIZE + outer->sk_offset;
	uint8_t *plaintext;
	size_t len = 0;

	/* SK is the last payload (RFC 7296 3.14) */
	if (aad_len > bytes.len || bytes.len - aad_len != outer->sk.len)
		return false;
	plaintext = malloc(bytes.len);
	if (!plaintext)
		return false;
	if (!crypto_open(protection, bytes, aad_len, plaintext, &len) ||
	    !unpad(plaintext, &len)) {
		message_free_plaintext(plaintext, bytes.len);
		return false;
	}
	*ret_plaintext = plaintext;
	*ret_len = len;
	return true;
}

void message_free_plaintext(uint8_t *plaintext, size_t len)
{
	if (plaintext)
		OPENSSL_cleanse(plaintext, len);
	free(plaintext);
}
