/*
 * Which message is legal in which state, what it must and may carry, and who
 * handles it. What stands in no row is refused here and not in a handler.
 */
#include "ike/exchanges.h"

#define P(name) PAYLOAD_BIT(IKE_PAYLOAD_##name)
#define IN(state) (1u << SA_##state)
#define TO(purpose) (1u << PURPOSE_##purpose)

enum {
	/* what anybody may add to anything */
	EXTRAS = 1 << (IKE_PAYLOAD_NOTIFY - IKE_PAYLOAD_SA) |
		1 << (IKE_PAYLOAD_VENDOR - IKE_PAYLOAD_SA),
	ANYTHING = -1
};

static void ended(struct ike *ike, struct sa *sa, struct message *message)
{
	(void)ike, (void)message;
	request_done(sa);
}

static const struct table_row rows[] = {
	/* IKE_SA_INIT */
	{ "request", IN(NONE), IKE_EXCHANGE_SA_INIT, false,
	  P(SA) | P(KE) | P(NONCE), EXTRAS | P(CERTREQ),
	  0, sa_init_request },
	{ "response", IN(INIT_SENT), IKE_EXCHANGE_SA_INIT, true,
	  P(SA) | P(KE) | P(NONCE), EXTRAS | P(CERTREQ),
	  TO(SA_INIT), sa_init_response },
	{ "refusal", IN(INIT_SENT), IKE_EXCHANGE_SA_INIT, true,
	  P(NOTIFY), EXTRAS,
	  TO(SA_INIT), sa_init_refused },

	/* IKE_AUTH */
	{ "request", IN(INIT_ANSWERED), IKE_EXCHANGE_AUTH, false,
	  P(IDI) | P(AUTH) | P(SA) | P(TSI) | P(TSR),
	  EXTRAS | P(CERT) | P(IDR) | P(CERTREQ) | P(CP), 0, auth_request },
	{ "childless request", IN(INIT_ANSWERED), IKE_EXCHANGE_AUTH, false,
	  P(IDI) | P(AUTH),
	  EXTRAS | P(CERT) | P(IDR) | P(CERTREQ) | P(CP), 0, auth_request },
	{ "response", IN(AUTH_SENT), IKE_EXCHANGE_AUTH, true,
	  P(IDR) | P(AUTH),
	  EXTRAS | P(CERT) | P(SA) | P(TSI) | P(TSR) | P(CERTREQ) | P(CP),
	  TO(AUTH), auth_response },
	{ "refusal", IN(AUTH_SENT), IKE_EXCHANGE_AUTH, true,
	  P(NOTIFY), EXTRAS, TO(AUTH), auth_refused },

	/* CREATE_CHILD_SA: a Child SA, new or rekeyed */
	{ "child request", IN(ESTABLISHED), IKE_EXCHANGE_CREATE_CHILD_SA, false,
	  P(SA) | P(NONCE) | P(TSI) | P(TSR), EXTRAS | P(KE),
	  0, child_request },
	{ "child response", IN(ESTABLISHED) | IN(REPLACED),
	  IKE_EXCHANGE_CREATE_CHILD_SA, true,
	  P(SA) | P(NONCE) | P(TSI) | P(TSR), EXTRAS | P(KE),
	  TO(CHILD) | TO(CHILD_REKEY), child_response },

	/* CREATE_CHILD_SA: the IKE SA rekeyed */
	{ "rekey request", IN(ESTABLISHED), IKE_EXCHANGE_CREATE_CHILD_SA, false,
	  P(SA) | P(NONCE) | P(KE), EXTRAS, 0, rekey_request },
	{ "rekey response", IN(ESTABLISHED) | IN(REPLACED),
	  IKE_EXCHANGE_CREATE_CHILD_SA, true,
	  P(SA) | P(NONCE) | P(KE), EXTRAS, TO(IKE_REKEY), rekey_response },

	/* CREATE_CHILD_SA refused, or at the wrong time */
	{ "refusal", IN(ESTABLISHED) | IN(REPLACED),
	  IKE_EXCHANGE_CREATE_CHILD_SA, true,
	  P(NOTIFY), EXTRAS,
	  TO(CHILD) | TO(CHILD_REKEY) | TO(IKE_REKEY), create_refused },
	{ "late request", IN(REPLACED) | IN(DELETING),
	  IKE_EXCHANGE_CREATE_CHILD_SA, false,
	  P(SA) | P(NONCE), ANYTHING, 0, child_busy },
	{ "late response", IN(DELETING), IKE_EXCHANGE_CREATE_CHILD_SA, true,
	  0, ANYTHING, ANYTHING, ended },

	/* INFORMATIONAL */
	{ "request", IN(ESTABLISHED) | IN(REPLACED) | IN(DELETING),
	  IKE_EXCHANGE_INFORMATIONAL, false,
	  0, EXTRAS | P(DELETE) | P(CP), 0, informational_request },
	{ "response", IN(ESTABLISHED) | IN(REPLACED) | IN(DELETING),
	  IKE_EXCHANGE_INFORMATIONAL, true,
	  0, EXTRAS | P(DELETE) | P(CP), ANYTHING, informational_response },
};

const struct table_row *
table_find(enum sa_state state, enum purpose purpose,
	   const struct message_header *header,
	   const struct payloads *payloads, enum ike_reason *ret_reason)
{
	enum ike_reason reason = IKE_REASON_UNEXPECTED;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct table_row *row = &rows[i];

		if (!(row->states & 1u << state) ||
		    row->exchange != header->exchange ||
		    row->response != header->response ||
		    (row->response && !(row->purposes & 1u << purpose)))
			continue;
		if ((payloads->present & row->required) != row->required) {
			if (reason == IKE_REASON_UNEXPECTED)
				reason = IKE_REASON_PAYLOAD_MISSING;
			continue;
		}
		if (payloads->present & ~(row->required | row->allowed)) {
			reason = IKE_REASON_PAYLOAD_FORBIDDEN;
			continue;
		}
		return row;
	}
	*ret_reason = reason;
	return NULL;
}
