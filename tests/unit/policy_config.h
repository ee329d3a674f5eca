/* A folder with certificates, and configurations that are read in it: for the
 * tests of policy_config_read(). */
#ifndef TESTS_UNIT_POLICY_CONFIG_H
#define TESTS_UNIT_POLICY_CONFIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/address.h"
#include "policy/config.h"
#include "policy/pairs.h"
#include "tests/unit/policy_certs.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* libconfuse forgets the arguments of a function that a syntax error cut
 * short. AddressSanitizer asks this function. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfuse";
}

static char dir[] = "/tmp/policy_config.XXXXXX";
static struct made ca, peer_ca;

/* Messages of one run, joined by newlines. */
static char messages[65536];
static size_t messages_count;

static void take(void *ctx, const char *message)
{
	size_t used = strlen(messages);

	(void)ctx;
	messages_count++;
	snprintf(messages + used, sizeof(messages) - used, "%s\n", message);
}

static bool is_local(void *ctx, const struct in6_addr *address)
{
	char text[INET6_ADDRSTRLEN];

	(void)ctx;
	return strcmp(address_text(address, text), "192.0.2.77") != 0;
}

static struct policy_reader reader = {
	.address_is_local = is_local, .report = take
};

/* ------------------------------------------------------------------- files */

static void write_file(const char *name, const char *text, mode_t mode)
{
	FILE *file;

	file = fopen(name, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(name, mode);
}

static void write_cert(const char *name, const struct made *made)
{
	FILE *file = fopen(name, "w");

	PEM_write_X509(file, made->cert);
	fclose(file);
}

static void write_key(const char *name, EVP_PKEY *key, mode_t mode)
{
	FILE *file = fopen(name, "w");

	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	chmod(name, mode);
}

/* An own certificate with one thing changed. */
static void write_own(const char *name, EVP_PKEY *key,
		      void (*change)(struct spec *spec))
{
	struct spec spec = {
		.name = "router", .issuer = &ca, .as = "critical,AS:64500",
		.addresses = "critical,IPv4:192.0.2.1/32,IPv6:2001:db8::1/128",
		.not_before = time(NULL) - DAYS(1),
		.not_after = time(NULL) + DAYS(1), .key = key,
	};
	struct made made;

	if (change != NULL)
		change(&spec);
	made = make(&spec);
	write_cert(name, &made);
	unmake(&made);
}

static void wrong_as(struct spec *spec) { spec->as = "critical,AS:64555"; }
static void no_as(struct spec *spec) { spec->as = NULL; }
static void no_ipv6(struct spec *spec)
{
	spec->addresses = "critical,IPv4:192.0.2.1/32";
}
static void no_signing(struct spec *spec)
{
	spec->usage = "critical,keyAgreement";
}
static void expired(struct spec *spec) { spec->not_after = NOW - DAYS(9); }
static void future(struct spec *spec)
{
	spec->not_before = time(NULL) + DAYS(1);
	spec->not_after = time(NULL) + DAYS(2);
}
static void sha1(struct spec *spec) { spec->digest = "SHA1"; }
static void san(struct spec *spec)
{
	spec->addresses = NULL;
	spec->san = "IP:192.0.2.1,IP:2001:db8::1";
}

static void write_own_files(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");

	write_own("router.crt", key, NULL);
	write_own("wrong_as.crt", key, wrong_as);
	write_own("no_as.crt", key, no_as);
	write_own("no_ipv6.crt", key, no_ipv6);
	write_own("no_signing.crt", key, no_signing);
	write_own("expired.crt", key, expired);
	write_own("future.crt", key, future);
	write_own("sha1.crt", key, sha1);
	write_own("san.crt", key, san);
	write_key("router.key", key, 0600);
	write_key("open.key", key, 0640);
	write_key("world.key", key, 0604);
	write_key("other.key", other, 0600);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static int set_up(void **state)
{
	struct spec spec = {
		.name = "AS64500 CA", .ca = true, .as = "critical,AS:64500",
		.addresses = "critical,IPv4:192.0.2.1/32,IPv6:2001:db8::1/128",
		.not_before = time(NULL) - DAYS(1),
		.not_after = time(NULL) + DAYS(1),
	};

	(void)state;
	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return -1;
	ca = make(&spec);
	spec.name = "AS64501 CA";
	spec.as = "critical,AS:64501";
	spec.addresses =
		"critical,IPv4:192.0.2.2/31,IPv6:2001:db8::2/127";
	peer_ca = make(&spec);
	mkdir("peers", 0755);
	write_cert("ca.crt", &ca);
	write_cert("peers/a.crt", &peer_ca);
	write_own_files();
	write_file("junk.pem", "no certificate\n", 0644);
	write_file("half.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n", 0644);
	return 0;
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	unmake(&ca);
	unmake(&peer_ca);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* ------------------------------------------------------------------- asking */

static struct policy_config *read_text(const char *text)
{
	write_file("c.conf", text, 0644);
	messages[0] = '\0';
	messages_count = 0;
	return policy_config_read("c.conf", &reader);
}

/* The text has this error, and `count` errors altogether. */
static void refused(const char *text, size_t count, const char *message)
{
	struct policy_config *config = read_text(text);

	if (strstr(messages, message) == NULL || messages_count != count)
		print_error("# expected %zu: %s\n# got %zu:\n%s", count,
			    message, messages_count, messages);
	assert_null(config);
	assert_non_null(strstr(messages, message));
	assert_int_equal(messages_count, count);
}

#define LOCAL_TOP "local {\n\tas = 64500\n" \
	"\taddresses = {\"192.0.2.1\", \"2001:db8::1\"}\n"
#define FILES "\tcertificate = \"router.crt\"\n\tkey = router.key\n}\n"
#define LOCAL LOCAL_TOP FILES		/* lines 1 to 6 */
#define PEER(name, rest) "peer " name " {\n" rest "}\n"
#define TRUST "\ttrust = \"peers/a.crt\"\n"
#define AS "\tas = 64501\n"
#define ADDRESS "\taddresses = {192.0.2.2}\n"

#endif
