/* SPDX-License-Identifier: MIT */
/* Floors that are lost, of which floor.json alone says nothing. */
#include "base/mem.h"
#include "director/desired.h"
#include "director/floor.h"
#include "director/rundir.h"
#include "judge.h"

/* Tell of each floor that is lost: packages of the group were active, and nothing says which. */
static void find_lost(const json_t *desired, const json_t *floors,
		      void (*tell)(void *ctx, const struct tds_err *why), void *ctx)
{
	json_t *groups = json_object_get(desired, "Groups");
	const char *name;
	json_t *group;

	if (!tds_desired_keeps_floors(desired))
		return;
	json_object_foreach(groups, name, group)
	{
		struct tds_err why;

		if (tds_floor_check(tds_floor_of(floors, name), json_object_get(group, "WasActive"),
				    name, NULL, &why) != 0)
			tell(ctx, &why);
	}
}

static void add_lost(void *ctx, const struct tds_err *why)
{
	struct report *report = ctx;

	if (report->err.code == TDS_OK)
		report->err = *why;
	else
		report_warn(report, 0, 0, "%s", why->reason);
}

void judge_lost_floors(struct report *report, const json_t *desired, const json_t *floors)
{
	find_lost(desired, floors, add_lost, report);
}

static void warn_of_lost(void *ctx, const struct tds_err *why)
{
	struct admin *admin = ((void **)ctx)[0];

	tds_cli_warn(&admin->cli, ((char **)ctx)[1], "%s", why->reason);
}

void judge_floors(struct admin *admin, const struct tds_dir *dir)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };
	json_t *desired = NULL;
	json_t *floors = NULL;

	if (tds_rundir_open(dir, &rundir, NULL) == 0 &&
	    tds_rundir_json(dir, TDS_DESIRED_NAME, &desired, NULL) == 0 &&
	    tds_rundir_json(dir, TDS_FLOOR_NAME, &floors, NULL) == 0 && desired &&
	    tds_desired_fits(desired) && (!floors || tds_floor_fits(floors))) {
		tds_autofree char *path = tds_dir_join(&rundir, TDS_FLOOR_NAME);

		find_lost(desired, floors, warn_of_lost, (void *[]){ admin, path });
	}
	json_decref(desired);
	json_decref(floors);
}
