/* SPDX-License-Identifier: MIT */
/* What outlives a crash: loaded.json, the packages in the store, the audit log. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "digest.h"
#include "io.h"
#include "mem.h"
#include "rules.h"
#include "rundir.h"

#define STORE "store"
#define AUDIT "audit.log"

static json_t *source_state(const struct group *group, const struct source *source)
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

int state_save(struct director *director, struct tds_err *err)
{
	tds_auto(outfile) struct tds_outfile out = { .fd = -1 };
	json_t *all = json_array();
	json_t *doc;
	int rc;

	for (const struct group *g = director->groups; g; g = g->next)
		add_sources(all, g, g->sources);
	doc = json_pack("{s:i, s:o}", "Version", 1, "Sources", all);
	tds_autofree char *text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	json_decref(doc);
	if (!text)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	rc = tds_outfile_open(director->settings->rundir, TDS_LOADED_NAME, &out, err);
	if (rc == 0 &&
	    (tds_io_write(out.fd, text, strlen(text)) != 0 || tds_io_write(out.fd, "\n", 1) != 0))
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	if (rc == 0)
		rc = tds_outfile_commit(&out, 0644, err);
	return rc == 0 ? 0 : tds_err_prefix(err, TDS_LOADED_NAME);
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

json_t *state_read(int rundir, struct tds_err *err)
{
	tds_autofree char *text = NULL;
	json_error_t why;
	size_t len;

	*err = (struct tds_err){ 0 };
	int rc = tds_io_slurp(rundir, TDS_LOADED_NAME, TDS_LOADED_MAX_BYTES, &text, &len, err);
	if (rc == TDS_E_MISSING) {
		*err = (struct tds_err){ 0 };
		return NULL;
	}
	if (rc != 0)
		return NULL;
	json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!doc)
		tds_err_at(err, TDS_E_WRITE, (unsigned)why.line, (unsigned)why.column, "%s",
			   why.text);
	else if (!are_sources(json_object_get(doc, "Sources")) ||
		 json_integer_value(json_object_get(doc, "Version")) != 1) {
		tds_err_set(err, TDS_E_WRITE, "is not what tds-admin writes");
		json_decref(doc);
		doc = NULL;
	}
	return doc;
}

/* --- the store --- */

static int open_store(int rundir)
{
	if (mkdirat(rundir, STORE, 0700) != 0 && errno != EEXIST)
		return -1;
	return openat(rundir, STORE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static void store_name(const char *sha256, char name[80])
{
	(void)snprintf(name, 80, "%.64s.tls", sha256);
}

int store_put(int rundir, const char *sha256, int package, struct tds_err *err)
{
	static char block[64 << 10];
	tds_auto(outfile) struct tds_outfile out = { .fd = -1 };
	tds_autofd int store = open_store(rundir);
	char name[80];
	off_t at = 0;
	ssize_t n;

	store_name(sha256, name);
	if (store < 0)
		return tds_err_sys(err, TDS_E_WRITE, STORE);
	if (faccessat(store, name, F_OK, 0) == 0)
		return 0;
	tds_io_sweep(store);
	int rc = tds_outfile_open(store, name, &out, err);
	while (rc == 0 && (n = pread(package, block, sizeof(block), at)) != 0) {
		if (n < 0 || tds_io_write(out.fd, block, (size_t)n) != 0)
			rc = tds_err_sys(err, TDS_E_WRITE, STORE "/%s", name);
		at += n;
	}
	return rc == 0 ? tds_outfile_commit(&out, 0600, err) : rc;
}

int store_open(int rundir, const char *sha256)
{
	tds_autofd int store = open_store(rundir);
	char name[80];

	store_name(sha256, name);
	return store < 0 ? -1 : openat(store, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

void store_remove(int rundir, const char *sha256)
{
	tds_autofd int store = open_store(rundir);
	char name[80];

	store_name(sha256, name);
	if (store >= 0)
		(void)unlinkat(store, name, 0);
}

static bool is_named(const json_t *state, const char *name)
{
	const json_t *source;
	char stored[80];
	size_t i;

	json_array_foreach(json_object_get(state, "Sources"), i, source)
	{
		const char *sha256 = json_string_value(json_object_get(source, "SHA256"));

		store_name(sha256 ? sha256 : "", stored);
		if (strcmp(stored, name) == 0)
			return true;
	}
	return false;
}

void store_sweep(int rundir, const json_t *state)
{
	int store = open_store(rundir);
	DIR *names = store < 0 ? NULL : fdopendir(store);
	struct dirent *entry;

	if (!names) {
		tds_close_fd(&store);
		return;
	}
	tds_io_sweep(store);
	while ((entry = readdir(names)))
		if (entry->d_name[0] != '.' && !is_named(state, entry->d_name))
			(void)unlinkat(store, entry->d_name, 0);
	(void)closedir(names);
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
