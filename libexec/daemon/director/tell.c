/* SPDX-License-Identifier: MIT */
/* What has happened, told to those who watch, to the audit log, and to the disk. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/when.h"
#include "change.h"
#include "tool/cli.h"

void candidate_fini(struct candidate *found)
{
	free(found->file);
	free(found->path);
	tds_close_fd(&found->fd);
	*found = (struct candidate){ .fd = -1 };
}

void set_text(json_t *event, const char *key, const char *text)
{
	if (text && *text)
		(void)json_object_set_new(event, key, tds_cli_json_text(text));
}

static void set_package(json_t *event, const struct source *source)
{
	set_text(event, "Path", source->path);
	set_text(event, "Version", source->version);
	set_text(event, "MD5", source->md5);
	set_text(event, "SHA256", source->sha256);
	set_text(event, "Key", source->key);
	set_text(event, "KeySHA256", source->key_sha256);
}

/* Of which package the change is, as far as it was found and looked at. */
static void set_found(json_t *event, const struct change *change)
{
	set_text(event, "Path", change->found.path);
	if (!change->found.path && change->kind == CHANGE_LOAD)
		set_text(event, "Target", change->target);
	(void)json_object_update_missing(event, change->package);
}

static void set_asker(json_t *event, json_t *by, int status)
{
	if (by)
		(void)json_object_set(event, "By", by);
	if (status != 0)
		(void)json_object_set_new(event, "Status", json_integer(status));
}

static void set_declared(json_t *event, const struct declared *declared)
{
	set_text(event, "Role", declared->role);
	set_text(event, "Class", declared->class_name);
	if (declared->restarts > 0)
		(void)json_object_set_new(event, "Restarts", json_integer(declared->restarts));
}

static void set_actor(json_t *event, const struct engine_actor *actor)
{
	set_text(event, "Class", actor->class_name);
	set_text(event, "Address", actor->address);
	if (actor->ending[0] == '\0' || actor->status == ENGINE_NO_STATUS)
		return;
	(void)json_object_set_new(event, actor->status < 0 ? "Signal" : "ExitStatus",
				  json_integer(abs(actor->status)));
}

static json_t *event_new(const struct director *director, const char *what)
{
	char when[TDS_WHEN_MAX];

	tds_when_text(director->clock->wall_ms(director->clock), when);
	return json_pack("{s:s, s:s}", "Time", when, "Event", what);
}

/* A new reference; NULL: out of memory. */
static json_t *event_of(const struct director *director, const struct happening *h)
{
	const struct change *change = h->change;
	json_t *event = event_new(director, h->what);

	if (!event)
		return NULL;
	if (h->group)
		set_text(event, "Group", h->group->name);
	if (h->source)
		set_package(event, h->source);
	else if (change)
		set_found(event, change);
	if (h->declared)
		set_declared(event, h->declared);
	if (h->actor)
		set_actor(event, h->actor);
	set_text(event, "Target", h->target);
	if (h->files)
		(void)json_object_set(event, "Files", h->files);
	if (h->times > 0)
		(void)json_object_set_new(event, "Times", json_integer((json_int_t)h->times));
	set_asker(event, change ? change->by : h->by,
		  !h->error ? 0
		  : change  ? change->status
			    : h->status);
	set_text(event, "Message", h->error);
	return event;
}

void tell(struct director *director, const struct happening *h)
{
	json_t *event = event_of(director, h);

	if (event && h->change && json_array_size(h->change->warnings) > 0)
		(void)json_object_set(event, "Warnings", h->change->warnings);
	if (event && h->error)
		set_text(event, "Traceback", h->change ? h->change->traceback : h->traceback);
	director->means->event(director->means->ctx, event);
}

void tell_change(struct director *director, const char *what, const struct group *group,
		 const struct source *source, const char *error)
{
	tell(director,
	     &(struct happening){ .what = what, .group = group, .source = source, .error = error });
}

int audit(struct director *director, const struct happening *h, struct tds_err *err)
{
	const struct means *means = director->means;

	return means->audit(means->ctx, event_of(director, h), err);
}

void audit_and_tell(struct director *director, const struct happening *h)
{
	const struct means *means = director->means;

	means->audit_anyway(means->ctx, event_of(director, h));
	tell(director, h);
}

int model_save(struct director *director, struct tds_err *err)
{
	return director->means->save_sources(director->means->ctx, model_sources(director), err);
}

void save_state(struct director *director, const struct group *group)
{
	struct tds_err err = { 0 };

	if (model_save(director, &err) != 0)
		tell_change(director, "StateNotWritten", group, NULL, err.reason);
}
