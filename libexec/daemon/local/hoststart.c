/* SPDX-License-Identifier: MIT */
/*
 * Starting the first process of the host, the fork server, and what it gets of the daemon's. The processes of sources are forked
 * by it, which become the user that they are to be, and get the rest of their environment, when they are told their source.
 */
#include <sys/types.h>
#include <unistd.h>

#include "daemon/base/actorenv.h"
#include "daemon/base/child.h"
#include "local.h"

#define FD_LINK 3

/* Of no group, and as what everybody may see of it: the kernel shows it as that of all processes which are forked from there. */
static char **environment(const struct engine_config *config)
{
	return actorenv_new(&(struct actorenv){ .settings = config->settings, .dir = config->dir });
}

pid_t host_start(const struct engine_config *config, int link, int out, int *pidfd)
{
	const struct settings *s = config->settings;
	char *argv[] = { (char *)(uintptr_t)config->python, (char[]){ "-I" }, (char[]){ "-B" },
			 (char *)(uintptr_t)config->host, NULL };
	char **envp = environment(config);
	const struct child_plan plan = {
		.argv = argv,
		.envp = envp,
		.fds = { { out, STDOUT_FILENO }, { out, STDERR_FILENO }, { link, FD_LINK } },
		.nfds = 3,
		.complain_to = STDERR_FILENO,
		.cwd = config->dir,
		.mask = 022,
		.session = true,
		.limits = s->limits,
		.nlimits = s->nlimits,
		.drop = s->actors == ACTORS_AS_USER && s->actor_uid != geteuid(),
		.uid = s->actor_uid,
		.gid = s->actor_gid,
		.no_new_privs = !s->new_privs,
	};
	struct child child;
	bool started = envp && child_start(&plan, &child);

	actorenv_free(envp);
	if (!started)
		return -1;
	*pidfd = child.pidfd;
	return child.pid;
}
