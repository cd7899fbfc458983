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
#include "children.h"
#include "base/io.h"
#include "leftovers.h"
#include "daemon/base/signals.h"

/* The daemon says that a source's parent process is gone. */
#define SIG_STRAYS SIGUSR1
/* The daemon is told by the kernel that the guardian is dead. */
#define SIG_ORPHANED SIGUSR2

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

static pid_t own_guardian; /* of the daemon; else 0 */

/*
 * In the daemon, wherever it stands: its guardian is dead, so nobody else is there to end what runs below. Hosts would
 * die with it, but not what actors have started: that becomes the daemon's first, and dies.
 */
static void on_orphaned(int sig)
{
	(void)sig;
	if (getppid() == own_guardian)
		return;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	children_end();
	_exit(1);
}

/* In the daemon, before it has a child. */
static void await_orphaned(pid_t guardian)
{
	struct sigaction action = { .sa_handler = on_orphaned, .sa_flags = SA_RESTART };
	sigset_t orphaned;

	own_guardian = guardian;
	(void)sigfillset(&action.sa_mask);
	(void)sigaction(SIG_ORPHANED, &action, NULL);
	/* Whoever started us may have blocked it. */
	(void)sigemptyset(&orphaned);
	(void)sigaddset(&orphaned, SIG_ORPHANED);
	(void)sigprocmask(SIG_UNBLOCK, &orphaned, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIG_ORPHANED);
	if (getppid() != guardian)
		_exit(1);
}

/*
 * The daemon learns of its guardian's death only when that is over, some milliseconds after the kill on a busy machine;
 * what it promises until then would not hold. So it looks at what the kernel has in store for the guardian.
 */
bool guardian_lives(void)
{
	enum { SIGNALED = 0x400, EXITING = 0x4 }; /* PF_SIGNALED, PF_EXITING of the kernel */
	const unsigned long killed = 1UL << (SIGKILL - 1);
	unsigned long flags;
	unsigned long pending;
	char path[32];
	tds_autofree char *text = NULL;
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
	tds_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || tds_io_slurp_fd(fd, 4096, &text, &len, NULL) != 0)
		return fd >= 0 || errno != ENOENT;
	/* Behind the name, whatever that is: fields 3 to 31 of proc(5). */
	const char *fields = strrchr(text, ')');
	if (!fields || sscanf(fields,
			      ") %*s %*s %*s %*s %*s %*s %lu %*s %*s %*s %*s %*s %*s %*s %*s "
			      "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu",
			      &flags, &pending) != 2)
		return true;
	return !(flags & (SIGNALED | EXITING)) && !(pending & killed);
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
		signals_settle(0, NULL);
		await_orphaned(guardian);
		exit(daemon_run(settings, &cgroup, ready));
	}
	tds_close_fd(&ready);
	int status = daemon < 0 ? 1 : wait_for(daemon, &signals);
	children_end();
	/* What a program's actors have left: they were never below us. */
	leftovers_kill(settings->rundir);
	tds_cgroup_close(&cgroup);
	(void)unlinkat(settings->rundir, RUNDIR_SOCKET, 0);
	if (settings->transient)
		leave_nothing(settings);
	return status;
}
