/* SPDX-License-Identifier: MIT */
/* Where things are: the director directory, and what tools start. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "base/mem.h"

int admin_open_dir(struct admin *admin, struct tds_dir *dir, struct tds_err *err)
{
	int rc = tds_dir_open(admin->cli.dir, dir, err);

	return rc == 0 ? 0 : tds_err_prefix(err, "%s", admin->cli.dir);
}

char *admin_installed(const char *name)
{
	tds_autofree char *folder = tds_cli_folder();
	char *slash = folder ? strrchr(folder, '/') : NULL;
	char *path = NULL;

	if (!slash)
		return NULL;
	*slash = '\0';
	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}
