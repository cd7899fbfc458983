/* SPDX-License-Identifier: MIT */
/*
 * A delegated cgroup (version 2), below which each source has one of its own with limits of processes and of memory. Where
 * none is delegated, or anything fails, its user goes on without: nothing depends on it but the limits, and the end of
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
#define TDS_CGROUP_NONE UINT64_MAX   /* no limit, or a number that is not known */

/* A zeroed one is none. */
struct tds_cgroup {
	char *path; /* its folder, absolute */
	char id[TDS_CGROUP_ID_MAX];
	bool inside;     /* the caller is in the leaf below it */
	bool has_memory; /* those below it may have a limit of memory */
};

/* What a source may take at most; TDS_CGROUP_NONE: no limit. */
struct tds_cgroup_limits {
	uint64_t pids;   /* processes and threads */
	uint64_t memory; /* bytes, none of them swapped out */
};

/* What it takes, and the limits as the kernel has them; TDS_CGROUP_NONE: not known, or no limit. */
struct tds_cgroup_use {
	uint64_t pids;
	uint64_t memory; /* bytes, with the files that it has cached */
	struct tds_cgroup_limits most;
};

/*
 * Take the caller's own cgroup, if it is delegated: the caller may write it, it has the pids controller, and no other
 * process is in it. The memory controller is taken where it is there. The caller moves into a leaf below it. What one of the same id has left there is killed and removed.
 * Source:  root is where cgroup2 is mounted, self the file that tells the caller's cgroup; both may hold anything.
 * Shape:   id, a part of names, tells callers apart that share a cgroup, and is the same after a crash.
 * Owner:   the caller, which started no process yet, ends it with tds_cgroup_close.
 * Errors:  false: there is none, and nothing was changed that is not undone.
 */
bool tds_cgroup_open(const char *root, const char *self, const char *id, struct tds_cgroup *cg);

/* Leave it as it was: every other process below it is killed. By who opened it; a process forked since just forgets it. */
void tds_cgroup_close(struct tds_cgroup *cg);

/*
 * Make the cgroup of a source, and move a process into it. A limit of memory that cannot be had here is none.
 * Errors:  TDS_E_WRITE, the reason naming the file.
 */
int tds_cgroup_add(const struct tds_cgroup *cg, uint32_t source,
		   const struct tds_cgroup_limits *limits, pid_t pid,
		   struct tds_err *err) TDS_MUST_CHECK;

/* Other limits for a source that has a cgroup. Errors: TDS_E_WRITE. */
int tds_cgroup_limit(const struct tds_cgroup *cg, uint32_t source,
		     const struct tds_cgroup_limits *limits, struct tds_err *err) TDS_MUST_CHECK;

/* What a source takes just now. */
void tds_cgroup_measure(const struct tds_cgroup *cg, uint32_t source, struct tds_cgroup_use *use);

/* How many processes of a source the kernel has killed for want of memory. It counts before it kills. */
uint64_t tds_cgroup_oom_kills(const struct tds_cgroup *cg, uint32_t source);

/*
 * Kill what is in the cgroup of a source and remove it; there need not be one.
 * Shape:   False: its processes are still about to end; call again when *watch can be read. True: it is gone, or cannot
 *          be had away.
 * Owner:   *watch, -1 at the first call, is the caller's to close in the end.
 */
bool tds_cgroup_remove(const struct tds_cgroup *cg, uint32_t source, int *watch);

#endif
