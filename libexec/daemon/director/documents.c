/* SPDX-License-Identifier: MIT */
/* What the Director has written down: the documents of its state, and the lines of the audit log. */
#include "rules.h"
#include "tool/cli.h"

json_t *source_state(const struct group *group, const struct source *source)
{
	return json_pack("{s:o?, s:o?, s:o?, s:o?, s:s, s:s, s:b, s:I}", "Group",
			 tds_cli_json_text(group->name), "File", tds_cli_json_text(source->file),
			 "Path", tds_cli_json_text(source->path), "Version",
			 tds_cli_json_text(source->version), "MD5", source->md5, "SHA256",
			 source->sha256, "Active", group->active == source, "LoadedMs",
			 (json_int_t)source->loaded_wall_ms);
}

/* Oldest load first, so that loading them in order brings the same order back. */
static void add_sources(json_t *all, const struct group *group, const struct source *source)
{
	if (!source)
		return;
	add_sources(all, group, source->next);
	if (source->state == SOURCE_LOADED)
		(void)json_array_append_new(all, source_state(group, source));
}

int write_sources(struct director *director, struct tds_err *err)
{
	json_t *all = json_array();

	for (const struct group *g = director->groups; g; g = g->next)
		add_sources(all, g, g->sources);
	/* What is on its way back is not forgotten by a crash that comes before it is there. */
	returning_add(director, all);
	return state_save(director->settings->rundir, all, err);
}

int write_groups(struct director *director, struct tds_err *err)
{
	json_t *defined = json_object();

	for (const struct group *g = director->groups; g; g = g->next)
		if (g->definition)
			(void)json_object_set_new(defined, g->name, json_string(g->definition));
	return groups_save(director->settings->rundir, defined, err);
}

void write_audit(struct director *director, const char *what, const struct group *group,
		 const struct source *source, const char *error)
{
	json_t *line = json_pack("{s:s, s:I}", "Event", what, "TimeMs", (json_int_t)wall_ms());

	if (line && group)
		(void)json_object_set_new(line, "Group", tds_cli_json_text(group->name));
	if (line && source) {
		(void)json_object_set_new(line, "Path", tds_cli_json_text(source->path));
		(void)json_object_set_new(line, "SHA256", json_string(source->sha256));
		(void)json_object_set_new(line, "Key", tds_cli_json_text(source->key));
	}
	if (line && error)
		(void)json_object_set_new(line, "Message", tds_cli_json_text(error));
	audit_add(&director->audit, line);
}
