/* SPDX-License-Identifier: MIT */
/* The end of a source that is wanted: it is unloaded, or its load is undone. */
#include <stddef.h>

#include "base/mem.h"
#include "change.h"
#include "desired.h"
#include "rules.h"

enum change_state unload_begin(struct change *change)
{
	struct source *source = source_find(change->director, change->target);
	struct tds_err err;

	if (!source || source->group != change->group || source->state == SOURCE_UNLOADING)
		return change_refuse(change, 4, "no such source is loaded");
	if (desired_known(change->director, &err) != 0 ||
	    (group_is_held_at(change->group, source->sha256) &&
	     group_refuse_held(change->group, &err) != 0))
		return change_refuse(change, tds_code_status(err.code), err.reason);
	change->changed = true;
	source->dismissed = true;
	if (source->state != SOURCE_LOST) {
		change->source = source;
		source_stop(source);
		return CHANGE_STOPPING;
	}
	/* One that waits for its next try is only not tried again. */
	if (source_drop(source, change, "Unloaded", NULL, &err) != 0)
		change_blame(change, 5, err.reason);
	return change_come_back(change);
}

/* Of a load that is undone: what was active before is active again. */
enum change_state load_gone(struct change *change, const struct news *news)
{
	struct source *before = tds_steal(&change->before);

	launch_cancel(change);
	change_release_slot(change);
	if (news->error)
		change_blame(change, 1, news->error);
	change->changed = true;
	if (change->kind == CHANGE_UNLOAD)
		return change_come_back(change);
	/* Without one: it was lost, and was to be active again itself. */
	return before ? return_to(change, before) : change_fall_back(change);
}
