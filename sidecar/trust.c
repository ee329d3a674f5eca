#include "sidecar/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/address.h"
#include "policy/basis.h"

#define KEY_FILE "key"
#define NEW_FILE "new"

enum {
	RECORD_VERSION = 3,
	NAME_SIZE = 2 * INET6_ADDRSTRLEN + 1
};

struct trust {
	int folder;
	uint64_t device, inode;		/* of the network namespace */
	uint8_t key[POLICY_BASIS_KEY];
};

/* A file's content; no padding in it. */
struct record {
	uint64_t version;
	uint64_t device, inode;
	struct plane_pair pair;
	struct policy_basis basis;
};

static const char *name_of(const struct plane_pair *pair,
			   char ret_name[NAME_SIZE])
{
	char local[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];

	snprintf(ret_name, NAME_SIZE, "%s-%s",
		 address_text(&pair->local, local),
		 address_text(&pair->peer, peer));
	return ret_name;
}

/* ------------------------------------------------------------------- files */

/* False unless the file has exactly this size. */
static bool read_file(int folder, const char *name, void *ret_data, size_t len)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat stat;
	bool whole;

	if (fd < 0)
		return false;
	whole = fstat(fd, &stat) == 0 && stat.st_size == (off_t)len &&
		read(fd, ret_data, len) == (ssize_t)len;
	close(fd);
	return whole;
}

static int write_new(int folder, const void *data, size_t len)
{
	int fd, err = 0;

	unlinkat(folder, NEW_FILE, 0);	/* of a daemon that crashed */
	fd = openat(folder, NEW_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	errno = ENOSPC;		/* for a short write */
	if (write(fd, data, len) != (ssize_t)len)
		err = -errno;
	close(fd);
	return err;
}

/* No fsync: what survives only a crash of the machine is of no use. */
static int write_file(int folder, const char *name, const void *data,
		      size_t len)
{
	int err = write_new(folder, data, len);

	if (!err && renameat(folder, NEW_FILE, folder, name) < 0)
		err = -errno;
	return err;
}

/* ------------------------------------------------------------- open, close */

static int open_folder(const char *socket, int *ret_folder)
{
	char path[PATH_MAX];
	struct stat stat;
	int fd;

	if (snprintf(path, sizeof(path), "%s.trust", socket) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat) < 0 || stat.st_uid != geteuid() ||
	    (stat.st_mode & 077) != 0) {
		close(fd);
		return -EPERM;
	}
	*ret_folder = fd;
	return 0;
}

static int take_key(struct trust *trust)
{
	if (read_file(trust->folder, KEY_FILE, trust->key,
		      sizeof(trust->key)))
		return 0;
	/* with a new key no old record holds: closed, not open */
	if (getrandom(trust->key, sizeof(trust->key), 0) !=
	    sizeof(trust->key))
		return -EIO;
	return write_file(trust->folder, KEY_FILE, trust->key,
			  sizeof(trust->key));
}

int trust_open(const char *socket, struct trust **ret_trust)
{
	struct trust *trust = calloc(1, sizeof(*trust));
	struct stat namespace;
	int err;

	if (!trust)
		return -ENOMEM;
	trust->folder = -1;
	err = stat("/proc/self/ns/net", &namespace) < 0 ? -errno : 0;
	if (!err)
		err = open_folder(socket, &trust->folder);
	if (!err)
		err = take_key(trust);
	if (err) {
		trust_close(trust);
		return err;
	}
	trust->device = namespace.st_dev;
	trust->inode = namespace.st_ino;
	*ret_trust = trust;
	return 0;
}

void trust_close(struct trust *trust)
{
	if (!trust)
		return;
	if (trust->folder >= 0)
		close(trust->folder);
	OPENSSL_cleanse(trust, sizeof(*trust));
	free(trust);
}

/* ----------------------------------------------------------------- records */

static bool make_record(const struct trust *trust,
			const struct plane_pair *pair,
			const struct policy_peer *peer,
			struct record *ret_record)
{
	*ret_record = (struct record){
		.version = RECORD_VERSION,
		.device = trust->device,
		.inode = trust->inode,
		.pair = *pair,
	};
	return policy_basis_make(peer, trust->key, &ret_record->basis);
}

bool trust_holds(const struct trust *trust, const struct plane_pair *pair,
		 const struct policy_peer *peer)
{
	struct record wanted, found;
	char name[NAME_SIZE];

	return trust &&
	       read_file(trust->folder, name_of(pair, name), &found,
			 sizeof(found)) &&
	       make_record(trust, pair, peer, &wanted) &&
	       memcmp(&found, &wanted, offsetof(struct record, basis)) == 0 &&
	       found.basis.anchors_count <= POLICY_MAX_ANCHORS &&
	       policy_basis_covers(&found.basis, &wanted.basis);
}

int trust_record(const struct trust *trust, const struct plane_pair *pair,
		 const struct policy_peer *peer)
{
	struct record record;
	char name[NAME_SIZE];
	int err;

	if (!trust)
		return -ENOENT;
	err = make_record(trust, pair, peer, &record) ?
		write_file(trust->folder, name_of(pair, name), &record,
			   sizeof(record)) : -EIO;
	if (err)
		trust_forget(trust, pair);
	return err;
}

void trust_forget(const struct trust *trust, const struct plane_pair *pair)
{
	char name[NAME_SIZE];

	if (trust)
		unlinkat(trust->folder, name_of(pair, name), 0);
}
