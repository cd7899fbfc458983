/* SPDX-License-Identifier: MIT */
/* What the kernel tells of changes in a folder, as inotify(7) has it. */
#ifndef TDS_DAEMON_DIRWATCH_H
#define TDS_DAEMON_DIRWATCH_H

#include <stdint.h>

#include "base/dir.h"

/* An inotify descriptor that does not block, for these changes of what is in it; the caller's. -1: none can be had. */
int dirwatch_open(const struct tds_dir *dir, uint32_t changes);

#endif
