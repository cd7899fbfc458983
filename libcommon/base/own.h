/* SPDX-License-Identifier: MIT */
/* Opening what is to be ours alone: files and folders of a run directory. */
#ifndef TDS_OWN_H
#define TDS_OWN_H

#include <sys/types.h>

#include "err.h"

/*
 * Open a file, with O_DIRECTORY among the flags a folder, that is this process's user's and that nobody else may write. A link in
 * its place is not followed, and nobody waits for the other end of a FIFO.
 * Source:  name is relative to dirfd; with O_CREAT among the flags it is made with mode where it is missing.
 * Owner:   caller closes *fd.
 * Errors:  TDS_E_MISSING; TDS_E_UNUSABLE: it is somebody else's, of another kind, or cannot be opened, and is as it was. The reason names
 *          the file.
 */
int tds_own_open(int dirfd, const char *name, int flags, mode_t mode, int *fd,
		 struct tds_err *err) TDS_MUST_CHECK;

#endif
