/* SPDX-License-Identifier: MIT */
/* What actors of a group may: the lists that each right has to stand in, of the newest package and of the active one. */
#include <stdio.h>
#include <stdlib.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/config.h"
#include "may.h"
#include "overview.h"
#include "signed.h"
#include "tool/client.h"
#include "tool/document.h"
#include "tool/verdict.h"

/* --- the newest package --- */

/* The declaration that is signed with a package of the directory; none: without a value. */
static int read_signed(const struct tds_dir *dir, const char *file, struct tds_tli *tli,
		       struct tds_err *err)
{
	tds_autofree char *path = tds_dir_join(dir, file);

	if (!path)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return signed_read(dir, path, tli, err) == 0 ? 0 : tds_err_prefix(err, "%s", file);
}

/* What 'May' of a declaration has. */
static int list_may(const struct tds_tli *tli, json_t **list, struct tds_err *err)
{
	tds_auto(rights) struct tds_rights *rights = NULL;
	const struct tds_value *may = tli->value ? tds_value_get(tli->value, "May") : NULL;
	int rc = tds_rights_of_value(may, &rights, err);

	*list = rc == 0 ? tds_rights_json(rights) : NULL;
	return rc;
}

/* *list is null where no declaration is signed with it. */
static int list_signed(const struct tds_dir *dir, const struct tds_group *group, json_t **list,
		       struct tds_err *err)
{
	tds_auto(tli) struct tds_tli tli = { 0 };
	int rc = read_signed(dir, group->files[0].name, &tli, err);

	if (rc != 0 || tli.value)
		return rc == 0 ? list_may(&tli, list, err) : rc;
	*list = json_null();
	return 0;
}

static int list_declared(const struct tds_dir *dir, const struct tds_group *group, json_t **list,
			 struct tds_err *err)
{
	tds_auto(tli) struct tds_tli tli = { 0 };
	int rc = declared_read(dir, group->name, &tli, err);

	return rc == 0 ? list_may(&tli, list, err) : rc;
}

/* What may.cfg leaves. *list NULL: there is no such file; *line 0: no line fits. */
static int list_machine(const struct tds_dir *dir, const char *group, json_t **list, unsigned *line,
			struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	tds_auto(grants) struct tds_grants grants = { 0 };
	int rc = tds_config_read(dir, "may.cfg", &config, err);

	if (rc == TDS_E_MISSING)
		return 0;
	if (rc == 0)
		rc = tds_grants_of_value(config.value, TDS_HELD_BY_ACTORS, &grants, err);
	if (rc != 0)
		return tds_err_name(err, "may.cfg");
	*list = tds_rights_json(tds_grants_for_group(&grants, group, line));
	return 0;
}

/* What is not known is nothing. is_signed null: no declaration is. */
static json_t *package_json(const char *file, json_t *is_signed, json_t *declared)
{
	bool is_unsigned = json_is_null(is_signed);
	json_t *package =
		json_pack("{s:o, s:o, s:o}", "File", tds_document_text(file), "Signed",
			  is_signed && !is_unsigned ? is_signed : json_array(), "Declared",
			  declared && !json_is_null(declared) ? declared : json_array());

	if (is_unsigned)
		(void)json_object_set_new(package, "Unsigned", json_true());
	return package;
}

static int newest_json(const struct tds_dir *dir, const struct tds_group *group, json_t **package,
		       struct tds_err *err)
{
	json_t *is_signed = NULL;
	json_t *declared = NULL;
	int rc = list_signed(dir, group, &is_signed, err);

	if (rc == 0 && tds_verdict_defines(dir))
		declared = json_incref(is_signed);
	else if (rc == 0)
		rc = list_declared(dir, group, &declared, err);
	if (rc == 0)
		*package = package_json(group->files[0].name, is_signed, declared);
	else
		json_decref(is_signed);
	return rc;
}

/* --- the active one --- */

/* NULL: no admin process that this user may ask runs, or nothing is active. */
static json_t *active_json(const struct tds_dir *dir, const char *group)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	struct tds_err err;
	json_t *answer = NULL;
	json_t *package = NULL;

	if (tds_client_open(dir, &client, &err) == 0 &&
	    tds_client_ask(&client,
			   json_pack("{s:s, s:s}", "DirectorOp", "RetrieveAll", "Group", group),
			   &answer, &err) == 0) {
		const json_t *found = json_object_get(json_object_get(answer, "Groups"), group);
		const json_t *source = overview_active(found);
		const json_t *may = json_object_get(source, "May");

		if (source)
			package = package_json(tds_json_string(source, "File"),
					       json_copy(json_object_get(may, "Signed")),
					       json_copy(json_object_get(may, "Declared")));
	}
	json_decref(answer);
	return package;
}

/* --- both --- */

static void print_list(FILE *out, const char *where, const json_t *list)
{
	(void)fprintf(out, "  %-24s ", where);
	may_list_print(out, list);
}

static void print_signed(FILE *out, const json_t *package, bool alone)
{
	static const char where[] = "its own declaration";

	if (!json_is_true(json_object_get(package, "Unsigned")))
		print_list(out, where, json_object_get(package, "Signed"));
	else
		(void)fprintf(out, "  %-24s nothing: %s\n", where,
			      alone ? TDS_TLI_UNSIGNED : "no declaration is signed with it");
}

/* GROUP.tli counts where the signed one does not decide alone, or did not when the package was loaded. */
static void print_package(FILE *out, const char *group, const char *which, const json_t *package,
			  bool alone)
{
	const json_t *declared = json_object_get(package, "Declared");
	tds_autofree char *tli = NULL;

	if (!package)
		return;
	tds_text_print(out, tds_json_string(package, "File"));
	(void)fprintf(out, ", %s:\n", which);
	print_signed(out, package, alone);
	if (alone && json_equal(declared, json_object_get(package, "Signed")))
		return;
	if (asprintf(&tli, "%s" TDS_TLI_SUFFIX, group) < 0)
		tli = NULL;
	else
		print_list(out, tli, declared);
}

static void print_machine(FILE *out, const json_t *machine, unsigned line)
{
	char where[40];

	(void)snprintf(where, sizeof(where), line > 0 ? "may.cfg, line %u" : "may.cfg", line);
	if (!machine)
		(void)fprintf(out, "%s narrows nothing: there is no such file\n", where);
	else if (line == 0)
		(void)fprintf(out, "%s leaves nothing: no line fits the group\n", where);
	else {
		(void)fprintf(out, "%s leaves ", where);
		may_list_print(out, machine);
	}
}

static void print_group(FILE *out, const json_t *doc, unsigned line)
{
	const char *group = tds_json_string(doc, "Group");
	bool alone = json_is_true(json_object_get(doc, "SignedAlone"));

	print_package(out, group, "newest", json_object_get(doc, "Newest"), alone);
	print_package(out, group, "active", json_object_get(doc, "Active"), alone);
	print_machine(out, json_object_get(doc, "Machine"), line);
	if (alone)
		(void)fprintf(out,
			      "%s" TDS_TLI_SUFFIX
			      " decides nothing: what is signed does (" TDS_TLI_SIGNED_CFG ").\n",
			      group);
	(void)fputs("A right counts that each of them has.\n", out);
}

int may_show_group(struct admin *admin, const struct tds_dir *dir, const struct tds_group *group,
		   struct tds_err *err)
{
	json_t *newest = NULL;
	json_t *machine = NULL;
	unsigned line = 0;
	int rc = list_machine(dir, group->name, &machine, &line, err);

	if (rc == 0 && group->n > 0)
		rc = newest_json(dir, group, &newest, err);
	if (rc != 0) {
		json_decref(machine);
		return rc;
	}
	json_t *doc =
		json_pack("{s:o, s:o*, s:o*, s:o*, s:b}", "Group", tds_document_text(group->name),
			  "Newest", newest, "Active", active_json(dir, group->name), "Machine",
			  machine, "SignedAlone", tds_verdict_defines(dir));
	if (line > 0)
		(void)json_object_set_new(doc, "Line", json_integer(line));
	if (admin->cli.json) {
		tds_cli_print_document(&admin->cli, doc);
		return 0;
	}
	print_group(admin->cli.out, doc, line);
	json_decref(doc);
	return 0;
}
