/* SPDX-License-Identifier: MIT */
/* What signals do to the guardian and the daemon, and to what the daemon starts. */
#include "signals.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Faults are of one's own making, and leave a core; job control stops, and ends nothing. */
static const int left[] = { SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGSYS, SIGABRT,
			    SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGKILL, SIGSTOP };

static bool is_left(int sig)
{
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		if (left[i] == sig)
			return true;
	return false;
}

/* The C library keeps two for threads and lets nobody ignore them; by default they end a process all the same. */
static void set(int sig, void (*handler)(int))
{
	const struct {
		uintptr_t handler;
		unsigned long rest[3];
	} action = { .handler = (uintptr_t)handler };

	if (signal(sig, handler) == SIG_ERR)
		(void)syscall(SYS_rt_sigaction, sig, &action, NULL, (size_t)8);
}

static void fill_ends(sigset_t *ends)
{
	(void)sigemptyset(ends);
	(void)sigaddset(ends, SIGTERM);
	(void)sigaddset(ends, SIGINT);
}

void signals_settle(int word, sigset_t *blocked)
{
	sigset_t held;

	/* Who starts us may have blocked or ignored anything; without SIGCHLD nothing would ever be reaped. */
	for (int sig = 1; sig < NSIG; sig++) {
		if (sig == SIGTERM || sig == SIGINT || sig == SIGCHLD || sig == word)
			set(sig, SIG_DFL);
		else if (!is_left(sig))
			set(sig, SIG_IGN);
	}
	fill_ends(&held);
	if (word) {
		(void)sigaddset(&held, SIGCHLD);
		(void)sigaddset(&held, word);
	}
	(void)sigprocmask(SIG_SETMASK, &held, NULL);
	if (blocked)
		*blocked = held;
}

void signals_take_ends(void)
{
	sigset_t ends;

	fill_ends(&ends);
	(void)sigprocmask(SIG_UNBLOCK, &ends, NULL);
}

void signals_hold_ends(void)
{
	sigset_t ends;

	fill_ends(&ends);
	(void)sigprocmask(SIG_BLOCK, &ends, NULL);
}

pid_t signals_fork(void)
{
	sigset_t all;
	sigset_t before;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid != 0)
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

void signals_set_defaults(void)
{
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			set(sig, SIG_DFL);
}
