/* SPDX-License-Identifier: MIT */
/* What the Director answers, as the protocol has it. */
#include <stdio.h>
#include <string.h>

#include "base/when.h"
#include "rules.h"
#include "tool/cli.h"

static json_t *time_json(int64_t wall_ms)
{
	char text[TDS_WHEN_MAX];

	tds_when_text(wall_ms, text);
	return json_string(text);
}

json_t *address_json(const char *address)
{
	return *address ? json_pack("{s:s}", "ActorAddress", address) : json_null();
}

/* For its next start, after it has exited? */
static bool is_waiting(const struct declared *declared)
{
	return !declared->actor && timer_runs(&declared->again);
}

static json_t *declared_json(const struct declared *declared)
{
	json_t *doc = json_pack(
		"{s:s, s:o, s:o, s:o}", "ActorClass", declared->key, "Role",
		declared->role ? json_string(declared->role) : json_null(), "ActorAddress",
		address_json(declared->actor ? declared->actor->address : ""), "StartTime",
		declared->started_wall_ms ? time_json(declared->started_wall_ms) : json_null());

	if (declared->global_name)
		(void)json_object_set_new(doc, "GlobalName", json_string(declared->global_name));
	if (declared->restarts > 0)
		(void)json_object_set_new(doc, "Restarts", json_integer(declared->restarts));
	if (*declared->ending)
		(void)json_object_set_new(doc, "LastEnd", json_string(declared->ending));
	if (is_waiting(declared))
		(void)json_object_set_new(doc, "NextStart", time_json(declared->next_wall_ms));
	if (declared->actor)
		(void)json_object_set_new(doc, "Pid", json_integer(declared->actor->pid));
	return doc;
}

static json_t *source_json(const struct source *source)
{
	json_t *doc =
		json_pack("{s:o?, s:o?, s:o?, s:s, s:s, s:o}", "File",
			  tds_cli_json_text(source->file), "Path", tds_cli_json_text(source->path),
			  "Version", tds_cli_json_text(source->version), "MD5", source->md5,
			  "SHA256", source->sha256, "Loaded", time_json(source->loaded_wall_ms));

	if (doc && tds_rights_count(source->signed_may) > 0)
		(void)json_object_set_new(doc, "May",
					  json_pack("{s:o, s:o}", "Signed",
						    tds_rights_json(source->signed_may), "Declared",
						    tds_rights_json(source->may)));
	if (doc && *source->key)
		(void)json_object_set_new(doc, "Key", tds_cli_json_text(source->key));
	if (source->sandbox)
		(void)json_object_set_new(doc, "Sandbox",
					  tds_cli_json_text(source->sandbox->words));
	if (doc && *source->key_sha256)
		(void)json_object_set_new(doc, "KeySHA256", json_string(source->key_sha256));
	if (source->group->active == source)
		(void)json_object_set_new(doc, "ActiveSince", time_json(source->active_wall_ms));
	if (source->state == SOURCE_LOST)
		(void)json_object_set_new(doc, "Lost", json_true());
	return doc;
}

/* As desired.json has it, but with the time as every answer has times. */
static json_t *held_json(const json_t *held)
{
	json_t *doc = json_copy((json_t *)(uintptr_t)held);
	json_int_t since_wall_ms = json_integer_value(json_object_get(held, "SinceMs"));

	if (!doc)
		return NULL;
	(void)json_object_del(doc, "SinceMs");
	(void)json_object_set_new(doc, "Since", time_json(since_wall_ms));
	return doc;
}

/* Of the actors of the active source. */
static json_int_t restarts_of(const struct group *group)
{
	json_int_t n = 0;

	for (size_t i = 0; group->active && i < group->active->ndeclared; i++)
		n += group->active->declared[i].restarts;
	return n;
}

static json_t *group_json(const struct group *group)
{
	json_t *loaded = json_array();
	json_t *running = json_object();
	json_t *sources = json_object();

	for (const struct source *s = group->sources; s; s = s->next) {
		json_t *runs = json_array();

		for (size_t i = 0; i < s->ndeclared; i++)
			(void)json_array_append_new(runs, declared_json(&s->declared[i]));
		(void)json_array_append_new(loaded, json_string(s->md5));
		(void)json_object_set_new(running, s->md5, runs);
		(void)json_object_set_new(sources, s->md5, source_json(s));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:I, s:o*, s:o*, s:O*}", "ActiveHash",
			 group->active ? json_string(group->active->md5) : json_null(), "Loaded",
			 loaded, "Running", running, "Sources", sources, "Restarts",
			 restarts_of(group), "Undone",
			 group->undone[0] ? json_string(group->undone) : NULL, "Held",
			 held_json(group->held), "Floor", json_object_get(group->floor, "Version"));
}

json_t *director_retrieve_all(struct director *director, const char *group)
{
	json_t *groups = json_object();

	for (const struct group *g = director->groups; g; g = g->next)
		if ((g->sources || g->known || g->held) && (!group || strcmp(group, g->name) == 0))
			(void)json_object_set_new(groups, g->name, group_json(g));
	return json_pack("{s:s, s:b, s:o}", "DirectorResponse", "AllAddresses", "Success", 1,
			 "Groups", groups);
}

json_t *director_restarted(const struct director *director)
{
	json_t *all = json_array();

	for (const struct group *g = director->groups; g; g = g->next)
		for (size_t i = 0; g->active && i < g->active->ndeclared; i++) {
			json_t *declared;

			if (g->active->declared[i].restarts == 0)
				continue;
			declared = declared_json(&g->active->declared[i]);
			(void)json_object_set_new(declared, "Group", tds_cli_json_text(g->name));
			(void)json_array_append_new(all, declared);
		}
	return all;
}

json_t *director_sandboxes(const struct director *director)
{
	json_t *all = json_array();

	for (const struct group *g = director->groups; g; g = g->next)
		for (const struct source *s = g->sources; s; s = s->next)
			if (s->sandbox)
				(void)json_array_append_new(
					all, json_pack("{s:o?, s:o?, s:o?}", "Group",
						       tds_cli_json_text(g->name), "File",
						       tds_cli_json_text(s->file), "Sandbox",
						       tds_cli_json_text(s->sandbox->words)));
	return all;
}

json_t *director_retrieve_role(struct director *director, const char *role, const char *group)
{
	struct declared *declared = role_find(director, role, group);

	if (!declared || !declared->actor)
		return json_pack("{s:s, s:b, s:s, s:n, s:n}", "DirectorResponse", "RoleAddress",
				 "Success", 0, "Role", role, "ActorAddress", "ActorClass");
	return json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:o, s:o}", "DirectorResponse",
			 "RoleAddress", "Success", 1, "Group", declared->source->group->name,
			 "SourceHash", declared->source->md5, "ActorClass", declared->key, "Role",
			 role, "ActorAddress", address_json(declared->actor->address), "StartTime",
			 time_json(declared->started_wall_ms));
}

json_t *outcome_json(const char *response, const struct outcome *outcome)
{
	json_t *doc = json_pack("{s:s, s:b, s:i, s:b}", "DirectorResponse", response, "Success",
				outcome->status == 0, "Status", outcome->status, "Changed",
				outcome->changed);

	if (doc && outcome->group)
		(void)json_object_set_new(doc, "Group", tds_cli_json_text(outcome->group));
	if (doc && outcome->error)
		(void)json_object_set_new(doc, "Message", tds_cli_json_text(outcome->error));
	if (doc && outcome->left_alone)
		(void)json_object_set_new(doc, "LeftAlone", json_true());
	if (doc && outcome->again)
		(void)json_object_set_new(doc, "Again", json_true());
	if (doc && json_array_size(outcome->warnings) > 0)
		(void)json_object_set(doc, "Warnings", (json_t *)(uintptr_t)outcome->warnings);
	if (doc && json_array_size(outcome->deleted) > 0)
		(void)json_object_set(doc, "Deleted", outcome->deleted);
	if (doc && outcome->source)
		(void)json_object_set_new(doc, "SourceHash", json_string(outcome->source->md5));
	const char *path = outcome->source ? outcome->source->path : outcome->path;
	if (doc && path)
		(void)json_object_set_new(doc, "Path", tds_cli_json_text(path));
	return doc;
}
