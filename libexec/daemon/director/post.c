/* SPDX-License-Identifier: MIT */
/* What steps and launches say of a change, for later. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"

#define TRACEBACK_MAX_BYTES (64 << 10)

void change_post(struct change *change, enum change_event event, const char *error)
{
	if (!change->stepping) {
		change_happens(change, event, &(struct news){ .error = error });
		return;
	}
	assert(!change->posted); /* a step starts one thing at most */
	change->posted = true;
	change->event = event;
	change->event_error = error ? strdup(error) : NULL;
}

void change_warn(struct change *change, const char *key, const char *text)
{
	if (!change->warnings)
		change->warnings = json_array();
	(void)json_array_append_new(change->warnings, json_sprintf("%s: %s", key, text));
}

/* What was raised stands at the end: of a text that is too long the first lines go. */
static const char *last_lines(const char *text)
{
	size_t len = strlen(text);

	if (len <= TRACEBACK_MAX_BYTES)
		return text;
	const char *cut = strchr(text + len - TRACEBACK_MAX_BYTES, '\n');
	return cut ? cut + 1 : "";
}

void change_trace(struct change *change, const char *traceback)
{
	if (traceback && !change->traceback)
		change->traceback = strdup(last_lines(traceback));
}

void change_blame(struct change *change, int status, const char *error)
{
	if (change->error)
		return;
	change->error = strdup(error);
	change->status = status;
}
