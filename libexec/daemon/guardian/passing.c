/* SPDX-License-Identifier: MIT */
/* A run directory goes. */
#include "passing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/tree.h"
#include "director/rundir.h"
#include "director/uids.h"

#define PORT "adminport.cfg"

/* What an admin process makes in its run directory; a dot and more may be behind each: the older logs, what is being written. */
static const char *const files[] = { TDS_RUNDIR_LOCK,    TDS_RUNDIR_SOCKET, TDS_LOADED_NAME,
				     TDS_DESIRED_NAME,   TDS_FLOOR_NAME,    TDS_GROUPS_NAME,
				     TDS_RETURNING_NAME, TDS_UIDS_NAME,     TDS_AUDIT_NAME,
				     TDS_EVENTS_NAME,    TDS_ACTORLOG_NAME, TDS_ACTORLOG_MORE,
				     TDS_MEMBERSHIP_NAME };
static const char *const folders[] = { TDS_DATA_NAME, TDS_TMP_NAME, TDS_STORE_NAME };

static bool is_ours(const char *name)
{
	if (strncmp(name, TDS_IO_TEMP_PREFIX, sizeof(TDS_IO_TEMP_PREFIX) - 1) == 0)
		return true;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t len = strlen(files[i]);

		if (strncmp(name, files[i], len) == 0 && (name[len] == '\0' || name[len] == '.'))
			return true;
	}
	return false;
}

static void empty(int rundir)
{
	DIR *d = fdopendir(dup(rundir));

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		(void)!tds_tree_remove(rundir, folders[i], NULL);
	for (const struct dirent *entry; d && (entry = readdir(d));)
		if (is_ours(entry->d_name))
			(void)unlinkat(rundir, entry->d_name, 0);
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

	empty(rundir);
	/* Before the run directory goes: then another system may begin, and say its own port. */
	if (is_made_for_us(folder, path))
		(void)unlinkat(folder, PORT, 0);
	if (rmdir(path) == 0)
		(void)rmdir(home);
}
