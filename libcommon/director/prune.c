/* SPDX-License-Identifier: MIT */
/* Choosing and deleting superfluous packages, under the lock that loading takes too. */
#include "groups.h"
#include "prune.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 10

static int64_t now_mono_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int tds_prune_lock(const struct tds_dir *dir, int64_t wait_ms, struct tds_err *err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	int64_t deadline_mono_ms = now_mono_ms() + wait_ms;

	/* flock has no deadline, and an alarm would be the whole process's. */
	while (flock(dir->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return tds_err_sys(err, TDS_E_WRITE, "cannot be locked");
		if (now_mono_ms() >= deadline_mono_ms)
			return tds_err_set(err, TDS_E_TIMEOUT, "is locked by another process");
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

bool tds_prune_excess(const struct tds_group *group, size_t i, int64_t keep_limit,
		      const struct tds_loaded *loaded)
{
	return keep_limit > 0 && i >= (uint64_t)keep_limit &&
	       !tds_loaded_has(loaded, group->files[i].name);
}

struct tds_identity tds_prune_identify(const struct tds_dir *dir, const char *name)
{
	struct stat st;

	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)))
		return (struct tds_identity){ 0 };
	return (struct tds_identity){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.ctime = st.st_ctim,
		.there = true,
	};
}

static bool same(const struct tds_identity *a, const struct tds_identity *b)
{
	return a->there && b->there && a->dev == b->dev && a->ino == b->ino &&
	       a->ctime.tv_sec == b->ctime.tv_sec && a->ctime.tv_nsec == b->ctime.tv_nsec;
}

int tds_prune_remove(const struct tds_dir *dir, const char *name,
		     const struct tds_identity *identity, bool *removed, struct tds_err *err)
{
	struct tds_identity now = tds_prune_identify(dir, name);

	*removed = false;
	if (!same(identity, &now))
		return 0;
	if (unlinkat(dir->fd, name, 0) == 0)
		*removed = true;
	else if (errno != ENOENT)
		return tds_err_sys(err, TDS_E_WRITE, "cannot be deleted");
	return 0;
}

int tds_prune_sync(const struct tds_dir *dir, struct tds_err *err)
{
	/* Some file systems do not sync directories; there is nothing more to be done there. */
	if (fsync(dir->fd) != 0 && errno != EINVAL)
		return tds_err_sys(err, TDS_E_WRITE, "cannot be synced");
	return 0;
}
