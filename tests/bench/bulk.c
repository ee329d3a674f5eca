/*
 * Bulk TCP on port 179, and what it costs.
 *
 *	bulk sink ADDRESS		take one connection, count, end
 *	bulk source FROM TO MEGABYTES	one line of JSON: seconds, bytes, MSS
 *	bulk ping FROM TO COUNT		keepalive-sized exchanges: median, us
 *	bulk echo ADDRESS		the other end of ping
 *
 * BULK_MD5=key in the environment: TCP-MD5 (RFC 2385).
 */
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "policy/address.h"

enum {
	PORT = 179,
	CHUNK = 1 << 20,	/* bytes */
	KEEPALIVE = 19		/* bytes, RFC 4271 4.4 */
};

static char chunk[CHUNK];

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static socklen_t address_of(const char *text, uint16_t port,
			    struct sockaddr_storage *ret_address)
{
	struct in6_addr address;

	if (!address_parse(text, &address)) {
		fprintf(stderr, "bulk: %s is no address\n", text);
		exit(2);
	}
	return address_to_sockaddr(&address, port, ret_address);
}

/* The peer of a sink is not known: any address. */
static void set_md5(int fd, const struct sockaddr_storage *peer, int prefix)
{
	const char *key = getenv("BULK_MD5");
	struct tcp_md5sig md5 = { .tcpm_flags = prefix < 0 ? 0 :
						TCP_MD5SIG_FLAG_PREFIX };

	if (!key)
		return;
	memcpy(&md5.tcpm_addr, peer, sizeof(*peer));
	md5.tcpm_prefixlen = prefix < 0 ? 0 : (uint8_t)prefix;
	md5.tcpm_keylen = (uint16_t)strlen(key);
	memcpy(md5.tcpm_key, key, md5.tcpm_keylen);
	if (setsockopt(fd, IPPROTO_TCP,
		       prefix < 0 ? TCP_MD5SIG : TCP_MD5SIG_EXT, &md5,
		       sizeof(md5)) == -1)
		die("TCP_MD5SIG");
}

static int accept_one(const char *at)
{
	struct sockaddr_storage address, any = { 0 };
	socklen_t len = address_of(at, PORT, &address);
	int fd = socket(address.ss_family, SOCK_STREAM, 0), one = 1, client;

	any.ss_family = address.ss_family;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	set_md5(fd, &any, 0);
	if (bind(fd, (struct sockaddr *)&address, len) == -1 ||
	    listen(fd, 1) == -1)
		die("listen");
	client = accept(fd, NULL, NULL);
	if (client == -1)
		die("accept");
	return client;
}

static int connect_to(const char *from, const char *to)
{
	struct sockaddr_storage source, destination;
	socklen_t len = address_of(from, 0, &source);
	int fd = socket(source.ss_family, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&source, len) == -1)
		die("bind");
	address_of(to, PORT, &destination);
	set_md5(fd, &destination, -1);
	for (int i = 0; connect(fd, (struct sockaddr *)&destination, len); i++)
		if (i == 100 || usleep(50000))
			die("connect");
	return fd;
}

static int sink(const char *at)
{
	int fd = accept_one(at);

	while (read(fd, chunk, sizeof(chunk)) > 0)
		;
	return write(fd, "", 1) == 1 ? 0 : 1;
}

static int source(const char *from, const char *to, long megabytes)
{
	int fd = connect_to(from, to), mss = 0;
	socklen_t len = sizeof(mss);
	double begun = seconds();

	for (long i = 0; i < megabytes; i++)
		for (size_t at = 0; at < CHUNK;) {
			ssize_t sent = write(fd, chunk + at, CHUNK - at);

			if (sent <= 0)
				die("write");
			at += (size_t)sent;
		}
	getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len);
	shutdown(fd, SHUT_WR);
	if (read(fd, chunk, 1) != 1)	/* the sink has all of it */
		die("read");
	printf("{\"seconds\": %.4f, \"bytes\": %ld, \"mss\": %d}\n",
	       seconds() - begun, megabytes * CHUNK, mss);
	return 0;
}

static bool pass(int from, int to, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t got = read(from, chunk, len - at);

		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return to == -1 || write(to, chunk, len) == (ssize_t)len;
}

static int echo(const char *at)
{
	int fd = accept_one(at);

	while (pass(fd, fd, KEEPALIVE))
		;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int ping(const char *from, const char *to, long count)
{
	int fd = connect_to(from, to);
	double *took = calloc((size_t)count, sizeof(*took));

	for (long i = 0; took && i < count; i++) {
		double begun = seconds();

		if (write(fd, chunk, KEEPALIVE) != KEEPALIVE ||
		    !pass(fd, -1, KEEPALIVE))
			die("ping");
		took[i] = seconds() - begun;
	}
	if (!took)
		die("calloc");
	qsort(took, (size_t)count, sizeof(*took), compare);
	printf("{\"median_us\": %.1f, \"p99_us\": %.1f}\n",
	       took[count / 2] * 1e6, took[count * 99 / 100] * 1e6);
	free(took);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "sink") == 0)
		return sink(argv[2]);
	if (argc == 3 && strcmp(argv[1], "echo") == 0)
		return echo(argv[2]);
	if (argc == 5 && strcmp(argv[1], "source") == 0)
		return source(argv[2], argv[3], atol(argv[4]));
	if (argc == 5 && strcmp(argv[1], "ping") == 0)
		return ping(argv[2], argv[3], atol(argv[4]));
	fprintf(stderr, "usage: see bulk.c\n");
	return 2;
}
