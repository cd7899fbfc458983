/* SPDX-License-Identifier: MIT */
/*
 * The guardian: the process that outlives the daemon, and promises that nothing else does. It knows nothing of its ward but
 * how to run it.
 */
#ifndef TDS_DAEMON_GUARDIAN_H
#define TDS_DAEMON_GUARDIAN_H

#include "base/cgroup.h"

/* What the daemon gets from its guardian. */
struct ward {
	const struct tds_cgroup *cgroup; /* for its sources, where it has a path */
	int ready; /* gets lines of "STATUS REASON" about the start, and is closed behind it; -1: nobody waits */
};

struct guardian {
	int rundir; /* descriptor of the run directory, whose lock is held by being open */
	int ready;  /* for the daemon */
	const char
		*passing; /* path of the run directory, which is to go at the end; NULL: it stays */
	const char *home; /* its director directory, which goes with it where it is empty then */
	int (*run)(void *ctx, const struct ward *ward); /* the daemon: returns its exit status */
	void *ctx;
};

/*
 * Become the guardian of a daemon: start it, wait for it, kill what it leaves behind. Returns the daemon's exit status, or
 * 128 and the number of the signal that killed it.
 */
int guardian_run(const struct guardian *guardian);

#endif
