/* SPDX-License-Identifier: MIT */
/* The table of who may own what, and the judgement by it. */
#include "strict.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "mem.h"

enum {
	ROOT = 1,
	OWNER = 2,  /* of the director directory */
	CALLER = 4, /* whose rights this process has */
	ADMIN = 8,  /* whom adminuser.cfg names */
	TRUSTED = ROOT | OWNER | CALLER | ADMIN,
};

static const struct row {
	unsigned owners;
	bool sticky; /* a sticky bit, by which others may only add, is as good as no right to write */
} table[] = {
	[TDS_STRICT_DIR] = { TRUSTED, false },
	[TDS_STRICT_ABOVE] = { TRUSTED, true },
	[TDS_STRICT_KEY] = { TRUSTED, false },
	[TDS_STRICT_CONFIG] = { TRUSTED, false },
	[TDS_STRICT_DECLARATION] = { TRUSTED, false },
	[TDS_STRICT_ADMINUSER] = { ROOT | OWNER, false },
	[TDS_STRICT_SWITCH] = { ROOT, false },
	[TDS_STRICT_DATA] = { ROOT | OWNER | CALLER, false },
};
_Static_assert(sizeof(table) / sizeof(table[0]) == TDS_STRICT_DATA + 1, "each kind has a row");

static bool may_own(const struct tds_strict *strict, unsigned owners, uid_t uid)
{
	return ((owners & ROOT) && uid == 0) || ((owners & OWNER) && uid == strict->owner) ||
	       ((owners & CALLER) && uid == geteuid()) ||
	       ((owners & ADMIN) && uid == strict->admin);
}

/* Does nobody but the owner have the group as the first one of its user? Whoever has it counts in *members. */
static bool is_first_of_owner_alone(gid_t gid, uid_t owner, bool *member)
{
	const struct passwd *user;
	bool alone = true;

	setpwent();
	while (alone && (user = getpwent())) {
		alone = user->pw_gid != gid || user->pw_uid == owner;
		*member |= user->pw_gid == gid;
	}
	endpwent();
	return alone;
}

/* Is the owner the only member of the group? One without any is not known well enough. */
static bool is_own_group(gid_t gid, uid_t owner)
{
	const struct group *group = getgrgid(gid);
	bool member = false;
	bool alone = group != NULL;

	for (char *const *name = group ? group->gr_mem : NULL; alone && *name; name++) {
		const struct passwd *user = getpwnam(*name);

		alone = user && user->pw_uid == owner;
		member |= alone;
	}
	return alone && is_first_of_owner_alone(gid, owner, &member) && member;
}

/* By this name what is open can be asked for by calls that take a path alone. */
static const char *name_of(int fd, char name[32])
{
	(void)snprintf(name, 32, "/proc/self/fd/%d", fd);
	return name;
}

/* With an access list the rights of the group are the most that users and groups of that list may have. */
static bool has_access_list(int fd)
{
	char name[32];

	return getxattr(name_of(fd, name), "system.posix_acl_access", NULL, 0) > 0;
}

static bool others_may_write(const struct row *row, int fd, const struct stat *st)
{
	if (row->sticky && (st->st_mode & S_ISVTX))
		return false;
	if (st->st_mode & S_IWOTH)
		return true;
	return (st->st_mode & S_IWGRP) &&
	       (has_access_list(fd) || !is_own_group(st->st_gid, st->st_uid));
}

bool tds_strict_judge(const struct tds_strict *strict, enum tds_strict_kind kind, int fd,
		      const char *what, char why[TDS_STRICT_WHY_MAX])
{
	const struct row *row = &table[kind];
	struct stat st;

	why[0] = '\0';
	if (fstat(fd, &st) != 0)
		(void)snprintf(why, TDS_STRICT_WHY_MAX, "%s%scannot be looked at", what ? what : "",
			       what ? " " : "");
	else if (others_may_write(row, fd, &st))
		(void)snprintf(why, TDS_STRICT_WHY_MAX, "others may write %s", what ? what : "it");
	else if (!may_own(strict, row->owners, st.st_uid))
		(void)snprintf(why, TDS_STRICT_WHY_MAX, "%s%sbelongs to uid %ju", what ? what : "",
			       what ? " " : "", (uintmax_t)st.st_uid);
	return why[0] == '\0';
}

/* The path of what is open, as the system has it; it is cut where it is long. False: it has none. */
static bool read_path(int fd, char *path, size_t size)
{
	char name[32];
	ssize_t n = readlink(name_of(fd, name), path, size - 1);

	path[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* The path for a message, with room in that for more words. */
static const char *path_of(int fd, char path[TDS_STRICT_WHY_MAX])
{
	return read_path(fd, path, TDS_STRICT_WHY_MAX - 63) ? path : "a folder above it";
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool judge_above(const struct tds_strict *strict, int fd, char why[TDS_STRICT_WHY_MAX])
{
	tds_autofd int at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[TDS_STRICT_WHY_MAX];
	struct stat below;
	struct stat above;

	why[0] = '\0';
	while (at >= 0 && fstat(at, &below) == 0) {
		int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		(void)close(at);
		at = up;
		if (up < 0 || fstat(up, &above) != 0 || is_same(&below, &above))
			return true;
		if (!tds_strict_judge(strict, TDS_STRICT_ABOVE, up, path_of(up, path), why))
			return false;
	}
	return true;
}

/* A link's end: whoever may write its folder, or one above, may put something else there. */
static bool judge_folders_of(const struct tds_strict *strict, int fd, char why[TDS_STRICT_WHY_MAX])
{
	char path[PATH_MAX];

	if (!read_path(fd, path, sizeof(path)) || path[0] != '/')
		return true;
	strrchr(path, '/')[1] = '\0';
	tds_autofd int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char shown[TDS_STRICT_WHY_MAX];
	return folder < 0 ||
	       (tds_strict_judge(strict, TDS_STRICT_ABOVE, folder, path_of(folder, shown), why) &&
		judge_above(strict, folder, why));
}

bool tds_strict_judge_dir(const struct tds_strict *strict, int fd, char why[TDS_STRICT_WHY_MAX])
{
	return tds_strict_judge(strict, TDS_STRICT_DIR, fd, NULL, why) &&
	       judge_above(strict, fd, why);
}

bool tds_strict_judge_opened(const struct tds_strict *strict, enum tds_strict_kind kind, int fd,
			     int dirfd, const char *name, const char *what,
			     char why[TDS_STRICT_WHY_MAX])
{
	struct stat st;

	if (!tds_strict_judge(strict, kind, fd, what, why))
		return false;
	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(st.st_mode) ||
	       judge_folders_of(strict, fd, why);
}

bool tds_strict_judge_name(const struct tds_strict *strict, enum tds_strict_kind kind, int dirfd,
			   const char *name, char why[TDS_STRICT_WHY_MAX])
{
	tds_autofd int fd = openat(dirfd, name, O_PATH | O_CLOEXEC);

	why[0] = '\0';
	return fd < 0 || tds_strict_judge_opened(strict, kind, fd, dirfd, name, NULL, why);
}
