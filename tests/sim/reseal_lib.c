#include "tests/sim/reseal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

void reseal_copy(struct writer *inner, uint8_t type, struct ike_bytes body)
{
	write_payload(inner, (enum ike_payload_type)type);
	write_view(inner, body);
}

static void each_payload(struct reader chain, uint8_t type,
			 struct writer *inner, reseal_payload *payload)
{
	while (type != IKE_PAYLOAD_NONE) {
		struct ike_bytes body = { NULL, 0 };
		uint8_t next = IKE_PAYLOAD_NONE, flags;
		uint16_t len;

		assert_true(read_u8(&chain, &next) && read_u8(&chain, &flags) &&
			    read_u16(&chain, &len) &&
			    read_bytes(&chain, len - 4u, &body));
		payload(inner, type, body);
		type = next;
	}
}

void reseal_deliver(struct sim *sim, struct sa *sa, int from,
		    struct ike_bytes bytes, reseal_payload *payload)
{
	struct crypto_protection protection =
		sa_protection(test_crypto(), sa, true);
	uint8_t payloads[IKE_MAX_MESSAGE], message[IKE_MAX_MESSAGE];
	struct writer inner = writer_of(payloads, sizeof(payloads));
	struct writer outer = writer_of(message, sizeof(message));
	struct message_header header;
	struct payloads parsed;
	uint8_t *plain;
	size_t len;

	assert_int_equal(message_parse_header(bytes, &header),
			 IKE_REASON_NONE);
	assert_int_equal(payloads_parse(header.first, (struct ike_bytes){
		bytes.data + MESSAGE_HEADER_SIZE,
		bytes.len - MESSAGE_HEADER_SIZE }, &parsed), IKE_REASON_NONE);
	assert_true(message_open(bytes, &parsed, &protection, &plain, &len));
	each_payload(reader_of((struct ike_bytes){ plain, len }),
		     parsed.sk_first, &inner, payload);
	message_free_plaintext(plain, len);
	assert_true(writer_finish(&inner));
	assert_true(message_seal(&outer, &header, &inner, &protection, &sa->iv,
				 IKE_MAX_MESSAGE));
	sim_deliver(sim, !from, message, outer.len);
}
