/* SPDX-License-Identifier: MIT */
/* A run directory goes. */
#include "passing.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/tree.h"
#include "director/rundir.h"

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

void passing_remove(int rundir, const char *path, const char *home)
{
	(void)!tds_tree_remove(rundir, TDS_DATA_NAME, NULL);
	empty(rundir, 1);
	if (rmdir(path) == 0)
		(void)rmdir(home);
}
