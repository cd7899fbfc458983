/* SPDX-License-Identifier: MIT */
/*
 * A file of the run directory that grows by lines, and makes way for a new one when it is large enough: NAME becomes NAME.1,
 * that becomes NAME.2, and the oldest goes. One process writes it.
 */
#ifndef TDS_DAEMON_LOGFILE_H
#define TDS_DAEMON_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "daemon/base/settings.h"

/* Zeroed but for fd (-1) it holds nothing. */
struct logfile {
	int rundir;                      /* borrowed */
	const char *name;                /* constant */
	const struct log_limits *limits; /* borrowed; NULL: it only grows */
	int fd;                          /* -1: to be opened at the next line */
};

/* Opens nothing yet; what limits do not allow any more goes. */
void logfile_init(struct logfile *log, int rundir, const char *name,
		  const struct log_limits *limits);
void logfile_close(struct logfile *log);

/* The file is another one by now, perhaps: the next line goes to what has its name then. */
void logfile_reopen(struct logfile *log);

/*
 * Get ready for so many more bytes, whether by a new file or not. *is_first: the file is empty.
 * Errors:  TDS_E_WRITE.
 */
int logfile_prepare(struct logfile *log, size_t len, bool *is_first,
		    struct tds_err *err) TDS_MUST_CHECK;

/* Add what logfile_prepare was asked for, whole lines, whole or not at all. Errors: TDS_E_WRITE. */
int logfile_add(struct logfile *log, const char *text, size_t len,
		struct tds_err *err) TDS_MUST_CHECK;

#endif
