#include "ike/wire.h"

#include <endian.h>
#include <string.h>

struct reader reader_of(struct ike_bytes bytes)
{
	return (struct reader){ bytes.data, bytes.len };
}

bool read_bytes(struct reader *reader, size_t len, struct ike_bytes *ret_bytes)
{
	if (reader->left < len)
		return false;
	*ret_bytes = (struct ike_bytes){ reader->at, len };
	reader->at += len;
	reader->left -= len;
	return true;
}

/* inline: integers are read and written one by one, by constant lengths */
static inline bool copy_out(struct reader *reader, void *ret_bytes, size_t len)
{
	if (reader->left < len)
		return false;
	if (len > 0)
		memcpy(ret_bytes, reader->at, len);
	reader->at += len;
	reader->left -= len;
	return true;
}

bool read_copy(struct reader *reader, void *ret_bytes, size_t len)
{
	return copy_out(reader, ret_bytes, len);
}

bool read_u8(struct reader *reader, uint8_t *ret_value)
{
	return copy_out(reader, ret_value, sizeof(*ret_value));
}

bool read_u16(struct reader *reader, uint16_t *ret_value)
{
	if (!copy_out(reader, ret_value, sizeof(*ret_value)))
		return false;
	*ret_value = be16toh(*ret_value);
	return true;
}

bool read_u32(struct reader *reader, uint32_t *ret_value)
{
	if (!copy_out(reader, ret_value, sizeof(*ret_value)))
		return false;
	*ret_value = be32toh(*ret_value);
	return true;
}

bool read_u64(struct reader *reader, uint64_t *ret_value)
{
	if (!copy_out(reader, ret_value, sizeof(*ret_value)))
		return false;
	*ret_value = be64toh(*ret_value);
	return true;
}

struct ike_bytes read_rest(struct reader *reader)
{
	struct ike_bytes bytes = { reader->at, reader->left };

	reader->at += reader->left;
	reader->left = 0;
	return bytes;
}

bool bytes_equal(struct ike_bytes a, struct ike_bytes b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.data, b.data, a.len));
}

struct writer writer_of(uint8_t *buffer, size_t size)
{
	return (struct writer){ .base = buffer, .size = size };
}

static inline void copy_in(struct writer *writer, const void *bytes, size_t len)
{
	if (writer->failed || writer->size - writer->len < len) {
		writer->failed = true;
		return;
	}
	if (len > 0)
		memcpy(writer->base + writer->len, bytes, len);
	writer->len += len;
}

void write_bytes(struct writer *writer, const void *bytes, size_t len)
{
	copy_in(writer, bytes, len);
}

void write_u8(struct writer *writer, uint8_t value)
{
	copy_in(writer, &value, sizeof(value));
}

void write_u16(struct writer *writer, uint16_t value)
{
	value = htobe16(value);
	copy_in(writer, &value, sizeof(value));
}

void write_u32(struct writer *writer, uint32_t value)
{
	value = htobe32(value);
	copy_in(writer, &value, sizeof(value));
}

void write_u64(struct writer *writer, uint64_t value)
{
	value = htobe64(value);
	copy_in(writer, &value, sizeof(value));
}

void write_view(struct writer *writer, struct ike_bytes bytes)
{
	write_bytes(writer, bytes.data, bytes.len);
}

void write_u16_at(struct writer *writer, size_t at, uint16_t value)
{
	if (writer->failed || at + 2 > writer->len)
		return;
	writer->base[at] = (uint8_t)(value >> 8);
	writer->base[at + 1] = (uint8_t)value;
}

void write_u8_at(struct writer *writer, size_t at, uint8_t value)
{
	if (!writer->failed && at < writer->len)
		writer->base[at] = value;
}

/* Fill in the length of the open payload. */
static void close_payload(struct writer *writer)
{
	size_t len = writer->len - writer->next_at;

	if (!writer->first)
		return;
	if (len > UINT16_MAX)
		writer->failed = true;
	write_u16_at(writer, writer->next_at + 2, (uint16_t)len);
}

void write_payload(struct writer *writer, enum ike_payload_type type)
{
	close_payload(writer);
	if (!writer->first)
		writer->first = (uint8_t)type;
	else
		write_u8_at(writer, writer->next_at, (uint8_t)type);
	writer->next_at = writer->len;
	write_u8(writer, IKE_PAYLOAD_NONE);
	write_u8(writer, 0);
	write_u16(writer, 0);
}

bool writer_finish(struct writer *writer)
{
	close_payload(writer);
	return !writer->failed;
}
