/* SPDX-License-Identifier: MIT */
/* Becoming active: names and roles move, it is written down, what is superfluous goes; and coming back to a source. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "director/groups.h"
#include "director/prune.h"
#include "job.h"

/* An actor that is not there, or on its way out, has its name when it is started again: until then nobody has. */
static void take_names(struct director *director, struct source *source)
{
	struct engine *engine = director->engine;

	for (size_t i = 0; i < source->nruns; i++) {
		const struct run *run = &source->runs[i];

		if (run->global_name)
			(void)engine->ops->bind(engine, run->global_name,
						run->actor && run->actor->up ? run->actor : NULL);
	}
}

static void make_active(struct director *director, struct source *source)
{
	source->group->active = source;
	source->state = SOURCE_LOADED;
	take_names(director, source);
	runs_want(source, true);
	runs_start_missing(director, source);
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
	struct source *next;
	int seen = 0;

	for (struct source *s = job->group->sources; s && keep >= 0; s = next) {
		next = s->next;
		if (s != job->source && s->state == SOURCE_LOADED && ++seen > keep)
			source_stop(director, s);
	}
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

void load_cleared(struct director *director)
{
	struct job *job = director->jobs;

	if (!job || job->step != STEP_CLEARING)
		return;
	for (const struct source *s = job->group->sources; s; s = s->next)
		if (s->state == SOURCE_UNLOADING)
			return;
	/* Its own host may have ended meanwhile: then it is on its way back, as at any other time. */
	const struct source *source = job->group->active;
	if (source)
		prune(director, source);
	if (source && job->error) /* what went with it is not written down */
		job_end(director, job, job->status, job->error, source, true);
	else
		job_end(director, job, source ? 0 : 1, source ? NULL : "the host ended", source,
			true);
}

/* The load has succeeded, and is not undone any more. It ends when the others are gone: their files may go with them. */
static void clear_others(struct director *director, struct job *job)
{
	if (job->deadline)
		(void)evtimer_del(job->deadline);
	auto_unload(director, job);
	job->source = job->before = NULL;
	job->step = STEP_CLEARING;
	held_release(director);
	load_cleared(director);
}

void load_activate(struct director *director, struct job *job)
{
	struct tds_err err = { 0 };

	make_active(director, job->source);
	if (write_sources(director, &err) != 0) {
		/* What is not written down would be forgotten by a crash: it is not loaded, and so not lost. */
		job->group->active = job->before;
		job->source->state = SOURCE_LOADING;
		runs_want(job->source, false);
		undo_err(director, job, &err);
		return;
	}
	job->group->undone[0] = '\0';
	write_audit(director, "Loaded", job->group, job->source, NULL);
	tell_change(director, "Loaded", job->group, job->source, NULL);
	clear_others(director, job);
}

/* The change has happened; that it could not be written down is said, and the next change writes it again. */
void save_state(struct director *director, const struct group *group)
{
	struct tds_err err = { 0 };

	if (write_sources(director, &err) != 0)
		tell_change(director, "StateNotWritten", group, NULL, err.reason);
}

void save_change(struct director *director, struct job *job, const char *file, const char *what)
{
	const struct group *group = job->group;
	struct tds_err err = { 0 };
	char *text;

	if (write_sources(director, &err) == 0)
		return;
	tell_change(director, "StateNotWritten", group, NULL, err.reason);
	if (job->error || asprintf(&text, "%s is %s, but that could not be written down: %s", file,
				   what, err.reason) < 0)
		return; /* the first reason counts */
	job->error = text;
	job->status = tds_code_status(err.code);
}

/* Restored as it was before the crash: loaded, but another one of its group is active. */
void load_keep(struct director *director, struct job *job)
{
	job->source->state = SOURCE_LOADED;
	save_state(director, job->group);
	job_end(director, job, 0, NULL, job->source, true);
}

struct source *source_highest(const struct group *group)
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
	bool undoing = job->error != NULL;

	make_active(director, source);
	if (error && !job->error) {
		job->error = strdup(error);
		job->status = 1;
	}
	save_change(director, job, source->file, "active");
	write_audit(director, "Activated", source->group, source, error);
	tell_change(director, "Activated", source->group, source, error);
	if (undoing)
		job_end(director, job, job->status, job->error, NULL, true);
	else if (job->error || job->kind == JOB_UNLOAD)
		job_end(director, job, job->status, job->error, source, true);
	else
		clear_others(director, job);
}

/* The actors that are there get OnReactivate where it is declared; one that is gone is started anew. */
void return_to(struct director *director, struct job *job, struct source *source)
{
	job->step = STEP_RETURNING;
	job->source = source;
	runs_tell(director, source, offsetof(struct run, on_reactivate));
	bringup_start(director, source, on_returned);
}
