#include "ike/proposal.h"

enum {
	ATTRIBUTE_KEY_LENGTH = 14,	/* RFC 7296 3.3.5 */
	ATTRIBUTE_TV = 0x8000,
	MORE_PROPOSALS = 2,
	MORE_TRANSFORMS = 3,
	TYPES_END = IKE_TRANSFORM_ESN + 1
};

struct proposal {
	uint8_t number, protocol;
	struct ike_bytes spi;
	struct transform transforms[IKE_MAX_TRANSFORMS];
	size_t count;
};

/* Key length is the only attribute there is; a transform with another one, or
 * with a second one, or with length 0, is none that we know (RFC 7296 3.3.5,
 * 3.3.6; CVE-2024-3652). */
static bool parse_attributes(struct reader *reader, struct transform *transform)
{
	while (reader->left > 0) {
		uint16_t type, value;
		struct ike_bytes skipped;

		if (!read_u16(reader, &type) || !read_u16(reader, &value))
			return false;
		if (type == (ATTRIBUTE_TV | ATTRIBUTE_KEY_LENGTH) &&
		    value != 0 && transform->key_bits == 0) {
			transform->key_bits = value;
			continue;
		}
		transform->type = 0;
		if (!(type & ATTRIBUTE_TV) &&
		    !read_bytes(reader, value, &skipped))
			return false;
	}
	return true;
}

/* RFC 7296 3.3.2 */
static bool parse_transform(struct reader *reader, bool last,
			    struct transform *ret_transform)
{
	struct transform transform = { 0 };
	uint8_t more, reserved;
	struct reader body;
	struct ike_bytes rest;
	uint16_t len;

	if (!read_u8(reader, &more) || !read_u8(reader, &reserved) ||
	    more != (last ? 0 : MORE_TRANSFORMS) || !read_u16(reader, &len) ||
	    len < 8 || !read_bytes(reader, len - 4u, &rest))
		return false;
	body = reader_of(rest);
	if (!read_u8(&body, &transform.type) || !read_u8(&body, &reserved) ||
	    !read_u16(&body, &transform.id) ||
	    !parse_attributes(&body, &transform))
		return false;
	*ret_transform = transform;
	return true;
}

/* RFC 7296 3.3.1 */
static bool parse_proposal(struct reader *reader, struct proposal *ret_proposal)
{
	struct proposal *proposal = ret_proposal;
	uint8_t more, reserved, spi_size, count;
	struct ike_bytes rest;
	struct reader body;
	uint16_t len;

	if (!read_u8(reader, &more) || !read_u8(reader, &reserved) ||
	    !read_u16(reader, &len) || len < 8 ||
	    !read_bytes(reader, len - 4u, &rest) ||
	    more != (reader->left ? MORE_PROPOSALS : 0))
		return false;
	body = reader_of(rest);
	if (!read_u8(&body, &proposal->number) ||
	    !read_u8(&body, &proposal->protocol) ||
	    !read_u8(&body, &spi_size) || !read_u8(&body, &count) ||
	    !read_bytes(&body, spi_size, &proposal->spi) ||
	    count > IKE_MAX_TRANSFORMS)
		return false;
	for (proposal->count = 0; proposal->count < count; proposal->count++)
		if (!parse_transform(&body, proposal->count + 1u == count,
				     &proposal->transforms[proposal->count]))
			return false;
	return body.left == 0;
}

static bool offers(const struct proposal *proposal,
		   const struct transform *wanted)
{
	for (size_t i = 0; i < proposal->count; i++)
		if (transform_equal(&proposal->transforms[i], wanted))
			return true;
	return false;
}

static const struct transform *first_of(const struct proposal *proposal,
					unsigned type)
{
	for (size_t i = 0; i < proposal->count; i++)
		if (proposal->transforms[i].type == type)
			return &proposal->transforms[i];
	return NULL;
}

/* The suite's best transform of a type that the proposal has too, or NULL. */
static const struct transform *
best(const struct proposal *proposal, const struct suite *suite, unsigned type,
     uint16_t prefer)
{
	const struct transform *found = NULL;

	for (size_t i = 0; i < suite->count; i++) {
		const struct transform *t = &suite->transforms[i];

		if (t->type != type || !offers(proposal, t))
			continue;
		if (prefer && t->id == prefer)
			return t;
		if (!found)
			found = t;
	}
	return found;
}

static void select_transform(struct selection *selection,
			     const struct transform *transform)
{
	uint16_t *const ids[TYPES_END] = {
		[IKE_TRANSFORM_ENCR] = &selection->encr,
		[IKE_TRANSFORM_PRF] = &selection->prf,
		[IKE_TRANSFORM_INTEG] = &selection->integ,
		[IKE_TRANSFORM_KE] = &selection->ke,
		[IKE_TRANSFORM_ESN] = &selection->esn
	};

	*ids[transform->type] = transform->id;
	if (transform->type == IKE_TRANSFORM_ENCR)
		selection->encr_key_bits = transform->key_bits;
}

/* A type that the proposal has and our suite has not may be
 * there only if NONE is one of the choices: AEAD with INTEG (RFC 7296 3.3). */
static bool only_none(const struct proposal *proposal, unsigned type)
{
	struct transform none = { .type = (uint8_t)type };

	return !first_of(proposal, type) ||
		(type == IKE_TRANSFORM_INTEG && offers(proposal, &none));
}

/* Is a transform of this type part of what we must agree on? */
static bool needed(const struct proposal *proposal, const struct suite *suite,
		   unsigned type, enum proposal_ke ke)
{
	const struct transform none = { IKE_TRANSFORM_KE, IKE_KE_NONE, 0 };

	if (type == IKE_TRANSFORM_KE && ke == PROPOSAL_KE_IGNORED)
		return false;
	if (type == IKE_TRANSFORM_KE && ke == PROPOSAL_KE_OPTIONAL)
		return first_of(proposal, type) || !suite_offers(suite, &none);
	return suite_first(suite, type);
}

static bool
select_all(const struct proposal *proposal, const struct suite *suite,
	   enum proposal_ke ke, uint16_t prefer_ke,
	   struct selection *ret_selection)
{
	struct selection selection = {
		.number = proposal->number,
		.protocol = (enum ike_protocol)proposal->protocol,
		.spi = proposal->spi
	};

	/* a transform of a type beyond ESN is one that we cannot honour */
	for (size_t i = 0; i < proposal->count; i++)
		if (proposal->transforms[i].type >= TYPES_END)
			return false;
	for (unsigned type = IKE_TRANSFORM_ENCR; type < TYPES_END; type++) {
		const struct transform *chosen;

		if (!suite_first(suite, type) && !only_none(proposal, type))
			return false;
		if (!needed(proposal, suite, type, ke))
			continue;
		chosen = best(proposal, suite, type,
			      type == IKE_TRANSFORM_KE ? prefer_ke : 0);
		if (!chosen)
			return false;
		select_transform(&selection, chosen);
	}
	*ret_selection = selection;
	return true;
}

/* With our best suite that fits. */
static bool
select_suite(const struct algorithms *algorithms, const struct proposal *proposal,
	     enum proposal_ke ke, uint16_t prefer_ke,
	     struct selection *ret_selection)
{
	enum ike_protocol protocol = (enum ike_protocol)proposal->protocol;
	const struct suite *suite;

	for (unsigned i = 1;
	     (suite = algorithms_suite(algorithms, protocol, i)); i++)
		if (select_all(proposal, suite, ke, prefer_ke, ret_selection))
			return true;
	return false;
}

enum ike_reason
proposal_choose(const struct algorithms *algorithms, struct ike_bytes sa,
		enum ike_protocol protocol, enum proposal_ke ke,
		uint16_t prefer_ke, struct selection *ret_selection)
{
	struct reader reader = reader_of(sa);
	struct selection selection;
	bool found = false;

	for (size_t i = 0; reader.left > 0; i++) {
		struct proposal proposal;

		if (i == IKE_MAX_PROPOSALS ||
		    !parse_proposal(&reader, &proposal))
			return IKE_REASON_PAYLOAD;
		if (!found && proposal.protocol == protocol)
			found = select_suite(algorithms, &proposal, ke,
					     prefer_ke, &selection);
	}
	if (!found)
		return IKE_REASON_NO_PROPOSAL;
	*ret_selection = selection;
	return IKE_REASON_NONE;
}

static bool is_offered(const struct transform *t, enum proposal_ke ke)
{
	return t->type != IKE_TRANSFORM_KE ||
		(ke == PROPOSAL_KE_NEEDED && t->id != IKE_KE_NONE);
}

/* Every transform is one that the suite offers, and no type stands twice. */
static bool as_offered(const struct proposal *proposal,
		       const struct suite *suite, enum proposal_ke ke)
{
	for (size_t i = 0; i < proposal->count; i++) {
		const struct transform *t = &proposal->transforms[i];

		if (!is_offered(t, ke) || !suite_offers(suite, t) ||
		    first_of(proposal, t->type) != t)
			return false;
	}
	return true;
}

enum ike_reason
proposal_accept(const struct algorithms *algorithms, struct ike_bytes sa,
		enum ike_protocol protocol, enum proposal_ke ke,
		struct selection *ret_selection)
{
	struct reader reader = reader_of(sa);
	const struct suite *suite;
	struct proposal proposal;

	if (!parse_proposal(&reader, &proposal) || reader.left > 0)
		return IKE_REASON_PAYLOAD;
	suite = algorithms_suite(algorithms, protocol, proposal.number);
	if (proposal.protocol != protocol || !suite ||
	    !as_offered(&proposal, suite, ke) ||
	    !select_all(&proposal, suite, ke, 0, ret_selection))
		return IKE_REASON_NO_PROPOSAL;
	return IKE_REASON_NONE;
}

static void write_transform(struct writer *writer, struct transform transform,
			    bool last)
{
	write_u8(writer, last ? 0 : MORE_TRANSFORMS);
	write_u8(writer, 0);
	write_u16(writer, transform.key_bits ? 12 : 8);
	write_u8(writer, transform.type);
	write_u8(writer, 0);
	write_u16(writer, transform.id);
	if (!transform.key_bits)
		return;
	write_u16(writer, ATTRIBUTE_TV | ATTRIBUTE_KEY_LENGTH);
	write_u16(writer, transform.key_bits);
}

/* One proposal of an SA payload of ours. */
static void
write_proposal(struct writer *writer, const struct selection *header,
	       struct ike_bytes spi, const struct transform *transforms,
	       size_t count, bool last)
{
	size_t start = writer->len;

	write_u8(writer, last ? 0 : MORE_PROPOSALS);
	write_u8(writer, 0);
	write_u16(writer, 0);
	write_u8(writer, header->number);
	write_u8(writer, (uint8_t)header->protocol);
	write_u8(writer, (uint8_t)spi.len);
	write_u8(writer, (uint8_t)count);
	write_view(writer, spi);
	for (size_t i = 0; i < count; i++)
		write_transform(writer, transforms[i], i + 1 == count);
	write_u16_at(writer, start + 2, (uint16_t)(writer->len - start));
}

void proposal_write_offer(struct writer *writer, const struct algorithms *algorithms,
			  enum ike_protocol protocol, enum proposal_ke ke,
			  struct ike_bytes spi)
{
	struct selection header = { .number = 1, .protocol = protocol };
	const struct suite *suite = algorithms_suite(algorithms, protocol, 1);

	write_payload(writer, IKE_PAYLOAD_SA);
	while (suite) {
		const struct suite *next = algorithms_suite(
			algorithms, protocol, header.number + 1u);
		struct transform transforms[IKE_MAX_TRANSFORMS];
		size_t count = 0;

		for (size_t i = 0; i < suite->count; i++)
			if (is_offered(&suite->transforms[i], ke))
				transforms[count++] = suite->transforms[i];
		write_proposal(writer, &header, spi, transforms, count, !next);
		header.number++;
		suite = next;
	}
}

void proposal_write_selection(struct writer *writer,
			      const struct selection *selection,
			      struct ike_bytes spi)
{
	const struct transform chosen[] = {
		{ IKE_TRANSFORM_ENCR, selection->encr,
		  selection->encr_key_bits },
		{ IKE_TRANSFORM_PRF, selection->prf, 0 },
		{ IKE_TRANSFORM_INTEG, selection->integ, 0 },
		{ IKE_TRANSFORM_KE, selection->ke, 0 },
		{ IKE_TRANSFORM_ESN, selection->esn, 0 },
	};
	struct transform transforms[TYPES_END];
	size_t count = 0;

	/* id 0 means that there is none, but for ESN */
	for (size_t i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++)
		if (chosen[i].id ||
		    (chosen[i].type == IKE_TRANSFORM_ESN &&
		     selection->protocol == IKE_PROTOCOL_ESP))
			transforms[count++] = chosen[i];
	write_payload(writer, IKE_PAYLOAD_SA);
	write_proposal(writer, selection, spi, transforms, count, true);
}
