/* Reading a whole file into memory, bounded. */
#ifndef POLICY_FILE_H
#define POLICY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/*
 * Read the regular file at `path`, at most POLICY_MAX_FILE_SIZE bytes, none of
 * them NUL. Returns its text, which a NUL ends and file_free() wipes and
 * releases, and what fstat() said of the open file. Or NULL with a sentence in
 * ret_why that begins with `what` ("key file").
 */
char *file_read(const char *path, const char *what, struct stat *ret_stat,
		char *ret_why, size_t why_size);

/* The same of any bytes: ret_stat->st_size of them, and a NUL behind. free()
 * releases. */
char *file_read_bytes(const char *path, const char *what,
		      struct stat *ret_stat, char *ret_why, size_t why_size);

/* Whoever can read or write a key can be this router: is the file root's or
 * ours, and nobody else's? If not, a sentence in ret_why. */
bool file_private(const struct stat *stat, const char *what, const char *path,
		  char *ret_why, size_t why_size);

/* NULL is legal. */
void file_free(char *text);

/* `path` as seen from the folder of the file `from`, malloc()ed; NULL when out
 * of memory. */
char *file_relative(const char *from, const char *path);

#endif
