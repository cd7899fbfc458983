/* SPDX-License-Identifier: MIT */
/* In the daemon: what it has to do with its guardian. */
#ifndef TDS_DAEMON_WARD_H
#define TDS_DAEMON_WARD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* To the guardian: a source's process is gone, and what it left behind is the guardian's child by now. */
#define WARD_STRAYS SIGUSR1

/* Before it has a child: it ends with its guardian, and all that is below it. */
void ward_begin(pid_t guardian);

/* Its guardian is neither dead nor about to be. */
bool ward_is_guarded(void);

#endif
