/* SPDX-License-Identifier: MIT */
/* What is to come back, and what is not. */
#include "recall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "daemon/base/clock.h"
#include "daemon/keep/state.h"
#include "daemon/keep/store.h"
#include "director/rundir.h"

#define DEATHS_TOO_MANY 2
#define WHY "the admin process died twice while it came back"

static bool move_aside(int rundir, const char *name, const char *aside, struct tds_err *err)
{
	if (renameat(rundir, name, rundir, aside) == 0 || errno == ENOENT)
		return true;
	tds_err_sys(err, TDS_E_WRITE, "%s", name);
	return false;
}

/* What is wanted is not what a crash left: only what cannot be understood is moved aside. */
static bool desired_is_whole(int rundir)
{
	struct tds_err err;

	json_decref(desired_read(rundir, &err));
	return err.code == TDS_OK;
}

bool recall_read(const struct daemon_settings *settings, json_t **state, json_t **groups,
		 struct tds_err *err)
{
	int rundir = settings->rundir;

	tds_io_sweep(rundir); /* what a dead one was writing */
	if (settings->fresh)
		(void)unlinkat(rundir, TDS_RETURNING_NAME, 0);
	if (settings->fresh && (!move_aside(rundir, TDS_LOADED_NAME, TDS_LOADED_NAME ".old", err) ||
				!move_aside(rundir, TDS_GROUPS_NAME, TDS_GROUPS_NAME ".old", err)))
		return false;
	if (settings->fresh && !desired_is_whole(rundir) &&
	    !move_aside(rundir, TDS_DESIRED_NAME, TDS_DESIRED_NAME ".old", err))
		return false;
	*state = state_read(rundir, err);
	if (err->code == TDS_OK)
		*groups = groups_read(rundir, err);
	if (err->code == TDS_OK)
		return true;
	struct tds_err why = *err;
	tds_autofree char *path = NULL;
	if (tds_rundir_path(&settings->dir, &path, err) == 0)
		tds_err_set(err, why.code, "%s/%s (start --fresh begins anew)", path, why.reason);
	return false;
}

/* A file of the run directory goes, or was not there. */
static bool drop(int rundir, const char *name, struct tds_err *err)
{
	if (unlinkat(rundir, name, 0) == 0 || errno == ENOENT)
		return true;
	tds_err_sys(err, TDS_E_WRITE, "what was loaded could not be forgotten: %s", name);
	return false;
}

void recall_sweep(int rundir, const json_t *state)
{
	struct tds_err err;
	json_t *desired = desired_read(rundir, &err);

	if (err.code == TDS_OK)
		store_sweep(rundir, state, desired);
	json_decref(desired);
}

int recall_forget(int rundir, struct tds_err *err)
{
	(void)unlinkat(rundir, TDS_RETURNING_NAME, 0);
	if (!drop(rundir, TDS_LOADED_NAME, err) || !drop(rundir, TDS_GROUPS_NAME, err))
		return err->code;
	if (fsync(rundir) != 0 && errno != EINVAL)
		return tds_err_sys(err, TDS_E_WRITE,
				   "what was loaded could not be forgotten: the run directory");
	recall_sweep(rundir, NULL);
	return 0;
}

static void leave_out(struct world *world, const json_t *source)
{
	static const char *const known[] = { "Group", "Path", "Version", "MD5", "SHA256" };
	json_t *event = events_new(world->clock->wall_ms(world->clock), "LeftOut");

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		events_set(event, known[i], tds_json_string(source, known[i]));
	events_set(event, "Message", WHY);
	world_note(world, event);
	returning_end(&world->returning, tds_json_string(source, "SHA256"));
}

void recall_leave_out(struct world *world, json_t *state,
		      void (*failed)(void *ctx, const char *what, const char *why), void *ctx)
{
	json_t *sources = json_object_get(state, "Sources");
	size_t before = json_array_size(sources);
	struct tds_err err;

	for (size_t i = before; i-- > 0;) {
		const json_t *source = json_array_get(sources, i);

		if (returning_deaths(&world->returning, tds_json_string(source, "SHA256")) <
		    DEATHS_TOO_MANY)
			continue;
		failed(ctx, tds_json_string(source, "File"), WHY);
		leave_out(world, source);
		(void)json_array_remove(sources, i);
	}
	if (json_array_size(sources) < before &&
	    state_save(world->rundir, json_incref(sources), &err) != 0)
		failed(ctx, err.reason, "what is left out comes back at the next start");
}
