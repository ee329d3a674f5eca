/* Address translation (RFC 7296 2.23), and who wants ESP in UDP (RFC 3948). */
#include "ike/exchanges.h"

/* SHA1(SPIi | SPIr | address | port), RFC 7296 2.23. */
static bool make_hash(const struct ike *ike, uint64_t spi_i, uint64_t spi_r,
		      const struct in6_addr *address, uint16_t port,
		      uint8_t ret_hash[CRYPTO_SHA1_SIZE])
{
	bool v4 = IN6_IS_ADDR_V4MAPPED(address);
	uint8_t bytes[34];
	struct writer writer = writer_of(bytes, sizeof(bytes));

	write_u64(&writer, spi_i);
	write_u64(&writer, spi_r);
	write_bytes(&writer, address->s6_addr + (v4 ? 12 : 0), v4 ? 4 : 16);
	write_u16(&writer, port);
	return crypto_sha1(ike->config.crypto,
			   (struct ike_bytes){ bytes, writer.len }, ret_hash);
}

void nat_write(const struct ike *ike, const struct sa *sa,
	       struct writer *writer)
{
	/* port 0 is nobody's: the peer sees a NAT before us */
	uint16_t port = ike->config.udp == IKE_UDP_ALWAYS ? 0 : sa->local_port;
	uint8_t source[CRYPTO_SHA1_SIZE], destination[CRYPTO_SHA1_SIZE];

	if (!make_hash(ike, sa_spi_i(sa), sa_spi_r(sa), &ike->config.local,
		       port, source) ||
	    !make_hash(ike, sa_spi_i(sa), sa_spi_r(sa), &ike->config.peer,
		       sa->peer_port, destination)) {
		writer->failed = true;
		return;
	}
	payload_write_notify(writer, IKE_NOTIFY_NAT_DETECTION_SOURCE_IP,
			     (struct ike_bytes){ source, sizeof(source) });
	payload_write_notify(writer, IKE_NOTIFY_NAT_DETECTION_DESTINATION_IP,
			     (struct ike_bytes){ destination,
						 sizeof(destination) });
	if (ike->config.udp >= IKE_UDP_PREFER)
		payload_write_vendor_udp(writer);
}

/* Does one of the notifies of this type, if there are any, match? */
static bool matches(const struct ike *ike, const struct message *message,
		    enum ike_notify type, const struct in6_addr *address,
		    uint16_t port)
{
	uint8_t hash[CRYPTO_SHA1_SIZE];
	struct ike_bytes expected = { hash, sizeof(hash) };
	bool seen = false;

	if (!make_hash(ike, message->header.spi_i, message->header.spi_r,
		       address, port, hash))
		return false;
	for (size_t i = 0; i < message->payloads.notifies_count; i++) {
		const struct payload_notify *n = &message->payloads.notifies[i];

		if (n->type != type)
			continue;
		seen = true;
		if (bytes_equal(n->data, expected))
			return true;
	}
	return !seen;
}

static bool nat_here(const struct ike *ike, const struct message *message)
{
	return !matches(ike, message, IKE_NOTIFY_NAT_DETECTION_DESTINATION_IP,
			&ike->config.local, ike->local_port);
}

static bool nat_there(const struct ike *ike, const struct message *message)
{
	return !matches(ike, message, IKE_NOTIFY_NAT_DETECTION_SOURCE_IP,
			&ike->config.peer, ike->peer_port);
}

bool nat_acceptable(const struct ike *ike, const struct message *message)
{
	return ike->config.udp != IKE_UDP_NEVER ||
		(!nat_here(ike, message) && !nat_there(ike, message));
}

/* IKE_SA_INIT is covered by AUTH: what it says here is authenticated before
 * there is any Child SA. */
void nat_detect(const struct ike *ike, struct sa *sa,
		const struct message *message)
{
	if (ike->config.udp == IKE_UDP_NEVER)
		return;		/* nat_acceptable() has found none */
	sa->nat_here = nat_here(ike, message);
	sa->nat_there = nat_there(ike, message);
	sa->udp = sa->nat_here || sa->nat_there ||
		ike->config.udp == IKE_UDP_ALWAYS ||
		(ike->config.udp == IKE_UDP_PREFER &&
		 message->payloads.vendor_udp);
	/* the initiator moves to port 4500, and IKE takes ESP's way; the
	 * responder follows */
	if (sa->udp && sa->initiator && sa->local_port == IKE_PORT)
		sa->local_port = sa->peer_port = IKE_NAT_PORT;
}

uint16_t nat_peer_port(const struct sa *sa)
{
	return sa->local_port == IKE_NAT_PORT ? sa->peer_port : IKE_NAT_PORT;
}

void nat_follow(struct ike *ike, struct sa *sa)
{
	if (!sa->nat_there || sa->local_port != IKE_NAT_PORT)
		return;
	for (struct child *c = ike->children; c; c = c->next)
		if (c->sa == sa && c->state == CHILD_CURRENT &&
		    c->info.udp_peer != sa->peer_port)
			c->rekey_at = ike->now;
}
