#include "ike/ts.h"

#include <string.h>

enum {
	TS_IPV4_ADDR_RANGE = 7,		/* RFC 7296 3.13.1 */
	TS_IPV6_ADDR_RANGE = 8,
	ANY_PROTOCOL = 0,
	BGP_PORT = 179
};

/* One selector; addresses as in the packet, 4 or 16 bytes. */
struct ts {
	uint8_t type, protocol;
	uint16_t port_first, port_last;
	uint8_t first[16], last[16];
};

/* Those of a payload. */
struct selectors {
	struct ts all[IKE_MAX_SELECTORS];
	size_t count;
};

static size_t address_len(uint8_t type)
{
	return type == TS_IPV4_ADDR_RANGE ? 4 : 16;
}

/* The selector of one side of a kind: `bgp` is the side with port 179. */
static struct ts own(const struct in6_addr *address, bool bgp)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED(address);
	struct ts ts = {
		.type = v4 ? TS_IPV4_ADDR_RANGE : TS_IPV6_ADDR_RANGE,
		.protocol = IPPROTO_TCP,
		.port_first = bgp ? BGP_PORT : 0,
		.port_last = bgp ? BGP_PORT : UINT16_MAX
	};

	memcpy(ts.first, address->s6_addr + (v4 ? 12 : 0), v4 ? 4 : 16);
	memcpy(ts.last, ts.first, sizeof(ts.last));
	return ts;
}

static void write_one(struct writer *writer, enum ike_payload_type payload,
		      const struct ts *ts)
{
	size_t len = address_len(ts->type);

	write_payload(writer, payload);
	write_u8(writer, 1);
	write_u8(writer, 0);
	write_u16(writer, 0);
	write_u8(writer, ts->type);
	write_u8(writer, ts->protocol);
	write_u16(writer, (uint16_t)(8 + 2 * len));
	write_u16(writer, ts->port_first);
	write_u16(writer, ts->port_last);
	write_bytes(writer, ts->first, len);
	write_bytes(writer, ts->last, len);
}

/* Our side has port 179 in the kind PASSIVE, the peer's in ACTIVE. */
static struct ts local_ts(struct ts_pair pair, enum ike_child_kind kind)
{
	return own(pair.local, kind == IKE_CHILD_PASSIVE);
}

static struct ts peer_ts(struct ts_pair pair, enum ike_child_kind kind)
{
	return own(pair.peer, kind == IKE_CHILD_ACTIVE);
}

void ts_write(struct writer *writer, struct ts_pair pair,
	      enum ike_child_kind kind, bool initiator)
{
	struct ts local = local_ts(pair, kind), peer = peer_ts(pair, kind);

	write_one(writer, IKE_PAYLOAD_TSI, initiator ? &local : &peer);
	write_one(writer, IKE_PAYLOAD_TSR, initiator ? &peer : &local);
}

/* A selector of an unknown type gets type 0 and contains nothing. */
static bool parse_one(struct reader *reader, struct ts *ret_ts)
{
	struct ts ts = { 0 };
	struct ike_bytes rest;
	struct reader body;
	uint8_t type;
	uint16_t len;

	if (!read_u8(reader, &type) || !read_u8(reader, &ts.protocol) ||
	    !read_u16(reader, &len) || len < 4 ||
	    !read_bytes(reader, len - 4u, &rest))
		return false;
	body = reader_of(rest);
	if (type == TS_IPV4_ADDR_RANGE || type == TS_IPV6_ADDR_RANGE) {
		size_t size = address_len(type);

		if (!read_u16(&body, &ts.port_first) ||
		    !read_u16(&body, &ts.port_last) ||
		    !read_copy(&body, ts.first, size) ||
		    !read_copy(&body, ts.last, size) || body.left != 0)
			return false;
		ts.type = type;
	}
	*ret_ts = ts;
	return true;
}

static bool is_host(const struct ts *ts)
{
	return !memcmp(ts->first, ts->last, sizeof(ts->first));
}

/* RFC 7296 2.23.1: a host behind a NAT (`nat`) has two addresses, of which the
 * peer may name the one that we do not see; `seen` stands for it. */
static bool parse_all(struct ike_bytes payload, const struct in6_addr *seen,
		      bool nat, struct selectors *ret_selectors)
{
	const struct ts host = own(seen, false);
	struct reader reader = reader_of(payload);
	uint8_t count;
	struct ike_bytes reserved;

	if (!read_u8(&reader, &count) || !read_bytes(&reader, 3, &reserved) ||
	    count == 0 || count > IKE_MAX_SELECTORS)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct ts *ts = &ret_selectors->all[i];

		if (!parse_one(&reader, ts))
			return false;
		if (nat && ts->type == host.type && is_host(ts)) {
			memcpy(ts->first, host.first, sizeof(ts->first));
			memcpy(ts->last, host.last, sizeof(ts->last));
		}
	}
	ret_selectors->count = count;
	return reader.left == 0;
}

static bool contains(const struct ts *wide, const struct ts *narrow)
{
	size_t len = address_len(narrow->type);

	return wide->type == narrow->type &&
		(wide->protocol == ANY_PROTOCOL ||
		 wide->protocol == narrow->protocol) &&
		wide->port_first <= narrow->port_first &&
		wide->port_last >= narrow->port_last &&
		memcmp(wide->first, narrow->first, len) <= 0 &&
		memcmp(wide->last, narrow->last, len) >= 0;
}

static bool any_contains(const struct selectors *wide, const struct ts *narrow)
{
	for (size_t i = 0; i < wide->count; i++)
		if (contains(&wide->all[i], narrow))
			return true;
	return false;
}

enum ike_reason
ts_narrow(struct ts_pair pair, struct ike_bytes tsi, struct ike_bytes tsr,
	  unsigned wanted, enum ike_child_kind *ret_kind)
{
	struct selectors peer, local;
	unsigned fits = 0, packet = 0;

	if (!parse_all(tsi, pair.peer, pair.peer_nat, &peer) ||
	    !parse_all(tsr, pair.local, pair.local_nat, &local))
		return IKE_REASON_PAYLOAD;
	for (unsigned kind = 0; kind < IKE_CHILD_KINDS; kind++) {
		struct ts theirs = peer_ts(pair, (enum ike_child_kind)kind);
		struct ts ours = local_ts(pair, (enum ike_child_kind)kind);

		if (any_contains(&peer, &theirs) &&
		    any_contains(&local, &ours))
			fits |= 1u << kind;
		/* RFC 7296 2.9: the peer's first selectors may be those of
		 * the packet that it wants to send. Is it of this kind? */
		if (contains(&theirs, &peer.all[0]) &&
		    contains(&ours, &local.all[0]))
			packet |= 1u << kind;
	}
	if (!fits)
		return IKE_REASON_TS;
	if (fits & packet)
		fits &= packet;
	if (fits & wanted)
		fits &= wanted;
	*ret_kind = fits & 1u << IKE_CHILD_ACTIVE ? IKE_CHILD_ACTIVE :
		IKE_CHILD_PASSIVE;
	return IKE_REASON_NONE;
}

/* Exactly one selector, and that one. */
static enum ike_reason
exactly(struct ike_bytes payload, const struct in6_addr *seen, bool nat,
	struct ts expected)
{
	struct selectors selectors;
	const struct ts *ts = &selectors.all[0];

	if (!parse_all(payload, seen, nat, &selectors))
		return IKE_REASON_PAYLOAD;
	return selectors.count == 1 && contains(ts, &expected) &&
		contains(&expected, ts) ? IKE_REASON_NONE : IKE_REASON_TS;
}

enum ike_reason
ts_accept(struct ts_pair pair, struct ike_bytes tsi, struct ike_bytes tsr,
	  enum ike_child_kind kind)
{
	enum ike_reason reason = exactly(tsi, pair.local, pair.local_nat,
					 local_ts(pair, kind));

	if (reason != IKE_REASON_NONE)
		return reason;
	return exactly(tsr, pair.peer, pair.peer_nat, peer_ts(pair, kind));
}

void ts_host(struct ike_bytes payload, struct in6_addr *ret_host)
{
	const uint8_t type = own(ret_host, false).type;
	struct selectors selectors;
	size_t len = address_len(type);

	if (!parse_all(payload, ret_host, false, &selectors))
		return;
	for (size_t i = 0; i < selectors.count; i++) {
		const struct ts *ts = &selectors.all[i];

		if (ts->type != type || !is_host(ts))
			continue;
		memcpy(ret_host->s6_addr + 16 - len, ts->first, len);
		return;
	}
}
