/* The classifier's maps and their contents. Attaching is in attach.c. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bpf/attach.h"
#include "bpf/guard.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"	/* bpftool's code, not ours */
#include "bpf/classifier.skel.h"
#pragma GCC diagnostic pop

enum { GUARD_RETRIES = 200, GUARD_RETRY_NS = 1000000 };

/*
 * A slot names a set of counters. Each local and each pair owns one; which, is
 * written in its map entry and nowhere else.
 */
struct guard {
	struct classifier_bpf *skel;
	struct attach_programs programs;
	int pairs, locals, spis, counters, plane;	/* map descriptors */
	struct classifier_counters *per_cpu;	/* scratch, `cpus` of them */
	int cpus;
	bool slots[CLASSIFIER_MAX_SLOTS];	/* taken */
};

const char *guard_reason_name(enum classifier_reason reason)
{
	static const char *const names[] = {
#define X(name, text, sentence) text,
		CLASSIFIER_REASONS(X)
#undef X
	};

	return (unsigned)reason < CLASSIFIER_REASON_COUNT ? names[reason] : "?";
}

const char *guard_reason_sentence(enum classifier_reason reason)
{
	static const char *const sentences[] = {
#define X(name, text, sentence) sentence,
		CLASSIFIER_REASONS(X)
#undef X
	};

	return (unsigned)reason < CLASSIFIER_REASON_COUNT ? sentences[reason] :
							    "?";
}

/* ---------------------------------------------------------- open and close */

static int find_programs(struct guard *guard)
{
	struct attach_programs *programs = &guard->programs;
	int err;

	programs->in = bpf_program__fd(guard->skel->progs.bgpward_in);
	programs->out = bpf_program__fd(guard->skel->progs.bgpward_out);
	err = attach_program_id(programs->in, &programs->in_id);
	if (err)
		return err;
	return attach_program_id(programs->out, &programs->out_id);
}

static void find_maps(struct guard *guard)
{
	guard->pairs = bpf_map__fd(guard->skel->maps.pairs);
	guard->locals = bpf_map__fd(guard->skel->maps.locals);
	guard->spis = bpf_map__fd(guard->skel->maps.spis);
	guard->plane = bpf_map__fd(guard->skel->maps.plane);
	guard->counters = bpf_map__fd(guard->skel->maps.counters);
}

int guard_open(struct guard **ret_guard)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	int err = -ENOMEM;

	if (!guard)
		return err;
	/* A library never logs; what went wrong is in the errno. */
	libbpf_set_print(NULL);
	guard->cpus = libbpf_num_possible_cpus();
	if (guard->cpus < 0) {
		err = guard->cpus;
		goto fail;
	}
	guard->per_cpu = calloc(guard->cpus, sizeof(*guard->per_cpu));
	if (!guard->per_cpu)
		goto fail;
	guard->skel = classifier_bpf__open();
	if (!guard->skel) {
		err = errno ? -errno : -EINVAL;
		goto fail;
	}
	err = classifier_bpf__load(guard->skel);
	if (err)
		goto fail;
	find_maps(guard);
	err = find_programs(guard);
	if (err)
		goto fail;
	*ret_guard = guard;
	return 0;
fail:
	guard_close(guard);
	return err;
}

void guard_close(struct guard *guard)
{
	if (!guard)
		return;
	classifier_bpf__destroy(guard->skel);
	free(guard->per_cpu);
	free(guard);
}

int guard_attach(struct guard *guard, unsigned ifindex)
{
	return attach_interface(&guard->programs, ifindex);
}

int guard_detach(unsigned ifindex)
{
	return attach_remove(ifindex);
}

bool guard_attached(const struct guard *guard, unsigned ifindex)
{
	return attach_stands(&guard->programs, ifindex);
}

bool guard_is_preceded(unsigned ifindex)
{
	return attach_is_preceded(ifindex);
}

/*
 * Maps without preallocation take their memory from a small reserve that the
 * kernel refills in its own time (seen on Linux 6.1 after some thousand
 * entries in a row): that it is empty is no reason to fail.
 */
static int update(int map, const void *key, const void *value)
{
	const struct timespec pause = { .tv_nsec = GUARD_RETRY_NS };
	int err = bpf_map_update_elem(map, key, value, BPF_ANY);

	for (int i = 0; err == -ENOMEM && i < GUARD_RETRIES; i++) {
		nanosleep(&pause, NULL);
		err = bpf_map_update_elem(map, key, value, BPF_ANY);
	}
	return err;
}

int guard_set_plane(struct guard *guard, unsigned ifindex)
{
	const __u32 key = 0, value = ifindex;

	return update(guard->plane, &key, &value);
}

/* ------------------------------------------------------------------- slots */

/* Take a slot; its counters begin at zero. */
static int take_slot(struct guard *guard, __u32 *ret_slot)
{
	__u32 slot = 0;
	int err;

	while (slot < CLASSIFIER_MAX_SLOTS && guard->slots[slot])
		slot++;
	if (slot == CLASSIFIER_MAX_SLOTS)
		return -ENOSPC;
	memset(guard->per_cpu, 0, guard->cpus * sizeof(*guard->per_cpu));
	err = update(guard->counters, &slot, guard->per_cpu);
	if (err)
		return err;
	guard->slots[slot] = true;
	*ret_slot = slot;
	return 0;
}

static void release_slot(struct guard *guard, __u32 slot)
{
	bpf_map_delete_elem(guard->counters, &slot);
	guard->slots[slot] = false;
}

static int read_slot(const struct guard *guard, __u32 slot,
		     uint64_t ret_drops[CLASSIFIER_REASON_COUNT])
{
	int err = bpf_map_lookup_elem(guard->counters, &slot, guard->per_cpu);

	if (err)
		return err;
	memset(ret_drops, 0, CLASSIFIER_REASON_COUNT * sizeof(*ret_drops));
	for (int cpu = 0; cpu < guard->cpus; cpu++)
		for (int i = 0; i < CLASSIFIER_REASON_COUNT; i++)
			ret_drops[i] += guard->per_cpu[cpu].drops[i];
	return 0;
}

/* -------------------------------------------------------------- map entries */

static struct classifier_addr key_of(const struct in6_addr *address)
{
	struct classifier_addr key;

	memcpy(key.bytes, address->s6_addr, sizeof(key.bytes));
	return key;
}

static struct classifier_pair_key pair_key(const struct in6_addr *local,
					   const struct in6_addr *peer)
{
	struct classifier_pair_key key = {
		.local = key_of(local),
		.peer = key_of(peer),
	};

	return key;
}

/* Removing what is not there is no error. */
static int delete_key(int map, const void *key)
{
	int err = bpf_map_delete_elem(map, key);

	return err == -ENOENT ? 0 : err;
}

int guard_set_local(struct guard *guard, const struct in6_addr *local,
		    bool block_others)
{
	struct classifier_addr key = key_of(local);
	struct classifier_local value;
	int err = bpf_map_lookup_elem(guard->locals, &key, &value);
	bool fresh = err == -ENOENT;

	if (fresh)
		err = take_slot(guard, &value.slot);
	if (err)
		return err;
	value.block_others = block_others;
	err = update(guard->locals, &key, &value);
	if (err && fresh)
		release_slot(guard, value.slot);
	return err;
}

int guard_delete_local(struct guard *guard, const struct in6_addr *local)
{
	struct classifier_addr key = key_of(local);
	struct classifier_local value;
	int err = bpf_map_lookup_elem(guard->locals, &key, &value);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = delete_key(guard->locals, &key);
	if (!err)
		release_slot(guard, value.slot);
	return err;
}

int guard_set_pair(struct guard *guard, const struct in6_addr *local,
		   const struct in6_addr *peer, enum classifier_mode mode,
		   const uint32_t reqid[2])
{
	struct classifier_pair_key key = pair_key(local, peer);
	struct classifier_pair value;
	bool fresh;
	int err;

	if (!IN6_IS_ADDR_V4MAPPED(local) != !IN6_IS_ADDR_V4MAPPED(peer))
		return -EINVAL;
	err = bpf_map_lookup_elem(guard->pairs, &key, &value);
	fresh = err == -ENOENT;
	if (fresh)
		err = take_slot(guard, &value.slot);
	if (err)
		return err;
	value.mode = mode;
	value.reqid[0] = reqid[0];
	value.reqid[1] = reqid[1];
	err = update(guard->pairs, &key, &value);
	if (err && fresh)
		release_slot(guard, value.slot);
	return err;
}

int guard_delete_pair(struct guard *guard, const struct in6_addr *local,
		      const struct in6_addr *peer)
{
	struct classifier_pair_key key = pair_key(local, peer);
	struct classifier_pair value;
	int err = bpf_map_lookup_elem(guard->pairs, &key, &value);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = delete_key(guard->pairs, &key);
	if (!err)
		release_slot(guard, value.slot);
	return err;
}

int guard_add_spi(struct guard *guard, const struct in6_addr *local,
		  const struct in6_addr *peer, uint32_t spi)
{
	struct classifier_spi_key key = {
		.pair = pair_key(local, peer),
		.spi = htonl(spi),
	};
	__u8 value = 1;

	return update(guard->spis, &key, &value);
}

int guard_delete_spi(struct guard *guard, const struct in6_addr *local,
		     const struct in6_addr *peer, uint32_t spi)
{
	struct classifier_spi_key key = {
		.pair = pair_key(local, peer),
		.spi = htonl(spi),
	};

	return delete_key(guard->spis, &key);
}

int guard_counters(const struct guard *guard, const struct in6_addr *local,
		   const struct in6_addr *peer,
		   uint64_t ret_drops[CLASSIFIER_REASON_COUNT])
{
	struct classifier_addr local_key = key_of(local);
	struct classifier_pair_key key;
	struct classifier_local local_value;
	struct classifier_pair pair_value;
	int err;

	if (!peer) {
		err = bpf_map_lookup_elem(guard->locals, &local_key,
					  &local_value);
		return err ? err : read_slot(guard, local_value.slot, ret_drops);
	}
	key = pair_key(local, peer);
	err = bpf_map_lookup_elem(guard->pairs, &key, &pair_value);
	return err ? err : read_slot(guard, pair_value.slot, ret_drops);
}
