/* SPDX-License-Identifier: MIT */
/* Ending what runs below this process: with system calls alone, since the daemon does it wherever it stands. */
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void children_kill(pid_t spared)
{
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	char text[4096];
	pid_t pid = 0;
	ssize_t n;

	/* Numbers, each with a blank behind it; one may go on in the next piece. */
	while (fd >= 0 && (n = read(fd, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (text[i] >= '0' && text[i] <= '9') {
				pid = 10 * pid + (text[i] - '0');
				continue;
			}
			if (pid > 0 && pid != spared)
				(void)kill(pid, SIGKILL);
			pid = 0;
		}
	if (fd >= 0)
		(void)close(fd);
}

static int is_child_left(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

void children_end(void)
{
	while (is_child_left()) {
		children_kill(0);
		(void)waitpid(-1, NULL, 0);
	}
}
