/* SPDX-License-Identifier: MIT */
/* What has happened, told to those who watch, to the audit log, and to the disk. */
#include <stdlib.h>

#include "base/mem.h"
#include "rules.h"
#include "tool/cli.h"

void candidate_fini(struct candidate *found)
{
	free(found->file);
	free(found->path);
	tds_close_fd(&found->fd);
	*found = (struct candidate){ .fd = -1 };
}

void tell_change(struct director *director, const char *what, const struct group *group,
		 const struct source *source, const char *error)
{
	if (!director->watch.change)
		return;
	json_t *event = json_pack("{s:s, s:o, s:o?}", "Event", what, "Time",
				  time_json(director->clock->wall_ms(director->clock)), "Group",
				  group ? tds_cli_json_text(group->name) : NULL);
	if (event && source) {
		(void)json_object_set_new(event, "SourceHash", json_string(source->md5));
		(void)json_object_set_new(event, "Source", tds_cli_json_text(source->path));
	}
	if (event && error)
		(void)json_object_set_new(event, "Message", tds_cli_json_text(error));
	director->watch.change(director->watch.ctx, event);
	json_decref(event);
}

void audit(struct director *director, const char *what, const struct group *group,
	   const struct source *source, const char *error)
{
	json_t *line = json_pack("{s:s, s:I}", "Event", what, "TimeMs",
				 (json_int_t)director->clock->wall_ms(director->clock));

	if (line && group)
		(void)json_object_set_new(line, "Group", tds_cli_json_text(group->name));
	if (line && source) {
		(void)json_object_set_new(line, "Path", tds_cli_json_text(source->path));
		(void)json_object_set_new(line, "SHA256", json_string(source->sha256));
		(void)json_object_set_new(line, "Key", tds_cli_json_text(source->key));
	}
	if (line && error)
		(void)json_object_set_new(line, "Message", tds_cli_json_text(error));
	if (line)
		director->means->audit(director->means->ctx, line);
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
