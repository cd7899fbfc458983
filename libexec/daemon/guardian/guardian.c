/* SPDX-License-Identifier: MIT */
/*
 * The guardian: the smallest process that can promise that nothing outlives the daemon. It holds the lock, and is the
 * subreaper of all that the daemon starts, so what loses its parent becomes its child. What becomes its child while
 * the daemon lives is what an unloaded source left behind, and has no right to live either.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "director/rundir.h"
#include "leftovers.h"
#include "daemon/base/signals.h"

/* The daemon says that a source's parent process is gone. */
#define SIG_STRAYS SIGUSR1

static bool is_child_left(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

/* Kill every child but one; those of theirs become ours, so that the next turn gets them. */
static void kill_children(pid_t spared)
{
	tds_autofile FILE *f = fopen("/proc/thread-self/children", "re");
	int pid;

	while (f && fscanf(f, "%d", &pid) == 1)
		if (pid != spared)
			(void)kill(pid, SIGKILL);
}

static void kill_all(void)
{
	while (is_child_left()) {
		kill_children(0);
		(void)waitpid(-1, NULL, 0);
	}
}

/* Wait for the daemon; pass on what asks it to end; reap what became ours meanwhile. */
static int wait_for(pid_t daemon, const sigset_t *signals)
{
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == daemon)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (pid > 0)
			continue;
		kill_children(daemon);
		int sig = sigwaitinfo(signals, NULL);
		if (sig == SIGTERM || sig == SIGINT)
			(void)kill(daemon, SIGTERM);
	}
}

/* Remove the files of a folder, and those of the folders in it as well. */
static void empty(int folder, int depth)
{
	DIR *d = fdopendir(dup(folder));

	for (const struct dirent *entry; d && (entry = readdir(d));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(folder, entry->d_name, 0) == 0 || depth == 0)
			continue;
		tds_autofd int inner = openat(folder, entry->d_name,
					      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner >= 0)
			empty(inner, depth - 1);
		(void)unlinkat(folder, entry->d_name, AT_REMOVEDIR);
	}
	if (d)
		(void)closedir(d);
}

/*
 * The lock goes with the folder that it is in: who waits for it finds that folder gone, and begins with a new one.
 * What somebody else has put there stays.
 */
static void leave_nothing(const struct daemon_settings *settings)
{
	tds_autofree char *path = NULL;
	struct tds_err err;

	if (tds_rundir_path(settings->dir, &path, &err) != 0)
		return;
	empty(settings->rundir, 1);
	if (rmdir(path) == 0)
		(void)rmdir(settings->dir->path);
}

/* The run directory tells it from others of the same unit or session. */
static void open_cgroup(int rundir, struct tds_cgroup *cgroup)
{
	char id[TDS_CGROUP_ID_MAX];
	struct stat st;

	*cgroup = (struct tds_cgroup){ 0 };
	if (fstat(rundir, &st) != 0)
		return;
	(void)snprintf(id, sizeof(id), "tds-%jx-%jx", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	(void)tds_cgroup_open(TDS_CGROUP_ROOT, TDS_CGROUP_SELF, id, cgroup);
}

int guardian_run(const struct daemon_settings *settings, int lock, int ready)
{
	struct tds_cgroup cgroup;
	sigset_t signals;
	pid_t guardian = getpid();

	(void)lock; /* held by being open */
	signals_settle(SIG_STRAYS, &signals);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)prctl(PR_SET_NAME, "tds-guardian");
	open_cgroup(settings->rundir, &cgroup);
	leftovers_kill(settings->rundir);
	leftovers_mark(settings->rundir);
	pid_t daemon = fork();
	if (daemon == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != guardian)
			_exit(1);
		exit(daemon_run(settings, &cgroup, ready));
	}
	tds_close_fd(&ready);
	int status = daemon < 0 ? 1 : wait_for(daemon, &signals);
	kill_all();
	tds_cgroup_close(&cgroup);
	(void)unlinkat(settings->rundir, RUNDIR_SOCKET, 0);
	if (settings->transient)
		leave_nothing(settings);
	return status;
}
