/* SPDX-License-Identifier: MIT */
/* A run directory goes. */
#include "passing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/tree.h"
#include "director/rundir.h"

#define PORT "adminport.cfg"

/* Remove the files of a folder, and those of the folders in it as well. */
static void empty(int folder, int depth)
{
	DIR *d = fdopendir(dup(folder));

	for (const struct dirent *entry; d && (entry = readdir(d));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(folder, entry->d_name, 0) == 0 || depth == 0)
			continue;
		tds_autofd int inner = openat(folder, entry->d_name,
					      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner >= 0)
			empty(inner, depth - 1);
		(void)unlinkat(folder, entry->d_name, AT_REMOVEDIR);
	}
	if (d)
		(void)closedir(d);
}

/* Whether there is nothing in the folder but the port and the run directory. */
static bool is_made_for_us(int folder, const char *rundir)
{
	const char *name = strrchr(rundir, '/');
	DIR *d = name ? fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) : NULL;
	bool alone = d != NULL;

	for (const struct dirent *entry; alone && (entry = readdir(d));)
		alone = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			strcmp(entry->d_name, PORT) == 0 || strcmp(entry->d_name, name + 1) == 0;
	if (d)
		(void)closedir(d);
	return alone;
}

void passing_remove(int rundir, const char *path, const char *home)
{
	tds_autofd int folder = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)!tds_tree_remove(rundir, TDS_DATA_NAME, NULL);
	empty(rundir, 1);
	/* Before the run directory goes: then another system may begin, and say its own port. */
	if (is_made_for_us(folder, path))
		(void)unlinkat(folder, PORT, 0);
	if (rmdir(path) == 0)
		(void)rmdir(home);
}
