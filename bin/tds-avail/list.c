/* SPDX-License-Identifier: MIT */
/* Listing: paths alone, the Director's text, JSON. */
#include "avail.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "director/groups.h"
#include "tool/client.h"
#include "tool/document.h"

/* Nearly all names are plain, and there may be very many. */
static void print_escaped(const struct avail *avail, const char *text)
{
	const char *c = text;

	while (*c >= ' ' && *c <= '~' && *c != '\\')
		c++;
	if (*c == '\0')
		(void)fputs(text, avail->opts->cli.out);
	else
		tds_text_print(avail->opts->cli.out, text);
}

void list_paths(const struct avail *avail)
{
	for (size_t g = 0; g < avail->nchosen; g++)
		for (size_t i = 0; i < wanted(avail, avail->chosen[g]); i++)
			print_path(avail, avail->chosen[g]->files[i].name);
}

/* What tds-verify refuses it has told itself, in its line. */
static void keep_refusal(const struct avail *avail, const struct item *item)
{
	tds_autofree char *path = tds_dir_join(&avail->dir, item->name);
	const char *why = json_string_value(json_object_get(item->verdict, "Message"));
	struct tds_err err;

	tds_err_set(&err,
		    tds_status_code(json_integer_value(json_object_get(item->verdict, "Status"))),
		    "%s", why ? why : "");
	tds_cli_keep_failure(&avail->opts->cli, path, &err);
}

/* One line for a package that cannot be read, and the status for one that does not load. */
static void tell(const struct avail *avail, const struct item *item)
{
	const struct tds_err nomem = { .code = TDS_E_NOMEM };

	if (item->state == ITEM_FAULT)
		report(avail, item->name, "", item->why ? item->why : &nomem);
	if (json_is_false(json_object_get(item->verdict, "Success")))
		keep_refusal(avail, item);
}

/* How many characters text takes when it is printed, which is how far the lines below it are indented. */
static int width(const char *text)
{
	tds_autofree char *escaped = tds_text_escaped(text);
	int n = 0;

	for (const char *c = escaped ? escaped : text; *c; c++)
		n += ((unsigned char)*c & 0xc0) != 0x80;
	return n;
}

/* The sum of the bytes that were verified, where they were, and not of those that we read ourselves. */
static void sum_text(const struct item *item, char hex[TDS_DIGEST_HEX_MAX])
{
	const char *verified = json_string_value(json_object_get(item->verdict, "MD5"));

	if (verified)
		(void)snprintf(hex, TDS_DIGEST_HEX_MAX, "%s", verified);
	else
		tds_digest_hex(item->md5, TDS_MD5_LEN, hex);
}

/* "    active, held" */
static void print_standing(FILE *out, const struct standing *standing)
{
	const char *loaded = standing->active ? "active" : standing->loaded ? "loaded" : "";

	if (standing->loaded || standing->held)
		(void)fprintf(out, "    %s%s%s", loaded, *loaded && standing->held ? ", " : "",
			      standing->held ? "held" : "");
}

static void print_item(const struct avail *avail, const struct item *item,
		       const struct tds_loaded *loaded)
{
	struct standing standing = standing_of(loaded, item->group, item->name);
	FILE *out = avail->opts->cli.out;
	size_t len = strlen(avail->dir.path);
	char hex[TDS_DIGEST_HEX_MAX];

	/* The Director cuts its directory off each path, but only where a single slash follows it. */
	if (len > 0 && avail->dir.path[len - 1] == '/')
		print_escaped(avail, avail->dir.path);
	print_escaped(avail, item->name);
	sum_text(item, hex);
	(void)fputs("    ", out);
	(void)fputs(hex, out);
	print_standing(out, &standing);
	if (item->verdict) {
		const char *key = json_string_value(json_object_get(item->verdict, "Key"));
		const char *error = json_string_value(json_object_get(item->verdict, "Message"));

		(void)fputs(key ? "    loadable with key " : "    refused: ", out);
		print_escaped(avail, key ? key : error ? error : "");
	}
}

/* A group whose declaration is wrong has its packages all the same, but it would not load. */
static void warn_of_decl(const struct avail *avail, const struct tds_group *group,
			 const struct decl *decl)
{
	tds_autofree char *path = tds_dir_join(&avail->dir, group->name);
	tds_autofree char *subject = NULL;
	char place[32] = "";

	if (decl->why && decl->why->line)
		(void)snprintf(place, sizeof(place), ":%u:%u", decl->why->line, decl->why->column);
	if (!decl->why || !path || asprintf(&subject, "%s" TDS_TLI_SUFFIX "%s", path, place) < 0)
		report_nomem(avail);
	else
		tds_cli_warn(&avail->opts->cli, subject, "%s", decl->why->reason);
}

void list_text(const struct avail *avail, const struct items *items,
	       const struct tds_loaded *loaded)
{
	FILE *out = avail->opts->cli.out;
	const struct item *item = items->v;

	(void)fputs("THESPIAN_DIRECTOR_DIR=", out);
	print_escaped(avail, avail->dir.path);
	(void)fputc('\n', out);
	for (size_t g = 0; g < avail->nchosen; g++) {
		const struct tds_group *group = avail->chosen[g];
		int indent = width(group->name);
		size_t shown = 0;

		if (items->ndecl > 0 && items->decl[g].rc != 0)
			warn_of_decl(avail, group, &items->decl[g]);
		print_escaped(avail, group->name);
		(void)fputs(": ", out);
		for (; item < items->v + items->n && item->group == group; item++) {
			tell(avail, item);
			if (item->state == ITEM_GONE || item->state == ITEM_FAULT)
				continue;
			if (shown++ > 0)
				(void)fprintf(out, "\n%*s+ ", indent, "");
			print_item(avail, item, loaded);
		}
		(void)fputc('\n', out);
	}
}

static int add_standing(json_t *json, const struct standing *standing)
{
	const struct {
		const char *key;
		bool value;
	} facts[] = { { "Loaded", standing->loaded },
		      { "Active", standing->active },
		      { "Held", standing->held } };
	int rc = 0;

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		rc += json_object_set_new(json, facts[i].key,
					  standing->known ? json_boolean(facts[i].value)
							  : json_null());
	return rc;
}

static json_t *item_json(const struct avail *avail, const struct item *item,
			 const struct tds_loaded *loaded)
{
	json_t *json = package_json(avail, item->group, item->name);
	char hex[TDS_DIGEST_HEX_MAX];
	int rc;

	if (item->state == ITEM_FAULT) {
		rc = json_object_set_new(json, "Message",
					 tds_cli_json_text(item->why ? item->why->reason : ""));
	} else {
		sum_text(item, hex);
		rc = json_object_set_new(json, "MD5", json_string(hex)) +
		     json_object_set_new(json, "Size", json_integer(item->size)) +
		     json_object_set_new(json, "Modified", tds_document_time(item->mtime_wall_ms));
		if (item->verdict)
			rc += json_object_set(json, "Verify", item->verdict);
	}
	struct standing standing = standing_of(loaded, item->group, item->name);
	rc += add_standing(json, &standing);
	if (rc == 0)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *fault_json(const struct decl *decl)
{
	if (!decl->why)
		return NULL;
	return json_pack("{s:o*, s:o*, s:o}", "Line",
			 decl->why->line ? json_integer(decl->why->line) : NULL, "Column",
			 decl->why->line ? json_integer(decl->why->column) : NULL, "Message",
			 tds_cli_json_text(decl->why->reason));
}

/* The declaration: as plain JSON where it has such, typed, and its limit; or what is wrong with it, and where. */
static int add_decl(const struct decl *decl, json_t *json)
{
	int64_t limit = decl->tli.keep_limit;

	if (decl->rc != 0)
		return json_object_set_new(json, "TLIError", fault_json(decl));
	bool is_plain = tds_value_is_plain(decl->tli.value);
	return json_object_set_new(json, "KeepLimit",
				   limit > 0 ? json_integer(limit) : json_null()) +
	       json_object_set_new(json, "TLI",
				   is_plain ? tds_value_plain_json(decl->tli.value) : json_null()) +
	       json_object_set_new(json, "TLITyped", tds_value_typed_json(decl->tli.value));
}

/* The packages of a group, which begin at *item; it is moved behind them. NULL: out of memory. */
static json_t *packages_json(const struct avail *avail, const struct tds_group *group,
			     const struct item **item, const struct item *end,
			     const struct tds_loaded *loaded)
{
	json_t *packages = json_array();
	int rc = 0;

	for (; *item < end && (*item)->group == group; (*item)++) {
		tell(avail, *item);
		if ((*item)->state != ITEM_GONE)
			rc += json_array_append_new(packages, item_json(avail, *item, loaded));
	}
	if (rc == 0)
		return packages;
	json_decref(packages);
	return NULL;
}

static json_t *group_json(const struct avail *avail, size_t g, const struct items *items,
			  const struct item **item, const struct tds_loaded *loaded)
{
	const struct tds_group *group = avail->chosen[g];
	json_t *json = json_pack("{s:o}", "Name", tds_cli_json_text(group->name));

	if (items->decl[g].rc != 0)
		warn_of_decl(avail, group, &items->decl[g]);
	if (add_decl(&items->decl[g], json) == 0 &&
	    json_object_set_new(json, "Packages",
				packages_json(avail, group, item, items->v + items->n, loaded)) ==
		    0)
		return json;
	json_decref(json);
	return NULL;
}

void list_json(const struct avail *avail, const struct items *items,
	       const struct tds_loaded *loaded)
{
	const struct item *item = items->v;
	json_t *groups = json_array();
	int rc = 0;

	for (size_t g = 0; g < avail->nchosen; g++)
		rc += json_array_append_new(groups, group_json(avail, g, items, &item, loaded));
	if (rc != 0) {
		json_decref(groups);
		groups = NULL;
	}
	print_document(avail, groups);
}
