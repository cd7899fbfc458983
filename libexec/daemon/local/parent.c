/* SPDX-License-Identifier: MIT */
/*
 * From the daemon to the host: what the process of a host keeps of the daemon's, and what it gets. Only its first
 * process comes this way; parents of sources are forked by it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "local.h"
#include "daemon/base/signals.h"

#define FD_LINK 3

/* In the child, before exec: only async-signal-safe calls, and nothing that may fail silently. */
static void become_parent(const struct engine_config *config, pid_t admin, int link, int out)
{
	const struct settings *s = config->settings;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != admin)
		_exit(127);

	/* The host unblocks them when it has handlers: until then they would end it. */
	signals_set_defaults();
	(void)umask(022);
	descriptors_restore();
	int null = open("/dev/null", O_RDONLY);
	/* First out of the way of the numbers they are to have. */
	link = fcntl(link, F_DUPFD, 10);
	if (null < 0 || link < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
	    dup2(link, FD_LINK) < 0 || syscall(SYS_close_range, FD_LINK + 1, ~0U, 0) != 0 ||
	    setsid() < 0 || chdir(config->dir) != 0)
		goto fail;
	for (size_t i = 0; i < s->nlimits; i++)
		if (setrlimit(s->limits[i].resource,
			      &(struct rlimit){ s->limits[i].value, s->limits[i].value }) != 0)
			goto fail;
	if (s->actor_uid != (uid_t)-1 && s->actor_uid != geteuid() &&
	    (setgroups(0, NULL) != 0 || setgid(s->actor_gid) != 0 || setuid(s->actor_uid) != 0 ||
	     getuid() != s->actor_uid))
		goto fail;
	/* Changing the user drops the death signal. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != admin || (!s->new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0))
		goto fail;
	(void)execlp(config->python, config->python, "-I", "-B", config->host, (char *)NULL);
fail:
	dprintf(2, "%s: cannot be started: %s\n", config->python, strerror(errno));
	_exit(127);
}

static void drop_environment(void)
{
	extern char **environ;

	/* The loader and the interpreter must not be told from outside what to load. */
	for (char **p = environ; *p;) {
		if (strncmp(*p, "PYTHON", 6) != 0 && strncmp(*p, "LD_", 3) != 0) {
			p++;
			continue;
		}
		for (char **q = p; *q; q++)
			q[0] = q[1];
	}
}

pid_t parent_start(const struct engine_config *config, int link, int out)
{
	pid_t admin = getpid();
	pid_t pid = signals_fork();

	if (pid == 0) {
		drop_environment();
		become_parent(config, admin, link, out);
	}
	return pid;
}
