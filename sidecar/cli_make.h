/* What the commands that write share: the arguments of `bgpward init` and
 * `bgpward peer add`, and files that are made anew and never overwritten. */
#ifndef SIDECAR_CLI_MAKE_H
#define SIDECAR_CLI_MAKE_H

#include <argp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "policy/limits.h"

/* --as, --address, --dir: who a router is, and where it is written down. */
struct cli_router {
	bool peer;		/* the neighbour: said in messages */
	uint32_t as;		/* 0: not given */
	struct in6_addr addresses[POLICY_MAX_ADDRESSES];
	size_t addresses_count;
	const char *dir;
};

/* Argp children, for this router and for a peer: they fill the struct
 * cli_router that is their input, which is to be zero but for `peer`; a wrong
 * or missing value ends the program with status 2. */
extern const struct argp cli_make_own_argp;
extern const struct argp cli_make_peer_argp;

/* {"192.0.2.1", "2001:db8::1"}, as the configuration wants it. */
void cli_make_list(const struct cli_router *router, char *ret_text,
		   size_t size);

/* dir/name, malloc()ed; ends the program when out of memory. */
char *cli_make_path(const char *dir, const char *name);

/* Create the file, which must not exist, not even as a symbolic link, and
 * write it to the disk. 0, or -errno and no file. */
int cli_make_file(const char *path, mode_t mode, const char *text);

/* As above, with the mode and the owner that `like` has. */
int cli_make_file_like(const char *path, const struct stat *like,
		       const char *text);

/* False if it is a symbolic link, which rename() would replace: says so on
 * stderr, and the cure. */
bool cli_make_replaceable(const char *path, const char *cure);

/*
 * Two commands that read and replace a file of the folder at once would each
 * lose what the other did: one waits here. A descriptor, to be closed when
 * done, or -1 after saying on stderr why not.
 */
int cli_make_lock(const char *dir);

/* Create the directory unless it is there: 1 made, 0 was there, or -errno. */
int cli_make_dir(const char *path);

/* Write a directory's entries to the disk: 0 or -errno. */
int cli_make_sync(const char *dir);

#endif
