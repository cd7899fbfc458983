/* SPDX-License-Identifier: MIT */
/*
 * The groups of the director directory, remembered while it stays as it is. What a symbolic link leads to may change
 * unseen: who opens it finds out.
 */
#ifndef TDS_DAEMON_LISTING_H
#define TDS_DAEMON_LISTING_H

#include <stdbool.h>
#include <time.h>

#include "base/dir.h"
#include "director/groups.h"

struct listing {
	struct tds_groups groups;
	struct timespec changed; /* when the directory was, before it was read */
	bool read;
	bool settled; /* a later change cannot have the same time */
};

/*
 * The groups that are there now.
 * Owner:   *groups is the listing's, and good until the next call.
 * Errors:  as tds_groups_scan.
 */
int listing_read(struct listing *listing, const struct tds_dir *dir,
		 const struct tds_groups **groups, struct tds_err *err) TDS_MUST_CHECK;
void listing_fini(struct listing *listing);

#endif
