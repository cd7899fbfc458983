/* SPDX-License-Identifier: MIT */
/*
 * What actors print and log, in the run directory's actors.log, as tool/logline.h has it. No source can push out what the
 * others wrote: it fills an eighth of actors.log at most, until that makes way for a new one; what it writes beyond goes to
 * actors.more.log, which those share who write that much.
 */
#ifndef TDS_DAEMON_ACTORLOG_H
#define TDS_DAEMON_ACTORLOG_H

#include "daemon/base/settings.h"
#include "tool/logline.h"

struct actorlog;

struct actorlog *actorlog_open(int rundir,
			       const struct log_limits *limits); /* NULL: out of memory */
void actorlog_close(struct actorlog *log);                       /* accepts NULL */
void actorlog_reopen(struct actorlog *log);

/* What cannot be written is lost. */
void actorlog_add(struct actorlog *log, const struct tds_logline *line);

#endif
