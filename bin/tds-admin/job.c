/* SPDX-License-Identifier: MIT */
/*
 * Changes: loads and unloads, one after the other, each a walk through a few steps between events. A load that fails
 * is undone: it leaves what was active before active, and says why.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"
#include "io.h"
#include "mem.h"
#include "prune.h"
#include "rules.h"
#include "text.h"

#define STEADY_MS 60000            /* loaded for this long: the next loss is a first one */
#define HASH_AT_ONCE_MAX (4 << 20) /* bytes; about 3 ms */

static void load_begin(struct director *director, struct job *job);
static void unload_begin(struct director *director, struct job *job);
static void load_activate(struct director *director, struct job *job);
static void load_keep(struct director *director, struct job *job);
static void return_to(struct director *director, struct job *job, struct source *source);

/* --- the queue --- */

static void job_free(struct job *job)
{
	verification_cancel(job->verification);
	if (job->deadline)
		event_free(job->deadline);
	tds_close_fd(&job->fd);
	tds_close_fd(&job->package);
	if (job->tli.value)
		tds_tli_fini(&job->tli);
	json_decref(job->warnings);
	free(job->target);
	free(job->error);
	free(job->file);
	free(job->path);
	free(job);
}

static void job_end(struct director *director, struct job *job, int status, const char *error,
		    const struct source *source, bool changed)
{
	struct outcome outcome = { .status = status,
				   .error = error,
				   .group = job->group ? job->group->name : NULL,
				   .source = source,
				   .changed = changed,
				   .warnings = job->warnings };

	director->jobs = job->next;
	if (status != 0)
		audit(director, "Refused", job->group, source, error);
	if (job->done)
		job->done(job->ctx, &outcome);
	job_free(job);
	job_next(director);
}

/* A job that nobody waits for in the queue yet. NULL: out of memory, which done is told. */
static struct job *job_make(enum job_kind kind, const char *target, job_done_fn *done, void *ctx)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job || !(job->target = strdup(target))) {
		free(job);
		if (done)
			done(ctx, &(struct outcome){ .status = 5, .error = "out of memory" });
		return NULL;
	}
	job->kind = kind;
	job->fd = job->package = -1;
	job->done = done;
	job->ctx = ctx;
	return job;
}

static void job_enqueue(struct director *director, struct job *job)
{
	struct job **last = &director->jobs;

	while (*last)
		last = &(*last)->next;
	*last = job;
}

static struct job *job_new(struct director *director, enum job_kind kind, const char *target,
			   job_done_fn *done, void *ctx)
{
	struct job *job = job_make(kind, target, done, ctx);

	if (job)
		job_enqueue(director, job);
	return job;
}

void job_next(struct director *director)
{
	struct job *job = director->jobs;

	if (!job || job->step != STEP_WAITING || director->stopping)
		return;
	if (job->kind == JOB_LOAD)
		load_begin(director, job);
	else
		unload_begin(director, job);
}

void director_load(struct director *director, const char *target, const char *group,
		   unsigned wait_s, bool retry, job_done_fn *done, void *ctx)
{
	struct job *job = job_new(director, JOB_LOAD, target, done, ctx);

	if (!job)
		return;
	job->given = group ? group_get(director, group) : NULL;
	job->wait_s = wait_s;
	job->retry = retry;
	if (job == director->jobs)
		job_next(director);
}

void director_unload(struct director *director, const char *hash, job_done_fn *done, void *ctx)
{
	struct job *job = job_new(director, JOB_UNLOAD, hash, done, ctx);

	if (job && job == director->jobs)
		job_next(director);
}

void job_warn(struct director *director, const char *key, const char *text)
{
	struct job *job = director->jobs;

	if (!job)
		return;
	if (!job->warnings)
		job->warnings = json_array();
	(void)json_array_append_new(job->warnings, json_sprintf("%s: %s", key, text));
}

/* --- loading: which package --- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name);
	size_t s = strlen(suffix);

	return n > s && strcmp(name + n - s, suffix) == 0;
}

static int open_file(struct director *director, struct job *job, struct tds_err *err)
{
	const struct tds_dir *dir = director->settings->dir;
	bool whole = job->target[0] == '/';
	int rc = tds_io_open(whole ? AT_FDCWD : dir->fd, job->target, false, &job->fd, NULL, err);

	if (rc != 0)
		return rc;
	job->file = strdup(base_name(job->target));
	job->path = whole ? strdup(job->target) : tds_dir_join(dir, job->target);
	return 0;
}

/* A package file, in the director directory or elsewhere, whose name belongs to a declared group. */
static int resolve_file(struct director *director, struct job *job, const struct tds_groups *groups,
			struct tds_err *err)
{
	const struct tds_group *owner = tds_groups_owner(groups, base_name(job->target));

	if (!owner)
		return tds_err_set(err, TDS_E_MISSING, "belongs to no declared group");
	job->group = group_get(director, owner->name);
	return open_file(director, job, err);
}

/* A file for a group that the request names: the file's name must be one of that group's all the same. */
static int resolve_given(struct director *director, struct job *job, struct tds_err *err)
{
	job->group = job->given;
	if (!tds_group_fits(job->group->name, base_name(job->target), NULL))
		return tds_err_set(err, TDS_E_MISSING, "is not the name of a package of group %s",
				   job->group->name);
	return open_file(director, job, err);
}

static int read_declaration(struct director *director, struct job *job, struct tds_err *err)
{
	const struct tds_tli_watcher nobody = { 0 };
	tds_autofree char *name = NULL;
	const char *definition = job->given ? job->group->definition : NULL;
	int rc;

	if (asprintf(&name, "%s.tli", job->group->name) < 0) {
		name = NULL;
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	if (definition)
		rc = tds_tli_parse(definition, strlen(definition), nobody, &job->tli, err);
	else
		rc = tds_tli_read(director->settings->dir->fd, name, nobody, &job->tli, err);
	/* As the Director has it: a group that nobody declared is one without actors. */
	if (rc == TDS_E_MISSING && job->given)
		rc = tds_tli_parse("{}", 2, nobody, &job->tli, err);
	if (rc == 0)
		job->group->known = true;
	else if (!definition && err->line)
		rc = tds_err_prefix(err, "%s:%u:%u", name, err->line, err->column);
	else if (!definition)
		rc = tds_err_prefix(err, "%s", name);
	return rc;
}

static int resolve_group(struct director *director, struct job *job,
			 const struct tds_groups *groups, struct tds_err *err)
{
	const struct tds_dir *dir = director->settings->dir;
	tds_autofree char *name = strdup(base_name(job->target));

	if (name && ends_in(name, ".tli"))
		name[strlen(name) - 4] = '\0';
	const struct tds_group *group = name ? tds_groups_find(groups, name) : NULL;
	if (!group)
		return tds_err_set(err, TDS_E_MISSING, "no such group");
	job->group = group_get(director, group->name);
	if (job->group && group->n == 0) {
		/* Known from now on all the same. */
		int rc = read_declaration(director, job, err);
		return rc != 0 ? rc : tds_err_set(err, TDS_E_MISSING, "the group has no package");
	}
	job->file = strdup(group->files[0].name);
	job->path = tds_dir_join(dir, group->files[0].name);
	return tds_io_open(dir->fd, group->files[0].name, false, &job->fd, NULL, err);
}

static int resolve(struct director *director, struct job *job, struct tds_err *err)
{
	tds_auto(groups) struct tds_groups groups = { 0 };

	if (job->given)
		return resolve_given(director, job, err);
	int rc = tds_groups_scan(director->settings->dir, &groups, err);
	if (rc != 0)
		return rc;
	if (ends_in(job->target, ".tls") && !tds_groups_find(&groups, job->target))
		rc = resolve_file(director, job, &groups, err);
	else
		rc = resolve_group(director, job, &groups, err);
	if (rc == 0 && (!job->group || !job->file || !job->path))
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return rc;
}

/* After a crash: the package is in the store, under the digest that is the job's target; its name is known. */
static int resolve_stored(struct director *director, struct job *job, struct tds_err *err)
{
	job->fd = store_open(director->settings->rundir, job->target);
	if (job->fd < 0)
		return tds_err_sys(err, TDS_E_MISSING, "its package is not in the store");
	return 0;
}

/* --- loading: undoing --- */

static void undo(struct director *director, struct job *job, int status, const char *error)
{
	if (job->error)
		return; /* it is being undone already, and the first reason counts */
	job->error = strdup(error);
	job->status = status;
	bringup_cancel(director);
	if (job->source && job->source->realm) {
		(void)snprintf(job->group->undone, sizeof(job->group->undone), "%s",
			       job->source->sha256);
		job->step = STEP_STOPPING;
		realm_stop(job->source->realm);
		return; /* job_realm_gone goes on */
	}
	job_end(director, job, status, error, NULL, false);
}

static void undo_err(struct director *director, struct job *job, const struct tds_err *err)
{
	undo(director, job, tds_code_status(err->code), err->reason);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct director *director = arg;

	(void)fd;
	(void)what;
	undo(director, director->jobs, 9, "was not ready in time");
}

/* --- loading: the steps --- */

static bool has_name(const struct source *source, const char *role, const char *global_name)
{
	for (size_t i = 0; i < source->nruns; i++) {
		const struct run *run = &source->runs[i];

		if ((role && run->role && strcmp(role, run->role) == 0) ||
		    (global_name && run->global_name && strcmp(global_name, run->global_name) == 0))
			return true;
	}
	return false;
}

/* A role or global name that another group has belongs to that group. */
static int check_names(struct director *director, const struct source *source, struct tds_err *err)
{
	for (size_t i = 0; i < source->nruns; i++) {
		const char *name = source->runs[i].global_name;
		const struct actor *actor = name ? engine_find_name(director->engine, name) : NULL;
		const struct source *owner = actor ? realm_owner(actor_realm(actor)) : NULL;

		/* It need not be declared: an actor may have made it. */
		if (actor && (!owner || owner->group != source->group))
			return tds_err_set(err, TDS_E_REFUSED,
					   "%s: its global name belongs to an actor of group %s",
					   source->runs[i].key, owner ? owner->group->name : "?");
	}
	for (const struct group *g = director->groups; g; g = g->next)
		for (const struct source *s = g == source->group ? NULL : g->sources; s;
		     s = s->next)
			for (size_t i = 0; i < source->nruns; i++)
				if (has_name(s, source->runs[i].role, source->runs[i].global_name))
					return tds_err_set(
						err, TDS_E_REFUSED,
						"%s: its role or global name belongs to group %s",
						source->runs[i].key, g->name);
	return 0;
}

static struct source *source_new(const struct tds_dir *dir, struct job *job, const json_t *verdict,
				 struct tds_err *err)
{
	struct source *source = calloc(1, sizeof(*source));
	const char *version = json_string_value(json_object_get(verdict, "version"));
	const char *key = json_string_value(json_object_get(verdict, "key"));
	const char *named = NULL;

	if (!source) {
		tds_err_set(err, TDS_E_NOMEM, "out of memory");
		return NULL;
	}
	source->group = job->group;
	if (!version && tds_group_fits(job->group->name, job->file, &named) && named)
		source->version = strndup(named, strlen(named) - 4);
	else
		source->version = strdup(version ? version : "");
	source->file = tds_steal(&job->file);
	source->path = tds_steal(&job->path);
	source->key = strdup(key ? key : "");
	(void)snprintf(source->md5, sizeof(source->md5), "%s",
		       json_string_value(json_object_get(verdict, "md5")));
	(void)snprintf(source->sha256, sizeof(source->sha256), "%s",
		       json_string_value(json_object_get(verdict, "sha256")));
	source->trust = trust_now(dir, source->key);
	source->loaded_wall_ms = wall_ms();
	source->losses = job->losses;
	source->tli = job->tli;
	job->tli = (struct tds_tli){ 0 };
	if (!source->version || !source->key || runs_read(source, err) != 0) {
		source_free(source);
		tds_err_set(err, TDS_E_NOMEM, "out of memory");
		return NULL;
	}
	return source;
}

static json_t *names_of(const struct source *source)
{
	json_t *names = json_array();

	for (size_t i = 0; i < source->nruns; i++)
		(void)json_array_append_new(names, json_string(source->runs[i].key));
	return names;
}

static void load_realm(struct director *director, struct job *job, const json_t *verdict,
		       int archive)
{
	const struct tds_value *activate = tds_value_get(job->tli.value, "Activate");
	struct tds_err err = { 0 };
	tds_autofd int archive_fd = archive;

	job->ready_first = activate && activate->type == TDS_VALUE_STR &&
			   strcmp(activate->text, "ready-first") == 0;
	struct source *source = source_new(director->settings->dir, job, verdict, &err);
	if (!source || check_names(director, source, &err) != 0 ||
	    store_put(director->settings->rundir, source->sha256, job->package, &err) != 0) {
		source_free(source);
		undo_err(director, job, &err);
		return;
	}
	source->next = job->group->sources;
	job->group->sources = source;
	job->source = source;
	job->step = STEP_IMPORTING;
	source->realm = realm_new(director->engine, source->md5, tds_steal_fd(&archive_fd),
				  names_of(source), source);
	if (!source->realm) {
		job->group->sources = source->next;
		job->source = NULL;
		source_free(source);
		undo(director, job, 1, "no process could be started");
	}
}

/* What is loaded already is only made active, where it is not. */
static void load_known(struct director *director, struct job *job, struct source *source)
{
	source->trust = trust_now(director->settings->dir, source->key);
	job->source = NULL;
	if (job->group->active == source) {
		job_end(director, job, 0, NULL, source, false);
		return;
	}
	job->before = job->group->active;
	if (job->before) {
		runs_want(job->before, false);
		runs_tell(director, job->before, offsetof(struct run, on_deactivate));
	}
	return_to(director, job, source);
}

static void on_verdict(void *ctx, const json_t *verdict, int archive, int package)
{
	struct director *director = ctx;
	struct job *job = director->jobs;
	tds_autofd int archive_fd = archive;
	const char *sha256 = json_string_value(json_object_get(verdict, "sha256"));
	const char *md5 = json_string_value(json_object_get(verdict, "md5"));

	job->verification = NULL;
	job->package = package;
	job->warnings = json_deep_copy(json_object_get(verdict, "warnings"));
	if (archive < 0 || !sha256 || !md5) {
		json_int_t status = json_integer_value(json_object_get(verdict, "status"));
		const char *error = json_string_value(json_object_get(verdict, "error"));

		undo(director, job, status > 0 && status < 10 ? (int)status : 7,
		     error ? error : "no verdict");
		return;
	}
	struct source *known = source_find(director, md5);
	if (known && strcmp(known->sha256, sha256) != 0)
		undo(director, job, 1, "another source of the same source hash is loaded");
	else if (known && known->group == job->group)
		load_known(director, job, known);
	else if (known)
		undo(director, job, 1, "it is loaded in another group");
	else if (!job->retry && strcmp(job->group->undone, sha256) == 0)
		undo(director, job, 1, "its last load was undone; name it, or use --retry");
	else
		load_realm(director, job, verdict, tds_steal_fd(&archive_fd));
}

/*
 * Is the file, byte for byte, the source that is active? Then there is nothing to verify, and nothing happens. A large
 * file is left to the verifier, so that nobody waits for its digest.
 */
static bool is_active_already(const struct director *director, const struct job *job)
{
	struct trust now;

	static unsigned char block[64 << 10];
	unsigned char sha256[TDS_SHA256_LEN];
	char hex[TDS_DIGEST_HEX_MAX];
	struct tds_digest *digest;
	off_t at = 0;
	ssize_t n;

	/* Of another name it would be another version, which its signed name would have to agree with. */
	if (job->restoring || !job->group->active ||
	    strcmp(job->file, job->group->active->file) != 0 ||
	    !(digest = tds_digest_new(TDS_DIGEST_SHA256)))
		return false;
	/* A key that was removed or revoked since is for the verifier to see. */
	now = trust_now(director->settings->dir, job->group->active->key);
	while (at <= HASH_AT_ONCE_MAX && (n = pread(job->fd, block, sizeof(block), at)) > 0) {
		tds_digest_update(digest, block, (size_t)n);
		at += n;
	}
	bool done = at <= HASH_AT_ONCE_MAX && tds_digest_final(digest, sha256);
	tds_digest_free(digest);
	if (!done)
		return false;
	tds_digest_hex(sha256, sizeof(sha256), hex);
	return strcmp(hex, job->group->active->sha256) == 0 &&
	       trust_is_same(&now, &job->group->active->trust);
}

static void load_begin(struct director *director, struct job *job)
{
	struct timeval wait = { .tv_sec = job->wait_s };
	struct tds_err err = { 0 };
	int rc =
		job->restoring ? resolve_stored(director, job, &err) : resolve(director, job, &err);

	if (rc == 0)
		rc = read_declaration(director, job, &err);
	if (rc != 0) {
		undo_err(director, job, &err);
		return;
	}
	if (is_active_already(director, job)) {
		job_end(director, job, 0, NULL, job->group->active, false);
		return;
	}
	job->step = STEP_VERIFYING;
	job->deadline = evtimer_new(director->base, on_deadline, director);
	if (job->deadline && job->wait_s > 0)
		(void)evtimer_add(job->deadline, &wait);
	job->verification = verification_start(director->base, director->settings->verifier,
					       director->settings->dir, job->fd, job->file,
					       job->group->name, on_verdict, director);
	if (!job->verification)
		undo(director, job, 1, "the verifier could not be started");
}

static void load_deactivate(struct director *director, struct job *job)
{
	job->before = job->group->active;
	job->deactivated = true;
	if (!job->before)
		return;
	runs_want(job->before, false);
	runs_tell(director, job->before, offsetof(struct run, on_deactivate));
}

static void on_all_up(struct director *director, const char *error)
{
	struct job *job = director->jobs;

	if (error) {
		tds_autofree char *why = NULL;
		const struct run *run = NULL;

		for (size_t i = 0; i < job->source->nruns && !run; i++)
			if (!job->source->runs[i].actor || !actor_is_up(job->source->runs[i].actor))
				run = &job->source->runs[i];
		if (asprintf(&why, "%s%s%s", run ? run->key : "", run ? ": " : "", error) < 0)
			why = NULL;
		undo(director, job, 1, why ? why : error);
		return;
	}
	if (job->inactive) {
		load_keep(director, job);
		return;
	}
	if (!job->deactivated)
		load_deactivate(director, job);
	load_activate(director, job);
}

void job_imported(struct director *director, struct source *source, const json_t *classes,
		  const char *error)
{
	struct job *job = director->jobs;

	if (!job || job->source != source || job->step != STEP_IMPORTING)
		return;
	for (size_t i = 0; !error && i < source->nruns; i++) {
		const char *name = json_string_value(json_object_get(classes, source->runs[i].key));

		if (!name || !(source->runs[i].class_name = strdup(name)))
			error = "the host found no class";
	}
	if (error) {
		undo(director, job, 1, error);
		return;
	}
	if (!job->ready_first && !job->inactive)
		load_deactivate(director, job);
	job->step = STEP_STARTING;
	bringup_start(director, source, on_all_up);
}

static void take_names(struct director *director, struct source *source)
{
	for (size_t i = 0; i < source->nruns; i++)
		if (source->runs[i].global_name && source->runs[i].actor)
			(void)engine_set_name(director->engine, source->runs[i].global_name,
					      source->runs[i].actor);
}

static void make_active(struct director *director, struct source *source)
{
	source->group->active = source;
	source->state = SOURCE_LOADED;
	take_names(director, source);
	runs_want(source, true);
}

static int autounload_keep(const struct source *before)
{
	const struct tds_value *value =
		before ? tds_value_get(before->tli.value, "AutoUnload") : NULL;

	if (!value)
		return -1;
	if (value->type == TDS_VALUE_BOOL)
		return value->boolean ? 0 : -1;
	if (value->type != TDS_VALUE_INT)
		return -1;
	long n = strtol(value->text, NULL, 10);
	return n <= 0 ? 0 : n > 1000000 ? 1000000 : (int)n;
}

/* All but the newest others go, as the definition of the source that was replaced says. */
static void auto_unload(struct director *director, struct job *job)
{
	int keep = autounload_keep(job->before);
	int seen = 0;

	if (keep < 0)
		return;
	for (struct source *s = job->group->sources; s; s = s->next)
		if (s != job->source && s->state == SOURCE_LOADED && ++seen > keep)
			director_unload(director, s->md5, NULL, NULL);
}

/* Delete the group's packages beyond its limit. What cannot be deleted now, the next load or cron job will. */
static void prune(struct director *director, const struct source *source)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(groups) struct tds_groups groups = { 0 };
	tds_auto(loaded) struct tds_loaded loaded = { 0 };
	struct tds_err err = { 0 };
	bool removed;

	/* A directory of its own: the lock is held until it is closed. */
	if (source->tli.keep_limit <= 0 ||
	    tds_dir_open(director->settings->dir->path, &dir, NULL) != 0 ||
	    tds_prune_lock(&dir, 0, NULL) != 0 || tds_groups_scan(&dir, &groups, NULL) != 0 ||
	    tds_loaded_read(&dir, &loaded, NULL) != 0)
		return;
	const struct tds_group *group = tds_groups_find(&groups, source->group->name);
	for (size_t i = 0; group && i < group->n; i++) {
		const char *file = group->files[i].name;
		struct tds_identity identity = tds_prune_identify(&dir, file);

		if (tds_prune_excess(group, i, source->tli.keep_limit, &loaded) &&
		    tds_prune_remove(&dir, file, &identity, &removed, &err) != 0)
			break;
	}
	if (err.code != TDS_OK || tds_prune_sync(&dir, &err) != 0)
		tell_change(director, "NotDeleted", source->group, NULL, err.reason);
}

static void load_activate(struct director *director, struct job *job)
{
	struct tds_err err = { 0 };

	make_active(director, job->source);
	if (state_save(director, &err) != 0) {
		/* What is not written down would be forgotten by a crash: it is not loaded. */
		job->group->active = job->before;
		undo_err(director, job, &err);
		return;
	}
	job->group->undone[0] = '\0';
	audit(director, "Loaded", job->group, job->source, NULL);
	tell_change(director, "Loaded", job->group, job->source, NULL);
	auto_unload(director, job);
	prune(director, job->source);
	job_end(director, job, 0, NULL, job->source, true);
}

/* The change has happened; that it could not be written down is said, and the next change writes it again. */
static void save(struct director *director, const struct group *group)
{
	struct tds_err err = { 0 };

	if (state_save(director, &err) != 0)
		tell_change(director, "StateNotWritten", group, NULL, err.reason);
}

/* Restored as it was before the crash: loaded, but another one of its group is active. */
static void load_keep(struct director *director, struct job *job)
{
	job->source->state = SOURCE_LOADED;
	save(director, job->group);
	job_end(director, job, 0, NULL, job->source, true);
}

/* --- unloading, and coming back --- */

static struct source *highest(const struct group *group)
{
	struct source *best = NULL;

	for (struct source *s = group->sources; s; s = s->next)
		if (s->state == SOURCE_LOADED &&
		    (!best || tds_version_cmp(group->name, s->file, best->file) > 0))
			best = s;
	return best;
}

static void on_returned(struct director *director, const char *error)
{
	struct job *job = director->jobs;
	struct source *source = job->source;

	make_active(director, source);
	save(director, source->group);
	audit(director, "Activated", source->group, source, error);
	tell_change(director, "Activated", source->group, source, error);
	if (job->error)
		job_end(director, job, job->status, job->error, NULL, true);
	else
		job_end(director, job, error ? 1 : 0, error, source, true);
}

/* The actors that are there get OnReactivate where it is declared; one that is gone is started anew. */
static void return_to(struct director *director, struct job *job, struct source *source)
{
	job->step = STEP_RETURNING;
	job->source = source;
	runs_tell(director, source, offsetof(struct run, on_reactivate));
	bringup_start(director, source, on_returned);
}

static void unlink_source(struct source *source)
{
	struct source **p = &source->group->sources;

	while (*p && *p != source)
		p = &(*p)->next;
	if (*p)
		*p = source->next;
}

/* A load that waits for its turn, as an actor does that exits again and again. */
struct relaunch {
	struct relaunch *next;
	char md5[33];
	struct director *director;
	struct event *timer;
	struct job *job;
};

static void relaunch_free(struct relaunch *r)
{
	struct relaunch **p = &r->director->relaunches;

	while (*p != r)
		p = &(*p)->next;
	*p = r->next;
	if (r->timer)
		event_free(r->timer);
	if (r->job)
		job_free(r->job);
	free(r);
}

static void on_relaunch(evutil_socket_t fd, short what, void *arg)
{
	struct relaunch *r = arg;
	struct director *director = r->director;

	(void)fd;
	(void)what;
	job_enqueue(director, tds_steal(&r->job));
	relaunch_free(r);
	job_next(director);
}

void jobs_free(struct director *director)
{
	while (director->relaunches)
		relaunch_free(director->relaunches);
	while (director->jobs) {
		struct job *job = director->jobs;

		director->jobs = job->next;
		job_free(job);
	}
}

/* Its parent died, and its actors with it: the same bytes are loaded again, from the store, and verified again. */
static void load_again(struct director *director, const struct source *source, bool active)
{
	bool steady = wall_ms() - source->loaded_wall_ms >= STEADY_MS;
	unsigned losses = steady ? 0 : source->losses;
	int64_t delay_ms = losses == 0 ? 0 : losses > 9 ? 30000 : (50LL << losses);
	struct timeval delay = { .tv_sec = delay_ms / 1000, .tv_usec = delay_ms % 1000 * 1000 };
	struct relaunch *r = calloc(1, sizeof(*r));
	struct job *job = job_make(JOB_LOAD, source->sha256, NULL, NULL);

	if (!r || !job) {
		free(r);
		if (job)
			job_free(job);
		return;
	}
	job->restoring = job->retry = true;
	job->inactive = !active;
	job->losses = losses + 1;
	job->wait_s = 60;
	job->group = source->group;
	job->file = strdup(source->file);
	job->path = strdup(source->path);
	*r = (struct relaunch){ .director = director, .job = job, .next = director->relaunches };
	(void)snprintf(r->md5, sizeof(r->md5), "%s", source->md5);
	director->relaunches = r;
	r->timer = evtimer_new(director->base, on_relaunch, r);
	if (r->timer)
		(void)evtimer_add(r->timer, &delay);
}

void job_realm_gone(struct director *director, struct source *source)
{
	struct job *job = director->jobs;
	struct group *group = source->group;
	bool was_active = group->active == source;
	struct source *back = NULL;

	source->realm = NULL;
	if (director->stopping)
		return;
	bool is_lost = source->state == SOURCE_LOADED;
	if (is_lost) {
		tell_change(director, "Lost", group, source, "the host ended");
		load_again(director, source, was_active);
	}
	if (was_active)
		group->active = NULL;
	unlink_source(source);
	/* A job that was to come back to it cannot any more. */
	if (job && job->before == source)
		job->before = NULL;
	if (director->bringup.source == source)
		bringup_cancel(director);
	bool ours = job && job->source == source;
	if (ours && job->kind == JOB_LOAD)
		back = job->deactivated ? job->before : NULL;
	else if (was_active)
		back = highest(group);
	if (is_lost && !ours) {
		/* loaded.json and the store keep it: it is on its way back. */
		source_free(source);
		job_next(director);
		return;
	}
	save(director, group);
	store_remove(director->settings->rundir, source->sha256);
	audit(director, ours && job->kind == JOB_LOAD ? "Undone" : "Unloaded", group, source,
	      ours ? job->error : NULL);
	tell_change(director, ours && job->kind == JOB_LOAD ? "Undone" : "Unloaded", group, source,
		    ours ? job->error : NULL);
	source_free(source);
	if (!ours)
		return;
	job->source = NULL;
	if (back)
		return_to(director, job, back);
	else
		job_end(director, job, job->status, job->error, NULL, true);
}

/* Unload what is lost and waits to be loaded again: then it is not. False: nothing such is known. */
static bool drop_relaunch(struct director *director, const char *hash)
{
	struct relaunch *r = director->relaunches;

	while (r && strcmp(r->md5, hash) != 0 && strcmp(r->job->target, hash) != 0)
		r = r->next;
	if (!r)
		return false;
	store_remove(director->settings->rundir, r->job->target);
	save(director, r->job->group);
	relaunch_free(r);
	return true;
}

static void unload_begin(struct director *director, struct job *job)
{
	struct source *source = source_find(director, job->target);

	if (!source && drop_relaunch(director, job->target)) {
		job_end(director, job, 0, NULL, NULL, true);
		return;
	}
	if (!source || source->state == SOURCE_UNLOADING) {
		job_end(director, job, 4, "no such source is loaded", NULL, false);
		return;
	}
	job->group = source->group;
	job->source = source;
	job->step = STEP_STOPPING;
	runs_want(source, false);
	if (source->group->active == source)
		runs_tell(director, source, offsetof(struct run, on_deactivate));
	source->state = SOURCE_UNLOADING;
	realm_stop(source->realm);
}

/* --- after a crash --- */

struct restore {
	struct director *director;
	size_t left;
	void (*failed)(void *ctx, const char *what, const char *why);
	void (*finished)(void *ctx);
	void *ctx;
};

static void restore_one_done(struct restore *restore)
{
	if (--restore->left > 0)
		return;
	restore->finished(restore->ctx);
	free(restore);
}

static void on_restored(void *ctx, const struct outcome *outcome)
{
	struct restore *restore = ctx;

	if (outcome->status != 0)
		restore->failed(restore->ctx, outcome->group ? outcome->group : "a source",
				outcome->error ? outcome->error : "failed");
	restore_one_done(restore);
}

/* What loaded.json says of one source, as a job. */
static void restore_source(struct restore *restore, const json_t *stored)
{
	const char *group = json_string_value(json_object_get(stored, "Group"));
	const char *file = json_string_value(json_object_get(stored, "File"));
	const char *path = json_string_value(json_object_get(stored, "Path"));
	const char *sha256 = json_string_value(json_object_get(stored, "SHA256"));
	struct job *job;

	if (!group || !file || !path || !sha256 || strlen(sha256) != 64 ||
	    strspn(sha256, "0123456789abcdef") != 64)
		return;
	restore->left++;
	job = job_new(restore->director, JOB_LOAD, sha256, on_restored, restore);
	if (!job)
		return;
	job->restoring = job->retry = true;
	job->inactive = !json_is_true(json_object_get(stored, "Active"));
	job->wait_s = 60;
	job->group = group_get(restore->director, group);
	job->file = strdup(file);
	job->path = strdup(path);
}

void director_restore(struct director *director, const json_t *state,
		      void (*failed)(void *ctx, const char *what, const char *why),
		      void (*finished)(void *ctx), void *ctx)
{
	struct restore *restore = calloc(1, sizeof(*restore));
	const json_t *stored;
	size_t i;

	if (!restore) {
		finished(ctx);
		return;
	}
	*restore = (struct restore){
		.director = director, .left = 1, .failed = failed, .finished = finished, .ctx = ctx
	};
	json_array_foreach(json_object_get(state, "Sources"), i, stored)
		restore_source(restore, stored);
	job_next(director);
	restore_one_done(restore);
}
