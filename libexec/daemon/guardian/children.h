/* SPDX-License-Identifier: MIT */
/* Ending what runs below this process, which is the subreaper of all that. Safe in a signal handler. */
#ifndef TDS_DAEMON_CHILDREN_H
#define TDS_DAEMON_CHILDREN_H

#include <sys/types.h>

/* Kill every child but one (0: every one); those of theirs become ours, so that the next turn gets them. */
void children_kill(pid_t spared);

/* Kill and reap until none is left. */
void children_end(void);

#endif
