/* bgpward renew: the next certificate of this router, under the same CA and for
 * the same key. */
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/certificate.h"
#include "policy/credential.h"
#include "policy/number.h"
#include "policy/text.h"
#include "sidecar/cli.h"
#include "sidecar/cli_make.h"
#include "sidecar/pki.h"

enum {
	DAY = 24 * 3600,
	DAYS_MAX = 3650,
	KEY_DAYS = 0x100,
	KEY_DIR
};

struct renewal {
	const char *dir;
	long days;
	char *ca_cert_path, *ca_key_path, *cert_path, *key_path, *new_path;
	struct policy_credential *ca, *router;
	time_t until;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct renewal *renewal = state->input;
	uint64_t days;

	switch (key) {
	case KEY_DAYS:
		if (!number_parse(arg, DAYS_MAX, &days) || days == 0)
			argp_error(state, "--days '%s' is not 1 .. %d: correct "
				   "it", arg, DAYS_MAX);
		renewal->days = (long)days;
		return 0;
	case KEY_DIR:
		renewal->dir = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "argument '%s' is one too many: renew takes "
			   "options only", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* -------------------------------------------------------------- is it ours */

static bool read_all(struct renewal *renewal)
{
	char why[2 * POLICY_TEXT_SIZE];

	renewal->ca = policy_credential_read(renewal->ca_cert_path,
					     renewal->ca_key_path, why,
					     sizeof(why));
	if (renewal->ca == NULL) {
		warnx("%s (the CA that `bgpward init` made is needed: if it is "
		      "kept elsewhere, bring ca.crt and ca.key to folder %s)",
		      why, renewal->dir);
		return false;
	}
	renewal->router = policy_credential_read(renewal->cert_path,
						 renewal->key_path, why,
						 sizeof(why));
	if (renewal->router == NULL)
		warnx("%s", why);
	return renewal->router != NULL;
}

/* What the CA does not vouch for now it must not vouch for by our doing. */
static bool is_issuer(const struct renewal *renewal)
{
	X509 *ca = sk_X509_value(renewal->ca->certs, 0);
	X509 *cert = sk_X509_value(renewal->router->certs, 0);
	char issuer[CERTIFICATE_NAME_SIZE];

	if (certificate_is_ca(ca) &&
	    X509_NAME_cmp(X509_get_issuer_name(cert),
			  X509_get_subject_name(ca)) == 0 &&
	    X509_verify(cert, renewal->ca->key) == 1)
		return true;
	certificate_issuer(cert, issuer, sizeof(issuer));
	warnx("%s was not issued by the CA in %s, but by %s: have it renewed "
	      "there, or name the folder of that CA with --dir",
	      renewal->cert_path, renewal->ca_cert_path, issuer);
	return false;
}

static bool ca_lasts(const struct renewal *renewal, time_t now)
{
	X509 *ca = sk_X509_value(renewal->ca->certs, 0);
	char ca_end[TEXT_TIME_SIZE], end[TEXT_TIME_SIZE], fewer[64] = "";
	time_t ca_until;

	if (!certificate_not_after(ca, &ca_until)) {
		warnx("%s has no end that can be read: replace it",
		      renewal->ca_cert_path);
		return false;
	}
	if (ca_until >= renewal->until)
		return true;
	if (ca_until >= now + DAY)
		text_format(fewer, sizeof(fewer), "give --days %ld or less, or ",
			    (long)(ca_until - now) / DAY);
	warnx("the CA in %s ends on %s, before the new certificate would (%s): "
	      "%smake another CA with `bgpward init --dir`, and let each peer "
	      "have its ca.crt in its trust file beside the present one before "
	      "this router shows what it issued", renewal->ca_cert_path,
	      text_time(ca_until, ca_end), text_time(renewal->until, end),
	      fewer);
	return false;
}

/* ----------------------------------------------------------------- writing */

/* The certificate, and what stood behind the one that it follows. */
static char *make_pem(const struct renewal *renewal, X509 *cert)
{
	const STACK_OF(X509) *certs = renewal->router->certs;
	char *all = NULL, *joined, *pem;

	for (int i = 0; i < sk_X509_num(certs); i++) {
		pem = pki_cert_pem(i == 0 ? cert : sk_X509_value(certs, i));
		if (pem == NULL ||
		    asprintf(&joined, "%s%s", all ? all : "", pem) < 0)
			joined = NULL;
		pki_free_pem(pem);
		free(all);
		all = joined;
		if (all == NULL)
			break;
	}
	return all;
}

static int replace(const struct renewal *renewal, const char *pem)
{
	struct stat stat;
	int ret = lstat(renewal->cert_path, &stat) != 0 ? -errno : 0;

	if (ret == 0)
		ret = cli_make_file_like(renewal->new_path, &stat, pem);
	if (ret == 0 && rename(renewal->new_path, renewal->cert_path) != 0) {
		ret = -errno;
		unlink(renewal->new_path);
	}
	if (ret == 0)
		ret = cli_make_sync(renewal->dir);
	if (ret != 0)
		warnx("%s cannot be written: %s", renewal->cert_path,
		      strerror(-ret));
	return ret == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int make(const struct renewal *renewal, time_t now)
{
	const struct pki_pair issuer = {
		sk_X509_value(renewal->ca->certs, 0), renewal->ca->key
	};
	X509 *cert = pki_renew(sk_X509_value(renewal->router->certs, 0),
			       &issuer, now - PKI_BACKDATE, renewal->until);
	char *pem = cert == NULL ? NULL : make_pem(renewal, cert);
	int status = EXIT_FAILURE;

	if (pem == NULL)
		warnx("OpenSSL could not make the certificate");
	else
		status = replace(renewal, pem);
	free(pem);
	X509_free(cert);
	return status;
}

static int renew_locked(struct renewal *renewal)
{
	const time_t now = time(NULL);
	char end[TEXT_TIME_SIZE];
	int status;

	renewal->until = now + renewal->days * DAY;
	if (!cli_make_replaceable(renewal->cert_path, "name the folder that it "
				  "points to with --dir") ||
	    !read_all(renewal) || !is_issuer(renewal) ||
	    !ca_lasts(renewal, now))
		return 2;
	status = make(renewal, now);
	if (status == EXIT_SUCCESS)
		printf("%s is good until %s.\nPut it in force with: systemctl "
		       "reload bgpwardd\nThe peers need not do anything: they "
		       "trust the CA, which is the same.\n",
		       renewal->cert_path, text_time(renewal->until, end));
	return status;
}

/* ----------------------------------------------------------------- command */

static const struct argp_option options[] = {
	{ "days", KEY_DAYS, "N", 0, "how long the new one lasts (default 365)",
	  0 },
	{ "dir", KEY_DIR, "D", 0, "folder of ca.crt, ca.key, router.crt and "
	  "router.key (default " CLI_CONFIG_DIR ")", 0 },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Replace router.crt by a new certificate of the same key, with "
	       "the same AS number and addresses, under this router's own "
	       "CA.\vPeers need not do anything. A running daemon takes it up "
	       "by `systemctl reload bgpwardd`, and no session flaps. Exit "
	       "status 2 if a file is missing or does not belong to the "
	       "others, or if the CA ends earlier; then nothing has been "
	       "changed.",
};

int cli_renew(int argc, char **argv)
{
	static char name[] = "bgpward renew";
	struct renewal renewal = {
		.dir = CLI_CONFIG_DIR, .days = PKI_ROUTER_DAYS
	};
	char new_name[64];
	int lock, status = 2;

	argp_err_exit_status = 2;
	argv[0] = name;
	argp_parse(&argp, argc, argv, 0, NULL, &renewal);
	text_format(new_name, sizeof(new_name), ".router.crt.%d",
		    (int)getpid());
	renewal.ca_cert_path = cli_make_path(renewal.dir, "ca.crt");
	renewal.ca_key_path = cli_make_path(renewal.dir, "ca.key");
	renewal.cert_path = cli_make_path(renewal.dir, "router.crt");
	renewal.key_path = cli_make_path(renewal.dir, "router.key");
	renewal.new_path = cli_make_path(renewal.dir, new_name);
	lock = cli_make_lock(renewal.dir);
	if (lock >= 0) {
		status = renew_locked(&renewal);
		close(lock);
	}
	policy_credential_free(renewal.ca);
	policy_credential_free(renewal.router);
	free(renewal.ca_cert_path);
	free(renewal.ca_key_path);
	free(renewal.cert_path);
	free(renewal.key_path);
	free(renewal.new_path);
	return status;
}
