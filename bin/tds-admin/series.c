/* SPDX-License-Identifier: MIT */
/* Logs of several files. */
#include "series.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const char *series_file(const char *name, unsigned age, char file[64])
{
	if (age == 0)
		return name;
	(void)snprintf(file, 64, "%s.%u", name, age);
	return file;
}

static bool look(const struct series *series, unsigned age, struct stat *st)
{
	char file[64];

	return fstatat(series->rundir, series_file(series->name, age, file), st,
		       AT_SYMLINK_NOFOLLOW) == 0;
}

/* The oldest that was written since then; SERIES_FILES_MAX + 1: none was. */
static unsigned find_oldest(const struct series *series, int64_t since_wall_ms)
{
	unsigned found = SERIES_FILES_MAX + 1;
	struct stat st;

	for (unsigned age = 0; age <= SERIES_FILES_MAX; age++)
		if (look(series, age, &st) && ((int64_t)st.st_mtime + 1) * 1000 >= since_wall_ms)
			found = age;
	return found;
}

/* How old the file that is read is by now; SERIES_FILES_MAX + 1: it is gone. */
static unsigned find_age(const struct series *series)
{
	struct stat st;

	for (unsigned age = 0; age <= SERIES_FILES_MAX; age++)
		if (look(series, age, &st) && st.st_ino == series->ino)
			return age;
	return SERIES_FILES_MAX + 1;
}

/* The file of that age; NULL: there is none that can be read. */
static FILE *open_age(const struct series *series, unsigned age)
{
	char name[64];
	struct stat st;
	int fd = openat(series->rundir, series_file(series->name, age, name),
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;

	if (!file && fd >= 0)
		(void)close(fd);
	return file;
}

/* Read this one from now on; NULL: none. */
static bool take(struct series *series, FILE *file)
{
	struct stat st;

	if (!file)
		return false;
	if (series->file)
		(void)fclose(series->file);
	series->file = file;
	series->is_old = false;
	series->ino = fstat(fileno(file), &st) == 0 ? st.st_ino : 0;
	return true;
}

void series_open(struct series *series, int rundir, const char *name, int64_t since_wall_ms)
{
	*series = (struct series){ .rundir = rundir, .name = name };
	unsigned age = find_oldest(series, since_wall_ms);
	if (age <= SERIES_FILES_MAX)
		(void)take(series, open_age(series, age));
}

void series_close(struct series *series)
{
	if (series->file)
		(void)fclose(series->file);
	free(series->line);
	*series = (struct series){ 0 };
}

/* The next newer one; where the one that is read is gone, the oldest that is there. NULL: there is none. */
static FILE *open_newer(const struct series *series, unsigned age)
{
	FILE *file = NULL;

	if (age > SERIES_FILES_MAX)
		age = find_oldest(series, INT64_MIN) + 1;
	while (!file && age-- > 0)
		file = open_age(series, age);
	return file;
}

/*
 * Go on to the next file. Files may become older meanwhile, which the one that is read shows: it is held open, so its inode
 * is nobody else's. False: there is none.
 */
static bool go_on(struct series *series)
{
	unsigned age = find_age(series);
	FILE *file = open_newer(series, age);

	while (file && find_age(series) != age) {
		(void)fclose(file);
		age = find_age(series);
		file = open_newer(series, age);
	}
	return take(series, file);
}

/* Is there anything more to come, now? What was added to the file before it became an old one is still to be read. */
static bool has_more(struct series *series)
{
	if (!series->file)
		return take(series, open_age(series, 0));
	clearerr(series->file);
	if (series->is_old)
		return go_on(series);
	series->is_old = find_age(series) != 0;
	return series->is_old;
}

const char *series_next(struct series *series, size_t *len)
{
	do {
		ssize_t n = series->file ? getline(&series->line, &series->room, series->file) : 0;

		if (n > 0 && series->line[n - 1] == '\n') {
			series->line[n - 1] = '\0';
			*len = (size_t)n - 1;
			return series->line;
		}
		/* A line that is not whole yet is read again, once it is. */
		if (n > 0)
			(void)fseeko(series->file, -n, SEEK_CUR);
	} while (has_more(series));
	return NULL;
}
