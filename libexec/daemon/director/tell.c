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

/* What has happened, and to what; a new reference, NULL: out of memory. */
static json_t *event_of(const struct director *director, const char *what,
			const struct group *group, const struct source *source)
{
	json_t *event =
		json_pack("{s:o, s:s}", "Time",
			  time_json(director->clock->wall_ms(director->clock)), "Event", what);

	if (event && group)
		(void)json_object_set_new(event, "Group", tds_cli_json_text(group->name));
	if (event && source) {
		(void)json_object_set_new(event, "Path", tds_cli_json_text(source->path));
		(void)json_object_set_new(event, "MD5", json_string(source->md5));
		(void)json_object_set_new(event, "SHA256", json_string(source->sha256));
		(void)json_object_set_new(event, "Key", tds_cli_json_text(source->key));
	}
	return event;
}

void tell_change(struct director *director, const char *what, const struct group *group,
		 const struct source *source, const char *error)
{
	json_t *event = event_of(director, what, group, source);

	if (event && error)
		(void)json_object_set_new(event, "Message", tds_cli_json_text(error));
	director->means->event(director->means->ctx, event);
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
