/* SPDX-License-Identifier: MIT */
/*
 * How the guardian and the daemon take signals: SIGTERM and SIGINT ask them to end, faults end them, SIGCHLD and those
 * of job control are as ever, and all others do nothing. And how what the daemon starts comes through its fork.
 */
#ifndef TDS_DAEMON_SIGNALS_H
#define TDS_DAEMON_SIGNALS_H

#include <signal.h>
#include <sys/types.h>

/*
 * Ignore what is to do nothing, and block SIGTERM and SIGINT; nothing else is blocked. One that waits for its signals
 * names word, by which another process tells it something: then that and SIGCHLD are blocked as well.
 * Shape:   *blocked is what is to be waited for; NULL where nobody does.
 */
void signals_settle(int word, sigset_t *blocked);

/* Let SIGTERM and SIGINT come, now that they have handlers; or hold them back, before these go. */
void signals_take_ends(void);
void signals_hold_ends(void);

/* Fork, with every signal blocked in the child: what comes before it can take signals waits, and is none of ours. */
pid_t signals_fork(void);

/* In a child, before exec: all at their defaults, whatever we ignore. What is blocked stays so. */
void signals_set_defaults(void);

#endif
