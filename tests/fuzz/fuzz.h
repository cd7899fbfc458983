/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share: checks that stay in every build, parts of an input, a folder with files of the input's. */
#ifndef TDS_FUZZ_H
#define TDS_FUZZ_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* What is left of an input. */
struct input {
	const char *at;
	size_t len;
};

/* The input up to a line of "--" alone, which is skipped, or to its end. */
static inline struct input input_part(struct input *rest)
{
	static const char between[] = "\n--\n";
	const char *end = memmem(rest->at, rest->len, between, strlen(between));
	struct input part = { rest->at, end ? (size_t)(end - rest->at) : rest->len };
	size_t gone = end ? part.len + strlen(between) : part.len;

	rest->at += gone;
	rest->len -= gone;
	return part;
}

/* The input up to the end of its first line, which is skipped. */
static inline struct input input_line(struct input *rest)
{
	const char *end = memchr(rest->at, '\n', rest->len);
	struct input line = { rest->at, end ? (size_t)(end - rest->at) : rest->len };
	size_t gone = end ? line.len + 1 : line.len;

	rest->at += gone;
	rest->len -= gone;
	return line;
}

/* As a text with a NUL behind it, which is the caller's. */
static inline char *input_text(struct input part)
{
	char *text = malloc(part.len + 1);

	CHECK(text);
	memcpy(text, part.at, part.len);
	text[part.len] = '\0';
	return text;
}

/* Write a file of a folder, in place of what was there. */
static inline void put_file(int dir, const char *name, struct input content)
{
	(void)unlinkat(dir, name, 0);
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && tds_io_write(fd, content.at, content.len) == 0 && close(fd) == 0);
}

/* In memory where the system has such a folder: nothing of it is worth a disk's time. */
static inline int make_folder(char path[64], const char *name)
{
	int n = snprintf(path, 64, "%s/tds-fuzz-%s-XXXXXX",
			 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", name);

	CHECK(n < 64 && mkdtemp(path));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

#endif
