/* SPDX-License-Identifier: MIT */
/*
 * The audit log, in the run directory: JSON Lines, each with the SHA-256 of the line before it as Before, also where that is
 * in an older file. Who alters a line has to make all later ones anew, and shows where a digest was kept elsewhere.
 */
#ifndef TDS_DAEMON_AUDIT_H
#define TDS_DAEMON_AUDIT_H

#include <jansson.h>

#include "base/digest.h"
#include "base/err.h"
#include "backlog.h"
#include "logfile.h"

#define AUDIT_KEPT_MAX_BYTES (64 << 10) /* of lines that wait for room */

struct audit {
	struct logfile file;
	char head[TDS_DIGEST_HEX_MAX]; /* digest of the last line; empty: there is none */
	struct backlog backlog;
};

/* Go on behind the last line that is there. One that a crash left unfinished is removed. limits NULL: it only grows. */
void audit_open(struct audit *audit, int rundir, const struct log_limits *limits);
void audit_close(struct audit *audit); /* lines that still wait are tried once more */
void audit_reopen(struct audit *audit);

/*
 * Add a line, an object, whose reference is taken, behind those that wait: whole, or not at all.
 * Errors:  TDS_E_WRITE, TDS_E_NOMEM (also where line is NULL).
 */
int audit_add(struct audit *audit, json_t *line, struct tds_err *err) TDS_MUST_CHECK;

/* The same, but what cannot be written waits for room. What finds no place even there is counted in the next line's Lost. */
void audit_keep(struct audit *audit, json_t *line);

/* Write what waits, as far as there is room by now. */
void audit_flush(struct audit *audit);

#endif
