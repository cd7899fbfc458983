/* SPDX-License-Identifier: MIT */
/* strictmodes.cfg, and what is demanded of a director directory before anything in it is believed. */
#include "strictmodes.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "adminuser.h"
#include "config.h"

/* What a switch says, *yes where there is no such file. The reason does not name it. */
static int read_switch(const struct tds_dir *dir, const char *name, bool *yes, struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	struct tds_err found = { 0 };
	int rc = tds_config_read(dir, name, &config, &found);

	if (rc == 0)
		*yes = config.value->boolean;
	if (rc == 0 || rc == TDS_E_MISSING)
		return 0;
	return tds_err_set(err, rc == TDS_E_NOMEM ? rc : TDS_E_UNUSABLE, "%s", found.reason);
}

/* What strictmodes.cfg says counts where that is root's alone. */
static int read_strictness(const struct tds_dir *dir, struct tds_strict *strict,
			   struct tds_err *err)
{
	char why[TDS_STRICT_WHY_MAX];
	bool is_strict = true;

	if (!tds_strict_judge_name(strict, TDS_STRICT_SWITCH, dir->fd, TDS_STRICTMODES_CFG, why))
		return tds_err_set(err, TDS_E_UNUSABLE, "%s, and counts only where it is root's",
				   why);
	int rc = read_switch(dir, TDS_STRICTMODES_CFG, &is_strict, err);
	strict->is_lax = !is_strict;
	return rc;
}

static void find_admin(const struct tds_dir *dir, struct tds_strict *strict)
{
	tds_auto(adminuser) struct tds_adminuser adminuser = { 0 };

	if (tds_adminuser_read(dir, &adminuser, NULL) == 0 && adminuser.is_named)
		strict->admin = adminuser.user.uid;
}

int tds_strictmodes_read(const struct tds_dir *dir, struct tds_strict *strict, struct tds_err *err)
{
	struct tds_err own;
	struct stat st;

	err = err ? err : &own;
	*strict = (struct tds_strict){ 0 };
	if (fstat(dir->fd, &st) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "%s", dir->path);
	strict->owner = strict->admin = st.st_uid;
	find_admin(dir, strict);
	int rc = read_strictness(dir, strict, err);
	return rc == 0 ? 0 : tds_err_prefix(err, "%s/" TDS_STRICTMODES_CFG, dir->path);
}

void tds_strictmodes_read_lax(const struct tds_dir *dir, struct tds_strict *strict)
{
	(void)!tds_strictmodes_read(dir, strict, NULL);
	strict->is_lax = true;
}

/* A file that fails the judgement is warned of, or is an error. */
static int fail(const struct tds_strict *strict, const char *path, const char *why,
		struct tds_strict_watcher watcher, struct tds_err *err)
{
	if (!strict->is_lax)
		return tds_err_set(err, TDS_E_UNUSABLE, "%s: %s", path, why);
	if (watcher.warn)
		watcher.warn(watcher.ctx, path, why);
	return 0;
}

int tds_strictmodes_demand_file(const struct tds_dir *dir, const struct tds_strict *strict,
				enum tds_strict_kind kind, const char *name,
				struct tds_strict_watcher watcher, struct tds_err *err)
{
	char why[TDS_STRICT_WHY_MAX];

	if (tds_strict_judge_name(strict, kind, dir->fd, name, why))
		return 0;
	tds_autofree char *path = tds_dir_join(dir, name);
	return fail(strict, path ? path : name, why, watcher, err);
}

int tds_strictmodes_demand_dir(const struct tds_dir *dir, const struct tds_strict *strict,
			       struct tds_strict_watcher watcher, struct tds_err *err)
{
	char why[TDS_STRICT_WHY_MAX];

	return tds_strict_judge_dir(strict, dir->fd, why)
		       ? 0
		       : fail(strict, dir->path, why, watcher, err);
}

enum tds_strict_kind tds_strictmodes_kind(const char *name)
{
	if (strcmp(name, TDS_ADMINUSER_CFG) == 0)
		return TDS_STRICT_ADMINUSER;
	return strcmp(name, TDS_STRICTMODES_CFG) == 0 ? TDS_STRICT_SWITCH : TDS_STRICT_CONFIG;
}

int tds_strictmodes_demand_config(const struct tds_dir *dir, const struct tds_strict *strict,
				  struct tds_strict_watcher watcher, struct tds_err *err)
{
	const struct tds_config_file *file;
	int rc = 0;

	for (size_t i = 0; rc == 0 && (file = tds_config_file(i)); i++)
		rc = tds_strictmodes_demand_file(dir, strict, tds_strictmodes_kind(file->name),
						 file->name, watcher, err);
	return rc;
}

int tds_strictmodes_judge_declaration(const struct tds_dir *dir, const char *name,
				      struct tds_err *err)
{
	struct tds_strict strict;
	char why[TDS_STRICT_WHY_MAX];
	int rc = tds_strictmodes_read(dir, &strict, err);

	if (rc != 0 || strict.is_lax ||
	    tds_strict_judge_name(&strict, TDS_STRICT_DECLARATION, dir->fd, name, why))
		return rc;
	return tds_err_set(err, TDS_E_UNUSABLE, "%s", why);
}

int tds_strictmodes_names(const struct tds_dir *dir, const struct tds_strict *strict, bool *names,
			  struct tds_err *err)
{
	int rc = tds_strictmodes_demand_file(dir, strict, TDS_STRICT_CONFIG, TDS_STRICTNAMES_CFG,
					     (struct tds_strict_watcher){ 0 }, err);

	*names = false;
	if (rc != 0)
		return rc;
	rc = read_switch(dir, TDS_STRICTNAMES_CFG, names, err);
	return rc == 0 ? 0 : tds_err_prefix(err, "%s/" TDS_STRICTNAMES_CFG, dir->path);
}
