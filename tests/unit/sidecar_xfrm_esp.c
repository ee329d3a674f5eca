/*
 * The kernel plane's SAs at work between two routers, over SPD entries that
 * require them. All of it needs ESP, so where probe() says that the kernel has
 * none, the whole file is skipped, and says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libmnl/libmnl.h>
#include <stdio.h>

#include "sidecar/xfrm.h"
#include "tests/unit/routers.h"

enum {
	MAX_SAS = 64,
	BULK = 400		/* messages */
};

/* ------------------------------------------------------------------- SAs */

/* The SA of one direction of one kind of connection, at one of its ends. The
 * kind is router 0's; router 1 has it the other way round. */
static struct plane_sa sa_at(int router, int family, enum plane_kind kind,
			     bool towards_1, uint32_t spi)
{
	static const uint8_t keys[2][32] = { "to router 1, thirty-two",
					     "to router 0, thirty-two" };
	struct plane_sa sa = {
		.pair = pair_at(router, family),
		.kind = router == 0 ? kind : (enum plane_kind)!kind,
		.inbound = towards_1 == (router == 1), .spi = spi,
		.encr = 11, .integ = 12, .esn = true, .lifetime_s = 3600,
		.key = keys[!towards_1], .key_len = 32
	};

	return sa;
}

static void add_both_ends(struct world *world, int family,
			  enum plane_kind kind, bool towards_1, uint32_t spi,
			  bool esn)
{
	for (int i = 0; i < 2; i++) {
		/* inbound before outbound */
		int router = towards_1 == (i == 0);
		struct plane_sa sa = sa_at(router, family, kind, towards_1,
					   spi);

		sa.esn = esn;
		assert_int_equal(plane_xfrm.add_sa(world->plane[router], &sa),
				 0);
	}
}

static void delete_both_ends(struct world *world, int family, bool towards_1,
			     uint32_t spi)
{
	for (int router = 0; router < 2; router++) {
		struct plane_pair pair = pair_at(router, family);

		assert_int_equal(plane_xfrm.delete_sa(world->plane[router],
						      &pair, towards_1 ==
						      (router == 1), spi), 0);
	}
}

/* Both kinds, both directions: SPIs base .. base + 3. */
static void add_pair(struct world *world, int family, uint32_t base, bool esn)
{
	for (uint32_t i = 0; i < 4; i++)
		add_both_ends(world, family, i / 2 ? PLANE_PASSIVE :
			      PLANE_ACTIVE, i % 2, base + i, esn);
}

static void delete_pair(struct world *world, int family, uint32_t base)
{
	for (uint32_t i = 0; i < 4; i++)
		delete_both_ends(world, family, i % 2, base + i);
}

struct sas {
	struct plane_sa_stats items[MAX_SAS];
	size_t count;
};

static int collect(void *ctx, const struct plane_sa_stats *sa)
{
	struct sas *sas = ctx;

	if (sas->count == MAX_SAS)
		return -ENOSPC;
	sas->items[sas->count++] = *sa;
	return 0;
}

static size_t query(struct world *world, int router, struct sas *ret_sas)
{
	ret_sas->count = 0;
	assert_int_equal(plane_xfrm.query(world->plane[router], collect,
					  ret_sas), 0);
	return ret_sas->count;
}

static const struct plane_sa_stats *find(const struct sas *sas, uint32_t spi)
{
	for (size_t i = 0; i < sas->count; i++)
		if (sas->items[i].spi == spi)
			return &sas->items[i];
	return NULL;
}

static uint64_t packets(struct world *world, int router, uint32_t spi)
{
	const struct plane_sa_stats *found;
	struct sas sas;

	query(world, router, &sas);
	found = find(&sas, spi);
	assert_non_null(found);
	return found->packets;
}

/* ------------------------------------------------------------------ tests */

static void sas_carry_both_kinds(void **state)
{
	struct world *world = *state;
	const struct plane_sa_stats *sa;
	struct sas sas;

	set_all(world, PLANE_REQUIRE);
	set_all(world, PLANE_BLOCK_OTHERS);
	for (int i = 0; i < 4; i++) {
		uint32_t base = 0x1000 + 0x100 * (uint32_t)i;
		int family = i / 2;

		add_pair(world, family, base, i % 2);
		for (int from = 0; from < 2; from++)
			assert_int_equal(try_between(world, family, from, 179,
						     SOON_MS), 0);
		assert_int_equal(query(world, 0, &sas), 4);
		for (uint32_t j = 0; j < 4; j++) {
			struct plane_pair pair = pair_at(0, family);

			sa = find(&sas, base + j);
			assert_non_null(sa);
			assert_memory_equal(&sa->pair, &pair, sizeof(pair));
			assert_int_equal(sa->kind, j / 2);
			assert_int_equal(sa->inbound, j % 2 == 0);
			assert_true(sa->packets >= 3 && sa->bytes > 0);
			assert_true(sa->age_s < 600);
			assert_int_equal(sa->replay_drops, 0);
			assert_int_equal(sa->integrity_drops, 0);
		}
		delete_pair(world, family, base);
		assert_int_equal(query(world, 0, &sas), 0);
		assert_int_not_equal(try_between(world, family, 0, 179,
						 NEVER_MS), 0);
	}
}

/* Each kind has SAs of its own, and one does not carry the other. */
static void one_kind_does_not_carry_the_other(void **state)
{
	struct world *world = *state;

	set_all(world, PLANE_REQUIRE);
	for (uint32_t i = 0; i < 2; i++)
		add_both_ends(world, 0, PLANE_ACTIVE, i, 0x2000 + i, true);
	assert_int_equal(try_between(world, 0, 0, 179, SOON_MS), 0);
	assert_int_not_equal(try_between(world, 0, 1, 179, NEVER_MS), 0);
}

static void restart_and_rekey_lose_nothing(void **state)
{
	struct connection connection;
	struct world *world = *state;
	struct sas sas;

	set_all(world, PLANE_REQUIRE);
	add_pair(world, 0, 0x3000, true);
	assert_int_equal(open_connection(world, addresses[0][0],
					 addresses[0][1], 0, 179, SOON_MS,
					 &connection), 0);
	for (uint32_t i = 1; i <= 5; i++) {
		/* a daemon that begins again, finds all and changes nothing */
		enter(world, 0);
		plane_xfrm.close(world->plane[0]);
		assert_int_equal(plane_xfrm.open(&world->plane[0]), 0);
		set(world, 0, 0, PLANE_REQUIRE);
		assert_alive(&connection);
		add_pair(world, 0, 0x3000 + 16 * i, true);
		assert_int_equal(query(world, 0, &sas), 8);
		assert_alive(&connection);
		delete_pair(world, 0, 0x3000 + 16 * (i - 1));
		assert_int_equal(query(world, 1, &sas), 4);
		assert_alive(&connection);
		assert_true(packets(world, 1, 0x3000 + 16 * i + 1) > 0);
	}
	drop_connection(&connection);
}

static void bulk_is_not_lost_to_the_replay_window(void **state)
{
	struct connection connection;
	struct world *world = *state;
	struct sas sas;

	set_all(world, PLANE_REQUIRE);
	add_pair(world, 1, 0x4000, true);
	assert_int_equal(open_connection(world, addresses[1][1],
					 addresses[1][0], 1, 179, SOON_MS,
					 &connection), 0);
	for (int i = 0; i < BULK; i++)
		assert_true(carries(connection.client, connection.server,
				    "a route and its attributes", SOON_MS));
	query(world, 0, &sas);
	for (size_t i = 0; i < sas.count; i++)
		assert_int_equal(sas.items[i].replay_drops, 0);
	drop_connection(&connection);
}

/*
 * Section 9 of RFC 5406, the sender's address: router 0 has valid keys, and
 * uses them under the SPI of 192.0.2.1 for a packet from 192.0.2.9.
 */
static void forged_inner_source_is_dropped(void **state)
{
	struct world *world = *state;
	struct connection connection;
	unsigned long before;
	struct plane_sa sa;

	set(world, 1, 0, PLANE_REQUIRE);
	sa = sa_at(1, 0, PLANE_ACTIVE, true, 0x5001);
	sa.esn = false;
	assert_int_equal(plane_xfrm.add_sa(world->plane[1], &sa), 0);
	enter(world, 0);
	assert_int_equal(netns_run(
		"ip xfrm state add src 192.0.2.9 dst 198.51.100.2 proto esp "
		"spi 0x5001 reqid 5 mode transport enc 'ecb(cipher_null)' '' "
		"auth-trunc 'hmac(sha256)' 0x%s 128 && "
		"ip xfrm policy add src 192.0.2.9 dst 198.51.100.2 proto tcp "
		"dir out tmpl proto esp reqid 5 mode transport",
		"746f20726f7574657220312c207468697274792d74776f"
		"000000000000000000"), 0);
	enter(world, 1);
	before = xfrm_stat("XfrmInStateMismatch");
	assert_int_equal(open_connection(world, "192.0.2.9", addresses[0][1],
					 0, 179, NEVER_MS, &connection),
			 -ETIMEDOUT);
	enter(world, 1);
	assert_true(xfrm_stat("XfrmInStateMismatch") > before);
	/* it did reach us, and its ICV was right */
	assert_true(packets(world, 1, 0x5001) > 0);
}

static void wrong_key_is_counted(void **state)
{
	struct world *world = *state;
	const struct plane_sa_stats *found;
	static const uint8_t wrong[32] = "not the key";
	struct plane_sa sa;
	struct sas sas;

	set_all(world, PLANE_REQUIRE);
	sa = sa_at(1, 0, PLANE_ACTIVE, true, 0x6001);
	assert_int_equal(plane_xfrm.add_sa(world->plane[1], &sa), 0);
	sa = sa_at(0, 0, PLANE_ACTIVE, true, 0x6001);
	sa.key = wrong;
	assert_int_equal(plane_xfrm.add_sa(world->plane[0], &sa), 0);
	assert_int_equal(try_between(world, 0, 0, 179, NEVER_MS),
			 -ETIMEDOUT);
	query(world, 1, &sas);
	found = find(&sas, 0x6001);
	assert_non_null(found);
	assert_true(found->integrity_drops > 0);
}

static void sas_are_named_exactly(void **state)
{
	struct world *world = *state;
	struct plane_pair pair = pair_at(0, 0), other = pair_at(0, 0);
	struct plane_sa sa;
	struct sas sas;

	set_all(world, PLANE_REQUIRE);
	sa = sa_at(0, 0, PLANE_ACTIVE, false, 0x7000);
	assert_true(sa.inbound);
	assert_int_equal(plane_xfrm.add_sa(world->plane[0], &sa), 0);
	assert_int_equal(plane_xfrm.add_sa(world->plane[0], &sa), -EEXIST);
	/* not there: other SPI, other direction */
	assert_int_equal(plane_xfrm.delete_sa(world->plane[0], &pair, true,
					      0x7001), 0);
	assert_int_equal(plane_xfrm.delete_sa(world->plane[0], &pair, false,
					      0x7000), 0);
	/* another pair's */
	assert_true(address_parse("198.51.100.3", &other.peer));
	assert_int_equal(plane_xfrm.delete_sa(world->plane[0], &other, true,
					      0x7000), -EPERM);
	assert_int_equal(query(world, 0, &sas), 1);
	assert_int_equal(plane_xfrm.delete_sa(world->plane[0], &pair, true,
					      0x7000), 0);
	assert_int_equal(query(world, 0, &sas), 0);
}

static void foreign_sas_are_left_alone(void **state)
{
	struct world *world = *state;
	struct plane_pair pair = pair_at(0, 0);
	struct sas sas;

	set_all(world, PLANE_REQUIRE);
	enter(world, 0);
	assert_int_equal(netns_run(
		"ip xfrm state add src 198.51.100.2 dst 192.0.2.1 proto esp "
		"spi 0x8000 reqid 5 mode transport enc 'ecb(cipher_null)' '' "
		"auth-trunc 'hmac(sha256)' 0x%064d 128", 1), 0);
	assert_int_equal(query(world, 0, &sas), 0);
	assert_int_equal(plane_xfrm.delete_sa(world->plane[0], &pair, true,
					      0x8000), -EPERM);
	assert_int_equal(netns_run("ip xfrm state get src 198.51.100.2 "
				   "dst 192.0.2.1 proto esp spi 0x8000 "
				   "> /dev/null"), 0);
}

/* An SA that outlives its policy keeps its slot from other pairs. */
static void left_over_sas_keep_their_reqid(void **state)
{
	struct plane_policy policy = { .type = PLANE_REQUIRE };
	struct plane_pair pair = pair_at(0, 0);
	struct world *world = *state;
	uint32_t reqid;
	struct plane_sa sa;

	enter(world, 0);
	set(world, 0, 0, PLANE_REQUIRE);
	reqid = plane_xfrm.reqid(world->plane[0], &pair, PLANE_ACTIVE);
	sa = sa_at(0, 0, PLANE_ACTIVE, false, 0x9000);
	assert_int_equal(plane_xfrm.add_sa(world->plane[0], &sa), 0);
	unset(world, 0, 0, PLANE_REQUIRE);
	plane_xfrm.close(world->plane[0]);
	assert_int_equal(plane_xfrm.open(&world->plane[0]), 0);
	policy.pair = pair_at(0, 1);
	assert_int_equal(plane_xfrm.set_policy(world->plane[0], &policy), 0);
	assert_int_not_equal(plane_xfrm.reqid(world->plane[0], &policy.pair,
					      PLANE_ACTIVE), reqid);
	set(world, 0, 0, PLANE_REQUIRE);
	assert_int_equal(plane_xfrm.reqid(world->plane[0], &pair,
					  PLANE_ACTIVE), reqid);
}

static struct mnl_socket *listen_for_expiry(void)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_XFRM);

	assert_non_null(socket);
	assert_int_equal(mnl_socket_bind(socket, XFRMGRP_EXPIRE,
					 MNL_SOCKET_AUTOPID), 0);
	return socket;
}

static void lifetime_is_a_hard_limit(void **state)
{
	struct world *world = *state;
	struct mnl_socket *socket;
	struct plane_sa sa;
	struct sas sas;

	enter(world, 0);
	socket = listen_for_expiry();
	set_all(world, PLANE_REQUIRE);
	sa = sa_at(0, 0, PLANE_ACTIVE, false, 0xa000);
	sa.lifetime_s = 0;
	assert_int_equal(plane_xfrm.add_sa(world->plane[0], &sa), 0);
	sa.spi = 0xa001;
	sa.lifetime_s = 1;
	assert_int_equal(plane_xfrm.add_sa(world->plane[0], &sa), 0);
	assert_true(readable(mnl_socket_get_fd(socket), SOON_MS));
	assert_int_equal(query(world, 0, &sas), 1);
	assert_int_equal(sas.items[0].spi, 0xa000);
	mnl_socket_close(socket);
}

static void every_algorithm_of_the_table_works(void **state)
{
	static const struct {
		uint16_t encr, integ;
		size_t key_len;
	} rows[] = {
		{ 11, 12, 32 }, { 11, 13, 48 }, { 11, 14, 64 },
		{ 21, 0, 20 }, { 21, 0, 28 }, { 21, 0, 36 },
		{ 20, 0, 20 }, { 20, 0, 36 },
	};
	static const uint8_t key[64] = "for every algorithm";
	struct world *world = *state;
	struct plane_sa sa;

	set_all(world, PLANE_REQUIRE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t spi = 0xb000 + 16 * (uint32_t)i;

		for (int j = 0; j < 4; j++) {
			sa = sa_at(j % 2, 0, PLANE_ACTIVE, j / 2,
				   spi + (uint32_t)j / 2);
			sa.encr = rows[i].encr;
			sa.integ = rows[i].integ;
			sa.key = key;
			sa.key_len = rows[i].key_len;
			assert_int_equal(plane_xfrm.add_sa(
				world->plane[j % 2], &sa), 0);
		}
		assert_int_equal(try_between(world, 0, 0, 179, SOON_MS), 0);
		for (uint32_t j = 0; j < 2; j++)
			delete_both_ends(world, 0, j, spi + j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROUTERS_TEST(sas_carry_both_kinds),
		ROUTERS_TEST(one_kind_does_not_carry_the_other),
		ROUTERS_TEST(restart_and_rekey_lose_nothing),
		ROUTERS_TEST(bulk_is_not_lost_to_the_replay_window),
		ROUTERS_TEST(forged_inner_source_is_dropped),
		ROUTERS_TEST(wrong_key_is_counted),
		ROUTERS_TEST(sas_are_named_exactly),
		ROUTERS_TEST(foreign_sas_are_left_alone),
		ROUTERS_TEST(left_over_sas_keep_their_reqid),
		ROUTERS_TEST(lifetime_is_a_hard_limit),
		ROUTERS_TEST(every_algorithm_of_the_table_works),
	};
	const char *why;

	if (plane_xfrm.probe(&why) != 0) {
		printf("1..0 # SKIP %s\n", why);
		return 0;
	}
	return cmocka_run_group_tests(tests, make_world, end_world);
}
