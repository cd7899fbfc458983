/* SPDX-License-Identifier: MIT */
/* What does not go on: a change is refused, undone or given up, a source is stopped, and the one to come back to found. */
#include <stddef.h>
#include <stdio.h>

#include "change.h"

#define RETURN_MS 60000

void source_stop(struct source *source)
{
	struct engine *engine = source->director->engine;

	declared_want_all(source, false);
	if (source->group->active == source)
		declared_tell_all(source, offsetof(struct declared, on_deactivate));
	source->state = SOURCE_UNLOADING;
	engine->ops->unload(engine, source->loaded);
}

/* The actors that are there get OnReactivate where it is declared; one that is gone is started anew. */
enum change_state return_to(struct change *change, struct source *source)
{
	/* Its own time is over, or was never set; but an actor that is started anew and hangs may not hold up the group. */
	if (change->error || change->kind != CHANGE_LOAD)
		change_limit(change, RETURN_MS);
	change->source = source;
	declared_tell_all(source, offsetof(struct declared, on_reactivate));
	launch_start(change, source);
	return CHANGE_RETURNING;
}

enum change_state change_fall_back(struct change *change)
{
	const struct group *group = change->group;
	struct source *highest = source_highest(group);

	if (group->active || !highest || group_has_lost(group))
		return CHANGE_ENDED;
	return return_to(change, highest);
}

/* Nothing of the group is active, and nothing that was is on its way back: the highest version is active again. */
enum change_state change_come_back(struct change *change)
{
	const struct group *group = change->group;
	struct source *highest = source_highest(group);

	return !group_has_active(group) && highest ? return_to(change, highest) : CHANGE_ENDED;
}

enum change_state change_refuse(struct change *change, int status, const char *error)
{
	change_blame(change, status, error);
	return CHANGE_ENDED;
}

/* What failed has nothing to do with the package: what was to come back is tried again later. */
enum change_state change_put_off(struct change *change, int status, const char *error)
{
	struct source *source = change->source;

	change_blame(change, status, error);
	if (change->kind == CHANGE_RETURN && source) {
		change->source = NULL;
		source_lose(source, error);
	}
	return CHANGE_ENDED;
}

/* A source that was to come back does not: it is forgotten, and another one of the group may have to be active. */
enum change_state change_give_up(struct change *change, int status, const char *error)
{
	struct source *source = change->source;
	struct tds_err err;

	change_blame(change, status, error);
	if (source)
		(void)source_drop(source, change, "Undone", error, &err);
	change->source = NULL;
	return change_fall_back(change);
}

enum change_state change_fail(struct change *change, int status, const char *error)
{
	return change->kind == CHANGE_RETURN ? change_give_up(change, status, error)
					     : change_refuse(change, status, error);
}

enum change_state change_undo(struct change *change, int status, const char *error)
{
	struct source *source = change->source;

	change_blame(change, status, error);
	change_release_slot(change);
	launch_cancel(change);
	if (!source || !source->loaded)
		return change_fail(change, status, error);
	if (change->kind == CHANGE_LOAD)
		(void)snprintf(change->group->undone, sizeof(change->group->undone), "%s",
			       source->sha256);
	declared_want_all(source, false);
	source->state = SOURCE_UNLOADING;
	change->director->engine->ops->unload(change->director->engine, source->loaded);
	return CHANGE_STOPPING;
}
