/* SPDX-License-Identifier: MIT */
/* Settings without effect, users that are not there, a data folder that cannot be, and logging that cannot work. */
#include "judge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/user.h"
#include "command.h"
#include "director/actoruser.h"
#include "director/adminuser.h"
#include "director/config.h"
#include "director/grants.h"
#include "director/handover.h"
#include "director/sandboxcfg.h"
#include "literal/repr.h"
#include "tool/document.h"
#include "tool/strictly.h"

#define LOGGER_WAIT_MS 10000

/* --- users --- */

static const char *const files_of_users[] = { TDS_ADMINUSER_CFG, "adminusers.cfg",
					      TDS_ACTORUSER_CFG, "guests.cfg" };

static bool names_users(const char *file)
{
	for (size_t i = 0; i < sizeof(files_of_users) / sizeof(files_of_users[0]); i++)
		if (strcmp(files_of_users[i], file) == 0)
			return true;
	return false;
}

/* The first that is not there is what the file is refused for, as it is when the admin process starts. */
static void judge_user(struct report *report, const struct tds_value *name)
{
	tds_auto(user) struct tds_user user = { 0 };
	const char *rights;
	size_t len = name->len;
	struct tds_err why;

	tds_grant_split(name->text, &len, &rights);
	tds_autofree char *text = strndup(name->text, len);
	int rc = text ? tds_user_find(text, &user, &why)
		      : tds_err_set(&why, TDS_E_NOMEM, "out of memory");

	if (rc != 0 && report->err.code == TDS_OK)
		tds_err_at(&report->err, rc == TDS_E_NOMEM ? rc : TDS_E_REFUSED, name->line,
			   name->column, "%s", why.reason);
	else if (rc != 0)
		report_warn(report, name->line, name->column, "%s", why.reason);
}

static void judge_users(struct report *report)
{
	const struct tds_value *value = report->value;

	if (value->type == TDS_VALUE_STR)
		judge_user(report, value);
	for (size_t i = 0; value->type == TDS_VALUE_LIST && i < value->n; i++)
		judge_user(report, value->items[i]);
}

/* Does it name no user, but one for each group? */
static bool is_dynamic(const char *file, const struct tds_value *value)
{
	return strcmp(file, TDS_ACTORUSER_CFG) == 0 &&
	       strcmp(value->text, TDS_ACTORUSER_DYNAMIC) == 0;
}

/* Only root can become another user. */
static void judge_actoruser(struct report *report, const struct tds_dir *dir)
{
	tds_auto(adminuser) struct tds_adminuser admin = { 0 };
	tds_auto(user) struct tds_user actors = { .uid = (uid_t)-1 };
	struct stat home;

	if (report->err.code != TDS_OK || tds_adminuser_read(dir, &admin, NULL) != 0 ||
	    fstat(dir->fd, &home) != 0 ||
	    (!is_dynamic(TDS_ACTORUSER_CFG, report->value) &&
	     tds_user_find(report->value->text, &actors, NULL) != 0))
		return;
	/* Where nobody is named it is root's where root looks, else most likely the owner's. */
	uid_t uid = admin.is_named ? admin.user.uid : geteuid() == 0 ? 0 : home.st_uid;
	if (uid != 0 && uid != actors.uid)
		report_refuse(report,
			      "only root's admin process runs actors as another user, and "
			      "it is that of %s",
			      admin.is_named ? TDS_ADMINUSER_CFG : "the directory's owner");
}

void judge_actors(struct report *report, const struct tds_dir *dir)
{
	tds_auto(adminuser) struct tds_adminuser admin = { 0 };
	struct tds_err why;
	struct stat home;

	if (tds_adminuser_read(dir, &admin, NULL) != 0 || fstat(dir->fd, &home) != 0)
		return;
	/* Where nobody is named it is whoever starts it: here root. */
	bool is_roots = admin.is_named ? admin.user.uid == 0 : home.st_uid == 0 && geteuid() == 0;
	if (is_roots && tds_actoruser_judge(dir, 0, &why) != 0)
		report_refuse(report, TDS_ACTORUSER_CFG " is not there: %s",
			      strstr(why.reason, "root's"));
}

static void judge_adminuser(struct report *report, const struct tds_dir *dir)
{
	tds_auto(adminuser) struct tds_adminuser admin = { 0 };
	struct tds_err why;

	if (report->err.code == TDS_OK && tds_adminuser_read(dir, &admin, &why) != 0)
		report_refuse(report, "%s", why.reason);
}

/* --- the data folder --- */

/* Who may own it besides root: the admin process's user, and where nobody is named, that may be the directory's owner. */
static bool find_data_owner(const struct tds_dir *dir, struct tds_strict *strict)
{
	tds_auto(adminuser) struct tds_adminuser admin = { 0 };
	struct stat home;

	if (tds_adminuser_read(dir, &admin, NULL) != 0 || fstat(dir->fd, &home) != 0)
		return false;
	strict->owner = admin.is_named ? admin.user.uid : home.st_uid;
	return true;
}

static char *folder_above(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 1 && path[len - 1] != '/')
		len--;
	return strndup(path, len);
}

void judge_missing_folder(struct report *report, const char *path)
{
	tds_autofree char *above = folder_above(path);
	struct stat st;

	if (!above)
		tds_err_set(&report->err, TDS_E_NOMEM, "out of memory");
	else if (stat(above, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
		report_refuse(report, "there is no folder %s to make it in", above);
}

/* As each load finds it, as far as this user sees it. */
static void judge_data_folder(struct report *report, const struct tds_dir *dir)
{
	const char *path = report->value->text;
	tds_autofd int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char why[TDS_STRICT_WHY_MAX];
	struct tds_strict strict = { 0 };
	struct stat st;

	if (lstat(path, &st) != 0 && errno == ENOENT)
		judge_missing_folder(report, path);
	else if (lstat(path, &st) != 0)
		return;
	else if (!S_ISDIR(st.st_mode))
		report_refuse(report, "%s is no folder", path);
	else if (fd >= 0 && find_data_owner(dir, &strict) &&
		 !tds_strict_judge(&strict, TDS_STRICT_DATA, fd, NULL, why))
		report_refuse(report, "%s: %s", path, why);
}

/* --- logging --- */

/* Who runs the admin process. False: this process may not try anything in that user's name. */
static bool find_admin(const struct tds_dir *dir, struct tds_user *user)
{
	tds_auto(adminuser) struct tds_adminuser admin = { 0 };
	uid_t own = geteuid();
	struct stat st;

	*user = (struct tds_user){ .uid = own, .gid = getegid() };
	if (tds_adminuser_read(dir, &admin, NULL) != 0 || fstat(dir->fd, &st) != 0)
		return false;
	if (!admin.is_named)
		return own == 0 || own == st.st_uid;
	*user = admin.user;
	admin.user = (struct tds_user){ 0 };
	return own == 0 || own == user->uid;
}

/* What the logger is told: its configuration, and the folder that names of files are relative to. NULL: there is none. */
static char *logger_input(const struct tds_dir *dir)
{
	tds_auto(config) struct tds_config logging = { 0 };
	tds_auto(config) struct tds_config folder = { 0 };
	tds_autofree char *literal = NULL;

	if (tds_config_read(dir, "thesplog.cfg", &logging, NULL) != 0 ||
	    !(literal = tds_value_repr(logging.value)))
		return NULL;
	bool has_folder =
		tds_config_read(dir, "thesplogd.cfg", &folder, NULL) == 0 && folder.value->len > 0;
	json_t *message = json_pack("{s:o, s:o}", "config", tds_document_text(literal), "folder",
				    tds_document_text(has_folder ? folder.value->text : dir->path));
	char *line = message ? json_dumps(message, JSON_COMPACT) : NULL;
	json_decref(message);
	return line;
}

static int try_logger(const struct tds_user *user, const char *input, struct tds_err *err)
{
	tds_autofree char *program = admin_installed(TDS_HOST "/tdshost/logger.py");
	tds_autofree char *said = NULL;

	if (!program)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	const char *const argv[] = { "python3", "-I", "-B", program, "--try", NULL };
	int rc = command_talk(argv, user, input, LOGGER_WAIT_MS, &said, err);
	if (said)
		said[strcspn(said, "\n")] = '\0';
	return rc == TDS_E_REFUSED && said && *said ? tds_err_set(err, rc, "%.400s", said) : rc;
}

int judge_logging(const struct tds_dir *dir, struct tds_err *err)
{
	tds_auto(user) struct tds_user user = { 0 };
	tds_autofree char *input = logger_input(dir);

	if (!input || !find_admin(dir, &user))
		return 0;
	int rc = try_logger(&user, input, err);
	if (rc == 0)
		return 0;
	tds_err_prefix(err, "logging cannot work");
	err->code = rc == TDS_E_NOMEM ? rc : TDS_E_REFUSED;
	return err->code;
}

/* --- all of it --- */

static void judge_effect(struct report *report, const char *name)
{
	const struct tds_config_file *file = tds_config_find(name);
	const char *instead = tds_config_instead(file, report->value);

	if (instead)
		report_warn(report, 0, 0, "%s", instead);
}

/* What such a limit means is seldom meant. */
static void judge_zeros(struct report *report)
{
	static const struct {
		const char *limit;
		const char *words;
	} zeros[] = {
		{ "Actors", "0 lets no actor run" },
		{ "Descriptors", "0 lets no actor run" },
		{ "Bytes", "0 lets no message through" },
		{ "Clients", "0 lets nobody connect but root and the admin process's own user" },
		{ "Operations", "0 counts as 1" },
	};

	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++) {
		const struct tds_value *limit = tds_value_get(report->value, zeros[i].limit);

		if (limit && limit->type == TDS_VALUE_INT && strcmp(limit->text, "0") == 0)
			report_warn(report, limit->line, limit->column, "%s", zeros[i].words);
	}
}

void judge_value(struct report *report, const struct tds_dir *dir, const char *name)
{
	bool is_of_dir = dir->fd >= 0;

	judge_effect(report, name);
	if (names_users(name) && !is_dynamic(name, report->value))
		judge_users(report);
	if (strcmp(name, TDS_SANDBOX_CFG) == 0)
		judge_sandboxes(report);
	if (is_of_dir && strcmp(name, TDS_SANDBOX_CFG) == 0)
		judge_sandbox_groups(report, dir);
	if (is_of_dir && strcmp(name, "newprivs.cfg") == 0)
		judge_newprivs(report, dir);
	if (strcmp(name, "budget.cfg") == 0)
		judge_zeros(report);
	if (is_of_dir && strcmp(name, TDS_ADMINUSER_CFG) == 0)
		judge_adminuser(report, dir);
	if (is_of_dir && strcmp(name, TDS_ACTORUSER_CFG) == 0)
		judge_actoruser(report, dir);
	if (is_of_dir && strcmp(name, "may.cfg") == 0)
		judge_may(report, dir);
	if (is_of_dir)
		judge_convention(report, dir, name);
	if (is_of_dir && strcmp(name, "adminusers.cfg") == 0)
		judge_adminusers(report, dir);
	if (is_of_dir && strcmp(name, "datadir.cfg") == 0)
		judge_data_folder(report, dir);
	if (is_of_dir && strcmp(name, "thesplog.cfg") == 0 && report->err.code == TDS_OK)
		(void)!judge_logging(dir, &report->err);
}

static void warn_of_effect(void *ctx, const struct tds_config_file *file, const char *instead)
{
	struct admin *admin = ((void **)ctx)[0];
	const struct tds_dir *dir = ((void **)ctx)[1];
	tds_autofree char *path = tds_dir_join(dir, file->name);

	tds_cli_warn(&admin->cli, path ? path : file->name, "%s", instead);
}

/* What is read for each package, and refuses them all where it is wrong. */
static void warn_if_misread(struct admin *admin, const struct tds_dir *dir, const char *name)
{
	tds_auto(config) struct tds_config config = { 0 };
	tds_autofree char *path = NULL;
	struct tds_err why;
	int rc = tds_config_read(dir, name, &config, &why);

	if (rc == 0 || rc == TDS_E_MISSING || !(path = tds_dir_join(dir, name)))
		return;
	tds_err_name(&why, path);
	tds_cli_warn(&admin->cli, NULL, "%s: no package is loaded before that is mended",
		     why.reason);
}

static void warn_of_misread(struct admin *admin, const struct tds_dir *dir)
{
	const struct tds_config_file *file;

	for (size_t i = 0; (file = tds_config_file(i)); i++)
		if (file->counts == TDS_COUNTS_AT_VERIFICATION)
			warn_if_misread(admin, dir, file->name);
}

void judge_standing(struct admin *admin, const struct tds_dir *dir)
{
	void *ctx[] = { admin, (void *)(uintptr_t)dir };

	tds_config_effects(dir, warn_of_effect, ctx);
	warn_of_misread(admin, dir);
	judge_floors(admin, dir);
}

void judge_configured(struct admin *admin)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };

	if (tds_dir_open(admin->cli.dir, &dir, NULL) == 0)
		judge_standing(admin, &dir);
}

void judge_modes(struct admin *admin)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	struct tds_strict strict;

	if (tds_dir_open(admin->cli.dir, &dir, NULL) == 0)
		tds_strictly_warn(&admin->cli, &dir, &strict);
}

void judge_belief(struct admin *admin, const struct tds_dir *dir)
{
	tds_auto(adminuser) struct tds_adminuser adminuser = { 0 };
	tds_autofree char *path = tds_dir_join(dir, TDS_ADMINUSER_CFG);
	uid_t own = geteuid();
	struct stat st;

	if (own == 0 || fstat(dir->fd, &st) != 0 || st.st_uid == own ||
	    tds_adminuser_read(dir, &adminuser, NULL) != 0 || adminuser.is_named)
		return;
	tds_cli_warn(&admin->cli, path,
		     "is not there to name uid %ju: no other user, root neither, believes what "
		     "that user runs here",
		     (uintmax_t)own);
}

bool judge_sandbox(const struct tds_dir *dir)
{
	struct stat st;

	return fstatat(dir->fd, TDS_SANDBOX_CFG, &st, 0) == 0 || errno != ENOENT;
}

void judge_way(struct admin *admin, const struct tds_dir *dir)
{
	tds_auto(config) struct tds_config actors = { 0 };
	int rc = tds_config_read(dir, TDS_ACTORUSER_CFG, &actors, NULL);

	if (!admin->cli.verbose || (rc != 0 && rc != TDS_E_MISSING))
		return;
	const char *who = rc != 0 ? "the user of the admin process"
			  : is_dynamic(TDS_ACTORUSER_CFG, actors.value) ? "a uid for each group"
									: actors.value->text;
	(void)fprintf(admin->cli.err, "tds-admin: %s: actors run as %s\n", dir->path, who);
}

void judge_start(struct admin *admin, const struct tds_dir *dir)
{
	tds_autofree char *sandbox = tds_dir_join(dir, TDS_SANDBOX_CFG);
	tds_autofree char *path = tds_dir_join(dir, "thesplog.cfg");
	struct tds_err err;

	judge_way(admin, dir);
	judge_standing(admin, dir);
	if (!judge_sandbox(dir))
		tds_cli_warn(&admin->cli, sandbox, "%s", JUDGE_NO_SANDBOX);
	if (judge_logging(dir, &err) != 0)
		tds_cli_warn(&admin->cli, path, "%s", err.reason);
}
