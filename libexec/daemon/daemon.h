/* SPDX-License-Identifier: MIT */
/* The actor-admin process: what it consists of, and its guardian. */
#ifndef TDS_ADMIN_DAEMON_H
#define TDS_ADMIN_DAEMON_H

#include <stdbool.h>

#include "base/cgroup.h"
#include "base/dir.h"
#include "base/err.h"

#define RUNDIR_LOCK "lock"
#define RUNDIR_SOCKET "admin.sock"

struct daemon_settings {
	const struct tds_dir *dir;
	int rundir;          /* descriptor of the run directory */
	const char *libexec; /* the folder with tds-verifier and host */
	bool fresh;          /* move what a crash has left aside instead of restoring it */
	bool transient;      /* for programs alone: leave nothing behind at the end */
};

/*
 * Run the daemon until it is told to end. cgroup is for its sources, where it has a path. ready is a descriptor that gets one line when commands are accepted:
 * "STATUS REASON\n", status 0 where all is well; it is closed then. Returns the exit status.
 */
int daemon_run(const struct daemon_settings *settings, const struct tds_cgroup *cgroup, int ready);

/*
 * Become the guardian of a daemon: hold the lock, start it, wait for it, kill what it leaves behind. lock is the
 * locked descriptor. Returns the daemon's exit status.
 */
int guardian_run(const struct daemon_settings *settings, int lock, int ready);

/* In the daemon: its guardian is neither dead nor about to be. */
bool guardian_lives(void);

#endif
