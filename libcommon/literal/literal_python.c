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

/* The question under way, and its answer. */
static struct {
	enum { UNASKED, ASKED, KNOWN } state;
	bool watched; /* a loop waits for the answer, which has its time therefore */
	int fd;
	pid_t pid;
	int64_t deadline_mono_ms; /* nobody is kept waiting for longer */
	char text[100];
	size_t len;
	struct tds_env_version version;
} asked = { .fd = -1 };

enum heard { A_LINE, NOTHING_MORE, NOTHING_YET };

static enum heard hear(void)
{
	struct pollfd poller = { .fd = asked.fd, .events = POLLIN };

	while (!memchr(asked.text, '\n', asked.len)) {
		int64_t left = asked.deadline_mono_ms - now_mono_ms();

		if (poll(&poller, 1, left > 0 ? (int)left : 0) <= 0)
			return NOTHING_YET;
		ssize_t n =
			read(asked.fd, asked.text + asked.len, sizeof(asked.text) - 1 - asked.len);
		if (n <= 0)
			return NOTHING_MORE;
		asked.len += (size_t)n;
	}
	return A_LINE;
}

void tds_env_version_print(const struct tds_env_version *version, char text[TDS_ENV_VERSION_MAX])
{
	const int *v = version->number;

	(void)snprintf(text, TDS_ENV_VERSION_MAX, "%d %d %d %d %s", v[0], v[1], v[2], v[3],
		       version->level);
}

bool tds_env_version_read(const char *text, struct tds_env_version *version)
{
	int *v = version->number;

	return sscanf(text, "%d %d %d %d %15[a-z]", &v[0], &v[1], &v[2], &v[3], version->level) ==
	       5;
}

static bool understand(void)
{
	asked.text[asked.len] = '\0';
	return tds_env_version_read(asked.text, &asked.version);
}

static void settle(enum heard heard)
{
	asked.state = heard == A_LINE && understand() ? KNOWN : UNASKED;
	tds_close_fd(&asked.fd);
	(void)kill(asked.pid, SIGKILL);
	while (waitpid(asked.pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int ask(struct tds_err *err)
{
	tds_auto(buf) struct tds_buf path = { 0 };
	bool found = false;
	int ends[2];
	int rc = tds_env_python(&path, &found, err);

	if (rc != 0 || !found || pipe2(ends, O_CLOEXEC) != 0)
		return rc;
	bool started = start(path.data, ends[1], &asked.pid) == 0;
	(void)close(ends[1]);
	if (!started) {
		(void)close(ends[0]);
		return 0;
	}
	asked.state = ASKED;
	asked.watched = false;
	asked.fd = ends[0];
	asked.len = 0;
	asked.deadline_mono_ms = now_mono_ms() + ANSWER_MS;
	return 0;
}

int tds_env_python_ask(void)
{
	struct tds_err err;

	if (asked.state == UNASKED)
		(void)ask(&err);
	int watch = asked.state == ASKED ? fcntl(asked.fd, F_DUPFD_CLOEXEC, 0) : -1;
	asked.watched = watch >= 0;
	return watch;
}

int tds_env_python_version(struct tds_env_version *version, struct tds_err *err)
{
	int rc = asked.state == UNASKED ? ask(err) : 0;

	if (rc != 0)
		return rc;
	if (asked.state == ASKED) {
		enum heard heard = hear();

		if (heard != NOTHING_YET || !asked.watched)
			settle(heard);
	}
	if (asked.state != KNOWN)
		return tds_err_set(err, TDS_E_SYNTAX, "sys.version_info: python3 does not tell");
	*version = asked.version;
	return 0;
}
