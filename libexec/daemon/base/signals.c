/* SPDX-License-Identifier: MIT */
/* What signals do to the guardian and the daemon, and to what the daemon starts. */
#include "signals.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum way {
	IGNORED, /* all that have no row */
	HEEDED,  /* in the loop */
	DEFAULT, /* as the kernel has it, or a handler of its own: it is never blocked */
};

/* Faults are of one's own making, and leave a core. Of SIGKILL and SIGSTOP nobody is asked. */
static const struct row {
	int sig;
	enum way guardian;
	enum way daemon;
} rows[] = {
	{ SIGTERM, HEEDED, HEEDED },         { SIGINT, HEEDED, HEEDED },
	{ SIGHUP, HEEDED, HEEDED },          { SIGCHLD, HEEDED, DEFAULT },
	{ SIGNALS_STRAYS, HEEDED, IGNORED }, { SIGNALS_ORPHANED, IGNORED, DEFAULT },
	{ SIGSEGV, DEFAULT, DEFAULT },       { SIGBUS, DEFAULT, DEFAULT },
	{ SIGFPE, DEFAULT, DEFAULT },        { SIGILL, DEFAULT, DEFAULT },
	{ SIGTRAP, DEFAULT, DEFAULT },       { SIGSYS, DEFAULT, DEFAULT },
	{ SIGABRT, DEFAULT, DEFAULT },       { SIGCONT, DEFAULT, DEFAULT },
};

static enum way way_of(int sig, enum signals_of whose)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].sig == sig)
			return whose == SIGNALS_OF_GUARDIAN ? rows[i].guardian : rows[i].daemon;
	return IGNORED;
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

static void fill_heeded(enum signals_of whose, sigset_t *heeded)
{
	(void)sigemptyset(heeded);
	for (int sig = 1; sig < NSIG; sig++)
		if (way_of(sig, whose) == HEEDED)
			(void)sigaddset(heeded, sig);
}

void signals_settle(enum signals_of whose, sigset_t *blocked)
{
	sigset_t held;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			set(sig, way_of(sig, whose) == IGNORED ? SIG_IGN : SIG_DFL);
	fill_heeded(whose, &held);
	(void)sigprocmask(SIG_SETMASK, &held, NULL);
	if (blocked)
		*blocked = held;
}

static void mask(int how)
{
	sigset_t heeded;

	fill_heeded(SIGNALS_OF_DAEMON, &heeded);
	(void)sigprocmask(how, &heeded, NULL);
}

void signals_take(void)
{
	mask(SIG_UNBLOCK);
}

void signals_hold(void)
{
	mask(SIG_BLOCK);
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
