/* SPDX-License-Identifier: MIT */
/* Reading adminuser.cfg, under strict modes. */
#include "adminuser.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/strict.h"
#include "config.h"

/* Who may write the file, or the directory, could name himself. */
static int check_modes(const struct tds_strict *strict, int fd, const char *what,
		       struct tds_err *err)
{
	char why[TDS_STRICT_WHY_MAX];

	return tds_strict_judge(strict, TDS_STRICT_ADMINUSER, fd, what, why)
		       ? 0
		       : tds_err_set(err, TDS_E_UNUSABLE, "%s, so it does not count", why);
}

static int check_both(const struct tds_dir *dir, int fd, struct tds_err *err)
{
	struct stat home;
	struct stat st;

	if (fstat(dir->fd, &home) != 0 || fstat(fd, &st) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	if (!S_ISREG(st.st_mode))
		return tds_err_set(err, TDS_E_UNUSABLE, "is not a regular file");
	const struct tds_strict strict = { .owner = home.st_uid, .admin = home.st_uid };
	int rc = check_modes(&strict, fd, "it", err);
	return rc == 0 ? check_modes(&strict, dir->fd, "its folder", err) : rc;
}

static int parse(const char *text, size_t len, struct tds_adminuser *adminuser, struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = tds_config_parse(TDS_ADMINUSER_CFG, text, len, (struct tds_tli_watcher){ 0 },
				  &config, err);

	if (rc == TDS_E_SYNTAX)
		return tds_err_set(err, TDS_E_UNUSABLE, "%s", err->reason);
	return rc == 0 ? tds_user_find(config.value->text, &adminuser->user, err) : rc;
}

/* Both together, so that what is read is what was looked at. */
static int read_checked(const struct tds_dir *dir, int fd, struct tds_adminuser *adminuser,
			struct tds_err *err)
{
	tds_autofree char *text = NULL;
	size_t len;
	int rc = check_both(dir, fd, err);

	if (rc == 0)
		rc = tds_io_slurp_fd(fd, TDS_CONFIG_MAX_BYTES, &text, &len, err);
	if (rc == 0)
		rc = parse(text, len, adminuser, err);
	adminuser->is_named = rc == 0;
	return rc;
}

int tds_adminuser_read(const struct tds_dir *dir, struct tds_adminuser *adminuser,
		       struct tds_err *err)
{
	/* A link could lead to a file of the owner's that was written for something else. */
	tds_autofd int fd =
		openat(dir->fd, TDS_ADMINUSER_CFG, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct tds_err own;

	*adminuser = (struct tds_adminuser){ 0 };
	if (fd >= 0)
		return read_checked(dir, fd, adminuser, err ? err : &own);
	if (errno == ENOENT)
		return 0;
	return errno == ELOOP ? tds_err_set(err, TDS_E_UNUSABLE,
					    "is a symbolic link, so it does not count")
			      : tds_err_sys(err, TDS_E_UNUSABLE, "cannot be opened");
}

void tds_adminuser_fini(struct tds_adminuser *adminuser)
{
	tds_user_fini(&adminuser->user);
	*adminuser = (struct tds_adminuser){ 0 };
}
