/* SPDX-License-Identifier: MIT */
/*
 * The audit log, in the run directory: JSON Lines, each with the SHA-256 of the line before it as Before. Who alters a line
 * has to make all later ones anew, and shows where a digest was kept elsewhere.
 */
#ifndef TDS_DAEMON_AUDIT_H
#define TDS_DAEMON_AUDIT_H

#include <jansson.h>

#include "base/digest.h"

struct audit {
	int rundir;                    /* borrowed */
	char head[TDS_DIGEST_HEX_MAX]; /* digest of the last line; empty: there is none */
};

/* Go on behind the last line that is there. One that a crash left unfinished is removed. */
void audit_open(struct audit *audit, int rundir);

/* Add a line, an object, which is taken over (NULL: none). One that cannot be written whole is lost, and leaves nothing. */
void audit_add(struct audit *audit, json_t *line);

#endif
