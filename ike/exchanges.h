/* The exchanges and their parts, a file each: what begins them, and the handlers
 * that table.c names. */
#ifndef IKE_EXCHANGES_H
#define IKE_EXCHANGES_H

#include "ike/engine.h"

void sa_init_start(struct ike *ike, struct sa *sa);
void sa_init_request(struct ike *ike, struct sa *sa, struct message *message);
void sa_init_response(struct ike *ike, struct sa *sa, struct message *message);
void sa_init_refused(struct ike *ike, struct sa *sa, struct message *message);
/* Answer an IKE_SA_INIT request in clear, without state. */
void sa_init_refuse(struct ike *ike, const struct message_header *header,
		    enum ike_notify type, struct ike_bytes data);

/* RFC 7296 2.23: what an IKE_SA_INIT says of addresses, ports and ESP in UDP;
 * what the peer's says about it; whether that is acceptable. */
void nat_write(const struct ike *ike, const struct sa *sa,
	       struct writer *writer);
bool nat_acceptable(const struct ike *ike, const struct message *message);
void nat_detect(const struct ike *ike, struct sa *sa,
		const struct message *message);
/* An authentic message has come: the peer may have got another port. */
void nat_follow(struct ike *ike, struct sa *sa);
/* The peer's side of ESP in UDP: port in host order. */
uint16_t nat_peer_port(const struct sa *sa);
/* RFC 7296 2.6: does the request bring our cookie; ask for it. */
bool cookie_valid(struct ike *ike, const struct message *message);
void cookie_ask(struct ike *ike, const struct message *message);

/* Our handshake has keys: ask for our signature. */
void auth_start(struct ike *ike, struct sa *sa);
void auth_sign(struct ike *ike, struct sa *sa);
/* Ask for the keys mixed with the PPK. */
void auth_mix(struct ike *ike, struct sa *sa);
/* Verify the peer's AUTH with the key of its end certificate. Whose it is, is
 * decided elsewhere, later; so is all of a MAC that needs the key. */
MUST_CHECK enum ike_reason auth_verify_peer(const struct ike *ike,
					    const struct sa *sa,
					    const struct payloads *payloads);
/* Ask for the decision about the peer's certificate, or for the MAC that its
 * AUTH must be. */
void auth_ask_authorization(struct ike *ike, struct sa *sa);
void auth_signed(struct ike *ike, struct sa *sa, struct ike_bytes signature);
/* The body of our ID payload; our CERT payloads; CERTREQ with the anchors that
 * the peer's chain may end at (RFC 7296 3.5 to 3.7). */
void auth_write_id(const struct ike *ike, struct writer *writer);
void auth_write_certs(const struct ike *ike, struct writer *writer);
void auth_write_certreq(const struct ike *ike, struct writer *writer);
/* The MAC that the peer's AUTH must be, if by pre-shared key. */
void auth_expected(struct ike *ike, struct sa *sa, struct ike_bytes mac);
/* The keys mixed with the PPK. */
void auth_mixed(struct ike *ike, struct sa *sa, struct ike_bytes keys);
/* How to sign, for a peer that sent this IKE_SA_INIT message. */
MUST_CHECK bool auth_choose(const struct ike *ike,
			    const struct payloads *payloads,
			    struct signature_choice *ret_choice);
void auth_authorized(struct ike *ike, struct sa *sa, bool allowed,
		     struct ike_time valid_for);
void auth_request(struct ike *ike, struct sa *sa, struct message *message);
void auth_response(struct ike *ike, struct sa *sa, struct message *message);
void auth_refused(struct ike *ike, struct sa *sa, struct message *message);

struct ike_bytes nonce_view(const struct nonce *nonce);
MUST_CHECK bool nonce_set(struct nonce *nonce, struct ike_bytes bytes);
/* The peer has made an SA while our request for the same is out: note its
 * nonces. Later: has ours, answered with this one, the lowest of the four (RFC
 * 7296 2.8.1)? Then ours goes. */
void rival_note(struct rival *rival, struct ike_bytes ni, struct ike_bytes nr);
bool rival_wins(const struct request *request, struct ike_bytes peer_nonce);

void child_negotiate(struct ike *ike, struct sa *sa, enum ike_child_kind kind,
		     struct child *rekeyed);
void nonce_write(struct writer *writer, const struct nonce *nonce);
void ke_write(struct writer *writer, const struct crypto_ke *ke);
/* The initiator's part that IKE_AUTH and CREATE_CHILD_SA share; `nonce` NULL
 * in IKE_AUTH, `ke` also without PFS. */
void child_write_offer(struct ike *ike, struct writer *writer,
		       enum ike_child_kind kind, uint32_t spi,
		       const struct nonce *nonce, const struct crypto_ke *ke);
/* The responder's part that IKE_AUTH and CREATE_CHILD_SA share: choose from
 * the peer's payloads. Returns 0, or on refusal the notify to send. */
struct child_choice {
	struct selection algorithms;
	enum ike_child_kind kind;
	uint32_t spi_in, spi_out;
	struct in6_addr local, peer;	/* as the peer calls them */
};
MUST_CHECK uint16_t
child_choose(struct ike *ike, struct sa *sa, const struct payloads *payloads,
	     enum proposal_ke ke, unsigned wanted,
	     struct child_choice *ret_choice);
/* An SPI of so many octets as it stands in a message, in `ret_bytes`. */
struct ike_bytes spi_view(uint64_t spi, size_t len, uint8_t *ret_bytes);
/* An ESP SPI as it stands in a message; 0 if it is none. */
uint32_t child_read_spi(struct ike_bytes bytes);
/* The set of kinds (1 << kind) that an IKE SA has no Child SA of. */
unsigned child_missing(const struct ike *ike, const struct sa *sa);
void child_write_choice(struct writer *writer,
			const struct child_choice *choice,
			const struct nonce *nonce, const struct crypto_ke *ke);
/* The initiator's: check the peer's answer; `group` of our own KE payload, 0
 * if there was none. */
MUST_CHECK enum ike_reason
child_accept(struct ike *ike, const struct sa *sa,
	     const struct payloads *payloads,
	     enum ike_child_kind kind, uint16_t group,
	     struct selection *ret_algorithms, uint32_t *ret_spi_out);
/* A Child SA was refused: tell, and try again later. */
void child_failed(struct ike *ike, struct sa *sa, enum ike_child_kind kind,
		  enum ike_reason reason, uint16_t notify);
enum ike_reason child_refusal_reason(uint16_t notify);
void child_request(struct ike *ike, struct sa *sa, struct message *message);
void child_response(struct ike *ike, struct sa *sa, struct message *message);
void child_busy(struct ike *ike, struct sa *sa, struct message *message);
/* Refuse the peer's CREATE_CHILD_SA, of either use; INVALID_KE_PAYLOAD with the
 * group that we want, else 0. */
void create_refuse(struct ike *ike, struct sa *sa, enum ike_notify type,
		   uint16_t group);
/* CREATE_CHILD_SA of either use was refused. */
void create_refused(struct ike *ike, struct sa *sa, struct message *message);
/* The request that is out has failed, for a reason found by us. */
void create_failed(struct ike *ike, struct sa *sa, enum ike_reason reason,
		   uint16_t notify);

void rekey_start(struct ike *ike, struct sa *sa);
void rekey_request(struct ike *ike, struct sa *sa, struct message *message);
void rekey_response(struct ike *ike, struct sa *sa, struct message *message);
/* Our own rekey came to nothing. */
void rekey_failed(struct ike *ike, struct sa *sa, uint16_t notify);
/* INVALID_KE_PAYLOAD says which group the peer wants (RFC 7296 1.3); false if
 * that is none of ours, or no other one. */
bool rekey_wanted_group(const struct ike *ike, struct sa *sa,
			const struct payload_notify *notify);
/* Our key for a CREATE_CHILD_SA exchange: of the group that the IKE SA has,
 * or that the peer has asked for. */
MUST_CHECK bool rekey_make_ke(struct ike *ike, struct sa *sa);
/* The peer deletes an IKE SA whose rekey by the peer collided with ours. */
void rekey_adopt_rival(struct ike *ike, struct sa *sa);

void informational_liveness(struct ike *ike, struct sa *sa);
void informational_delete_children(struct ike *ike, struct sa *sa);
void informational_delete_ike(struct ike *ike, struct sa *sa);
void informational_request(struct ike *ike, struct sa *sa,
			   struct message *message);
void informational_response(struct ike *ike, struct sa *sa,
			    struct message *message);

#endif
