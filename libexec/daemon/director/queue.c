/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is. Changes of one group go one after the other, those of different groups side by side; but only as many
 * at a time as there are cores are verified and imported. One that takes long over that is waiting for something else
 * than a core, most likely, and gives its place to the next.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "change.h"
#include "rules.h"

#define SLOT_MS 500

struct change *change_new(struct group *group, enum change_kind kind, const char *target,
			  change_done_fn *done, void *ctx)
{
	struct change *change = calloc(1, sizeof(*change));

	if (!change)
		return NULL;
	*change = (struct change){ .director = group->director,
				   .group = group,
				   .kind = kind,
				   .target = strdup(target),
				   .done = done,
				   .ctx = ctx,
				   .keeps = -1,
				   .found = { .fd = -1 } };
	if (change->target)
		return change;
	free(change);
	return NULL;
}

void change_free(struct change *change)
{
	const struct means *means = change->director->means;

	means->cancel(change->verification);
	change_release_slot(change);
	timer_stop(&change->deadline);
	launch_cancel(change);
	candidate_fini(&change->found);
	source_free(change->incoming);
	json_decref(change->warnings);
	free(change->event_error);
	free(change->target);
	free(change->error);
	free(change);
}

static void on_deadline(void *ctx)
{
	change_happens(ctx, CHANGE_DEADLINE, &(struct news){ 0 });
}

static void ready(struct change *change)
{
	struct change **last = &change->director->ready;

	while (*last)
		last = &(*last)->next_ready;
	*last = change;
}

static void unready(struct change *change)
{
	struct change **p = &change->director->ready;

	while (*p && *p != change)
		p = &(*p)->next_ready;
	if (*p)
		*p = change->next_ready;
	change->next_ready = NULL;
}

void change_enqueue(struct change *change)
{
	struct change **last = &change->group->changes;

	while (*last)
		last = &(*last)->next;
	*last = change;
	if (change->kind == CHANGE_LOAD && change->wait_s > 0)
		timer_start(change->director->clock, &change->deadline,
			    (int64_t)change->wait_s * 1000, on_deadline, change);
	if (change->group->changes == change)
		ready(change);
	queue_run(change->director);
}

void queue_next(struct change *ended)
{
	struct group *group = ended->group;
	struct change **p = &group->changes;
	bool was_first = *p == ended;

	while (*p != ended)
		p = &(*p)->next;
	*p = ended->next;
	unready(ended);
	if (was_first && group->changes)
		ready(group->changes);
}

void change_release_slot(struct change *change)
{
	timer_stop(&change->slot);
	if (change->has_slot)
		change->director->slots_used--;
	change->has_slot = false;
}

static void on_slow(void *ctx)
{
	struct change *change = ctx;

	change_release_slot(change);
	queue_run(change->director);
}

static void take_slot(struct change *change)
{
	struct director *director = change->director;

	if (change->kind == CHANGE_UNLOAD)
		return;
	change->has_slot = true;
	director->slots_used++;
	timer_start(director->clock, &change->slot, SLOT_MS, on_slow, change);
}

/* The first that may begin; NULL: none. */
static struct change *pick(struct director *director)
{
	struct change *change = director->ready;

	while (change && change->kind != CHANGE_UNLOAD &&
	       director->slots_used >= director->settings->slots)
		change = change->next_ready;
	return change;
}

static void begin(struct change *change)
{
	unready(change);
	take_slot(change);
	if (change->kind == CHANGE_RETURN && change->wait_s > 0)
		timer_start(change->director->clock, &change->deadline,
			    (int64_t)change->wait_s * 1000, on_deadline, change);
	change_happens(change, CHANGE_BEGIN, &(struct news){ 0 });
}

/* Who begins may end at once, and who is told of that may ask for the next: all of them begin in this loop. */
void queue_run(struct director *director)
{
	struct change *change;

	if (director->running || director->stopping)
		return;
	director->running = true;
	while ((change = pick(director)))
		begin(change);
	director->running = false;
}

/* --- what is asked for --- */

static void refuse(change_done_fn *done, void *ctx, int status, const char *error)
{
	if (done)
		done(ctx, &(struct outcome){ .status = status, .error = error });
}

/* A load whose group is not known is refused, and stands in the audit log. */
static void refuse_load(struct director *director, change_done_fn *done, void *ctx,
			const struct tds_err *err)
{
	audit(director, "Refused", NULL, NULL, err->reason);
	refuse(done, ctx, tds_code_status(err->code), err->reason);
}

void director_load(struct director *director, const struct load_request *request,
		   change_done_fn *done, void *ctx)
{
	const struct means *means = director->means;
	struct tds_err err = { 0 };
	tds_autofree char *owner = NULL;
	int rc = request->group ? 0 : means->group_of(means->ctx, request->target, &owner, &err);
	struct group *group =
		rc == 0 ? group_get(director, request->group ? request->group : owner) : NULL;
	struct change *change =
		group ? change_new(group, CHANGE_LOAD, request->target, done, ctx) : NULL;

	if (rc != 0) {
		refuse_load(director, done, ctx, &err);
		return;
	}
	if (!change) {
		refuse(done, ctx, 5, "out of memory");
		return;
	}
	change->given = request->group != NULL;
	change->wait_s = request->wait_s;
	change->retry = request->retry;
	change_enqueue(change);
}

void director_unload(struct director *director, const char *hash, change_done_fn *done, void *ctx)
{
	const struct source *source = source_find(director, hash);
	struct change *change =
		source ? change_new(source->group, CHANGE_UNLOAD, hash, done, ctx) : NULL;

	if (change)
		change_enqueue(change);
	else
		refuse(done, ctx, source ? 5 : 4,
		       source ? "out of memory" : "no such source is loaded");
}
