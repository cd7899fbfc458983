/* SPDX-License-Identifier: MIT */
/*
 * What actors print and log, in the run directory's actors.log: one line each, "TIME GROUP ROLE ADDRESS TEXT", escaped, in
 * two files of bounded size.
 */
#ifndef TDS_DAEMON_ACTORLOG_H
#define TDS_DAEMON_ACTORLOG_H

#include <stddef.h>

#define ACTORLOG_MAX_BYTES (4 << 20) /* then it becomes the old one */

struct actorlog;

struct actorlog *actorlog_open(int rundir); /* NULL: it cannot be written */
void actorlog_close(struct actorlog *log);

/* who: "GROUP ROLE ADDRESS", each "-" where there is none. What cannot be written is lost. Accepts NULL. */
void actorlog_add(struct actorlog *log, const char *who, const char *text, size_t len);

#endif
