/* SPDX-License-Identifier: MIT */
/* A line for a log that another process writes. */
#include "eventfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/when.h"
#include "rundir.h"

/* The event with what all have; takes the reference. NULL: out of memory. */
static json_t *complete(const char *what, json_t *event)
{
	char when[TDS_WHEN_MAX];

	tds_when_text(tds_when_now(), when);
	json_t *whole = json_pack("{s:s, s:s, s:{s:I}}", "Time", when, "Event", what, "By", "Uid",
				  (json_int_t)getuid());
	if (whole && event)
		(void)json_object_update_missing(whole, event);
	json_decref(event);
	return whole;
}

void tds_eventfile_add(const struct tds_dir *dir, const char *what, json_t *event)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };
	json_t *whole = complete(what, event);
	tds_autofree char *text = tds_json_text(whole, JSON_COMPACT);
	tds_autofree char *line = NULL;

	json_decref(whole);
	if (!text || asprintf(&line, "%s\n", text) < 0 || tds_rundir_open(dir, &rundir, NULL) != 0)
		return;
	/* Never made here: it would be this user's, and the admin process could not write it. */
	tds_autofd int fd = openat(rundir.fd, TDS_EVENTS_NAME,
				   O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0)
		(void)tds_io_write(fd, line, strlen(line));
}
