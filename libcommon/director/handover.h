/* SPDX-License-Identifier: MIT */
/*
 * What tds-admin start hands to tds-daemon, and a guardian that is restarted to the tds-daemon that follows it, which may be of
 * another version: these descriptors and no others above standard error, and as operand the absolute path of the director
 * directory. Numbers and options stay as they are.
 */
#ifndef TDS_HANDOVER_H
#define TDS_HANDOVER_H

#define TDS_DAEMON_PROGRAM "tds-daemon"

/* Where things are below the folder that the tools' bin is in. */
#define TDS_LIBEXEC "libexec/tds" /* the programs that tools start */
#define TDS_HOST "share/tds/host" /* the Python host */

enum tds_handover {
	TDS_HANDOVER_LOCK = 3, /* the lock, locked */
	TDS_HANDOVER_RUNDIR,   /* the run directory */
	TDS_HANDOVER_DIR,      /* the director directory */
	/*
	 * Gets lines of "STATUS REASON" about the start; with --foreground there is none, or with --notifies one that gets a
	 * newline when all is up; with --restarted none.
	 */
	TDS_HANDOVER_READY,
	TDS_HANDOVER_END,
};

/* Its options. */
#define TDS_DAEMON_FRESH "fresh" /* move what a crash has left aside instead of restoring it */
#define TDS_DAEMON_TRANSIENT "transient"   /* at the end leave no run directory behind */
#define TDS_DAEMON_FOREGROUND "foreground" /* its standard error is read by who started it */
#define TDS_DAEMON_LOAD_ALL "load-all"     /* once it is up, load the newest of each group */
#define TDS_DAEMON_NOTIFIES "notifies"     /* who started it waits for a newline */
#define TDS_DAEMON_RESTARTED "restarted"   /* in place of a guardian, whose daemon was up */
#define TDS_DAEMON_VERSION "version"       /* alone: print its version, and end */

#endif
