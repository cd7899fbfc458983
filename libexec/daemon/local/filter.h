/* SPDX-License-Identifier: MIT */
/*
 * Filters of system calls for the processes of a source: what Python needs, and what its sandbox allows besides. Two of them:
 * the first is for the source's process, before any code of the package is there, and all its actors have it too; the second
 * is for each actor, which makes no more processes.
 */
#ifndef TDS_DAEMON_FILTER_H
#define TDS_DAEMON_FILTER_H

#include "base/err.h"

/* What is allowed besides reading files, threads, time, memory and the descriptors that a process has. */
enum {
	FILTER_WRITES = 1 << 0,    /* making, renaming and removing files: where, Landlock says */
	FILTER_MODES = 1 << 1,     /* modes and times of files, which Landlock does not hold */
	FILTER_TRUNCATES = 1 << 2, /* by path: Landlock holds it */
	FILTER_SIGNALS = 1 << 3,   /* to others: Landlock or the uid holds them */
	FILTER_CONNECTS = 1 << 4,  /* by TCP */
	FILTER_DATAGRAMS = 1 << 5, /* and UDP */
	FILTER_LISTENS = 1 << 6,
	FILTER_RUNS = 1 << 7,  /* programs: which, Landlock says; also as an actor */
	FILTER_PORTS = 1 << 8, /* named ones: none by sending, which Landlock does not see */
	FILTER_LOCAL = 1 << 9, /* by a socket's path; no actor has that */
};

/* Bytes of the two, one behind the other, in a sealed memory file. */
struct filters {
	int fd;
	unsigned first; /* bytes of the first of them */
};

/* Owner: caller closes filters->fd, on success only. Errors: TDS_E_WRITE; TDS_E_NOMEM. */
int filters_make(unsigned allowed, struct filters *filters, struct tds_err *err) TDS_MUST_CHECK;

#endif
