/* SPDX-License-Identifier: MIT */
/* The actors' log. */
#include "actorlog.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "director/rundir.h"

struct actorlog {
	int rundir;
	FILE *file;
	long size;
};

static bool reopen(struct actorlog *log)
{
	struct stat st;
	int fd = openat(log->rundir, TDS_ACTORLOG_NAME,
			O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (log->file)
		(void)fclose(log->file);
	log->file = fd < 0 ? NULL : fdopen(fd, "a");
	if (!log->file || fstat(fd, &st) != 0)
		return false;
	log->size = (long)st.st_size;
	return true;
}

struct actorlog *actorlog_open(int rundir)
{
	struct actorlog *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->rundir = rundir;
	if (!reopen(log)) {
		actorlog_close(log);
		return NULL;
	}
	return log;
}

void actorlog_close(struct actorlog *log)
{
	if (log && log->file)
		(void)fclose(log->file);
	free(log);
}

void actorlog_add(struct actorlog *log, const char *who, const char *text, size_t len)
{
	struct timespec now;
	struct tm tm;
	char when[32];

	if (!log || !log->file)
		return;
	if (log->size >= ACTORLOG_MAX_BYTES) {
		(void)renameat(log->rundir, TDS_ACTORLOG_NAME, log->rundir, TDS_ACTORLOG_OLD);
		if (!reopen(log))
			return;
	}
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now.tv_sec, &tm));
	(void)fprintf(log->file, "%s ", when);
	tds_text_escape(log->file, who, strlen(who));
	(void)fputc(' ', log->file);
	tds_text_escape(log->file, text, len);
	(void)fputc('\n', log->file);
	(void)fflush(log->file);
	log->size = ftell(log->file);
}
