/*
 * The payloads of one message (RFC 7296 3.2 to 3.13): bytes in, a struct of
 * views out. Parsing has no state and no effect.
 */
#ifndef IKE_PAYLOAD_H
#define IKE_PAYLOAD_H

#include "ike/wire.h"

/* The bit of a payload type in a set of them. */
#define PAYLOAD_BIT(type) (1u << ((unsigned)(type) - IKE_PAYLOAD_SA))
#define PAYLOAD_HAS(payloads, name) \
	(((payloads)->present & PAYLOAD_BIT(IKE_PAYLOAD_##name)) != 0)

struct payload_id {
	uint8_t type;
	struct ike_bytes bytes;
	struct ike_bytes body;	/* with type and reserved, as signed */
};

struct payload_notify {
	uint8_t protocol;
	uint16_t type;
	struct ike_bytes spi, data;
};

struct payload_delete {
	uint8_t protocol;
	uint16_t count;
	struct ike_bytes spis;
};

struct payloads {
	uint32_t present;	/* set of PAYLOAD_BIT */
	struct ike_bytes sa, nonce, tsi, tsr;
	uint16_t ke_group;
	struct ike_bytes ke;
	struct payload_id idi, idr;
	struct ike_bytes certs[IKE_MAX_CERTS];	/* X.509 for signatures */
	size_t certs_count;
	uint8_t auth_method;
	struct ike_bytes auth;
	struct payload_notify notifies[IKE_MAX_NOTIFIES];
	size_t notifies_count;
	struct payload_delete deletes[IKE_MAX_DELETES];
	size_t deletes_count;
	bool vendor_udp;		/* the Vendor ID of IKE_UDP_PREFER */
	/* SK or SKF: type of the first payload inside, what follows its
	 * header, and how many bytes stand before that (RFC 7296 3.14) */
	uint8_t sk_first;
	struct ike_bytes sk;
	size_t sk_offset;
	uint16_t fragment, fragments;	/* SKF: number, from 1, and total */
	/* unknown payload that was marked critical (RFC 7296 2.5) */
	uint8_t critical;
};

/*
 * Parse a chain of payloads. Returns IKE_REASON_NONE and *ret_payloads with
 * views into `bytes`; IKE_REASON_PAYLOAD if something is malformed or exceeds
 * a limit; IKE_REASON_PAYLOAD_CRITICAL (with ret_payloads->critical, nothing
 * else set).
 */
MUST_CHECK enum ike_reason
payloads_parse(uint8_t first, struct ike_bytes bytes,
	       struct payloads *ret_payloads);

/* The first notify of a type, or NULL. */
const struct payload_notify *
payloads_notify(const struct payloads *payloads, enum ike_notify type);
/* The first notify that is an error (RFC 7296 3.10.1), or NULL. */
const struct payload_notify *
payloads_error(const struct payloads *payloads);

/* Write a notify without SPI. */
void payload_write_notify(struct writer *writer, enum ike_notify type,
			  struct ike_bytes data);
/* Write the Vendor ID of a side that prefers ESP in UDP (RFC 7296 3.12). */
void payload_write_vendor_udp(struct writer *writer);

#endif
