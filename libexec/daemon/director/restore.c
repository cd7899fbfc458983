/* SPDX-License-Identifier: MIT */
/*
 * Loading again what was loaded: after a crash of the admin, as loaded.json has it, and after the end of a source's host.
 * The packages come from the store, and are verified again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "job.h"

#define STEADY_MS 60000 /* loaded for this long: the next loss is a first one */

/* --- after the end of a host --- */

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

void relaunches_free(struct director *director)
{
	while (director->relaunches)
		relaunch_free(director->relaunches);
}

/* Its parent died, and its actors with it: the same bytes are loaded again, from the store, and verified again. */
void load_again(struct director *director, const struct source *source, bool active)
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
	job->stored = source_state(source->group, source);
	(void)json_object_set_new(job->stored, "Active", json_boolean(active));
	job->retry = true;
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

bool relaunch_drop(struct director *director, struct job *job)
{
	struct relaunch *r = director->relaunches;
	const char *hash = job->target;

	while (r && strcmp(r->md5, hash) != 0 && strcmp(r->job->target, hash) != 0)
		r = r->next;
	if (!r)
		return false;
	tds_autofree char *file = tds_steal(&r->job->file);
	job->group = r->job->group;
	store_remove(director->settings->rundir, r->job->target);
	relaunch_free(r);
	save_change(director, job, file ? file : hash, "unloaded");
	return true;
}

bool is_returning(const struct director *director, const struct group *group, const struct job *job)
{
	for (const struct job *j = director->jobs; j; j = j->next)
		if (j != job && j->stored && j->group == group)
			return true;
	for (const struct relaunch *r = director->relaunches; r; r = r->next)
		if (r->job && r->job->group == group)
			return true;
	return false;
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
		restore->failed(restore->ctx,
				outcome->path ? tds_text_base(outcome->path) : "a source",
				outcome->error ? outcome->error : "failed");
	restore_one_done(restore);
}

static const char *text_of(const json_t *stored, const char *key)
{
	return json_string_value(json_object_get(stored, key));
}

/* What loaded.json says of one source, as a job. state_read has checked it. */
static void restore_source(struct restore *restore, const json_t *stored)
{
	restore->left++;
	struct job *job = job_new(restore->director, JOB_LOAD, text_of(stored, "SHA256"),
				  on_restored, restore);

	if (!job)
		return;
	job->stored = json_incref((json_t *)(uintptr_t)stored);
	job->retry = true;
	job->inactive = !json_is_true(json_object_get(stored, "Active"));
	job->wait_s = 60;
	job->group = group_get(restore->director, text_of(stored, "Group"));
	job->file = strdup(text_of(stored, "File"));
	job->path = strdup(text_of(stored, "Path"));
}

/* The groups that clients have defined. */
static void restore_groups(struct director *director, const json_t *defined)
{
	const char *name;
	json_t *text;

	json_object_foreach((json_t *)(uintptr_t)defined, name, text)
	{
		struct group *group = group_get(director, name);

		if (!group)
			continue;
		group->definition = strdup(json_string_value(text));
		group->known = true;
	}
}

static void add_returning(const struct director *director, const struct job *job, json_t *sources)
{
	const struct source *source = job->stored ? source_find(director, job->target) : NULL;

	if (job->stored && (!source || source->state != SOURCE_LOADED))
		(void)json_array_append(sources, job->stored);
}

void returning_add(const struct director *director, json_t *sources)
{
	for (const struct job *job = director->jobs; job; job = job->next)
		add_returning(director, job, sources);
	for (const struct relaunch *r = director->relaunches; r; r = r->next)
		if (r->job)
			add_returning(director, r->job, sources);
}

void director_restore(struct director *director, const json_t *state, const json_t *groups,
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
	restore_groups(director, json_object_get(groups, "Groups"));
	json_array_foreach(json_object_get(state, "Sources"), i, stored)
		restore_source(restore, stored);
	job_next(director);
	restore_one_done(restore);
}
