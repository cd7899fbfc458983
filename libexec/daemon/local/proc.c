/* SPDX-License-Identifier: MIT */
/* Files of /proc. */
#include "proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A number behind "NAME:"; 0: there is none. */
static pid_t number_in(const char *path, const char *name)
{
	tds_autofile FILE *f = fopen(path, "re");
	char line[256];
	size_t n = strlen(name);

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, n) == 0)
			return (pid_t)strtol(line + n, NULL, 10);
	return 0;
}

pid_t proc_parent(pid_t pid)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	return number_in(path, "PPid:");
}

pid_t proc_of_pidfd(int pidfd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	return number_in(path, "Pid:");
}
