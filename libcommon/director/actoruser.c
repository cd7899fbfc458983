/* SPDX-License-Identifier: MIT */
/* Whether it is said as whom actors run. */
#include "actoruser.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int tds_actoruser_judge(const struct tds_dir *dir, uid_t admin, struct tds_err *err)
{
	struct stat st;

	if (admin != 0 || fstatat(dir->fd, TDS_ACTORUSER_CFG, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT)
		return 0;
	return tds_err_set(err, TDS_E_UNUSABLE,
			   "%s/" TDS_ACTORUSER_CFG
			   ": root's admin process is to be told as whom actors run: "
			   "\"" TDS_ACTORUSER_DYNAMIC "\" (a uid for each group) or \"root\"",
			   dir->path);
}
