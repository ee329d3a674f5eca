/*
 * A pair with hand-set SAs over the user plane, for benchmarks that are about
 * ESP and not about IKE: guard, policy, and four SAs under keys that both ends
 * derive from nothing. Never for use.
 *
 *	hand LOCAL PEER ALGORITHM [udp | COUNT]
 *		ALGORITHM: sha256, sha384, sha512, gmac; udp: ESP in UDP (RFC
 *		3948); COUNT: further pairs, with peers 10.0.0.1 and upwards,
 *		that exist in the plane process only
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/guard.h"
#include "ike/proto.h"
#include "policy/address.h"
#include "sidecar/plane.h"
#include "sidecar/udp.h"
#include "sidecar/user_process.h"

static const struct {
	const char *name;
	uint16_t encr, integ;
	size_t key_len;
} algorithms[] = {
	{ "sha256", IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_256_128, 32 },
	{ "sha384", IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_384_192, 48 },
	{ "sha512", IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_512_256, 64 },
	{ "gmac", IKE_ENCR_NULL_AUTH_AES_GMAC, IKE_INTEG_NONE, 20 },
};

static int fail(const char *what, int err)
{
	fprintf(stderr, "hand: %s: %s\n", what, strerror(-err));
	return 1;
}

/* The SPI and the key of the SA from `from` for connections to `server`. */
static uint32_t number_of(const struct in6_addr *from,
			  const struct in6_addr *server)
{
	return 0x1000u * (uint32_t)address_family(from) +
	       16u * from->s6_addr[15] + server->s6_addr[15];
}

/* The four of a pair: inbound first, by kind. */
static int add_sa(struct plane *plane, const struct plane_pair *pair,
		  size_t algorithm, int i, uint16_t udp, uint32_t spi)
{
	uint8_t key[64];
	const struct plane_sa sa = {
		.pair = *pair, .inbound = i < 2, .spi = spi,
		.udp_local = udp, .udp_peer = udp,
		.kind = i % 2 ? PLANE_PASSIVE : PLANE_ACTIVE,
		.encr = algorithms[algorithm].encr,
		.integ = algorithms[algorithm].integ, .esn = true,
		.key = key, .key_len = algorithms[algorithm].key_len
	};
	int err;

	memset(key, (int)spi & 0xff, sizeof(key));
	err = plane_user.add_sa(plane, &sa);
	return err == -EEXIST ? 0 : err;
}

static int add_sas(struct plane *plane, const struct plane_pair *pair,
		   size_t algorithm, uint16_t udp)
{
	int err = 0;

	for (int i = 0; !err && i < 4; i++)
		err = add_sa(plane, pair, algorithm, i, udp,
			     number_of(i < 2 ? &pair->peer : &pair->local,
				       i % 2 ? &pair->local : &pair->peer));
	return err;
}

static int add_more(struct plane *plane, const struct plane_pair *pair,
		    size_t algorithm, long count)
{
	struct plane_pair more = *pair;
	uint8_t *last = &more.peer.s6_addr[12];
	int err = 0;

	last[0] = 10;
	for (long i = 1; !err && i <= count; i++) {
		struct plane_policy policy = { .type = PLANE_REQUIRE };

		last[1] = 0;
		last[2] = (uint8_t)(i >> 8);
		last[3] = (uint8_t)i;
		policy.pair = more;
		err = plane_user.set_policy(plane, &policy);
		for (int j = 0; !err && j < 4; j++)
			err = add_sa(plane, &more, algorithm, j, 0,
				     0x10000u + 4u * (uint32_t)i +
				     (uint32_t)j);
	}
	return err;
}

static int guard(struct plane *plane, const struct plane_pair *pair)
{
	const uint32_t reqid[2] = { 0, 0 };
	struct if_nameindex *links = if_nameindex();
	struct guard *guard;
	int err = guard_open(&guard);

	if (err)
		return err;
	err = guard_set_plane(guard, plane_user.device(plane));
	if (!err)
		err = guard_set_pair(guard, &pair->local, &pair->peer,
				     CLASSIFIER_REQUIRE, reqid);
	for (int i = 0; !err && i < 4; i++)
		err = guard_add_spi(guard, &pair->local, &pair->peer,
				    number_of(&pair->peer, i % 2 ?
					      &pair->local : &pair->peer));
	for (size_t i = 0; !err && links[i].if_index; i++)
		if (strcmp(links[i].if_name, "lo") != 0)
			err = guard_attach(guard, links[i].if_index);
	if_freenameindex(links);
	guard_close(guard);
	return err;
}

int main(int argc, char **argv)
{
	struct plane_policy policy = { .type = PLANE_REQUIRE };
	struct plane *plane;
	size_t algorithm = 0;
	bool udp;
	int err;

	if (argc == 2 && strcmp(argv[1], "--plane") == 0)
		return user_process_run();
	if (argc < 4 || argc > 5 ||
	    !address_parse(argv[1], &policy.pair.local) ||
	    !address_parse(argv[2], &policy.pair.peer)) {
		fprintf(stderr, "usage: see hand.c\n");
		return 2;
	}
	while (algorithm < 3 && strcmp(algorithms[algorithm].name, argv[3]))
		algorithm++;
	udp = argc == 5 && strcmp(argv[4], "udp") == 0;
	err = plane_user.open(&plane);
	if (err)
		return fail("open", err);
	err = plane_user.set_policy(plane, &policy);
	if (err)
		return fail("set policy", err);
	err = guard(plane, &policy.pair);
	if (err)
		return fail("guard", err);
	err = add_sas(plane, &policy.pair, algorithm,
		      udp ? UDP_IKE_NAT_PORT : 0);
	if (!err && argc == 5 && !udp)
		err = add_more(plane, &policy.pair, algorithm, atol(argv[4]));
	if (err)
		return fail("add SA", err);
	plane_user.close(plane);
	return 0;
}
