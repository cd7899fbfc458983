/* SPDX-License-Identifier: MIT */
/* Files of /proc. */
#include "proc.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

/* What stands behind "NAME:\t" in a file of lines, up to its end. False: there is none. */
static bool text_in(const char *path, const char *name, char text[64])
{
	tds_autofile FILE *f = fopen(path, "re");
	char line[256];
	size_t n = strlen(name);

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, n) == 0) {
			(void)snprintf(text, 64, "%.63s", line + n);
			return true;
		}
	return false;
}

/* As a number; otherwise: there is none. */
static int number_in(const char *path, const char *name, int otherwise)
{
	char text[64];

	return text_in(path, name, text) ? (int)strtol(text, NULL, 10) : otherwise;
}

static void status_path(char path[32], pid_t pid)
{
	(void)snprintf(path, 32, "/proc/%d/status", (int)pid);
}

pid_t proc_parent(pid_t pid)
{
	char path[32];

	status_path(path, pid);
	return number_in(path, "PPid:", 0);
}

pid_t proc_of_pidfd(int pidfd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	return number_in(path, "Pid:", 0);
}

pid_t proc_newest(void)
{
	tds_autofile FILE *f = fopen("/proc/loadavg", "re");
	int newest = 0;

	return f && fscanf(f, "%*s %*s %*s %*s %d", &newest) == 1 ? newest : 0;
}

static void children_of_thread(pid_t pid, const char *thread, void (*tell)(void *ctx, pid_t child),
			       void *ctx)
{
	char path[64];
	int child;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", (int)pid, thread);
	tds_autofile FILE *f = fopen(path, "re");
	while (f && fscanf(f, "%d", &child) == 1)
		tell(ctx, child);
}

void proc_children(pid_t pid, void (*tell)(void *ctx, pid_t child), void *ctx)
{
	char path[32];
	const struct dirent *thread;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *threads = opendir(path);
	while (threads && (thread = readdir(threads)))
		if (thread->d_name[0] != '.')
			children_of_thread(pid, thread->d_name, tell, ctx);
	if (threads)
		(void)closedir(threads);
}

int64_t proc_age_ms(pid_t pid)
{
	char path[32];
	char line[1024];
	unsigned long long ticks;
	struct timespec now;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	tds_autofile FILE *f = fopen(path, "re");
	/* Behind the name, whatever that is: fields 3 to 22 of proc(5). */
	const char *fields = f && fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	if (!fields ||
	    sscanf(fields,
		   ") %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%*s %llu",
		   &ticks) != 1 ||
	    clock_gettime(CLOCK_BOOTTIME, &now) != 0)
		return -1;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 -
	       (int64_t)ticks * 1000 / sysconf(_SC_CLK_TCK);
}

bool proc_lives(pid_t pid)
{
	char path[32];
	char state[64];

	status_path(path, pid);
	return text_in(path, "State:\t", state) && state[0] != 'Z' && state[0] != 'X';
}

bool proc_kill_child(pid_t pid, pid_t parent)
{
	tds_autofd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	return pidfd >= 0 && parent > 0 && proc_parent(pid) == parent &&
	       syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0;
}
