/* SPDX-License-Identifier: MIT */
/* tds-verify, asked for a verdict. */
#include "verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cli.h"
#include "client.h"
#include "director/config.h"

#define TOOL "tds-verify"
#define VERDICT_MAX (64 << 20) /* bytes: a declaration may be in it, as a literal */

/* With out as its standard output. False: it could not be started. */
static bool start(const struct tds_dir *dir, const char *path, int out, pid_t *pid)
{
	const char *argv[] = { TOOL, "-q", "-j", "-C", dir->path, "--", path, NULL };
	tds_autofree char *program = tds_cli_neighbour(TOOL);
	posix_spawn_file_actions_t actions;

	if (!program || posix_spawn_file_actions_init(&actions) != 0)
		return false;
	/* Its own lines are not wanted: what they say is in the JSON too. */
	bool ok = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) == 0 &&
		  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY,
						   0) == 0 &&
		  posix_spawn(pid, program, &actions, NULL, (char **)(uintptr_t)argv, environ) == 0;
	(void)posix_spawn_file_actions_destroy(&actions);
	return ok;
}

json_t *tds_verdict_of(const struct tds_dir *dir, const char *path)
{
	tds_autofree char *text = NULL;
	size_t len = 0;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return NULL;
	bool started = start(dir, path, ends[1], &pid);
	(void)close(ends[1]);
	int rc = started ? tds_io_slurp_fd(ends[0], VERDICT_MAX, &text, &len, NULL) : -1;
	(void)close(ends[0]);
	while (started && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return rc == 0 ? json_loadb(text, len, 0, NULL) : NULL;
}

int tds_verdict_refusal(const json_t *verdict, struct tds_err *err)
{
	const char *why = json_string_value(json_object_get(verdict, "Message"));
	json_int_t status = json_integer_value(json_object_get(verdict, "Status"));

	if (json_is_true(json_object_get(verdict, "Success")))
		return 0;
	if (status != 0)
		return tds_err_set(err, tds_status_code(status), "%s", why ? why : "is refused");
	return tds_err_set(err, TDS_E_NO_ADMIN, TOOL " gives no verdict");
}

int tds_verdict_declaration(const json_t *verdict, struct tds_tli *tli, struct tds_err *err)
{
	const json_t *declared = json_object_get(verdict, "Declaration");

	*tli = (struct tds_tli){ 0 };
	return json_is_string(declared)
		       ? tds_tli_parse_literal(json_string_value(declared),
					       json_string_length(declared), tli, err)
		       : 0;
}

bool tds_verdict_defines(const struct tds_dir *dir)
{
	tds_auto(config) struct tds_config config = { 0 };

	return tds_config_read(dir, TDS_TLI_SIGNED_CFG, &config, NULL) == 0 &&
	       config.value->boolean;
}
