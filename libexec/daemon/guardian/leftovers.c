/* SPDX-License-Identifier: MIT */
/*
 * What a guardian and a daemon that died at the same instant left behind: a process that had made itself a daemon, and
 * which no cgroup held. The host starts with a mark in its environment, which all that it starts inherits; a guardian
 * kills what still bears it, at its beginning and at its end. The actors of a program have the program's environment to
 * begin with: as long as they run no other program they bear the mark as the name of a memory file that is mapped. What has a uid
 * of its group's own is known by that, whatever it has made of its environment.
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
#include "base/owned.h"
#include "director/uids.h"

#define MARK LEFTOVERS_MARK
#define LOOK_MAX (16 << 20)    /* bytes of a process's environment or mappings that are looked at */
#define CHILDREN_MAX (1 << 20) /* bytes of a list of children */
#define DEPTH_MAX 64
#define GONE_MS 1000 /* that a killed process may take to be gone */

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

static bool is_over(int pidfd, int within_ms)
{
	struct pollfd gone = { .fd = pidfd, .events = POLLIN };

	return poll(&gone, 1, within_ms) != 0;
}

static void tell(int pidfd, int sig)
{
	(void)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

static void end(int proc, pid_t pid, int pidfd, int depth);

/* The children that one thread has started. Returns whether any of them lived. */
static bool end_children_of(int proc, const char *path, int depth)
{
	tds_autofree char *text = NULL;
	tds_autofd int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	bool lived = false;
	size_t len;

	if (fd < 0 || tds_io_slurp_fd(fd, CHILDREN_MAX, &text, &len, NULL) != 0)
		return false;
	for (char *p = text, *next; *p; p = next) {
		pid_t pid = (pid_t)strtol(p, &next, 10);
		bool ours = pid == getpid() || pid == getppid();
		tds_autofd int pidfd = pid > 0 && !ours ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

		if (next == p)
			break;
		/* Whom its parent, which stands still, cannot reap keeps its number: it means this child. */
		if (pidfd < 0 || is_over(pidfd, 0))
			continue;
		end(proc, pid, pidfd, depth - 1);
		lived = true;
	}
	return lived;
}

static bool end_children(int proc, pid_t pid, int depth)
{
	char path[64];
	bool lived = false;

	(void)snprintf(path, sizeof(path), "%d/task", (int)pid);
	int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
	for (const struct dirent *e; tasks && (e = readdir(tasks));) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		(void)snprintf(path, sizeof(path), "%d/task/%.16s/children", (int)pid, e->d_name);
		lived = end_children_of(proc, path, depth) || lived;
	}
	if (tasks)
		(void)closedir(tasks);
	return lived;
}

/*
 * A process goes after what it has started, which may bear no mark: stopped, it starts no more, and where it is the
 * subreaper of all that, it gets what its children leave.
 */
static void end(int proc, pid_t pid, int pidfd, int depth)
{
	tell(pidfd, SIGSTOP);
	while (depth > 0 && end_children(proc, pid, depth))
		continue;
	tell(pidfd, SIGKILL);
	(void)is_over(pidfd, GONE_MS);
}

/* A uid that only a group's actors have needs no mark: whatever runs as it is theirs. */
static void kill_of_groups(int rundir)
{
	json_t *groups = NULL;
	struct tds_err err;
	const char *name;
	json_t *uid;

	if (tds_uids_read(rundir, &groups, &err) != 0)
		return; /* which the daemon says, and does not start */
	json_object_foreach(groups, name, uid)
	{
		tds_owned_kill((uid_t)json_integer_value(uid));
	}
	json_decref(groups);
}

static void kill_marked(int rundir)
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
			end(dirfd(proc), pid, pidfd, DEPTH_MAX);
	}
	(void)closedir(proc);
}

void leftovers_kill(int rundir)
{
	kill_marked(rundir);
	kill_of_groups(rundir);
}

void leftovers_mark(int rundir)
{
	char value[LEFTOVERS_MARK_MAX];

	if (make_mark(rundir, value))
		(void)setenv(MARK, value, 1);
}
