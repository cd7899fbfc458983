/* SPDX-License-Identifier: MIT */
/* Log files that grow, and begin anew. */
#include "logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/own.h"

#define NAME_MAX_BYTES 64

/* The name of what is so many files old; 0: the one that is written. */
static const char *aged(const struct logfile *log, unsigned age, char name[NAME_MAX_BYTES])
{
	if (age == 0)
		return log->name;
	(void)snprintf(name, NAME_MAX_BYTES, "%s.%u", log->name, age);
	return name;
}

/* Those that are older than limits allow, up to the first that is not there. */
static void remove_older(const struct logfile *log, unsigned keep)
{
	char name[NAME_MAX_BYTES];

	while (unlinkat(log->rundir, aged(log, ++keep, name), 0) == 0)
		continue;
}

void logfile_init(struct logfile *log, int rundir, const char *name,
		  const struct log_limits *limits)
{
	*log = (struct logfile){ .rundir = rundir, .name = name, .limits = limits, .fd = -1 };
	if (limits)
		remove_older(log, limits->keep);
}

void logfile_close(struct logfile *log)
{
	tds_close_fd(&log->fd);
}

void logfile_reopen(struct logfile *log)
{
	logfile_close(log);
}

/* The file with its size. Errors: TDS_E_WRITE, naming it. */
static int open_file(struct logfile *log, struct stat *st, struct tds_err *err)
{
	if (log->fd < 0 && tds_own_open(log->rundir, log->name, O_RDWR | O_APPEND | O_CREAT, 0640,
					&log->fd, err) != 0)
		return err->code = TDS_E_WRITE;
	if (fstat(log->fd, st) == 0)
		return 0;
	tds_err_sys(err, TDS_E_WRITE, "%s", log->name);
	tds_close_fd(&log->fd);
	return err->code;
}

/* One that was taken away is written by nobody any more. */
static int open_present(struct logfile *log, struct stat *st, struct tds_err *err)
{
	int rc = open_file(log, st, err);

	if (rc != 0 || st->st_nlink > 0)
		return rc;
	logfile_close(log);
	return open_file(log, st, err);
}

/* Each becomes one older. What cannot be renamed is written on. */
static void begin_anew(struct logfile *log)
{
	char from[NAME_MAX_BYTES];
	char to[NAME_MAX_BYTES];
	unsigned keep = log->limits->keep;

	for (unsigned age = keep; age-- > 0;)
		(void)renameat(log->rundir, aged(log, age, from), log->rundir,
			       aged(log, age + 1, to));
	if (keep == 0)
		(void)unlinkat(log->rundir, log->name, 0);
	logfile_close(log);
}

int logfile_prepare(struct logfile *log, size_t len, bool *is_first, struct tds_err *err)
{
	struct stat st;

	if (open_present(log, &st, err) != 0)
		return err->code;
	if (log->limits && st.st_size > 0 &&
	    st.st_size > log->limits->size - (off_t)(len < INT32_MAX ? len : INT32_MAX)) {
		begin_anew(log);
		if (open_file(log, &st, err) != 0)
			return err->code;
	}
	*is_first = st.st_size == 0;
	return 0;
}

int logfile_add(struct logfile *log, const char *text, size_t len, struct tds_err *err)
{
	struct stat st;

	if (open_file(log, &st, err) != 0)
		return err->code;
	if (tds_io_write(log->fd, text, len) == 0)
		return 0;
	int rc = tds_err_sys(err, TDS_E_WRITE, "%s", log->name);
	/* What was written of it goes, so that the next line begins as one. */
	if (ftruncate(log->fd, st.st_size) != 0)
		logfile_close(log);
	return rc;
}
