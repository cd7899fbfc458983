/* SPDX-License-Identifier: MIT */
/* Watching a folder that is open, whatever its path means by now. */
#include "dirwatch.h"

#include <stdio.h>
#include <sys/inotify.h>

#include "base/mem.h"

int dirwatch_open(const struct tds_dir *dir, uint32_t changes)
{
	tds_autofd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dir->fd);
	if (fd < 0 || inotify_add_watch(fd, path, changes | IN_ONLYDIR) < 0)
		return -1;
	return tds_steal_fd(&fd);
}
