/* SPDX-License-Identifier: MIT */
/*
 * What a verdict rests on, as far as files go: the director directory with its keys, the key that validated, and what limits
 * it. While none of that changed, a package that was verified need not be verified again.
 */
#ifndef TDS_DAEMON_TRUST_H
#define TDS_DAEMON_TRUST_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "base/dir.h"

#define TRUST_FILES 8

struct trust {
	struct {
		dev_t dev;
		ino_t ino; /* 0: not there */
		struct timespec mtime;
		struct timespec ctime;
	} files[TRUST_FILES];
};

/* How things stand now; key is the path of the key file. */
struct trust trust_now(const struct tds_dir *dir, const char *key);
bool trust_is_same(const struct trust *a, const struct trust *b);

#endif
