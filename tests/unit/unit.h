/* SPDX-License-Identifier: MIT */
/*
 * What unit tests share: cmocka, a folder of the test's own, files in it, the words of a failure.
 */
#ifndef TDS_TESTS_UNIT_H
#define TDS_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A folder for one test: a setup and teardown of cmocka. */
struct folder {
	char path[32];
	int fd;
};

static inline int folder_make(void **state)
{
	struct folder *folder = malloc(sizeof(*folder));

	if (!folder)
		return -1;
	strcpy(folder->path, "/tmp/tds-unit-XXXXXX");
	if (!mkdtemp(folder->path))
		return -1;
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = folder;
	return folder->fd < 0 ? -1 : 0;
}

static inline int folder_remove(void **state)
{
	struct folder *folder = *state;
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder->path);
	close(folder->fd);
	free(folder);
	return system(command);
}

static inline void put_bytes(const struct folder *folder, const char *name, mode_t mode,
			     const void *data, size_t len)
{
	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(tds_io_write(fd, data, len), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static inline void put(const struct folder *folder, const char *name, mode_t mode, const char *text)
{
	put_bytes(folder, name, mode, text, strlen(text));
}

/* What is in the file; caller frees. */
static inline char *get(int dirfd, const char *name, size_t *len)
{
	struct tds_err err = { 0 };
	char *data = NULL;
	size_t n;

	if (tds_io_slurp(dirfd, name, 1 << 30, &data, len ? len : &n, &err) != 0)
		fail_msg("%s: %s", name, err.reason);
	return data;
}

static inline void assert_file(const struct folder *folder, const char *name, const char *text)
{
	char *data = get(folder->fd, name, NULL);

	assert_string_equal(data, text);
	free(data);
}

static inline int no_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* The folder holds these names, sorted, a blank between them, and no others. */
static inline void assert_names(const struct folder *folder, const char *expected)
{
	struct dirent **names;
	char text[4096] = "";
	int n = scandir(folder->path, &names, no_dots, alphasort);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			       i ? " " : "", names[i]->d_name);
		free(names[i]);
	}
	free(names);
	assert_string_equal(text, expected);
}

/* It failed with this code, and for this reason. */
static inline void assert_failed(int rc, const struct tds_err *err, enum tds_code code,
				 const char *reason)
{
	if (rc != (int)code || err->code != code || strcmp(err->reason, reason) != 0)
		fail_msg("%d, %d: \"%s\", not %d: \"%s\"", rc, (int)err->code, err->reason,
			 (int)code, reason);
}

static inline void assert_fine(int rc, const struct tds_err *err)
{
	if (rc != 0)
		fail_msg("%d: %s", rc, err->reason);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

#endif
