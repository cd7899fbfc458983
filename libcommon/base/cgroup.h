/* SPDX-License-Identifier: MIT */
/*
 * A delegated cgroup (version 2), below which each source has one of its own with a limit of processes. Where none is
 * delegated, or anything fails, its user goes on without: nothing depends on it but the limit, and the end of
 * processes that no other way leads to.
 */
#ifndef TDS_CGROUP_H
#define TDS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

#define TDS_CGROUP_ROOT "/sys/fs/cgroup"
#define TDS_CGROUP_SELF "/proc/self/cgroup"
#define TDS_CGROUP_ID_MAX 48
#define TDS_CGROUP_PIDS_MOST 4194304 /* that a system can have; a larger limit is none */

/* A zeroed one is none. */
struct tds_cgroup {
	char *path; /* its folder, absolute */
	char id[TDS_CGROUP_ID_MAX];
	bool inside; /* the caller is in the leaf below it */
};

/*
 * Take the caller's own cgroup, if it is delegated: the caller may write it, it has the pids controller, and no other
 * process is in it. The caller moves into a leaf below it. What one of the same id has left there is killed and removed.
 * Source:  root is where cgroup2 is mounted, self the file that tells the caller's cgroup; both may hold anything.
 * Shape:   id, a part of names, tells callers apart that share a cgroup, and is the same after a crash.
 * Owner:   the caller, which started no process yet, ends it with tds_cgroup_close.
 * Errors:  false: there is none, and nothing was changed that is not undone.
 */
bool tds_cgroup_open(const char *root, const char *self, const char *id, struct tds_cgroup *cg);

/* Leave it as it was: every other process below it is killed. By who opened it; a process forked since just forgets it. */
void tds_cgroup_close(struct tds_cgroup *cg);

/*
 * Make the cgroup of a source, and move a process into it.
 * Errors:  TDS_E_WRITE, the reason naming the file.
 */
int tds_cgroup_add(const struct tds_cgroup *cg, uint32_t source, uint64_t pids_max, pid_t pid,
		   struct tds_err *err) TDS_MUST_CHECK;

/* Another limit for a source that has one. Errors: TDS_E_WRITE. */
int tds_cgroup_limit(const struct tds_cgroup *cg, uint32_t source, uint64_t pids_max,
		     struct tds_err *err) TDS_MUST_CHECK;

/*
 * Kill what is in the cgroup of a source and remove it; there need not be one.
 * Shape:   False: its processes are still about to end; call again when *watch can be read. True: it is gone, or cannot
 *          be had away.
 * Owner:   *watch, -1 at the first call, is the caller's to close in the end.
 */
bool tds_cgroup_remove(const struct tds_cgroup *cg, uint32_t source, int *watch);

#endif
