/* Making the CRL of a router's own CA. */
#ifndef SIDECAR_PKI_CRL_H
#define SIDECAR_PKI_CRL_H

#include "sidecar/pki.h"

/*
 * A CRL by `ca`, good from `from` to `until`: with the entries of `old` (NULL:
 * none) and the next number, and `certs` revoked at `from`. As PEM text, which
 * pki_free_pem() releases; NULL if OpenSSL fails.
 */
char *pki_crl_pem(const struct pki_pair *ca, X509_CRL *old,
		  const STACK_OF(X509) *certs, time_t from, time_t until);

#endif
