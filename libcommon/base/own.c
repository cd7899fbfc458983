/* SPDX-License-Identifier: MIT */
/* What is ours alone. */
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

/* Is what is open of this kind, our user's, and nobody else may write it? The reason does not name it. */
static int judge(int fd, mode_t kind, struct tds_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be looked at");
	errno = EPERM; /* for those who ask for no more */
	if ((st.st_mode & S_IFMT) != kind)
		return tds_err_set(err, TDS_E_UNUSABLE, "is not a %s",
				   kind == S_IFDIR ? "folder" : "regular file");
	if (st.st_uid != geteuid())
		return tds_err_set(err, TDS_E_UNUSABLE, "belongs to uid %ju", (uintmax_t)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return tds_err_set(err, TDS_E_UNUSABLE, "others may write it");
	return 0;
}

int tds_own_open(int dirfd, const char *name, int flags, mode_t mode, int *fd, struct tds_err *err)
{
	mode_t kind = flags & O_DIRECTORY ? S_IFDIR : S_IFREG;
	tds_autofd int opened =
		openat(dirfd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);

	if (opened < 0 && errno == ENOENT)
		return tds_err_sys(err, TDS_E_MISSING, "%s", name);
	if (opened < 0 && (errno == ELOOP || errno == ENOTDIR))
		return tds_err_set(err, TDS_E_UNUSABLE, "%s: is %s", name,
				   kind == S_IFDIR ? "no folder, or a symbolic link"
						   : "a symbolic link");
	if (opened < 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "%s", name);
	if (judge(opened, kind, err) != 0)
		return tds_err_prefix(err, "%s", name);
	*fd = tds_steal_fd(&opened);
	return 0;
}
