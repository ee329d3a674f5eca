/*
 * One test for each class of published vulnerability that a certificate can
 * bring. Each decision is made in a child process that may do no more than
 * compute: any system call that opens, connects, sends or executes kills it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/address.h"
#include "policy/authorize.h"
#include "tests/unit/policy_certs.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct made ca;

/* Memory, time and its own end: what a computation may ask the kernel for. */
static const int allowed[] = {
	SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mprotect,
	SYS_futex, SYS_exit, SYS_exit_group, SYS_getrandom, SYS_gettid,
	SYS_getpid, SYS_clock_gettime, SYS_sigaltstack, SYS_rt_sigprocmask,
	SYS_rt_sigreturn
};

static void confine(void)
{
	struct sock_filter filter[2 * COUNT(allowed) + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr))
	};
	struct sock_fprog program = { .filter = filter };
	size_t n = 1;

	for (size_t i = 0; i < COUNT(allowed); i++) {
		filter[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed[i], 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						   SECCOMP_RET_KILL_PROCESS);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(126);
}

/* How a child ends that does this, confined. */
static int confined(int (*work)(const void *), const void *what)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		confine();
		_exit(work(what));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int decide(const void *what)
{
	struct policy_verdict verdict;

	policy_authorize(what, &verdict);
	return (int)verdict.refusal;
}

/* The decision about one end certificate, and `more` certificates behind. */
static enum policy_refusal ask(const struct made *end, const struct made *more)
{
	struct policy_anchors anchors = { sk_X509_new_null() };
	struct policy_request request = {
		.certs = { { end->der, (size_t)end->der_len } },
		.certs_count = 1, .peer_name = "as64501", .as = 64501,
		.anchors = &anchors, .now = NOW, .id_is_address = true
	};
	int status;

	if (more) {
		request.certs[1] = (struct policy_bytes){
			more->der, (size_t)more->der_len };
		request.certs_count = 2;
	}
	sk_X509_push(anchors.certs, ca.cert);
	assert_true(address_parse("192.0.2.2", &request.address));
	request.id.data = address_bytes(&request.address, &request.id.len);
	/* once outside, so that the library has opened what it opens once */
	decide(&request);
	status = confined(decide, &request);
	sk_X509_free(anchors.certs);
	if (!WIFEXITED(status))
		fail_msg("it made a system call: signal %d",
			 WTERMSIG(status));
	return (enum policy_refusal)WEXITSTATUS(status);
}

static struct spec end_spec(void)
{
	return (struct spec){
		.name = "router", .issuer = &ca, .as = "critical,AS:64501",
		.addresses = "critical,IPv4:192.0.2.2/32",
	};
}

static int set_up(void **state)
{
	struct spec spec = {
		.name = "AS64501 CA", .ca = true, .as = "critical,AS:64501",
		.addresses = "critical,IPv4:192.0.2.0/24",
	};

	(void)state;
	ca = make(&spec);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unmake(&ca);
	return 0;
}

/* ------------------------------------------------------------------ tests */

static int open_socket(const void *what)
{
	(void)what;
	return socket(AF_INET, SOCK_DGRAM, 0) < 0;
}

static int open_file(const void *what)
{
	return open(what, 0) < 0;
}

static int do_nothing(const void *what)
{
	return what != NULL;
}

static void the_cage_holds(void **state)
{
	int status;

	(void)state;
	status = confined(do_nothing, NULL);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = confined(open_socket, NULL);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = confined(open_file, "/etc/hosts");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* CVE-2022-40617: URIs wherever a certificate may have them, in one that is
 * accepted, in one of an unknown issuer, and in its issuer. */
static void uris_are_never_fetched(void **state)
{
	static const struct {
		const char *name, *value;
	} cases[] = {
		{ "authorityInfoAccess",
		  "caIssuers;URI:http://192.0.2.99/ca.crt,"
		  "OCSP;URI:http://192.0.2.99/ocsp" },
		{ "authorityInfoAccess", "caIssuers;URI:file:///etc/passwd" },
		{ "authorityInfoAccess", "caIssuers;URI:ldap://192.0.2.99/" },
		{ "subjectInfoAccess", "caRepository;URI:rsync://192.0.2.9/" },
		{ "crlDistributionPoints", "URI:http://192.0.2.99/ca.crl" },
		{ "freshestCRL", "URI:http://192.0.2.99/delta.crl" },
		{ "issuerAltName", "URI:http://192.0.2.99/" },
	};
	struct spec foreign_spec = { .name = "foreign", .ca = true };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct spec spec = end_spec();
		struct made foreign, end;

		spec.extra_name = foreign_spec.extra_name = cases[i].name;
		spec.extra = foreign_spec.extra = cases[i].value;
		end = make(&spec);
		assert_int_equal(ask(&end, NULL), POLICY_ALLOWED);
		unmake(&end);
		foreign = make(&foreign_spec);
		spec.issuer = &foreign;
		end = make(&spec);
		assert_int_equal(ask(&end, NULL), POLICY_UNTRUSTED);
		assert_int_equal(ask(&end, &foreign), POLICY_UNTRUSTED);
		unmake(&end);
		unmake(&foreign);
	}
}

/* CVE-2018-17540, CVE-2026-14957 and CVE-2018-16151: an RSA key, wherever it
 * stands in the chain, ends the matter before anything is computed with it. */
static void absurd_rsa_keys_are_refused_before_use(void **state)
{
	static const enum key_type types[] = {
		KEY_RSA_512, KEY_RSA_E0
	};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		struct spec spec = end_spec();
		struct spec issuer_spec = { .name = "issuer", .issuer = &ca,
					    .ca = true,
					    .key_type = types[i] };
		struct made issuer, end;

		spec.key_type = types[i];
		end = make(&spec);
		assert_int_equal(ask(&end, NULL), POLICY_ALGORITHM);
		unmake(&end);
		issuer = make(&issuer_spec);
		spec = end_spec();
		spec.issuer = &issuer;
		end = make(&spec);
		assert_int_equal(ask(&end, &issuer), POLICY_ALGORITHM);
		unmake(&end);
		unmake(&issuer);
	}
}

/* CVE-2020-0601: parameters that only look like those of the curve. */
static void explicit_curves_are_refused(void **state)
{
	struct spec spec = end_spec();
	struct made end;

	(void)state;
	spec.key_type = KEY_EXPLICIT;
	end = make(&spec);
	assert_int_equal(ask(&end, NULL), POLICY_ALGORITHM);
	unmake(&end);
}

/* One certificate, changed octet by octet: never a way to be let in. */
static void any_octet_changed(void **state)
{
	struct spec spec = end_spec();
	struct made end = make(&spec);
	struct policy_anchors anchors = { sk_X509_new_null() };
	struct policy_request request = {
		.certs = { { end.der, (size_t)end.der_len } },
		.certs_count = 1, .peer_name = "as64501", .as = 64501,
		.anchors = &anchors, .now = NOW, .id_is_address = true
	};

	(void)state;
	sk_X509_push(anchors.certs, ca.cert);
	assert_true(address_parse("192.0.2.2", &request.address));
	request.id.data = address_bytes(&request.address, &request.id.len);
	assert_int_equal(decide(&request), POLICY_ALLOWED);
	for (int i = 0; i < end.der_len; i++) {
		static const uint8_t flips[] = { 0x01, 0x20, 0x80, 0xff };

		for (size_t j = 0; j < sizeof(flips); j++) {
			end.der[i] ^= flips[j];
			if (decide(&request) == POLICY_ALLOWED)
				fail_msg("octet %d ^ %02x", i, flips[j]);
			end.der[i] ^= flips[j];
		}
	}
	for (int len = 0; len < end.der_len; len++) {
		request.certs[0].len = (size_t)len;
		assert_int_equal(decide(&request), POLICY_MALFORMED);
	}
	sk_X509_free(anchors.certs);
	unmake(&end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cage_holds),
		cmocka_unit_test(uris_are_never_fetched),
		cmocka_unit_test(absurd_rsa_keys_are_refused_before_use),
		cmocka_unit_test(explicit_curves_are_refused),
		cmocka_unit_test(any_octet_changed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
