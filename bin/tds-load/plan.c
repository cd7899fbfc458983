/* SPDX-License-Identifier: MIT */
/* The dry run. */
#include "plan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"
#include "mem.h"
#include "rundir.h"

#define VERDICT_MAX (1 << 20)

struct planner {
	struct tds_cli *cli;
	const struct tds_dir *dir;
	struct tds_groups groups;
	json_t *sources; /* of loaded.json; NULL: nothing is loaded */
};

char *tool_path(const char *name)
{
	tds_autofree char *folder = tds_cli_folder();
	char *path = NULL;

	return !folder || asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* What tds-verify says of a package, in JSON. NULL: it said nothing that can be read. */
static json_t *verdict_of(const struct planner *p, const char *path)
{
	tds_autofree char *program = tool_path("tds-verify");
	tds_autofree char *text = NULL;
	size_t len = 0;
	int ends[2];
	int status;

	if (!program || pipe2(ends, O_CLOEXEC) != 0)
		return NULL;
	pid_t pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execl(program, "tds-verify", "-q", "-j", "-C", p->dir->path, "--", path,
			    (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	int rc = tds_io_slurp_fd(ends[0], VERDICT_MAX, &text, &len, NULL);
	(void)close(ends[0]);
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
	return rc == 0 ? json_loadb(text, len, 0, NULL) : NULL;
}

static const json_t *find_source(const struct planner *p, const char *key, const char *value,
				 const char *group, bool active)
{
	const json_t *source;
	size_t i;

	json_array_foreach(p->sources, i, source)
	{
		const char *has = json_string_value(json_object_get(source, key));
		const char *in = json_string_value(json_object_get(source, "Group"));

		if ((!key[0] || (has && strcmp(has, value) == 0)) && in && strcmp(in, group) == 0 &&
		    (!active || json_is_true(json_object_get(source, "Active"))))
			return source;
	}
	return NULL;
}

static void plan_package(struct planner *p, const char *group, const char *path)
{
	json_t *verdict = verdict_of(p, path);
	const char *sha256 = json_string_value(json_object_get(verdict, "sha256"));
	const char *md5 = json_string_value(json_object_get(verdict, "md5"));
	const json_t *active = find_source(p, "", NULL, group, true);
	const json_t *known = sha256 ? find_source(p, "SHA256", sha256, group, false) : NULL;
	const char *what = "Would load";
	tds_autofree char *why = NULL;

	if (!sha256 || !md5) {
		json_int_t status = json_integer_value(json_object_get(verdict, "status"));

		/* tds-verify has said why. */
		if (status > p->cli->status)
			p->cli->status = verdict ? (int)status : 7;
		json_decref(verdict);
		return;
	}
	if (known && known == active)
		what = "Would keep";
	else if (known)
		what = "Would activate";
	if (known && known == active)
		why = strdup("it is active");
	else if (asprintf(&why, "%s is active",
			  active ? json_string_value(json_object_get(active, "File")) : "nothing") <
		 0)
		why = NULL;
	if (p->cli->json)
		tds_cli_print_json(p->cli,
				   json_pack("{s:s, s:o?, s:o?, s:s, s:o?}", "Plan",
					     what + strlen("Would "), "Group",
					     tds_cli_json_text(group), "Path",
					     tds_cli_json_text(path), "SourceHash", md5, "Reason",
					     why ? tds_cli_json_text(why) : NULL));
	else
		(void)fprintf(p->cli->out, "%s \"%s\" %s: %s (%s)\n", what, group, path, md5,
			      why ? why : "");
	json_decref(verdict);
}

static void plan_group(struct planner *p, const struct tds_group *group)
{
	tds_autofree char *path = tds_dir_join(p->dir, group->files[0].name);

	if (path)
		plan_package(p, group->name, path);
}

static void plan_name(struct planner *p, const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;
	size_t n = strlen(base);
	tds_autofree char *stem =
		strndup(base, n > 4 && strcmp(base + n - 4, ".tli") == 0 ? n - 4 : n);
	const struct tds_group *group = stem ? tds_groups_find(&p->groups, stem) : NULL;
	struct tds_err err;

	if (group && group->n > 0) {
		plan_group(p, group);
		return;
	}
	const struct tds_group *owner = group ? NULL : tds_groups_owner(&p->groups, base);
	if (owner) {
		plan_package(p, owner->name, name);
		return;
	}
	tds_err_set(&err, TDS_E_MISSING, group ? "the group has no package" : "no such group");
	tds_cli_error(p->cli, name, &err);
}

static void read_sources(struct planner *p)
{
	tds_autofree char *rundir = NULL;
	tds_autofree char *path = NULL;

	if (tds_rundir_path(p->dir, &rundir, NULL) != 0 ||
	    asprintf(&path, "%s/" TDS_LOADED_NAME, rundir) < 0)
		return;
	json_t *doc = json_load_file(path, 0, NULL);
	p->sources = json_incref(json_object_get(doc, "Sources"));
	json_decref(doc);
}

void plan(struct tds_cli *cli, const struct tds_dir *dir, const struct tds_names *names, bool all)
{
	struct planner p = { .cli = cli, .dir = dir };
	struct tds_err err;

	if (tds_groups_scan(dir, &p.groups, &err) != 0) {
		tds_cli_error(cli, dir->path, &err);
		return;
	}
	read_sources(&p);
	for (size_t i = 0; all && i < p.groups.n; i++)
		if (p.groups.v[i].n > 0)
			plan_group(&p, &p.groups.v[i]);
	for (size_t i = 0; i < names->n; i++)
		plan_name(&p, names->v[i]);
	json_decref(p.sources);
	tds_groups_fini(&p.groups);
}
