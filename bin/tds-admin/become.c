/* SPDX-License-Identifier: MIT */
/* tds-admin start: which user's process it is. */
#include "become.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/user.h"
#include "director/adminuser.h"

static int make_absolute(struct tds_dir *dir, struct tds_err *err)
{
	tds_autofree char *cwd = NULL;
	char *path = NULL;

	if (dir->path[0] == '/')
		return 0;
	cwd = getcwd(NULL, 0);
	if (!cwd || asprintf(&path, "%s/%s", cwd, dir->path) < 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "%s", dir->path);
	free(dir->path);
	dir->path = path;
	return 0;
}

/* Its name, else its number, which then stands in number. */
static const char *name_of(const struct tds_user *user, char number[16])
{
	(void)snprintf(number, 16, "%u", (unsigned)user->uid);
	return user->name ? user->name : number;
}

/* As a login has it: what root is at home in is not this user's. */
static bool set_environment(const struct tds_user *user)
{
	char number[16];
	const char *name = name_of(user, number);

	return setenv("HOME", user->home ? user->home : "/", 1) == 0 &&
	       setenv("USER", name, 1) == 0 && setenv("LOGNAME", name, 1) == 0;
}

/* The descriptor is root's until now: what this user may not see is to be said here, and not by the daemon. */
static int open_again(struct tds_dir *dir, struct tds_err *err)
{
	struct tds_dir own;
	int rc = tds_dir_open(dir->path, &own, err);

	if (rc != 0)
		return tds_err_prefix(err, "%s", dir->path);
	tds_dir_close(dir);
	*dir = own;
	return 0;
}

static int become(struct tds_dir *dir, const struct tds_user *user, struct tds_err *err)
{
	uid_t caller = geteuid();
	char number[16];

	if (caller == user->uid)
		return 0;
	if (caller != 0)
		return tds_err_set(err, TDS_E_REFUSED,
				   "%s/" TDS_ADMINUSER_CFG
				   " names %s: nobody but root and that user starts it",
				   dir->path, name_of(user, number));
	if (!set_environment(user))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	int rc = tds_user_become(user, err);
	if (rc != 0)
		return tds_err_prefix(err, "%s/" TDS_ADMINUSER_CFG, dir->path);
	return open_again(dir, err);
}

int become_open_dir(struct admin *admin, struct tds_dir *dir, struct tds_err *err)
{
	tds_auto(adminuser) struct tds_adminuser adminuser = { 0 };
	int rc = admin_open_dir(admin, dir, err);

	if (rc == 0)
		rc = make_absolute(dir, err);
	if (rc != 0)
		return rc;
	if (tds_adminuser_read(dir, &adminuser, err) != 0)
		return tds_err_prefix(err, "%s/" TDS_ADMINUSER_CFG, dir->path);
	return adminuser.is_named ? become(dir, &adminuser.user, err) : 0;
}
