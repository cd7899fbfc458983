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
#include "package/version.h"
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
	json_decref(change->package);
	json_decref(change->deleted);
	json_decref(change->by);
	free(change->traceback);
	free(change->lowered);
	free(change->event_error);
	free(change->version);
	free(change->target);
	free(change->error);
	free(change);
}

static void on_deadline(void *ctx)
{
	change_happens(ctx, CHANGE_DEADLINE, &(struct news){ 0 });
}

void change_limit(struct change *change, int64_t in_ms)
{
	timer_start(change->director->clock, &change->deadline, in_ms, on_deadline, change);
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
		change_limit(change, (int64_t)change->wait_s * 1000);
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

static bool needs_slot(const struct change *change)
{
	return change->kind == CHANGE_LOAD || change->kind == CHANGE_RETURN ||
	       change->kind == CHANGE_FALL_BACK;
}

static void take_slot(struct change *change)
{
	struct director *director = change->director;

	if (!needs_slot(change))
		return;
	change->has_slot = true;
	director->slots_used++;
	timer_start(director->clock, &change->slot, SLOT_MS, on_slow, change);
}

/* The first that may begin; NULL: none. */
static struct change *pick(struct director *director)
{
	struct change *change = director->ready;

	while (change && needs_slot(change) && director->slots_used >= director->settings->slots)
		change = change->next_ready;
	return change;
}

static void begin(struct change *change)
{
	unready(change);
	take_slot(change);
	if (change->kind == CHANGE_RETURN && change->wait_s > 0)
		change_limit(change, (int64_t)change->wait_s * 1000);
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

static json_t *json_of(const struct requester *by)
{
	return by ? by->by : NULL;
}

static void refuse(change_done_fn *done, void *ctx, int status, const char *error)
{
	if (done)
		done(ctx, &(struct outcome){ .status = status, .error = error });
}

/* A load whose group is not known is refused, and stands in the audit log. */
static void refuse_load(struct director *director, const struct load_request *request,
			change_done_fn *done, void *ctx, const struct tds_err *err)
{
	int status = tds_code_status(err->code);

	counts_load(director, status, false, false);
	audit_and_tell(director, &(struct happening){ .what = "Refused",
						      .target = request->target,
						      .by = json_of(request->by),
						      .status = status,
						      .error = err->reason });
	refuse(done, ctx, status, err->reason);
}

static bool is_of_group(enum load_purpose purpose)
{
	return purpose == LOAD_HOLD || purpose == LOAD_ROLLBACK;
}

/* One that clients have defined is known here alone; its definition counts then, as for a load that names it. */
static const char *defined(const struct director *director, const char *name)
{
	const struct group *group = group_find(director, name);

	return group && group->definition ? name : NULL;
}

/* The name of the group that a load is of. *owner is the caller's to free, and may be what is returned. NULL: none. */
static const char *group_of(const struct director *director, const struct load_request *request,
			    char **owner, bool *given, struct tds_err *err)
{
	const struct means *means = director->means;
	const char *name;

	*given = request->group != NULL;
	if (request->group && tds_group_name_ok(request->group))
		return request->group;
	if (request->group) {
		tds_err_set(err, TDS_E_USAGE, "not a name that a group can have");
		return NULL;
	}
	bool known = means->group_of(means->ctx, request->target, owner, err) == 0;
	if (known && (!is_of_group(request->purpose) || strcmp(*owner, request->target) == 0))
		return *owner;
	name = is_of_group(request->purpose) ? defined(director, request->target) : NULL;
	*given = name != NULL;
	if (!name && known)
		tds_err_set(err, TDS_E_MISSING, "no such group");
	return name;
}

static struct change *load_new_change(struct group *group, const struct load_request *request,
				      change_done_fn *done, void *ctx)
{
	struct change *change = change_new(group, CHANGE_LOAD, request->target, done, ctx);

	if (!change)
		return NULL;
	change->purpose = request->purpose;
	change->by = json_incref(json_of(request->by));
	change->wait_s = request->wait_s;
	change->retry = request->retry || is_of_group(request->purpose);
	change->downgrades = request->allow_downgrade;
	change->version = request->version ? strdup(request->version) : NULL;
	if (!request->version || change->version)
		return change;
	change_free(change);
	return NULL;
}

static int check_load(struct director *director, const struct load_request *request,
		      const char *group, struct tds_err *err)
{
	static const enum tds_asked asked[] = {
		[LOAD_NAMED] = TDS_ASKED_LOAD,
		[LOAD_REFRESH] = TDS_ASKED_LOAD,
		[LOAD_HOLD] = TDS_ASKED_HOLD,
		[LOAD_ROLLBACK] = TDS_ASKED_ROLLBACK,
	};

	return director_check(director, request->by, asked[request->purpose], group, err);
}

void director_load(struct director *director, const struct load_request *request,
		   change_done_fn *done, void *ctx)
{
	tds_autofree char *owner = NULL;
	struct tds_err err = { 0 };
	bool given;
	const char *name = group_of(director, request, &owner, &given, &err);

	if (name && check_load(director, request, name, &err) != 0) {
		refuse(done, ctx, tds_code_status(err.code), err.reason);
		return;
	}
	struct group *group = name ? group_get(director, name) : NULL;
	struct change *change = group ? load_new_change(group, request, done, ctx) : NULL;
	if (!name) {
		refuse_load(director, request, done, ctx, &err);
		return;
	}
	if (!change) {
		refuse(done, ctx, 5, "out of memory");
		return;
	}
	change->given = given;
	change_enqueue(change);
}

void director_release(struct director *director, const char *name, const struct requester *by,
		      change_done_fn *done, void *ctx)
{
	const struct load_request request = { .purpose = LOAD_HOLD, .target = name };
	struct group *group = group_find(director, name);
	tds_autofree char *owner = NULL;
	struct tds_err err = { 0 };
	bool given;

	if (director_check(director, by, TDS_ASKED_RELEASE, name, &err) != 0)
		group = NULL;
	else if (!group && group_of(director, &request, &owner, &given, &err))
		group = group_get(director, name);
	struct change *change = group ? change_new(group, CHANGE_RELEASE, name, done, ctx) : NULL;
	if (!change) {
		refuse(done, ctx, err.code ? tds_code_status(err.code) : 5,
		       err.code ? err.reason : "out of memory");
		return;
	}
	change->by = json_incref(json_of(by));
	change_enqueue(change);
}

void director_unload(struct director *director, const char *hash, const struct requester *by,
		     change_done_fn *done, void *ctx)
{
	const struct source *source = source_find(director, hash);
	struct tds_err err;

	if (source &&
	    director_check(director, by, TDS_ASKED_UNLOAD, source->group->name, &err) != 0) {
		refuse(done, ctx, tds_code_status(err.code), err.reason);
		return;
	}
	struct change *change =
		source ? change_new(source->group, CHANGE_UNLOAD, hash, done, ctx) : NULL;

	if (!change) {
		refuse(done, ctx, source ? 5 : 4,
		       source ? "out of memory" : "no such source is loaded");
		return;
	}
	change->by = json_incref(json_of(by));
	change_enqueue(change);
}

void group_fall_back(struct group *group)
{
	struct change *change = change_new(group, CHANGE_FALL_BACK, group->name, NULL, NULL);

	/* Without memory nothing is active, until somebody loads it. */
	if (change)
		change_enqueue(change);
}

bool group_falls_back(const struct group *group)
{
	const struct change *c = group->changes;

	while (c && c->kind != CHANGE_FALL_BACK)
		c = c->next;
	return c != NULL;
}
