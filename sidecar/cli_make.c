#include "sidecar/cli_make.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/address.h"
#include "policy/number.h"
#include "policy/text.h"
#include "sidecar/cli.h"

/* Long options only: short ones would have to be explained. */
enum key {
	KEY_AS = 0x100,
	KEY_ADDRESS,
	KEY_DIR
};

/* -------------------------------------------------------------- arguments */

static const char *whose(const struct cli_router *router)
{
	return router->peer ? "the peer" : "this router";
}

/* An example that fits the README's. */
static const char *example(const struct cli_router *router)
{
	return router->peer ? "--as 64501 --address 192.0.2.2" :
			      "--as 64500 --address 192.0.2.1";
}

static void take_as(struct argp_state *state, const char *text)
{
	struct cli_router *router = state->input;
	const char *why = number_parse_as(text, &router->as);

	if (why != NULL)
		argp_error(state, "--as '%s' %s: give the AS number of %s, "
			   "such as in %s", text, why, whose(router),
			   example(router));
}

static void take_address(struct argp_state *state, const char *text)
{
	struct cli_router *router = state->input;
	struct in6_addr address;
	const char *why;
	size_t i;

	if (!address_parse(text, &address))
		argp_error(state, "--address '%s' is no IP address: give the "
			   "one of %s that BGP uses, such as in %s", text,
			   whose(router), example(router));
	why = address_unusable(&address);
	if (why != NULL)
		argp_error(state, "--address '%s' %s: give one on a loopback "
			   "interface of %s that %s can route to, such as in "
			   "%s", text, why, whose(router),
			   router->peer ? "this router" : "the peer",
			   example(router));
	for (i = 0; i < router->addresses_count; i++) {
		if (address_equal(&router->addresses[i], &address))
			argp_error(state, "--address '%s' is given twice: "
				   "leave one out", text);
	}
	if (router->addresses_count == POLICY_MAX_ADDRESSES)
		argp_error(state, "--address '%s' is one too many: at most %d "
			   "are supported", text, POLICY_MAX_ADDRESSES);
	router->addresses[router->addresses_count++] = address;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct cli_router *router = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		router->dir = CLI_CONFIG_DIR;
		return 0;
	case KEY_AS:
		take_as(state, arg);
		return 0;
	case KEY_ADDRESS:
		take_address(state, arg);
		return 0;
	case KEY_DIR:
		router->dir = arg;
		return 0;
	case ARGP_KEY_END:
		if (router->as == 0)
			argp_error(state, "--as is missing: give the AS number "
				   "of %s, such as in %s", whose(router),
				   example(router));
		if (router->addresses_count == 0)
			argp_error(state, "--address is missing: give the one "
				   "of %s that BGP uses, such as in %s",
				   whose(router), example(router));
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

#define OPTION_DIR \
	{ "dir", KEY_DIR, "D", 0, "folder of the configuration (default " \
	  CLI_CONFIG_DIR ")", 0 }

static const struct argp_option own_options[] = {
	{ "as", KEY_AS, "N", 0, "AS number of this router", 0 },
	{ "address", KEY_ADDRESS, "A", 0, "address of this router that BGP "
	  "uses, on a loopback interface; may be repeated, for IPv6", 0 },
	OPTION_DIR,
	{ 0 },
};

static const struct argp_option peer_options[] = {
	{ "as", KEY_AS, "M", 0, "AS number of the peer", 0 },
	{ "address", KEY_ADDRESS, "B", 0, "address of the peer that BGP uses; "
	  "may be repeated, for IPv6", 0 },
	OPTION_DIR,
	{ 0 },
};

const struct argp cli_make_own_argp = {
	.options = own_options,
	.parser = parse,
};

const struct argp cli_make_peer_argp = {
	.options = peer_options,
	.parser = parse,
};

void cli_make_list(const struct cli_router *router, char *ret_text,
		   size_t size)
{
	char text[INET6_ADDRSTRLEN];
	size_t i;

	text_format(ret_text, size, "{");
	for (i = 0; i < router->addresses_count; i++)
		text_append(ret_text, size, "%s\"%s\"", i == 0 ? "" : ", ",
			    address_text(&router->addresses[i], text));
	text_append(ret_text, size, "}");
}

/* ------------------------------------------------------------------ files */

char *cli_make_path(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		err(EXIT_FAILURE, "%s", name);
	return path;
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t done = write(fd, text, left);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		text += done;
		left -= (size_t)done;
	}
	return 0;
}

int cli_make_file(const char *path, mode_t mode, const char *text)
{
	/* 0600 until the mode is set: umask or not, nobody reads a key */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		      O_CLOEXEC, 0600);
	int ret;

	if (fd < 0)
		return -errno;
	ret = fchmod(fd, mode) != 0 ? -errno : write_all(fd, text);
	if (ret == 0 && fsync(fd) != 0)
		ret = -errno;
	if (close(fd) != 0 && ret == 0)
		ret = -errno;
	if (ret != 0)
		unlink(path);
	return ret;
}

int cli_make_file_like(const char *path, const struct stat *like,
		       const char *text)
{
	int ret = cli_make_file(path, like->st_mode & 07777, text);

	if (ret != 0 ||
	    (like->st_uid == geteuid() && like->st_gid == getegid()) ||
	    chown(path, like->st_uid, like->st_gid) == 0)
		return ret;
	ret = -errno;
	unlink(path);
	return ret;
}

bool cli_make_replaceable(const char *path, const char *cure)
{
	struct stat stat;

	if (lstat(path, &stat) != 0 || !S_ISLNK(stat.st_mode))
		return true;
	warnx("%s is a symbolic link, which would be replaced: %s", path,
	      cure);
	return false;
}

int cli_make_lock(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	warn("folder %s: run `bgpward init` first, or name the folder with "
	     "--dir", dir);
	if (fd >= 0)
		close(fd);
	return -1;
}

int cli_make_dir(const char *path)
{
	struct stat stat_;

	if (mkdir(path, 0755) == 0)
		return 1;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &stat_) != 0)
		return -errno;
	return S_ISDIR(stat_.st_mode) ? 0 : -ENOTDIR;
}

int cli_make_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = fsync(fd) != 0 ? -errno : 0;
	close(fd);
	return ret;
}
