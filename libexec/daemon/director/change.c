/* SPDX-License-Identifier: MIT */
/* The life of a change: which event does what in which state. */
#include "change.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rules.h"

typedef enum change_state step_fn(struct change *change, const struct news *news);

/* A source that the admin dies of at each return is to be found out. */
static void tell_return(const struct change *change, bool under_way)
{
	const struct means *means = change->director->means;

	if (change->kind == CHANGE_RETURN && means->returning)
		means->returning(means->ctx, change->target, under_way);
}

static enum change_state begin(struct change *change, const struct news *news)
{
	(void)news;
	tell_return(change, true);
	switch (change->kind) {
	case CHANGE_UNLOAD:
		return unload_begin(change);
	case CHANGE_RELEASE:
		return release_begin(change);
	case CHANGE_FALL_BACK:
		return fall_back_begin(change);
	default:
		return load_begin(change);
	}
}

static enum change_state judge(struct change *change, const struct news *news)
{
	return change->kind == CHANGE_FALL_BACK ? fall_back_judge(change, news)
						: load_judge(change, news);
}

/* The wait counts from the request: it may be over before it begins. */
static enum change_state expire(struct change *change, const struct news *news)
{
	(void)news;
	return change_refuse(change, 9, "its turn did not come in time");
}

/*
 * A state that is left out knows nothing of the event: a launch that was cancelled has no end, and a deadline that comes
 * when all is on its way out, or done, changes nothing.
 */
static step_fn *const table[CHANGE_STATES][CHANGE_EVENTS] = {
	[CHANGE_WAITING] = { [CHANGE_BEGIN] = begin, [CHANGE_DEADLINE] = expire },
	[CHANGE_VERIFYING] = { [CHANGE_VERDICT] = judge, [CHANGE_DEADLINE] = load_overdue },
	[CHANGE_IMPORTING] = { [CHANGE_IMPORTED] = load_imported,
			       [CHANGE_REVOKED] = load_revoked,
			       [CHANGE_GONE] = load_gone,
			       [CHANGE_DEADLINE] = load_overdue },
	[CHANGE_STARTING] = { [CHANGE_UP] = load_up,
			      [CHANGE_FAILED] = load_failed,
			      [CHANGE_REVOKED] = load_revoked,
			      [CHANGE_GONE] = load_gone,
			      [CHANGE_DEADLINE] = load_overdue },
	[CHANGE_STOPPING] = { [CHANGE_GONE] = load_gone },
	[CHANGE_RETURNING] = { [CHANGE_UP] = returned,
			       [CHANGE_FAILED] = returned,
			       [CHANGE_GONE] = return_lost,
			       [CHANGE_DEADLINE] = return_overdue },
	[CHANGE_CLEARING] = { [CHANGE_CLEARED] = load_cleared },
};
_Static_assert(sizeof(table) / sizeof(table[0]) == 7, "each state has a row");
_Static_assert(CHANGE_EVENTS == 9, "each event is thought of in each row");

/*
 * What a refresh was refused for is remembered until a load of the group succeeds. Returns whether the refresh before came
 * to the same. A name that means nothing is not remembered, and without memory it is told once more.
 */
static bool remember_trouble(const struct change *change)
{
	struct group *group = change->group;
	char *trouble = NULL;

	if (change->kind != CHANGE_LOAD)
		return false;
	if (change->status != 0 && change->status != 4 && change->purpose == LOAD_REFRESH &&
	    asprintf(&trouble, "%s: %s", change->found.path ? change->found.path : "",
		     change->error ? change->error : "") < 0)
		trouble = NULL;
	bool same = trouble && group->trouble && strcmp(trouble, group->trouble) == 0;
	if (trouble || change->status == 0) {
		free(group->trouble);
		group->trouble = trouble;
	}
	return same;
}

/* A refresh of what is active already: whoever wants to know what is odd about it was told when that was loaded. */
static bool is_nothing(const struct change *change)
{
	return change->kind == CHANGE_LOAD && change->purpose == LOAD_REFRESH &&
	       change->status == 0 && !change->changed;
}

static void end(struct change *change)
{
	struct director *director = change->director;
	struct group *group = change->group;
	const struct source *source = change->status == 0 ? change->source : NULL;
	struct outcome outcome = { .status = change->status,
				   .error = change->error,
				   .group = change->group->name,
				   .source = source,
				   .path = change->found.path,
				   .changed = change->changed,
				   .warnings = is_nothing(change) ? NULL : change->warnings,
				   .left_alone = change->left_alone,
				   .again = remember_trouble(change),
				   .deleted = change->deleted };

	if (change->kind == CHANGE_LOAD)
		counts_load(director, change->status, change->changed, change->told);
	queue_next(change);
	tell_return(change, false);
	if (change->status != 0 && !change->told)
		audit_and_tell(director, &(struct happening){ .what = "Refused",
							      .group = change->group,
							      .source = source,
							      .change = change,
							      .error = change->error });
	if (change->done)
		change->done(change->ctx, &outcome);
	change_free(change);
	group_tidy(group);
	parked_release(director);
	queue_run(director);
}

static void step(struct change *change, enum change_event event, const struct news *news)
{
	step_fn *const does = table[change->state][event];

	if (!does)
		return;
	assert(!change->stepping); /* the engine tells nothing from within an operation */
	change->stepping = true;
	change->state = does(change, news);
	change->stepping = false;
}

void change_takes(struct change *change, enum change_event event, const struct news *news)
{
	struct director *director = change->director;

	step(change, event, news);
	while (change->state != CHANGE_ENDED && change->posted) {
		tds_autofree char *error = tds_steal(&change->event_error);

		change->posted = false;
		step(change, change->event, &(struct news){ .error = error });
	}
	if (change->state == CHANGE_ENDED)
		end(change);
	else
		queue_run(director); /* it may have given its place free */
}
