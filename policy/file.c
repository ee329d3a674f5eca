#include "policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/limits.h"
#include "policy/text.h"

/* Read size bytes; a file that shrinks or grows meanwhile is an error. */
static bool read_all(int fd, char *ret_text, size_t size)
{
	size_t used = 0;
	char more;

	while (used < size) {
		ssize_t got = read(fd, ret_text + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		used += (size_t)got;
	}
	return read(fd, &more, 1) == 0;
}

static const char *unfit(const struct stat *stat)
{
	if (!S_ISREG(stat->st_mode))
		return "is no regular file";
	if (stat->st_size > POLICY_MAX_FILE_SIZE)
		return "is larger than 1 MiB";
	return NULL;
}

static char *read_fd(int fd, const char *path, const char *what,
		     struct stat *ret_stat, char *ret_why, size_t why_size)
{
	const char *reason;
	struct stat stat;
	char *text;
	size_t size;

	if (fstat(fd, &stat) != 0) {
		text_format(ret_why, why_size, "%s %s cannot be examined: %s",
			    what, path, strerror(errno));
		return NULL;
	}
	reason = unfit(&stat);
	if (reason != NULL) {
		text_format(ret_why, why_size,
			    "%s %s %s: correct the path or the file", what,
			    path, reason);
		return NULL;
	}
	size = (size_t)stat.st_size;
	text = calloc(1, size + 1);
	if (text == NULL || !read_all(fd, text, size)) {
		text_format(ret_why, why_size,
			    "%s %s cannot be read whole: replace it", what,
			    path);
		if (text != NULL)
			OPENSSL_cleanse(text, size);
		free(text);
		return NULL;
	}
	*ret_stat = stat;
	return text;
}

char *file_read_bytes(const char *path, const char *what,
		      struct stat *ret_stat, char *ret_why, size_t why_size)
{
	/* O_NONBLOCK: somebody's FIFO must not hang us */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text;

	if (fd < 0) {
		text_format(ret_why, why_size, "%s %s cannot be opened: %s: "
			    "correct the path or create the file", what, path,
			    strerror(errno));
		return NULL;
	}
	text = read_fd(fd, path, what, ret_stat, ret_why, why_size);
	close(fd);
	return text;
}

char *file_read(const char *path, const char *what, struct stat *ret_stat,
		char *ret_why, size_t why_size)
{
	struct stat stat;
	char *text = file_read_bytes(path, what, &stat, ret_why, why_size);

	if (text == NULL)
		return NULL;
	if (memchr(text, '\0', (size_t)stat.st_size) != NULL) {
		text_format(ret_why, why_size, "%s %s cannot be read whole as "
			    "text: replace it", what, path);
		OPENSSL_cleanse(text, (size_t)stat.st_size);
		free(text);
		return NULL;
	}
	*ret_stat = stat;
	return text;
}

void file_free(char *text)
{
	if (text == NULL)
		return;
	OPENSSL_cleanse(text, strlen(text));
	free(text);
}

char *file_relative(const char *from, const char *path)
{
	const char *slash = strrchr(from, '/');
	char *joined;

	if (path[0] == '/' || slash == NULL)
		return strdup(path);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - from), from, path) < 0)
		return NULL;
	return joined;
}

bool file_private(const struct stat *stat, const char *what, const char *path,
		  char *ret_why, size_t why_size)
{
	unsigned mode = stat->st_mode & 07777;

	if ((mode & (S_IRWXG | S_IRWXO)) != 0) {
		text_format(ret_why, why_size, "%s %s is open to others "
			    "(mode %04o), expected mode 0600: chmod 0600 %s",
			    what, path, mode, path);
		return false;
	}
	if (stat->st_uid != 0 && stat->st_uid != geteuid()) {
		text_format(ret_why, why_size, "%s %s belongs to user %u, "
			    "expected root or user %u: chown it", what, path,
			    (unsigned)stat->st_uid, (unsigned)geteuid());
		return false;
	}
	return true;
}
