/* SPDX-License-Identifier: MIT */
/* The dry run. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "director/desired.h"
#include "director/floor.h"
#include "director/groups.h"
#include "director/prune.h"
#include "director/rundir.h"
#include "director/strictmodes.h"
#include "director/tli.h"
#include "director/unknown.h"
#include "sandbox.h"
#include "taken.h"
#include "tool/client.h"
#include "tool/verdict.h"

struct planner {
	struct tds_cli *cli;
	const struct tds_dir *dir;
	struct tds_groups groups;
	struct tds_loaded loaded;
	json_t *sources; /* of loaded.json, borrowed; NULL: nothing is loaded */
	json_t *answer;  /* of the admin, to RetrieveAll; NULL: it does not run, or does not tell */
	json_t *taken;   /* roles and global names, and by which group */
	bool signed_alone; /* signedtli.cfg: what is signed with a package defines it */
	json_t *floors;    /* floor.json; NULL: there is none */
	const struct plan_request *request;
	struct tds_tli tli; /* the declaration at hand */
	int64_t keep_limit; /* of it; 0: none */
	int keeps;          /* its AutoUnload, as tds_tli_keeps has it */
};

void complain(struct tds_cli *cli, const char *name, const char *path, struct tds_err *err)
{
	if (path && strcmp(tds_text_base(path), tds_text_base(name)) != 0)
		tds_err_prefix(err, "%s", tds_text_base(path));
	tds_cli_error(cli, name, err);
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

static void take_declaration(struct planner *p)
{
	p->keep_limit = p->tli.keep_limit;
	p->keeps = tds_tli_keeps(&p->tli);
}

/* As the load reads it: a declaration that is not allowed is refused before the package is looked at. */
static bool is_declared(struct planner *p, const char *name, const char *group)
{
	tds_autofree char *file = NULL;
	tds_autofree char *subject = NULL;
	struct tds_err err = { 0 };

	tds_tli_fini(&p->tli);
	if (asprintf(&file, "%s.tli", group) < 0 || asprintf(&subject, "%s: %s", name, file) < 0) {
		file = subject = NULL;
		tds_err_set(&err, TDS_E_NOMEM, "out of memory");
	} else if (tds_strictmodes_judge_declaration(p->dir, file, &err) == 0 &&
		   tds_tli_read(p->dir->fd, file, (struct tds_tli_watcher){ 0 }, &p->tli, &err) ==
			   0) {
		take_declaration(p);
	}
	/* What is signed takes its place: the group must only be declared. */
	if (err.code == TDS_OK || (err.code == TDS_E_SYNTAX && p->signed_alone))
		return true;
	tds_cli_error(p->cli, subject, &err);
	return false;
}

/* What is signed with the package defines it, where signedtli.cfg says so. */
static int take_signed(struct planner *p, const json_t *verdict, struct tds_err *err)
{
	if (!p->signed_alone || !json_object_get(verdict, "SHA256"))
		return 0;
	tds_tli_fini(&p->tli);
	int rc = tds_verdict_declaration(verdict, &p->tli, err);
	if (rc == 0 && !p->tli.value)
		rc = tds_err_set(err, TDS_E_REFUSED, TDS_TLI_UNSIGNED);
	if (rc == 0)
		take_declaration(p);
	return rc;
}

/* A refresh leaves alone what was undone; only the admin knows. */
static bool is_undone(const struct planner *p, const char *group, const char *sha256)
{
	const json_t *groups = json_object_get(p->answer, "Groups");
	const char *undone =
		json_string_value(json_object_get(json_object_get(groups, group), "Undone"));

	return !p->request->retry && undone && strcmp(undone, sha256) == 0;
}

static void refuse_verdict(struct planner *p, const char *name, const char *path,
			   const json_t *verdict)
{
	struct tds_err err = { 0 };

	if (tds_verdict_refusal(verdict, &err) == 0)
		(void)tds_err_set(&err, TDS_E_NO_ADMIN, "tds-verify gives no verdict");
	complain(p->cli, name, path, &err);
}

/* Is the group held at another package? Then err says so. */
static bool is_held_elsewhere(const struct planner *p, const char *group, const char *sha256,
			      struct tds_err *err)
{
	const json_t *held = tds_desired_held(p->loaded.desired, group);

	if (!held || strcmp(json_string_value(json_object_get(held, "SHA256")), sha256) == 0)
		return false;
	(void)tds_desired_refuse(held, group, err);
	return true;
}

/* May a package of this file be chosen for the user, who has only named the group? */
static int check_floor(const struct planner *p, const char *group, const char *file,
		       struct tds_err *err)
{
	const json_t *wanted = json_object_get(json_object_get(p->loaded.desired, "Groups"), group);
	const json_t *was_active = json_object_get(wanted, "WasActive");
	const json_t *floor = tds_floor_of(p->floors, group);

	if (!tds_desired_keeps_floors(p->loaded.desired))
		floor = tds_floor_or_last(floor, was_active, group);
	return p->request->allow_downgrade ? 0
					   : tds_floor_check(floor, was_active, group, file, err);
}

/* What would become of a package that is not refused. */
struct fate {
	const char *word; /* load, activate, keep */
	char *why;        /* NULL: out of memory */
};

static struct fate fate_of(const struct planner *p, const char *group, const json_t *known)
{
	const json_t *active = find_source(p, "", NULL, group, true);
	const char *file = json_string_value(json_object_get(active, "File"));
	struct fate fate = { .word = known ? "activate" : "load" };

	if (known && known == active)
		return (struct fate){ .word = "keep", .why = strdup("it is active") };
	if (asprintf(&fate.why, "%s is active", file ? file : "nothing") < 0)
		fate.why = NULL;
	return fate;
}

/* Would AutoUnload unload the package then, which is loaded and not held? The newest loads of the group stand last. */
static bool is_freed(const struct planner *p, const char *group, const char *file)
{
	const json_t *held = tds_desired_held(p->loaded.desired, group);
	const char *at = json_string_value(json_object_get(held, "File"));
	const json_t *known = find_source(p, "File", file, group, false);
	int newer = 0;

	if (!known || p->keeps < 0 || (at && strcmp(at, file) == 0))
		return false;
	for (size_t i = json_array_size(p->sources); i-- > 0;) {
		const json_t *source = json_array_get(p->sources, i);
		const char *in = json_string_value(json_object_get(source, "Group"));

		if (source == known)
			break;
		newer += in && strcmp(in, group) == 0;
	}
	return newer >= p->keeps;
}

/* The packages that would be deleted then: an array, a new reference. */
static json_t *superfluous(const struct planner *p, const char *name, const char *path)
{
	const struct tds_group *group = tds_groups_find(&p->groups, name);
	json_t *files = json_array();

	for (size_t i = 0; group && i < group->n; i++) {
		tds_autofree char *file = tds_dir_join(p->dir, group->files[i].name);

		const struct tds_loaded nothing = { 0 };
		bool freed = is_freed(p, name, group->files[i].name);

		if (file && strcmp(file, path) != 0 &&
		    tds_prune_excess(group, i, p->keep_limit, freed ? &nothing : &p->loaded))
			(void)json_array_append_new(files, tds_cli_json_text(file));
	}
	return files;
}

static void print_fate(struct planner *p, const char *group, const char *path, const char *md5,
		       const struct fate *fate)
{
	bool keeps = strcmp(fate->word, "keep") == 0;
	json_t *files = keeps ? json_array() : superfluous(p, group, path);
	const json_t *file;
	size_t i;

	if (p->cli->json)
		tds_cli_print_document(
			p->cli, json_pack("{s:s, s:o?, s:o?, s:s, s:o?, s:O}", "Plan", fate->word,
					  "Group", tds_cli_json_text(group), "Path",
					  tds_cli_json_text(path), "SourceHash", md5, "Reason",
					  fate->why ? tds_cli_json_text(fate->why) : NULL, "Delete",
					  files));
	else if (!p->cli->quiet || !keeps)
		(void)fprintf(p->cli->out, "Would %s \"%s\" %s: %s (%s)\n", fate->word, group, path,
			      md5, fate->why ? fate->why : "");
	json_array_foreach(files, i, file)
	{
		if (!p->cli->json && !p->cli->quiet)
			(void)fprintf(p->cli->out, "Would delete %s (TLS_Keep_Limit)\n",
				      json_string_value(file));
	}
	json_decref(files);
}

/* Say what would be done with the package, which verdict is about. Returns false where it would be refused, as is said. */
static bool foretell(struct planner *p, const char *name, const char *group, const char *path,
		     bool is_chosen, const json_t *verdict)
{
	const char *sha256 = json_string_value(json_object_get(verdict, "SHA256"));
	const char *md5 = json_string_value(json_object_get(verdict, "MD5"));
	const json_t *known = sha256 ? find_source(p, "SHA256", sha256, group, false) : NULL;
	struct tds_err err = { 0 };

	if (!sha256 || !md5) {
		refuse_verdict(p, name, path, verdict);
		return false;
	}
	if (!known && is_undone(p, group, sha256))
		tds_err_set(&err, TDS_E_REFUSED, TDS_UNDONE);
	bool is_active = known && known == find_source(p, "", NULL, group, true);
	if (is_held_elsewhere(p, group, sha256, &err) || err.code ||
	    (is_chosen && !is_active && check_floor(p, group, tds_text_base(path), &err) != 0) ||
	    (!known && (take(p->taken, group, &p->tli, &err) != 0 ||
			sandbox_foresee(p->dir, group, verdict, &p->tli, &err) != 0))) {
		complain(p->cli, name, path, &err);
		return false;
	}
	struct fate fate = fate_of(p, group, known);
	print_fate(p, group, path, md5, &fate);
	free(fate.why);
	return true;
}

/* name: what the user named, or the group of a refresh; is_chosen: it names the group alone. */
static void plan_package(struct planner *p, const char *name, const char *group, const char *path,
			 bool is_chosen)
{
	json_t *verdict = NULL;
	struct tds_err err = { 0 };
	bool good = is_declared(p, name, group);

	if (good) {
		verdict = tds_verdict_of(p->dir, path);
		good = take_signed(p, verdict, &err) == 0 &&
		       foretell(p, name, group, path, is_chosen, verdict);
		if (err.code)
			complain(p->cli, name, path, &err);
		json_decref(verdict);
	}
	if (!good && p->cli->json)
		tds_cli_print_document(p->cli,
				       json_pack("{s:o?, s:o?}", "Group", tds_cli_json_text(group),
						 "Path", tds_cli_json_text(path)));
}

/* Its package is in the store, which the admin alone can read. */
static void plan_held(struct planner *p, const char *group, const json_t *held)
{
	const char *sha256 = json_string_value(json_object_get(held, "SHA256"));

	const json_t *known = find_source(p, "SHA256", sha256, group, false);
	struct fate fate = fate_of(p, group, known);

	free(fate.why);
	fate.why = strdup("it is held");
	p->keep_limit = 0; /* its definition is in the store, too */
	print_fate(p, group, json_string_value(json_object_get(held, "Path")),
		   json_string_value(json_object_get(held, "MD5")), &fate);
	free(fate.why);
}

/* all: of a refresh. Where nothing is active, the name of a group that is held means what it is held at. */
static void plan_group(struct planner *p, const char *name, const struct tds_group *group, bool all)
{
	const json_t *held = tds_desired_held(p->loaded.desired, group->name);

	if (held && (all || group->n == 0 || !find_source(p, "", NULL, group->name, true))) {
		plan_held(p, group->name, held);
		return;
	}
	if (group->n == 0)
		return;
	tds_autofree char *path = tds_dir_join(p->dir, group->files[0].name);

	if (path)
		plan_package(p, name, group->name, path, true);
}

static void plan_name(struct planner *p, const char *name)
{
	const char *base = tds_text_base(name);
	size_t n = strlen(base);
	tds_autofree char *stem =
		strndup(base, n > 4 && strcmp(base + n - 4, ".tli") == 0 ? n - 4 : n);
	const struct tds_group *group = stem ? tds_groups_find(&p->groups, stem) : NULL;
	struct tds_err err;

	if (group && (group->n > 0 || tds_desired_held(p->loaded.desired, group->name))) {
		plan_group(p, name, group, false);
		return;
	}
	const struct tds_group *owner = group ? NULL : tds_groups_owner(&p->groups, base);
	if (owner) {
		plan_package(p, name, owner->name, name, false);
		return;
	}
	if (group && !is_declared(p, name, group->name)) {
		if (p->cli->json)
			tds_cli_print_document(p->cli, json_object());
		return;
	}
	if (group)
		tds_err_set(&err, TDS_E_MISSING, "the group has no package");
	else
		(void)tds_unknown_group(p->dir, &p->groups, stem ? stem : base, &err);
	tds_cli_error(p->cli, name, &err);
	if (p->cli->json)
		tds_cli_print_document(p->cli, json_object());
}

/* What is loaded, and wanted. Where that is not known nothing would be loaded. */
static int read_state(struct planner *p, struct tds_err *err)
{
	int rc = tds_loaded_read(p->dir, &p->loaded, err);

	if (rc == 0 && p->loaded.desired && !tds_desired_fits(p->loaded.desired))
		rc = tds_err_set(err, TDS_E_UNUSABLE,
				 TDS_DESIRED_NAME ": is not what tds-admin writes");
	if (rc == 0)
		rc = tds_rundir_json(p->dir, TDS_FLOOR_NAME, &p->floors, err);
	if (rc == 0 && p->floors && !tds_floor_fits(p->floors))
		rc = tds_err_set(err, TDS_E_UNUSABLE,
				 TDS_FLOOR_NAME ": is not what tds-admin writes");
	p->sources = json_object_get(p->loaded.document, "Sources");
	return rc;
}

/* Where no admin runs, or it does not serve this user, what was undone is not known. */
static json_t *ask_admin(const struct tds_dir *dir)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	json_t *answer = NULL;

	if (tds_client_open(dir, &client, NULL) == 0)
		(void)!tds_client_ask(&client, json_pack("{s:s}", "DirectorOp", "RetrieveAll"),
				      &answer, NULL);
	return answer;
}

void plan(struct tds_cli *cli, const struct tds_dir *dir, const struct tds_names *names,
	  const struct plan_request *request)
{
	struct planner p = { .cli = cli, .dir = dir, .request = request };
	const struct tds_names none = { 0 };
	bool all = request->all;
	struct tds_err err;

	if (tds_groups_scan(dir, &p.groups, &err) != 0) {
		tds_cli_error(cli, dir->path, &err);
		return;
	}
	if (read_state(&p, &err) != 0) {
		tds_cli_error(cli, NULL, &err);
		all = false;
		names = &none;
	}
	p.signed_alone = tds_verdict_defines(dir);
	p.answer = ask_admin(dir);
	p.taken = taken_by(p.answer);
	for (size_t i = 0; all && i < p.groups.n; i++)
		plan_group(&p, p.groups.v[i].name, &p.groups.v[i], true);
	for (size_t i = 0; i < names->n; i++)
		plan_name(&p, names->v[i]);
	tds_tli_fini(&p.tli);
	tds_loaded_fini(&p.loaded);
	json_decref(p.floors);
	json_decref(p.taken);
	json_decref(p.answer);
	tds_groups_fini(&p.groups);
}
