#include "policy/pem.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <string.h>

struct taking {
	const char *name;
	bool (*take)(void *ctx, const uint8_t *der, size_t len);
	void *ctx;
};

static bool take_block(BIO *bio, const struct taking *taking)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	bool taken;
	long len;

	if (PEM_read_bio(bio, &name, &header, &data, &len) != 1)
		return false;
	taken = strcmp(name, taking->name) == 0 && len > 0 &&
		taking->take(taking->ctx, data, (size_t)len);
	OPENSSL_free(name);
	OPENSSL_free(header);
	/* it might have been a key */
	OPENSSL_clear_free(data, len > 0 ? (size_t)len : 0);
	return taken;
}

static int blocks_in(const char *pem)
{
	static const char begin[] = "-----BEGIN ";
	int count = 0;

	while ((pem = strstr(pem, begin)) != NULL) {
		count++;
		pem += sizeof(begin) - 1;
	}
	return count;
}

bool pem_each(const char *pem, const char *name, int max,
	      bool (*take)(void *ctx, const uint8_t *der, size_t len),
	      void *ctx)
{
	const struct taking taking = { name, take, ctx };
	/* A block that OpenSSL could not read must not vanish silently. */
	const int blocks = blocks_in(pem);
	BIO *bio = BIO_new_mem_buf(pem, -1);
	bool whole = bio != NULL && blocks > 0 && blocks <= max;

	for (int i = 0; whole && i < blocks; i++)
		whole = take_block(bio, &taking);
	BIO_free(bio);
	return whole;
}
