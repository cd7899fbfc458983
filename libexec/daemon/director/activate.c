/* SPDX-License-Identifier: MIT */
/* Becoming active: names move, it is written down, what is superfluous goes; and coming back to a source. */
#include <stddef.h>

#include "change.h"
#include "declaration.h"
#include "rules.h"

/* An actor that is not there, or on its way out, has its name when it is started again: until then nobody has. */
static void take_names(struct source *source)
{
	struct engine *engine = source->director->engine;

	for (size_t i = 0; i < source->ndeclared; i++) {
		const struct declared *d = &source->declared[i];

		if (d->global_name)
			(void)engine->ops->bind(engine, d->global_name,
						d->actor && d->actor->up ? d->actor : NULL);
	}
}

static void choose(struct source *source)
{
	source->group->active = source;
	source->state = SOURCE_LOADED;
	source->returns_active = false;
}

static void take_over(struct source *source)
{
	/* Whoever is on its way back comes back to a group that has chosen another. */
	for (struct source *s = source->group->sources; s; s = s->next)
		s->returns_active = false;
	take_names(source);
	declared_want_all(source, true);
}

/* As the definition of the source that is replaced says, also where that is on its way back. */
static int keeps_of(const struct group *group)
{
	const struct source *replaced = group->active;

	for (const struct source *s = group->sources; s && !replaced; s = s->next)
		if (s->returns_active)
			replaced = s;
	return replaced ? declaration_keeps(replaced) : -1;
}

void rest_active(struct change *change)
{
	struct source *active = change->group->active;

	if (change->rested)
		return;
	change->rested = true;
	change->before = active;
	change->keeps = keeps_of(change->group);
	if (!active)
		return;
	declared_want_all(active, false);
	declared_tell_all(active, offsetof(struct declared, on_deactivate));
}

bool comes_back_inactive(const struct change *change)
{
	const struct source *source = change->source;

	return change->kind == CHANGE_RETURN && source && !source->returns_active;
}

enum change_state keep_inactive(struct change *change)
{
	change->source->state = SOURCE_LOADED;
	change->changed = true;
	save_state(change->director, change->group);
	return change_fall_back(change);
}

enum change_state activate(struct change *change)
{
	struct source *source = change->source;
	bool is_new = source->state == SOURCE_LOADING;
	struct director *director = change->director;
	struct tds_err err;

	choose(source);
	if (model_save(director, &err) != 0) {
		tell_change(director, "StateNotWritten", change->group, NULL, err.reason);
		/* A new source that is not written down would be forgotten by a crash: it is not loaded. */
		if (is_new) {
			change->group->active = change->before;
			return change_undo(change, 5, err.reason);
		}
	}
	take_over(source);
	change->group->undone[0] = '\0';
	change->changed = true;
	audit(director, "Loaded", change->group, source, NULL);
	tell_change(director, "Loaded", change->group, source, NULL);
	return clear_others(change);
}

/* --- what is superfluous --- */

/* One that waits for its next try is only not tried again. */
static void unload_other(struct change *change, struct source *other)
{
	struct tds_err err;

	if (other->state == SOURCE_LOADED)
		source_stop(other);
	else if (source_drop(other, "Unloaded", NULL, &err) != 0)
		change_blame(change, 5, err.reason);
}

/* All but the newest others go. */
static void auto_unload(struct change *change)
{
	struct source *next;
	int seen = 0;

	for (struct source *s = change->group->sources; s && change->keeps >= 0; s = next) {
		next = s->next;
		if (s != change->source && s->state != SOURCE_UNLOADING && ++seen > change->keeps)
			unload_other(change, s);
	}
}

/* The load has succeeded, and is not undone any more. It ends when the others are gone: their files may go with them. */
enum change_state clear_others(struct change *change)
{
	timer_stop(&change->deadline);
	auto_unload(change);
	change->source = change->before = NULL;
	if (!group_is_clearing(change->group))
		change_post(change, CHANGE_CLEARED, NULL);
	return CHANGE_CLEARING;
}

enum change_state load_cleared(struct change *change, const struct news *news)
{
	const struct means *means = change->director->means;
	struct source *source = change->group->active;
	struct tds_err err;

	(void)news;
	change->source = source;
	if (!source &&
	    !change->error) /* its own process has ended meanwhile: it is on its way back, as at any other time */
		return change_refuse(change, 1, "the host ended");
	if (source && source->tli.keep_limit > 0 &&
	    means->prune(means->ctx, change->group->name, source->tli.keep_limit, &err) != 0)
		tell_change(change->director, "NotDeleted", change->group, NULL, err.reason);
	return CHANGE_ENDED;
}

/* --- returning --- */

/* An actor that cannot be brought up does not keep the source from being active: it is started again and again. */
enum change_state returned(struct change *change, const struct news *news)
{
	struct source *source = change->source;
	struct director *director = change->director;
	bool was_asked_for = change->kind == CHANGE_LOAD && !change->error;
	struct tds_err err;

	choose(source);
	take_over(source);
	change->changed = true;
	if (news->error)
		change_blame(change, 1, news->error);
	if (model_save(director, &err) != 0) {
		tell_change(director, "StateNotWritten", change->group, NULL, err.reason);
		tds_err_prefix(&err, "%s is active, but that could not be written down",
			       source->file);
		change_blame(change, 5, err.reason);
	}
	audit(director, "Activated", change->group, source, news->error);
	tell_change(director, "Activated", change->group, source, news->error);
	if (was_asked_for && !change->error)
		return clear_others(change);
	return CHANGE_ENDED;
}

/* The source to come back to has lost its process. It comes back by itself; until then the group needs another. */
enum change_state return_lost(struct change *change, const struct news *news)
{
	struct source *next = change->before;

	change_blame(change, 1, news->error);
	launch_cancel(change);
	change->before = NULL;
	if (!next && !change->group->active)
		next = source_highest(change->group);
	return next ? return_to(change, next) : CHANGE_ENDED;
}

enum change_state return_overdue(struct change *change, const struct news *news)
{
	struct source *before = change->before;

	launch_cancel(change);
	change_blame(change, 9, "was not ready in time");
	change->before = NULL;
	return before ? return_to(change, before) : returned(change, news);
}
