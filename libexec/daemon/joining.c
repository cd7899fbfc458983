/* SPDX-License-Identifier: MIT */
/* The convention, where the director directory says that there is one: what it is told of this system, and what it tells. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/release.h"
#include "base/text.h"
#include "daemon/convention/convention.h"
#include "daemon/keep/state.h"
#include "director/rundoc.h"
#include "inside.h"
#include "tool/cli.h"

/* --- what this system has --- */

static json_t *source_json(const char *group, const json_t *source, bool active)
{
	return json_pack("{s:o, s:O, s:O, s:o, s:b}", "Group", tds_cli_json_text(group), "Version",
			 json_object_get(source, "Version"), "SHA256",
			 json_object_get(source, "SHA256"), "Key",
			 tds_cli_json_text(tds_text_base(tds_json_string(source, "Key"))), "Active",
			 active);
}

static json_t *sources_json(const json_t *groups)
{
	json_t *list = json_array();
	const char *name;
	const char *hash;
	json_t *group;
	json_t *source;

	json_object_foreach((json_t *)(uintptr_t)groups, name, group)
	{
		const char *active = tds_json_string(group, "ActiveHash");

		json_object_foreach(json_object_get(group, "Sources"), hash, source)(void)
			json_array_append_new(list,
					      source_json(name, source, strcmp(hash, active) == 0));
	}
	return list;
}

static json_t *describe(void *ctx)
{
	const struct daemon *d = ctx;
	const struct engine *engine = d->door_settings.engine;
	json_t *all = director_retrieve_all(d->director, NULL);
	json_t *document = json_pack("{s:o, s:o, s:[]}", "Capabilities",
				     json_deep_copy(engine->ops->capabilities(engine)), "Sources",
				     sources_json(json_object_get(all, "Groups")), "Refused");

	json_decref(all);
	return document;
}

static void count_actor(void *ctx, const struct engine_actor_view *actor)
{
	(void)actor;
	++*(uint64_t *)ctx;
}

static uint64_t actors(void *ctx)
{
	const struct daemon *d = ctx;
	const struct engine *engine = d->door_settings.engine;
	uint64_t n = 0;

	engine->ops->each_actor(engine, count_actor, &n);
	return n;
}

/* --- what it tells --- */

static void tell(void *ctx, const char *what, json_t *fields)
{
	struct daemon *d = ctx;
	json_t *event = events_new(d->clock->wall_ms(d->clock), what);

	if (event)
		(void)json_object_update_missing(event, fields);
	json_decref(fields);
	events_add(&d->world.events, event);
}

static void remember(void *ctx, const struct convention_past *past)
{
	struct daemon *d = ctx;
	struct tds_err err = { 0 };

	if (membership_save(d->settings->rundir, past->epoch, past->term, &err) != 0)
		tell(d, "StateNotWritten",
		     json_pack("{s:o}", "Message", tds_cli_json_text(err.reason)));
}

/* What cannot be read is as if it were not there: others tell which terms there were. */
static struct convention_past recall(struct daemon *d)
{
	struct convention_past past = { 0 };
	struct tds_err err;
	json_t *document = membership_read(d->settings->rundir, &err);

	if (err.code != TDS_OK)
		tell(d, "NotUnderstood",
		     json_pack("{s:o}", "Message", tds_cli_json_text(err.reason)));
	(void)snprintf(past.epoch, sizeof(past.epoch), "%s", tds_json_string(document, "Epoch"));
	past.term = (uint64_t)json_integer_value(json_object_get(document, "Term"));
	json_decref(document);
	return past;
}

int joining_read(struct daemon *d, struct tds_err *err)
{
	/* The system of a program is for that program. */
	if (d->settings->transient)
		return 0;
	int rc = tds_convention_read(&d->settings->dir, &d->convention_config, NULL, err);
	if (rc == 0 && d->convention_config.is_there)
		d->convention_settings.role = tds_convention_role(&d->convention_config);
	return rc;
}

bool joining_begin(struct daemon *d)
{
	if (!d->convention_config.is_there)
		return true;
	d->convention_settings = (struct convention_settings){
		.program = d->link,
		.dir = &d->settings->dir,
		.config = &d->convention_config,
		.role = d->convention_settings.role,
		.version = tds_release_version,
		.past = recall(d),
		.describe = describe,
		.actors = actors,
		.remember = remember,
		.tell = tell,
		.ctx = d,
	};
	d->convention = convention_new(d->base, d->clock, &d->convention_settings);
	return d->convention != NULL;
}

void joining_end(struct daemon *d)
{
	/* One that restarts says so by the epoch that it follows. */
	if (d->ending != ENDING_RESTART)
		convention_leave(d->convention);
}

void joining_close(struct daemon *d)
{
	convention_free(d->convention);
	tds_convention_fini(&d->convention_config);
}

json_t *joining_status(const struct daemon *d)
{
	return d->convention ? convention_status(d->convention) : json_null();
}

json_t *joining_members(void *ctx)
{
	const struct daemon *d = ctx;

	return d->convention ? convention_members(d->convention) : NULL;
}
