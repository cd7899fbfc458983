/* SPDX-License-Identifier: MIT */
/* The check of the run directory: may an admin process begin there, and believe what lies in it? */
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/io.h"
#include "base/mem.h"
#include "check.h"
#include "director/adminuser.h"
#include "director/desired.h"
#include "director/floor.h"
#include "director/rundir.h"
#include "director/rundoc.h"
#include "director/uids.h"
#include "judge.h"

/* What an admin process makes there, and takes for its own again. */
static const struct part {
	const char *name;
	mode_t kind;
	bool is_document;
	bool (*fits)(const json_t *document); /* NULL: only its version counts */
} parts[] = {
	{ TDS_RUNDIR_LOCK, S_IFREG, false, NULL },
	{ TDS_LOADED_NAME, S_IFREG, true, tds_rundoc_fits_loaded },
	{ TDS_GROUPS_NAME, S_IFREG, true, NULL },
	{ TDS_DESIRED_NAME, S_IFREG, true, tds_desired_fits },
	{ TDS_FLOOR_NAME, S_IFREG, true, tds_floor_fits },
	{ TDS_UIDS_NAME, S_IFREG, true, tds_uids_fit },
	{ TDS_MEMBERSHIP_NAME, S_IFREG, true, tds_rundoc_fits_membership },
	{ TDS_AUDIT_NAME, S_IFREG, false, NULL },
	{ TDS_EVENTS_NAME, S_IFREG, false, NULL },
	{ TDS_ACTORLOG_NAME, S_IFREG, false, NULL },
	{ TDS_ACTORLOG_MORE, S_IFREG, false, NULL },
	{ TDS_DATA_NAME, S_IFDIR, false, NULL },
	{ TDS_TMP_NAME, S_IFDIR, false, NULL },
	{ TDS_STORE_NAME, S_IFDIR, false, NULL },
};

/* --- the folder --- */

/* The admin process of adminuser.cfg can only begin in a folder of its own. */
static void judge_owner(struct report *report, const struct tds_dir *dir, const struct stat *st)
{
	tds_auto(adminuser) struct tds_adminuser admin = { 0 };

	if (tds_adminuser_read(dir, &admin, NULL) == 0 && admin.is_named &&
	    admin.user.uid != st->st_uid)
		report_refuse(
			report,
			"belongs to uid %ju, and the admin process is that of " TDS_ADMINUSER_CFG,
			(uintmax_t)st->st_uid);
}

static void judge_place(struct report *report, const struct tds_dir *dir, int rundir)
{
	struct statfs fs;
	struct stat st;

	if (fstat(rundir, &st) != 0 || fstatfs(rundir, &fs) != 0)
		return;
	const char *network = tds_rundir_network((uint64_t)fs.f_type);
	if (network)
		report_refuse(report, "is on a network file system, %s", network);
	judge_owner(report, dir, &st);
}

/* --- what lies in it --- */

/* It is of that kind, of the run directory's owner, and nobody else may write it. */
static void judge_part(struct report *report, const struct part *part, uid_t owner,
		       const struct stat *st)
{
	if ((st->st_mode & S_IFMT) != part->kind)
		report_refuse(report, "is %s",
			      S_ISLNK(st->st_mode)    ? "a symbolic link"
			      : part->kind == S_IFDIR ? "no folder"
						      : "not a regular file");
	else if (st->st_uid != owner)
		report_refuse(report, "belongs to uid %ju", (uintmax_t)st->st_uid);
	else if (st->st_mode & (S_IWGRP | S_IWOTH))
		report_refuse(report, "others may write it");
}

/* The document, a new reference; NULL: it cannot be read, or is wrong, and that is in the report. */
static json_t *read_part(struct report *report, const struct part *part, int rundir)
{
	tds_autofree char *text = NULL;
	json_t *doc = NULL;
	size_t len;

	/* What this user may not read is another's to judge. */
	if (tds_io_slurp(rundir, part->name, TDS_LOADED_MAX_BYTES, &text, &len, NULL) == 0)
		doc = tds_rundoc_parse(text, len, part->fits, &report->err);
	if (doc && strcmp(part->name, TDS_GROUPS_NAME) == 0)
		(void)!tds_rundoc_judge_groups(doc, &report->err);
	return doc;
}

/* --- uids --- */

/* A user who was made later has what runs as the group, and at the next start all that he runs is killed as that. */
static void judge_uids(struct report *report, const json_t *uids)
{
	json_t *groups = json_object_get(uids, "Groups");
	const char *name;
	json_t *uid;

	json_object_foreach(groups, name, uid)
	{
		const struct passwd *user = getpwuid((uid_t)json_integer_value(uid));

		if (user)
			report_refuse(report,
				      "the uid of group %s, %" JSON_INTEGER_FORMAT
				      ", is that of user %s by now: give that another one",
				      name, json_integer_value(uid), user->pw_name);
	}
}

/* --- all of it --- */

/* What is judged. */
struct place {
	struct admin *admin;
	struct tds_dir rundir;
	uid_t owner;
	json_t *desired; /* NULL: none that can be read */
};

static void judge_lying(struct place *place, const struct part *part, struct report *report)
{
	struct stat st;
	bool is_there = fstatat(place->rundir.fd, part->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	json_t *doc = NULL;

	if (is_there)
		judge_part(report, part, place->owner, &st);
	if (is_there && part->is_document && report->err.code == TDS_OK)
		doc = read_part(report, part, place->rundir.fd);
	if (strcmp(part->name, TDS_DESIRED_NAME) == 0)
		place->desired = json_incref(doc);
	if (strcmp(part->name, TDS_FLOOR_NAME) == 0 && place->desired && (doc || !is_there))
		judge_lost_floors(report, place->desired, doc);
	if (doc && strcmp(part->name, TDS_UIDS_NAME) == 0)
		judge_uids(report, doc);
	json_decref(doc);
}

static void check_parts(struct place *place)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		tds_autofree char *path = tds_dir_join(&place->rundir, parts[i].name);
		struct report report;

		report_init(&report, path ? path : parts[i].name);
		report.quiet = true;
		judge_lying(place, &parts[i], &report);
		report_print_found(place->admin, &report);
		report_fini(&report);
	}
	json_decref(place->desired);
}

/* The reason of one that may not be believed names its path, as the report does. */
static void take_disbelief(struct report *report, const struct tds_err *why)
{
	size_t len = strlen(report->file);
	bool is_named = strncmp(why->reason, report->file, len) == 0;

	report_refuse(report, "%s", why->reason + (is_named ? len + 2 : 0));
}

void check_rundir(struct admin *admin, const struct tds_dir *dir)
{
	struct place place = { .admin = admin, .rundir = { .fd = -1 } };
	tds_autofree char *path = NULL;
	struct report report;
	struct tds_err why;
	struct stat st;

	/* Of rundir.cfg its own report says what is wrong. */
	if (tds_rundir_path(dir, &path, NULL) != 0)
		return;
	report_init(&report, path);
	report.quiet = true;
	int rc = tds_rundir_open(dir, &place.rundir, &why);
	if (rc == TDS_E_MISSING)
		judge_missing_folder(&report, path);
	else if (rc != 0)
		take_disbelief(&report, &why);
	else
		judge_place(&report, dir, place.rundir.fd);
	report_print_found(admin, &report);
	report_fini(&report);
	if (rc == 0 && fstat(place.rundir.fd, &st) == 0) {
		place.owner = st.st_uid;
		check_parts(&place);
	}
	tds_dir_close(&place.rundir);
}
