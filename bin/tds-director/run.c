/* SPDX-License-Identifier: MIT */
/* Running the other tools, and what they print. */
#include "director.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

#define OUTPUT_MAX_BYTES (1 << 30)

int fail(struct director *director, int status, const char *fmt, ...)
{
	va_list ap;

	(void)fflush(director->cli.out);
	(void)fputs("tds-director: ", director->cli.err);
	va_start(ap, fmt);
	(void)vfprintf(director->cli.err, fmt, ap);
	va_end(ap);
	(void)fputc('\n', director->cli.err);
	return status;
}

char *join_path(struct director *director, const char *dir, const char *name)
{
	size_t n = strlen(dir);
	char *path = NULL;

	if (name[0] == '/' || n == 0)
		path = strdup(name);
	else if (asprintf(&path, "%s%s%s", dir, dir[n - 1] == '/' ? "" : "/", name) < 0)
		path = NULL;
	if (!path)
		(void)fail(director, 1, "out of memory");
	return path;
}

void output_fini(struct output *output)
{
	free(output->out);
	free(output->err);
	*output = (struct output){ 0 };
}

/* Output goes to memory files, so that no pipe can fill up and no order of reading matters. */
static int read_back(struct director *director, int fd, char **text, size_t *len)
{
	struct tds_err err;

	if (fd < 0)
		return 0;
	if (lseek(fd, 0, SEEK_SET) == 0 &&
	    tds_io_slurp_fd(fd, OUTPUT_MAX_BYTES, text, len, &err) == 0)
		return 0;
	return fail(director, 1, "the output of a tool cannot be read");
}

static _Noreturn void run_child(const char *path, const char *const *argv, int out, int err)
{
	if ((out >= 0 && dup2(out, STDOUT_FILENO) < 0) ||
	    (err >= 0 && dup2(err, STDERR_FILENO) < 0))
		_exit(126);
	(void)execv(path, (char *const *)argv);
	_exit(127);
}

static int await_child(struct director *director, const char *tool, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return fail(director, 1, "%s: %s", tool, strerror(errno));
	if (WIFSIGNALED(status))
		return fail(director, 1, "%s ended by signal %d", tool, WTERMSIG(status));
	if (WEXITSTATUS(status) >= 126)
		return fail(director, 1, "%s/%s cannot be run", director->bin, tool);
	return WEXITSTATUS(status);
}

int tool_run(struct director *director, const char *tool, const char *const *argv, int wanted,
	     struct output *output)
{
	tds_autofd int out = wanted & TOOL_OUT ? tds_io_memfd("stdout") : -1;
	tds_autofd int err = wanted & TOOL_ERR ? tds_io_memfd("stderr") : -1;
	tds_autofree char *path = join_path(director, director->bin, tool);
	size_t n = 0;

	if (output)
		*output = (struct output){ 0 };
	while (argv[n])
		n++;
	tds_autofree const char **all = calloc(n + 2, sizeof(*all));
	if (!path || !all || (wanted & TOOL_OUT && out < 0) || (wanted & TOOL_ERR && err < 0))
		return fail(director, 1, "%s cannot be run", tool);
	all[0] = tool;
	memcpy(all + 1, argv, n * sizeof(*all));
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		run_child(path, all, out, err);
	if (pid < 0)
		return fail(director, 1, "%s cannot be run: %s", tool, strerror(errno));
	int status = await_child(director, tool, pid);
	if (output && (read_back(director, out, &output->out, &output->out_len) != 0 ||
		       read_back(director, err, &output->err, &output->err_len) != 0))
		return 1;
	return status;
}
