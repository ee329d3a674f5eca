#include "tests/sim/fragment.h"

#include <string.h>

static void write_headers(struct writer *writer, const struct sa *sa,
			  const struct fragment *fragment, uint32_t back,
			  size_t total)
{
	struct message_header header = {
		.spi_i = sa_spi_i(sa), .spi_r = sa_spi_r(sa),
		.exchange = fragment->exchange, .initiator = !sa->initiator,
		.response = fragment->response,
		.id = (fragment->response ? sa->out.id : sa->recv_id) - back
	};

	message_begin(writer, &header);
	write_u8_at(writer, 16, IKE_PAYLOAD_SKF);
	write_u16_at(writer, 26, (uint16_t)total);
	write_u8(writer, fragment->first);
	write_u8(writer, 0);
	write_u16(writer, (uint16_t)(total - MESSAGE_HEADER_SIZE));
	write_u16(writer, fragment->number);
	write_u16(writer, fragment->total);
}

size_t fragment_seal(const struct sa *sa, const struct fragment *fragment,
		     uint32_t back, uint8_t ret_bytes[IKE_MAX_MESSAGE])
{
	static uint64_t iv = 1u << 20;
	const struct crypto_protection peers =
		sa_protection(test_crypto(), sa, false);
	struct writer writer = writer_of(ret_bytes, IKE_MAX_MESSAGE);
	static const uint8_t zeros[256];
	struct crypto_shape shape;
	size_t plain, total;

	if (!crypto_shape(&peers, &shape))
		return 0;
	plain = fragment->part.len / shape.block * shape.block + shape.block;
	total = MESSAGE_HEADER_SIZE + 8 + shape.iv + plain + shape.icv;
	write_headers(&writer, sa, fragment, back, total);
	write_bytes(&writer, zeros, shape.iv);
	write_view(&writer, fragment->part);
	write_bytes(&writer, zeros, plain - fragment->part.len - 1);
	write_u8(&writer, (uint8_t)(plain - fragment->part.len - 1));
	write_bytes(&writer, zeros, shape.icv);
	if (writer.failed || !crypto_seal(&peers, ++iv, ret_bytes,
					  MESSAGE_HEADER_SIZE + 8, plain))
		return 0;
	return writer.len;
}
