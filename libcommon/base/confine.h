/* SPDX-License-Identifier: MIT */
/*
 * What those processes of ours are held to that read what others made: after their set-up they have the descriptors that they
 * hold, and no way to get others, to other processes or to other programs. Actors have profiles, which are elsewhere.
 */
#ifndef TDS_CONFINE_H
#define TDS_CONFINE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "err.h"

/* Of each at most; RLIM_INFINITY: as it is. */
struct tds_bounds {
	rlim_t cpu_s;
	rlim_t memory;      /* bytes of address space */
	rlim_t file;        /* bytes of a file, memory files too */
	rlim_t descriptors; /* open, and one above the highest number */
};

/*
 * Reads, computes, and writes to what is open already; makes memory files; sends messages over the socket verdict alone.
 * Errors:  TDS_E_REFUSED, TDS_E_NOMEM: the process is to end.
 */
int tds_confine_verifier(const struct tds_bounds *bounds, int verdict,
			 struct tds_err *err) TDS_MUST_CHECK;

/*
 * Opens folders, moves and removes files, and makes none; where the kernel has that, below the folder of this name alone.
 * Errors:  as above.
 */
int tds_confine_remover(const struct tds_bounds *bounds, int folder, const char *name,
			struct tds_err *err) TDS_MUST_CHECK;

/*
 * Reads and writes what is open, connects over TCP, where the kernel has that to these ports alone, and has threads; to be
 * called while it has one.
 * Errors:  as above.
 */
int tds_confine_link(const struct tds_bounds *bounds, const uint16_t *ports, size_t n,
		     struct tds_err *err) TDS_MUST_CHECK;

#endif
