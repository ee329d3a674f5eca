/*
 * A plane that keeps its SAD and SPD in arrays and writes down what it was
 * told, for tests of what stands above it. Included by one test program each.
 */
#ifndef TESTS_UNIT_FAKE_PLANE_H
#define TESTS_UNIT_FAKE_PLANE_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/address.h"
#include "sidecar/plane.h"

struct plane {
	struct plane_sa sas[64];
	uint64_t ages_s[64];	/* of `sas` */
	size_t sas_count;
	struct plane_policy policies[64];
	size_t policies_count;
	size_t queries;		/* of the SAD */
	char journal[4096];	/* one letter and a blank per call */
	/* -errno to give back */
	int fail_add_sa, fail_set_policy, fail_require, fail_query;
	struct in6_addr fail_peer;	/* -EEXIST for its policy, if not :: */
	uint32_t next_spi;
};

static struct plane fake;

static void note(const char *what)
{
	strncat(fake.journal, what, sizeof(fake.journal) - 1 -
		strlen(fake.journal));
}

static bool same_pair(const struct plane_pair *a, const struct plane_pair *b)
{
	return address_equal(&a->local, &b->local) &&
	       address_equal(&a->peer, &b->peer);
}

static int fake_probe(const char **ret_why)
{
	*ret_why = "fake";
	return 0;
}

static int fake_open(struct plane **ret_plane)
{
	*ret_plane = &fake;
	return 0;
}

static void fake_close(struct plane *plane)
{
	(void)plane;
}

static uint32_t fake_spi(struct plane *plane, const struct plane_pair *pair)
{
	(void)pair;
	return 0x1000 + plane->next_spi++;
}

static int fake_add_sa(struct plane *plane, const struct plane_sa *sa)
{
	if (plane->fail_add_sa)
		return plane->fail_add_sa;
	note(sa->inbound ? "in+ " : "out+ ");
	plane->ages_s[plane->sas_count] = 0;
	plane->sas[plane->sas_count++] = *sa;
	return 0;
}

static int fake_delete_sa(struct plane *plane, const struct plane_pair *pair,
			  bool inbound, uint32_t spi)
{
	for (size_t i = 0; i < plane->sas_count; i++) {
		if (plane->sas[i].spi != spi ||
		    plane->sas[i].inbound != inbound ||
		    !same_pair(&plane->sas[i].pair, pair))
			continue;
		note(inbound ? "in- " : "out- ");
		plane->sas[i] = plane->sas[--plane->sas_count];
		plane->ages_s[i] = plane->ages_s[plane->sas_count];
		return 0;
	}
	return 0;
}

static const char *fake_policy_name(const struct plane_policy *policy)
{
	switch (policy->type) {
	case PLANE_REQUIRE:
		return "require";
	case PLANE_OFF:
		return "off";
	case PLANE_BLOCK_OTHERS:
		return "block";
	case PLANE_BLOCK_ELSEWHERE:
		return "elsewhere";
	}
	return "";
}

/* REQUIRE and OFF take each other's place. */
static bool is_fake_block(const struct plane_policy *policy)
{
	return policy->type == PLANE_BLOCK_OTHERS ||
	       policy->type == PLANE_BLOCK_ELSEWHERE;
}

static size_t fake_find_policy(const struct plane *plane,
			       const struct plane_policy *policy)
{
	size_t i;

	for (i = 0; i < plane->policies_count; i++)
		if (is_fake_block(&plane->policies[i]) ==
			    is_fake_block(policy) &&
		    same_pair(&plane->policies[i].pair, &policy->pair))
			break;
	return i;
}

static int fake_set_policy(struct plane *plane,
			   const struct plane_policy *policy)
{
	size_t i = fake_find_policy(plane, policy);

	if (plane->fail_set_policy)
		return plane->fail_set_policy;
	if (plane->fail_require && policy->type == PLANE_REQUIRE)
		return plane->fail_require;
	if (!IN6_IS_ADDR_UNSPECIFIED(&plane->fail_peer) &&
	    address_equal(&policy->pair.peer, &plane->fail_peer))
		return -EEXIST;
	note(fake_policy_name(policy));
	note("+ ");
	plane->policies[i] = *policy;
	if (i == plane->policies_count)
		plane->policies_count++;
	return 0;
}

static int fake_delete_policy(struct plane *plane,
			      const struct plane_policy *policy)
{
	size_t i = fake_find_policy(plane, policy);

	if (i == plane->policies_count)
		return 0;
	note(fake_policy_name(policy));
	note("- ");
	plane->policies[i] = plane->policies[--plane->policies_count];
	return 0;
}

static int fake_query(struct plane *plane,
		      int (*each)(void *ctx, const struct plane_sa_stats *sa),
		      void *ctx)
{
	plane->queries++;
	if (plane->fail_query)
		return plane->fail_query;
	for (size_t i = 0; i < plane->sas_count; i++) {
		const struct plane_sa_stats stats = {
			.pair = plane->sas[i].pair,
			.kind = plane->sas[i].kind,
			.inbound = plane->sas[i].inbound,
			.spi = plane->sas[i].spi,
			.age_s = plane->ages_s[i],
		};
		int ret = each(ctx, &stats);

		if (ret)
			return ret;
	}
	return 0;
}

static int fake_query_policies(struct plane *plane,
			       int (*each)(void *ctx,
					   const struct plane_policy *policy),
			       void *ctx)
{
	for (size_t i = 0; i < plane->policies_count; i++) {
		int ret = each(ctx, &plane->policies[i]);

		if (ret)
			return ret;
	}
	return 0;
}

static uint32_t fake_reqid(struct plane *plane, const struct plane_pair *pair,
			   enum plane_kind kind)
{
	(void)plane;
	(void)pair;
	return PLANE_REQID_BASE | (uint32_t)kind;
}

static const struct plane_ops fake_ops = {
	.name = "fake",
	.probe = fake_probe,
	.open = fake_open,
	.close = fake_close,
	.allocate_spi = fake_spi,
	.add_sa = fake_add_sa,
	.delete_sa = fake_delete_sa,
	.set_policy = fake_set_policy,
	.delete_policy = fake_delete_policy,
	.query = fake_query,
	.query_policies = fake_query_policies,
	.reqid = fake_reqid,
};

static struct in6_addr ip(const char *text)
{
	struct in6_addr address = { 0 };

	if (!address_parse(text, &address))
		fprintf(stderr, "bad address in test: %s\n", text);
	return address;
}

#endif
