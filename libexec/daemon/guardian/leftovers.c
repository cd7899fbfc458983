/* SPDX-License-Identifier: MIT */
/*
 * What a guardian and a daemon that died at the same instant left behind: a process that had made itself a daemon, and
 * which no cgroup held. The host starts with a mark in its environment, which all that it starts inherits; the next
 * guardian kills what still bears it.
 */
#include "leftovers.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

#define MARK "TDS_ADMIN_RUN"
#define ENVIRON_MAX (4 << 20) /* bytes of a process's environment that are looked at */

/* The run directory tells one admin's processes from another's. */
static bool make_mark(int rundir, char value[LEFTOVERS_MARK_MAX])
{
	struct stat st;

	if (fstat(rundir, &st) != 0)
		return false;
	(void)snprintf(value, LEFTOVERS_MARK_MAX, "%jx-%jx", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	return true;
}

static bool bears(int proc, const char *pid, const char *mark)
{
	char path[32];
	tds_autofree char *text = NULL;
	size_t len;

	(void)snprintf(path, sizeof(path), "%.16s/environ", pid);
	tds_autofd int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || tds_io_slurp_fd(fd, ENVIRON_MAX, &text, &len, NULL) != 0)
		return false;
	for (const char *p = text; p < text + len; p += strlen(p) + 1)
		if (strcmp(p, mark) == 0)
			return true;
	return false;
}

void leftovers_kill(int rundir)
{
	char value[LEFTOVERS_MARK_MAX];
	char mark[sizeof(MARK) + sizeof(value)];
	DIR *proc = opendir("/proc");

	if (!proc || !make_mark(rundir, value)) {
		if (proc)
			(void)closedir(proc);
		return;
	}
	(void)snprintf(mark, sizeof(mark), MARK "=%s", value);
	for (const struct dirent *e; (e = readdir(proc));) {
		pid_t pid = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : 0;

		/* Whoever starts the admin may be one of them, and waits for us. */
		if (pid <= 0 || pid == getpid() || pid == getppid())
			continue;
		/* Opened before the look: a process that has the number later is not meant. */
		tds_autofd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		if (pidfd >= 0 && bears(dirfd(proc), e->d_name, mark))
			(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	}
	(void)closedir(proc);
}

void leftovers_mark(int rundir)
{
	char value[LEFTOVERS_MARK_MAX];

	if (make_mark(rundir, value))
		(void)setenv(MARK, value, 1);
}
