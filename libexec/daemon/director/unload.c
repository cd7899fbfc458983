/* SPDX-License-Identifier: MIT */
/* The end of a source: it is unloaded, its load is undone, or its host is lost. */
#include <stddef.h>
#include <string.h>

#include "job.h"

void source_stop(struct director *director, struct source *source)
{
	runs_want(source, false);
	if (source->group->active == source)
		runs_tell(director, source, offsetof(struct run, on_deactivate));
	source->state = SOURCE_UNLOADING;
	director->engine->ops->unload(director->engine, source->loaded);
}

void unload_begin(struct director *director, struct job *job)
{
	struct source *source = source_find(director, job->target);

	if (!source && relaunch_drop(director, job)) {
		job_end(director, job, job->status, job->error, NULL, true);
		return;
	}
	if (!source || source->state == SOURCE_UNLOADING) {
		job_end(director, job, 4, "no such source is loaded", NULL, false);
		return;
	}
	job->group = source->group;
	job->source = source;
	job->step = STEP_STOPPING;
	source_stop(director, source);
}

static void unlink_source(struct source *source)
{
	struct source **p = &source->group->sources;

	while (*p && *p != source)
		p = &(*p)->next;
	if (*p)
		*p = source->next;
}

/* Does a load wait for this end: of what AutoUnload names? */
static bool is_clearing(const struct job *job, const struct group *group)
{
	return job && job->step == STEP_CLEARING && job->group == group;
}

/*
 * A source that has ended leaves loaded.json, then the store. Where the disk is full, what the store holds makes room:
 * the source is not to come back anyway. job: whom it concerns that it could not be written down; NULL: nobody.
 */
static void forget(struct director *director, struct job *job, const struct source *source)
{
	struct tds_err err = { 0 };
	int rc = write_sources(director, &err);

	store_remove(director->settings->rundir, source->sha256);
	if (rc == 0)
		return;
	if (job)
		save_change(director, job, source->file, "unloaded");
	else
		save_state(director, source->group);
}

void job_realm_gone(struct director *director, struct source *source)
{
	struct job *job = director->jobs;
	struct group *group = source->group;
	bool was_active = group->active == source;
	struct source *back = NULL;

	source->loaded = NULL;
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
		back = source_highest(group);
	const char *what = ours && job->kind == JOB_LOAD ? "Undone" : "Unloaded";
	if (!is_lost) { /* else loaded.json and the store keep it: it is on its way back */
		forget(director, ours || is_clearing(job, group) ? job : NULL, source);
		write_audit(director, what, group, source, ours ? job->error : NULL);
		tell_change(director, what, group, source, ours ? job->error : NULL);
	} else if (ours && !job->error) {
		job->error = strdup("the host ended");
		job->status = 1;
	}
	source_free(source);
	if (!ours) {
		load_cleared(director);
		job_next(director);
		return;
	}
	job->source = NULL;
	if (back)
		return_to(director, job, back);
	else
		job_end(director, job, job->status, job->error, NULL, true);
}
