/* SPDX-License-Identifier: MIT */
/* Starting a child process. Between fork and exec only async-signal-safe calls, and nothing that fails unseen. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cores.h"
#include "base/mem.h"
#include "descriptors.h"
#include "signals.h"

#define STANDARD_FDS 3

extern char **environ;

/* --- in the child --- */

static bool dies_with(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

static bool is_named(const int *fds, size_t n, int fd)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] == fd)
			return true;
	return false;
}

/* The lowest of them from this number on; -1: none. */
static int lowest_from(const int *fds, size_t n, int from)
{
	int lowest = -1;

	for (size_t i = 0; i < n; i++)
		if (fds[i] >= from && (lowest < 0 || fds[i] < lowest))
			lowest = fds[i];
	return lowest;
}

static bool close_all_but(const int *fds, size_t n)
{
	int from = 0;
	int kept;

	for (; (kept = lowest_from(fds, n, from)) >= 0; from = kept + 1)
		if (kept > from &&
		    syscall(SYS_close_range, (unsigned)from, (unsigned)kept - 1, 0) != 0)
			return false;
	return syscall(SYS_close_range, (unsigned)from, ~0U, 0) == 0;
}

/*
 * Everything else is closed first, so that there are free numbers however many the parent has; then what stays moves out of
 * the way of the numbers that it is to have.
 */
static bool place_descriptors(const struct child_plan *plan)
{
	int from[CHILD_FDS_MAX];
	int to[CHILD_FDS_MAX + STANDARD_FDS] = { 0, 1, 2 };
	int beyond = STANDARD_FDS;

	for (size_t i = 0; i < plan->nfds; i++) {
		from[i] = plan->fds[i].fd;
		to[STANDARD_FDS + i] = plan->fds[i].to;
		if (plan->fds[i].to >= beyond)
			beyond = plan->fds[i].to + 1;
	}
	if (!close_all_but(from, plan->nfds))
		return false;
	for (size_t i = 0; i < plan->nfds; i++)
		if ((from[i] = fcntl(from[i], F_DUPFD, beyond)) < 0)
			return false;
	for (size_t i = 0; i < plan->nfds; i++)
		if (dup2(from[i], plan->fds[i].to) < 0)
			return false;
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < STANDARD_FDS; fd++)
		if (!is_named(to + STANDARD_FDS, plan->nfds, fd) && null != fd &&
		    (null < 0 || dup2(null, fd) < 0))
			return false;
	return close_all_but(to, STANDARD_FDS + plan->nfds);
}

static bool set_limits(const struct child_plan *plan)
{
	descriptors_restore();
	tds_cores_restore();
	for (size_t i = 0; i < plan->nlimits; i++) {
		const struct rlimit limit = { plan->limits[i].value, plan->limits[i].value };

		if (setrlimit((__rlimit_resource_t)plan->limits[i].resource, &limit) != 0)
			return false;
	}
	return true;
}

static bool become_user(const struct child_plan *plan)
{
	return setgroups(0, NULL) == 0 && setgid(plan->gid) == 0 && setuid(plan->uid) == 0 &&
	       getuid() == plan->uid && geteuid() == plan->uid && getgid() == plan->gid;
}

static bool prepare(const struct child_plan *plan, pid_t parent)
{
	if (plan->mask)
		(void)umask(plan->mask);
	return (!plan->session || setsid() >= 0) && (!plan->cwd || chdir(plan->cwd) == 0) &&
	       set_limits(plan) && (!plan->drop || become_user(plan)) &&
	       /* Another user drops the death signal. */
	       dies_with(parent) &&
	       (!plan->no_new_privs || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

static void complain(const struct child_plan *plan, int why)
{
	const char *reason = strerrordesc_np(why);
	const char *const parts[] = { plan->argv[0],
				      plan->cwd ? " in " : "",
				      plan->cwd ? plan->cwd : "",
				      ": cannot be started: ",
				      reason ? reason : "unknown error",
				      "\n" };
	char line[512] = "";

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		(void)strncat(line, parts[i], sizeof(line) - 1 - strlen(line));
	/* Nobody may be there to read it. */
	ssize_t ignored = write(plan->complain_to, line, strlen(line));
	(void)ignored;
}

static _Noreturn void become(const struct child_plan *plan, pid_t parent)
{
	/* Where the parent is gone already, its end was before the signal. */
	if (dies_with(parent)) {
		signals_set_defaults(); /* and blocked, until the program has handlers */
		if (place_descriptors(plan)) {
			if (prepare(plan, parent))
				(void)execvpe(plan->argv[0], plan->argv,
					      plan->envp ? plan->envp : environ);
			complain(plan, errno);
		}
	}
	_exit(CHILD_FAILED);
}

/* --- in the parent --- */

static pid_t fork_blocked(const struct child_plan *plan)
{
	pid_t parent = getpid();
	pid_t pid = signals_fork();

	if (pid == 0)
		become(plan, parent);
	return pid;
}

bool child_start(const struct child_plan *plan, struct child *child)
{
	*child = (struct child){ .pidfd = -1 };
	pid_t pid = fork_blocked(plan);
	if (pid < 0)
		return false;
	*child = (struct child){ .pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0) };
	if (child->pidfd >= 0)
		return true;
	/* Out of descriptors: nobody would hear of its end. */
	int why = errno;
	(void)child_end(child);
	errno = why;
	return false;
}

int child_end(struct child *child)
{
	int status = -1;

	if (child->pid > 0) {
		(void)kill(child->pid, SIGKILL);
		while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
			;
		tds_close_fd(&child->pidfd);
	}
	*child = (struct child){ .pidfd = -1 };
	return status;
}
