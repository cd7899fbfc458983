/* SPDX-License-Identifier: MIT */
/* Becoming active: names move, it is written down, what is superfluous goes; and coming back to a source. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "change.h"
#include "declaration.h"
#include "desired.h"
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
	struct clock *clock = source->director->clock;

	if (source->active_wall_ms == 0 || !source->returns_active)
		source->active_wall_ms = clock->wall_ms(clock);
	source->group->active = source;
	source->state = SOURCE_LOADED;
	source->returns_active = false;
}

static void take_over(struct source *source)
{
	/* Whoever is on its way back comes back to a group that has chosen another. */
	for (struct source *s = source->group->sources; s; s = s->next) {
		s->returns_active = false;
		if (s != source)
			s->active_wall_ms = 0;
	}
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

/* Is the group to be held at the source, now that it is active? A change that fails may come to another one. */
static bool holds(const struct change *change, const struct source *source)
{
	return change->kind == CHANGE_LOAD &&
	       (change->purpose == LOAD_HOLD || change->purpose == LOAD_ROLLBACK) &&
	       strcmp(change->wanted, source->sha256) == 0;
}

static void tell_wish(const struct change *change, const char *what)
{
	audit_and_tell(change->director, &(struct happening){ .what = what,
							      .group = change->group,
							      .source = change->source,
							      .change = change });
}

/* That nobody could mistake it for an attack, or an attack for that. */
static void tell_lowered(const struct change *change)
{
	if (change->lowered)
		audit_and_tell(change->director, &(struct happening){ .what = "FloorLowered",
								      .group = change->group,
								      .source = change->source,
								      .change = change,
								      .error = change->lowered });
}

static void tell_settled(const struct change *change)
{
	tell_lowered(change);
	if (group_is_held_at(change->group, change->source->sha256) &&
	    holds(change, change->source))
		tell_wish(change, change->purpose == LOAD_HOLD ? "Held" : "RolledBack");
}

/* What the change has to do with the source that is active now: one that fails may have come to another. */
static enum settling settling_of(const struct change *change, const struct source *source)
{
	if (holds(change, source))
		return SETTLES_HOLD;
	return change->downgrades && strcmp(change->wanted, source->sha256) == 0 ? SETTLES_FLOOR
										 : SETTLES_NOTHING;
}

/* The floor was higher; NULL: it was not, or memory is short, and the line says less. */
static void note_lowered(struct change *change, const struct wish *before)
{
	const char *version = wish_lowers(change->group, before);

	if (version && asprintf(&change->lowered, "from %s%s",
				*version ? "version " : "the package without one", version) < 0)
		change->lowered = NULL;
}

/*
 * The source is the active one: that is written down, and what comes of it for what is wanted. A new source that is not
 * would be forgotten by a crash: it is not loaded, and wanted is what was.
 */
static int write_wish(struct change *change, bool is_new, struct tds_err *err)
{
	struct source *source = change->source;
	struct wish before = wish_activated(source, settling_of(change, source));
	int rc = model_save(change->director, err);

	if (rc == 0)
		rc = desired_save(change->director, err);
	if (rc != 0 && is_new) {
		wish_undo(change->group, &before);
	} else {
		note_lowered(change, &before);
		wish_done(change->group, &before);
	}
	if (rc != 0)
		tell_change(change->director, "StateNotWritten", change->group, NULL, err->reason);
	return rc;
}

/* One that cannot be audited is not loaded either. What comes back was loaded already: it does in any case. */
static int write_down(struct change *change, const struct happening *loaded, bool is_new,
		      struct tds_err *err)
{
	int rc = is_new ? audit(change->director, loaded, err) : 0;

	return rc == 0 ? write_wish(change, is_new, err) : rc;
}

enum change_state activate(struct change *change)
{
	struct source *source = change->source;
	bool is_new = source->state == SOURCE_LOADING;
	const struct happening loaded = {
		.what = "Loaded", .group = change->group, .source = source, .change = change
	};
	struct tds_err err;

	choose(source);
	if (write_down(change, &loaded, is_new, &err) != 0) {
		if (is_new) {
			change->group->active = change->before;
			return change_undo(change, 5, err.reason);
		}
		if (holds(change, source))
			change_blame(change, 5, err.reason);
	}
	take_over(source);
	change->group->undone[0] = '\0';
	change->changed = true;
	(is_new ? tell : audit_and_tell)(change->director, &loaded);
	tell_settled(change);
	return clear_others(change);
}

enum change_state already_active(struct change *change)
{
	struct group *group = change->group;
	struct source *source = change->source = group->active;
	struct tds_err err;
	int rc = 0;

	(void)snprintf(change->wanted, sizeof(change->wanted), "%s", source->sha256);
	enum settling settling = settling_of(change, source);
	bool is_held = group_is_held_at(group, source->sha256);
	struct wish before = { .floor = json_incref(group->floor) };
	if (settling == SETTLES_HOLD && !is_held)
		rc = group_hold(group, source, &err);
	else if (settling == SETTLES_FLOOR)
		rc = group_set_floor(group, &err);
	note_lowered(change, &before);
	change->changed =
		rc == 0 && (group->floor != before.floor || (settling == SETTLES_HOLD && !is_held));
	json_decref(before.floor);
	if (rc != 0)
		return change_refuse(change, 5, err.reason);
	if (change->changed)
		tell_settled(change);
	return CHANGE_ENDED;
}

enum change_state release_begin(struct change *change)
{
	struct tds_err err;

	change->source = change->group->active;
	if (desired_known(change->director, &err) != 0)
		return change_refuse(change, tds_code_status(err.code), err.reason);
	if (!change->group->held)
		return CHANGE_ENDED;
	if (group_hold(change->group, NULL, &err) != 0)
		return change_refuse(change, 5, err.reason);
	change->changed = true;
	tell_wish(change, "Released");
	return CHANGE_ENDED;
}

/* --- what is superfluous --- */

/* One that waits for its next try is only not tried again. */
static void unload_other(struct change *change, struct source *other)
{
	struct tds_err err;

	if (other->state == SOURCE_LOADED)
		source_stop(other);
	else if (source_drop(other, change, "Unloaded", NULL, &err) != 0)
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

/* What is beyond the limit is deleted, which who asked for the load is told, too. */
static void prune(struct change *change, int64_t keep_limit)
{
	struct director *director = change->director;
	const struct means *means = director->means;
	struct tds_err err;

	change->deleted = json_array();
	if (means->prune(means->ctx, change->group->name, keep_limit, change->deleted, &err) != 0)
		tell_change(director, "NotDeleted", change->group, NULL, err.reason);
	if (json_array_size(change->deleted) > 0)
		tell(director, &(struct happening){ .what = "Pruned",
						    .group = change->group,
						    .by = change->by,
						    .files = change->deleted });
}

enum change_state load_cleared(struct change *change, const struct news *news)
{
	struct source *source = change->group->active;

	(void)news;
	change->source = source;
	if (!source &&
	    !change->error) /* its own process has ended meanwhile: it is on its way back, as at any other time */
		return change_refuse(change, 1, "the host ended");
	if (source && source->tli.keep_limit > 0)
		prune(change, source->tli.keep_limit);
	return CHANGE_ENDED;
}

/* --- returning --- */

/* What was active before is active again; where nothing was, nothing is. */
static enum change_state go_back(struct change *change)
{
	struct source *before = tds_steal(&change->before);

	return before ? return_to(change, before) : CHANGE_ENDED;
}

/* An actor that cannot be brought up does not keep the source from being active: it is started again and again. */
enum change_state returned(struct change *change, const struct news *news)
{
	struct source *source = change->source;
	bool was_asked_for = change->kind == CHANGE_LOAD && !change->error;
	const struct happening activated = { .what = "Activated",
					     .group = change->group,
					     .source = source,
					     .change = change,
					     .error = news->error };
	struct tds_err err;

	if (was_asked_for && audit(change->director, &activated, &err) != 0) {
		change_blame(change, 5, err.reason);
		return go_back(change);
	}
	choose(source);
	take_over(source);
	change->changed = true;
	if (news->error)
		change_blame(change, 1, news->error);
	if (write_wish(change, false, &err) != 0) {
		tds_err_prefix(&err, "%s is active, but that could not be written down",
			       source->file);
		change_blame(change, 5, err.reason);
	}
	(was_asked_for ? tell : audit_and_tell)(change->director, &activated);
	tell_settled(change);
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
	if (!next && !change->group->active && !group_falls_back(change->group))
		next = source_highest(change->group);
	return next ? return_to(change, next) : CHANGE_ENDED;
}

enum change_state return_overdue(struct change *change, const struct news *news)
{
	struct source *before = change->before;
	char why[TDS_ERR_REASON_MAX];

	if (change->source && change->source->revoked)
		return CHANGE_RETURNING; /* it is on its way out, which is told soon */
	launch_overdue(change, why);
	launch_cancel(change);
	change_blame(change, 9, why);
	change->before = NULL;
	return before ? return_to(change, before) : returned(change, news);
}
