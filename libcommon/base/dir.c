/* SPDX-License-Identifier: MIT */
/* A folder that is held open: the director directory. */
#include "dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

int tds_dir_open(const char *path, struct tds_dir *dir, struct tds_err *err)
{
	*dir = (struct tds_dir){ .fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	if (dir->fd < 0)
		return tds_err_sys(err, errno == ENOENT ? TDS_E_MISSING : TDS_E_UNUSABLE,
				   "cannot be opened");
	dir->path = strdup(path);
	if (!dir->path) {
		tds_dir_close(dir);
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	return 0;
}

void tds_dir_close(struct tds_dir *dir)
{
	/* A zeroed struct was never opened; 0 is not ours to close. */
	if (dir->path || dir->fd > 0)
		tds_close_fd(&dir->fd);
	free(dir->path);
	*dir = (struct tds_dir){ .fd = -1 };
}

char *tds_dir_join(const struct tds_dir *dir, const char *name)
{
	size_t len = strlen(dir->path);
	char *joined = NULL;

	if (asprintf(&joined, "%s%s%s", dir->path, len > 0 && dir->path[len - 1] == '/' ? "" : "/",
		     name) < 0)
		return NULL;
	return joined;
}

int tds_dir_err(const struct tds_dir *dir, const char *name, struct tds_err *err)
{
	tds_autofree char *path = tds_dir_join(dir, name);

	return tds_err_name(err, path ? path : name);
}
