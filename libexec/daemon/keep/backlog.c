/* SPDX-License-Identifier: MIT */
/* Lines that wait for room. */
#include "backlog.h"

#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/mem.h"

void backlog_add(struct backlog *backlog, json_t *line)
{
	tds_autofree char *text = line ? tds_json_text(line, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : backlog->max;

	if (!backlog->lines)
		backlog->lines = json_array();
	if (backlog->bytes + len < backlog->max && json_array_append(backlog->lines, line) == 0)
		backlog->bytes += len;
	else
		backlog->lost++;
}

json_t *backlog_first(const struct backlog *backlog)
{
	return json_array_get(backlog->lines, 0);
}

void backlog_written(struct backlog *backlog)
{
	(void)json_array_remove(backlog->lines, 0);
	if (json_array_size(backlog->lines) == 0)
		backlog->bytes = 0;
}

void backlog_tell_lost(const struct backlog *backlog, json_t *line)
{
	if (line && backlog->lost > 0)
		(void)json_object_set_new(line, "Lost", json_integer(backlog->lost));
}

void backlog_fini(struct backlog *backlog)
{
	json_decref(backlog->lines);
	*backlog = (struct backlog){ .max = backlog->max };
}
