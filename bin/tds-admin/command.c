/* SPDX-License-Identifier: MIT */
/* Running another program. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

#define SAID_MAX_BYTES (64 << 10)
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

static _Noreturn void become_command(const char *const *argv, const struct tds_user *user, int in,
				     int out)
{
	struct tds_err err;

	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(out, STDERR_FILENO) >= 0) {
		if (tds_user_become(user, &err) != 0)
			dprintf(STDOUT_FILENO, "%s", err.reason);
		else if (execvp(argv[0], (char *const *)(uintptr_t)argv) != 0)
			dprintf(STDOUT_FILENO, "%s: %s", argv[0], strerror(errno));
	}
	_exit(127);
}

static int64_t now_mono_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What comes until the other end is closed. False: that took too long. */
static bool hear(int fd, int wait_ms, char said[SAID_MAX_BYTES])
{
	int64_t end_mono_ms = now_mono_ms() + wait_ms;
	char more[4096];
	size_t len = 0;

	for (ssize_t n = 1; n != 0;) {
		int64_t left_ms = end_mono_ms - now_mono_ms();
		struct pollfd readable = { .fd = fd, .events = POLLIN };

		if (left_ms <= 0 || poll(&readable, 1, (int)left_ms) == 0)
			return false;
		n = read(fd, more, sizeof(more));
		size_t fits = SAID_MAX_BYTES - 1 - len;
		if (n > 0) {
			memcpy(said + len, more, (size_t)n < fits ? (size_t)n : fits);
			len += (size_t)n < fits ? (size_t)n : fits;
		}
		if (n < 0 && errno != EINTR)
			break;
	}
	return true;
}

int command_talk(const char *const *argv, const struct tds_user *user, const char *input,
		 int wait_ms, char **said, struct tds_err *err)
{
	tds_autofd int in = tds_io_memfd("input");
	int out[2];
	int status = -1;

	*said = calloc(1, SAID_MAX_BYTES);
	if (!*said || in < 0 || tds_io_write(in, input, strlen(input)) != 0 ||
	    lseek(in, 0, SEEK_SET) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", argv[0]);
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		become_command(argv, user, in, out[1]);
	(void)close(out[1]);
	bool in_time = pid > 0 && hear(out[0], wait_ms, *said);
	(void)close(out[0]);
	if (pid < 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", argv[0]);
	if (!in_time)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!in_time)
		return tds_err_set(err, TDS_E_TIMEOUT, "takes longer than %d s", wait_ms / 1000);
	return status == 0 ? 0 : tds_err_set(err, TDS_E_REFUSED, "%s fails", argv[0]);
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
