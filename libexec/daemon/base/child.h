/* SPDX-License-Identifier: MIT */
/*
 * The one way to start a child process of another program. What the child is to have is written down in a plan; all else of
 * its parent's it does not have: no descriptor, no handler, and no life of its own, since it is killed when its parent
 * ends. Its signals are blocked: what can take them lets them come. What its end means, and what is said of it, is the caller's.
 */
#ifndef TDS_DAEMON_CHILD_H
#define TDS_DAEMON_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "settings.h"

#define CHILD_FDS_MAX 8
#define CHILD_FAILED 127 /* the exit status of a child that could not become its program */

struct child_fd {
	int fd; /* the caller's */
	int to; /* its number in the child */
};

/* Everything in it is borrowed. What is left zero is not asked for. */
struct child_plan {
	char *const *argv; /* the program, searched in PATH where it has no slash; ends with NULL */
	char *const *envp; /* ends with NULL; NULL: the caller's environment */
	struct child_fd
		fds[CHILD_FDS_MAX]; /* all that it has; of 0, 1 and 2 the others are /dev/null */
	size_t nfds;
	int complain_to; /* its descriptor that one line goes to where it cannot become the program */
	const char *cwd;
	mode_t mask;  /* umask */
	bool session; /* in one of its own */
	const struct actor_limit
		*limits; /* besides the limit of descriptors, which is that of before */
	size_t nlimits;
	bool drop; /* become this user, in no other group */
	uid_t uid;
	gid_t gid;
	bool no_new_privs;
};

struct child {
	pid_t pid; /* 0: none */
	int pidfd; /* readable when it has ended; -1: none */
};

/*
 * Owner:   the child is the caller's to wait for, or to child_end; the caller keeps its descriptors.
 * Errors:  false with errno: there is no child. One that cannot become the program complains, and ends with CHILD_FAILED.
 */
bool child_start(const struct child_plan *plan, struct child *child);

/* Kill it where it lives, and reap it; *child is then none. Returns what waitpid says of it, -1 for none. */
int child_end(struct child *child);

#endif
