/* SPDX-License-Identifier: MIT */
/* Locals that clean up after themselves, by the cleanup attribute that gcc and clang share. */
#ifndef TDS_MEM_H
#define TDS_MEM_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void tds_free_ptr(void *p)
{
	free(*(void **)p);
}

/* Leaves -1 behind, so that closing again is no harm. */
static inline void tds_close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static inline void tds_close_file(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

#define tds_autofree __attribute__((cleanup(tds_free_ptr)))
#define tds_autofd __attribute__((cleanup(tds_close_fd)))     /* -1: nothing to close */
#define tds_autofile __attribute__((cleanup(tds_close_file))) /* NULL: nothing to close */
#define tds_auto(type) __attribute__((cleanup(tds_##type##_cleanup)))

/* The build sets locals to zero, but for one that is marked so: a large buffer where each message comes by. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define tds_unset __attribute__((uninitialized))
#endif
#endif
#ifndef tds_unset
#define tds_unset
#endif

/* Hand a self-cleaning pointer over: returns *p and leaves NULL behind. */
#define tds_steal(p)                             \
	({                                       \
		__typeof__(*(p)) stolen_ = *(p); \
		*(p) = NULL;                     \
		stolen_;                         \
	})

/* Hand a self-closing descriptor over: returns *fd and leaves -1 behind. */
static inline int tds_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#endif
