#include "policy/crls.h"

#include <errno.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "policy/certificate.h"
#include "policy/crl.h"
#include "policy/file.h"
#include "policy/pem.h"
#include "policy/revocation.h"
#include "policy/text.h"

/* ---------------------------------------------------------------- reading */

struct reading {
	const struct policy_anchors *anchors;
	STACK_OF(X509_CRL) *crls;
	char why[POLICY_TEXT_SIZE];
};

/* An anchor is at hand to check its CRL with; an intermediate CA is not before
 * the peer shows it (revocation_check()). */
static bool fits_anchors(X509_CRL *crl, struct reading *reading)
{
	const STACK_OF(X509) *anchors = reading->anchors == NULL ? NULL :
					reading->anchors->certs;
	bool named = false;

	for (int i = 0; i < sk_X509_num(anchors); i++) {
		X509 *anchor = sk_X509_value(anchors, i);

		if (X509_NAME_cmp(X509_CRL_get_issuer(crl),
				  X509_get_subject_name(anchor)) != 0)
			continue;
		named = true;
		if (crl_signed_by(crl, anchor))
			return revocation_may_issue(anchor, reading->why,
						    sizeof(reading->why));
	}
	if (named)
		text_format(reading->why, sizeof(reading->why), "is not signed "
			    "by the trust anchor that it names");
	return !named;
}

static bool take(void *ctx, const uint8_t *der, size_t len)
{
	struct reading *reading = ctx;
	X509_CRL *crl = crl_decode(der, len, reading->why,
				   sizeof(reading->why));

	if (crl != NULL && fits_anchors(crl, reading) &&
	    sk_X509_CRL_push(reading->crls, crl) > 0)
		return true;
	X509_CRL_free(crl);
	return false;
}

static bool take_all(struct reading *reading, const char *bytes, size_t len)
{
	if (memmem(bytes, len, "-----BEGIN", 10) == NULL)
		return take(reading, (const uint8_t *)bytes, len);
	return memchr(bytes, '\0', len) == NULL &&
	       pem_each(bytes, PEM_STRING_X509_CRL, POLICY_MAX_CRLS, take,
			reading);
}

/* Of which CRL is this the newest, by thisUpdate (RFC 5280 5.1.2.4)? NULL if its
 * issuer has none there. */
static const X509_CRL *newest_of(const STACK_OF(X509_CRL) *crls,
				 const X509_CRL *crl)
{
	const X509_CRL *newest = NULL;

	for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
		const X509_CRL *other = sk_X509_CRL_value(crls, i);

		if (X509_NAME_cmp(X509_CRL_get_issuer(other),
				  X509_CRL_get_issuer(crl)) == 0 &&
		    (newest == NULL || crl_from(other) > crl_from(newest)))
			newest = other;
	}
	return newest;
}

/* Would an older CRL of some CA take the place of `old`? Whoever can put an old
 * one in its place would undo what was revoked since. */
static bool goes_back(struct policy_crl_file *file,
		      const STACK_OF(X509_CRL) *crls,
		      const STACK_OF(X509_CRL) *old)
{
	for (int i = 0; i < sk_X509_CRL_num(old); i++) {
		const X509_CRL *before = sk_X509_CRL_value(old, i);
		const X509_CRL *now = newest_of(crls, before);

		if (now == NULL || crl_from(now) >= crl_from(before))
			continue;
		text_format(file->fault, sizeof(file->fault), "CRL file %s "
			    "holds an older CRL than the one in force: "
			    "replace it", file->path);
		return true;
	}
	return false;
}

static void read_file(struct policy_crl_file *file,
		      const struct policy_anchors *anchors)
{
	struct reading reading = {
		.anchors = anchors, .crls = sk_X509_CRL_new_null(),
	};
	struct stat stat;
	char *bytes;

	file->fault[0] = '\0';
	bytes = file_read_bytes(file->path, "CRL file", &stat, file->fault,
				sizeof(file->fault));
	if (bytes == NULL || reading.crls == NULL)
		goto done;
	if (take_all(&reading, bytes, (size_t)stat.st_size)) {
		STACK_OF(X509_CRL) *old = file->crls;

		if (goes_back(file, reading.crls, old))
			goto done;
		file->crls = reading.crls;
		reading.crls = old;
	} else {
		text_format(file->fault, sizeof(file->fault), "CRL file %s %s, "
			    "expected one DER or 1 to %d PEM CRLs that are "
			    "complete: replace it", file->path,
			    reading.why[0] == '\0' ? "is malformed" :
			    reading.why, POLICY_MAX_CRLS);
	}
done:
	free(bytes);
	sk_X509_CRL_pop_free(reading.crls, X509_CRL_free);
}

static bool same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool policy_crls_read(struct policy_crls *crls,
		      const struct policy_anchors *anchors, size_t i,
		      bool always)
{
	struct policy_crl_file *file = &crls->files[i];
	struct stat now = { 0 };

	(void)stat(file->path, &now);
	if (!always && same_stat(&now, &file->seen) &&
	    (file->crls != NULL || file->fault[0] != '\0'))
		return false;
	file->seen = now;
	read_file(file, anchors);
	return true;
}

/* ------------------------------------------------------------ the set */

struct policy_crls *policy_crls_new(void)
{
	return calloc(1, sizeof(struct policy_crls));
}

bool policy_crls_add(struct policy_crls *crls, const char *path)
{
	char *copy = crls->count < POLICY_MAX_CRLS ? strdup(path) : NULL;

	if (copy == NULL)
		return false;
	crls->files[crls->count++].path = copy;
	return true;
}

static const struct policy_crl_file *find(const struct policy_crls *crls,
					  const char *path)
{
	for (size_t i = 0; i < crls->count; i++)
		if (strcmp(crls->files[i].path, path) == 0)
			return &crls->files[i];
	return NULL;
}

bool policy_crls_name(const struct policy_crls *crls, const char *path)
{
	return crls != NULL && find(crls, path) != NULL;
}

void policy_crls_inherit(struct policy_crls *crls,
			 const struct policy_crls *old)
{
	for (size_t i = 0; i < crls->count; i++) {
		struct policy_crl_file *file = &crls->files[i];
		const struct policy_crl_file *before = find(old, file->path);

		if (before == NULL || before->crls == NULL ||
		    (file->crls != NULL &&
		     !goes_back(file, file->crls, before->crls)))
			continue;
		sk_X509_CRL_pop_free(file->crls, X509_CRL_free);
		file->crls = sk_X509_CRL_deep_copy(before->crls, X509_CRL_dup,
						   X509_CRL_free);
	}
}

void policy_crls_free(struct policy_crls *crls)
{
	if (crls == NULL)
		return;
	for (size_t i = 0; i < crls->count; i++) {
		free(crls->files[i].path);
		sk_X509_CRL_pop_free(crls->files[i].crls, X509_CRL_free);
	}
	free(crls);
}
