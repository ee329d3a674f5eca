/*
 * A configuration file, in a folder with a router's certificate and key and a
 * peer's anchor. What follows the first NUL octet is the text of a second
 * file, d.conf, to be included. Invariant: either there is a configuration, or
 * there are errors.
 */
#include "tests/fuzz/fuzz.h"

#include <sys/stat.h>
#include <unistd.h>

#include "policy/address.h"
#include "policy/config.h"
#include "policy/pairs.h"
#include "tests/sim/engine.h"
#include "tests/unit/policy_certs.h"

enum { MAX_TEXT = 16384, PATH_SIZE = 128 };

/* libconfuse forgets the arguments of a function that a syntax error cut
 * short. LeakSanitizer asks this function. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfuse";
}

static char folder[] = "/tmp/bgpward-fuzz-XXXXXX";
static size_t errors;
static const char *const names[] = {
	"c.conf", "d.conf", "router.crt", "router.key", "a.crt"
};

static const char *in_folder(const char *name)
{
	static char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const uint8_t *text, size_t len)
{
	FILE *file = fopen(in_folder(name), "w");

	FUZZ_ASSERT(file && fwrite(text, 1, len, file) == len);
	FUZZ_ASSERT(fclose(file) == 0);
}

static void write_credential(void)
{
	struct spec spec = {
		.name = "AS64500 CA", .ca = true, .as = "critical,AS:64500",
		.addresses = "critical,IPv4:192.0.2.1/32,IPv6:2001:db8::1/128",
		.not_before = time(NULL) - DAYS(1),
		.not_after = time(NULL) + DAYS(3650),
	};
	struct made ca = make(&spec), end;
	FILE *file;

	spec.name = "router";
	spec.issuer = &ca;
	spec.ca = false;
	end = make(&spec);
	file = fopen(in_folder("router.crt"), "w");
	FUZZ_ASSERT(file && PEM_write_X509(file, end.cert) == 1);
	fclose(file);
	file = fopen(in_folder("a.crt"), "w");
	FUZZ_ASSERT(file && PEM_write_X509(file, ca.cert) == 1);
	fclose(file);
	file = fopen(in_folder("router.key"), "w");
	FUZZ_ASSERT(file && PEM_write_PrivateKey(file, end.key, NULL, NULL, 0,
						 NULL, NULL) == 1);
	fclose(file);
	FUZZ_ASSERT(chmod(in_folder("router.key"), 0600) == 0);
	unmake(&ca);
	unmake(&end);
}

static void tidy(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	engine_fix_randomness();
	FUZZ_ASSERT(mkdtemp(folder));
	write_credential();
	atexit(tidy);
	return 0;
}

static void count(void *ctx, const char *message)
{
	(void)ctx;
	FUZZ_ASSERT(message[0] != '\0');
	errors++;
}

static int each_pair(void *ctx, const struct policy_peer *peer,
		     const struct in6_addr *local,
		     const struct in6_addr *remote)
{
	const struct policy_config *config = ctx;

	FUZZ_ASSERT(policy_is_local(config, local));
	FUZZ_ASSERT(policy_find_pair(config, local, remote) == peer);
	return 0;
}

static void check(struct policy_config *config)
{
	FUZZ_ASSERT(config->peers_count <= POLICY_MAX_PEERS);
	FUZZ_ASSERT(config->as != 0 && config->credential);
	FUZZ_ASSERT(config->addresses_count > 0 &&
		    config->addresses_count <= POLICY_MAX_ADDRESSES);
	for (size_t i = 0; i < config->peers_count; i++) {
		const struct policy_peer *peer = &config->peers[i];

		FUZZ_ASSERT(policy_peer_name_valid(peer->name));
		FUZZ_ASSERT(peer->addresses_count > 0 &&
			    peer->addresses_count <= POLICY_MAX_ADDRESSES);
		FUZZ_ASSERT(peer->mode == POLICY_OFF || peer->anchors);
		FUZZ_ASSERT(policy_same_peer(peer, peer));
	}
	FUZZ_ASSERT(policy_each_pair(config, each_pair, config) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct policy_reader reader = { .report = count };
	struct policy_config *config;
	const uint8_t *nul;
	size_t first;

	if (size > MAX_TEXT)
		return 0;
	nul = memchr(data, 0, size);
	first = nul ? (size_t)(nul - data) : size;
	write_file("c.conf", data, first);
	write_file("d.conf", nul ? nul + 1 : data, nul ? size - first - 1 : 0);
	errors = 0;
	config = policy_config_read(in_folder("c.conf"), &reader);
	FUZZ_ASSERT(!config == (errors > 0));
	FUZZ_ASSERT(errors <= POLICY_MAX_ERRORS + 1);
	if (config)
		check(config);
	policy_config_free(config);
	return 0;
}
