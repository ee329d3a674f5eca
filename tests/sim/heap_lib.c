#include <setjmp.h>
#include <stdarg.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "tests/sim/heap.h"

enum { SLOTS = 16384, MAX_SECRETS = SLOTS / 2, MARKS = 1 << 16 };

/* The first octets of each secret, and a coarse filter in front. The table
 * holds them inverted, so as not to be what it looks for. */
static uint64_t slots[SLOTS];
static uint32_t used[MAX_SECRETS];
static size_t used_count;
static uint8_t marks[MARKS / 8];
static unsigned leaks;
static size_t blocks, openssl_blocks;

/* Weak: what is not linked with --wrap (the fuzzers) has none of them. */
__attribute__((weak)) void *__real_malloc(size_t size);
__attribute__((weak)) void *__real_calloc(size_t count, size_t size);
__attribute__((weak)) void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *block);

static uint64_t load(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint32_t mark_of(uint64_t value)
{
	return (uint32_t)(value * 0x9e3779b97f4a7c15u >> 48);
}

/* The slot that holds this value, or the free one where it belongs. */
static uint64_t *slot_of(uint64_t value)
{
	size_t at = mark_of(value) % SLOTS;

	while (slots[at] != 0 && slots[at] != ~value)
		at = (at + 1) % SLOTS;
	return &slots[at];
}

void heap_watch(const uint8_t *secret, size_t len)
{
	uint64_t value, *slot;

	if (len < 16 || used_count == MAX_SECRETS)
		return;
	value = load(secret);
	slot = slot_of(value);
	if (*slot != 0)
		return;
	*slot = ~value;
	used[used_count++] = (uint32_t)(slot - slots);
	marks[mark_of(value) / 8] |= (uint8_t)(1u << mark_of(value) % 8);
}

void heap_forget(void)
{
	for (size_t i = 0; i < used_count; i++)
		slots[used[i]] = 0;
	used_count = 0;
	leaks = 0;
	memset(marks, 0, sizeof(marks));
}

unsigned heap_leaks(void)
{
	return leaks;
}

static void look_into(const void *block)
{
	const uint8_t *bytes = block;
	size_t len = used_count ? malloc_usable_size((void *)(uintptr_t)block) :
		0;

	for (size_t i = 0; i + sizeof(uint64_t) <= len; i++) {
		uint64_t value = load(bytes + i);

		if (marks[mark_of(value) / 8] & 1u << mark_of(value) % 8 &&
		    *slot_of(value) != 0)
			leaks++;
	}
}

void *__wrap_malloc(size_t size)
{
	blocks++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	blocks++;
	return __real_calloc(count, size);
}

void __wrap_free(void *block)
{
	if (!block)
		return;
	look_into(block);
	blocks--;
	__real_free(block);
}

size_t heap_blocks(void)
{
	return blocks;
}

/* --------------------------------------------------------------- OpenSSL */

static void *openssl_malloc(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	if (size == 0)
		return NULL;
	openssl_blocks++;
	return __real_malloc(size);
}

static void openssl_free(void *block, const char *file, int line)
{
	(void)file, (void)line;
	if (!block)
		return;
	look_into(block);
	openssl_blocks--;
	__real_free(block);
}

/* Always into another block, so that the old one is looked into. */
static void *
openssl_realloc(void *block, size_t size, const char *file, int line)
{
	size_t old = block ? malloc_usable_size(block) : 0;
	void *copy = openssl_malloc(size, file, line);

	if (copy && block)
		memcpy(copy, block, old < size ? old : size);
	if (copy || size == 0)
		openssl_free(block, file, line);
	return copy;
}

size_t heap_openssl_blocks(void)
{
	return openssl_blocks;
}

void heap_open(void)
{
	assert_int_equal(CRYPTO_set_mem_functions(
			openssl_malloc, openssl_realloc, openssl_free), 1);
}
