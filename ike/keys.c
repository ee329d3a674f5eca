#include "ike/keys.h"

#include <string.h>

enum { MAX_MATERIAL = 512 };

static struct ike_bytes view(const struct secret *secret)
{
	return (struct ike_bytes){ secret->bytes, secret->len };
}

/* SKEYSEED: prf(Ni | Nr, g^ir), or for a rekey prf(SK_d, g^ir | Ni | Nr),
 * with the old SA's PRF (RFC 7296 2.14, 2.18). */
static bool skeyseed(const struct ike_crypto *crypto, uint16_t prf,
		     const struct keys_input *input,
		     const struct keys_old *old, struct secret *ret_seed)
{
	uint8_t nonces[2 * IKE_MAX_NONCE];
	struct writer writer = writer_of(nonces, sizeof(nonces));
	struct ike_bytes shared = { input->shared->bytes, input->shared->len };
	struct ike_bytes parts[] = { shared, input->ni, input->nr };

	if (old)
		return crypto_prf(crypto, old->prf, view(old->d), parts, 3,
				  ret_seed);
	write_view(&writer, input->ni);
	write_view(&writer, input->nr);
	if (writer.failed)
		return false;
	return crypto_prf(crypto, prf, (struct ike_bytes){ nonces,
							   writer.len },
			  &shared, 1, ret_seed);
}

static void take(const uint8_t **material, size_t len, struct secret *secret)
{
	memcpy(secret->bytes, *material, len);
	secret->len = len;
	*material += len;
}

/* {SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} =
 * prf+(SKEYSEED, Ni | Nr | SPIi | SPIr) */
static bool expand(const struct ike_crypto *crypto,
		   const struct selection *selection,
		   const struct keys_input *input, const struct secret *seed,
		   struct keys_ike *ret_keys)
{
	size_t prf_size = crypto_prf_key_size(selection->prf);
	size_t encr_size = crypto_encr_key_size(selection->encr,
						selection->encr_key_bits);
	size_t integ_size = crypto_integ_key_size(selection->integ);
	uint8_t buffer[2 * IKE_MAX_NONCE + 16], material[MAX_MATERIAL];
	struct writer writer = writer_of(buffer, sizeof(buffer));
	const uint8_t *at = material;
	size_t len = 3 * prf_size + 2 * integ_size + 2 * encr_size;
	bool done;

	write_view(&writer, input->ni);
	write_view(&writer, input->nr);
	write_u64(&writer, input->spi_i);
	write_u64(&writer, input->spi_r);
	done = !writer.failed && prf_size > 0 && encr_size > 0 &&
		len <= sizeof(material) &&
		crypto_sound(selection->encr, selection->encr_key_bits,
			     selection->integ) &&
		crypto_prf_plus(crypto, selection->prf, view(seed),
				(struct ike_bytes){ buffer, writer.len },
				material, len);
	if (done) {
		take(&at, prf_size, &ret_keys->d);
		take(&at, integ_size, &ret_keys->ai);
		take(&at, integ_size, &ret_keys->ar);
		take(&at, encr_size, &ret_keys->ei);
		take(&at, encr_size, &ret_keys->er);
		take(&at, prf_size, &ret_keys->pi);
		take(&at, prf_size, &ret_keys->pr);
	}
	OPENSSL_cleanse(material, sizeof(material));
	return done;
}

bool keys_ike_derive(const struct ike_crypto *crypto,
		     const struct selection *selection,
		     const struct keys_input *input,
		     const struct keys_old *old, struct keys_ike *ret_keys)
{
	struct secret seed = { .len = 0 };
	bool done = skeyseed(crypto, selection->prf, input, old, &seed) &&
		expand(crypto, selection, input, &seed, ret_keys);

	secret_wipe(&seed);
	return done;
}

void keys_ike_wipe(struct keys_ike *keys)
{
	OPENSSL_cleanse(keys, sizeof(*keys));
}

bool keys_child_derive(const struct ike_crypto *crypto, uint16_t prf,
		       const struct secret *d,
		       const struct selection *selection,
		       const struct keys_input *input,
		       struct keys_child *ret_keys)
{
	size_t size = crypto_encr_key_size(selection->encr,
					   selection->encr_key_bits) +
		crypto_integ_key_size(selection->integ);
	uint8_t seed[SECRET_WIDE_MAX + 2 * IKE_MAX_NONCE];
	uint8_t material[2 * SECRET_MAX];
	struct writer writer = writer_of(seed, sizeof(seed));
	const uint8_t *at = material;
	bool done;

	/* KEYMAT = prf+(SK_d, [g^ir |] Ni | Nr) */
	if (input->shared)
		write_bytes(&writer, input->shared->bytes,
			    input->shared->len);
	write_view(&writer, input->ni);
	write_view(&writer, input->nr);
	done = !writer.failed && size > 0 && size <= SECRET_MAX &&
		crypto_sound(selection->encr, selection->encr_key_bits,
			     selection->integ) &&
		crypto_prf_plus(crypto, prf, view(d),
				(struct ike_bytes){ seed, writer.len },
				material, 2 * size);
	if (done) {
		take(&at, size, &ret_keys->initiator);
		take(&at, size, &ret_keys->responder);
	}
	OPENSSL_cleanse(seed, sizeof(seed));
	OPENSSL_cleanse(material, sizeof(material));
	return done;
}
