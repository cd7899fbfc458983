/* SPDX-License-Identifier: MIT */
/* What the directory and the run directory say of names, without the admin process. */
#include "judge.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/groups.h"
#include "director/rundir.h"
#include "director/unknown.h"

struct judge {
	const struct tds_dir *dir;
	struct tds_groups groups;
	struct tds_loaded loaded;
};

/* Groups that clients have defined come back with the admin process: it alone knows what they mean. */
static bool are_defined(const struct tds_dir *dir)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };
	struct stat st;

	return tds_rundir_open(dir, &rundir, NULL) == 0 &&
	       fstatat(rundir.fd, TDS_GROUPS_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Does desired.json say anything of the group? */
static bool is_remembered(const struct judge *j, const char *group)
{
	return json_object_get(json_object_get(j->loaded.desired, "Groups"), group) != NULL;
}

static int judge_file(const struct judge *j, const char *name, struct tds_err *err)
{
	bool is_here = strchr(name, '/') || access(name, F_OK) == 0;
	tds_autofd int fd = -1;

	if (!tds_groups_owner(&j->groups, tds_text_base(name)))
		return tds_unknown_group(j->dir, &j->groups, name, err);
	int rc = tds_io_open(is_here ? AT_FDCWD : j->dir->fd, name, is_here, &fd, NULL, err);
	if (rc == TDS_E_MISSING)
		tds_unknown_package(&j->groups, name, err);
	return rc;
}

/* A group, GROUP.tli, or a package file. */
static int judge_package(const struct judge *j, const char *name, struct tds_err *err)
{
	const char *base = tds_text_base(name);
	size_t cut = tds_text_has_suffix(base, TDS_TLI_SUFFIX) ? strlen(TDS_TLI_SUFFIX) : 0;
	tds_autofree char *stem = strndup(base, strlen(base) - cut);

	if (!stem)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	const struct tds_group *group = tds_groups_find(&j->groups, stem);
	if (!group && tds_text_has_suffix(name, TDS_TLS_SUFFIX))
		return judge_file(j, name, err);
	/* A group that is declared is defined by its load, even where it has no package. */
	if (group || is_remembered(j, stem))
		return 0;
	return tds_unknown_group(j->dir, &j->groups, stem, err);
}

static int judge_hash(const struct judge *j, const char *hash, struct tds_err *err)
{
	const json_t *source;
	size_t i;

	json_array_foreach(json_object_get(j->loaded.document, "Sources"), i, source)
	{
		const char *md5 = json_string_value(json_object_get(source, "MD5"));
		const char *sha256 = json_string_value(json_object_get(source, "SHA256"));

		if ((md5 && strcmp(md5, hash) == 0) || (sha256 && strcmp(sha256, hash) == 0))
			return 0;
	}
	return tds_err_set(err, TDS_E_MISSING, "no such source is loaded");
}

static int judge_group(const struct judge *j, const char *name, struct tds_err *err)
{
	if (tds_groups_find(&j->groups, name) || is_remembered(j, name))
		return 0;
	return tds_unknown_group(j->dir, &j->groups, name, err);
}

/* Returns whether any name means something; tell: say of each why it does not. */
static bool judge_all(const struct judge *j, struct tds_cli *cli, char *const *names, size_t n,
		      enum judged what, bool tell)
{
	static int (*const by[])(const struct judge *, const char *, struct tds_err *) = {
		[JUDGED_PACKAGES] = judge_package,
		[JUDGED_HASHES] = judge_hash,
		[JUDGED_GROUPS] = judge_group,
	};
	struct tds_err err = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (by[what](j, names[i], &err) == 0)
			return true;
		if (!tell)
			continue;
		tds_cli_error(cli, names[i], &err);
		if (cli->json)
			tds_cli_print_document(cli, json_object());
	}
	return false;
}

bool judge(struct tds_cli *cli, const struct tds_dir *dir, char *const *names, size_t n,
	   enum judged what)
{
	struct judge j = { .dir = dir };
	bool any = true;

	/* What cannot be read is the admin process's to tell. */
	if (are_defined(dir) || tds_groups_scan(dir, &j.groups, NULL) != 0)
		return true;
	if (tds_loaded_read(dir, &j.loaded, NULL) == 0)
		any = judge_all(&j, cli, names, n, what, false) ||
		      judge_all(&j, cli, names, n, what, true);
	tds_loaded_fini(&j.loaded);
	tds_groups_fini(&j.groups);
	return any;
}
