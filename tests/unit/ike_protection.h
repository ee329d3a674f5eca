/* The protections of messages that there are; tests run with each. */
#ifndef TESTS_UNIT_IKE_PROTECTION_H
#define TESTS_UNIT_IKE_PROTECTION_H

#include "ike/message.h"
#include "tests/crypto.h"

static const struct {
	uint16_t encr, bits, integ;
	size_t e, a, iv, block, icv;
} kinds[] = {
	{ IKE_ENCR_AES_GCM_16, 256, 0, 36, 0, 8, 1, 16 },
	{ IKE_ENCR_AES_GCM_16, 128, 0, 20, 0, 8, 1, 16 },
	{ IKE_ENCR_CHACHA20_POLY1305, 0, 0, 36, 0, 8, 1, 16 },
	{ IKE_ENCR_AES_CBC, 256, 12, 32, 32, 16, 16, 16 },
	{ IKE_ENCR_AES_CBC, 128, 13, 16, 48, 16, 16, 24 },
	{ IKE_ENCR_AES_CBC, 256, 14, 32, 64, 16, 16, 32 },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
static size_t kind;
static struct secret key_e, key_a;

static struct crypto_protection test_key(void)
{
	key_e.len = kinds[kind].e;
	key_a.len = kinds[kind].a;
	memset(key_e.bytes, 0x5a, sizeof(key_e.bytes));
	memset(key_a.bytes, 0xa5, sizeof(key_a.bytes));
	return (struct crypto_protection){
		test_crypto(), kinds[kind].encr, kinds[kind].bits,
		kinds[kind].integ, &key_e, &key_a
	};
}

#define EACH_KIND for (kind = 0; kind < KINDS; kind++)

#endif
