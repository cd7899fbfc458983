/* SPDX-License-Identifier: MIT */
/*
 * Starting the first process of the host, the fork server, and what it gets of the daemon's. The processes of sources are forked
 * by it.
 */
#include <sys/types.h>
#include <unistd.h>

#include "daemon/base/child.h"
#include "local.h"

#define FD_LINK 3

/* The loader and the interpreter must not be told from outside what to load. */
const char *const host_withheld[] = { "PYTHON", "LD_", "TDS_DATA_DIR", NULL };

pid_t host_start(const struct engine_config *config, int link, int out, int *pidfd)
{
	const struct settings *s = config->settings;
	char *argv[] = { (char *)(uintptr_t)config->python, (char[]){ "-I" }, (char[]){ "-B" },
			 (char *)(uintptr_t)config->host, NULL };
	const struct child_plan plan = {
		.argv = argv,
		.withheld = host_withheld,
		.fds = { { out, STDOUT_FILENO }, { out, STDERR_FILENO }, { link, FD_LINK } },
		.nfds = 3,
		.complain_to = STDERR_FILENO,
		.cwd = config->dir,
		.mask = 022,
		.session = true,
		.limits = s->limits,
		.nlimits = s->nlimits,
		.drop = s->actor_uid != (uid_t)-1 && s->actor_uid != geteuid(),
		.uid = s->actor_uid,
		.gid = s->actor_gid,
		.no_new_privs = !s->new_privs,
	};
	struct child child;

	if (!child_start(&plan, &child))
		return -1;
	*pidfd = child.pidfd;
	return child.pid;
}
