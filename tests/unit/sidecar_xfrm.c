/*
 * The kernel plane's SPD entries, looked at with iproute2's eyes. Packets are
 * in sidecar_xfrm_traffic.c, SAs in sidecar_xfrm_messages.c and, where there is
 * ESP, in sidecar_xfrm_esp.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "policy/address.h"
#include "sidecar/xfrm.h"
#include "tests/unit/netns.h"

enum {
	TEXT_SIZE = 1 << 20,
	MANY_PAIRS = 300
};

#define LOCAL "192.0.2.1"
#define PEER "198.51.100.2"
#define LOCAL6 "2001:db8::1"
#define PEER6 "2001:db8::2"

static struct plane_pair pair_of(const char *local, const char *peer)
{
	struct plane_pair pair;

	memset(&pair, 0, sizeof(pair));
	assert_true(address_parse(local, &pair.local));
	assert_true(address_parse(peer, &pair.peer));
	return pair;
}

static struct plane_policy policy_of(enum plane_policy_type type,
				     const char *local, const char *peer)
{
	struct plane_policy policy;

	memset(&policy, 0, sizeof(policy));
	policy.type = type;
	policy.pair = pair_of(local, peer);
	return policy;
}

struct spd {
	struct plane *plane;
	char text[TEXT_SIZE], before[TEXT_SIZE];
};

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One line an entry, single spaces, without the mark of the kernel's build. */
static void join_entries(FILE *pipe, char *ret_text)
{
	char line[512], *words, *word;
	size_t used = 0;

	ret_text[0] = '\0';
	while (fgets(line, sizeof(line), pipe)) {
		if (strncmp(line, "src ", 4) == 0 && used)
			ret_text[used - 1] = '\n';
		words = line;
		while ((word = strsep(&words, " \t\n"))) {
			if (!*word || !strcmp(word, "ptype") ||
			    !strcmp(word, "main"))
				continue;
			used += (size_t)snprintf(ret_text + used,
						 TEXT_SIZE - used, "%s ",
						 word);
		}
	}
	if (used)
		ret_text[used - 1] = '\0';
}

static void sort_lines(char *text)
{
	char *copy = strdup(text), *rest = copy, *line;
	const char *lines[8 * MANY_PAIRS];
	size_t count = 0, used = 0;

	while ((line = strsep(&rest, "\n")) && count < 8 * MANY_PAIRS)
		lines[count++] = line;
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	for (size_t i = 0; i < count; i++)
		used += (size_t)sprintf(text + used, "%s%s", i ? "\n" : "",
					lines[i]);
	free(copy);
}

/* The SPD as iproute2 tells it; with `details` also indexes and use. */
static const char *spd_text(char *ret_text, bool details)
{
	FILE *pipe = popen(details ? "ip -s xfrm policy" :
			   "ip -d xfrm policy", "r");

	assert_non_null(pipe);
	join_entries(pipe, ret_text);
	assert_int_equal(pclose(pipe), 0);
	sort_lines(ret_text);
	return ret_text;
}

static size_t entries_in(const char *text)
{
	size_t count = *text ? 1 : 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void assert_spd(struct spd *spd, const char *expected)
{
	assert_string_equal(spd_text(spd->text, false), expected);
}

#define TMPL(src, dst, reqid) \
	" tmpl src " src " dst " dst " proto esp reqid " reqid \
	" mode transport"
#define REQUIRED(l, p, plen, active, passive) \
	"src " l plen " dst " p plen " proto tcp dport 179 dir out " \
	"priority 17901" TMPL(l, p, active) "\n" \
	"src " l plen " dst " p plen " proto tcp sport 179 dir out " \
	"priority 17901" TMPL(l, p, passive) "\n" \
	"src " p plen " dst " l plen " proto tcp dport 179 dir in " \
	"priority 17901" TMPL(p, l, passive) "\n" \
	"src " p plen " dst " l plen " proto tcp sport 179 dir in " \
	"priority 17901" TMPL(p, l, active)
#define LEFT_OFF(l, p, plen) \
	"src " l plen " dst " p plen " proto tcp dport 179 dir out " \
	"priority 17902\n" \
	"src " l plen " dst " p plen " proto tcp sport 179 dir out " \
	"priority 17902\n" \
	"src " p plen " dst " l plen " proto tcp dport 179 dir in " \
	"priority 17902\n" \
	"src " p plen " dst " l plen " proto tcp sport 179 dir in " \
	"priority 17902"

/* 0xb6700000 and what follows */
static const char required4[] =
	REQUIRED(LOCAL, PEER, "/32", "3060793344", "3060793345");
static const char required6[] =
	REQUIRED(LOCAL6, PEER6, "/128", "3060793344", "3060793345");
static const char off4[] = LEFT_OFF(LOCAL, PEER, "/32");
static const char off6[] = LEFT_OFF(LOCAL6, PEER6, "/128");
static const char block4[] =
	"src 0.0.0.0/0 dst 192.0.2.1/32 proto tcp dport 179 "
	"dir in action block priority 17903\n"
	"src 0.0.0.0/0 dst 192.0.2.1/32 proto tcp sport 179 "
	"dir in action block priority 17903\n"
	"src 192.0.2.1/32 dst 0.0.0.0/0 proto tcp dport 179 "
	"dir out action block priority 17903\n"
	"src 192.0.2.1/32 dst 0.0.0.0/0 proto tcp sport 179 "
	"dir out action block priority 17903";
static const char elsewhere4[] =
	"src " PEER "/32 dst 0.0.0.0/0 proto tcp dport 179 "
	"dir in action block priority 17903\n"
	"src " PEER "/32 dst 0.0.0.0/0 proto tcp sport 179 "
	"dir in action block priority 17903";
static const char elsewhere6[] =
	"src " PEER6 "/128 dst ::/0 proto tcp dport 179 "
	"dir in action block priority 17903\n"
	"src " PEER6 "/128 dst ::/0 proto tcp sport 179 "
	"dir in action block priority 17903";
static const char block6[] =
	"src 2001:db8::1/128 dst ::/0 proto tcp dport 179 "
	"dir out action block priority 17903\n"
	"src 2001:db8::1/128 dst ::/0 proto tcp sport 179 "
	"dir out action block priority 17903\n"
	"src ::/0 dst 2001:db8::1/128 proto tcp dport 179 "
	"dir in action block priority 17903\n"
	"src ::/0 dst 2001:db8::1/128 proto tcp sport 179 "
	"dir in action block priority 17903";

static int open_spd(void **state)
{
	struct spd *spd = calloc(1, sizeof(*spd));

	if (!spd || !netns_fresh() || plane_xfrm.open(&spd->plane) != 0) {
		free(spd);
		return -1;
	}
	*state = spd;
	return 0;
}

static int close_spd(void **state)
{
	struct spd *spd = *state;

	plane_xfrm.close(spd->plane);
	free(spd);
	return 0;
}

static void set(struct spd *spd, enum plane_policy_type type,
		const char *local, const char *peer)
{
	struct plane_policy policy = policy_of(type, local, peer);

	assert_int_equal(plane_xfrm.set_policy(spd->plane, &policy), 0);
}

static void unset(struct spd *spd, enum plane_policy_type type,
		  const char *local, const char *peer)
{
	struct plane_policy policy = policy_of(type, local, peer);

	assert_int_equal(plane_xfrm.delete_policy(spd->plane, &policy), 0);
}

static void reopen(struct spd *spd)
{
	plane_xfrm.close(spd->plane);
	spd->plane = NULL;
	assert_int_equal(plane_xfrm.open(&spd->plane), 0);
}

static uint32_t reqid(struct spd *spd, const char *local, const char *peer,
		      enum plane_kind kind)
{
	struct plane_pair pair = pair_of(local, peer);

	return plane_xfrm.reqid(spd->plane, &pair, kind);
}

static void each_type_is_exactly_these_entries(void **state)
{
	static const struct {
		enum plane_policy_type type;
		const char *local, *peer, *expected;
	} rows[] = {
		{ PLANE_REQUIRE, LOCAL, PEER, required4 },
		{ PLANE_REQUIRE, LOCAL6, PEER6, required6 },
		{ PLANE_OFF, LOCAL, PEER, off4 },
		{ PLANE_OFF, LOCAL6, PEER6, off6 },
		{ PLANE_BLOCK_OTHERS, LOCAL, PEER, block4 },
		{ PLANE_BLOCK_OTHERS, LOCAL6, PEER6, block6 },
		{ PLANE_BLOCK_ELSEWHERE, LOCAL, PEER, elsewhere4 },
		{ PLANE_BLOCK_ELSEWHERE, LOCAL6, PEER6, elsewhere6 },
	};
	struct spd *spd = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(netns_fresh());
		reopen(spd);
		set(spd, rows[i].type, rows[i].local, rows[i].peer);
		assert_spd(spd, rows[i].expected);
		unset(spd, rows[i].type, rows[i].local, rows[i].peer);
		assert_spd(spd, "");
	}
}

static void what_stands_is_kept(void **state)
{
	struct spd *spd = *state;

	set(spd, PLANE_BLOCK_OTHERS, LOCAL, PEER);
	set(spd, PLANE_REQUIRE, LOCAL, PEER);
	set(spd, PLANE_OFF, LOCAL, "198.51.100.3");
	spd_text(spd->before, true);
	for (int i = 0; i < 2; i++) {
		set(spd, PLANE_OFF, LOCAL, "198.51.100.3");
		set(spd, PLANE_REQUIRE, LOCAL, PEER);
		set(spd, PLANE_BLOCK_OTHERS, LOCAL, PEER);
		assert_string_equal(spd_text(spd->text, true), spd->before);
		reopen(spd);
	}
}

static void off_and_require_take_each_others_place(void **state)
{
	struct spd *spd = *state;

	set(spd, PLANE_OFF, LOCAL, PEER);
	assert_int_equal(reqid(spd, LOCAL, PEER, PLANE_ACTIVE), 0);
	set(spd, PLANE_REQUIRE, LOCAL, PEER);
	assert_spd(spd, required4);
	assert_int_equal(reqid(spd, LOCAL, PEER, PLANE_PASSIVE),
			 PLANE_REQID_BASE | 1);
	/* what is no longer OFF cannot be deleted as OFF */
	unset(spd, PLANE_OFF, LOCAL, PEER);
	assert_spd(spd, required4);
	set(spd, PLANE_OFF, LOCAL, PEER);
	assert_spd(spd, off4);
	assert_int_equal(reqid(spd, LOCAL, PEER, PLANE_ACTIVE), 0);
	unset(spd, PLANE_REQUIRE, LOCAL, PEER);
	assert_spd(spd, off4);
	set(spd, PLANE_REQUIRE, LOCAL, PEER);
	assert_spd(spd, required4);
}

static void restart_recovers_the_reqid(void **state)
{
	struct spd *spd = *state;
	uint32_t second;

	set(spd, PLANE_REQUIRE, LOCAL, "198.51.100.9");
	set(spd, PLANE_REQUIRE, LOCAL, PEER);
	second = reqid(spd, LOCAL, PEER, PLANE_ACTIVE);
	assert_int_equal(second, PLANE_REQID_BASE | 2);
	unset(spd, PLANE_REQUIRE, LOCAL, "198.51.100.9");
	reopen(spd);
	assert_int_equal(reqid(spd, LOCAL, PEER, PLANE_ACTIVE), second);
	assert_int_equal(reqid(spd, LOCAL, PEER, PLANE_PASSIVE), second | 1);
	assert_int_equal(reqid(spd, LOCAL, "198.51.100.9", PLANE_ACTIVE), 0);
	set(spd, PLANE_REQUIRE, LOCAL6, PEER6);
	assert_int_equal(reqid(spd, LOCAL6, PEER6, PLANE_ACTIVE),
			 PLANE_REQID_BASE);
	set(spd, PLANE_REQUIRE, LOCAL6, "2001:db8::3");
	assert_int_equal(reqid(spd, LOCAL6, "2001:db8::3", PLANE_ACTIVE),
			 PLANE_REQID_BASE | 4);
}

static const char *const selectors[] = {
	"src " LOCAL " dst " PEER " proto tcp dport 179 dir out",
	"src " LOCAL " dst " PEER " proto tcp sport 179 dir out",
	"src " PEER " dst " LOCAL " proto tcp dport 179 dir in",
	"src " PEER " dst " LOCAL " proto tcp sport 179 dir in",
};

/* strongSwan's, a plain block, a hand-made one without any action */
static const char *const foreign[] = {
	("priority 371327 tmpl src 0.0.0.0 dst 0.0.0.0 proto esp reqid 1 "
	 "mode transport"),
	"action block priority 100",
	"",
};

static void foreign_entries_are_in_the_way(void **state)
{
	static const enum plane_policy_type types[] = {
		PLANE_REQUIRE, PLANE_OFF
	};
	struct plane_policy policy;
	struct spd *spd = *state;

	for (int i = 0; i < 4 * 3 * 2; i++) {
		assert_int_equal(netns_run("ip xfrm policy add %s %s",
					   selectors[i % 4],
					   foreign[i / 4 % 3]), 0);
		spd_text(spd->before, true);
		policy = policy_of(types[i / 12], LOCAL, PEER);
		assert_int_equal(plane_xfrm.set_policy(spd->plane, &policy),
				 -EEXIST);
		assert_string_equal(spd_text(spd->text, true), spd->before);
		assert_int_equal(reqid(spd, LOCAL, PEER, PLANE_ACTIVE), 0);
		/* and cannot be deleted through us either */
		assert_int_equal(plane_xfrm.delete_policy(spd->plane, &policy),
				 0);
		assert_string_equal(spd_text(spd->text, true), spd->before);
		assert_int_equal(netns_run("ip xfrm policy delete %s",
					   selectors[i % 4]), 0);
	}
}

static void foreign_entries_survive(void **state)
{
	static const char *const others[] = {
		"src " LOCAL " dst " PEER " proto tcp dport 179 dir out "
		"mark 5 priority 17903 action block",
		"src " LOCAL " dst " PEER " proto tcp dport 179 dir fwd "
		"priority 17902",
		"src " LOCAL " dst " PEER " proto tcp dport 179 dir out "
		"if_id 7 priority 17902",
		"src " LOCAL " dst " PEER " proto tcp dport 179 dev lo "
		"dir out priority 17902",
		"src " LOCAL " dst " PEER " proto udp dport 179 dir out "
		"priority 17902",
		"src 0.0.0.0/0 dst " LOCAL " proto tcp dport 80 dir in "
		"priority 17903 action block",
		"src 198.51.100.0/24 dst " LOCAL " proto tcp dport 179 dir in "
		"priority 17903 action block",
		"src " LOCAL " dst " PEER " dir out priority 371327 tmpl "
		"src 0.0.0.0 dst 0.0.0.0 proto esp reqid 1 mode transport",
	};
	struct spd *spd = *state;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(netns_run("ip xfrm policy add %s", others[i]),
				 0);
	spd_text(spd->before, true);
	reopen(spd);
	set(spd, PLANE_REQUIRE, LOCAL, PEER);
	set(spd, PLANE_BLOCK_OTHERS, LOCAL, PEER);
	assert_int_equal(entries_in(spd_text(spd->text, false)), 16);
	unset(spd, PLANE_REQUIRE, LOCAL, PEER);
	set(spd, PLANE_OFF, LOCAL, PEER);
	assert_int_equal(entries_in(spd_text(spd->text, false)), 16);
	unset(spd, PLANE_OFF, LOCAL, PEER);
	unset(spd, PLANE_BLOCK_OTHERS, LOCAL, PEER);
	assert_string_equal(spd_text(spd->text, true), spd->before);
}

/* Somebody weakened, removed or re-aimed entries of ours by hand. */
static void tampering_is_repaired(void **state)
{
	static const char *const commands[] = {
		"update src " LOCAL " dst " PEER " proto tcp dport 179 dir out "
		"priority 17901 tmpl src " LOCAL " dst " PEER " proto esp "
		"reqid 3060793344 mode transport level use",
		"update src " LOCAL " dst " PEER " proto tcp dport 179 dir out "
		"priority 40000 tmpl src " LOCAL " dst " PEER " proto esp "
		"reqid 3060793344 mode transport",
		"update src " PEER " dst " LOCAL " proto tcp dport 179 dir in "
		"priority 17901 tmpl src " PEER " dst " LOCAL " proto esp "
		"reqid 3060793399 mode transport",
		"update src " PEER " dst " LOCAL " proto tcp dport 179 dir in "
		"priority 17901 limit time-hard 100 tmpl src " PEER " dst "
		LOCAL " proto esp reqid 3060793345 mode transport",
		"update src " PEER " dst " LOCAL " proto tcp dport 179 dir in "
		"priority 17902",
		"delete src " PEER " dst " LOCAL " proto tcp sport 179 dir in",
	};
	struct spd *spd = *state;

	set(spd, PLANE_REQUIRE, LOCAL, PEER);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		assert_int_equal(netns_run("ip xfrm policy %s", commands[i]),
				 0);
		/* the third gives the pair two slots: only who remembers can
		 * tell which was right */
		if (i != 2)
			reopen(spd);
		set(spd, PLANE_REQUIRE, LOCAL, PEER);
		assert_spd(spd, required4);
	}
}

struct tally {
	unsigned required, off, block;
	int stop_after;
};

static int count_policy(void *ctx, const struct plane_policy *policy)
{
	struct tally *tally = ctx;

	switch (policy->type) {
	case PLANE_REQUIRE:
		tally->required++;
		break;
	case PLANE_OFF:
		tally->off++;
		break;
	case PLANE_BLOCK_OTHERS:
	case PLANE_BLOCK_ELSEWHERE:
		tally->block++;
		break;
	}
	return tally->stop_after && --tally->stop_after == 0 ? -42 : 0;
}

static void policies_are_listed_once_each(void **state)
{
	struct tally tally = { 0 };
	struct spd *spd = *state;

	set(spd, PLANE_REQUIRE, LOCAL, PEER);
	set(spd, PLANE_REQUIRE, LOCAL6, PEER6);
	set(spd, PLANE_OFF, LOCAL, "198.51.100.3");
	set(spd, PLANE_BLOCK_OTHERS, LOCAL, PEER);
	set(spd, PLANE_BLOCK_ELSEWHERE, LOCAL, PEER);
	assert_int_equal(netns_run("ip xfrm policy add %s %s",
				   "src 192.0.2.77 dir in", foreign[1]), 0);
	assert_int_equal(plane_xfrm.query_policies(spd->plane, count_policy,
						   &tally), 0);
	assert_int_equal(tally.required, 2);
	assert_int_equal(tally.off, 1);
	assert_int_equal(tally.block, 2);
	tally = (struct tally){ .stop_after = 2 };
	assert_int_equal(plane_xfrm.query_policies(spd->plane, count_policy,
						   &tally), -42);
	assert_int_equal(tally.required + tally.off + tally.block, 2);
}

static void many_pairs_have_reqids_of_their_own(void **state)
{
	uint32_t seen[MANY_PAIRS];
	struct tally tally = { 0 };
	struct spd *spd = *state;
	char peer[32];

	for (unsigned i = 0; i < MANY_PAIRS; i++) {
		snprintf(peer, sizeof(peer), "10.1.%u.%u", i / 250, i % 250);
		set(spd, PLANE_REQUIRE, LOCAL, peer);
		seen[i] = reqid(spd, LOCAL, peer, PLANE_ACTIVE);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(seen[i] & ~1u, seen[j] & ~1u);
	}
	reopen(spd);
	assert_int_equal(plane_xfrm.query_policies(spd->plane, count_policy,
						   &tally), 0);
	assert_int_equal(tally.required, MANY_PAIRS);
	for (unsigned i = 0; i < MANY_PAIRS; i++) {
		snprintf(peer, sizeof(peer), "10.1.%u.%u", i / 250, i % 250);
		assert_int_equal(reqid(spd, LOCAL, peer, PLANE_ACTIVE),
				 seen[i]);
		unset(spd, PLANE_REQUIRE, LOCAL, peer);
	}
	assert_spd(spd, "");
}

static void nonsense_is_refused(void **state)
{
	struct plane_policy policy = policy_of(PLANE_REQUIRE, LOCAL, PEER6);
	static const uint8_t key[32];
	struct plane_sa sa = {
		.pair = pair_of(LOCAL, PEER), .spi = 0x1000, .encr = 11,
		.integ = 12, .key = key, .key_len = sizeof(key)
	};
	struct spd *spd = *state;

	assert_int_equal(plane_xfrm.set_policy(spd->plane, &policy), -EINVAL);
	assert_int_equal(plane_xfrm.delete_policy(spd->plane, &policy),
			 -EINVAL);
	policy.type = PLANE_OFF;
	assert_int_equal(plane_xfrm.set_policy(spd->plane, &policy), -EINVAL);
	assert_spd(spd, "");
	/* guard first */
	assert_int_equal(plane_xfrm.add_sa(spd->plane, &sa), -ENOENT);
	set(spd, PLANE_OFF, LOCAL, PEER);
	assert_int_equal(plane_xfrm.add_sa(spd->plane, &sa), -ENOENT);
	set(spd, PLANE_REQUIRE, LOCAL, PEER);
	sa.kind = PLANE_KINDS;
	assert_int_equal(plane_xfrm.add_sa(spd->plane, &sa), -EINVAL);
	sa.kind = PLANE_ACTIVE;
	sa.key_len = 31;
	assert_int_equal(plane_xfrm.add_sa(spd->plane, &sa), -EINVAL);
}

static void spis_are_allocated(void **state)
{
	struct plane_pair pair = pair_of(LOCAL, PEER);
	struct spd *spd = *state;
	uint32_t first = plane_xfrm.allocate_spi(spd->plane, &pair);
	uint32_t second = plane_xfrm.allocate_spi(spd->plane, &pair);

	assert_true(first >= 256 && second >= 256 && first != second);
	for (int i = 0; i < 16; i++)
		assert_false(plane_xfrm.allocate_spi(spd->plane, &pair) &
			     PLANE_SPI_USER);
}

static void probe_leaves_nothing_and_says_why(void **state)
{
	const char *why = NULL;
	int err = plane_xfrm.probe(&why);

	(void)state;
	assert_int_equal(netns_run("test -z \"$(ip xfrm state)\""), 0);
	if (err == 0)
		assert_null(why);
	else
		assert_non_null(strstr(why, "CONFIG_INET_ESP"));
}

#define SPD_TEST(f) cmocka_unit_test_setup_teardown(f, open_spd, close_spd)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPD_TEST(each_type_is_exactly_these_entries),
		SPD_TEST(what_stands_is_kept),
		SPD_TEST(off_and_require_take_each_others_place),
		SPD_TEST(restart_recovers_the_reqid),
		SPD_TEST(foreign_entries_are_in_the_way),
		SPD_TEST(foreign_entries_survive),
		SPD_TEST(tampering_is_repaired),
		SPD_TEST(policies_are_listed_once_each),
		SPD_TEST(many_pairs_have_reqids_of_their_own),
		SPD_TEST(nonsense_is_refused),
		SPD_TEST(spis_are_allocated),
		SPD_TEST(probe_leaves_nothing_and_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
