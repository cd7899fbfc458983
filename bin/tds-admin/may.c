/* SPDX-License-Identifier: MIT */
/* tds-admin may: who may ask for what; the table, and what it comes to for a user. Of groups: maygroup.c. */
#include "may.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/user.h"
#include "director/asking.h"
#include "director/config.h"
#include "director/strictmodes.h"
#include "director/unknown.h"
#include "judge.h"
#include "tool/document.h"

const char admin_may_help[] =
	"usage: tds-admin [options] may [GROUP|USER]\n"
	"Print who may ask the admin process for what: without an operand the table of all that "
	"can "
	"be asked;\n"
	"of a group what its newest package and the active one may, and what narrows it; of a user "
	"what that\n"
	"user may.\n";

/* --- the table --- */

static const char *const keys[TDS_ASKERS] = {
	[TDS_ASKER_OWN] = "OwnUser",
	[TDS_ASKER_USER] = "AdminUsers",
	[TDS_ASKER_PROGRAM] = "OwnPrograms",
	[TDS_ASKER_FOREIGN] = "OtherPrograms",
	[TDS_ASKER_ACTOR] = "ActorsOfPackages",
};

/* "yes", or "load:GROUP" where that is what is wanted. */
static const char *cell_text(const struct tds_asked_row *row, enum tds_asker asker,
			     char text[TDS_RIGHT_TEXT_MAX])
{
	const struct tds_right_word *word = tds_right_word(row->right);

	if (row->may[asker] != TDS_MAY_BY_RIGHT)
		return tds_may_words(row->may[asker]);
	(void)snprintf(text, TDS_RIGHT_TEXT_MAX, "%s%s", word->word,
		       word->of_groups ? ":GROUP" : "");
	return text;
}

static json_t *row_json(const struct tds_asked_row *row)
{
	json_t *doc = json_pack("{s:s, s:b}", "Name", row->name, "Request", row->request);
	char text[TDS_RIGHT_TEXT_MAX];

	for (enum tds_asker a = 0; doc && a < TDS_ASKERS; a++)
		(void)json_object_set_new(doc, keys[a], json_string(cell_text(row, a, text)));
	return doc;
}

static void print_row(FILE *out, const struct tds_asked_row *row)
{
	char text[TDS_RIGHT_TEXT_MAX];

	(void)fprintf(out, "%-36s", row->name);
	for (enum tds_asker a = 0; a < TDS_ASKERS; a++)
		(void)fprintf(out, a + 1 < TDS_ASKERS ? " %-15s" : " %s\n",
			      cell_text(row, a, text));
}

static void print_table(struct admin *admin)
{
	json_t *rows = admin->cli.json ? json_array() : NULL;

	if (!rows) {
		(void)fprintf(admin->cli.out, "%-36s", "");
		for (enum tds_asker a = 0; a < TDS_ASKERS; a++)
			(void)fprintf(admin->cli.out, a + 1 < TDS_ASKERS ? " %-15s" : " %s\n",
				      tds_asker_words(a));
	}
	for (enum tds_asked what = 0; what < TDS_ASKED; what++)
		if (rows)
			(void)json_array_append_new(rows, row_json(tds_asked_row(what)));
		else
			print_row(admin->cli.out, tds_asked_row(what));
	if (rows)
		tds_cli_print_document(&admin->cli, json_pack("{s:o}", "Table", rows));
}

/* --- a user --- */

/* Is it the user of the admin process, as far as the directory tells? */
static bool is_own(const struct tds_dir *dir, uid_t uid)
{
	struct tds_strict strict;

	tds_strictmodes_read_lax(dir, &strict);
	return strict.admin == uid;
}

static bool names(const char *text, uid_t uid)
{
	tds_auto(user) struct tds_user user = { 0 };

	return tds_user_find(text, &user, NULL) == 0 && user.uid == uid;
}

/* The rights and the line of a user of adminusers.cfg. Errors: those of reading it, but that it is not there. */
static int find_line(const struct tds_dir *dir, uid_t uid, json_t **rights, unsigned *line,
		     struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	tds_auto(grants) struct tds_grants grants = { 0 };
	int rc = tds_config_read(dir, "adminusers.cfg", &config, err);

	if (rc == 0)
		rc = tds_grants_of_value(config.value, TDS_HELD_BY_USERS, &grants, err);
	for (size_t i = 0; i < grants.n && *line == 0; i++)
		if (names(grants.v[i].name, uid)) {
			*line = grants.v[i].line;
			*rights = tds_rights_json(grants.v[i].rights);
		}
	return rc == TDS_E_MISSING ? 0 : rc;
}

/* May the user's programs join? */
static bool joins(const struct tds_dir *dir, uid_t uid, bool own)
{
	tds_auto(config) struct tds_config config = { 0 };

	if (tds_config_read(dir, "guests.cfg", &config, NULL) != 0)
		return own;
	for (size_t i = 0; i < config.value->n; i++)
		if (names(config.value->items[i]->text, uid))
			return true;
	return false;
}

static void print_user(struct admin *admin, const char *name, const json_t *doc, unsigned line)
{
	FILE *out = admin->cli.out;

	tds_text_print(out, name);
	if (json_is_true(json_object_get(doc, "Own")))
		(void)fputs(", root or the admin process's own user: ", out);
	else if (line > 0)
		(void)fprintf(out, " (adminusers.cfg, line %u): ", line);
	else
		(void)fputs(", whom adminusers.cfg does not name: ", out);
	may_list_print(out, json_object_get(doc, "Rights"));
	(void)fprintf(out, "programs: %s\n",
		      json_is_true(json_object_get(doc, "Joins"))
			      ? "they may join"
			      : "they may not join (guests.cfg)");
}

static int show_user(struct admin *admin, const struct tds_dir *dir, const char *name,
		     const struct tds_user *user, struct tds_err *err)
{
	bool own = user->uid == 0 || is_own(dir, user->uid);
	json_t *rights = own ? tds_rights_json(tds_rights_all()) : NULL;
	unsigned line = 0;
	int rc = own ? 0 : find_line(dir, user->uid, &rights, &line, err);

	if (rc != 0)
		return tds_err_name(err, "adminusers.cfg");
	json_t *doc =
		json_pack("{s:o, s:I, s:b, s:o, s:b}", "User", tds_document_text(name), "Uid",
			  (json_int_t)user->uid, "Own", own, "Rights",
			  rights ? rights : json_array(), "Joins", joins(dir, user->uid, own));
	if (line > 0)
		(void)json_object_set_new(doc, "Line", json_integer(line));
	if (admin->cli.json) {
		tds_cli_print_document(&admin->cli, doc);
		return 0;
	}
	print_user(admin, name, doc, line);
	json_decref(doc);
	return 0;
}

/* --- the command --- */

/* A group where there is one of that name, else a user. */
static int show(struct admin *admin, const char *operand, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(groups) struct tds_groups groups = { 0 };
	tds_auto(user) struct tds_user user = { 0 };
	int rc = admin_open_dir(admin, &dir, err);

	if (rc == 0)
		rc = tds_groups_scan(&dir, &groups, err);
	if (rc != 0)
		return rc;
	const struct tds_group *group = tds_groups_find(&groups, operand);
	if (group)
		return may_show_group(admin, &dir, group, err);
	if (tds_user_find(operand, &user, NULL) == 0)
		return show_user(admin, &dir, operand, &user, err);
	(void)!tds_unknown_group(&dir, &groups, operand, err);
	return tds_err_prefix(err, "neither a group nor a user");
}

void admin_may(struct admin *admin, int argc, char **argv)
{
	struct tds_err err = { 0 };

	if (argc > 1)
		tds_cli_usage(&admin->cli, "may takes one group or user");
	if (argc == 0)
		print_table(admin);
	if (argc != 1)
		return;
	judge_modes(admin);
	if (show(admin, argv[0], &err) != 0)
		tds_cli_error(&admin->cli, argv[0], &err);
}
