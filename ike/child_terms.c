/*
 * What is agreed on for a Child SA (RFC 7296 1.3.1, 2.9): the parts that
 * IKE_AUTH and CREATE_CHILD_SA share.
 */
#include "ike/exchanges.h"

#include <string.h>

/* Our own selectors name what we see; those of the peer may not. */
static struct ts_pair peers_pair(const struct ike *ike, const struct sa *sa)
{
	return (struct ts_pair){ &ike->config.local, &ike->config.peer,
				 sa->nat_here, sa->nat_there };
}

/* ----------------------------------------------- nonces, key exchanges */

struct ike_bytes nonce_view(const struct nonce *nonce)
{
	return (struct ike_bytes){ nonce->bytes, nonce->len };
}

bool nonce_set(struct nonce *nonce, struct ike_bytes bytes)
{
	if (bytes.len == 0 || bytes.len > sizeof(nonce->bytes))
		return false;
	memcpy(nonce->bytes, bytes.data, bytes.len);
	nonce->len = bytes.len;
	return true;
}

void nonce_write(struct writer *writer, const struct nonce *nonce)
{
	write_payload(writer, IKE_PAYLOAD_NONCE);
	write_bytes(writer, nonce->bytes, nonce->len);
}

void ke_write(struct writer *writer, const struct crypto_ke *ke)
{
	write_payload(writer, IKE_PAYLOAD_KE);
	write_u16(writer, ke->group);
	write_u16(writer, 0);
	write_bytes(writer, ke->public, ke->public_len);
}

static int compare(struct ike_bytes a, struct ike_bytes b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.data, b.data, shorter);

	if (order != 0 || a.len == b.len)
		return order;
	return a.len < b.len ? -1 : 1;
}

void rival_note(struct rival *rival, struct ike_bytes ni, struct ike_bytes nr)
{
	rival->present = nonce_set(&rival->low, compare(ni, nr) < 0 ? ni : nr);
}

bool rival_wins(const struct request *request, struct ike_bytes peer_nonce)
{
	struct ike_bytes low = nonce_view(&request->nonce);

	if (compare(peer_nonce, low) < 0)
		low = peer_nonce;
	return request->rival.present &&
		compare(low, nonce_view(&request->rival.low)) < 0;
}

/* ------------------------------------------------- shared with IKE_AUTH */

struct ike_bytes spi_view(uint64_t spi, size_t len, uint8_t *ret_bytes)
{
	for (size_t i = len; i > 0; spi >>= 8)
		ret_bytes[--i] = (uint8_t)spi;
	return (struct ike_bytes){ ret_bytes, len };
}

void child_write_offer(struct ike *ike, struct writer *writer,
		       enum ike_child_kind kind, uint32_t spi,
		       const struct nonce *nonce, const struct crypto_ke *ke)
{
	uint8_t bytes[4];

	payload_write_notify(writer, IKE_NOTIFY_USE_TRANSPORT_MODE,
			     (struct ike_bytes){ NULL, 0 });
	proposal_write_offer(writer, &ike->algorithms, IKE_PROTOCOL_ESP,
			     ke ? PROPOSAL_KE_NEEDED : PROPOSAL_KE_IGNORED,
			     spi_view(spi, sizeof(bytes), bytes));
	if (nonce)
		nonce_write(writer, nonce);
	if (ke)
		ke_write(writer, ke);
	ts_write(writer, (struct ts_pair){ &ike->config.local,
					   &ike->config.peer, false, false },
		 kind, true);
}

void child_write_choice(struct writer *writer,
			const struct child_choice *choice,
			const struct nonce *nonce, const struct crypto_ke *ke)
{
	uint8_t bytes[4];

	payload_write_notify(writer, IKE_NOTIFY_USE_TRANSPORT_MODE,
			     (struct ike_bytes){ NULL, 0 });
	proposal_write_selection(writer, &choice->algorithms,
				 spi_view(choice->spi_in, sizeof(bytes),
					  bytes));
	if (nonce)
		nonce_write(writer, nonce);
	if (ke)
		ke_write(writer, ke);
	ts_write(writer, (struct ts_pair){ &choice->local, &choice->peer,
					   false, false },
		 choice->kind, false);
}

unsigned child_missing(const struct ike *ike, const struct sa *sa)
{
	unsigned missing = 0;

	for (unsigned kind = 0; kind < IKE_CHILD_KINDS; kind++)
		if (!child_of(ike, sa, (enum ike_child_kind)kind))
			missing |= 1u << kind;
	return missing;
}

uint32_t child_read_spi(struct ike_bytes bytes)
{
	struct reader reader = reader_of(bytes);
	uint32_t spi;

	if (bytes.len != 4 || !read_u32(&reader, &spi) || spi < 256)
		return 0;
	return spi;
}

uint16_t child_choose(struct ike *ike, struct sa *sa,
		      const struct payloads *payloads, enum proposal_ke ke,
		      unsigned wanted, struct child_choice *ret_choice)
{
	struct ts_pair pair = peers_pair(ike, sa);
	struct child_choice choice = { .local = ike->config.local,
				       .peer = ike->config.peer };
	enum ike_reason reason;

	/* only transport mode is acceptable here (RFC 7296 1.3.1) */
	if (!payloads_notify(payloads, IKE_NOTIFY_USE_TRANSPORT_MODE)) {
		effect_failed(ike, IKE_REASON_TRANSPORT, 0);
		return IKE_NOTIFY_NO_PROPOSAL_CHOSEN;
	}
	reason = proposal_choose(&ike->algorithms, payloads->sa,
				 IKE_PROTOCOL_ESP, ke, payloads->ke_group,
				 &choice.algorithms);
	if (reason == IKE_REASON_NONE)
		reason = ts_narrow(pair, payloads->tsi, payloads->tsr,
				   wanted, &choice.kind);
	if (pair.local_nat)
		ts_host(payloads->tsr, &choice.local);
	if (pair.peer_nat)
		ts_host(payloads->tsi, &choice.peer);
	if (reason == IKE_REASON_TS)
		effect_failed(ike, reason, 0);
	else if (reason != IKE_REASON_NONE)
		engine_count(ike, reason);
	if (reason == IKE_REASON_NO_PROPOSAL)
		return IKE_NOTIFY_NO_PROPOSAL_CHOSEN;
	if (reason == IKE_REASON_TS)
		return IKE_NOTIFY_TS_UNACCEPTABLE;
	choice.spi_out = reason == IKE_REASON_NONE ?
		child_read_spi(choice.algorithms.spi) : 0;
	if (choice.spi_out == 0 || child_by_spi_out(ike, choice.spi_out))
		return IKE_NOTIFY_INVALID_SYNTAX;
	choice.spi_in = ike->config.allocate_spi(ike->config.ctx);
	if (choice.spi_in == 0)
		return IKE_NOTIFY_NO_ADDITIONAL_SAS;
	*ret_choice = choice;
	return 0;
}

enum ike_reason
child_accept(struct ike *ike, const struct sa *sa,
	     const struct payloads *payloads,
	     enum ike_child_kind kind, uint16_t group,
	     struct selection *ret_algorithms, uint32_t *ret_spi_out)
{
	enum ike_reason reason;
	uint32_t spi;

	if (!PAYLOAD_HAS(payloads, SA) || !PAYLOAD_HAS(payloads, TSI) ||
	    !PAYLOAD_HAS(payloads, TSR))
		return IKE_REASON_PAYLOAD_MISSING;
	if (!payloads_notify(payloads, IKE_NOTIFY_USE_TRANSPORT_MODE))
		return IKE_REASON_TRANSPORT;
	reason = proposal_accept(&ike->algorithms, payloads->sa,
				 IKE_PROTOCOL_ESP, group ? PROPOSAL_KE_NEEDED :
				 PROPOSAL_KE_IGNORED, ret_algorithms);
	if (reason == IKE_REASON_NONE &&
	    (ret_algorithms->ke != group || payloads->ke_group != group))
		reason = IKE_REASON_GROUP;
	if (reason == IKE_REASON_NONE)
		reason = ts_accept(peers_pair(ike, sa), payloads->tsi,
				   payloads->tsr, kind);
	if (reason != IKE_REASON_NONE)
		return reason;
	spi = child_read_spi(ret_algorithms->spi);
	if (spi == 0)
		return IKE_REASON_PEER_SYNTAX;
	*ret_spi_out = spi;
	return IKE_REASON_NONE;
}
