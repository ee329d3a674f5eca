#include "sidecar/proof.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/address.h"

static struct policy_bytes copy(uint8_t **at, struct ike_bytes bytes)
{
	struct policy_bytes copied = { *at, bytes.len };

	if (bytes.len > 0)
		memcpy(*at, bytes.data, bytes.len);
	*at += bytes.len;
	return copied;
}

struct proof *proof_new(const struct ike_effect *effect,
			const struct in6_addr *remote)
{
	const size_t count = effect->need_authorization.certs_count;
	const struct ike_bytes *certs = effect->need_authorization.certs;
	const struct ike_bytes id = effect->need_authorization.id;
	size_t len = id.len;
	struct proof *proof;
	uint8_t *at;

	for (size_t i = 0; i < count; i++)
		len += certs[i].len;
	proof = calloc(1, sizeof(*proof) + len);
	if (!proof)
		return NULL;
	at = proof->data;
	proof->request = effect->need_authorization.request;
	proof->nat = effect->need_authorization.nat;
	proof->shown.certs_count = count;
	for (size_t i = 0; i < count; i++)
		proof->shown.certs[i] = copy(&at, certs[i]);
	proof->shown.id = copy(&at, id);
	proof->shown.id_is_address = effect->need_authorization.id_type ==
		(address_family(remote) == AF_INET ? IKE_ID_IPV4_ADDR :
						     IKE_ID_IPV6_ADDR);
	return proof;
}

void proof_judge(const struct proof *proof, const struct policy_peer *peer,
		 const struct in6_addr *remote,
		 struct policy_verdict *ret_verdict)
{
	struct policy_request request = proof->shown;

	request.peer_name = peer->name;
	request.as = peer->as;
	request.address = *policy_peer_identity(peer, remote);
	if (proof->nat)
		request.outside = *remote;
	request.anchors = peer->anchors;
	request.crls = peer->crls;
	request.now = time(NULL);
	policy_authorize(&request, ret_verdict);
}

static struct ike_time time_left(const struct policy_verdict *verdict)
{
	const time_t now = time(NULL);
	time_t end = verdict->not_after;

	if (verdict->crl.until != 0 && verdict->crl.until < end)
		end = verdict->crl.until;
	return end > now ? IKE_SECONDS(end - now) : IKE_SECONDS(0);
}

void proof_tell(const struct proof *proof, const struct policy_verdict *verdict,
		struct ike *ike, struct ike_time now)
{
	const struct ike_input answer = {
		.type = IKE_INPUT_AUTHORIZATION,
		.authorization = {
			.request = proof->request,
			.allowed = verdict->refusal == POLICY_ALLOWED,
			.valid_for = time_left(verdict),
		},
	};

	ike_input(ike, now, &answer);
}

void proofs_sort_out(struct proof **proofs, const struct ike *ike, bool orphans)
{
	while (*proofs) {
		struct proof *proof = *proofs;

		if (proof->request ? ike_rests_on(ike, proof->request) :
				     orphans) {
			proofs = &proof->next;
			continue;
		}
		*proofs = proof->next;
		free(proof);
	}
}

void proofs_orphan(struct proof *proofs)
{
	for (; proofs; proofs = proofs->next)
		proofs->request = 0;
}

void proofs_free(struct proof **proofs)
{
	while (*proofs) {
		struct proof *next = (*proofs)->next;

		free(*proofs);
		*proofs = next;
	}
}
