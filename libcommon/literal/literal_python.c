/* SPDX-License-Identifier: MIT */
/* The version of the Python that runs actors, which only it can tell. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "literal_env.h"

#define ANSWER_MS 2000

static const char question[] = "import sys; v = sys.version_info; "
			       "print(v.major, v.minor, v.micro, v.serial, v.releaselevel)";

/* Start it with its output to a descriptor, and with no signal blocked or ignored. */
static int start(const char *path, int out, pid_t *pid)
{
	const char *const argv[] = { path, "-I", "-S", "-E", "-c", question, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	sigset_t all;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	int rc = posix_spawnattr_init(&attributes);
	if (rc == 0) {
		(void)posix_spawnattr_setsigmask(&attributes, &none);
		(void)posix_spawnattr_setsigdefault(&attributes, &all);
		(void)posix_spawnattr_setflags(&attributes,
					       POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
		rc = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1, 0);
		if (rc == 0)
			rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
		if (rc == 0)
			rc = posix_spawn(pid, path, &actions, &attributes,
					 (char *const *)(uintptr_t)argv, environ);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int64_t now_mono_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What it says until its end, or as long as it is given. */
static void hear(int fd, char *text, size_t size)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	int64_t deadline_mono_ms = now_mono_ms() + ANSWER_MS;
	int64_t left;
	size_t len = 0;
	ssize_t n = 1;

	while (len + 1 < size && n > 0 && (left = deadline_mono_ms - now_mono_ms()) > 0 &&
	       poll(&poller, 1, (int)left) > 0) {
		n = read(fd, text + len, size - len - 1);
		len += n > 0 ? (size_t)n : 0;
	}
	text[len] = '\0';
}

static bool ask(const char *path, struct tds_env_version *version)
{
	char text[100];
	int ends[2];
	pid_t pid = 0;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	bool started = start(path, ends[1], &pid) == 0;
	(void)close(ends[1]);
	if (started) {
		hear(ends[0], text, sizeof(text));
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	(void)close(ends[0]);
	int *v = version->number;
	return started && sscanf(text, "%d %d %d %d %15[a-z]", &v[0], &v[1], &v[2], &v[3],
				 version->level) == 5;
}

int tds_env_python_version(struct tds_env_version *version, struct tds_err *err)
{
	static struct tds_env_version known; /* level "": not yet asked */
	tds_auto(buf) struct tds_buf path = { 0 };
	bool found = false;

	if (!known.level[0]) {
		int rc = tds_env_python(&path, &found, err);

		if (rc != 0)
			return rc;
		if (!found || !ask(path.data, &known)) {
			known.level[0] = '\0';
			return tds_err_set(err, TDS_E_SYNTAX,
					   "sys.version_info: python3 does not tell");
		}
	}
	*version = known;
	return 0;
}
