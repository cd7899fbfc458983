/* SPDX-License-Identifier: MIT */
/* What the run directory remembers: read when the daemon begins, forgotten when it ends in order. */
#ifndef TDS_DAEMON_RECALL_H
#define TDS_DAEMON_RECALL_H

#include <jansson.h>

#include "daemon.h"
#include "world.h"

/*
 * What was loaded when a crash came; NULL: nothing. What is damaged is for a person to look at, or to move aside.
 * Errors:  false, the reason naming the file.
 */
bool recall_read(const struct daemon_settings *settings, json_t **state, json_t **groups,
		 struct tds_err *err);

/*
 * Take out of state what the admin has died of twice: it is told to failed, stands in the audit log, and is forgotten. world's
 * returning is open.
 */
void recall_leave_out(struct world *world, json_t *state,
		      void (*failed)(void *ctx, const char *what, const char *why), void *ctx);

/* The store keeps what state (NULL: nothing) and desired.json want; where that cannot be read, all. */
void recall_sweep(int rundir, const json_t *state);

/*
 * A clean end: nothing is to be brought back by the next start. Where it would be, it keeps its packages.
 * Errors:  TDS_E_WRITE.
 */
int recall_forget(int rundir, struct tds_err *err) TDS_MUST_CHECK;

#endif
