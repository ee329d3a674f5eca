/*
 * SA payloads (RFC 7296 3.3): what we offer, what we accept, and which of a
 * peer's proposals we choose. The algorithms are those of
 * algorithms.h.
 */
#ifndef IKE_PROPOSAL_H
#define IKE_PROPOSAL_H

#include "ike/algorithms.h"
#include "ike/wire.h"

/* One proposal with one transform of each type: the outcome. */
struct selection {
	uint8_t number;
	enum ike_protocol protocol;
	struct ike_bytes spi;		/* the peer's; a view */
	uint16_t encr, encr_key_bits, prf, integ, ke, esn;
};

/* How the KE transforms of a proposal are to be taken. */
enum proposal_ke {
	PROPOSAL_KE_NEEDED,	/* an IKE SA; a Child SA of ours with PFS */
	PROPOSAL_KE_OPTIONAL,	/* a peer's Child SA by CREATE_CHILD_SA: as
				 * the peer wants, but for NONE with PFS */
	PROPOSAL_KE_IGNORED	/* IKE_AUTH (RFC 7296 1.2), or without PFS */
};

/*
 * Choose from the peer's offer `sa` the first proposal of `protocol` that we
 * accept, and in it what we like best; `prefer_ke` is the group of the peer's
 * KE payload (0: none), taken when it is acceptable, to save a round trip.
 * Returns IKE_REASON_NONE, IKE_REASON_PAYLOAD (malformed) or
 * IKE_REASON_NO_PROPOSAL.
 */
MUST_CHECK enum ike_reason
proposal_choose(const struct algorithms *algorithms, struct ike_bytes sa,
		enum ike_protocol protocol, enum proposal_ke ke,
		uint16_t prefer_ke, struct selection *ret_selection);

/* Check the peer's answer `sa` to our own offer: exactly one proposal, with
 * the number of one of ours and of transforms that it has. Results as above. */
MUST_CHECK enum ike_reason
proposal_accept(const struct algorithms *algorithms, struct ike_bytes sa,
		enum ike_protocol protocol, enum proposal_ke ke,
		struct selection *ret_selection);

/* Write an SA payload with our offer, or with what was chosen. `spi` is our
 * own SPI, empty in IKE_SA_INIT. */
void proposal_write_offer(struct writer *writer, const struct algorithms *algorithms,
			  enum ike_protocol protocol, enum proposal_ke ke,
			  struct ike_bytes spi);
void proposal_write_selection(struct writer *writer,
			      const struct selection *selection,
			      struct ike_bytes spi);

#endif
