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

static bool parse_all(struct ike_bytes payload,
		      struct ts ret_all[IKE_MAX_SELECTORS], size_t *ret_count)
{
	struct reader reader = reader_of(payload);
	uint8_t count;
	struct ike_bytes reserved;

	if (!read_u8(&reader, &count) || !read_bytes(&reader, 3, &reserved) ||
	    count == 0 || count > IKE_MAX_SELECTORS)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!parse_one(&reader, &ret_all[i]))
			return false;
	*ret_count = count;
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

static bool is_host(const struct ts *ts)
{
	return !memcmp(ts->first, ts->last, sizeof(ts->first));
}

/* RFC 7296 2.23.1: a host behind a NAT has two addresses, of which the peer
 * may name the one that we do not see. */
static void substitute(struct ts *ts, const struct ts *seen)
{
	if (ts->type != seen->type || !is_host(ts))
		return;
	memcpy(ts->first, seen->first, sizeof(ts->first));
	memcpy(ts->last, seen->last, sizeof(ts->last));
}

static bool any_contains(const struct ts *all, size_t count, struct ts narrow,
			 bool nat)
{
	for (size_t i = 0; i < count; i++) {
		struct ts ts = all[i];

		if (nat)
			substitute(&ts, &narrow);
		if (contains(&ts, &narrow))
			return true;
	}
	return false;
}

/* RFC 7296 2.9: the peer's first selectors may be those of the packet that it
 * wants to send. Does that belong to this kind? */
static bool of_packet(struct ts_pair pair, enum ike_child_kind kind,
		      struct ts peer, struct ts local)
{
	const struct ts peers = peer_ts(pair, kind);
	const struct ts ours = local_ts(pair, kind);

	if (pair.peer_nat)
		substitute(&peer, &peers);
	if (pair.local_nat)
		substitute(&local, &ours);
	return contains(&peers, &peer) && contains(&ours, &local);
}

enum ike_reason
ts_narrow(struct ts_pair pair, struct ike_bytes tsi, struct ike_bytes tsr,
	  unsigned wanted, enum ike_child_kind *ret_kind)
{
	struct ts peer[IKE_MAX_SELECTORS], local[IKE_MAX_SELECTORS];
	size_t peer_count, local_count;
	unsigned fits = 0, packet = 0;

	if (!parse_all(tsi, peer, &peer_count) ||
	    !parse_all(tsr, local, &local_count))
		return IKE_REASON_PAYLOAD;
	for (unsigned kind = 0; kind < IKE_CHILD_KINDS; kind++)
		if (any_contains(peer, peer_count,
				 peer_ts(pair, (enum ike_child_kind)kind),
				 pair.peer_nat) &&
		    any_contains(local, local_count,
				 local_ts(pair, (enum ike_child_kind)kind),
				 pair.local_nat))
			fits |= 1u << kind;
	for (unsigned kind = 0; kind < IKE_CHILD_KINDS; kind++)
		if (of_packet(pair, (enum ike_child_kind)kind, peer[0],
			      local[0]))
			packet |= 1u << kind;
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
static enum ike_reason exactly(struct ike_bytes payload, struct ts expected,
			       bool nat)
{
	struct ts all[IKE_MAX_SELECTORS];
	size_t count;

	if (!parse_all(payload, all, &count))
		return IKE_REASON_PAYLOAD;
	if (nat)
		substitute(&all[0], &expected);
	if (count != 1 || !contains(&all[0], &expected) ||
	    !contains(&expected, &all[0]))
		return IKE_REASON_TS;
	return IKE_REASON_NONE;
}

enum ike_reason
ts_accept(struct ts_pair pair, struct ike_bytes tsi, struct ike_bytes tsr,
	  enum ike_child_kind kind)
{
	enum ike_reason reason = exactly(tsi, local_ts(pair, kind),
					 pair.local_nat);

	if (reason != IKE_REASON_NONE)
		return reason;
	return exactly(tsr, peer_ts(pair, kind), pair.peer_nat);
}

void ts_host(struct ike_bytes payload, struct in6_addr *ret_host)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED(ret_host);
	struct ts all[IKE_MAX_SELECTORS];
	size_t count;

	if (!parse_all(payload, all, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		if (!is_host(&all[i]) || all[i].type !=
		    (v4 ? TS_IPV4_ADDR_RANGE : TS_IPV6_ADDR_RANGE))
			continue;
		memcpy(ret_host->s6_addr + (v4 ? 12 : 0), all[i].first,
		       v4 ? 4 : 16);
		return;
	}
}
