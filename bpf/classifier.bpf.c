/*
 * The classifier: what a packet of a protected address may be, at tc ingress
 * and egress of every interface but lo. The second lock behind the SPD.
 *
 * A packet that is none of our business returns TC_ACT_UNSPEC, so that the
 * filters behind us still have their say; TC_ACT_OK would take it from them.
 * A packet that cannot matter (no TCP/179, no IKE, no ESP, nothing broken) has
 * cost two loads and no map lookup.
 *
 * With esp4_offload or esp6_offload in the kernel the contents of an ESP
 * packet pass ingress, as if they had come in clear: decapsulated() tells.
 * Outbound there is no such trap: the ESP header is in place at egress
 * whether or not its ICV is left to a later stage.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/classifier.h"

#define BGP_PORT	bpf_htons(179)
#define IKE_PORT	bpf_htons(500)
#define IKE_NAT_PORT	bpf_htons(4500)
#define FRAGMENT_OFFSET	bpf_htons(0x1fff)
#define FRAGMENT6_OFFSET bpf_htons(0xfff8)

enum { ADDRESS_FAMILY_IPV4 = 2, ADDRESS_FAMILY_IPV6 = 10 };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, CLASSIFIER_MAX_PAIRS);
	__type(key, struct classifier_pair_key);
	__type(value, struct classifier_pair);
} pairs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, CLASSIFIER_MAX_LOCALS);
	__type(key, struct classifier_addr);
	__type(value, struct classifier_local);
} locals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, CLASSIFIER_MAX_SPIS);
	__type(key, struct classifier_spi_key);
	__type(value, __u8);
} spis SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, CLASSIFIER_MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct classifier_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} plane SEC(".maps");

/* What a packet is, as far as we care. */
enum kind { OTHER, BGP, IKE, ESP, ESP_IN_UDP, BROKEN };

struct packet {
	__u32 start;	/* BPF_HDR_START_NET, or _MAC with in-band tags */
	__u32 at;	/* where the next header begins, from there */
	__u32 end;	/* where the IP packet ends, from there; 0: unknown */
	union {		/* the first word of the last header */
		__be16 ports[2];
		__be32 spi;
	};
	union {
		struct iphdr v4;
		struct ipv6hdr v6;
	};
};

/* Loops are unrolled: clang may lay one out so that its back edge is a fall
 * through, which Linux 6.1 refuses. */
#define UNROLLED _Pragma("clang loop unroll(full)")

/* ------------------------------------------------------------------ loads */

/* Headers may lie in fragments of the skb, where the relative load does not
 * look (a driver without GRO, a header split): have them pulled. */
static __noinline bool pull(struct __sk_buff *skb)
{
	__u32 len = skb->len;

	if (len > CLASSIFIER_MAX_PULL)
		len = CLASSIFIER_MAX_PULL;
	return !bpf_skb_pull_data(skb, len);
}

static __always_inline bool load(struct __sk_buff *skb,
				 const struct packet *packet, __u32 at,
				 void *to, __u32 len)
{
	if (!bpf_skb_load_bytes_relative(skb, at, to, len, packet->start))
		return true;
	return pull(skb) &&
	       !bpf_skb_load_bytes_relative(skb, at, to, len, packet->start);
}

static __always_inline bool is_tag(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) ||
	       type == bpf_htons(ETH_P_8021AD);
}

/*
 * Find the IP header and the EtherType before it. The network header is right
 * on Ethernet, on devices without a link header and behind accelerated tags;
 * with a tag in the packet it may point at the tag (ingress) or behind it
 * (egress of VLAN over VLAN), so that we walk from the link header. More than
 * CLASSIFIER_MAX_TAGS are left to the VLAN interface that removes them.
 */
static __always_inline __be16 locate(struct __sk_buff *skb,
				     struct packet *packet)
{
	__be16 type = skb->protocol;
	int i;

	packet->start = BPF_HDR_START_NET;
	packet->at = 0;
	if (!is_tag(type))
		return type;
	packet->start = BPF_HDR_START_MAC;
	packet->at = 2 * ETH_ALEN;
	UNROLLED
	for (i = 0; i <= CLASSIFIER_MAX_TAGS; i++) {
		if (!load(skb, packet, packet->at, &type, sizeof(type)))
			return 0;
		packet->at += is_tag(type) ? 4 : 2;
		if (!is_tag(type))
			return type;
	}
	return 0;
}

/* ----------------------------------------------------------- what is it? */

/* On port 4500 IKE begins with zeros, and ESP with its SPI (RFC 3948 2.2); a
 * keepalive is shorter than either. */
static __always_inline enum kind ike_or_esp(struct __sk_buff *skb,
					    struct packet *packet)
{
	const __u32 at = packet->at + sizeof(struct udphdr);
	__be32 spi;

	if ((packet->end && at + sizeof(spi) > packet->end) ||
	    !load(skb, packet, at, &spi, sizeof(spi)) || !spi)
		return IKE;
	packet->spi = spi;
	return ESP_IN_UDP;
}

/* The last header: its first word decides. One that is cut off is BROKEN; a
 * first fragment may not hide its ports (RFC 1858, RFC 7112). */
static __always_inline enum kind upper(struct __sk_buff *skb,
				       struct packet *packet, __u8 protocol)
{
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP &&
	    protocol != IPPROTO_ESP)
		return OTHER;
	if (packet->end && packet->at + sizeof(packet->spi) > packet->end)
		return BROKEN;
	if (!load(skb, packet, packet->at, &packet->spi, sizeof(packet->spi)))
		return BROKEN;
	if (protocol == IPPROTO_ESP)
		return ESP;
	if (protocol == IPPROTO_TCP)
		return packet->ports[0] == BGP_PORT ||
		       packet->ports[1] == BGP_PORT ? BGP : OTHER;
	if (packet->ports[1] == IKE_NAT_PORT)
		return ike_or_esp(skb, packet);
	return packet->ports[1] == IKE_PORT ? IKE : OTHER;
}

/* Length of an extension header (RFC 8200 4.3-4.6, RFC 4302 2.2); 0: not one
 * that can be stepped over. */
static __always_inline __u32 extension(__u8 protocol, __u8 len)
{
	switch (protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return (len + 1) * 8;
	case IPPROTO_FRAGMENT:
		return 8;
	case IPPROTO_AH:
		return (len + 2) * 4;
	}
	return 0;
}

/* Step over what stands between IP and the upper layer. */
static __always_inline enum kind follow(struct __sk_buff *skb,
					struct packet *packet, __u8 protocol)
{
	struct {
		__u8 next, len;
		__be16 offset;
	} header;
	int i;

	UNROLLED
	for (i = 0; i < CLASSIFIER_MAX_HEADERS; i++) {
		if (!extension(protocol, 0))
			return upper(skb, packet, protocol);
		/* what is behind the packet, in its frame, does not count */
		if (packet->end && packet->at + sizeof(header) > packet->end)
			return BROKEN;
		if (!load(skb, packet, packet->at, &header, sizeof(header)))
			return BROKEN;
		if (protocol == IPPROTO_FRAGMENT &&
		    header.offset & FRAGMENT6_OFFSET)
			return OTHER;	/* the first one was classified */
		packet->at += extension(protocol, header.len);
		protocol = header.next;
	}
	return extension(protocol, 0) ? BROKEN : upper(skb, packet, protocol);
}

static __always_inline enum kind read_ipv4(struct __sk_buff *skb,
					   struct packet *packet)
{
	struct iphdr *ip = &packet->v4;

	if (!load(skb, packet, packet->at, ip, sizeof(*ip)) ||
	    ip->version != 4)
		return OTHER;	/* for nobody; the kernel drops it */
	if (ip->frag_off & FRAGMENT_OFFSET)
		return OTHER;	/* the first one was classified */
	if (ip->ihl < 5)
		return BROKEN;
	/* Length 0: a GSO packet that is longer than the field can say. */
	if (ip->tot_len)
		packet->end = packet->at + bpf_ntohs(ip->tot_len);
	packet->at += ip->ihl * 4;
	if (ip->protocol == IPPROTO_AH)
		return follow(skb, packet, IPPROTO_AH);
	return upper(skb, packet, ip->protocol);
}

static __always_inline bool is_mapped(const struct in6_addr *address)
{
	return !address->in6_u.u6_addr32[0] && !address->in6_u.u6_addr32[1] &&
	       address->in6_u.u6_addr32[2] == bpf_htonl(0xffff);
}

static __always_inline enum kind read_ipv6(struct __sk_buff *skb,
					   struct packet *packet)
{
	struct ipv6hdr *ip = &packet->v6;

	if (!load(skb, packet, packet->at, ip, sizeof(*ip)) ||
	    ip->version != 6)
		return OTHER;
	/* An IPv6 packet between mapped addresses is no IPv4 pair's. */
	if (is_mapped(&ip->saddr) || is_mapped(&ip->daddr))
		return OTHER;
	packet->at += sizeof(*ip);
	if (ip->payload_len)	/* 0: jumbogram, RFC 2675 */
		packet->end = packet->at + bpf_ntohs(ip->payload_len);
	return follow(skb, packet, ip->nexthdr);
}

/* ------------------------------------------------------------- verdicts */

/* A global function, verified by itself with any reason: inlined, the paths
 * that meet here with different constants are refused to a loader without
 * CAP_PERFMON. */
__noinline int count_drop(__u32 slot, __u32 reason)
{
	struct classifier_counters *counter;

	counter = bpf_map_lookup_elem(&counters, &slot);
	if (counter)
		counter->drops[reason & (CLASSIFIER_REASON_ROOM - 1)]++;
	return TC_ACT_SHOT;
}

static __always_inline int drop(__u32 slot, enum classifier_reason reason)
{
	count_drop(slot, reason);
	return TC_ACT_SHOT;
}

static __always_inline int drop_stranger(const struct classifier_pair_key *key,
					 enum classifier_reason reason)
{
	struct classifier_local *local;

	local = bpf_map_lookup_elem(&locals, &key->local);
	if (!local)
		return TC_ACT_UNSPEC;
	if (reason == CLASSIFIER_NOT_A_PEER && !local->block_others)
		return TC_ACT_UNSPEC;
	return drop(local->slot, reason);
}

static __always_inline bool is_remote(const struct bpf_xfrm_state *state,
				      const struct classifier_addr *peer)
{
	const __be32 *word = (const __be32 *)peer->bytes;

	if (state->family == ADDRESS_FAMILY_IPV4)
		return !word[0] && !word[1] && word[2] == bpf_htonl(0xffff) &&
		       state->remote_ipv4 == word[3];
	return state->family == ADDRESS_FAMILY_IPV6 &&
	       state->remote_ipv6[0] == word[0] &&
	       state->remote_ipv6[1] == word[1] &&
	       state->remote_ipv6[2] == word[2] &&
	       state->remote_ipv6[3] == word[3];
}

/* Does this packet come out of an SA of this pair, of the right direction of
 * connection and with the peer at its far end (RFC 5406 Section 9)? The SA
 * is not the first of the path if ESP arrived inside a tunnel. */
static __always_inline bool decapsulated(struct __sk_buff *skb,
					 const struct packet *packet,
					 const struct classifier_pair *pair,
					 const struct classifier_addr *peer)
{
	struct bpf_xfrm_state state;
	bool active, passive;
	int i;

	UNROLLED
	for (i = 0; i < CLASSIFIER_MAX_STATES; i++) {
		if (bpf_skb_get_xfrm_state(skb, i, &state, sizeof(state), 0))
			return false;
		active = packet->ports[0] == BGP_PORT &&
			 state.reqid == pair->reqid[0];
		passive = packet->ports[1] == BGP_PORT &&
			  state.reqid == pair->reqid[1];
		if (state.reqid && (active || passive) &&
		    is_remote(&state, peer))
			return true;
	}
	return false;
}

static __always_inline int verdict_in(struct __sk_buff *skb, enum kind kind,
				      const struct packet *packet,
				      struct classifier_spi_key *key)
{
	struct classifier_pair *pair;

	pair = bpf_map_lookup_elem(&pairs, &key->pair);
	switch (kind) {
	case OTHER:
		break;
	case BGP:
		if (!pair)
			return drop_stranger(&key->pair, CLASSIFIER_NOT_A_PEER);
		if (pair->mode != CLASSIFIER_OFF &&
		    !decapsulated(skb, packet, pair, &key->pair.peer))
			return drop(pair->slot, CLASSIFIER_CLEARTEXT_IN);
		break;
	case IKE:
		if (!pair)
			return drop_stranger(&key->pair,
					     CLASSIFIER_STRANGER_IKE);
		break;
	case ESP_IN_UDP:
		if (!pair)
			return drop_stranger(&key->pair,
					     CLASSIFIER_STRANGER_IKE);
		/* fall through */
	case ESP:
		key->spi = packet->spi;
		if (pair && pair->mode != CLASSIFIER_OFF &&
		    !bpf_map_lookup_elem(&spis, key))
			return drop(pair->slot, CLASSIFIER_UNKNOWN_SPI);
		break;
	case BROKEN:
		if (!pair)
			return drop_stranger(&key->pair, CLASSIFIER_MALFORMED);
		return drop(pair->slot, CLASSIFIER_MALFORMED);
	}
	return TC_ACT_UNSPEC;
}

static __always_inline int verdict_out(enum kind kind,
				       struct classifier_spi_key *key)
{
	struct classifier_pair *pair;

	if (kind != BGP && kind != BROKEN)
		return TC_ACT_UNSPEC;
	pair = bpf_map_lookup_elem(&pairs, &key->pair);
	if (!pair || pair->mode == CLASSIFIER_OFF)
		return TC_ACT_UNSPEC;
	return drop(pair->slot, kind == BGP ? CLASSIFIER_CLEARTEXT_OUT :
					      CLASSIFIER_MALFORMED);
}

static __always_inline void map_ipv4(struct classifier_addr *address,
				     __be32 ipv4)
{
	__be32 *word = (__be32 *)address->bytes;

	word[0] = 0;
	word[1] = 0;
	word[2] = bpf_htonl(0xffff);
	word[3] = ipv4;
}

/* Is this the TUN device of the user plane? */
static __always_inline bool is_plane(const struct __sk_buff *skb)
{
	const __u32 *ifindex, key = 0;

	ifindex = bpf_map_lookup_elem(&plane, &key);
	return ifindex && *ifindex && skb->ifindex == *ifindex;
}

static __always_inline int classify(struct __sk_buff *skb, bool in)
{
	struct classifier_spi_key key = {};
	struct classifier_addr *source, *destination;
	struct packet packet = {};
	enum kind kind = OTHER;
	__be16 type;

	source = in ? &key.pair.peer : &key.pair.local;
	destination = in ? &key.pair.local : &key.pair.peer;
	type = locate(skb, &packet);
	if (type == bpf_htons(ETH_P_IP)) {
		kind = read_ipv4(skb, &packet);
		if (kind == OTHER)
			return TC_ACT_UNSPEC;
		map_ipv4(source, packet.v4.saddr);
		map_ipv4(destination, packet.v4.daddr);
	} else if (type == bpf_htons(ETH_P_IPV6)) {
		kind = read_ipv6(skb, &packet);
		if (kind == OTHER)
			return TC_ACT_UNSPEC;
		__builtin_memcpy(source, &packet.v6.saddr, sizeof(*source));
		__builtin_memcpy(destination, &packet.v6.daddr,
				 sizeof(*destination));
	}
	if (kind == OTHER)
		return TC_ACT_UNSPEC;
	/* Behind the user plane all is in clear, and what comes in has been
	 * authenticated: the mark tells the SPD so. */
	if (is_plane(skb)) {
		if (in)
			skb->mark = CLASSIFIER_PLANE_MARK;
		return TC_ACT_UNSPEC;
	}
	return in ? verdict_in(skb, kind, &packet, &key) :
		    verdict_out(kind, &key);
}

SEC("tc")
int bgpward_in(struct __sk_buff *skb)
{
	return classify(skb, true);
}

SEC("tc")
int bgpward_out(struct __sk_buff *skb)
{
	return classify(skb, false);
}

/* Not GPL: no helper above asks for it. */
char terms[] SEC("license") = "own";
