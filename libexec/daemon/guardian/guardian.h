/* SPDX-License-Identifier: MIT */
/*
 * The guardian: the process that outlives the daemon, starts it anew where it dies, and promises that nothing else outlives it.
 * It knows nothing of its ward but how to run it.
 */
#ifndef TDS_DAEMON_GUARDIAN_H
#define TDS_DAEMON_GUARDIAN_H

#include "ward.h"

/* What the guardian has patience for. */
struct patience {
	unsigned silent_ms; /* a daemon that says nothing for this long hangs, and is killed */
	unsigned window_ms; /* within which DEATHS_MAX deaths are too many */
};
#define PATIENCE                                        \
	{                                               \
		.silent_ms = 20000, .window_ms = 600000 \
	}

struct guardian {
	int lock;   /* the lock, held by being open */
	int rundir; /* descriptor of the run directory */
	int ready;  /* for the daemon */
	const char
		*passing; /* path of the run directory, which is to go at the end; NULL: it stays */
	const char *home; /* its director directory, which goes with it where it is empty then */
	/*
	 * A supervisor has started this very process, and is told what the environment asks for; s6 by a newline to that
	 * descriptor, -1: not. Who has not been is told nothing, whatever the environment says.
	 */
	bool supervised;
	int notification;
	bool restarted; /* by a guardian that was asked to, in this very process: the daemon was up before */
	struct patience patience;
	int (*run)(void *ctx, const struct ward *ward); /* the daemon: returns its exit status */
	/* It is not started any more, after so many deaths; why: how it ended the last time. */
	void (*give_up)(void *ctx, const char *why);
	/*
	 * Become this program in place, with the same descriptors and a restarted guardian: the lock is held throughout, and who
	 * started this process sees nothing. settled: what was to be loaded at the beginning was. Returns only where it fails, with
	 * errno.
	 */
	void (*succeed)(void *ctx, const char *program, bool settled);
	void *ctx;
};

/*
 * Become the guardian of a daemon: start it, again where it dies, and kill what it leaves behind. Returns the exit status of
 * one that ended in order, or could not begin; 128 and a signal where it was killed on its way down; 1 where it died too often;
 * 0 where SIGTERM or SIGINT comes between a death and the next start: nothing runs then, and the state stays as it was.
 * One that is passing is not started again: it has nothing to bring back.
 * A daemon that names a successor is followed by it when all is gone that ran below, and where the successor cannot be run by
 * another daemon of this guardian.
 */
int guardian_run(const struct guardian *guardian);

#endif
