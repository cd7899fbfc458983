/* SPDX-License-Identifier: MIT */
/* uids.json: written whole, each time. */
#include "uids.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "state.h"

int uids_open(struct uids *uids, int rundir, const struct tds_uidrange *range, struct tds_err *err)
{
	*uids = (struct uids){ .rundir = rundir, .range = *range };
	return tds_uids_read(rundir, &uids->groups, err);
}

void uids_close(struct uids *uids)
{
	json_decref(uids->groups);
	*uids = (struct uids){ .rundir = -1 };
}

uid_t uids_of(const struct uids *uids, const char *group)
{
	const json_t *uid = json_object_get(uids->groups, group);

	return uid ? (uid_t)json_integer_value(uid) : UIDS_NONE;
}

/* --- which one nobody has --- */

/* As the files of this machine have it: a directory service that does not answer would hold up everything. */
static bool is_a_user(uid_t uid)
{
	tds_autofile FILE *users = fopen("/etc/passwd", "re");
	const struct passwd *user;

	while (users && (user = fgetpwent(users)))
		if (user->pw_uid == uid || user->pw_gid == (gid_t)uid)
			return true;
	return false;
}

static bool is_a_group(gid_t gid)
{
	tds_autofile FILE *groups = fopen("/etc/group", "re");
	const struct group *group;

	while (groups && (group = fgetgrent(groups)))
		if (group->gr_gid == gid)
			return true;
	return false;
}

/* Does it own anything that is named here? Of /proc: does a process run as it? */
static bool owns_in(int folder, const char *name, uid_t uid)
{
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool found = false;
	struct stat st;

	while (names && !found && (entry = readdir(names)))
		found = fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			st.st_uid == uid;
	if (names)
		(void)closedir(names);
	return found;
}

static bool is_of_a_group(const struct uids *uids, uid_t uid)
{
	const char *name;
	json_t *its;

	json_object_foreach(uids->groups, name, its)
	{
		if ((uid_t)json_integer_value(its) == uid)
			return true;
	}
	return false;
}

static bool is_taken(const struct uids *uids, uid_t uid, int base)
{
	return is_of_a_group(uids, uid) || is_a_user(uid) || is_a_group((gid_t)uid) ||
	       owns_in(AT_FDCWD, "/proc", uid) || (base >= 0 && owns_in(base, ".", uid));
}

/* Where to begin to look: elsewhere for each group of each run directory, so that two admin processes seldom meet. */
static uint32_t begin_at(const struct uids *uids, const char *group)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
	struct stat st = { 0 };
	char text[64];

	(void)fstat(uids->rundir, &st);
	(void)snprintf(text, sizeof(text), "%jx-%jx-", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	for (const char *p = text; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 0x100000001b3;
	for (const char *p = group; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 0x100000001b3;
	return (uint32_t)(hash >> 32);
}

static uid_t find_free(const struct uids *uids, const char *group, int base)
{
	uint32_t n = uids->range.last - uids->range.first + 1;
	uint32_t from = begin_at(uids, group) % n;

	for (uint32_t i = 0; i < n; i++) {
		uid_t uid = uids->range.first + (from + i) % n;

		if (!is_taken(uids, uid, base))
			return uid;
	}
	return UIDS_NONE;
}

/* Whose the group's folder is already, where uids.json was lost: the folder that it is in is nobody's but ours. */
static uid_t owner_of(const struct uids *uids, const char *group, int base)
{
	struct stat st;

	if (base < 0 || fstatat(base, group, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    st.st_uid < uids->range.first || st.st_uid > uids->range.last ||
	    is_of_a_group(uids, st.st_uid))
		return UIDS_NONE;
	return st.st_uid;
}

/* --- what is written down --- */

/* What is not on disk is not so. Takes the reference. */
static int save(struct uids *uids, json_t *groups, struct tds_err *err)
{
	int rc = groups ? uids_save(uids->rundir, json_incref(groups), err)
			: tds_err_set(err, TDS_E_NOMEM, "out of memory");

	if (rc != 0) {
		json_decref(groups);
		return rc;
	}
	json_decref(uids->groups);
	uids->groups = groups;
	return 0;
}

int uids_give(struct uids *uids, const char *group, int base, uid_t *uid, struct tds_err *err)
{
	json_t *groups;

	*uid = uids_of(uids, group);
	if (*uid != UIDS_NONE)
		return 0;
	*uid = owner_of(uids, group, base);
	if (*uid == UIDS_NONE)
		*uid = find_free(uids, group, base);
	if (*uid == UIDS_NONE)
		return tds_err_set(err, TDS_E_REFUSED,
				   "no uid is left for the group (" TDS_UIDRANGE_CFG ")");
	groups = json_copy(uids->groups);
	if (groups && json_object_set_new(groups, group, json_integer((json_int_t)*uid)) != 0) {
		json_decref(groups);
		groups = NULL;
	}
	return save(uids, groups, err);
}

int uids_take(struct uids *uids, const char *group, struct tds_err *err)
{
	json_t *groups;

	if (uids_of(uids, group) == UIDS_NONE)
		return 0;
	groups = json_copy(uids->groups);
	(void)json_object_del(groups, group);
	return save(uids, groups, err);
}
