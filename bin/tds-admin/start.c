/* SPDX-License-Identifier: MIT */
/* tds-admin start: one daemon for a director directory, however many ask for it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/own.h"
#include "become.h"
#include "judge.h"
#include "director/actoruser.h"
#include "director/handover.h"
#include "director/rundir.h"
#include "tool/client.h"
#include "tool/strictly.h"

#define START_SECONDS 70
#define ANSWER_MS 10000 /* that an admin may take to say how it is */

const char admin_start_help[] =
	"usage: tds-admin [options] start [--fresh] [--transient]\n"
	"       tds-admin [options] start --foreground [--load-all] [--notify-fd=N] "
	"[--fresh]\n"
	"Start the admin process. Where it runs already, nothing happens; with --foreground that "
	"is\n"
	"an error, since a supervisor would not have it.\n"
	"With --transient it removes its run directory at its end, and the director directory "
	"where\n"
	"that is empty then.\n";

/* The run directory: made where it is missing, ours, and on a file system of this machine. */
static int open_rundir(const struct tds_dir *dir, int *fd, struct tds_err *err)
{
	tds_autofree char *path = NULL;
	struct statfs fs;
	int rc = tds_rundir_path(dir, &path, err);

	if (rc != 0)
		return rc;
	if (mkdir(path, 0711) != 0 && errno != EEXIST)
		return tds_err_sys(err, TDS_E_WRITE, "%s (rundir.cfg names another place)", path);
	/* One that was there may be anybody's, and lead anywhere. */
	tds_autofd int opened = -1;
	struct tds_err why;
	if (tds_own_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, &opened, &why) != 0)
		return tds_err_set(err, TDS_E_WRITE, "%s (rundir.cfg names another place)",
				   why.reason);
	if (fstatfs(opened, &fs) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", path);
	const char *network = tds_rundir_network((uint64_t)fs.f_type);
	if (network)
		return tds_err_set(err, TDS_E_WRITE,
				   "%s is on a network file system, %s (rundir.cfg names another "
				   "place)",
				   path, network);
	if (fchmod(opened, 0711) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", path);
	*fd = tds_steal_fd(&opened);
	return 0;
}

/* 0: it is ours now; TDS_E_REFUSED: somebody else's guardian has it. */
static int take_lock(int rundir, int *fd, struct tds_err *err)
{
	tds_autofd int lock = -1;

	if (tds_own_open(rundir, TDS_RUNDIR_LOCK, O_RDWR | O_CREAT, 0600, &lock, err) != 0) {
		err->code = TDS_E_WRITE;
		return err->code;
	}
	if (flock(lock, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK
			       ? tds_err_set(err, TDS_E_REFUSED, "it runs already")
			       : tds_err_sys(err, TDS_E_WRITE,
					     TDS_RUNDIR_LOCK " (a network file system? rundir.cfg "
							     "names another place)");
	*fd = tds_steal_fd(&lock);
	return 0;
}

/* Put the run directory before what is wrong in it. */
static int name_rundir(const struct tds_dir *dir, struct tds_err *err)
{
	tds_autofree char *path = NULL;

	return tds_rundir_path(dir, &path, NULL) == 0 ? tds_err_prefix(err, "%s", path) : err->code;
}

/* A daemon has no terminal, and no folder that it keeps busy. */
static bool detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
	return null >= 0 && chdir("/") == 0;
}

/* Let these be the only descriptors of the program that comes, with the numbers of the handover; ready may be -1. */
static bool hand_over(int lock, int rundir, int dirfd, int ready)
{
	int fds[] = { lock, rundir, dirfd, ready };
	int n = ready < 0 ? 3 : 4;
	unsigned end = TDS_HANDOVER_LOCK + (unsigned)n;

	/* Each goes out of the way of the others first. */
	for (int i = 0; i < n; i++)
		if ((fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, TDS_HANDOVER_END)) < 0)
			return false;
	for (int i = 0; i < n; i++)
		if (dup2(fds[i], TDS_HANDOVER_LOCK + i) < 0)
			return false;
	return syscall(SYS_close_range, end, ~0U, 0) == 0;
}

/* Become the daemon, to whom all is handed over. Returns only with what is in the way. */
static int exec_daemon(const struct admin *admin, const struct tds_dir *dir, struct tds_err *err)
{
	tds_autofree char *program = admin_installed(TDS_LIBEXEC "/" TDS_DAEMON_PROGRAM);
	const char *argv[8] = { TDS_DAEMON_PROGRAM };
	int argc = 1;

	if (!program)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (admin->fresh)
		argv[argc++] = "--" TDS_DAEMON_FRESH;
	if (admin->transient)
		argv[argc++] = "--" TDS_DAEMON_TRANSIENT;
	if (admin->foreground)
		argv[argc++] = "--" TDS_DAEMON_FOREGROUND;
	if (admin->load_all)
		argv[argc++] = "--" TDS_DAEMON_LOAD_ALL;
	if (admin->notify_fd >= 0)
		argv[argc++] = "--" TDS_DAEMON_NOTIFIES;
	argv[argc++] = dir->path;
	(void)execv(program, (char *const *)argv);
	return tds_err_sys(err, TDS_E_WRITE, "%s", program);
}

/* In a process of its own, whose words come by ready. */
static _Noreturn void run_detached(const struct admin *admin, const struct tds_dir *dir, int rundir,
				   int lock, int ready)
{
	struct tds_err err;

	if (!detach()) {
		tds_err_sys(&err, TDS_E_WRITE, "/dev/null");
	} else if (!hand_over(lock, rundir, dir->fd, ready)) {
		tds_err_sys(&err, TDS_E_WRITE, "descriptors");
	} else {
		ready = TDS_HANDOVER_READY;
		(void)exec_daemon(admin, dir, &err);
	}
	(void)dprintf(ready, "%d %s\n", tds_code_status(err.code), err.reason);
	_exit(tds_code_status(err.code));
}

/* Become the daemon in place, for a supervisor. */
static void run_here(struct admin *admin, const struct tds_dir *dir, int rundir, int lock)
{
	struct tds_err err;

	if (!hand_over(lock, rundir, dir->fd, admin->notify_fd))
		tds_err_sys(&err, TDS_E_WRITE, "descriptors");
	else
		(void)exec_daemon(admin, dir, &err);
	tds_cli_error(&admin->cli, NULL, &err);
}

/* What the daemon says of its start: lines of "STATUS REASON", the last one with status 0 where it runs. */
static void await_ready(struct admin *admin, int fd)
{
	tds_autofree char *text = NULL;
	size_t len;
	struct tds_err err = { 0 };
	bool ready = false;

	if (tds_io_slurp_fd(fd, 1 << 20, &text, &len, &err) != 0) {
		tds_cli_error(&admin->cli, NULL, &err);
		return;
	}
	for (char *line = text, *next; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		int status = atoi(line);
		ready = ready || status == 0;
		if (status == 0)
			continue;
		tds_err_set(&err, status == 5 ? TDS_E_WRITE : TDS_E_REFUSED, "%s",
			    strchrnul(line, ' ') + 1);
		tds_cli_error(&admin->cli, NULL, &err);
	}
	if (!ready && admin->cli.status == 0) {
		tds_err_set(&err, TDS_E_NO_ADMIN, "the admin process ended before it was ready");
		tds_cli_error(&admin->cli, NULL, &err);
	}
}

static int64_t now_mono_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* What somebody else's start did not bring back is said as our own says it. */
void admin_report_not_restored(struct admin *admin, const json_t *status)
{
	struct tds_err err = { 0 };
	const json_t *text;
	size_t i;

	json_array_foreach(json_object_get(status, "NotRestored"), i, text)
	{
		tds_err_set(&err, TDS_E_REFUSED, "%s", json_string_value(text));
		tds_cli_error(&admin->cli, NULL, &err);
	}
}

/* How the one that holds the lock is, in words that end "another admin process holds the lock, but". */
struct other {
	const char *why;
	bool restoring;
	struct tds_err protocol; /* it speaks another; TDS_OK: it does not */
};

/* Ask the one that holds the lock. True: it says that it is up. waited: it did not at first. */
static bool is_up(struct admin *admin, const struct tds_dir *dir, bool waited, struct other *other)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	enum tds_client_state state;
	struct tds_err err = { 0 };
	json_t *status = NULL;

	*other = (struct other){ .why = "does not answer" };
	if (tds_client_probe(dir, &client, ANSWER_MS, &state, &status, &err) != 0)
		return false;
	if (state == TDS_CLIENT_OTHER)
		other->protocol = err;
	if (state == TDS_CLIENT_READY && waited)
		admin_report_not_restored(admin, status);
	json_decref(status);
	other->why = state == TDS_CLIENT_REFUSING ? "refuses to say how it is"
						  : "does not come to its end";
	other->restoring = state == TDS_CLIENT_RESTORING;
	return state == TDS_CLIENT_READY;
}

/*
 * Be the one that starts it (*lock is open then), or wait for somebody else's, which is there when it says so; how long
 * it takes to restore is its own affair. One that is on its way down, or dead, lets go of the lock in the end.
 */
static int take_or_await(struct admin *admin, const struct tds_dir *dir, int rundir, int *lock,
			 struct tds_err *err)
{
	int64_t end_mono_s = now_mono_s() + START_SECONDS;
	struct other other;

	for (bool waited = false;; waited = true) {
		int rc = take_lock(rundir, lock, err);

		if (rc != 0 && rc != TDS_E_REFUSED)
			return name_rundir(dir, err);
		if (rc == 0 || is_up(admin, dir, waited, &other))
			return 0;
		if (other.protocol.code != TDS_OK) {
			*err = other.protocol;
			return err->code;
		}
		if (other.restoring)
			end_mono_s = now_mono_s() + START_SECONDS;
		if (now_mono_s() >= end_mono_s)
			return tds_err_set(err, TDS_E_NO_ADMIN,
					   "another admin process holds the lock, but %s",
					   other.why);
		(void)usleep(20000);
	}
}

/* Start it, and wait until it says how it is. The lock is the daemon's from then on. */
static void start_detached(struct admin *admin, const struct tds_dir *dir, int rundir, int *lock)
{
	struct tds_err err;
	int ready[2];

	if (pipe2(ready, O_CLOEXEC) != 0) {
		tds_err_sys(&err, TDS_E_WRITE, "pipe");
		tds_cli_error(&admin->cli, NULL, &err);
		return;
	}
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		run_detached(admin, dir, rundir, *lock, ready[1]);
	(void)close(ready[1]);
	tds_close_fd(lock);
	*lock = -1;
	await_ready(admin, ready[0]);
	(void)close(ready[0]);
}

/*
 * Open what is needed to start it, as the user whose process it is to be. Who may not be that user has nothing to start where
 * it runs and answers: then *runs, and no error.
 */
static int open_places(struct admin *admin, struct tds_dir *dir, int *rundir, bool *runs,
		       struct tds_err *err)
{
	struct other other;
	int rc = become_open_dir(admin, dir, err);

	if (rc == 0)
		rc = tds_strictly_demand(&admin->cli, dir, true, err);
	/* A program's own system runs actors as the program's user, root too. */
	int said = rc == 0 && !admin->transient ? tds_actoruser_judge(dir, geteuid(), err) : 0;
	if (rc == 0 && said == 0)
		rc = open_rundir(dir, rundir, err);
	*runs = (said != 0 || rc == TDS_E_REFUSED || rc == TDS_E_WRITE) &&
		is_up(admin, dir, false, &other);
	return *runs ? 0 : rc != 0 ? rc : said;
}

/* Options that are for a supervisor's process alone. */
static bool is_coherent(struct admin *admin)
{
	const char *option = admin->load_all ? "load-all" : "notify-fd";

	if (admin->foreground || (!admin->load_all && admin->notify_fd < 0))
		return true;
	tds_cli_usage(&admin->cli, "--%s goes only with --foreground", option);
	return false;
}

/* A supervisor that hears of success here would start it again and again, and never be the one that has it. */
static int refuse_other(const struct admin *admin, const struct tds_dir *dir, struct tds_err *err)
{
	if (!admin->foreground)
		return 0;
	return tds_err_set(err, TDS_E_UNUSABLE,
			   "%s: its admin process runs already, started by somebody else "
			   "(tds-admin shutdown ends it)",
			   dir->path);
}

void admin_start(struct admin *admin, int argc, char **argv)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_autofd int rundir = -1;
	tds_autofd int lock = -1;
	bool runs = false;
	struct tds_err err = { 0 };

	(void)argv;
	if (argc > 0) {
		tds_cli_usage(&admin->cli, "start takes no operand");
		return;
	}
	if (!is_coherent(admin))
		return;
	int rc = open_places(admin, &dir, &rundir, &runs, &err);
	if (rc == 0 && !runs)
		rc = take_or_await(admin, &dir, rundir, &lock, &err);
	if (rc == 0 && lock < 0)
		rc = refuse_other(admin, &dir, &err);
	if (rc != 0) {
		tds_cli_error(&admin->cli, NULL, &err);
		return;
	}
	bool ours = lock >= 0;
	if (ours) {
		judge_belief(admin, &dir);
		judge_start(admin, &dir);
	}
	if (ours && admin->foreground)
		run_here(admin, &dir, rundir, lock);
	else if (ours)
		start_detached(admin, &dir, rundir, &lock);
	if (admin->cli.json)
		tds_cli_print_document(&admin->cli, json_pack("{s:b}", "Started", ours));
}
