/* What the engine and the tests take from the heap, and what is still in a
 * block when it is given back. Programs of tests/sim only: they are linked with
 * --wrap for malloc and its kin. */
#ifndef TESTS_SIM_HEAP_H
#define TESTS_SIM_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* First thing in main(): OpenSSL's memory is watched too. */
void heap_open(void);

/* Blocks that are not freed: ours, and OpenSSL's. */
size_t heap_blocks(void);
size_t heap_openssl_blocks(void);

/* A secret: no block may hold it when it is freed. Too short ones (less than 16
 * octets) are passed over. */
void heap_watch(const uint8_t *secret, size_t len);
void heap_forget(void);
/* How often one did. */
unsigned heap_leaks(void);

#endif
