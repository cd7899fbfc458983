/* SPDX-License-Identifier: MIT */
/* What outlives a crash, besides the store: loaded.json, groups.json, the audit log. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/mem.h"
#include "daemon/director/rules.h"
#include "director/rundir.h"
#include "tool/cli.h"

#define AUDIT "audit.log"

json_t *source_state(const struct group *group, const struct source *source)
{
	return json_pack("{s:o?, s:o?, s:o?, s:o?, s:s, s:s, s:b, s:I}", "Group",
			 tds_cli_json_text(group->name), "File", tds_cli_json_text(source->file),
			 "Path", tds_cli_json_text(source->path), "Version",
			 tds_cli_json_text(source->version), "MD5", source->md5, "SHA256",
			 source->sha256, "Active", group->active == source, "LoadedMs",
			 (json_int_t)source->loaded_wall_ms);
}

/* Oldest load first, so that loading them in order brings the same order back. */
static void add_sources(json_t *all, const struct group *group, const struct source *source)
{
	if (!source)
		return;
	add_sources(all, group, source->next);
	if (source->state == SOURCE_LOADED)
		(void)json_array_append_new(all, source_state(group, source));
}

/* Write a JSON document as a file of the run directory, whole; takes the reference. */
static int write_document(int rundir, const char *name, json_t *doc, mode_t mode,
			  struct tds_err *err)
{
	tds_auto(outfile) struct tds_outfile out = { .fd = -1 };
	tds_autofree char *text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;

	json_decref(doc);
	if (!text)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (strlen(text) >= TDS_LOADED_MAX_BYTES)
		return tds_err_set(err, TDS_E_WRITE, "%s: would be too large", name);
	int rc = tds_outfile_open(rundir, name, &out, err);
	if (rc == 0 &&
	    (tds_io_write(out.fd, text, strlen(text)) != 0 || tds_io_write(out.fd, "\n", 1) != 0))
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	if (rc == 0)
		rc = tds_outfile_commit(&out, mode, err);
	return rc == 0 ? 0 : tds_err_prefix(err, "%s", name);
}

int state_save(struct director *director, struct tds_err *err)
{
	json_t *all = json_array();

	for (const struct group *g = director->groups; g; g = g->next)
		add_sources(all, g, g->sources);
	/* What is on its way back is not forgotten by a crash that comes before it is there. */
	returning_add(director, all);
	return write_document(director->settings->rundir, TDS_LOADED_NAME,
			      json_pack("{s:i, s:o}", "Version", 1, "Sources", all), 0644, err);
}

int groups_save(struct director *director, struct tds_err *err)
{
	json_t *defined = json_object();

	for (const struct group *g = director->groups; g; g = g->next)
		if (g->definition)
			(void)json_object_set_new(defined, g->name, json_string(g->definition));
	return write_document(director->settings->rundir, GROUPS_NAME,
			      json_pack("{s:i, s:o}", "Version", 1, "Groups", defined), 0600, err);
}

static bool is_text(const json_t *source, const char *key)
{
	const char *text = json_string_value(json_object_get(source, key));

	return text && *text;
}

static bool are_sources(const json_t *sources)
{
	const json_t *s;
	size_t i;

	json_array_foreach(sources, i, s)
	{
		const char *sha256 = json_string_value(json_object_get(s, "SHA256"));

		if (!is_text(s, "Group") || !is_text(s, "File") || !is_text(s, "Path") || !sha256 ||
		    strlen(sha256) != 64 || strspn(sha256, "0123456789abcdef") != 64 ||
		    !json_is_boolean(json_object_get(s, "Active")))
			return false;
	}
	return json_is_array(sources);
}

/* A document that was written here. NULL with err->code TDS_OK: there is none. */
static json_t *read_document(int rundir, const char *name, struct tds_err *err)
{
	tds_autofree char *text = NULL;
	json_error_t why;
	size_t len;

	*err = (struct tds_err){ 0 };
	int rc = tds_io_slurp(rundir, name, TDS_LOADED_MAX_BYTES, &text, &len, err);
	if (rc == TDS_E_MISSING)
		*err = (struct tds_err){ 0 };
	else if (rc != 0)
		tds_err_prefix(err, "%s", name);
	if (rc != 0)
		return NULL;
	json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!doc)
		tds_err_set(err, TDS_E_UNUSABLE, "%s:%d:%d: %s", name, why.line, why.column,
			    why.text);
	else if (json_integer_value(json_object_get(doc, "Version")) == 1)
		return doc;
	else
		tds_err_set(err, TDS_E_UNUSABLE, "%s: is not what tds-admin writes", name);
	json_decref(doc);
	return NULL;
}

/* Each definition that is there can be read. One that is missing is a source that does not come back. */
static int check_definitions(int rundir, const json_t *sources, struct tds_err *err)
{
	const json_t *source;
	size_t i;

	json_array_foreach(sources, i, source)
	{
		struct tds_tli tli = { 0 };
		int rc = definition_read(
			rundir, json_string_value(json_object_get(source, "SHA256")), &tli, err);

		if (rc == 0)
			tds_tli_fini(&tli);
		else if (rc != TDS_E_MISSING)
			return tds_err_set(err, TDS_E_UNUSABLE, "%s", err->reason);
	}
	*err = (struct tds_err){ 0 };
	return 0;
}

json_t *state_read(int rundir, struct tds_err *err)
{
	json_t *doc = read_document(rundir, TDS_LOADED_NAME, err);
	const json_t *sources = json_object_get(doc, "Sources");

	if (!doc)
		return NULL;
	if (!are_sources(sources))
		tds_err_set(err, TDS_E_UNUSABLE, TDS_LOADED_NAME ": is not what tds-admin writes");
	else if (check_definitions(rundir, sources, err) == 0)
		return doc;
	json_decref(doc);
	return NULL;
}

static bool is_definition(const char *text, size_t len, struct tds_err *err)
{
	struct tds_tli tli = { 0 };

	if (!text || tds_tli_parse(text, len, (struct tds_tli_watcher){ 0 }, &tli, err) != 0)
		return false;
	tds_tli_fini(&tli);
	return true;
}

json_t *groups_read(int rundir, struct tds_err *err)
{
	json_t *doc = read_document(rundir, GROUPS_NAME, err);
	json_t *groups = json_object_get(doc, "Groups");
	struct tds_err why = { 0 };
	const char *name;
	json_t *text;

	if (doc && !json_is_object(groups))
		tds_err_set(err, TDS_E_UNUSABLE, GROUPS_NAME ": is not what tds-admin writes");
	json_object_foreach(groups, name, text)
	{
		if (!tds_group_name_ok(name) ||
		    !is_definition(json_string_value(text), json_string_length(text), &why))
			tds_err_set(err, TDS_E_UNUSABLE, GROUPS_NAME ": group %s: %s", name,
				    why.reason);
	}
	if (err->code == TDS_OK)
		return doc;
	json_decref(doc);
	return NULL;
}

/* --- the audit log --- */

/* The digest of the last line that is there, to go on from. */
static void find_head(struct director *director, int fd)
{
	char tail[8192];
	off_t size = lseek(fd, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(tail) ? size - (off_t)sizeof(tail) : 0;
	ssize_t n = size > 0 ? pread(fd, tail, sizeof(tail), from) : 0;
	unsigned char sha256[TDS_SHA256_LEN];

	if (n <= 0 || tail[n - 1] != '\n')
		return;
	const char *before = memrchr(tail, '\n', (size_t)n - 1);
	const char *line = before ? before + 1 : tail;
	struct tds_digest *digest = tds_digest_new(TDS_DIGEST_SHA256);
	if (!digest)
		return;
	tds_digest_update(digest, line, (size_t)(tail + n - line));
	if (tds_digest_final(digest, sha256))
		tds_digest_hex(sha256, sizeof(sha256), director->audit_head);
	tds_digest_free(digest);
}

void audit(struct director *director, const char *what, const struct group *group,
	   const struct source *source, const char *error)
{
	tds_autofd int fd = openat(director->settings->rundir, AUDIT,
				   O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	json_t *line;

	if (fd < 0)
		return;
	find_head(director, fd);
	line = json_pack("{s:s, s:I, s:s}", "Event", what, "TimeMs", (json_int_t)wall_ms(),
			 "Before", director->audit_head);
	if (line && group)
		(void)json_object_set_new(line, "Group", tds_cli_json_text(group->name));
	if (line && source) {
		(void)json_object_set_new(line, "Path", tds_cli_json_text(source->path));
		(void)json_object_set_new(line, "SHA256", json_string(source->sha256));
		(void)json_object_set_new(line, "Key", tds_cli_json_text(source->key));
	}
	if (line && error)
		(void)json_object_set_new(line, "Message", tds_cli_json_text(error));
	tds_autofree char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	json_decref(line);
	tds_autofree char *with_end = NULL;
	if (text && asprintf(&with_end, "%s\n", text) >= 0)
		(void)tds_io_write(fd, with_end, strlen(with_end));
}
