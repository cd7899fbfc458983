/* SPDX-License-Identifier: MIT */
/*
 * What a guardian and a daemon that died at the same instant left behind: a process that had made itself a daemon, and
 * which no cgroup held. The host starts with a mark in its environment, which all that it starts inherits; a guardian
 * kills what still bears it, at its beginning and at its end. The actors of a program have the program's environment to
 * begin with: as long as they run no other program they bear the mark as the name of a memory file that is mapped.
 */
#include "leftovers.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
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

#define MARK LEFTOVERS_MARK
#define LOOK_MAX (16 << 20) /* bytes of a process's environment or mappings that are looked at */
#define GONE_MS 1000        /* that a killed process may take to be gone */

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

/* A file of a process in /proc; NULL: it is gone, or not for us. */
static char *look(int proc, const char *pid, const char *file, size_t *len)
{
	char path[32];
	char *text = NULL;

	(void)snprintf(path, sizeof(path), "%.16s/%s", pid, file);
	tds_autofd int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && tds_io_slurp_fd(fd, LOOK_MAX, &text, len, NULL) == 0 ? text : NULL;
}

static bool bears(int proc, const char *pid, const char *mark)
{
	char mapping[sizeof(MARK) + LEFTOVERS_MARK_MAX + 16];
	size_t len = 0;
	tds_autofree char *environment = look(proc, pid, "environ", &len);

	for (const char *p = environment; p && p < environment + len; p += strlen(p) + 1)
		if (strcmp(p, mark) == 0)
			return true;
	if (!environment)
		return false;
	(void)snprintf(mapping, sizeof(mapping), " /memfd:%s (", mark);
	tds_autofree char *maps = look(proc, pid, "maps", &len);
	return maps && strstr(maps, mapping);
}

static void end(int pidfd)
{
	struct pollfd gone = { .fd = pidfd, .events = POLLIN };

	if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0)
		(void)poll(&gone, 1, GONE_MS);
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
			end(pidfd);
	}
	(void)closedir(proc);
}

void leftovers_mark(int rundir)
{
	char value[LEFTOVERS_MARK_MAX];

	if (make_mark(rundir, value))
		(void)setenv(MARK, value, 1);
}
