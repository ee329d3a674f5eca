/* INFORMATIONAL (RFC 7296 1.4, 1.4.1): liveness, DELETE, errors. */
#include "ike/exchanges.h"

/* ------------------------------------------------------------- initiator */

void informational_liveness(struct ike *ike, struct sa *sa)
{
	uint8_t bytes[16];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	request_send(ike, sa, PURPOSE_LIVENESS, IKE_EXCHANGE_INFORMATIONAL,
		     &inner);
}

static void write_delete(struct writer *writer, enum ike_protocol protocol,
			 const uint32_t *spis, size_t count)
{
	write_payload(writer, IKE_PAYLOAD_DELETE);
	write_u8(writer, (uint8_t)protocol);
	write_u8(writer, protocol == IKE_PROTOCOL_ESP ? 4 : 0);
	write_u16(writer, (uint16_t)count);
	for (size_t i = 0; i < count; i++)
		write_u32(writer, spis[i]);
}

void informational_delete_ike(struct ike *ike, struct sa *sa)
{
	uint8_t bytes[64];
	struct writer inner = writer_of(bytes, sizeof(bytes));

	if (sa->refused)
		payload_write_notify(&inner, IKE_NOTIFY_AUTHENTICATION_FAILED,
				     (struct ike_bytes){ NULL, 0 });
	write_delete(&inner, IKE_PROTOCOL_IKE, NULL, 0);
	request_send(ike, sa, PURPOSE_DELETE_IKE, IKE_EXCHANGE_INFORMATIONAL,
		     &inner);
}

void informational_delete_children(struct ike *ike, struct sa *sa)
{
	uint8_t bytes[256];
	struct writer inner = writer_of(bytes, sizeof(bytes));
	uint32_t spis[IKE_MAX_DELETE_SPIS];
	size_t count = 0;

	for (struct child *c = ike->children; c; c = c->next) {
		if (c->sa != sa || !time_due(c->delete_at, ike->now) ||
		    count == IKE_MAX_DELETE_SPIS)
			continue;
		c->delete_at = IKE_NEVER;
		c->deleting = true;
		sa->out.children[count] = c->info.id;
		spis[count++] = c->info.spi_in;
	}
	sa->out.children_count = count;
	write_delete(&inner, IKE_PROTOCOL_ESP, spis, count);
	request_send(ike, sa, PURPOSE_DELETE_CHILDREN,
		     IKE_EXCHANGE_INFORMATIONAL, &inner);
}

void informational_response(struct ike *ike, struct sa *sa,
			    struct message *message)
{
	enum purpose purpose = sa->out.purpose;

	(void)message;
	for (size_t i = 0; i < sa->out.children_count; i++) {
		struct child *c = child_by_id(ike, sa->out.children[i]);

		if (!c)
			continue;
		c->deleting = false;
		child_release(ike, c);
	}
	request_done(sa);
	if (purpose == PURPOSE_DELETE_IKE)
		sa_set_state(ike, sa, SA_DEAD);
}

/* ------------------------------------------------------------- responder */

/* End the Child SAs that the peer deletes; the answer names our inbound side
 * of each, unless we have said so ourselves already (RFC 7296 1.4.1). */
static size_t delete_children(struct ike *ike, struct sa *sa,
			      const struct payload_delete *del,
			      uint32_t ret_spis[IKE_MAX_DELETE_SPIS],
			      size_t count)
{
	struct reader reader = reader_of(del->spis);
	uint32_t spi;

	while (read_u32(&reader, &spi)) {
		struct child *child = child_by_spi_out(ike, spi);

		if (!child) {
			/* perhaps of an answer that is still to come: the
			 * peer could not install what it has agreed to */
			if (request_makes_child(sa))
				sa->out.stillborn = spi;
			continue;
		}
		if (!child->deleting && count < IKE_MAX_DELETE_SPIS)
			ret_spis[count++] = child->info.spi_in;
		child_deleted(ike, child);
	}
	return count;
}

/* Does the peer end the IKE SA, and why? */
static bool ends(const struct payloads *payloads, enum ike_reason *ret_reason)
{
	if (payloads_notify(payloads, IKE_NOTIFY_AUTHENTICATION_FAILED)) {
		*ret_reason = IKE_REASON_PEER_REFUSED;
		return true;
	}
	*ret_reason = IKE_REASON_PEER_DELETED;
	for (size_t i = 0; i < payloads->deletes_count; i++)
		if (payloads->deletes[i].protocol == IKE_PROTOCOL_IKE)
			return true;
	return false;
}

void informational_request(struct ike *ike, struct sa *sa,
			   struct message *message)
{
	const struct payloads *payloads = &message->payloads;
	uint8_t bytes[256];
	struct writer inner = writer_of(bytes, sizeof(bytes));
	uint32_t spis[IKE_MAX_DELETE_SPIS];
	enum ike_reason reason;
	size_t count = 0;

	/* the peer must not think that we have agreed to IKE_AUTH */
	if (sa->refused)
		return;
	if (ends(payloads, &reason)) {
		response_send(ike, sa, IKE_EXCHANGE_INFORMATIONAL, &inner);
		sa_deleted(ike, sa, reason);
		return;
	}
	for (size_t i = 0; i < payloads->deletes_count; i++)
		if (payloads->deletes[i].protocol == IKE_PROTOCOL_ESP)
			count = delete_children(ike, sa, &payloads->deletes[i],
						spis, count);
	if (count > 0)
		write_delete(&inner, IKE_PROTOCOL_ESP, spis, count);
	response_send(ike, sa, IKE_EXCHANGE_INFORMATIONAL, &inner);
}
