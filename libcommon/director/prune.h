/* SPDX-License-Identifier: MIT */
/*
 * Deleting the packages that are more than TLS_Keep_Limit allows. One lock on the director directory keeps
 * deleting and loading apart; which packages go is decided here, who asks for it elsewhere.
 */
#ifndef TDS_PRUNE_H
#define TDS_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/dir.h"
#include "base/err.h"
#include "groups.h"
#include "rundir.h"

/*
 * Take the lock, waiting up to wait_ms for its holder. It is held until dir is closed.
 * Errors:  TDS_E_TIMEOUT; TDS_E_WRITE where the file system has no locks.
 */
int tds_prune_lock(const struct tds_dir *dir, int64_t wait_ms, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Is the package at this place of its group one too many? Kept are the keep_limit newest (all, where it is not
 * positive) and those that loaded names.
 */
bool tds_prune_excess(const struct tds_group *group, size_t i, int64_t keep_limit,
		      const struct tds_loaded *loaded);

/* What a name stood for when it was looked at; a symbolic link is itself, not what it leads to. */
struct tds_identity {
	dev_t dev;
	ino_t ino;
	struct timespec ctime; /* inode numbers are used again, at once on some file systems */
	bool there;            /* false: nothing, or no file or link */
};

struct tds_identity tds_prune_identify(const struct tds_dir *dir, const char *name);

/*
 * Delete name if it still stands for the same file. *removed says whether; that it is gone, or another one by
 * now, is no error.
 * Errors:  TDS_E_WRITE.
 */
int tds_prune_remove(const struct tds_dir *dir, const char *name,
		     const struct tds_identity *identity, bool *removed,
		     struct tds_err *err) TDS_MUST_CHECK;

/* Make the deletions last. Errors: TDS_E_WRITE. */
int tds_prune_sync(const struct tds_dir *dir, struct tds_err *err) TDS_MUST_CHECK;

#endif
