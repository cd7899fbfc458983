/* SPDX-License-Identifier: MIT */
/* tds-admin sandbox: what a group's package would be granted, and why. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/actoruser.h"
#include "director/config.h"
#include "director/groups.h"
#include "director/sandboxfile.h"
#include "director/unknown.h"
#include "sandboxtext.h"
#include "signed.h"
#include "tool/document.h"
#include "tool/verdict.h"

const char admin_sandbox_help[] =
	"usage: tds-admin [options] sandbox GROUP|PACKAGE\n"
	"Explain what the actors of a package would be let do: what it asks for in its signed "
	"declaration, what\n"
	"sandbox.cfg allows, what this kernel can hold them to, and what comes of it. GROUP: its "
	"newest package.\n"
	"1: it would be refused.\n";

static void tds_explained_cleanup(struct explained *x)
{
	tds_sandbox_decision_fini(&x->decision);
	tds_sandbox_policy_fini(&x->policy);
	tds_tli_fini(&x->declared);
	tds_tli_fini(&x->defined);
	free(x->group);
	free(x->file);
	free(x->data);
}

/* --- what is meant --- */

static int take(char **to, const char *text, struct tds_err *err)
{
	*to = strdup(text);
	return *to ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* A package of the directory, or one from elsewhere whose name belongs to a declared group. */
static int find_package(const struct tds_dir *dir, const struct tds_groups *groups,
			const char *name, struct explained *x, struct tds_err *err)
{
	const struct tds_group *owner = tds_groups_owner(groups, tds_text_base(name));
	bool is_here = strchr(name, '/') != NULL;
	tds_autofd int fd = -1;

	if (!owner)
		return tds_unknown_group(dir, groups, name, err);
	int rc = tds_io_open(is_here ? AT_FDCWD : dir->fd, name, false, &fd, NULL, err);
	if (rc == TDS_E_MISSING)
		tds_unknown_package(groups, name, err);
	if (rc == 0)
		rc = take(&x->group, owner->name, err);
	if (rc == 0 && is_here)
		return take(&x->file, name, err);
	if (rc == 0 && !(x->file = tds_dir_join(dir, name)))
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return rc;
}

static int find(const struct tds_dir *dir, const char *name, struct explained *x,
		struct tds_err *err)
{
	tds_auto(groups) struct tds_groups groups = { 0 };
	int rc = tds_groups_scan(dir, &groups, err);

	if (rc != 0)
		return rc;
	const struct tds_group *group = tds_groups_find(&groups, name);
	if (!group && tds_text_has_suffix(name, TDS_TLS_SUFFIX))
		return find_package(dir, &groups, name, x, err);
	if (!group)
		return tds_unknown_group(dir, &groups, name, err);
	return group->n > 0 ? find_package(dir, &groups, group->files[0].name, x, err)
			    : take(&x->group, name, err);
}

/* --- what it asks for, and what there is --- */

/* As actoruser.cfg says; one that cannot be read starts no admin process either. */
static bool have_uids(const struct tds_dir *dir)
{
	tds_auto(config) struct tds_config user = { 0 };

	return tds_config_read(dir, TDS_ACTORUSER_CFG, &user, NULL) == 0 &&
	       strcmp(user.text, TDS_ACTORUSER_DYNAMIC) == 0;
}

static int find_data(const struct tds_dir *dir, struct explained *x, struct tds_err *err)
{
	tds_auto(config) struct tds_config place = { 0 };
	tds_autofree char *rundir = NULL;
	int rc = tds_rundir_path(dir, &rundir, err);
	bool configured = rc == 0 && tds_config_read(dir, "datadir.cfg", &place, NULL) == 0;

	if (rc == 0 &&
	    (configured ? asprintf(&x->data, "%s/%s", place.text, x->group)
			: asprintf(&x->data, "%s/" TDS_DATA_NAME "/%s", rundir, x->group)) < 0) {
		x->data = NULL;
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	return rc;
}

/* --- the whole --- */

static int explain(const struct tds_dir *dir, const char *name, struct explained *x,
		   struct tds_err *err)
{
	int rc = find(dir, name, x, err);

	if (rc == 0)
		rc = tds_sandbox_policy_of_dir(dir, &x->policy, err);
	if (rc == 0)
		rc = find_data(dir, x, err);
	if (rc == 0 && x->file)
		rc = signed_read(dir, x->file, &x->declared, err);
	if (rc == 0 && !tds_verdict_defines(dir))
		rc = declared_read(dir, x->group, &x->defined, err);
	if (rc != 0)
		return rc;
	x->kernel = tds_sandbox_kernel();
	x->own_uid = have_uids(dir);
	return tds_sandbox_decide(&x->policy, x->group, tds_tli_said(&x->declared, "Sandbox"),
				  tds_tli_said(&x->defined, "Sandbox"), &x->kernel, &x->decision,
				  err);
}

void admin_sandbox(struct admin *admin, int argc, char **argv)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(explained) struct explained x = { 0 };
	struct tds_err err = { 0 };

	if (argc != 1) {
		tds_cli_usage(&admin->cli, "sandbox: wrong number of operands");
		return;
	}
	int rc = admin_open_dir(admin, &dir, &err);
	if (rc == 0)
		rc = explain(&dir, argv[0], &x, &err);
	if (rc != 0)
		tds_cli_error(&admin->cli, argv[0], &err);
	if (admin->cli.json)
		tds_cli_print_document(&admin->cli, explained_json(&x));
	else if (x.decision.rule)
		explained_print(admin->cli.out, &x);
}
