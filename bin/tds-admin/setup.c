/* SPDX-License-Identifier: MIT */
/* tds-admin setup: a director directory of root, and the users and folders of its admin process. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin.h"
#include "base/mem.h"
#include "command.h"
#include "director/actoruser.h"
#include "director/adminuser.h"
#include "director/config.h"
#include "director/rundir.h"
#include "director/sandboxcfg.h"
#include "judge.h"
#include "steps.h"
#include "tool/document.h"

#define USER_DEFAULT "tds"
#define DATADIR_CFG "datadir.cfg"
#define SANDBOX "default" /* what packages are granted */
#define STATE \
	"/var/lib/tds" /* has the run directories, and is the home of the users that are made */

const char admin_setup_help[] =
	"usage: tds-admin [options] setup [--user=USER] [--root=ROOT] [--print] [DIR]\n"
	"Make DIR, else the director directory, one of root whose admin process is that of USER "
	"(" USER_DEFAULT "), a user of\n"
	"its own that is made where there is none. With --user=root it is root's, and the actors "
	"of each "
	"group\n"
	"have a uid of their own (actoruser.cfg: " TDS_ACTORUSER_DYNAMIC
	"). What is so already stays; what is otherwise is refused.\n"
	"With --print nothing is changed: the commands are printed that would do it.\n"
	"With --root all is below ROOT.\n";

/* One setup. Paths are as they are where ROOT is the root. */
struct setup {
	struct admin *admin;
	const char *user; /* whose process the admin process is */
	char *root;
	char *dir;
	char *rundir;
	char *data;   /* the folder that the data folders of groups are in */
	char *actors; /* what actoruser.cfg says; NULL: there is none */
	char *config[4];
	bool has_sandbox; /* what it says is somebody's decision */
	struct steps steps;
};

static void tds_setup_cleanup(struct setup *setup)
{
	steps_fini(&setup->steps);
	for (size_t i = 0; i < sizeof(setup->config) / sizeof(setup->config[0]); i++)
		free(setup->config[i]);
	free(setup->root);
	free(setup->dir);
	free(setup->rundir);
	free(setup->data);
	free(setup->actors);
}

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* --- what is asked for --- */

/* An absolute path without empty and "." parts, and without a slash at its end. Caller frees *clean. */
static int clean_path(const char *path, char **clean, struct tds_err *err)
{
	tds_autofree char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
	tds_autofree char *whole = NULL;
	char *out;

	if (path[0] != '/' && !cwd)
		return tds_err_sys(err, TDS_E_UNUSABLE, "the current folder");
	if (asprintf(&whole, "%s/%s", cwd ? cwd : "", path) < 0) {
		whole = NULL;
		return no_memory(err);
	}
	*clean = out = calloc(1, strlen(whole) + 1);
	if (!out)
		return no_memory(err);
	for (const char *part = strtok(whole, "/"); part; part = strtok(NULL, "/")) {
		if (strcmp(part, "..") == 0)
			return tds_err_set(err, TDS_E_USAGE, "\"..\" in the name of a folder: %s",
					   path);
		if (strcmp(part, ".") != 0)
			out += sprintf(out, "/%s", part);
	}
	return 0;
}

/* It stands in a line of rundir.cfg, or nearly. */
static bool is_one_line(const char *path)
{
	for (; *path; path++)
		if ((unsigned char)*path < 0x20 || *path == 0x7f)
			return false;
	return true;
}

static bool is_user_name(const char *name)
{
	tds_auto(config) struct tds_config config = { 0 };

	return !isdigit((unsigned char)name[0]) &&
	       tds_config_parse(TDS_ADMINUSER_CFG, name, strlen(name),
				(struct tds_tli_watcher){ 0 }, &config, NULL) == 0;
}

static int take_operands(struct setup *setup, int argc, char **argv, struct tds_err *err)
{
	const struct admin *admin = setup->admin;
	const char *dir = argc > 0 ? argv[0] : admin->cli.dir;
	struct stat st;

	if (argc > 1)
		return tds_err_set(err, TDS_E_USAGE, "setup takes one folder");
	if (admin->root && admin->print)
		return tds_err_set(err, TDS_E_USAGE, "--print does not go with --root");
	if (admin->user && !*admin->user)
		return tds_err_set(err, TDS_E_USAGE, "--user=USER: which user?");
	setup->user = admin->user ? admin->user : USER_DEFAULT;
	if (!is_user_name(setup->user))
		return tds_err_set(err, TDS_E_USAGE, "not a possible name of a user: \"%s\"",
				   setup->user);
	int rc = clean_path(dir, &setup->dir, err);
	if (rc == 0 && (!setup->dir[0] || !is_one_line(setup->dir)))
		rc = tds_err_set(err, TDS_E_USAGE, "not a possible director directory: \"%s\"",
				 dir);
	if (rc == 0)
		rc = clean_path(admin->root ? admin->root : "/", &setup->root, err);
	if (rc == 0 && (stat(*setup->root ? setup->root : "/", &st) != 0 || !S_ISDIR(st.st_mode)))
		rc = tds_err_set(err, TDS_E_MISSING, "%s: no such folder", setup->root);
	setup->steps.root = setup->root;
	setup->steps.home = STATE;
	return rc;
}

/* --- what is to be so --- */

/* Is there anything of that name? */
static bool is_there(const struct setup *setup, const char *path)
{
	tds_autofree char *place = NULL;
	struct stat st;

	if (asprintf(&place, "%s%s", setup->root, path) < 0)
		place = NULL;
	return !place || lstat(place, &st) == 0;
}

/*
 * A run directory that nobody else has: named as the director directory is, or by all of its path where that name is taken
 * already.
 */
static int choose_rundir(struct setup *setup, struct tds_err *err)
{
	if (asprintf(&setup->rundir, STATE "/%s", strrchr(setup->dir, '/') + 1) < 0)
		return no_memory(err);
	if (!is_there(setup, setup->rundir))
		return 0;
	free(setup->rundir);
	if (asprintf(&setup->rundir, STATE "/%s", setup->dir + 1) < 0)
		return no_memory(err);
	for (char *p = setup->rundir + strlen(STATE "/"); *p; p++)
		if (*p == '/')
			*p = '-';
	return is_there(setup, setup->rundir)
		       ? tds_err_set(err, TDS_E_REFUSED,
				     "%s is there already; %s/" TDS_RUNDIR_CFG
				     " is to name another",
				     setup->rundir, setup->dir)
		       : 0;
}

/* The one line of a configuration file that is there; *line NULL: it is not. Caller frees. */
static int read_line(const struct tds_dir *dir, const char *name, char **line, struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = tds_config_read(dir, name, &config, err);

	if (rc == TDS_E_MISSING)
		return 0;
	if (rc == 0 && !(*line = strdup(config.text)))
		rc = no_memory(err);
	return rc == 0 ? 0 : tds_err_prefix(err, "%s/%s", dir->path, name);
}

/* What the director directory says already, where there is one. */
static int read_config(struct setup *setup, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_autofree char *place = NULL;

	if (asprintf(&place, "%s%s", setup->root, setup->dir) < 0) {
		place = NULL;
		return no_memory(err);
	}
	int rc = tds_dir_open(place, &dir, err);
	if (rc != 0) /* a step that looks at it says what it is instead */
		return rc == TDS_E_NOMEM ? rc : 0;
	setup->has_sandbox = judge_sandbox(&dir);
	rc = read_line(&dir, TDS_RUNDIR_CFG, &setup->rundir, err);
	if (rc == 0)
		rc = read_line(&dir, DATADIR_CFG, &setup->data, err);
	return rc == 0 ? read_line(&dir, TDS_ACTORUSER_CFG, &setup->actors, err) : rc;
}

/* Add the step of a file in the director directory. */
static int add_config(struct setup *setup, size_t i, const char *name, const char *text,
		      struct tds_err *err)
{
	if (asprintf(&setup->config[i], "%s/%s", setup->dir, name) < 0) {
		setup->config[i] = NULL;
		return no_memory(err);
	}
	return steps_file(&setup->steps, setup->config[i], text, err);
}

/* Actors are of other users than the admin process where that is root's, and only there. */
static int add_actors(struct setup *setup, struct tds_err *err)
{
	bool as_root = strcmp(setup->user, "root") == 0;

	if (!as_root && setup->actors && strcmp(setup->actors, setup->user) != 0)
		return tds_err_set(
			err, TDS_E_REFUSED,
			"%s/" TDS_ACTORUSER_CFG
			" names %s: only an admin process of root (--user=root) runs actors "
			"as another user",
			setup->dir, setup->actors);
	if (!as_root)
		return 0;
	if (!setup->actors && !(setup->actors = strdup(TDS_ACTORUSER_DYNAMIC)))
		return no_memory(err);
	bool is_user = !isdigit((unsigned char)setup->actors[0]) &&
		       strcmp(setup->actors, TDS_ACTORUSER_DYNAMIC) != 0 &&
		       strcmp(setup->actors, "root") != 0;
	int rc = is_user ? steps_user(&setup->steps, setup->actors, err) : 0;
	return rc == 0 ? add_config(setup, 2, TDS_ACTORUSER_CFG, setup->actors, err) : rc;
}

/* The data folders of groups are in the run directory, where nothing else is said. */
static int add_data(struct setup *setup, struct tds_err *err)
{
	if (setup->data) /* which the admin process makes itself */
		return 0;
	if (asprintf(&setup->data, "%s/" TDS_DATA_NAME, setup->rundir) < 0) {
		setup->data = NULL;
		return no_memory(err);
	}
	return steps_folder(&setup->steps, setup->data, setup->user, 0711, err);
}

/* A file is written before what it names is made: who is interrupted begins anew where it was. */
static int plan(struct setup *setup, struct tds_err *err)
{
	struct steps *steps = &setup->steps;
	int rc = read_config(setup, err);

	if (rc == 0 && !setup->rundir)
		rc = choose_rundir(setup, err);
	if (rc == 0 && strcmp(setup->user, "root") != 0)
		rc = steps_user(steps, setup->user, err);
	if (rc == 0)
		rc = steps_folder(steps, setup->dir, "root", 0755, err);
	if (rc == 0)
		rc = add_config(setup, 0, TDS_ADMINUSER_CFG, setup->user, err);
	if (rc == 0)
		rc = add_config(setup, 1, TDS_RUNDIR_CFG, setup->rundir, err);
	if (rc == 0)
		rc = add_actors(setup, err);
	if (rc == 0 && !setup->has_sandbox)
		rc = add_config(setup, 3, TDS_SANDBOX_CFG, SANDBOX, err);
	if (rc == 0)
		rc = steps_folder(steps, setup->rundir, setup->user, 0711, err);
	return rc == 0 ? add_data(setup, err) : rc;
}

/* --- doing it --- */

/* Look at all of it before anything is changed. Returns how many steps are to be taken; what is refused is said. */
static size_t look(struct setup *setup)
{
	struct tds_err err;
	size_t wanted = 0;

	for (size_t i = 0; i < setup->steps.n; i++) {
		struct step *step = &setup->steps.v[i];

		if (step_look(&setup->steps, step, &err) != 0)
			tds_cli_error(&setup->admin->cli, step->name, &err);
		wanted += step->state == STEP_WANTED;
	}
	return wanted;
}

static void take(struct setup *setup)
{
	struct tds_cli *cli = &setup->admin->cli;
	struct tds_err err;

	if (geteuid() != 0) {
		tds_err_set(&err, TDS_E_REFUSED, "only root can set it up (--print says how)");
		tds_cli_error(cli, NULL, &err);
	}
	for (size_t i = 0; cli->status == 0 && i < setup->steps.n; i++) {
		struct step *step = &setup->steps.v[i];

		if (step->state == STEP_THERE)
			continue;
		if (step_take(&setup->steps, step, &err) != 0)
			tds_cli_error(cli, step->name, &err);
		else if (!cli->json && !cli->quiet)
			step_print(&setup->steps, step, cli->out);
	}
}

static void print_commands(const struct setup *setup)
{
	for (size_t i = 0; i < setup->steps.n; i++)
		if (setup->steps.v[i].state == STEP_WANTED)
			step_print_command(&setup->steps, &setup->steps.v[i],
					   setup->admin->cli.out);
}

static void print_document(const struct setup *setup)
{
	json_t *steps = json_array();
	bool whole = steps != NULL;

	for (size_t i = 0; whole && i < setup->steps.n; i++)
		whole = json_array_append_new(steps, step_json(&setup->steps.v[i])) == 0;
	if (!whole) {
		json_decref(steps);
		steps = NULL; /* which is out of memory */
	}
	tds_cli_print_document(&setup->admin->cli,
			       json_pack("{s:o, s:o, s:o, s:o}", "Directory",
					 tds_document_text(setup->dir), "User",
					 tds_document_text(setup->user), "RunDirectory",
					 tds_document_text(setup->rundir), "Steps", steps));
}

static void do_it(struct setup *setup)
{
	struct tds_cli *cli = &setup->admin->cli;
	size_t wanted = look(setup);

	if (cli->status == 0 && !setup->admin->print && wanted > 0)
		take(setup);
	if (cli->json)
		print_document(setup);
	else if (cli->status == 0 && setup->admin->print)
		print_commands(setup);
	else if (cli->status == 0 && wanted == 0 && !cli->quiet)
		(void)fprintf(cli->out, "%s is set up already\n", setup->dir);
}

void admin_setup(struct admin *admin, int argc, char **argv)
{
	tds_auto(setup) struct setup setup = { .admin = admin };
	struct tds_err err = { 0 };
	int rc = command_extend_path() ? 0 : no_memory(&err);

	if (rc == 0)
		rc = take_operands(&setup, argc, argv, &err);
	if (rc == TDS_E_USAGE) {
		tds_cli_usage(&admin->cli, "%s", err.reason);
		return;
	}
	if (rc == 0)
		rc = plan(&setup, &err);
	if (rc == 0)
		do_it(&setup);
	else
		tds_cli_error(&admin->cli, NULL, &err);
}
