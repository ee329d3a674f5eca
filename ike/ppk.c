#include "ike/ppk.h"

#include "ike/engine.h"

#include <string.h>

enum { PPK_ID_FIXED = 2 };	/* RFC 8784 5.1 */

bool ppk_mix(const struct ike_crypto *crypto, uint16_t prf,
	     struct ike_bytes ppk, struct ike_bytes keys, uint8_t *ret_mixed)
{
	const size_t size = crypto_prf_key_size(prf);
	uint8_t mixed[PPK_MIXED_KEYS * SECRET_MAX];
	bool done = ppk.len >= PPK_MIN && size > 0 && size <= SECRET_MAX &&
		keys.len == PPK_MIXED_KEYS * size;

	for (size_t at = 0; done && at < keys.len; at += size)
		done = crypto_prf_plus(crypto, prf, ppk, (struct ike_bytes){
				       keys.data + at, size }, mixed + at,
				       size);
	if (done)
		memcpy(ret_mixed, mixed, keys.len);
	OPENSSL_cleanse(mixed, sizeof(mixed));
	return done;
}

/* -------------------------------------------------------------- notifies */

void ppk_write_use(const struct ike *ike, struct writer *writer)
{
	if (ike->config.ppk_id_len > 0)
		payload_write_notify(writer, IKE_NOTIFY_USE_PPK,
				     (struct ike_bytes){ NULL, 0 });
}

bool ppk_agreed(const struct ike *ike, const struct payloads *payloads)
{
	return ike->config.ppk_id_len > 0 &&
		payloads_notify(payloads, IKE_NOTIFY_USE_PPK);
}

/* PPK_ID: its type, then the name. */
static struct ike_bytes own_id(const struct ike *ike,
			       uint8_t bytes[1 + IKE_MAX_PPK_ID])
{
	bytes[0] = PPK_ID_FIXED;
	memcpy(bytes + 1, ike->config.ppk_id, ike->config.ppk_id_len);
	return (struct ike_bytes){ bytes, 1 + ike->config.ppk_id_len };
}

void ppk_write_identity(const struct ike *ike, const struct sa *sa,
			struct writer *writer)
{
	const struct handshake *handshake = sa->handshake;
	uint8_t id[1 + IKE_MAX_PPK_ID];

	if (!handshake->mixed)
		return;
	payload_write_notify(writer, IKE_NOTIFY_PPK_IDENTITY,
			     own_id(ike, id));
	if (handshake->no_ppk_auth.len > 0)
		payload_write_notify(writer, IKE_NOTIFY_NO_PPK_AUTH,
				     buffer_view(&handshake->no_ppk_auth));
}

enum ike_reason
ppk_choose(const struct ike *ike, const struct sa *sa,
	   struct payloads *payloads, bool *ret_mix)
{
	const struct payload_notify *identity, *without;
	const bool required = ike->config.ppk_required;
	uint8_t id[1 + IKE_MAX_PPK_ID];

	*ret_mix = false;
	if (!sa->handshake->ppk)
		return required ? IKE_REASON_PPK : IKE_REASON_NONE;
	identity = payloads_notify(payloads, IKE_NOTIFY_PPK_IDENTITY);
	without = payloads_notify(payloads, IKE_NOTIFY_NO_PPK_AUTH);
	if (!identity)
		return IKE_REASON_PPK;
	if (bytes_equal(identity->data, own_id(ike, id))) {
		*ret_mix = true;
		return IKE_REASON_NONE;
	}
	if (required || !without || without->data.len == 0)
		return IKE_REASON_PPK;
	payloads->auth = without->data;
	return IKE_REASON_NONE;
}

enum ike_reason
ppk_answered(const struct ike *ike, struct sa *sa,
	     const struct payloads *payloads)
{
	if (!sa->handshake->mixed ||
	    payloads_notify(payloads, IKE_NOTIFY_PPK_IDENTITY))
		return IKE_REASON_NONE;
	if (ike->config.ppk_required)
		return IKE_REASON_PPK;
	sa->handshake->mixed = false;
	return IKE_REASON_NONE;
}

/* ------------------------------------------------------------------ keys */

uint32_t ppk_ask(struct ike *ike, const struct sa *sa)
{
	const struct secret *keys[] = { &sa->keys.d, &sa->keys.pi,
					&sa->keys.pr };
	uint8_t bytes[PPK_MIXED_KEYS * SECRET_MAX];
	struct writer writer = writer_of(bytes, sizeof(bytes));
	uint32_t request;

	for (size_t i = 0; i < PPK_MIXED_KEYS; i++)
		write_bytes(&writer, keys[i]->bytes, keys[i]->len);
	request = effect_need_signature(
		ike, (struct ike_bytes){ bytes, writer.len }, 0,
		sa->algorithms.prf, true);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return request;
}

bool ppk_take(struct sa *sa, struct ike_bytes mixed)
{
	struct handshake *handshake = sa->handshake;
	struct secret *keys[] = { &handshake->d, &handshake->pi,
				  &handshake->pr };
	const size_t size = sa->keys.d.len;

	if (mixed.len != PPK_MIXED_KEYS * size)
		return false;
	for (size_t i = 0; i < PPK_MIXED_KEYS; i++) {
		memcpy(keys[i]->bytes, mixed.data + i * size, size);
		keys[i]->len = size;
	}
	handshake->mixed = true;
	return true;
}

void ppk_settle(struct sa *sa)
{
	const struct handshake *handshake = sa->handshake;

	sa->ppk = handshake->mixed;
	if (!sa->ppk)
		return;
	sa->keys.d = handshake->d;
	sa->keys.pi = handshake->pi;
	sa->keys.pr = handshake->pr;
}
