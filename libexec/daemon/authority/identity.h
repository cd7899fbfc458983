/* SPDX-License-Identifier: MIT */
/*
 * Which file it is, and in which state: what was verified need not be verified again while the file is the same. A file that
 * had just been changed when it was looked at is never believed to be the same later: file times have a grain, within which
 * another change would not show.
 */
#ifndef TDS_DAEMON_IDENTITY_H
#define TDS_DAEMON_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#define IDENTITY_SETTLED_S \
	2 /* unchanged for this long: coarser than the times of any file system */

struct identity {
	bool settled; /* false: nothing is the same as this; a zeroed one too */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	struct timespec ctime;
};

/* Of the open file, as it is before it is read. */
struct identity identity_of(int fd);

/* Is the file that it is now, byte for byte, what was looked at then? */
bool identity_is_same(const struct identity *then, const struct identity *now);

#endif
