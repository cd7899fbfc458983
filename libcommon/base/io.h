/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing files whole. EINTR, short reads and short writes are dealt with here and
 * nowhere else.
 */
#ifndef TDS_IO_H
#define TDS_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "err.h"

/* Read up to len bytes; fewer only at end of file. Returns the count, or -1 with errno. */
ssize_t tds_io_read(int fd, void *buf, size_t len);

/* Write all len bytes. Returns 0, or -1 with errno. */
int tds_io_write(int fd, const void *buf, size_t len);

/*
 * Open a file for reading, symbolic links followed.
 * Source:  name is relative to dirfd (or AT_FDCWD), or absolute.
 * Shape:   *st, where not NULL, gets what fstat says of it. Only regular files are opened, and a
 *          FIFO holds nobody up; with any_kind a FIFO (its writer is waited for) or device is
 *          opened too.
 * Owner:   caller closes *fd.
 * Errors:  TDS_E_MISSING (ENOENT, ENOTDIR), TDS_E_UNUSABLE (no permission, a folder, not a regular
 *          file).
 */
int tds_io_open(int dirfd, const char *name, bool any_kind, int *fd, struct stat *st,
		struct tds_err *err) TDS_MUST_CHECK;

/*
 * Read a regular file whole.
 * Shape:   *data has *len bytes and a NUL behind them that does not count; a file of more than max
 *          bytes is refused before it is read.
 * Owner:   caller frees *data.
 * Errors:  as tds_io_open; TDS_E_UNUSABLE where it is larger than max or cannot be read;
 *          TDS_E_NOMEM.
 */
int tds_io_slurp(int dirfd, const char *name, size_t max, char **data, size_t *len,
		 struct tds_err *err) TDS_MUST_CHECK;

/* The same for an open descriptor of any kind, read to its end. */
int tds_io_slurp_fd(int fd, size_t max, char **data, size_t *len,
		    struct tds_err *err) TDS_MUST_CHECK;

/*
 * A file that is written complete or not at all: a temporary file beside its name, which commit
 * renames to it. The temporary name begins with TDS_IO_TEMP_PREFIX, so nothing lists it; it is
 * locked (flock) while its writer lives, so that tds_io_sweep can tell what a crash has left
 * behind.
 */
#define TDS_IO_TEMP_PREFIX ".tds-tmp-"

struct tds_outfile {
	int fd;     /* open for reading and writing; -1: none */
	int dirfd;  /* borrowed; the folder of both names */
	char *temp; /* NULL: none, or committed */
	char *name;
};

/*
 * Begin a file. name is a plain name in dirfd.
 * Errors:  TDS_E_WRITE, TDS_E_NOMEM. On error *out is safe to discard.
 */
int tds_outfile_open(int dirfd, const char *name, struct tds_outfile *out,
		     struct tds_err *err) TDS_MUST_CHECK;

/*
 * Give it its mode, fsync, rename, fsync the folder, close. An existing file of the name is
 * replaced.
 * Errors: TDS_E_WRITE; the name's file is then the old one, and the temporary file is gone.
 */
int tds_outfile_commit(struct tds_outfile *out, mode_t mode, struct tds_err *err) TDS_MUST_CHECK;

/* The same, but TDS_E_WRITE where a file of the name exists. */
int tds_outfile_commit_new(struct tds_outfile *out, mode_t mode,
			   struct tds_err *err) TDS_MUST_CHECK;

/*
 * Commit two files that belong together, possibly of two folders. Both are complete and synced before the first gets its
 * name, and the second gets its own right after; a crash between the two leaves the first new and the second old.
 * Errors: TDS_E_WRITE; *failed is the one that it is about. Both names' files are then the old ones; but the first is
 *         the new one where the file system cannot exchange two names, and both are new where only syncing the folder,
 *         or closing them, failed.
 */
int tds_outfile_commit_pair(struct tds_outfile *first, struct tds_outfile *second, mode_t mode,
			    const struct tds_outfile **failed, struct tds_err *err) TDS_MUST_CHECK;

/* All of that at once, for a file whose len bytes are there already. Errors: those of open and commit. */
int tds_outfile_write(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
		      struct tds_err *err) TDS_MUST_CHECK;

/* Remove what was not committed. Accepts a zeroed or a committed one. */
void tds_outfile_discard(struct tds_outfile *out);
static inline void tds_outfile_cleanup(struct tds_outfile *out)
{
	tds_outfile_discard(out);
}

/*
 * Remove the temporary files in dirfd whose writer is gone. Never fails: what cannot be removed
 * stays.
 */
void tds_io_sweep(int dirfd);

/* An empty memory file that can be sealed; caller closes it. -1 with errno. */
int tds_io_memfd(const char *name);

/* Seal it against writing, growing, shrinking and further seals. 0, or -1 with errno. */
int tds_io_seal(int fd);

/* Is it a memory file that nobody changes any more? Reading such a one waits for nothing. */
bool tds_io_is_sealed(int fd);

#endif
