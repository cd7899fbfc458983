/* SPDX-License-Identifier: MIT */
/* Events as text, for whoever keeps what a supervised process writes to its standard error. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "inside.h"
#include "tool/eventtext.h"

#define PIECE_BYTES 4096 /* what a pipe takes at once, where it takes anything */

/* Nobody who does not read may hold up the loop: what finds no room now is lost, and stands in the event log. */
static bool has_room(void)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT);
}

/* How the daemon ended the guardian has said already, in the same place. */
static bool is_told(const json_t *event)
{
	const char *what = json_string_value(json_object_get(event, "Event"));

	return what && strcmp(what, "Restarted") == 0;
}

void journal_print(const json_t *event)
{
	tds_autofree char *text = NULL;
	const char *group = json_string_value(json_object_get(event, "Group"));
	size_t len = 0;
	FILE *f = is_told(event) ? NULL : open_memstream(&text, &len);

	if (!f)
		return;
	(void)fprintf(f, "tds-admin: ");
	if (group)
		(void)fprintf(f, "%s: ", group);
	tds_event_print(f, event, NULL);
	if (fclose(f) != 0)
		return;
	for (size_t at = 0, n; at < len && has_room(); at += n) {
		n = len - at < PIECE_BYTES ? len - at : PIECE_BYTES;
		if (tds_io_write(STDERR_FILENO, text + at, n) != 0)
			return;
	}
}
