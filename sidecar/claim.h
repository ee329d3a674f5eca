/*
 * One daemon a network namespace: SPD, SAD and filters are the namespace's, and
 * so is the right to keep them.
 */
#ifndef SIDECAR_CLAIM_H
#define SIDECAR_CLAIM_H

/* 0 and a descriptor that holds the claim until it is closed, be it by the end
 * of the process; -EADDRINUSE: somebody has it; or -errno. */
int claim_take(int *ret_fd);

#endif
