/* SPDX-License-Identifier: MIT */
/* Where groups are held, and which packages were active: remembered, written down, and taken back. */
#include "desired.h"

#include <string.h>

#include "base/jsontext.h"
#include "director/desired.h"
#include "director/floor.h"
#include "floor.h"
#include "rules.h"
#include "tool/cli.h"

json_t *package_json(const struct source *source)
{
	return json_pack("{s:o, s:s, s:s}", "Version", tds_cli_json_text(source->version), "MD5",
			 source->md5, "SHA256", source->sha256);
}

static json_t *held_json(const struct source *source, int64_t since_ms)
{
	json_t *held = package_json(source);

	if (held && json_object_set_new(held, "File", tds_cli_json_text(source->file)) == 0 &&
	    json_object_set_new(held, "Path", tds_cli_json_text(source->path)) == 0 &&
	    json_object_set_new(held, "SinceMs", json_integer(since_ms)) == 0)
		return held;
	json_decref(held);
	return NULL;
}

static int64_t now_ms(const struct group *group)
{
	struct clock *clock = group->director->clock;

	return clock->wall_ms(clock);
}

int group_refuse_held(const struct group *group, struct tds_err *err)
{
	return tds_desired_refuse(group->held, group->name, err);
}

bool group_stores(const struct group *group, const char *sha256)
{
	/* As long as nobody knows, all stays. */
	return !group->director->knows_desired ||
	       tds_desired_group_stores(group->held, group->was_active, sha256);
}

/* --- written down --- */

static json_t *wanted_json(const struct group *group)
{
	return json_pack("{s:O*, s:O*}", "Held", group->held, "WasActive", group->was_active);
}

/* The Groups of desired.json. NULL: out of memory. */
static json_t *desired_json(const struct director *director)
{
	json_t *groups = json_object();
	bool complete = groups != NULL;

	for (const struct group *g = director->groups; complete && g; g = g->next)
		complete = (!g->held && !g->was_active) ||
			   json_object_set_new(groups, g->name, wanted_json(g)) == 0;
	return whole(groups, complete);
}

static struct wish wish_of(const struct group *group)
{
	return (struct wish){ .held = json_incref(group->held),
			      .was_active = json_incref(group->was_active),
			      .floor = json_incref(group->floor),
			      .unsaved = group->director->desired_unsaved,
			      .floors_unsaved = group->director->floors_unsaved };
}

static void wish_fini(struct wish *wish)
{
	json_decref(wish->held);
	json_decref(wish->was_active);
	json_decref(wish->floor);
	*wish = (struct wish){ 0 };
}

void wish_undo(struct group *group, struct wish *before)
{
	/* What of the floor is on disk already is written over. */
	bool floor_moved = group->floor != before->floor;

	json_decref(group->held);
	json_decref(group->was_active);
	json_decref(group->floor);
	group->held = before->held;
	group->was_active = before->was_active;
	group->floor = before->floor;
	group->director->desired_unsaved = before->unsaved;
	group->director->floors_unsaved = before->floors_unsaved || floor_moved;
	*before = (struct wish){ 0 };
}

/* What the store has of a package that is neither loaded nor wanted any more goes. */
static void drop_stored(const struct group *group, const json_t *package)
{
	const struct means *means = group->director->means;
	const char *sha256 = tds_json_string(package, "SHA256");

	if (*sha256 && !group_stores(group, sha256) && !source_find(group->director, sha256))
		means->forget(means->ctx, sha256);
}

void wish_done(struct group *group, struct wish *before)
{
	const json_t *package;
	size_t i;

	json_array_foreach(before->was_active, i, package)
	{
		drop_stored(group, package);
	}
	drop_stored(group, before->held);
	wish_fini(before);
}

/* A floor is written first: a package that desired.json says was active has one. */
int desired_save(struct director *director, struct tds_err *err)
{
	const struct means *means = director->means;
	int rc = floors_save(director, err);

	if (rc == 0 && director->desired_unsaved)
		rc = means->save_desired(means->ctx, desired_json(director), err);
	if (rc == 0)
		director->desired_unsaved = false;
	return rc;
}

const char *wish_lowers(const struct group *group, const struct wish *before)
{
	return before->floor && tds_floor_is_lower(group->floor, before->floor, group->name)
		       ? tds_json_string(before->floor, "Version")
		       : NULL;
}

/* --- what happens --- */

static void set_held(struct group *group, json_t *held)
{
	json_decref(group->held);
	group->held = held;
	group->director->desired_unsaved = true;
}

static void set_was_active(struct group *group, json_t *packages)
{
	json_decref(group->was_active);
	group->was_active = packages;
	group->director->desired_unsaved = true;
}

static json_t *without(const json_t *packages, const char *sha256)
{
	json_t *others = json_array();
	json_t *package;
	size_t i;

	json_array_foreach(packages, i, package)
	{
		if (strcmp(tds_json_string(package, "SHA256"), sha256) != 0)
			(void)json_array_append(others, package);
	}
	return others;
}

static bool was_active_last(const struct group *group, const char *sha256)
{
	size_t n = json_array_size(group->was_active);

	return n > 0 && strcmp(tds_json_string(json_array_get(group->was_active, n - 1), "SHA256"),
			       sha256) == 0;
}

static void remember(const struct source *source)
{
	struct group *group = source->group;

	if (was_active_last(group, source->sha256))
		return;
	json_t *packages = without(group->was_active, source->sha256);
	(void)json_array_append_new(packages, package_json(source));
	while (json_array_size(packages) > TDS_DESIRED_WAS_ACTIVE_MAX)
		(void)json_array_remove(packages, 0);
	set_was_active(group, packages);
}

static void take(struct director *director, const json_t *document)
{
	const char *name;
	json_t *wanted;

	json_object_foreach(json_object_get(document, "Groups"), name, wanted)
	{
		struct group *group = group_get(director, name);

		if (!group)
			continue;
		group->held = json_incref(json_object_get(wanted, "Held"));
		group->was_active = json_incref(json_object_get(wanted, "WasActive"));
	}
}

int desired_known(struct director *director, struct tds_err *err)
{
	const struct means *means = director->means;
	json_t *document = NULL;

	if (director->knows_desired)
		return 0;
	int rc = means->desired(means->ctx, &document, err);
	if (rc != 0)
		return rc;
	take(director, document);
	director->upgrades = !tds_desired_keeps_floors(document);
	json_decref(document);
	director->knows_desired = true;
	floors_upgrade(director);
	/* What became active while it could not be read was not remembered. */
	for (const struct group *g = director->groups; g; g = g->next)
		if (g->active)
			remember(g->active);
	return 0;
}

struct wish wish_activated(const struct source *source, enum settling settling)
{
	struct group *group = source->group;
	struct wish before = wish_of(group);

	floor_activated(source, settling != SETTLES_NOTHING);
	/* What cannot be read is not to be written over. */
	if (!group->director->knows_desired)
		return before;
	remember(source);
	if (settling == SETTLES_HOLD && !group_is_held_at(group, source->sha256))
		set_held(group, held_json(source, now_ms(group)));
	return before;
}

/* Of a change that is made whole or not at all. */
static int save_or_undo(struct group *group, struct wish *before, struct tds_err *err)
{
	int rc = desired_save(group->director, err);

	if (rc == 0)
		wish_done(group, before);
	else
		wish_undo(group, before);
	return rc;
}

int group_set_floor(struct group *group, struct tds_err *err)
{
	struct wish before = wish_of(group);

	floor_activated(group->active, true);
	return save_or_undo(group, &before, err);
}

int group_hold(struct group *group, const struct source *source, struct tds_err *err)
{
	struct wish before = wish_of(group);

	if (source)
		floor_activated(source, true);
	set_held(group, source ? held_json(source, now_ms(group)) : NULL);
	int rc = model_save(group->director, err);
	if (rc == 0)
		rc = save_or_undo(group, &before, err);
	else
		wish_undo(group, &before);
	if (rc != 0)
		save_state(group->director, group);
	return rc;
}

void desired_complete(struct source *source, int64_t held_ms)
{
	struct group *group = source->group;
	struct wish before = wish_of(group);
	struct tds_err err;

	if (group->director->knows_desired && !group_is_held_at(group, source->sha256)) {
		floor_activated(source, true);
		set_held(group, held_json(source, held_ms));
	}
	if (desired_save(group->director, &err) != 0)
		tell_change(group->director, "StateNotWritten", group, NULL, err.reason);
	wish_done(group, &before);
}

int desired_forget(struct group *group, struct tds_err *err)
{
	struct wish before = wish_of(group);

	if (group->was_active)
		set_was_active(group, NULL);
	return save_or_undo(group, &before, err);
}

void desired_free(struct group *group)
{
	json_decref(group->held);
	json_decref(group->was_active);
	json_decref(group->floor);
}
