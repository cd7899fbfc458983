/* SPDX-License-Identifier: MIT */
/* What a child process has of its parent, and what it has not: the program that is started is this one, which tells. */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "daemon/base/child.h"
#include "daemon/base/descriptors.h"

#define TOLD_MAX (64 << 10)
#define LIMIT_MS 20000

static char self[4096];

/* --- the child --- */

static void tell_limit(const char *name, __rlimit_resource_t resource)
{
	struct rlimit limit;

	(void)getrlimit(resource, &limit);
	(void)printf("%s=%ju %ju\n", name, (uintmax_t)limit.rlim_cur, (uintmax_t)limit.rlim_max);
}

static void tell_signals(void)
{
	sigset_t mask;

	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction action;

		if (sigismember(&mask, sig) == 1)
			(void)printf("blocked %d\n", sig);
		if (sigaction(sig, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			(void)printf("ignored %d\n", sig);
	}
}

static void tell_descriptors(int report)
{
	for (int fd = 0; fd < 4096; fd++) {
		char link[64];
		char to[256] = "";

		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (fd != report && fcntl(fd, F_GETFD) >= 0 &&
		    readlink(link, to, sizeof(to) - 1) > 0)
			(void)printf("fd %d=%s\n", fd, to);
	}
}

static int tell(int report)
{
	extern char **environ;
	char cwd[4096];
	int death = 0;

	tell_descriptors(report);
	if (dup2(report, STDOUT_FILENO) < 0)
		return 1;
	(void)prctl(PR_GET_PDEATHSIG, &death);
	mode_t mask = umask(0);
	(void)printf("death=%d\numask=%03o\ncwd=%s\nnnp=%d\nleader=%d\n", death, (unsigned)mask,
		     getcwd(cwd, sizeof(cwd)), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
		     getsid(0) == getpid());
	tell_limit("files", RLIMIT_NOFILE);
	tell_limit("core", RLIMIT_CORE);
	tell_signals();
	for (char **p = environ; *p; p++)
		(void)printf("env %s\n", *p);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* --- the parent --- */

/* All that comes until nobody writes any more. */
static char *read_all(int fd)
{
	char *text = calloc(1, TOLD_MAX);

	assert_non_null(text);
	assert_true(tds_io_read(fd, text, TOLD_MAX - 1) >= 0);
	return text;
}

/* What it tells of itself, as the plan has it; its report goes to its descriptor 9. */
static char *told(struct child_plan plan)
{
	char *argv[] = { self, (char[]){ "tell" }, (char[]){ "9" }, NULL };
	struct child child;
	int report[2];
	int status;

	assert_int_equal(pipe2(report, O_CLOEXEC), 0);
	plan.argv = argv;
	plan.fds[plan.nfds++] = (struct child_fd){ report[1], 9 };
	plan.complain_to = 9;
	assert_true(child_start(&plan, &child));
	(void)close(report[1]);
	char *text = read_all(report[0]);
	(void)close(report[0]);
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	(void)close(child.pidfd);
	if (status != 0)
		fail_msg("status %x: %s", (unsigned)status, text);
	return text;
}

static void assert_told(const char *text, const char *line)
{
	char whole[512];

	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (strncmp(text, whole + 1, strlen(whole + 1)) != 0 && !strstr(text, whole))
		fail_msg("no \"%s\" in:\n%s", line, text);
}

static void assert_not_told(const char *text, const char *words)
{
	if (strstr(text, words))
		fail_msg("\"%s\" in:\n%s", words, text);
}

static void has_the_named_descriptors_only(void **state)
{
	const struct folder *folder = *state;
	int stray = fcntl(folder->fd, F_DUPFD, 100);
	char line[64];

	tds_autofree char *text =
		told((struct child_plan){ .fds = { { folder->fd, 5 } }, .nfds = 1 });
	(void)close(stray);
	(void)snprintf(line, sizeof(line), "fd 5=%s", folder->path);
	assert_told(text, line);
	assert_told(text, "fd 0=/dev/null");
	assert_told(text, "fd 1=/dev/null");
	assert_told(text, "fd 2=/dev/null");
	size_t n = 0;
	for (const char *at = text; (at = strstr(at, "fd ")); at++)
		n++;
	assert_int_equal(n, 4);
}

static void descriptors_change_places(void **state)
{
	const struct folder *folder = *state;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char line[64];

	tds_autofree char *text = told((struct child_plan){
		.fds = { { folder->fd, null }, { null, folder->fd } }, .nfds = 2 });
	(void)snprintf(line, sizeof(line), "fd %d=%s", null, folder->path);
	assert_told(text, line);
	(void)snprintf(line, sizeof(line), "fd %d=/dev/null", folder->fd);
	assert_told(text, line);
	(void)close(null);
}

/* The soft limit is what it was before it was raised; and a parent that has used up its own starts children all the same. */
static void descriptors_are_limited_as_before(void **state)
{
	struct rlimit old;
	struct rlimit few;
	size_t n = 0;
	int taken[512];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = (struct rlimit){ 64, old.rlim_max < 512 ? old.rlim_max : 512 };
	assert_int_equal(prlimit(0, RLIMIT_NOFILE, &few, NULL), 0);
	descriptors_raise();
	while (n < COUNT(taken) && (taken[n] = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	assert_int_equal(errno, EMFILE);
	for (int left = 0; left < 3; left++) /* for the report, and the pidfd */
		(void)close(taken[--n]);
	tds_autofree char *text = told((struct child_plan){ 0 });
	while (n > 0)
		(void)close(taken[--n]);
	assert_told(text, few.rlim_max == 512 ? "files=64 512" : "files=64");
}

static void on_signal(int sig)
{
	(void)sig;
}

static void signals_are_at_their_defaults_and_blocked(void **state)
{
	const struct sigaction handled = { .sa_handler = on_signal };
	sigset_t blocked;
	sigset_t after;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigaction(SIGTERM, &handled, NULL);
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &blocked, NULL);
	tds_autofree char *text = told((struct child_plan){ 0 });
	assert_not_told(text, "ignored ");
	/* All that can be: until the program has handlers nothing shall end it. */
	assert_told(text, "blocked 10");
	assert_told(text, "blocked 15");
	(void)sigprocmask(SIG_UNBLOCK, &blocked, &after);
	assert_int_equal(sigismember(&after, SIGUSR1), 1);
	assert_int_equal(sigismember(&after, SIGUSR2), 0);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
}

static void has_what_the_plan_says(void **state)
{
	const struct folder *folder = *state;
	const struct actor_limit limits[] = { { RLIMIT_CORE, 0 } };
	char line[64];

	tds_autofree char *text = told((struct child_plan){ .cwd = folder->path,
							    .mask = 027,
							    .session = true,
							    .limits = limits,
							    .nlimits = 1,
							    .no_new_privs = true });
	(void)snprintf(line, sizeof(line), "cwd=%s", folder->path);
	assert_told(text, line);
	assert_told(text, "umask=027");
	assert_told(text, "leader=1");
	assert_told(text, "core=0 0");
	assert_told(text, "nnp=1");
	assert_told(text, "death=9");
}

static void has_nothing_that_the_plan_does_not_say(void **state)
{
	(void)state;
	mode_t mask = umask(077);
	tds_autofree char *text = told((struct child_plan){ 0 });
	(void)umask(mask);
	assert_told(text, "umask=077");
	assert_told(text, "leader=0");
	assert_told(text, "nnp=0");
	assert_told(text, "death=9");
}

static void environment_that_is_given(void **state)
{
	char *envp[] = { (char[]){ "ALONE=yes" }, NULL };

	(void)state;
	tds_autofree char *text = told((struct child_plan){ .envp = envp });
	assert_told(text, "env ALONE=yes");
	assert_not_told(text, "env PATH=");
}

/* Its exit status, and its complaint. */
static void assert_not_started(struct child_plan plan, const char *complaint)
{
	struct child child;
	int status;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	plan.fds[0] = (struct child_fd){ ends[1], 2 };
	plan.nfds = 1;
	plan.complain_to = 2;
	assert_true(child_start(&plan, &child));
	(void)close(ends[1]);
	tds_autofree char *text = read_all(ends[0]);
	(void)close(ends[0]);
	assert_string_equal(text, complaint);
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	(void)close(child.pidfd);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_FAILED);
}

static void complains_where_it_cannot_become_the_program(void **state)
{
	char *nothing[] = { (char[]){ "/nothing/here" }, NULL };
	char *some[] = { self, NULL };
	char words[sizeof(self) + 128];

	(void)state;
	assert_not_started((struct child_plan){ .argv = nothing },
			   "/nothing/here: cannot be started: No such file or directory\n");
	(void)snprintf(words, sizeof(words),
		       "%.300s in /nowhere: cannot be started: No such file or directory\n", self);
	assert_not_started((struct child_plan){ .argv = some, .cwd = "/nowhere" }, words);
}

static void is_none_after_its_end(void **state)
{
	char *argv[] = { (char[]){ "sleep" }, (char[]){ "1000" }, NULL };
	const struct child_plan plan = { .argv = argv };
	struct child child;

	(void)state;
	assert_true(child_start(&plan, &child));
	int status = child_end(&child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(child.pid, 0);
	assert_int_equal(child.pidfd, -1);
	assert_int_equal(child_end(&child), -1);
}

/* A parent between us and the child, which ends when it is told to. */
static void dies_with_its_parent(struct child_plan plan)
{
	char *argv[] = { (char[]){ "sleep" }, (char[]){ "1000" }, NULL };
	struct child child;
	int said[2];
	int told_to[2];

	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	assert_int_equal(pipe2(told_to, O_CLOEXEC), 0);
	pid_t parent = fork();
	if (parent == 0) {
		char end;

		plan.argv = argv;
		(void)close(told_to[1]);
		if (!child_start(&plan, &child) ||
		    tds_io_write(said[1], &child.pid, sizeof(child.pid)) != 0)
			_exit(1);
		_exit(read(told_to[0], &end, 1) == 0 ? 0 : 1);
	}
	(void)close(said[1]);
	assert_int_equal(tds_io_read(said[0], &child.pid, sizeof(child.pid)), sizeof(child.pid));
	struct pollfd ended = { .fd = (int)syscall(SYS_pidfd_open, child.pid, 0),
				.events = POLLIN };
	assert_true(ended.fd >= 0);
	assert_int_equal(poll(&ended, 1, 0), 0);
	(void)close(told_to[1]);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_int_equal(poll(&ended, 1, LIMIT_MS), 1);
	(void)close(ended.fd);
	(void)close(said[0]);
	(void)close(told_to[0]);
}

static void does_not_outlive_its_parent(void **state)
{
	(void)state;
	dies_with_its_parent((struct child_plan){ 0 });
}

static void does_not_outlive_it_as_another_user_either(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	dies_with_its_parent((struct child_plan){ .drop = true, .uid = 65534, .gid = 65534 });
}

static void becomes_another_user(void **state)
{
	char *argv[] = { (char[]){ "cat" }, (char[]){ "/proc/self/status" }, NULL };
	struct child_plan plan = { .argv = argv, .drop = true, .uid = 65534, .gid = 65533 };
	struct child child;
	int ends[2];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	plan.fds[plan.nfds++] = (struct child_fd){ ends[1], 1 };
	assert_true(child_start(&plan, &child));
	(void)close(ends[1]);
	tds_autofree char *text = read_all(ends[0]);
	(void)close(ends[0]);
	(void)child_end(&child);
	assert_told(text, "Uid:\t65534\t65534\t65534\t65534");
	assert_told(text, "Gid:\t65533\t65533\t65533\t65533");
	assert_told(text, "Groups:\t ");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(has_the_named_descriptors_only),
		IN_FOLDER(descriptors_change_places),
		IN_FOLDER(has_what_the_plan_says),
		cmocka_unit_test(has_nothing_that_the_plan_does_not_say),
		cmocka_unit_test(signals_are_at_their_defaults_and_blocked),
		cmocka_unit_test(environment_that_is_given),
		cmocka_unit_test(complains_where_it_cannot_become_the_program),
		cmocka_unit_test(is_none_after_its_end),
		cmocka_unit_test(does_not_outlive_its_parent),
		cmocka_unit_test(does_not_outlive_it_as_another_user_either),
		cmocka_unit_test(becomes_another_user),
		cmocka_unit_test(descriptors_are_limited_as_before),
	};

	if (argc > 2)
		return tell(atoi(argv[2]));
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
