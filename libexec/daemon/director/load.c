/* SPDX-License-Identifier: MIT */
/*
 * The steps of a load: verified, imported, its actors up. One that fails is undone: it leaves what was active before
 * active, and says why.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "job.h"
#include "tool/client.h"

static void undo(struct director *director, struct job *job, int status, const char *error)
{
	if (job->error)
		return; /* it is being undone already, and the first reason counts */
	job->error = strdup(error);
	job->status = status;
	bringup_cancel(director);
	if (job->source && job->source->loaded) {
		runs_want(job->source, false);
		(void)snprintf(job->group->undone, sizeof(job->group->undone), "%s",
			       job->source->sha256);
		job->step = STEP_STOPPING;
		director->engine->ops->unload(director->engine, job->source->loaded);
		return; /* job_realm_gone goes on */
	}
	job_end(director, job, status, error, NULL, false);
}

void undo_err(struct director *director, struct job *job, const struct tds_err *err)
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
		const struct engine_actor *actor =
			name ? director->engine->ops->find_name(director->engine, name) : NULL;
		const struct source *owner = actor ? actor->source->owner : NULL;

		if (name && strcmp(name, DIRECTOR_NAME) == 0)
			return tds_err_set(err, TDS_E_REFUSED,
					   "%s: its global name is that of the Director",
					   source->runs[i].key);
		/* It need not be declared: an actor may have made it. A guest owns no name that a group declares: it loses it. */
		if (actor && !actor->source->of_program &&
		    (!owner || owner->group != source->group))
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

static struct source *source_new(struct director *director, struct job *job,
				 const struct verdict *verdict, struct tds_err *err)
{
	struct source *source = calloc(1, sizeof(*source));
	const char *version = verdict->version;
	const char *named = NULL;

	if (!source) {
		tds_err_set(err, TDS_E_NOMEM, "out of memory");
		return NULL;
	}
	source->director = director;
	source->group = job->group;
	if (!version && tds_group_fits(job->group->name, job->file, &named) && named)
		source->version = strndup(named, strlen(named) - 4);
	else
		source->version = strdup(version ? version : "");
	source->file = strdup(job->file);
	source->path = strdup(job->path); /* the job keeps its own, to name what failed */
	source->key = strdup(verdict->key);
	(void)snprintf(source->md5, sizeof(source->md5), "%s", verdict->md5);
	(void)snprintf(source->sha256, sizeof(source->sha256), "%s", verdict->sha256);
	source->identity = job->identity;
	source->trust = trust_now(director->settings->dir, source->key);
	source->loaded_wall_ms = wall_ms();
	source->losses = job->losses;
	source->tli = job->tli;
	job->tli = (struct tds_tli){ 0 };
	int rc = source->version && source->file && source->path && source->key
			 ? runs_read(source, err)
			 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (rc == 0)
		return source;
	source_free(source);
	return NULL;
}

static json_t *names_of(const struct source *source)
{
	json_t *names = json_array();

	for (size_t i = 0; i < source->nruns; i++)
		(void)json_array_append_new(names, json_string(source->runs[i].key));
	return names;
}

static void load_realm(struct director *director, struct job *job, const struct verdict *verdict,
		       int archive)
{
	const struct tds_value *activate = tds_value_get(job->tli.value, "Activate");
	struct tds_err err = { 0 };
	tds_autofd int archive_fd = archive;

	job->ready_first = activate && activate->type == TDS_VALUE_STR &&
			   strcmp(activate->text, "ready-first") == 0;
	struct source *source = source_new(director, job, verdict, &err);
	if (!source || check_names(director, source, &err) != 0 ||
	    store_commit(&job->entry, source->sha256, &source->tli, verdict->write_errno, &err) !=
		    0) {
		source_free(source);
		undo_err(director, job, &err);
		return;
	}
	source->next = job->group->sources;
	job->group->sources = source;
	job->source = source;
	job->step = STEP_IMPORTING;
	source->loaded = director->engine->ops->load(
		director->engine,
		&(struct engine_load){ .md5 = source->md5,
				       .archive = tds_steal_fd(&archive_fd),
				       .names = names_of(source),
				       .info = source->path,
				       .owner = source },
		&err);
	if (!source->loaded) {
		job->group->sources = source->next;
		job->source = NULL;
		store_remove(director->settings->rundir, source->sha256);
		source_free(source);
		undo_err(director, job, &err);
	}
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

/* What is loaded already is only made active, where it is not. */
static void load_known(struct director *director, struct job *job, struct source *source)
{
	source->trust = trust_now(director->settings->dir, source->key);
	source->identity = job->identity;
	job->source = NULL;
	if (job->group->active == source) {
		job_end(director, job, 0, NULL, source, false);
		return;
	}
	load_deactivate(director, job);
	return_to(director, job, source);
}

static void on_verdict(void *ctx, const struct verdict *verdict)
{
	struct director *director = ctx;
	struct job *job = director->jobs;
	tds_autofd int archive_fd = verdict->archive;
	const char *sha256 = verdict->sha256;

	job->verification = NULL;
	job->warnings = json_deep_copy(verdict->warnings);
	if (verdict->status != 0) {
		undo(director, job, verdict->status, verdict->error);
		return;
	}
	struct source *known = source_find(director, verdict->md5);
	if (known && strcmp(known->sha256, sha256) != 0)
		undo(director, job, 1, "another source of the same source hash is loaded");
	else if (known && known->group == job->group)
		load_known(director, job, known);
	else if (known)
		undo(director, job, 1, "it is loaded in another group");
	else if (!job->retry && strcmp(job->group->undone, sha256) == 0)
		undo(director, job, 1, TDS_UNDONE);
	else
		load_realm(director, job, verdict, tds_steal_fd(&archive_fd));
}

/*
 * Is the file the very one that the active source was verified from, unchanged since? Then there is nothing to verify, and
 * nothing happens.
 */
static bool is_active_already(const struct director *director, const struct job *job)
{
	const struct source *active = job->group->active;

	/* Of another name it would be another version, which its signed name would have to agree with. */
	if (job->stored || !active || strcmp(job->file, active->file) != 0)
		return false;
	/* A key that was removed or revoked since is for the verifier to see. */
	const struct trust now = trust_now(director->settings->dir, active->key);
	return identity_is_same(&active->identity, &job->identity) &&
	       trust_is_same(&now, &active->trust);
}

void load_begin(struct director *director, struct job *job)
{
	struct timeval wait = { .tv_sec = job->wait_s };
	struct tds_err err = { 0 };
	int rc;

	if (job->stored)
		rc = job_resolve_stored(director, job, &err);
	else if ((rc = job_resolve(director, job, &err)) == 0 &&
		 (rc = job_read_declaration(director, job, &err)) != 0)
		free(tds_steal(&job->path)); /* the declaration is at fault, not the package */
	if (rc != 0) {
		undo_err(director, job, &err);
		return;
	}
	job->identity = identity_of(job->fd);
	if (is_active_already(director, job)) {
		job_end(director, job, 0, NULL, job->group->active, false);
		return;
	}
	job->step = STEP_VERIFYING;
	job->deadline = evtimer_new(director->base, on_deadline, director);
	if (job->deadline && job->wait_s > 0)
		(void)evtimer_add(job->deadline, &wait);
	/* What comes from the store is there already. */
	if (!job->stored && store_begin(director->settings->rundir, &job->entry, &err) != 0) {
		undo_err(director, job, &err);
		return;
	}
	job->verification =
		verification_start(director->base, director->settings->verifier,
				   director->settings->dir, job->fd, job->file, job->group->name,
				   job->stored ? -1 : job->entry.file.fd, on_verdict, director);
	if (!job->verification)
		undo(director, job, 1, "the verifier could not be started");
	else
		director->engine->ops->prepare(director->engine);
}

static void on_all_up(struct director *director, const char *error)
{
	struct job *job = director->jobs;

	if (error) {
		tds_autofree char *why = NULL;
		const struct run *run = NULL;

		for (size_t i = 0; i < job->source->nruns && !run; i++)
			if (!job->source->runs[i].actor || !job->source->runs[i].actor->up)
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
