/* SPDX-License-Identifier: MIT */
/* tds-admin keys: each key file, what it is, what it may, whether it counts, and what it has validated. */
#include <string.h>

#include "admin.h"
#include "base/digest.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/when.h"
#include "director/rundir.h"
#include "director/strictmodes.h"
#include "package/keyring.h"
#include "series.h"
#include "tool/strictly.h"

const char admin_keys_help[] =
	"usage: tds-admin [options] keys\n"
	"Print each key file: its key and the groups that it may sign for, whether and why it does "
	"not\n"
	"count, and what it last validated.\n";

/* What is known of a director directory. */
struct view {
	struct admin *admin;
	struct tds_dir dir;
	struct tds_strict
		strict; /* as things are; the ring is read as if all of it were only warned of */
	struct tds_keyring ring;
	json_t *last; /* of each key, by its SHA-256: the event of what it last validated */
};

/* --- what was validated --- */

/* Of two the later counts; what has the key's file alone is of a version that did not know its digest. */
static void take(json_t *last, const json_t *event)
{
	const char *key = tds_json_string(event, "KeySHA256");
	const json_t *before = json_object_get(last, key);

	if (*key && (!before ||
		     strcmp(tds_json_string(before, "Time"), tds_json_string(event, "Time")) <= 0))
		(void)json_object_set(last, key, (json_t *)(uintptr_t)event);
}

static void take_events(const struct tds_dir *rundir, json_t *last)
{
	struct series series;
	const char *line;
	size_t len;

	series_open(&series, rundir->fd, TDS_EVENTS_NAME, INT64_MIN);
	while ((line = series_next(&series, &len))) {
		json_t *event = json_loadb(line, len, 0, NULL);
		const char *name = tds_json_string(event, "Event");

		if (strcmp(name, "Loaded") == 0 || strcmp(name, "Activated") == 0)
			take(last, event);
		json_decref(event);
	}
	series_close(&series);
}

/* A source of loaded.json, as the event of its load: the log may be gone, or not be ours to read. */
static void take_source(const json_t *source, json_t *last)
{
	char when[TDS_WHEN_MAX];
	json_t *event = json_copy((json_t *)(uintptr_t)source);

	tds_when_text(json_integer_value(json_object_get(source, "LoadedMs")), when);
	(void)json_object_set_new(event, "Time", json_string(when));
	take(last, event);
	json_decref(event);
}

static json_t *find_last(const struct tds_dir *dir)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };
	json_t *last = json_object();
	json_t *loaded = NULL;
	const json_t *source;
	size_t i;

	if (tds_rundir_open(dir, &rundir, NULL) == 0)
		take_events(&rundir, last);
	if (tds_rundir_json(dir, TDS_LOADED_NAME, &loaded, NULL) == 0) {
		json_array_foreach(json_object_get(loaded, "Sources"), i, source)
		{
			take_source(source, last);
		}
	}
	json_decref(loaded);
	return last;
}

/* --- one key --- */

static const char *hex_of(const unsigned char sha256[TDS_SHA256_LEN], char hex[TDS_DIGEST_HEX_MAX])
{
	tds_digest_hex(sha256, TDS_SHA256_LEN, hex);
	return hex;
}

/* Why it does not count; NULL: it does. */
static const char *why_not(const struct view *view, const struct tds_key *key)
{
	if (!key->pub)
		return key->fault.reason;
	return key->insecure && !view->strict.is_lax ? key->exposure : NULL;
}

static json_t *warnings_of(const struct view *view, const struct tds_key *key)
{
	json_t *warnings = json_array();

	if (key->warning[0])
		(void)json_array_append_new(warnings, json_string(key->warning));
	if (key->insecure && view->strict.is_lax)
		(void)json_array_append_new(warnings, tds_cli_json_text(key->exposure));
	return warnings;
}

/* NULL: for all. */
static json_t *groups_of(const struct tds_key *key)
{
	json_t *groups = key->limited ? json_array() : NULL;

	for (size_t i = 0; groups && i < key->nallow; i++)
		(void)json_array_append_new(groups, tds_cli_json_text(key->allow[i]));
	return groups;
}

static json_t *last_of(const struct view *view, const struct tds_key *key)
{
	char hex[TDS_DIGEST_HEX_MAX];
	const json_t *event =
		key->kind ? json_object_get(view->last, hex_of(key->sha256, hex)) : NULL;
	static const char *const known[] = { "Time", "Group", "Path", "Version", "SHA256" };
	json_t *last = event ? json_object() : NULL;

	for (size_t i = 0; last && i < sizeof(known) / sizeof(known[0]); i++)
		if (json_object_get(event, known[i]))
			(void)json_object_set(last, known[i], json_object_get(event, known[i]));
	return last;
}

static json_t *key_json(const struct view *view, const struct tds_key *key)
{
	char sha256[TDS_DIGEST_HEX_MAX];
	char file_sha256[TDS_DIGEST_HEX_MAX];
	const char *reason = why_not(view, key);
	json_t *doc =
		json_pack("{s:o, s:b, s:o*, s:b}", "File", tds_cli_json_text(key->path), "Counts",
			  reason == NULL, "Reason", reason ? tds_cli_json_text(reason) : NULL,
			  "Revoked", key->is_revoked);

	if (doc && key->kind)
		(void)json_object_update_new(
			doc, json_pack("{s:s, s:i, s:s, s:s}", "Kind", key->kind, "Bits",
				       (int)key->bits, "SHA256", hex_of(key->sha256, sha256),
				       "FileSHA256", hex_of(key->file_sha256, file_sha256)));
	if (doc)
		(void)json_object_update_new(doc, json_pack("{s:o*, s:b, s:o, s:o*}", "Groups",
							    groups_of(key), "UnsignedNames",
							    key->vouches, "Warnings",
							    warnings_of(view, key), "LastValidated",
							    last_of(view, key)));
	return doc;
}

/* --- all of them --- */

static void print_text(FILE *out, const char *before, const char *text)
{
	(void)fputs(before, out);
	tds_text_print(out, text);
}

static void print_list(FILE *out, const char *before, const json_t *texts)
{
	const json_t *text;
	size_t i;

	json_array_foreach(texts, i, text)
	{
		print_text(out, i == 0 ? before : " ", json_string_value(text));
	}
}

static void print_groups(FILE *out, const json_t *key)
{
	const json_t *groups = json_object_get(key, "Groups");

	(void)fputs("  signs for ", out);
	if (!groups)
		(void)fputs("all groups", out);
	else if (json_array_size(groups) == 0)
		(void)fputs("no group", out);
	else
		print_list(out, "", groups);
	if (json_is_true(json_object_get(key, "UnsignedNames")))
		(void)fputs(", vouches for names that are not signed", out);
	(void)fputc('\n', out);
}

static void print_key(FILE *out, const json_t *key)
{
	const json_t *last = json_object_get(key, "LastValidated");
	const json_t *warning;
	size_t i;

	print_text(out, "", tds_text_base(tds_json_string(key, "File")));
	if (json_object_get(key, "Kind"))
		(void)fprintf(out, "  %s %lld %s", tds_json_string(key, "Kind"),
			      (long long)json_integer_value(json_object_get(key, "Bits")),
			      tds_json_string(key, "SHA256"));
	(void)fputc('\n', out);
	if (json_object_get(key, "Reason")) {
		print_text(out, "  does not count: ", tds_json_string(key, "Reason"));
		(void)fputc('\n', out);
	} else {
		print_groups(out, key);
	}
	json_array_foreach(json_object_get(key, "Warnings"), i, warning)
	{
		print_text(out, "  warning: ", json_string_value(warning));
		(void)fputc('\n', out);
	}
	if (!last)
		return;
	print_text(out, "  last validated ", tds_text_base(tds_json_string(last, "Path")));
	print_text(out, ", ", tds_json_string(last, "Time"));
	(void)fputc('\n', out);
}

static void print_keys(const struct view *view)
{
	json_t *keys = json_array();
	const json_t *key;
	size_t i;

	for (i = 0; i < view->ring.n; i++)
		(void)json_array_append_new(keys, key_json(view, &view->ring.v[i]));
	if (view->admin->cli.json) {
		tds_cli_print_document(&view->admin->cli, json_pack("{s:o}", "Keys", keys));
		return;
	}
	json_array_foreach(keys, i, key)
	{
		print_key(view->admin->cli.out, key);
	}
	json_decref(keys);
}

/* What a key is, is told of one that does not count, too; but nothing is believed of files that cannot be understood. */
static int read_all(struct view *view, struct tds_err *err)
{
	struct tds_strict lax;
	int rc = admin_open_dir(view->admin, &view->dir, err);

	if (rc == 0)
		rc = tds_strictmodes_read(&view->dir, &view->strict, err);
	if (rc != 0)
		return rc;
	tds_strictly_warn(&view->admin->cli, &view->dir, &lax);
	tds_crypto_init_lean();
	rc = tds_keyring_read(&view->dir, &lax, &view->ring, err);
	if (rc == 0)
		view->last = find_last(&view->dir);
	return rc;
}

void admin_keys(struct admin *admin, int argc, char **argv)
{
	struct view view = { .admin = admin, .dir = { .fd = -1 } };
	struct tds_err err = { 0 };

	(void)argv;
	if (argc > 0)
		tds_cli_usage(&admin->cli, "keys takes no operand");
	else if (read_all(&view, &err) != 0)
		tds_cli_error(&admin->cli, NULL, &err);
	else
		print_keys(&view);
	json_decref(view.last);
	tds_keyring_fini(&view.ring);
	tds_dir_close(&view.dir);
}
