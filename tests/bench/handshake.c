/*
 * Handshakes: how many a second, how near to what their public-key operations
 * alone allow, how long one takes, and what an IKE SA holds in memory.
 *
 *	handshake [ROUNDS [SUITE]]	one JSON object a line and figure; of
 *					all suites, or of number SUITE only
 *
 * A handshake is IKE_SA_INIT, IKE_AUTH and the exchange for the second Child
 * SA, from nothing until both Child SAs are installed at both ends, signatures
 * by the router's key included. Each end is charged its own CPU time, without
 * that of looking at the clock. Rounds of handshakes and of bare operations
 * take turns, and medians of the rounds count: what steals time from one steals
 * it from the other.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/handshake.h"

enum {
	ROUNDS = 100, BATCH = 10, HELD = 200, MAX_ROUNDS = 10000,
	LOOKS = 1000
};

/* The first is what two bgpwardd agree on by default. */
static const struct handshake_suite suites[] = {
	{ "P-256 and X25519", "P-256", "X25519", NULL, NULL, false },
	{ "P-256 and X25519, certificate judged", "P-256", "X25519", NULL,
	  NULL, true },
	{ "P-256 and ECDH P-256", "P-256", "P-256",
	  "aes256gcm16-prfsha256-ecp256", NULL, false },
	{ "P-384 and ECDH P-384", "P-384", "P-384",
	  "aes256gcm16-prfsha384-ecp384", "aes256gcm16-esn", false },
	{ "RSA 2048 and X25519", "RSA", "X25519", NULL, NULL, false },
	{ "Ed25519 and X25519", "ED25519", "X25519", NULL, NULL, false },
};
enum { SUITES = sizeof(suites) / sizeof(suites[0]) };

/* Nanoseconds a handshake, one value a round. */
struct result {
	double cpu[ENDS][MAX_ROUNDS], bare[MAX_ROUNDS];
	double wall[MAX_ROUNDS];
	size_t rounds;
};

void handshake_die(const char *what)
{
	fprintf(stderr, "handshake: %s\n", what);
	exit(1);
}

static double nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double handshake_cpu(void)
{
	return nanoseconds(CLOCK_THREAD_CPUTIME_ID);
}

double handshake_wall(void)
{
	return nanoseconds(CLOCK_MONOTONIC);
}

double handshake_look(void)
{
	static double look;
	double begun;

	if (look > 0)
		return look;
	begun = handshake_cpu();
	for (int i = 1; i < LOOKS; i++)
		(void)handshake_cpu();
	look = (handshake_cpu() - begun) / LOOKS;
	return look;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(const double *values, size_t count)
{
	static double sorted[MAX_ROUNDS];

	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), compare);
	return sorted[count / 2];
}

/* ---------------------------------------------------------------- rounds */

static void shake(const struct handshake_suite *suite,
		  struct handshake_identity identities[ENDS],
		  struct result *result)
{
	struct handshake_pair *pairs[BATCH];
	double cpu[ENDS] = { 0 }, begun;

	for (int i = 0; i < BATCH; i++)
		pairs[i] = pair_make(suite, identities);
	begun = handshake_wall();
	for (int i = 0; i < BATCH; i++)
		pair_shake(pairs[i], cpu);
	result->wall[result->rounds] = (handshake_wall() - begun) / BATCH;
	for (int i = 0; i < ENDS; i++)
		result->cpu[i][result->rounds] = cpu[i] / BATCH;
	for (int i = 0; i < BATCH; i++)
		pair_clear(pairs[i]);
}

static void bare(struct handshake_floor *floor, struct result *result)
{
	const double begun = handshake_cpu();

	for (int i = 0; i < BATCH; i++)
		floor_run(floor);
	result->bare[result->rounds] = (handshake_cpu() - begun -
					handshake_look()) / BATCH;
}

/* Octets of heap an IKE SA with its engine and two Child SAs. */
static double held(const struct handshake_suite *suite,
		   struct handshake_identity identities[ENDS])
{
	struct handshake_pair *pairs[HELD];
	double ignored[ENDS] = { 0 };
	size_t before = mallinfo2().uordblks, after;

	for (int i = 0; i < HELD; i++) {
		pairs[i] = pair_make(suite, identities);
		pair_shake(pairs[i], ignored);
	}
	after = mallinfo2().uordblks;
	for (int i = 0; i < HELD; i++)
		pair_clear(pairs[i]);
	return (double)(after - before) / (ENDS * HELD);
}

/* ---------------------------------------------------------------- report */

/* `beside`: what strongSwan 5.9.8 was measured at on a machine of this kind, or
 * 0; `aim` too is for the default algorithms. */
static void figure(const struct handshake_suite *suite, const char *what,
		   double value, const char *unit, const char *aim,
		   double beside)
{
	printf("{\"figure\": \"handshake %s, %s\", \"suite\": \"%s\", "
	       "\"what\": \"%s\", \"value\": %.4g, \"unit\": \"%s\"",
	       what, suite->name, suite->name, what, value, unit);
	if (suite == suites)
		printf(", \"aim\": \"%s\"", aim);
	if (suite == suites && beside > 0)
		printf(", \"peer\": \"strongSwan 5.9.8\", "
		       "\"peer_value\": %g", beside);
	printf("}\n");
}

static void report(const struct handshake_suite *suite,
		   const struct result *result)
{
	const double i = median(result->cpu[INITIATOR], result->rounds);
	const double r = median(result->cpu[RESPONDER], result->rounds);
	const double b = median(result->bare, result->rounds);

	figure(suite, "as initiator", 1e9 / i, "1/CPU-s", ">= 1500", 267);
	figure(suite, "as responder", 1e9 / r, "1/CPU-s", ">= 1500", 442);
	figure(suite, "initiator, of bare operations", b / i, "", ">= 0.75",
	       0);
	figure(suite, "responder, of bare operations", b / r, "", ">= 0.75",
	       0);
	figure(suite, "time", median(result->wall, result->rounds) / 1e6,
	       "ms", "<= 2", 5.2);
	fflush(stdout);
}

static void measure(const struct handshake_suite *suite, size_t rounds)
{
	static struct result result;
	struct handshake_identity identities[ENDS];
	struct handshake_floor *floor;

	identity_make(suite, identities);
	floor = floor_make(suite, &identities[INITIATOR]);
	/* the first round fills OpenSSL's caches, and does not count */
	result.rounds = 0;
	bare(floor, &result);
	shake(suite, identities, &result);
	for (; result.rounds < rounds; result.rounds++) {
		bare(floor, &result);
		shake(suite, identities, &result);
	}
	report(suite, &result);
	if (suite == suites)
		printf("{\"figure\": \"heap of an IKE SA with two Child SAs\", "
		       "\"value\": %.4g, \"unit\": \"KiB\", \"aim\": \"<= 12\", "
		       "\"peer\": \"strongSwan 5.9.8, resident\", "
		       "\"peer_value\": 24}\n", held(suite, identities) / 1024);
	floor_clear(floor);
	identity_clear(identities);
}

int main(int argc, char **argv)
{
	const long rounds = argc > 1 ? atol(argv[1]) : ROUNDS;
	const long only = argc > 2 ? atol(argv[2]) : -1;

	if (argc > 3 || rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: handshake [ROUNDS [SUITE]]\n");
		return 2;
	}
	for (long i = 0; i < SUITES; i++)
		if (only < 0 || only == i)
			measure(&suites[i], (size_t)rounds);
	return 0;
}
