/* SPDX-License-Identifier: MIT */
/* What the kernel says of processes. */
#ifndef TDS_DAEMON_PROC_H
#define TDS_DAEMON_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* 0: there is no such process. */
pid_t proc_parent(pid_t pid);

/* Whose pidfd it is. -1: the process is gone; 0: it is none. */
pid_t proc_of_pidfd(int pidfd);

/* The number that was given out last, to a process or thread of anybody. 0: it cannot be known. */
pid_t proc_newest(void);

/* How long ago it was made. -1: there is no such process. */
int64_t proc_age_ms(pid_t pid);

/* Is it there, and not only waited for? */
bool proc_lives(pid_t pid);

/* Tell of each child of a process, whichever of its threads has it. What ends or comes meanwhile may be told or not. */
void proc_children(pid_t pid, void (*tell)(void *ctx, pid_t child), void *ctx);

/* Kill a process, if it is the child of this parent, and no other that has its number by then. False: nothing was killed. */
bool proc_kill_child(pid_t pid, pid_t parent);

#endif
