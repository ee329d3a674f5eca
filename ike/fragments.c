#include "ike/fragments.h"

#include <stdlib.h>
#include <string.h>

#include "ike/message.h"

enum ike_reason fragments_check(const struct fragments *set, uint32_t id,
				const struct payloads *outer)
{
	if (!set || set->id != id || outer->fragments > set->total)
		return IKE_REASON_NONE;
	if (outer->fragments < set->total)
		return IKE_REASON_FRAGMENT;
	return set->parts[outer->fragment - 1].plaintext ?
		IKE_REASON_RETRANSMISSION : IKE_REASON_NONE;
}

enum ike_reason
fragments_add(struct fragments **set, uint32_t id,
	      const struct payloads *outer, struct ike_time until,
	      uint8_t *plaintext, size_t len)
{
	struct fragments *to = *set;

	if (to && (to->id != id || to->total < outer->fragments)) {
		fragments_free(to);
		to = NULL;
	}
	if (!to) {
		*set = to = calloc(1, sizeof(*to));
		if (!to) {
			message_free_plaintext(plaintext, len);
			return IKE_REASON_NO_MEMORY;
		}
		to->id = id;
		to->total = outer->fragments;
		to->until = until;
	}
	to->parts[outer->fragment - 1] = (struct fragments_part){
		plaintext, len };
	to->count++;
	if (outer->fragment == 1)
		to->first = outer->sk_first;
	if (len <= IKE_MAX_MESSAGE - to->len) {
		to->len += len;
		return IKE_REASON_NONE;
	}
	fragments_free(to);
	*set = NULL;
	return IKE_REASON_FRAGMENT;
}

bool fragments_join(const struct fragments *set, uint8_t *ret_first,
		    uint8_t **ret_plaintext, size_t *ret_len)
{
	uint8_t *whole, *at;

	if (set->count < set->total)
		return false;
	at = whole = malloc(set->len + 1);
	if (!whole)
		return false;
	for (size_t i = 0; i < set->total; i++) {
		memcpy(at, set->parts[i].plaintext, set->parts[i].len);
		at += set->parts[i].len;
	}
	*ret_first = set->first;
	*ret_plaintext = whole;
	*ret_len = set->len;
	return true;
}

void fragments_free(struct fragments *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->total; i++)
		message_free_plaintext(set->parts[i].plaintext,
				       set->parts[i].len);
	free(set);
}
