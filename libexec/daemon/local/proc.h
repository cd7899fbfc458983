/* SPDX-License-Identifier: MIT */
/* What the kernel says of processes. */
#ifndef TDS_DAEMON_PROC_H
#define TDS_DAEMON_PROC_H

#include <sys/types.h>

/* 0: there is no such process. */
pid_t proc_parent(pid_t pid);

/* Whose pidfd it is. -1: the process is gone; 0: it is none. */
pid_t proc_of_pidfd(int pidfd);

#endif
