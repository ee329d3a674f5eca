/* The warden and the SAs of a pair, over a plane of arrays and the real
 * classifier maps (nothing is attached). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <bpf/bpf.h>
#include <cmocka.h>
#include <stdlib.h>

#include "fake_plane.h"
#include "sidecar/sas.h"
#include "sidecar/warden.h"

static struct policy_peer peers[3];
static struct policy_config config;
static struct warden *warden;
static char why[WARDEN_WHY_SIZE];

static struct policy_peer peer(const char *name, const char *address,
			       enum policy_mode mode)
{
	return (struct policy_peer){
		.name = (char *)(uintptr_t)name,
		.as = 64501,
		.addresses = { ip(address) },
		.addresses_count = 1,
		.mode = mode,
	};
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	peers[0] = peer("b", "192.0.2.2", POLICY_REQUIRE);
	peers[1] = peer("off", "192.0.2.9", POLICY_OFF);
	peers[2] = peer("c6", "2001:db8::3", POLICY_REQUIRE);
	config = (struct policy_config){
		.as = 64500,
		.addresses = { ip("192.0.2.1"), ip("2001:db8::1") },
		.addresses_count = 2,
		.block_others = true,
		.peers = peers,
		.peers_count = 3,
	};
	return warden_open(&fake_ops, NULL, &warden, why);
}

static int teardown(void **state)
{
	(void)state;
	warden_close(warden);
	return 0;
}

static struct plane_sa sa(const char *remote, bool inbound, uint32_t spi)
{
	static const uint8_t key[32];

	return (struct plane_sa){
		.pair = { ip("192.0.2.1"), ip(remote) },
		.inbound = inbound,
		.spi = spi,
		.key = key,
		.key_len = sizeof(key),
	};
}

static void pairs_come_before_blocks(void **state)
{
	(void)state;
	assert_int_equal(warden_apply(warden, &config, why), 0);
	assert_string_equal(fake.journal,
			    "elsewhere+ require+ off+ elsewhere+ require+ "
			    "block+ block+ ");
}

static void allow_installs_no_blocks(void **state)
{
	(void)state;
	config.block_others = false;
	assert_int_equal(warden_apply(warden, &config, why), 0);
	assert_string_equal(fake.journal, "elsewhere+ require+ off+ elsewhere+ "
			    "require+ ");
}

static void a_failure_says_what_and_where(void **state)
{
	(void)state;
	fake.fail_set_policy = -EEXIST;
	assert_int_equal(warden_apply(warden, &config, why), -EEXIST);
	assert_non_null(strstr(why, "192.0.2.2"));
	assert_non_null(strstr(why, "ip xfrm policy"));
	/* where there is no pair to name, there is a reason still */
	fake.fail_set_policy = 0;
	fake.fail_query = -ENOBUFS;
	assert_int_equal(warden_apply(warden, &config, why), -ENOBUFS);
	assert_non_null(strstr(why, "up to date: No buffer space"));
}

static void only_required_pairs_get_sas(void **state)
{
	struct plane_sa wanted = sa("192.0.2.2", true, 0x1111);
	struct plane_sa off = sa("192.0.2.9", true, 0x2222);
	struct plane_sa stranger = sa("192.0.2.77", true, 0x3333);

	(void)state;
	/* before there is a configuration: nothing */
	assert_int_equal(warden_install_sa(warden, &wanted), -EPERM);
	assert_int_equal(warden_apply(warden, &config, why), 0);
	assert_int_equal(warden_install_sa(warden, &wanted), 0);
	assert_int_equal(warden_install_sa(warden, &off), -EPERM);
	assert_int_equal(warden_install_sa(warden, &stranger), -EPERM);
	assert_int_equal(fake.sas_count, 1);
}

static void reload_sweeps_what_is_gone(void **state)
{
	struct plane_sa old = sa("192.0.2.2", true, 0x1111);
	struct policy_config smaller;

	(void)state;
	assert_int_equal(warden_apply(warden, &config, why), 0);
	assert_int_equal(warden_install_sa(warden, &old), 0);
	smaller = config;
	smaller.peers = &peers[1];
	smaller.peers_count = 2;
	fake.journal[0] = '\0';
	assert_int_equal(warden_apply(warden, &smaller, why), 0);
	/* the SA before the SPD entry that closes the pair */
	assert_string_equal(fake.journal,
			    "off+ elsewhere+ require+ block+ block+ "
			    "in- elsewhere- require- ");
	assert_int_equal(fake.sas_count, 0);
	assert_int_equal(warden_install_sa(warden, &old), -EPERM);
}

static void a_restart_keeps_sas_of_pairs(void **state)
{
	struct plane_sa kept = sa("192.0.2.2", true, 0x1111);
	struct plane_sa gone = sa("192.0.2.77", true, 0x2222);

	(void)state;
	fake.sas[0] = kept;
	fake.sas[1] = gone;
	fake.sas_count = 2;
	assert_int_equal(warden_apply(warden, &config, why), 0);
	assert_int_equal(fake.sas_count, 1);
	assert_int_equal(fake.sas[0].spi, 0x1111);
}

static enum plane_policy_type policy_of(const char *remote)
{
	const struct in6_addr peer_address = ip(remote);

	for (size_t i = 0; i < fake.policies_count; i++)
		if (fake.policies[i].type != PLANE_BLOCK_ELSEWHERE &&
		    address_equal(&fake.policies[i].pair.peer, &peer_address))
			return fake.policies[i].type;
	fail_msg("no policy for %s", remote);
	return PLANE_BLOCK_OTHERS;
}

/* A reload opens one pair and fails at another: the first stays closed. */
static void a_failed_reload_opens_nothing(void **state)
{
	struct policy_peer changed[3];
	struct policy_config next = config;

	(void)state;
	assert_int_equal(warden_apply(warden, &config, why), 0);
	assert_int_equal(policy_of("192.0.2.2"), PLANE_REQUIRE);
	memcpy(changed, peers, sizeof(changed));
	changed[0].mode = POLICY_OFF;
	changed[1] = peer("new", "192.0.2.50", POLICY_REQUIRE);
	next.peers = changed;
	next.block_others = false;
	fake.fail_peer = ip("192.0.2.50");
	assert_int_equal(warden_apply(warden, &next, why), -EEXIST);
	assert_int_equal(policy_of("192.0.2.2"), PLANE_REQUIRE);
	assert_true(warden_blocks(warden, &config.addresses[0]));
	/* and without the obstacle it is opened */
	fake.fail_peer = (struct in6_addr){ 0 };
	assert_int_equal(warden_apply(warden, &next, why), 0);
	assert_int_equal(policy_of("192.0.2.2"), PLANE_OFF);
	assert_false(warden_blocks(warden, &config.addresses[0]));
}

static bool has_policy(const char *remote)
{
	const struct in6_addr peer_address = ip(remote);

	for (size_t i = 0; i < fake.policies_count; i++)
		if (fake.policies[i].type != PLANE_BLOCK_ELSEWHERE &&
		    address_equal(&fake.policies[i].pair.peer, &peer_address))
			return true;
	return false;
}

/* Has the classifier an entry of the pair, or (remote NULL) of the address? */
static bool classifier_has(const char *local, const char *remote)
{
	const struct in6_addr here = ip(local);
	const struct in6_addr there = remote ? ip(remote) : here;
	uint64_t drops[CLASSIFIER_REASON_COUNT];

	return warden_drops(warden, &here, remote ? &there : NULL, drops) == 0;
}

/* One of the classifier's maps, among all descriptors. */
static int classifier_map(const char *name, struct bpf_map_info *ret_info)
{
	int fd = -1;

	ret_info->name[0] = '\0';
	while (strcmp(ret_info->name, name) != 0) {
		uint32_t len = sizeof(*ret_info);

		assert_true(++fd < 1024);
		if (bpf_obj_get_info_by_fd(fd, ret_info, &len) != 0)
			ret_info->name[0] = '\0';
	}
	return fd;
}

static enum classifier_mode classifier_mode(const char *local,
					    const char *remote)
{
	struct bpf_map_info info = { .id = 0 };
	const int fd = classifier_map("pairs", &info);
	const struct in6_addr addresses[] = { ip(local), ip(remote) };
	struct classifier_pair_key key;
	struct classifier_pair value;

	memcpy(&key, addresses, sizeof(key));
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
	return (enum classifier_mode)value.mode;
}

/* A reload closes one pair, and fails at another: the first, which was in
 * clear, is so again. */
static void a_failed_reload_closes_nothing(void **state)
{
	struct policy_peer changed[4];
	struct policy_config next = config;

	(void)state;
	config.block_others = false;
	assert_int_equal(warden_apply(warden, &config, why), 0);
	memcpy(changed, peers, sizeof(peers));
	changed[0].mode = POLICY_OFF;	/* what opens comes last, and fails */
	changed[3] = peer("new", "192.0.2.50", POLICY_REQUIRE);
	next.peers = changed;
	next.peers_count = 4;
	next.addresses[2] = ip("2001:db8::4");
	next.addresses_count = 3;
	fake.fail_peer = ip("192.0.2.2");
	assert_int_equal(warden_apply(warden, &next, why), -EEXIST);
	assert_non_null(strstr(fake.journal, "block+ "));
	assert_false(has_policy("192.0.2.50"));
	assert_false(classifier_has("192.0.2.1", "192.0.2.50"));
	assert_false(classifier_has("2001:db8::4", NULL));
	assert_false(warden_blocks(warden, &next.addresses[0]));
	assert_false(warden_blocks(warden, &next.addresses[2]));
	assert_false(warden_blocks_elsewhere(warden, &changed[3].addresses[0]));
	assert_true(warden_blocks_elsewhere(warden, &peers[0].addresses[0]));
	/* what the configuration in force has stays */
	assert_int_equal(policy_of("192.0.2.2"), PLANE_REQUIRE);
	assert_true(classifier_has("192.0.2.1", "192.0.2.2"));
	assert_true(classifier_has("192.0.2.1", "192.0.2.9"));
	assert_true(classifier_has("2001:db8::1", NULL));
}

/* A pair that cannot be closed again does not keep the next one open. */
static void all_are_closed_again(void **state)
{
	struct policy_peer changed[3];
	struct policy_config next = config;

	(void)state;
	assert_int_equal(warden_apply(warden, &config, why), 0);
	changed[0] = peers[2];
	changed[0].mode = POLICY_OFF;
	changed[1] = peers[0];
	changed[1].mode = POLICY_OFF;
	changed[2] = peers[1];
	next.peers = changed;
	fake.fail_peer = ip("192.0.2.2");
	fake.journal[0] = '\0';
	assert_int_equal(warden_apply(warden, &next, why), -EEXIST);
	assert_non_null(strstr(fake.journal, "off+ "));
	assert_int_equal(policy_of("2001:db8::3"), PLANE_REQUIRE);
	/* what is not closed by the SPD is by the classifier */
	fake.fail_require = -ENOMEM;
	assert_int_equal(warden_apply(warden, &next, why), -EEXIST);
	assert_false(has_policy("2001:db8::3"));
	assert_int_equal(classifier_mode("2001:db8::1", "2001:db8::3"),
			 CLASSIFIER_REQUIRE);
	assert_int_equal(classifier_mode("192.0.2.1", "192.0.2.9"),
			 CLASSIFIER_OFF);
}

static void release_removes_everything(void **state)
{
	struct plane_sa one = sa("192.0.2.2", true, 0x1111);

	(void)state;
	assert_int_equal(warden_apply(warden, &config, why), 0);
	assert_int_equal(warden_install_sa(warden, &one), 0);
	assert_int_equal(warden_release(warden), 0);
	assert_int_equal(fake.sas_count, 0);
	assert_int_equal(fake.policies_count, 0);
}

/* --------------------------------------------------------------------- sas */

static struct plane_pair the_pair(void)
{
	return (struct plane_pair){ ip("192.0.2.1"), ip("192.0.2.2") };
}

static struct ike_child_sa child(uint32_t id, enum ike_child_kind kind)
{
	static const uint8_t key[32];

	return (struct ike_child_sa){
		.id = id,
		.kind = kind,
		.spi_in = 0x100 * id + 1,
		.spi_out = 0x100 * id + 2,
		.lifetime = IKE_SECONDS(60),
		.key_in = { key, sizeof(key) },
		.key_out = { key, sizeof(key) },
	};
}

struct with_sas {
	struct event_base *base;
	struct sas sas;
};

static void open_sas(struct with_sas *with)
{
	const struct plane_pair pair = the_pair();

	with->base = event_base_new();
	assert_non_null(with->base);
	assert_int_equal(warden_apply(warden, &config, why), 0);
	assert_int_equal(sas_init(&with->sas, with->base, warden, &pair,
				  NULL), 0);
	fake.journal[0] = '\0';
}

static void close_sas(struct with_sas *with)
{
	sas_done(&with->sas);
	event_base_free(with->base);
}

static void inbound_goes_first(void **state)
{
	struct ike_child_sa active = child(1, IKE_CHILD_ACTIVE);
	struct with_sas with;

	(void)state;
	open_sas(&with);
	assert_int_equal(sas_install(&with.sas, &active,
				     IKE_INBOUND | IKE_OUTBOUND), 0);
	assert_string_equal(fake.journal, "in+ out+ ");
	assert_true(sas_complete(&with.sas, IKE_CHILD_ACTIVE));
	assert_false(sas_complete(&with.sas, IKE_CHILD_PASSIVE));
	/* half of it is not complete */
	sas_remove(&with.sas, 1, IKE_OUTBOUND);
	assert_false(sas_complete(&with.sas, IKE_CHILD_ACTIVE));
	sas_remove(&with.sas, 1, IKE_INBOUND);
	assert_int_equal(with.sas.children_count, 0);
	close_sas(&with);
}

static void a_failed_install_leaves_nothing(void **state)
{
	struct ike_child_sa active = child(1, IKE_CHILD_ACTIVE);
	struct with_sas with;

	(void)state;
	open_sas(&with);
	fake.fail_add_sa = -ENOMEM;
	assert_int_equal(sas_install(&with.sas, &active,
				     IKE_INBOUND | IKE_OUTBOUND), -ENOMEM);
	assert_int_equal(with.sas.children_count, 0);
	assert_int_equal(fake.sas_count, 0);
	close_sas(&with);
}

static void too_many_children_are_refused(void **state)
{
	struct with_sas with;

	(void)state;
	open_sas(&with);
	for (uint32_t id = 1; id <= SAS_MAX_CHILDREN; id++) {
		struct ike_child_sa one = child(id, IKE_CHILD_ACTIVE);

		assert_int_equal(sas_install(&with.sas, &one, IKE_INBOUND), 0);
	}
	struct ike_child_sa extra = child(99, IKE_CHILD_ACTIVE);

	assert_int_equal(sas_install(&with.sas, &extra, IKE_INBOUND), -ENOSPC);
	sas_remove_all(&with.sas);
	assert_int_equal(fake.sas_count, 0);
	close_sas(&with);
}

/* An earlier daemon's SAs carry the pair until its own kind is replaced. */
static void orphans_go_by_kind(void **state)
{
	struct ike_child_sa active = child(1, IKE_CHILD_ACTIVE);
	struct plane_sa one = sa("192.0.2.2", true, 0x9001);
	struct with_sas with;

	(void)state;
	fake.sas[0] = one;
	fake.sas[1] = sa("192.0.2.2", false, 0x9002);
	fake.sas[2] = sa("192.0.2.2", true, 0x9003);
	fake.sas[2].kind = PLANE_PASSIVE;
	fake.sas[3] = sa("192.0.2.2", false, 0x9004);
	fake.sas[3].kind = PLANE_PASSIVE;
	fake.sas_count = 4;
	open_sas(&with);
	assert_int_equal(with.sas.orphans_count, 4);
	assert_true(sas_complete(&with.sas, IKE_CHILD_ACTIVE));
	assert_true(sas_complete(&with.sas, IKE_CHILD_PASSIVE));
	assert_int_equal(sas_install(&with.sas, &active, IKE_INBOUND), 0);
	assert_int_equal(with.sas.orphans_count, 4);
	assert_int_equal(sas_install(&with.sas, &active, IKE_OUTBOUND), 0);
	/* old outbound gone at once, old inbound lingers, passive untouched */
	assert_string_equal(fake.journal, "in+ out+ out- ");
	assert_int_equal(with.sas.orphans_count, 3);
	/* not before its time, and then only that one */
	assert_true(evtimer_pending(with.sas.linger, NULL));
	event_active(with.sas.linger, EV_TIMEOUT, 0);
	event_base_loop(with.base, EVLOOP_NONBLOCK);
	assert_int_equal(with.sas.orphans_count, 2);
	assert_true(sas_complete(&with.sas, IKE_CHILD_PASSIVE));
	sas_remove_all(&with.sas);
	assert_int_equal(fake.sas_count, 0);
	close_sas(&with);
}

static bool has_orphan(const struct sas *sas, uint32_t spi)
{
	for (size_t i = 0; i < sas->orphans_count; i++)
		if (sas->orphans[i].sa.spi == spi)
			return true;
	return false;
}

/* Many daemons, each of which ended before the orphans that it found were to
 * go: the newest inbound ones of each kind stay, and all of the rest. */
static void old_orphans_go(void **state)
{
	static const uint64_t ages_s[] = { 3, 9, 9, 1, 2, 2, 2, 0 };
	struct with_sas with;

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		for (uint32_t kind = 0; kind < PLANE_KINDS; kind++) {
			const size_t at = fake.sas_count++;

			fake.sas[at] = sa("192.0.2.2", true,
					  0x9000 + 0x100 * kind + i);
			fake.sas[at].kind = (enum plane_kind)kind;
			fake.ages_s[at] = ages_s[i];
		}
	}
	for (uint32_t i = 0; i < 6; i++)
		fake.sas[fake.sas_count++] = sa("192.0.2.2", false, 0xa000 + i);
	open_sas(&with);
	assert_int_equal(with.sas.orphans_count, 2 * SAS_MAX_ORPHANS + 6);
	assert_int_equal(fake.sas_count, 2 * SAS_MAX_ORPHANS + 6);
	/* of those that are as old, the first go */
	for (uint32_t kind = 0; kind < PLANE_KINDS; kind++)
		for (uint32_t i = 0; i < 8; i++)
			assert_int_equal(has_orphan(&with.sas,
						    0x9000 + 0x100 * kind + i),
					 i == 3 || i >= 5);
	close_sas(&with);
}

/* How many SPIs does the classifier know? */
static size_t spis_known(void)
{
	struct bpf_map_info info = { .id = 0 };
	const int fd = classifier_map("spis", &info);
	uint8_t key[64], next[64];
	size_t count = 0;

	assert_true(info.key_size <= sizeof(key));
	for (void *at = NULL; bpf_map_get_next_key(fd, at, next) == 0;
	     at = memcpy(key, next, info.key_size))
		count++;
	return count;
}

/* The plane died, or somebody flushed the SAD: however often, the classifier
 * has no SPIs but those that are there. */
static void lost_sas_leave_the_classifier(void **state)
{
	struct ike_child_sa active = child(1, IKE_CHILD_ACTIVE);
	struct ike_child_sa passive = child(2, IKE_CHILD_PASSIVE);
	struct with_sas with;

	(void)state;
	open_sas(&with);
	assert_int_equal(spis_known(), 0);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(sas_install(&with.sas, &active, IKE_INBOUND),
				 0);
		assert_int_equal(sas_install(&with.sas, &passive, IKE_INBOUND),
				 0);
		assert_int_equal(spis_known(), 2);
		/* one is lost of the engine's own, then one of the orphans */
		for (size_t left = 2; left-- > 0;) {
			fake.sas_count = left;
			assert_int_equal(sas_renew(&with.sas, with.base, NULL),
					 0);
			assert_int_equal(with.sas.orphans_count, left);
			assert_int_equal(spis_known(), left);
		}
	}
	close_sas(&with);
}

/* What was taken over ends with its lifetime, of which no engine knows. */
static void orphans_expire(void **state)
{
	struct sad_list *list = NULL;
	struct with_sas with;

	(void)state;
	fake.sas[0] = sa("192.0.2.2", true, 0x9001);
	fake.sas[1] = sa("192.0.2.2", false, 0x9002);
	fake.sas[2] = sa("192.0.2.2", true, 0x9003);
	fake.sas[3] = sa("192.0.2.2", true, 0x9002);
	fake.sas_count = 4;
	open_sas(&with);
	assert_true(sas_complete(&with.sas, IKE_CHILD_ACTIVE));
	assert_int_equal(spis_known(), 3);
	assert_int_equal(sad_list_read(warden, &list), 0);
	assert_false(sas_expire(&with.sas, list));
	sad_list_free(list);
	assert_int_equal(with.sas.orphans_count, 4);
	/* an inbound one has the SPI of the outbound one that is gone */
	fake.sas[1] = fake.sas[3];
	fake.sas_count = 2;
	assert_int_equal(sad_list_read(warden, &list), 0);
	assert_true(sas_expire(&with.sas, list));
	sad_list_free(list);
	assert_int_equal(with.sas.orphans_count, 2);
	assert_false(sas_complete(&with.sas, IKE_CHILD_ACTIVE));
	assert_true(has_orphan(&with.sas, 0x9001));
	assert_true(has_orphan(&with.sas, 0x9002));
	assert_int_equal(spis_known(), 2);
	close_sas(&with);
}

/* The SAD is read once for all pairs, each of which finds its own. */
static void one_list_serves_all(void **state)
{
	const struct plane_pair other = { ip("2001:db8::1"),
					  ip("2001:db8::3") };
	struct sad_list *list = NULL;
	struct with_sas with;
	struct sas second;

	(void)state;
	fake.sas[0] = sa("192.0.2.2", true, 0x9001);
	fake.sas[1] = sa("192.0.2.2", false, 0x9002);
	fake.sas[2] = sa("192.0.2.2", true, 0x9003);
	fake.sas[2].pair = other;
	fake.sas_count = 3;
	open_sas(&with);
	assert_int_equal(sad_list_read(warden, &list), 0);
	fake.queries = 0;
	assert_int_equal(sas_init(&second, with.base, warden, &other, list), 0);
	assert_int_equal(sas_renew(&with.sas, with.base, list), 0);
	assert_int_equal(fake.queries, 0);
	assert_int_equal(with.sas.orphans_count, 2);
	assert_true(has_orphan(&with.sas, 0x9001));
	assert_true(has_orphan(&with.sas, 0x9002));
	assert_int_equal(second.orphans_count, 1);
	assert_true(has_orphan(&second, 0x9003));
	/* what was removed since then does not come back */
	sas_remove_orphans(&with.sas);
	assert_int_equal(sas_renew(&with.sas, with.base, list), 0);
	assert_int_equal(with.sas.orphans_count, 0);
	assert_false(sas_complete(&with.sas, IKE_CHILD_ACTIVE));
	sad_list_free(list);
	sas_done(&second);
	close_sas(&with);
}

/* One that nobody knows any more, because the plane did not answer when it was
 * to go, carries nothing for long. */
static void a_stray_goes(void **state)
{
	struct with_sas with;

	(void)state;
	fake.sas[0] = sa("192.0.2.2", true, 0x9001);
	fake.sas_count = 1;
	open_sas(&with);
	fake.sas[1] = sa("192.0.2.2", false, 0x9002);
	fake.sas_count = 2;
	assert_int_equal(sas_renew(&with.sas, with.base, NULL), 0);
	assert_int_equal(with.sas.orphans_count, 1);
	assert_true(has_orphan(&with.sas, 0x9001));
	assert_int_equal(fake.sas_count, 1);
	close_sas(&with);
}

static int no_esp(const char **ret_why)
{
	*ret_why = "no ESP here";
	return -EPROTONOSUPPORT;
}

/* `plane = auto | kernel | user`, by what the machine has. */
static void the_plane_is_chosen(void **state)
{
	struct plane_ops without = fake_ops;
	const struct plane_ops *const ops[] = { &fake_ops, &without };
	static const struct {
		int kernel, user;	/* 0: has ESP, 1: has not */
		enum policy_plane wanted;
		int chosen;		/* -1: refused */
	} cases[] = {
		{ 0, 0, POLICY_PLANE_AUTO, CARRIER_KERNEL },
		{ 1, 0, POLICY_PLANE_AUTO, CARRIER_USER },
		{ 0, 1, POLICY_PLANE_AUTO, CARRIER_KERNEL },
		{ 1, 1, POLICY_PLANE_AUTO, -1 },
		{ 0, 0, POLICY_PLANE_KERNEL, CARRIER_KERNEL },
		{ 1, 0, POLICY_PLANE_KERNEL, -1 },
		{ 0, 0, POLICY_PLANE_USER, CARRIER_USER },
		{ 0, 1, POLICY_PLANE_USER, -1 },
	};

	(void)state;
	without.probe = no_esp;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct carrier carriers[CARRIERS];
		enum carrier_kind kind = CARRIERS;
		const char *reason = NULL;
		int err;

		carrier_probe(ops[cases[i].kernel], &carriers[CARRIER_KERNEL]);
		carrier_probe(ops[cases[i].user], &carriers[CARRIER_USER]);
		err = carrier_choose(carriers, cases[i].wanted, &kind,
				     &reason);
		assert_non_null(reason);
		if (cases[i].chosen < 0) {
			assert_int_equal(err, -EPROTONOSUPPORT);
			assert_string_equal(reason, "no ESP here");
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(kind, cases[i].chosen);
	}
}

/* A pair whose plane cannot be had is refused, and says why. */
static void no_plane_no_pair(void **state)
{
	(void)state;
	peers[0].plane = POLICY_PLANE_USER;
	assert_int_not_equal(warden_apply(warden, &config, why), 0);
	assert_non_null(strstr(why, "no plane for peer b"));
	assert_int_equal(fake.policies_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(pairs_come_before_blocks),
		T(allow_installs_no_blocks),
		T(a_failure_says_what_and_where),
		T(only_required_pairs_get_sas),
		T(reload_sweeps_what_is_gone),
		T(a_restart_keeps_sas_of_pairs),
		T(a_failed_reload_opens_nothing),
		T(a_failed_reload_closes_nothing),
		T(all_are_closed_again),
		T(release_removes_everything),
		T(inbound_goes_first),
		T(a_failed_install_leaves_nothing),
		T(too_many_children_are_refused),
		T(orphans_go_by_kind),
		T(old_orphans_go),
		T(lost_sas_leave_the_classifier),
		T(orphans_expire),
		T(one_list_serves_all),
		T(a_stray_goes),
		T(the_plane_is_chosen),
		T(no_plane_no_pair),
	};

	return cmocka_run_group_tests_name("warden", tests, NULL, NULL);
}
