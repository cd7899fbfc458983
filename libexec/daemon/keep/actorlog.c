/* SPDX-License-Identifier: MIT */
/* The actors' log, and each source's share in it. */
#include "actorlog.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/when.h"
#include "director/rundir.h"
#include "logfile.h"

#define SHARES 256 /* two sources of one number share theirs */
#define SHARE_OF 8 /* the part of a file that one share is */

struct actorlog {
	const struct log_limits *limits;
	struct logfile file;
	struct logfile more;
	off_t used[SHARES]; /* bytes of the present file */
};

struct actorlog *actorlog_open(int rundir, const struct log_limits *limits)
{
	struct actorlog *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->limits = limits;
	logfile_init(&log->file, rundir, TDS_ACTORLOG_NAME, limits);
	logfile_init(&log->more, rundir, TDS_ACTORLOG_MORE, limits);
	return log;
}

void actorlog_close(struct actorlog *log)
{
	if (!log)
		return;
	logfile_close(&log->file);
	logfile_close(&log->more);
	free(log);
}

void actorlog_reopen(struct actorlog *log)
{
	logfile_reopen(&log->file);
	logfile_reopen(&log->more);
}

/* A source is known by its group, a program's by the realm of its addresses. */
static off_t *share_of(struct actorlog *log, const struct tds_logline *line)
{
	const char *name = line->group ? line->group : line->address ? line->address : "";
	size_t len = line->group ? strlen(name) : strcspn(name, ".");
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619U;
	return &log->used[(hash ^ hash >> 16) % SHARES];
}

static void write_line(struct actorlog *log, off_t *used, const char *text, size_t len)
{
	bool has_share = *used + (off_t)len <= log->limits->size / SHARE_OF;
	struct logfile *file = has_share ? &log->file : &log->more;
	struct tds_err err;
	bool is_first;

	if (logfile_prepare(file, len, &is_first, &err) != 0)
		return;
	if (has_share && is_first)
		memset(log->used, 0, sizeof(log->used));
	if (logfile_add(file, text, len, &err) == 0 && has_share)
		*used += (off_t)len;
}

void actorlog_add(struct actorlog *log, const struct tds_logline *line)
{
	tds_autofree char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	tds_logline_print(f, tds_when_now(), line);
	if (fclose(f) == 0)
		write_line(log, share_of(log, line), text, len);
}
