/* SPDX-License-Identifier: MIT */
/* What the daemon has to tell of itself: its beginning and its end, with who wanted that. */
#include <unistd.h>

#include "base/release.h"
#include "director/config.h"
#include "inside.h"

static json_t *event_of(const struct daemon *d, const char *what)
{
	return events_new(d->clock->wall_ms(d->clock), what);
}

void note_begin(struct daemon *d)
{
	const struct ward *ward = d->ward;
	json_t *event = event_of(d, ward->last_end ? "Restarted" : "Started");

	events_set(event, "TdsVersion", tds_release_version);
	events_set(event, "Message", ward->last_end);
	if (event) {
		(void)json_object_set_new(event, "Pid", json_integer(getpid()));
		(void)json_object_set_new(event, "Uid", json_integer(geteuid()));
	}
	if (event && ward->last_end)
		(void)json_object_set_new(event, "Restarts", json_integer(ward->restarts));
	world_note(&d->world, event);
}

void note_stopping(struct daemon *d, const char *what, json_t *by)
{
	json_t *event = event_of(d, what);

	if (by && event)
		(void)json_object_set(event, "By", by);
	world_note(&d->world, event);
}

void note_end(struct daemon *d, int status, const char *why)
{
	json_t *event = event_of(d, "Stopped");

	events_set(event, "Message", why);
	if (status != 0)
		(void)json_object_set_new(event, "Status", json_integer(status));
	world_note(&d->world, event);
}

void note_left_out(struct daemon *d, const char *why)
{
	json_t *event = event_of(d, "LeftOut");

	events_set(event, "Message", why);
	world_note(&d->world, event);
}

void note_no_effect(struct daemon *d, const char *file, const char *instead)
{
	json_t *event = event_of(d, "NoEffect");

	events_set(event, "File", file);
	events_set(event, "Message", instead);
	events_add(&d->world.events, event);
}

/* A setting that has no effect, or not the one that it names. */
static void note_effect(void *ctx, const struct tds_config_file *file, const char *instead)
{
	note_no_effect(ctx, file->name, instead);
}

void note_effects(struct daemon *d)
{
	const struct tds_cgroup *cgroup = d->config.cgroup;

	tds_config_effects(&d->settings->dir, note_effect, d);
	if (d->configured.memory_max != UINT64_MAX && !(cgroup && cgroup->has_memory))
		note_no_effect(d, "actorlimits.cfg",
			       "memory: no source has a cgroup that limits it");
}
