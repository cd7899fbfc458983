/* SPDX-License-Identifier: MIT */
/*
 * How the guardian and the daemon take signals: one table, that of tds(7). SIGTERM and SIGINT ask them to end, SIGHUP to
 * reload, faults end them, and all others do nothing. And how what the daemon starts comes through its fork.
 */
#ifndef TDS_DAEMON_SIGNALS_H
#define TDS_DAEMON_SIGNALS_H

#include <signal.h>
#include <sys/types.h>

/* What one of the two tells the other, or the kernel the daemon: sent by anybody else they do nothing. */
#define SIGNALS_STRAYS SIGUSR1 /* to the guardian: it has got children that have no right to live */
#define SIGNALS_ORPHANED SIGUSR2 /* to the daemon: the guardian is dead */

enum signals_of {
	SIGNALS_OF_GUARDIAN,
	SIGNALS_OF_DAEMON,
};

/*
 * Take signals as the table has it for one of the two, whatever who starts us has blocked or ignored. Those that it heeds in
 * its loop are blocked until it does: *blocked, for who waits for them (NULL: nobody). What has a handler of its own is at its
 * default, and comes.
 */
void signals_settle(enum signals_of whose, sigset_t *blocked);

/* Let those come that the daemon heeds in its loop, now that they have handlers; or hold them back, before these go. */
void signals_take(void);
void signals_hold(void);

/* Fork, with every signal blocked in the child: what comes before it can take signals waits, and is none of ours. */
pid_t signals_fork(void);

/* In a child, before exec: all at their defaults, whatever we ignore. What is blocked stays so. */
void signals_set_defaults(void);

#endif
