#include "sidecar/peer_add.h"

#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/address.h"
#include "policy/config.h"
#include "policy/credential.h"
#include "policy/file.h"
#include "policy/resources.h"
#include "policy/text.h"
#include "sidecar/pki.h"
#include "sidecar/proposals.h"

struct peer_add {
	const struct cli_router *router;
	const char *name;
	const char *trust;
	struct policy_anchors *anchors;
	char *config, *config_new, *anchor_dir, *anchor;	/* paths */
};

static void print_error(void *ctx, const char *message)
{
	(void)ctx;
	(void)fprintf(stderr, "%s\n", message);
}

static const struct policy_reader reader = {
	.proposals = proposals_check, .report = print_error
};

/* ----------------------------------------------------------- is it sensible */

static bool anchor_fits(const X509 *anchor, const struct cli_router *router,
			char *ret_why, size_t size)
{
	char holds[POLICY_TEXT_SIZE], text[INET6_ADDRSTRLEN];
	size_t i;

	if (!resources_hold_as(anchor, router->as)) {
		resources_as_text(anchor, holds, sizeof(holds));
		text_format(ret_why, size, "holds %s, --as is %u", holds,
			    router->as);
		return false;
	}
	for (i = 0; i < router->addresses_count; i++) {
		if (resources_hold_address(anchor, &router->addresses[i]))
			continue;
		resources_address_text(anchor, holds, sizeof(holds));
		text_format(ret_why, size, "holds %s, --address is %s", holds,
			    address_text(&router->addresses[i], text));
		return false;
	}
	return true;
}

/* While a peer changes its CA the file has two: one must fit. */
static bool anchors_fit(const struct peer_add *add)
{
	const STACK_OF(X509) *certs = add->anchors->certs;
	char why[2 * POLICY_TEXT_SIZE];
	int i;

	for (i = 0; i < sk_X509_num(certs); i++) {
		if (anchor_fits(sk_X509_value(certs, i), add->router, why,
				sizeof(why)))
			return true;
	}
	warnx("the CA in %s %s: correct the option, or ask the peer for its "
	      "own ca.crt", add->trust, why);
	return false;
}

/* Neither the name nor an address is taken. */
static bool is_new(const struct policy_config *config,
		   const struct peer_add *add)
{
	const struct policy_peer *other = NULL;
	char text[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < config->peers_count && other == NULL; i++) {
		if (strcmp(config->peers[i].name, add->name) == 0)
			other = &config->peers[i];
	}
	if (other != NULL) {
		warnx("%s:%d: peer %s is there already: choose another name, "
		      "or edit the section", other->file, other->line,
		      add->name);
		return false;
	}
	for (i = 0; i < add->router->addresses_count; i++) {
		const struct in6_addr *address = &add->router->addresses[i];

		other = policy_config_peer(config, address);
		if (other == NULL)
			continue;
		warnx("%s:%d: peer %s has address %s already: correct "
		      "--address, or edit the section", other->file,
		      other->line, other->name, address_text(address, text));
		return false;
	}
	return true;
}

static bool config_allows(const struct peer_add *add)
{
	struct policy_config *config = policy_config_read(add->config,
							  &reader);
	bool allows;

	if (config == NULL)
		return false;
	allows = is_new(config, add);
	policy_config_free(config);
	return allows;
}

/* ---------------------------------------------------------------- writing */

/* The certificates again as PEM: nothing else that stood in the file. */
static char *anchors_pem(const struct policy_anchors *anchors)
{
	char *all = strdup(""), *joined, *pem;
	int i;

	for (i = 0; all != NULL && i < sk_X509_num(anchors->certs); i++) {
		pem = pki_cert_pem(sk_X509_value(anchors->certs, i));
		if (pem == NULL || asprintf(&joined, "%s%s", all, pem) < 0)
			joined = NULL;
		pki_free_pem(pem);
		free(all);
		all = joined;
	}
	return all;
}

static int write_anchor(const struct peer_add *add)
{
	char *pem = anchors_pem(add->anchors);
	int ret = pem == NULL ? -ENOMEM : cli_make_dir(add->anchor_dir);

	if (ret >= 0)
		ret = cli_make_file(add->anchor, 0644, pem);
	if (ret == 0)
		ret = cli_make_sync(add->anchor_dir);
	free(pem);
	if (ret == -EEXIST)
		warnx("%s is in the way: move it away, or choose another name",
		      add->anchor);
	else if (ret != 0)
		warnx("%s cannot be written: %s", add->anchor,
		      strerror(-ret));
	return ret;
}

static char *with_section(const char *text, const struct peer_add *add)
{
	char addresses[POLICY_MAX_ADDRESSES * (INET6_ADDRSTRLEN + 4)];
	size_t len = strlen(text);
	char *whole;

	cli_make_list(add->router, addresses, sizeof(addresses));
	if (asprintf(&whole, "%s%s\npeer %s {\n\tas = %u\n\taddresses = %s\n"
		     "\ttrust = \"peers/%s.crt\"\n}\n", text,
		     len > 0 && text[len - 1] != '\n' ? "\n" : "", add->name,
		     add->router->as, addresses, add->name) < 0)
		return NULL;
	return whole;
}

/* The new text beside the old one, with its mode and owner. */
static int write_new_config(const struct peer_add *add)
{
	char why[POLICY_TEXT_SIZE] = "", *old, *whole;
	struct stat stat;
	int ret;

	old = file_read(add->config, "configuration file", &stat, why,
			sizeof(why));
	if (old == NULL) {
		warnx("%s", why);
		return -EIO;
	}
	whole = with_section(old, add);
	file_free(old);
	if (whole == NULL)
		return -ENOMEM;
	ret = cli_make_file_like(add->config_new, &stat, whole);
	free(whole);
	if (ret != 0)
		warnx("%s cannot be written: %s", add->config_new,
		      strerror(-ret));
	return ret;
}

/* The file that will be gone must not stand in the message. */
static void print_new_error(void *ctx, const char *message)
{
	const struct peer_add *add = ctx;
	size_t len = strlen(add->config_new);

	if (strncmp(message, add->config_new, len) == 0)
		warnx("with this section, %s would have an error: %s%s",
		      add->config, add->config, message + len);
	else
		warnx("%s", message);
}

/* The configuration is replaced only by one that is right. */
static int commit(const struct peer_add *add)
{
	const struct policy_reader new_reader = {
		.proposals = proposals_check,
		.report = print_new_error,
		.ctx = (void *)(uintptr_t)add,
	};
	struct policy_config *config;
	int status = EXIT_FAILURE;

	if (write_new_config(add) != 0)
		return EXIT_FAILURE;
	config = policy_config_read(add->config_new, &new_reader);
	if (config == NULL)
		status = 2;
	else if (rename(add->config_new, add->config) != 0)
		warn("%s cannot be replaced", add->config);
	else
		status = EXIT_SUCCESS;
	policy_config_free(config);
	if (status != EXIT_SUCCESS)
		unlink(add->config_new);
	else if (cli_make_sync(add->router->dir) != 0)
		warnx("%s may not be on the disk yet", add->config);
	return status;
}

static void print_result(const struct peer_add *add)
{
	char fingerprint[PKI_FINGERPRINT_SIZE];
	int i;

	printf("Added peer %s to %s.\n", add->name, add->config);
	for (i = 0; i < sk_X509_num(add->anchors->certs); i++) {
		if (pki_fingerprint(sk_X509_value(add->anchors->certs, i),
				    fingerprint))
			printf("Compare the SHA-256 fingerprint of its CA "
			       "with what the peer says:\n  %s\n",
			       fingerprint);
	}
	printf("A running daemon takes it up with: systemctl reload "
	       "bgpwardd\n");
}

static int add_locked(const struct peer_add *add)
{
	int ret, status;

	if (!cli_make_replaceable(add->config, "add the section by hand") ||
	    !config_allows(add))
		return 2;
	ret = write_anchor(add);
	if (ret != 0)
		return ret == -EEXIST ? 2 : EXIT_FAILURE;
	status = commit(add);
	if (status != EXIT_SUCCESS)
		unlink(add->anchor);
	else
		print_result(add);
	return status;
}

static int run(struct peer_add *add)
{
	char why[2 * POLICY_TEXT_SIZE];
	int lock, status;

	add->anchors = policy_anchors_read(add->trust, why, sizeof(why));
	if (add->anchors == NULL) {
		warnx("--trust: %s", why);
		return 2;
	}
	if (!anchors_fit(add))
		return 2;
	lock = cli_make_lock(add->router->dir);
	if (lock < 0)
		return 2;
	status = add_locked(add);
	close(lock);
	return status;
}

int peer_add(const struct cli_router *router, const char *name,
	     const char *trust)
{
	struct peer_add add = {
		.router = router, .name = name, .trust = trust,
		.config = cli_make_path(router->dir, "bgpward.conf"),
		.anchor_dir = cli_make_path(router->dir, "peers"),
	};
	char new_name[64], anchor_name[64];
	int status;

	text_format(new_name, sizeof(new_name), ".bgpward.conf.%d",
		    (int)getpid());
	text_format(anchor_name, sizeof(anchor_name), "peers/%s.crt", name);
	add.config_new = cli_make_path(router->dir, new_name);
	add.anchor = cli_make_path(router->dir, anchor_name);
	status = run(&add);
	policy_anchors_free(add.anchors);
	free(add.config);
	free(add.config_new);
	free(add.anchor_dir);
	free(add.anchor);
	return status;
}
