#include "ike/payload.h"

#include <string.h>

enum {
	CRITICAL = 0x80,
	NOTIFY_ERRORS_END = 16384	/* RFC 7296 3.10.1 */
};

/* The first half of the SHA-256 of "bgpward: ESP in UDP (RFC 3948) is
 * preferred, with or without a NAT; 1" (RFC 7296 3.12). */
static const struct ike_bytes vendor_udp = { (const uint8_t[]){
	0xae, 0xdb, 0x11, 0x59, 0x9e, 0x49, 0xb1, 0x32,
	0xc0, 0x85, 0xdd, 0x57, 0x25, 0xcf, 0xc8, 0xae
}, 16 };

/* All that is left, which is to be something. */
static bool read_some(struct reader *body, struct ike_bytes *ret_bytes)
{
	*ret_bytes = read_rest(body);
	return ret_bytes->len > 0;
}

/* RFC 7296 3.4 */
static bool parse_ke(struct reader body, struct payloads *payloads)
{
	uint16_t reserved;

	return read_u16(&body, &payloads->ke_group) &&
		read_u16(&body, &reserved) && read_some(&body, &payloads->ke);
}

/* RFC 7296 3.5 */
static bool parse_id(struct reader body, struct payload_id *id)
{
	struct ike_bytes reserved;

	id->body = (struct ike_bytes){ body.at, body.left };
	return read_u8(&body, &id->type) && read_bytes(&body, 3, &reserved) &&
		read_some(&body, &id->bytes);
}

/* RFC 7296 3.6. Encodings that we never asked for are passed over. */
static bool parse_cert(struct reader body, struct payloads *payloads)
{
	uint8_t encoding;

	if (!read_u8(&body, &encoding) || body.left == 0)
		return false;
	if (encoding != IKE_CERT_X509_SIGNATURE)
		return true;
	if (payloads->certs_count == IKE_MAX_CERTS)
		return false;
	payloads->certs[payloads->certs_count++] = read_rest(&body);
	return true;
}

/* RFC 7296 3.8 */
static bool parse_auth(struct reader body, struct payloads *payloads)
{
	struct ike_bytes reserved;

	return read_u8(&body, &payloads->auth_method) &&
		read_bytes(&body, 3, &reserved) &&
		read_some(&body, &payloads->auth);
}

/* RFC 7296 3.10 */
static bool parse_notify(struct reader body, struct payloads *payloads)
{
	struct payload_notify notify = { 0 };
	uint8_t spi_size;

	if (payloads->notifies_count == IKE_MAX_NOTIFIES ||
	    !read_u8(&body, &notify.protocol) || !read_u8(&body, &spi_size) ||
	    !read_u16(&body, &notify.type) ||
	    !read_bytes(&body, spi_size, &notify.spi))
		return false;
	notify.data = read_rest(&body);
	payloads->notifies[payloads->notifies_count++] = notify;
	return true;
}

/* RFC 7296 3.11 */
static bool parse_delete(struct reader body, struct payloads *payloads)
{
	struct payload_delete del = { 0 };
	uint8_t spi_size;

	if (payloads->deletes_count == IKE_MAX_DELETES ||
	    !read_u8(&body, &del.protocol) || !read_u8(&body, &spi_size) ||
	    !read_u16(&body, &del.count) ||
	    spi_size != (del.protocol == IKE_PROTOCOL_IKE ? 0 : 4) ||
	    body.left != (size_t)spi_size * del.count)
		return false;
	del.spis = read_rest(&body);
	payloads->deletes[payloads->deletes_count++] = del;
	return true;
}

/* RFC 7383 2.5 and the first tests of 2.6 */
static bool parse_fragment(struct reader body, struct payloads *payloads)
{
	if (!read_u16(&body, &payloads->fragment) ||
	    !read_u16(&body, &payloads->fragments) ||
	    payloads->fragment == 0 ||
	    payloads->fragment > payloads->fragments ||
	    payloads->fragments > IKE_MAX_FRAGMENTS)
		return false;
	payloads->sk = read_rest(&body);
	return true;
}

static bool parse_body(uint8_t type, struct reader body,
		       struct payloads *payloads)
{
	switch (type) {
	case IKE_PAYLOAD_SA:
		return read_some(&body, &payloads->sa);
	case IKE_PAYLOAD_KE:
		return parse_ke(body, payloads);
	case IKE_PAYLOAD_IDI:
		return parse_id(body, &payloads->idi);
	case IKE_PAYLOAD_IDR:
		return parse_id(body, &payloads->idr);
	case IKE_PAYLOAD_CERT:
		return parse_cert(body, payloads);
	case IKE_PAYLOAD_AUTH:
		return parse_auth(body, payloads);
	case IKE_PAYLOAD_NONCE:	/* RFC 7296 3.9 */
		payloads->nonce = read_rest(&body);
		return payloads->nonce.len >= IKE_MIN_NONCE &&
			payloads->nonce.len <= IKE_MAX_NONCE;
	case IKE_PAYLOAD_NOTIFY:
		return parse_notify(body, payloads);
	case IKE_PAYLOAD_DELETE:
		return parse_delete(body, payloads);
	case IKE_PAYLOAD_VENDOR:
		payloads->vendor_udp |= bytes_equal(read_rest(&body),
						    vendor_udp);
		return true;
	case IKE_PAYLOAD_TSI:
		return read_some(&body, &payloads->tsi);
	case IKE_PAYLOAD_TSR:
		return read_some(&body, &payloads->tsr);
	case IKE_PAYLOAD_SK:
		payloads->sk = read_rest(&body);
		return true;
	case IKE_PAYLOAD_SKF:
		return parse_fragment(body, payloads);
	}
	/* CERTREQ, CP, EAP: known and not looked into */
	return true;
}

/* May this payload stand in a message more than once? */
static bool repeatable(uint8_t type)
{
	return type == IKE_PAYLOAD_CERT || type == IKE_PAYLOAD_CERTREQ ||
		type == IKE_PAYLOAD_NOTIFY || type == IKE_PAYLOAD_DELETE ||
		type == IKE_PAYLOAD_VENDOR;
}

static bool known(uint8_t type)
{
	return (type >= IKE_PAYLOAD_SA && type <= IKE_PAYLOAD_EAP) ||
		type == IKE_PAYLOAD_SKF;
}

/* Take one payload off the chain; *type becomes that of the next one. */
static enum ike_reason parse_one(struct reader *chain, uint8_t *type,
				 struct payloads *payloads)
{
	uint8_t next, flags, this = *type;
	struct ike_bytes body;
	uint16_t len;

	if (!read_u8(chain, &next) || !read_u8(chain, &flags) ||
	    !read_u16(chain, &len) || len < 4 ||
	    !read_bytes(chain, len - 4u, &body))
		return IKE_REASON_PAYLOAD;
	*type = next;
	if (!known(this)) {
		if (!(flags & CRITICAL))
			return IKE_REASON_NONE;
		payloads->critical = this;
		return IKE_REASON_PAYLOAD_CRITICAL;
	}
	if ((payloads->present & PAYLOAD_BIT(this)) && !repeatable(this))
		return IKE_REASON_PAYLOAD;
	payloads->present |= PAYLOAD_BIT(this);
	if (!parse_body(this, reader_of(body), payloads))
		return IKE_REASON_PAYLOAD;
	if (this == IKE_PAYLOAD_SK || this == IKE_PAYLOAD_SKF) {
		/* RFC 7296 3.14: it is the last; its "next payload" is the
		 * first one inside */
		payloads->sk_first = next;
		*type = IKE_PAYLOAD_NONE;
	}
	return IKE_REASON_NONE;
}

enum ike_reason payloads_parse(uint8_t first, struct ike_bytes bytes,
			       struct payloads *ret_payloads)
{
	struct payloads payloads = { 0 };
	struct reader chain = reader_of(bytes);
	uint8_t type = first;

	for (size_t i = 0; type != IKE_PAYLOAD_NONE; i++) {
		enum ike_reason reason;

		if (i == IKE_MAX_PAYLOADS)
			return IKE_REASON_PAYLOAD;
		reason = parse_one(&chain, &type, &payloads);
		if (reason == IKE_REASON_PAYLOAD_CRITICAL)
			ret_payloads->critical = payloads.critical;
		if (reason != IKE_REASON_NONE)
			return reason;
	}
	if (chain.left != 0)
		return IKE_REASON_PAYLOAD;
	payloads.sk_offset = bytes.len - payloads.sk.len;
	*ret_payloads = payloads;
	return IKE_REASON_NONE;
}

const struct payload_notify *
payloads_notify(const struct payloads *payloads, enum ike_notify type)
{
	for (size_t i = 0; i < payloads->notifies_count; i++)
		if (payloads->notifies[i].type == type)
			return &payloads->notifies[i];
	return NULL;
}

const struct payload_notify *
payloads_error(const struct payloads *payloads)
{
	for (size_t i = 0; i < payloads->notifies_count; i++)
		if (payloads->notifies[i].type < NOTIFY_ERRORS_END)
			return &payloads->notifies[i];
	return NULL;
}

void payload_write_notify(struct writer *writer, enum ike_notify type,
			  struct ike_bytes data)
{
	write_payload(writer, IKE_PAYLOAD_NOTIFY);
	write_u8(writer, IKE_PROTOCOL_NONE);
	write_u8(writer, 0);
	write_u16(writer, (uint16_t)type);
	write_view(writer, data);
}

void payload_write_vendor_udp(struct writer *writer)
{
	write_payload(writer, IKE_PAYLOAD_VENDOR);
	write_view(writer, vendor_udp);
}
