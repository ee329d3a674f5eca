/* MODP groups 14, 15 and 16 (RFC 3526): p is a safe prime, g is 2. */
#include <openssl/bn.h>

#include "ike/crypto.h"

static BIGNUM *prime_of(size_t bits)
{
	if (bits == 2048)
		return BN_get_rfc3526_prime_2048(NULL);
	if (bits == 3072)
		return BN_get_rfc3526_prime_3072(NULL);
	return bits == 4096 ? BN_get_rfc3526_prime_4096(NULL) : NULL;
}

/* base ^ private mod p, as long as p (RFC 7296 2.14). */
static bool power(const BIGNUM *base, const struct secret *private,
		  const BIGNUM *p, uint8_t *ret_result)
{
	int size = BN_num_bytes(p);
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *x = BN_secure_new(), *result = BN_secure_new();
	bool done;

	done = ctx && x && result &&
		BN_bin2bn(private->bytes, (int)private->len, x) == x &&
		!BN_is_zero(x);
	if (done) {
		BN_set_flags(x, BN_FLG_CONSTTIME);
		done = BN_mod_exp_mont_consttime(result, base, x, p, ctx,
						 NULL) == 1 &&
			BN_bn2binpad(result, ret_result, size) == size;
	}
	BN_clear_free(x);
	BN_clear_free(result);
	BN_CTX_free(ctx);
	return done;
}

bool modp_make(size_t bits, struct crypto_ke *ke)
{
	BIGNUM *p = prime_of(bits), *g = BN_new();
	bool done;

	done = p && g && BN_set_word(g, 2) == 1 &&
		power(g, &ke->private, p, ke->public);
	ke->public_len = bits / 8;
	BN_free(p);
	BN_free(g);
	return done;
}

/* 1 < y < p - 1 (RFC 6989 2.1): for a safe prime that is enough. */
static bool in_range(const BIGNUM *y, const BIGNUM *p)
{
	BIGNUM *last = BN_dup(p);
	bool in = last && BN_sub_word(last, 1) == 1 &&
		BN_cmp(y, BN_value_one()) > 0 && BN_cmp(y, last) < 0;

	BN_free(last);
	return in;
}

enum ike_reason
modp_shared(size_t bits, const struct crypto_ke *ke, struct ike_bytes public,
	    struct secret_wide *ret_shared)
{
	enum ike_reason reason = IKE_REASON_PUBLIC_VALUE;
	BIGNUM *p, *y;

	if (public.len != bits / 8)
		return reason;
	p = prime_of(bits);
	y = BN_bin2bn(public.data, (int)public.len, NULL);
	if (!p || !y) {
		reason = IKE_REASON_CRYPTO;
	} else if (in_range(y, p)) {
		reason = IKE_REASON_CRYPTO;
		if (power(y, &ke->private, p, ret_shared->bytes)) {
			ret_shared->len = bits / 8;
			reason = IKE_REASON_NONE;
		}
	}
	BN_free(p);
	BN_free(y);
	return reason;
}
