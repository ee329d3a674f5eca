/*
 * Algorithms in words, as they stand in the configuration (ike/algorithms.h):
 * what is wrong with them, and what a plane can carry of them.
 */
#ifndef SIDECAR_PROPOSALS_H
#define SIDECAR_PROPOSALS_H

#include "ike/ike.h"
#include "policy/config.h"
#include "sidecar/plane.h"

/* struct policy_reader's: quotes the word, and lists what there is. */
bool proposals_check(bool esp, const char *text, char *ret_why,
		     size_t why_size);

/* The part of an engine's configuration; points into `algorithms`. */
void proposals_fill(const struct policy_algorithms *algorithms,
		    struct ike_config *config);

/* The ciphers that a plane cannot carry, of those for a peer, by their names
 * ("ENCR_AES_GCM_16"); "" if none. Returns false if it carries no other. */
bool proposals_carried(const struct policy_algorithms *algorithms,
		       const struct plane_ops *ops, char *ret_not,
		       size_t not_size);

#endif
