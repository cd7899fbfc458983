/* SPDX-License-Identifier: MIT */
/* The identity of an open file. */
#include "identity.h"

#include <sys/stat.h>

static bool is_equal(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

struct identity identity_of(int fd)
{
	struct timespec now;
	struct stat st;

	if (fstat(fd, &st) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
		return (struct identity){ 0 };
	const time_t age_s = now.tv_sec - st.st_ctim.tv_sec - (now.tv_nsec < st.st_ctim.tv_nsec);
	return (struct identity){ .settled = age_s >= IDENTITY_SETTLED_S,
				  .dev = st.st_dev,
				  .ino = st.st_ino,
				  .size = st.st_size,
				  .mtime = st.st_mtim,
				  .ctime = st.st_ctim };
}

bool identity_is_same(const struct identity *then, const struct identity *now)
{
	return then->settled && then->dev == now->dev && then->ino == now->ino &&
	       then->size == now->size && is_equal(&then->mtime, &now->mtime) &&
	       is_equal(&then->ctime, &now->ctime);
}
