/* SPDX-License-Identifier: MIT */
/* Floors: known, held against what is chosen, raised, set, and written down. */
#include "floor.h"

#include "director/floor.h"
#include "rules.h"
#include "tool/cli.h"

/* The Groups of floor.json. NULL: out of memory. */
static json_t *floors_json(const struct director *director)
{
	json_t *groups = json_object();
	bool complete = groups != NULL;

	for (const struct group *g = director->groups; complete && g; g = g->next)
		complete = !g->floor || json_object_set(groups, g->name, g->floor) == 0;
	return whole(groups, complete);
}

int floors_save(struct director *director, struct tds_err *err)
{
	const struct means *means = director->means;
	/* What cannot be read is not to be written over. */
	bool wanted = director->knows_floors && director->floors_unsaved;
	int rc = wanted ? means->save_floors(means->ctx, floors_json(director), err) : 0;

	if (rc == 0)
		director->floors_unsaved = false;
	return rc;
}

static void take(struct director *director, const json_t *document)
{
	const char *name;
	json_t *floor;

	json_object_foreach(json_object_get(document, "Groups"), name, floor)
	{
		struct group *group = group_get(director, name);

		if (!group)
			continue;
		json_decref(group->floor);
		group->floor = json_incref(floor);
	}
}

static void set(struct group *group, json_t *version)
{
	struct clock *clock = group->director->clock;

	json_decref(group->floor);
	group->floor = json_pack("{s:o, s:I}", "Version", version, "SinceMs",
				 (json_int_t)clock->wall_ms(clock));
	group->director->floors_unsaved = true;
}

void floors_upgrade(struct director *director)
{
	if (!director->upgrades || !director->knows_floors)
		return;
	for (struct group *g = director->groups; g; g = g->next) {
		const json_t *floor = tds_floor_or_last(g->floor, g->was_active, g->name);

		if (floor != g->floor)
			set(g, json_incref(json_object_get(floor, "Version")));
	}
	director->upgrades = false;
	director->desired_unsaved = true;
}

int floors_known(struct director *director, struct tds_err *err)
{
	const struct means *means = director->means;
	json_t *document = NULL;

	if (director->knows_floors)
		return 0;
	int rc = means->floors(means->ctx, &document, err);
	if (rc != 0)
		return rc;
	take(director, document);
	json_decref(document);
	director->knows_floors = true;
	floors_upgrade(director);
	/* What became active while it could not be read has not raised it. */
	for (const struct group *g = director->groups; g; g = g->next)
		if (g->active)
			floor_activated(g->active, false);
	return 0;
}

int floor_check(const struct group *group, const char *file, struct tds_err *err)
{
	int rc = floors_known(group->director, err);

	return rc == 0 ? tds_floor_check(group->floor, group->was_active, group->name, file, err)
		       : rc;
}

static bool is_raised(const struct source *source)
{
	const struct group *group = source->group;

	return group->floor ? tds_floor_compare(group->floor, group->name, source->file) > 0
			    : !tds_floor_is_lost(group->floor, group->was_active);
}

void floor_activated(const struct source *source, bool sets)
{
	struct group *group = source->group;
	bool is_there =
		group->floor && tds_floor_compare(group->floor, group->name, source->file) == 0;

	if (floors_known(source->director, &(struct tds_err){ 0 }) != 0 || is_there ||
	    !(sets || is_raised(source)))
		return;
	set(group, tds_cli_json_text(source->version));
}
