/* SPDX-License-Identifier: MIT */
/* The event log. */
#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "base/when.h"
#include "director/rundir.h"
#include "tool/cli.h"

#define FORMAT 1
#define FORMAT_BYTES 12 /* of ,"Format":1 and the line's end */

void events_open(struct events *events, int rundir, const struct log_limits *limits)
{
	*events = (struct events){ .backlog = { .max = EVENTS_KEPT_MAX_BYTES } };
	logfile_init(&events->file, rundir, TDS_EVENTS_NAME, limits);
}

void events_close(struct events *events)
{
	events_flush(events);
	backlog_fini(&events->backlog);
	logfile_close(&events->file);
}

void events_reopen(struct events *events)
{
	logfile_reopen(&events->file);
}

json_t *events_new(int64_t wall_ms, const char *what)
{
	char when[TDS_WHEN_MAX];

	tds_when_text(wall_ms, when);
	return json_pack("{s:s, s:s}", "Time", when, "Event", what);
}

void events_set(json_t *event, const char *key, const char *text)
{
	if (event && text && *text)
		(void)json_object_set_new(event, key, tds_cli_json_text(text));
}

/* The first line of a file says which format it has. False: it could not be written whole. */
static bool write_down(struct events *events, json_t *event)
{
	tds_autofree char *text = tds_json_text(event, JSON_COMPACT);
	struct tds_err err;
	bool is_first;

	if (!text || logfile_prepare(&events->file, strlen(text) + FORMAT_BYTES, &is_first, &err))
		return false;
	if (is_first && json_object_set_new(event, "Format", json_integer(FORMAT)) == 0) {
		free(text);
		text = tds_json_text(event, JSON_COMPACT);
		(void)json_object_del(event, "Format");
	}
	size_t len = text ? strlen(text) : 0;
	char *line = text ? realloc(text, len + 2) : NULL;
	if (!line)
		return false;
	text = strcpy(line + len, "\n") - len;
	return logfile_add(&events->file, text, len + 1, &err) == 0;
}

static bool write_next(struct events *events, json_t *event)
{
	backlog_tell_lost(&events->backlog, event);
	if (!write_down(events, event))
		return false;
	events->backlog.lost = 0;
	return true;
}

void events_flush(struct events *events)
{
	for (json_t *event; (event = backlog_first(&events->backlog));) {
		if (!write_next(events, event))
			return;
		backlog_written(&events->backlog);
	}
}

void events_add(struct events *events, json_t *event)
{
	events_flush(events);
	if (backlog_first(&events->backlog) || !write_next(events, event))
		backlog_add(&events->backlog, event);
	if (event && events->tell)
		events->tell(events->ctx, event);
	json_decref(event);
}
