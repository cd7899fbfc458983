/* SPDX-License-Identifier: MIT */
/* Groups and sources: made, found, freed, and written down. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "tool/cli.h"
#include "declaration.h"
#include "package/version.h"
#include "rules.h"

struct group *group_find(const struct director *director, const char *name)
{
	struct group *group = director->groups;

	while (group && strcmp(group->name, name) != 0)
		group = group->next;
	return group;
}

struct group *group_get(struct director *director, const char *name)
{
	struct group **p = &director->groups;

	while (*p && strcmp((*p)->name, name) < 0)
		p = &(*p)->next;
	if (*p && strcmp((*p)->name, name) == 0)
		return *p;
	struct group *group = calloc(1, sizeof(*group));
	if (!group || !(group->name = strdup(name))) {
		free(group);
		return NULL;
	}
	group->director = director;
	group->next = *p;
	*p = group;
	return group;
}

void group_tidy(struct group *group)
{
	struct group **p = &group->director->groups;

	if (group->sources || group->changes || group->definition || group->known || group->held ||
	    group->was_active || group->floor || group->trouble)
		return;
	while (*p != group)
		p = &(*p)->next;
	*p = group->next;
	free(group->name);
	free(group);
}

struct source *source_new(struct group *group, const char *file, const char *path,
			  struct tds_tli *tli, struct tds_err *err)
{
	struct source *source = calloc(1, sizeof(*source));
	const char *version = NULL;

	if (!source) {
		tds_err_set(err, TDS_E_NOMEM, "out of memory");
		return NULL;
	}
	source->director = group->director;
	source->group = group;
	source->tli = *tli;
	*tli = (struct tds_tli){ 0 };
	source->file = strdup(file);
	source->path = strdup(path);
	source->key = strdup("");
	if (tds_group_fits(group->name, file, &version) && version)
		source->version = strndup(version, strlen(version) - 4);
	else
		source->version = strdup("");
	int rc = source->file && source->path && source->key && source->version
			 ? declaration_read(source, err)
			 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (rc == 0)
		return source;
	source_free(source);
	return NULL;
}

void source_add(struct source *source)
{
	source->next = source->group->sources;
	source->group->sources = source;
}

void source_remove(struct source *source)
{
	struct group *group = source->group;
	struct source **p = &group->sources;

	while (*p && *p != source)
		p = &(*p)->next;
	if (*p)
		*p = source->next;
	if (group->active == source)
		group->active = NULL;
}

void source_free(struct source *source)
{
	if (!source)
		return;
	timer_stop(&source->retry);
	declaration_free(source);
	tds_tli_fini(&source->tli);
	tds_tli_fini(&source->signed_tli);
	if (source->loaded)
		source->loaded->owner = NULL;
	free(source->file);
	free(source->path);
	free(source->version);
	free(source->key);
	tds_sandbox_unref(source->sandbox);
	free(source->vouch);
	tds_rights_free(source->may);
	tds_rights_free(source->signed_may);
	free(source);
}

struct source *source_find(const struct director *director, const char *hash)
{
	for (struct group *g = director->groups; g; g = g->next)
		for (struct source *s = g->sources; s; s = s->next)
			if (strcmp(s->md5, hash) == 0 || strcmp(s->sha256, hash) == 0)
				return s;
	return NULL;
}

struct source *source_highest(const struct group *group)
{
	struct source *best = NULL;

	for (struct source *s = group->sources; s; s = s->next) {
		if (s->state != SOURCE_LOADED || s->revoked || s->unfit)
			continue;
		if (group_is_held_at(group, s->sha256))
			return s;
		if (!best || tds_version_cmp(group->name, s->file, best->file) > 0)
			best = s;
	}
	return best;
}

bool group_is_held_at(const struct group *group, const char *sha256)
{
	const char *held = json_string_value(json_object_get(group->held, "SHA256"));

	return held && strcmp(held, sha256) == 0;
}

bool group_has_active(const struct group *group)
{
	const struct source *s = group->sources;

	while (s && !s->returns_active)
		s = s->next;
	return group->active || s;
}

bool group_has_lost(const struct group *group)
{
	const struct source *s = group->sources;

	while (s && s->state != SOURCE_LOST)
		s = s->next;
	return s != NULL;
}

struct declared *role_find(const struct director *director, const char *role, const char *group)
{
	for (struct group *g = director->groups; g; g = g->next) {
		if (!g->active || (group && strcmp(group, g->name) != 0))
			continue;
		for (size_t i = 0; i < g->active->ndeclared; i++)
			if (declared_has(&g->active->declared[i], role, NULL))
				return &g->active->declared[i];
	}
	return NULL;
}

bool group_is_clearing(const struct group *group)
{
	const struct source *s = group->sources;

	while (s && s->state != SOURCE_UNLOADING)
		s = s->next;
	return s != NULL;
}

bool declared_is_starting(const struct declared *declared)
{
	if (declared->actor)
		return !declared->actor->up;
	return timer_runs(&declared->again) && declared->delay_ms == 0;
}

/* --- what is revoked --- */

static bool has(const struct director *director, const char *sha256)
{
	return sha256 && *sha256 && json_object_get(director->revoked, sha256);
}

const char *revoked_why(const struct director *director, const char *sha256, const char *key_sha256,
			const char *key_file_sha256)
{
	if (has(director, sha256))
		return "is revoked";
	return has(director, key_sha256) || has(director, key_file_sha256) ? "its key is revoked"
									   : NULL;
}

/* --- what is written down --- */

static bool is_kept(const struct source *source)
{
	return source->state == SOURCE_LOADED || source->state == SOURCE_LOST;
}

static json_t *source_state(const struct source *source)
{
	const struct source *active = source->group->active;
	bool is_active = active ? active == source : source->returns_active;

	bool is_held = is_active && group_is_held_at(source->group, source->sha256);

	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:b, s:I, s:o*, s:O*, s:o*, s:s*}",
			 "Group", tds_cli_json_text(source->group->name), "File",
			 tds_cli_json_text(source->file), "Path", tds_cli_json_text(source->path),
			 "Version", tds_cli_json_text(source->version), "MD5", source->md5,
			 "SHA256", source->sha256, "Active", is_active, "LoadedMs",
			 (json_int_t)source->loaded_wall_ms, "ActiveMs",
			 is_active ? json_integer(source->active_wall_ms) : NULL, "HeldMs",
			 is_held ? json_object_get(source->group->held, "SinceMs") : NULL, "Key",
			 *source->key ? tds_cli_json_text(source->key) : NULL, "KeySHA256",
			 *source->key_sha256 ? source->key_sha256 : NULL);
}

/* Oldest load first, so that loading them in order brings the same order back. False: out of memory. */
static bool add_sources(json_t *all, const struct source *source)
{
	if (!source)
		return true;
	return add_sources(all, source->next) &&
	       (!is_kept(source) || json_array_append_new(all, source_state(source)) == 0);
}

json_t *whole(json_t *doc, bool complete)
{
	if (complete)
		return doc;
	json_decref(doc);
	return NULL;
}

json_t *model_sources(const struct director *director)
{
	json_t *all = json_array();
	bool complete = all != NULL;

	for (const struct group *g = director->groups; complete && g; g = g->next)
		complete = add_sources(all, g->sources);
	return whole(all, complete);
}

json_t *model_definitions(const struct director *director)
{
	json_t *defined = json_object();
	bool complete = defined != NULL;

	for (const struct group *g = director->groups; complete && g; g = g->next)
		complete = !g->definition ||
			   json_object_set_new(defined, g->name, json_string(g->definition)) == 0;
	return whole(defined, complete);
}
