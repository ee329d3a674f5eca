#include "policy/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "policy/file.h"
#include "policy/text.h"

/* The only line, or 0 with a sentence. */
static size_t line_length(const char *text, const char *file,
			  const char *what, size_t min, char *ret_why,
			  size_t why_size)
{
	size_t len = strcspn(text, "\r\n");

	if (text[len + strspn(text + len, "\r\n")] != '\0') {
		text_format(ret_why, why_size, "%s %s has more than one line, "
			    "expected the key and nothing else: correct it",
			    what, file);
		return 0;
	}
	if (len < min || len > POLICY_MAX_SECRET) {
		text_format(ret_why, why_size, "%s %s holds %zu bytes, "
			    "expected %zu to %d: make a new one "
			    "(openssl rand -hex 32)", what, file, len, min,
			    POLICY_MAX_SECRET);
		return 0;
	}
	return len;
}

struct policy_secret *policy_secret_read(const char *file, const char *what,
					 size_t min, char *ret_why,
					 size_t why_size)
{
	struct policy_secret *secret = NULL;
	struct stat stat;
	char *text = file_read(file, what, &stat, ret_why, why_size);
	size_t len;

	if (text == NULL)
		return NULL;
	if (!file_private(&stat, what, file, ret_why, why_size))
		goto done;
	len = line_length(text, file, what, min, ret_why, why_size);
	if (len == 0)
		goto done;
	secret = calloc(1, sizeof(*secret));
	if (secret == NULL) {
		text_format(ret_why, why_size, "out of memory");
		goto done;
	}
	memcpy(secret->bytes, text, len);
	secret->len = len;
done:
	file_free(text);
	return secret;
}

void policy_secret_free(struct policy_secret *secret)
{
	if (secret != NULL)
		OPENSSL_cleanse(secret, sizeof(*secret));
	free(secret);
}

bool policy_secret_equal(const struct policy_secret *a,
			 const struct policy_secret *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->len == b->len &&
	       CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}
