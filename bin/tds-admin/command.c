/* SPDX-License-Identifier: MIT */
/* Running another program. */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PATH_MORE "/usr/sbin:/sbin"

int command_run(const char *const *argv, struct tds_err *err)
{
	int status = -1;

	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		(void)execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
		return tds_err_set(err, TDS_E_REFUSED, "cannot be run");
	if (WEXITSTATUS(status) != 0)
		return tds_err_set(err, TDS_E_REFUSED, "failed with status %d",
				   WEXITSTATUS(status));
	return 0;
}

bool command_extend_path(void)
{
	tds_autofree char *path = NULL;
	const char *before = getenv("PATH");

	if (!before || !*before)
		return setenv("PATH", PATH_DEFAULT, 1) == 0;
	if (asprintf(&path, "%s:" PATH_MORE, before) >= 0)
		return setenv("PATH", path, 1) == 0;
	path = NULL;
	return false;
}

bool command_exists(const char *name)
{
	const char *path = getenv("PATH");

	for (const char *at = path, *end; at && *at; at = *end ? end + 1 : end) {
		tds_autofree char *file = NULL;

		end = strchrnul(at, ':');
		if (asprintf(&file, "%.*s/%s", (int)(end - at), at, name) < 0) {
			file = NULL;
			return false;
		}
		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}
