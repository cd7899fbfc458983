/* SPDX-License-Identifier: MIT */
/*
 * The guardian: the smallest process that can promise that nothing outlives the daemon. It holds the lock, and is the
 * subreaper of all that the daemon starts, so what loses its parent becomes its child. What becomes its child while
 * the daemon lives is what an unloaded source left behind, and has no right to live either.
 */
#include "guardian.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "children.h"
#include "daemon/base/signals.h"
#include "director/rundir.h"
#include "leftovers.h"
#include "ward.h"

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
		children_kill(daemon);
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
static void leave_nothing(const struct guardian *guardian)
{
	empty(guardian->rundir, 1);
	if (rmdir(guardian->passing) == 0)
		(void)rmdir(guardian->home);
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

int guardian_run(const struct guardian *guardian)
{
	struct tds_cgroup cgroup;
	sigset_t signals;
	pid_t self = getpid();

	signals_settle(WARD_STRAYS, &signals);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)prctl(PR_SET_NAME, "tds-guardian");
	open_cgroup(guardian->rundir, &cgroup);
	leftovers_kill(guardian->rundir);
	leftovers_mark(guardian->rundir);
	pid_t daemon = fork();
	if (daemon == 0) {
		signals_settle(0, NULL);
		ward_begin(self);
		exit(guardian->run(guardian->ctx,
				   &(struct ward){ .cgroup = &cgroup, .ready = guardian->ready }));
	}
	tds_close_fd(&(int){ guardian->ready });
	int status = daemon < 0 ? 1 : wait_for(daemon, &signals);
	children_end();
	/* What a program's actors have left: they were never below us. */
	leftovers_kill(guardian->rundir);
	tds_cgroup_close(&cgroup);
	(void)unlinkat(guardian->rundir, TDS_RUNDIR_SOCKET, 0);
	if (guardian->passing)
		leave_nothing(guardian);
	return status;
}
