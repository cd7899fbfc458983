/* SPDX-License-Identifier: MIT */
/* The groups of the director directory, read again only where it may have changed: a refresh asks once for each. */
#include "director/groups.h"
#include "listing.h"

#include <sys/stat.h>
#include <time.h>

/* Seconds; a change within the clock grain of the file system after the last one leaves the same time. */
#define GRAIN_S 2

void listing_fini(struct listing *listing)
{
	if (listing->read)
		tds_groups_fini(&listing->groups);
	*listing = (struct listing){ 0 };
}

static bool is_same(const struct listing *listing, const struct stat *st)
{
	return listing->settled && listing->changed.tv_sec == st->st_mtim.tv_sec &&
	       listing->changed.tv_nsec == st->st_mtim.tv_nsec;
}

int listing_read(struct listing *listing, const struct tds_dir *dir,
		 const struct tds_groups **groups, struct tds_err *err)
{
	struct stat st;

	if (fstat(dir->fd, &st) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "%s", dir->path);
	*groups = &listing->groups;
	if (is_same(listing, &st))
		return 0;
	listing_fini(listing);
	int rc = tds_groups_scan(dir, &listing->groups, err);
	if (rc != 0)
		return rc;
	time_t age = time(NULL) - st.st_mtim.tv_sec;
	listing->read = true;
	listing->settled = age > GRAIN_S;
	listing->changed = st.st_mtim;
	return 0;
}
