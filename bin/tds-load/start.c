/* SPDX-License-Identifier: MIT */
/* Starting the admin process where a load needs it. */
#include "start.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/cores.h"
#include "base/mem.h"

int start_admin(struct tds_cli *cli, bool *incomplete, struct tds_err *err)
{
	tds_autofree char *program = tds_cli_neighbour("tds-admin");
	int status;

	if (!program)
		return tds_err_set(err, TDS_E_NO_ADMIN, "tds-admin cannot be found");
	pid_t pid = fork();
	if (pid == 0) {
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		tds_cores_restore();
		(void)execl(program, "tds-admin", "-C", cli->dir, "start",
			    cli->quiet ? "-q" : (char *)NULL, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) > 1)
		return tds_err_set(err, TDS_E_NO_ADMIN, "the admin process could not be started");
	*incomplete = WEXITSTATUS(status) == 1;
	return 0;
}
