/*
 * The CRLs that one peer's chain is held against, from the files that its
 * section names; and those files, which change while the daemon runs. Nothing
 * is ever fetched.
 */
#ifndef POLICY_CRLS_H
#define POLICY_CRLS_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "policy/credential.h"
#include "policy/limits.h"

struct policy_crl_file {
	char *path;
	STACK_OF(X509_CRL) *crls;	/* the last good content, or NULL */
	struct stat seen;		/* of the file when last looked at */
	/* A sentence, if what stands there now cannot be used; or "". */
	char fault[2 * POLICY_TEXT_SIZE];
};

struct policy_crls {
	struct policy_crl_file files[POLICY_MAX_CRLS];
	size_t count;
};

/* None yet; NULL when out of memory. policy_crls_free() releases. */
struct policy_crls *policy_crls_new(void);
void policy_crls_free(struct policy_crls *crls);

/* Name one more file, to be read by policy_crls_read(). False when there are
 * too many or when out of memory. */
bool policy_crls_add(struct policy_crls *crls, const char *path);

/* Is this file among them? (crls may be NULL) */
bool policy_crls_name(const struct policy_crls *crls, const char *path);

/*
 * Read file number `i` unless it is as it was the last time, and in any case
 * if `always`. PEM or DER; a CRL of one of the anchors must be signed by it. A
 * file that cannot be used leaves what was read before in force and sets
 * `fault`. True if it was read.
 */
bool policy_crls_read(struct policy_crls *crls,
		      const struct policy_anchors *anchors, size_t i,
		      bool always);

/* A reload: take the good content of `old` for files of the same path that
 * cannot be used now. */
void policy_crls_inherit(struct policy_crls *crls,
			 const struct policy_crls *old);

#endif
