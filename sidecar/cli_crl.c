/* bgpward crl: the CRL of this router's own CA, made or renewed, with more
 * certificates revoked. */
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/crl.h"
#include "policy/crls.h"
#include "policy/number.h"
#include "policy/text.h"
#include "sidecar/cli.h"
#include "sidecar/cli_make.h"
#include "sidecar/pki_crl.h"

enum {
	DAY = 86400,
	DAYS = 30,
	DAYS_MAX = 365,
	KEY_DAYS = 0x100,
	KEY_DIR,
	KEY_REVOKE
};

struct work {
	const char *dir;
	long days;
	STACK_OF(X509) *revoked;
	char *cert_path, *key_path, *crl_path, *new_path;
	struct pki_pair ca;
	struct policy_crls *crls;
};

static void add_revoked(struct argp_state *state, const char *file)
{
	struct work *work = state->input;
	char why[2 * POLICY_TEXT_SIZE];
	STACK_OF(X509) *certs = policy_certificates_read(file, why,
							 sizeof(why));

	if (certs == NULL)
		argp_error(state, "--revoke: %s", why);
	/* the others in the file are the CAs above it */
	if (sk_X509_push(work->revoked, sk_X509_shift(certs)) <= 0)
		errx(EXIT_FAILURE, "out of memory");
	sk_X509_pop_free(certs, X509_free);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct work *work = state->input;
	uint64_t days;

	switch (key) {
	case KEY_DAYS:
		if (!number_parse(arg, DAYS_MAX, &days) || days == 0)
			argp_error(state, "--days '%s' is not 1 .. %d: correct "
				   "it", arg, DAYS_MAX);
		work->days = (long)days;
		return 0;
	case KEY_DIR:
		work->dir = arg;
		return 0;
	case KEY_REVOKE:
		add_revoked(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "argument '%s' is one too many: name a "
			   "certificate with --revoke '%s'", arg, arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static bool read_ca(struct work *work)
{
	char why[2 * POLICY_TEXT_SIZE];
	struct policy_credential *ca = policy_credential_read(
		work->cert_path, work->key_path, why, sizeof(why));

	if (ca == NULL) {
		warnx("%s", why);
		return false;
	}
	work->ca.cert = X509_dup(sk_X509_value(ca->certs, 0));
	work->ca.key = EVP_PKEY_dup(ca->key);
	policy_credential_free(ca);
	return work->ca.cert != NULL && work->ca.key != NULL;
}

/* Another CA's certificate with the same number must not be meant. */
static bool all_are_ours(const struct work *work)
{
	for (int i = 0; i < sk_X509_num(work->revoked); i++) {
		X509 *cert = sk_X509_value(work->revoked, i);

		if (X509_cmp(cert, work->ca.cert) == 0) {
			warnx("certificate number %d of --revoke is the CA's "
			      "own, in %s: name one that it has issued",
			      i + 1, work->cert_path);
			return false;
		}
		if (X509_NAME_cmp(X509_get_issuer_name(cert),
				  X509_get_subject_name(work->ca.cert)) == 0 &&
		    X509_verify(cert, work->ca.key) == 1)
			continue;
		warnx("certificate number %d of --revoke was not issued by "
		      "the CA in %s: name the one that was", i + 1,
		      work->cert_path);
		return false;
	}
	return true;
}

/* *ret_old: the CRL that is there, or NULL if there is none. One that cannot be
 * read may hold what must not be forgotten. */
static bool read_old(struct work *work, X509_CRL **ret_old)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	const struct policy_anchors anchors = { certs };
	struct policy_crl_file *file = &work->crls->files[0];
	struct stat stat;

	*ret_old = NULL;
	if (certs == NULL || sk_X509_push(certs, work->ca.cert) <= 0 ||
	    !policy_crls_add(work->crls, work->crl_path))
		errx(EXIT_FAILURE, "out of memory");
	if (lstat(work->crl_path, &stat) == 0)
		(void)policy_crls_read(work->crls, &anchors, 0, true);
	sk_X509_free(certs);
	if (file->fault[0] != '\0') {
		warnx("%s, or move it away", file->fault);
		return false;
	}
	if (file->crls == NULL)
		return true;
	*ret_old = sk_X509_CRL_value(file->crls, 0);
	if (sk_X509_CRL_num(file->crls) == 1 &&
	    crl_signed_by(*ret_old, work->ca.cert))
		return true;
	warnx("%s is not one CRL of the CA in %s: move it away",
	      work->crl_path, work->cert_path);
	return false;
}

static int replace(const struct work *work, const char *pem)
{
	int ret = cli_make_file(work->new_path, 0644, pem);

	if (ret == 0 && rename(work->new_path, work->crl_path) != 0) {
		ret = -errno;
		unlink(work->new_path);
	}
	if (ret == 0)
		ret = cli_make_sync(work->dir);
	if (ret != 0)
		warnx("%s cannot be written: %s", work->crl_path,
		      strerror(-ret));
	return ret == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int make_locked(struct work *work)
{
	const time_t now = time(NULL), until = now + work->days * DAY;
	char limit[TEXT_TIME_SIZE], *pem;
	X509_CRL *old;
	int status;

	if (!cli_make_replaceable(work->crl_path, "name the folder that it "
				  "points to with --dir, or remove it") ||
	    !read_old(work, &old))
		return 2;
	pem = pki_crl_pem(&work->ca, old, work->revoked, now, until);
	if (pem == NULL) {
		warnx("OpenSSL could not make the CRL");
		return EXIT_FAILURE;
	}
	status = replace(work, pem);
	pki_free_pem(pem);
	if (status == EXIT_SUCCESS)
		printf("%s is good until %s.\nSend it to each peer, for the "
		       "option crl, and renew it in time.\n", work->crl_path,
		       text_time(until, limit));
	return status;
}

static int make(struct work *work)
{
	int lock, status;

	if (!read_ca(work) || !all_are_ours(work))
		return 2;
	lock = cli_make_lock(work->dir);
	if (lock < 0)
		return 2;
	status = make_locked(work);
	close(lock);
	return status;
}

int cli_crl(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "revoke", KEY_REVOKE, "FILE", 0, "certificate to be revoked, "
		  "PEM; may be repeated", 0 },
		{ "days", KEY_DAYS, "N", 0, "until it must be renewed (default "
		  "30)", 0 },
		{ "dir", KEY_DIR, "D", 0, "folder of ca.crt and ca.key "
		  "(default " CLI_CONFIG_DIR ")", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "Make or renew ca.crl, the CRL of this router's own CA. "
		       "What was revoked stays revoked.",
	};
	static char name[] = "bgpward crl";
	struct work work = { .dir = CLI_CONFIG_DIR, .days = DAYS };
	char new_name[64];
	int status;

	work.revoked = sk_X509_new_null();
	work.crls = policy_crls_new();
	argp_err_exit_status = 2;
	argv[0] = name;
	argp_parse(&argp, argc, argv, 0, NULL, &work);
	text_format(new_name, sizeof(new_name), ".ca.crl.%d", (int)getpid());
	work.cert_path = cli_make_path(work.dir, "ca.crt");
	work.key_path = cli_make_path(work.dir, "ca.key");
	work.crl_path = cli_make_path(work.dir, "ca.crl");
	work.new_path = cli_make_path(work.dir, new_name);
	status = make(&work);
	free(work.cert_path);
	free(work.key_path);
	free(work.crl_path);
	free(work.new_path);
	pki_clear(&work.ca);
	policy_crls_free(work.crls);
	sk_X509_pop_free(work.revoked, X509_free);
	return status;
}
