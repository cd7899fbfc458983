/* SPDX-License-Identifier: MIT */
/* The queue of changes: loads and unloads, one after the other, each a walk through a few steps between events. */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "job.h"

void job_free(struct job *job)
{
	verification_cancel(job->verification);
	if (job->deadline)
		event_free(job->deadline);
	tds_close_fd(&job->fd);
	store_drop(&job->entry);
	if (job->tli.value)
		tds_tli_fini(&job->tli);
	json_decref(job->warnings);
	json_decref(job->stored);
	free(job->target);
	free(job->error);
	free(job->file);
	free(job->path);
	free(job);
}

/*
 * Nothing is active, and nothing else of the group is on its way back: a crash came in the middle of an unload, or what
 * was active does not come back. Then the highest version is active, as after an unload.
 */
static bool falls_back(struct director *director, struct job *job, int status, const char *error)
{
	struct source *highest;

	if (!job->stored || job->step == STEP_RETURNING || !job->group || job->group->active ||
	    is_returning(director, job->group, job) || !(highest = source_highest(job->group)))
		return false;
	job->status = status;
	if (error != job->error) {
		free(job->error);
		job->error = error ? strdup(error) : NULL;
	}
	return_to(director, job, highest);
	return true;
}

void job_end(struct director *director, struct job *job, int status, const char *error,
	     const struct source *source, bool changed)
{
	if (falls_back(director, job, status, error))
		return;

	struct outcome outcome = { .status = status,
				   .error = error,
				   .group = job->group ? job->group->name : NULL,
				   .source = source,
				   .path = job->path,
				   .changed = changed,
				   .warnings = job->warnings };

	director->jobs = job->next;
	if (status != 0)
		write_audit(director, "Refused", job->group, source, error);
	if (status != 0 && job->stored)
		save_state(director, job->group); /* it does not come back */
	if (job->done)
		job->done(job->ctx, &outcome);
	job_free(job);
	held_release(director);
	job_next(director);
}

struct job *job_make(enum job_kind kind, const char *target, job_done_fn *done, void *ctx)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job || !(job->target = strdup(target))) {
		free(job);
		if (done)
			done(ctx, &(struct outcome){ .status = 5, .error = "out of memory" });
		return NULL;
	}
	job->kind = kind;
	job->fd = -1;
	job->done = done;
	job->ctx = ctx;
	return job;
}

void job_enqueue(struct director *director, struct job *job)
{
	struct job **last = &director->jobs;

	while (*last)
		last = &(*last)->next;
	*last = job;
}

struct job *job_new(struct director *director, enum job_kind kind, const char *target,
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

void jobs_free(struct director *director)
{
	relaunches_free(director);
	while (director->jobs) {
		struct job *job = director->jobs;

		director->jobs = job->next;
		job_free(job);
	}
}
