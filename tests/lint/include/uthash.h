/*
 * uthash as clang-tidy is to see it: opaque functions in place of macros,
 * whose bodies the analyzer follows and misunderstands. Never linked.
 */
#ifndef LINT_UTHASH_H
#define LINT_UTHASH_H

#include <stddef.h>

typedef struct UT_hash_handle {
	void *prev, *next;
} UT_hash_handle;

void *lint_hash_find(const void *head, const void *key, size_t len);
void *lint_hash_next(const void *head, const void *element);
void lint_hash_change(void *head, void *element);
unsigned lint_hash_count(const void *head);

#define HASH_FIND(hh, head, key, len, out) \
	((out) = lint_hash_find(head, key, len))
#define HASH_FIND_INT(head, key, out) \
	((out) = lint_hash_find(head, key, sizeof(int)))
#define HASH_ADD(hh, head, field, len, element) \
	lint_hash_change(&(head), element)
#define HASH_ADD_INT(head, field, element) lint_hash_change(&(head), element)
#define HASH_DEL(head, element) lint_hash_change(&(head), element)
#define HASH_COUNT(head) lint_hash_count(head)
#define HASH_ITER(hh, head, element, after) \
	for ((element) = lint_hash_next(head, NULL), \
	     (after) = lint_hash_next(head, element); (element); \
	     (element) = (after), (after) = lint_hash_next(head, element))

#endif
