/*
 * Which algorithms are offered and accepted: proposals (RFC 7296 3.3), written
 * as words with hyphens between them, and commas between proposals:
 *
 *	aes256gcm16-prfsha256-x25519-ecp256, aes256-sha256-prfsha256-ecp256
 *
 * Several words of one type are choices, by preference. The named profiles are
 * such texts, too.
 */
#ifndef IKE_ALGORITHMS_H
#define IKE_ALGORITHMS_H

#include "ike/wire.h"

struct transform {
	uint8_t type;
	uint16_t id, key_bits;
};

/* One proposal. In those of ESP stand the groups of the IKE proposals, for
 * CREATE_CHILD_SA (RFC 7296 1.3.1), and NONE before them without PFS. */
struct suite {
	enum ike_protocol protocol;
	struct transform transforms[IKE_MAX_OWN_TRANSFORMS];
	size_t count;
};

struct algorithms {
	struct suite suites[2 * IKE_MAX_OWN_PROPOSALS];
	size_t count;
	bool pfs;	/* every Child SA by CREATE_CHILD_SA has its own KE */
};

/* What is wrong with a text. */
struct algorithms_fault {
	const char *why;		/* "stands twice" */
	struct ike_bytes word;		/* that, or the whole proposal */
	bool unknown;			/* list algorithms_word() as the cure */
};

/*
 * Add the proposals in `text` to *algorithms. Refused with *ret_fault are
 * words that there are not for this protocol, and proposals that lack a type
 * or do not come to exactly one integrity check: ENCR_NULL without one cannot
 * be said. The groups are not put into those of ESP yet.
 */
MUST_CHECK bool algorithms_parse(enum ike_protocol protocol, const char *text,
				 struct algorithms *algorithms,
				 struct algorithms_fault *ret_fault);

/* The words of a protocol, by number from 0; NULL if there are less. */
const char *algorithms_word(enum ike_protocol protocol, size_t number);

/* All that a configuration wants. False if a text of it is refused. */
MUST_CHECK bool algorithms_of(const struct ike_config *config,
			      struct algorithms *ret_algorithms);

bool transform_equal(const struct transform *a, const struct transform *b);
/* Does a proposal of ours have this transform? Its best of a type, or NULL. */
bool suite_offers(const struct suite *suite, const struct transform *transform);
const struct transform *suite_first(const struct suite *suite, unsigned type);

/* The `number`th proposal (from 1) of a protocol; NULL if there are less. */
const struct suite *algorithms_suite(const struct algorithms *algorithms,
				     enum ike_protocol protocol,
				     unsigned number);

/* Do we offer this group for IKE SAs? And the one we start with. */
bool algorithms_offer_ke(const struct algorithms *algorithms, uint16_t group);
uint16_t algorithms_first_ke(const struct algorithms *algorithms);

#endif
