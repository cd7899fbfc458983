/* SPDX-License-Identifier: MIT */
/* The actor-admin process: what it consists of. */
#ifndef TDS_DAEMON_DAEMON_H
#define TDS_DAEMON_DAEMON_H

#include <stdbool.h>

#include "base/dir.h"
#include "daemon/guardian/guardian.h"

struct daemon_settings {
	struct tds_dir dir;
	int rundir;         /* descriptor of the run directory */
	const char *prefix; /* the folder that this program is installed below */
	bool fresh;         /* move what a crash has left aside instead of restoring it */
	bool foreground;    /* whoever supervises it keeps what it says */
	bool load_all;  /* once it is up, load the newest of each group; once in all its lives */
	bool transient; /* for programs alone: leave nothing behind at the end */
};

/* Run the daemon until it is told to end, as its guardian has it run. Returns the exit status. */
int daemon_run(const struct daemon_settings *settings, const struct ward *ward);

#endif
