/* SPDX-License-Identifier: MIT */
/* Processes of an admin that died, found by a mark in their environment. */
#ifndef TDS_DAEMON_LEFTOVERS_H
#define TDS_DAEMON_LEFTOVERS_H

#define LEFTOVERS_MARK "TDS_ADMIN_RUN" /* the variable that has the mark */
#define LEFTOVERS_MARK_MAX 40

/* Kill what bears the mark of this run directory. Its lock must be held: no daemon of it lives. */
void leftovers_kill(int rundir);

/* Let all that this process starts from now on bear the mark. */
void leftovers_mark(int rundir);

#endif
