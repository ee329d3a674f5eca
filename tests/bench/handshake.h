/*
 * What a handshake costs: two engines in one process, each charged for the CPU
 * time of its own part, and beside them the public-key operations of one
 * handshake and nothing else.
 */
#ifndef TESTS_BENCH_HANDSHAKE_H
#define TESTS_BENCH_HANDSHAKE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

#include "ike/ike.h"
#include "policy/credential.h"

/* One row of the benchmark. */
struct handshake_suite {
	const char *name;
	const char *key;	/* of the certificate, as EVP_PKEY_Q_keygen()
				 * names it: "P-256", "RSA", "ED25519" */
	const char *ke;		/* "X25519", or a curve's name */
	const char *ike, *esp;	/* proposals (ike/algorithms.h); NULL: default */
	/* the whole way of an IKE_AUTH: the chain is judged as well */
	bool authorize;
};

/* End the program, naming `what`. */
_Noreturn void handshake_die(const char *what);

/* CPU time of this thread, wall clock: nanoseconds. */
double handshake_cpu(void);
double handshake_wall(void);

/* What handshake_cpu() itself takes of that. */
double handshake_look(void);

/* ------------------------------------------------------------------ pairs */

enum { INITIATOR, RESPONDER, ENDS };

/* Who the ends are, made once for a suite. */
struct handshake_identity {
	struct policy_credential credential;
	struct policy_anchors anchors;
	uint8_t *der;			/* of the end certificate */
	size_t der_len;
};

void identity_make(const struct handshake_suite *suite,
		   struct handshake_identity ret_identities[ENDS]);
void identity_clear(struct handshake_identity identities[ENDS]);

struct handshake_pair;

/* Two engines; the responder's own attempt is over. */
struct handshake_pair *
pair_make(const struct handshake_suite *suite,
	  struct handshake_identity identities[ENDS]);
/* From nothing to one IKE SA with two Child SAs, installed at both ends. Adds
 * each end's CPU time, in nanoseconds. */
void pair_shake(struct handshake_pair *pair, double cpu[ENDS]);
void pair_clear(struct handshake_pair *pair);

/* ------------------------------------------------------------------ floor */

struct handshake_floor;

struct handshake_floor *
floor_make(const struct handshake_suite *suite,
	   const struct handshake_identity *identity);
/* The operations of one end in one handshake, by prepared contexts: make a
 * key, derive, sign, verify (twice, if the chain is judged). */
void floor_run(struct handshake_floor *floor);
void floor_clear(struct handshake_floor *floor);

#endif
