/* What a restart may take over: the record of a pair against a configuration
 * that changed in one thing, and against files that are not what they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fake_plane.h"
#include "netns.h"
#include "policy_certs.h"
#include "sidecar/trust.h"

static char folder[64], socket_path[80];
static struct made ca[2];
static struct policy_peer peer;
static struct policy_anchors one, both;
static struct policy_secret secret;
static struct plane_pair pair;
static struct trust *trust;

static void path_of(const char *name, char ret_path[160])
{
	snprintf(ret_path, 160, "%s.trust/%s", socket_path, name);
}

static void reopen(void)
{
	trust_close(trust);
	trust = NULL;
	assert_int_equal(trust_open(socket_path, &trust), 0);
}

static int make_certs(void **state)
{
	const struct spec spec = { .name = "ca", .ca = true };

	(void)state;
	one.certs = sk_X509_new_null();
	both.certs = sk_X509_new_null();
	for (int i = 0; i < 2; i++) {
		ca[i] = make(&spec);
		sk_X509_push(both.certs, ca[i].cert);
	}
	sk_X509_push(one.certs, ca[0].cert);
	return 0;
}

static int free_certs(void **state)
{
	(void)state;
	sk_X509_free(one.certs);
	sk_X509_free(both.certs);
	unmake(&ca[0]);
	unmake(&ca[1]);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/sidecar_trust.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/control", folder);
	pair = (struct plane_pair){ ip("192.0.2.1"), ip("192.0.2.2") };
	secret = (struct policy_secret){ "0123456789abcdef", 16 };
	peer = (struct policy_peer){ .as = 64501, .anchors = &one };
	trust = NULL;
	return trust_open(socket_path, &trust);
}

static int teardown(void **state)
{
	(void)state;
	trust_close(trust);
	return netns_run("rm -rf %s", folder);
}

static void the_same_is_taken_over(void **state)
{
	const struct plane_pair other = { ip("192.0.2.1"), ip("192.0.2.3") };

	(void)state;
	assert_false(trust_holds(trust, &pair, &peer));
	assert_int_equal(trust_record(trust, &pair, &peer), 0);
	assert_true(trust_holds(trust, &pair, &peer));
	assert_false(trust_holds(trust, &other, &peer));
	reopen();
	assert_true(trust_holds(trust, &pair, &peer));
	/* a name is no trust */
	peer.name = (char[]){ "renamed" };
	peer.algorithms.profile = POLICY_PROFILE_CNSA;
	assert_true(trust_holds(trust, &pair, &peer));
	trust_forget(trust, &pair);
	assert_false(trust_holds(trust, &pair, &peer));
}

/* Each change alone, and the way back. */
static void any_change_is_seen(void **state)
{
	struct policy_secret longer = secret, changed = secret;
	struct policy_peer psk = peer, now;

	(void)state;
	assert_int_equal(trust_record(trust, &pair, &peer), 0);
	now = peer;
	now.as = 64502;
	assert_false(trust_holds(trust, &pair, &now));
	now = peer;
	now.mode = POLICY_OFF;
	assert_false(trust_holds(trust, &pair, &now));
	now = peer;
	now.plane = POLICY_PLANE_USER;
	assert_false(trust_holds(trust, &pair, &now));
	psk.auth = POLICY_PSK;
	psk.anchors = NULL;
	psk.secret = &secret;
	assert_false(trust_holds(trust, &pair, &psk));
	assert_true(trust_holds(trust, &pair, &peer));

	/* an optional PPK may be added, not taken away */
	now = peer;
	now.ppk = &secret;
	assert_true(trust_holds(trust, &pair, &now));
	now.ppk_required = true;
	assert_false(trust_holds(trust, &pair, &now));
	now.ppk_required = false;
	assert_int_equal(trust_record(trust, &pair, &now), 0);
	assert_true(trust_holds(trust, &pair, &now));
	assert_false(trust_holds(trust, &pair, &peer));
	now.ppk_required = true;
	assert_false(trust_holds(trust, &pair, &now));
	now.ppk_required = false;
	changed.bytes[0] ^= 1;
	now.ppk = &changed;
	assert_false(trust_holds(trust, &pair, &now));
	changed.bytes[0] ^= 1;
	assert_true(trust_holds(trust, &pair, &now));

	assert_int_equal(trust_record(trust, &pair, &psk), 0);
	assert_true(trust_holds(trust, &pair, &psk));
	now = psk;
	now.secret = &longer;
	longer.bytes[longer.len++] = '\0';
	assert_false(trust_holds(trust, &pair, &now));
	now.secret = &changed;
	changed.bytes[0] ^= 1;
	assert_false(trust_holds(trust, &pair, &now));
	changed.bytes[0] ^= 1;
	assert_true(trust_holds(trust, &pair, &now));
}

static void anchors_may_be_added_not_removed(void **state)
{
	struct policy_peer more = peer;

	(void)state;
	more.anchors = &both;
	assert_int_equal(trust_record(trust, &pair, &peer), 0);
	assert_true(trust_holds(trust, &pair, &more));
	assert_int_equal(trust_record(trust, &pair, &more), 0);
	assert_false(trust_holds(trust, &pair, &peer));
}

static void another_namespace_has_other_sas(void **state)
{
	int here = netns_here();

	(void)state;
	assert_int_equal(trust_record(trust, &pair, &peer), 0);
	if (!netns_fresh())
		skip();
	reopen();
	assert_false(trust_holds(trust, &pair, &peer));
	assert_true(netns_enter(here));
	close(here);
	reopen();
	assert_true(trust_holds(trust, &pair, &peer));
}

static void write_over(const char *name, size_t len, size_t at, int flip)
{
	uint8_t bytes[4096];
	char path[160];
	size_t have;
	FILE *file;

	path_of(name, path);
	file = fopen(path, "r");
	assert_non_null(file);
	have = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	bytes[at] ^= (uint8_t)flip;
	file = fopen(path, "w");
	fwrite(bytes, 1, len ? len : have, file);
	fclose(file);
}

static void what_was_tampered_with_is_nothing(void **state)
{
	static const char *const name = "192.0.2.1-192.0.2.2";

	(void)state;
	assert_int_equal(trust_record(trust, &pair, &peer), 0);
	/* every byte counts but the anchors' free places */
	for (size_t at = 0; at < 120; at++) {
		write_over(name, 0, at, 0x80);
		assert_false(trust_holds(trust, &pair, &peer));
		write_over(name, 0, at, 0x80);
		assert_true(trust_holds(trust, &pair, &peer));
	}
	/* an absurd number of anchors, whatever the host's byte order */
	write_over(name, 0, sizeof(struct plane_pair) + 24 + 32 + 8 * 32, 0x7f);
	assert_false(trust_holds(trust, &pair, &peer));
	assert_int_equal(trust_record(trust, &pair, &peer), 0);
	write_over(name, 100, 0, 0);
	assert_false(trust_holds(trust, &pair, &peer));
	assert_int_equal(trust_record(trust, &pair, &peer), 0);
	assert_true(trust_holds(trust, &pair, &peer));
	/* under another key nothing holds */
	write_over("key", 0, 0, 1);
	reopen();
	assert_false(trust_holds(trust, &pair, &peer));
	/* half a key is none: a new one is made */
	write_over("key", 16, 0, 0);
	reopen();
	assert_int_equal(trust_record(trust, &pair, &peer), 0);
	reopen();
	assert_true(trust_holds(trust, &pair, &peer));
}

/* The same peer makes other bytes where the key is another one: who has only
 * the record cannot try secrets on it. */
static void a_record_alone_tells_no_secret(void **state)
{
	uint8_t first[512], second[512];
	char path[160];
	struct stat stat_of;
	size_t len;
	FILE *file;

	(void)state;
	peer = (struct policy_peer){ .as = 64501, .auth = POLICY_PSK,
				     .secret = &secret };
	path_of("192.0.2.1-192.0.2.2", path);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(trust_record(trust, &pair, &peer), 0);
		file = fopen(path, "r");
		len = fread(i ? second : first, 1, sizeof(first), file);
		fclose(file);
		assert_true(len > 88);
		write_over("key", 0, 7, 1);
		reopen();
	}
	assert_memory_equal(first, second, 56);
	assert_memory_not_equal(first + 56, second + 56, 32);
	assert_int_equal(stat(path, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0600);
	path_of("key", path);
	assert_int_equal(stat(path, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0600);
}

static void a_folder_of_others_is_refused(void **state)
{
	char path[160];

	(void)state;
	path_of("", path);
	chmod(path, 0755);
	trust_close(trust);
	trust = NULL;
	assert_int_equal(trust_open(socket_path, &trust), -EPERM);
	assert_null(trust);
	/* nothing is known then, and nothing noted */
	assert_false(trust_holds(NULL, &pair, &peer));
	assert_int_equal(trust_record(NULL, &pair, &peer), -ENOENT);
	trust_forget(NULL, &pair);
}

/* A record that cannot be replaced is not left to speak for newer SAs. */
static void no_stale_record_is_left(void **state)
{
	char path[160];

	(void)state;
	assert_int_equal(trust_record(trust, &pair, &peer), 0);
	path_of("new", path);
	assert_int_equal(mkdir(path, 0700), 0);	/* in the way */
	assert_true(trust_record(trust, &pair, &peer) < 0);
	assert_false(trust_holds(trust, &pair, &peer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(the_same_is_taken_over),
		T(any_change_is_seen),
		T(anchors_may_be_added_not_removed),
		T(another_namespace_has_other_sas),
		T(what_was_tampered_with_is_nothing),
		T(a_record_alone_tells_no_secret),
		T(a_folder_of_others_is_refused),
		T(no_stale_record_is_left),
	};

	return cmocka_run_group_tests_name("trust", tests, make_certs,
					   free_certs);
}
