/* Numbers that operators write: plain decimal digits and nothing else. */
#ifndef POLICY_NUMBER_H
#define POLICY_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Digits only, no sign, no space, at most max; false otherwise. */
bool number_parse(const char *text, uint64_t max, uint64_t *ret_number);

/*
 * An AS number that a router may have. Returns NULL and *ret_as, or else why
 * not and what was expected, to follow the quoted value: "is no AS number
 * (expected 1 .. 4294967294)". RFC 6793, and for the reserved ones RFC 7607
 * and RFC 7300.
 */
const char *number_parse_as(const char *text, uint32_t *ret_as);

#endif
