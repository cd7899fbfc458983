/* SPDX-License-Identifier: MIT */
/*
 * The guardian: the smallest process that can promise that nothing outlives the daemon. It holds the lock, and is the
 * subreaper of all that the daemon starts, so what loses its parent becomes its child. What becomes its child while
 * the daemon lives is what an unloaded source left behind, and has no right to live either.
 */
#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "children.h"
#include "daemon/base/clock.h"
#include "daemon/base/signals.h"
#include "deaths.h"
#include "director/rundir.h"
#include "leftovers.h"
#include "passing.h"
#include "spoken.h"
#include "supervisor.h"

#define BEATS 10 /* of a daemon's pulse in the time that it may be silent */
#define END_MAX 400

enum guard_state {
	GUARD_STARTING, /* none has been up yet: one that exits could not begin */
	GUARD_UP,       /* one was: one that dies is started again */
	GUARD_LEAVING,  /* it is asked to end */
};

/* A guardian at work. */
struct guard {
	const struct guardian *guardian;
	enum guard_state state;
	int signals; /* of signalfd(2) */
	int ready;   /* -1: nobody waits any more */
	struct tds_cgroup cgroup;
	pid_t daemon;
	int pulse;         /* -1: it has closed it */
	int64_t silent_ms; /* that it has been silent for, as far as this process saw it */
	bool hung;         /* it was, for too long, and is killed */
	unsigned restarts; /* deaths that were followed by a start */
	struct deaths deaths;
	bool settled;            /* what was to be loaded once, at the beginning, was */
	struct spoken successor; /* the program that is to go on in this one's place */
	struct spoken why;       /* for which this daemon could not begin */
	struct supervisor supervisor;
	char last_end
		[END_MAX]; /* how the daemon ended, for people, in one line; empty: it never has */
};

/* --- a daemon lives --- */

/* How often the daemon is to say something: often enough for us, and for who watches us. */
static unsigned beat_ms(const struct guard *g)
{
	unsigned own_ms = g->guardian->patience.silent_ms / BEATS;
	unsigned watched_ms = g->supervisor.watchdog_ms / 4;

	return watched_ms > 0 && watched_ms < own_ms ? watched_ms : own_ms;
}

/* The run directory tells it from others of the same unit or session. */
static void open_cgroup(int rundir, struct tds_cgroup *cgroup)
{
	char id[TDS_CGROUP_ID_MAX];
	struct stat st;

	*cgroup = (struct tds_cgroup){ 0 };
	if (fstat(rundir, &st) != 0)
		return;
	(void)snprintf(id, sizeof(id), "tds-%jx-%jx", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	(void)tds_cgroup_open(TDS_CGROUP_ROOT, TDS_CGROUP_SELF, id, cgroup);
}

/* What is said to status and start while nobody answers. */
static void mark_restarting(const struct guard *g, bool restarting)
{
	static const char mark[] = TDS_RUNDIR_RESTARTING;
	const off_t len = restarting ? (off_t)sizeof(mark) - 1 : 0;

	/* One that is marked already is so at every moment. */
	(void)!pwrite(g->guardian->lock, mark, (size_t)len, 0);
	(void)!ftruncate(g->guardian->lock, len);
}

/* In the daemon, which has nothing of its guardian's but what it is told. */
static _Noreturn void be_daemon(const struct guard *g, pid_t guardian, int pulse)
{
	const struct ward ward = { .cgroup = &g->cgroup,
				   .ready = g->ready,
				   .pulse = pulse,
				   .pulse_ms = beat_ms(g),
				   .restarts = g->restarts,
				   .settled = g->settled,
				   .last_end = g->last_end[0] ? g->last_end : NULL };

	(void)close(g->signals);
	(void)close(g->pulse);
	supervisor_hide(&g->supervisor);
	signals_settle(SIGNALS_OF_DAEMON, NULL);
	ward_begin(guardian);
	exit(g->guardian->run(g->guardian->ctx, &ward));
}

/* False: no process can be had. */
static bool start(struct guard *g)
{
	pid_t guardian = getpid();
	int pulse[2];

	if (pipe2(pulse, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	g->pulse = pulse[0];
	g->silent_ms = 0;
	g->hung = false;
	g->why.state = SPOKEN_NOT;
	open_cgroup(g->guardian->rundir, &g->cgroup);
	g->daemon = fork();
	if (g->daemon == 0)
		be_daemon(g, guardian, pulse[1]);
	(void)close(pulse[1]);
	if (g->daemon > 0)
		return true;
	g->daemon = 0;
	tds_close_fd(&g->pulse);
	return false;
}

static void end_start(struct guard *g)
{
	tds_close_fd(&g->ready);
	mark_restarting(g, false);
}

/* It ends, or is asked to. */
static void leave(struct guard *g)
{
	g->state = GUARD_LEAVING;
	supervisor_tell(&g->supervisor, SUPERVISOR_STOPPING, "stopping");
}

static void be_up(struct guard *g)
{
	char status[SUPERVISOR_STATUS_MAX] = "up";

	if (g->restarts > 0)
		(void)snprintf(status, sizeof(status),
			       "up; died and was started again %u times, the last one %.130s",
			       g->restarts, g->last_end);
	end_start(g);
	if (g->state == GUARD_STARTING)
		g->state = GUARD_UP;
	supervisor_tell(&g->supervisor, SUPERVISOR_READY, status);
}

static void hear_word(struct guard *g, char word)
{
	switch (word) {
	case WARD_SETTLED:
		g->settled = true;
		be_up(g);
		break;
	case WARD_UP:
		be_up(g);
		break;
	case WARD_RELOADING:
		supervisor_tell(&g->supervisor, SUPERVISOR_RELOADING, "reading its settings");
		break;
	case WARD_LEAVING:
		leave(g);
		break;
	case WARD_RESTART:
		spoken_begin(&g->successor);
		break;
	case WARD_WHY:
		spoken_begin(&g->why);
		break;
	}
}

/* A word, or what belongs to a text that one has announced. */
static void hear_byte(struct guard *g, char byte)
{
	if (spoken_hear(&g->successor, byte)) {
		if (g->successor.state != SPOKEN_WHOLE)
			return;
		mark_restarting(g, true);
		supervisor_tell(&g->supervisor, SUPERVISOR_RELOADING, "restarting");
	} else if (!spoken_hear(&g->why, byte)) {
		hear_word(g, byte);
	}
}

static void hear_pulse(struct guard *g)
{
	char words[256];
	ssize_t n;

	g->silent_ms = 0;
	while ((n = read(g->pulse, words, sizeof(words))) > 0)
		for (ssize_t i = 0; i < n; i++)
			hear_byte(g, words[i]);
	if (n == 0)
		tds_close_fd(&g->pulse);
	else
		supervisor_beat(&g->supervisor);
}

static void ask_daemon(const struct guard *g, int sig)
{
	if (g->daemon > 0)
		(void)kill(g->daemon, sig);
}

/* Who is asked to end asks the daemon, and starts none any more; a reload is for the daemon, or done when one starts. */
static void hear_signals(struct guard *g)
{
	struct signalfd_siginfo info;

	while (read(g->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			ask_daemon(g, SIGHUP);
		if (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT)
			continue;
		leave(g);
		ask_daemon(g, SIGTERM);
	}
}

/*
 * Wait for what comes next. A silence counts as it is heard: where this process was stopped as well, or the whole machine, the
 * daemon is given time to say something.
 */
static void hear(struct guard *g)
{
	struct pollfd fds[] = { { .fd = g->signals, .events = POLLIN },
				{ .fd = g->pulse, .events = POLLIN } };
	int64_t most_ms = beat_ms(g);
	int64_t began_mono_ms = clock_now_mono_ms();

	(void)poll(fds, 2, (int)most_ms);
	int64_t waited_ms = clock_now_mono_ms() - began_mono_ms;
	g->silent_ms += waited_ms < most_ms ? waited_ms : most_ms;
	if (fds[1].revents)
		hear_pulse(g);
	if (fds[0].revents)
		hear_signals(g);
	if (g->silent_ms >= g->guardian->patience.silent_ms && !g->hung) {
		g->hung = true;
		(void)kill(g->daemon, SIGKILL);
	}
}

/* Until the daemon ends; returns its status. What became a child of this process meanwhile is reaped. */
static int wait_for(struct guard *g)
{
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == g->daemon)
			break;
		if (pid > 0)
			continue;
		children_kill(g->daemon);
		hear(g);
	}
	if (g->pulse >= 0)
		hear_pulse(g); /* its last words */
	tds_close_fd(&g->pulse);
	g->daemon = 0;
	return status;
}

/* --- it is dead --- */

static void clear_up(struct guard *g)
{
	children_end();
	/* What a program's actors have left: they were never below us. */
	leftovers_kill(g->guardian->rundir);
	tds_cgroup_close(&g->cgroup);
	(void)unlinkat(g->guardian->rundir, TDS_RUNDIR_SOCKET, 0);
}

static void describe_end(struct guard *g, int status)
{
	bool is_told = g->why.state == SPOKEN_WHOLE;

	if (g->hung)
		(void)snprintf(g->last_end, sizeof(g->last_end), "killed after %u s of silence",
			       g->guardian->patience.silent_ms / 1000);
	else if (WIFSIGNALED(status))
		(void)snprintf(g->last_end, sizeof(g->last_end), "killed by signal %d",
			       WTERMSIG(status));
	else
		(void)snprintf(g->last_end, sizeof(g->last_end), "exited with status %d%s%.300s",
			       WEXITSTATUS(status), is_told ? ": " : "",
			       is_told ? g->why.text : "");
}

/* An end in order, or a start that failed, as opposed to a death. */
static bool is_over(const struct guard *g, int status)
{
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || g->state == GUARD_STARTING))
		return true;
	return g->state == GUARD_LEAVING || g->guardian->passing;
}

/* Did it end, however, since it is to be started again? A request to end that came behind that one counts. */
static bool is_succeeded(const struct guard *g)
{
	return g->successor.state == SPOKEN_WHOLE && g->state != GUARD_LEAVING &&
	       !g->guardian->passing;
}

/* All is gone, and this process becomes the successor, or goes on as it is. */
static void succeed(struct guard *g)
{
	tds_close_fd(&g->ready);
	g->guardian->succeed(g->guardian->ctx, g->successor.text, g->settled);
	(void)snprintf(g->last_end, sizeof(g->last_end), "%.300s: %s; the one before goes on",
		       g->successor.text, strerror(errno));
	(void)dprintf(STDERR_FILENO, "tds-admin: %s\n", g->last_end);
	g->successor.state = SPOKEN_NOT;
	g->state = GUARD_UP;
}

/* False: it is asked to end meanwhile. */
static bool pause_for(struct guard *g, int64_t ms)
{
	int64_t end_mono_ms = clock_now_mono_ms() + ms;
	struct pollfd fd = { .fd = g->signals, .events = POLLIN };

	do {
		int64_t left_ms = end_mono_ms - clock_now_mono_ms();

		(void)poll(&fd, 1, left_ms > 0 ? (int)left_ms : 0);
		hear_signals(g);
	} while (g->state != GUARD_LEAVING && clock_now_mono_ms() < end_mono_ms);
	return g->state != GUARD_LEAVING;
}

static void give_up(struct guard *g)
{
	char why[END_MAX + 80];

	(void)snprintf(why, sizeof(why),
		       "the admin process died %d times, and is not started again: %s", DEATHS_MAX,
		       g->last_end);
	supervisor_tell(&g->supervisor, g->supervisor.state, why);
	if (g->ready >= 0)
		(void)dprintf(g->ready, "1 %s\n", why);
	else
		(void)dprintf(STDERR_FILENO, "tds-admin: %s\n", why);
	g->guardian->give_up(g->guardian->ctx, g->last_end);
}

/* After a death: wait for as long as is right. False: it is not started again, given up or asked to end. */
static bool may_start_again(struct guard *g)
{
	int64_t delay_ms =
		deaths_add(&g->deaths, clock_now_mono_ms(), g->guardian->patience.window_ms);

	if (delay_ms < 0) {
		give_up(g);
		return false;
	}
	char what[SUPERVISOR_STATUS_MAX];
	(void)snprintf(what, sizeof(what), "the admin process died (%.130s), and is started again",
		       g->last_end);
	(void)dprintf(STDERR_FILENO, "tds-admin: %s\n", what);
	supervisor_tell(&g->supervisor, g->supervisor.state, what);
	return pause_for(g, delay_ms);
}

/* One life of the daemon after the other. Returns the exit status. */
static int guard_all(struct guard *g)
{
	for (;;) {
		int status = start(g) ? wait_for(g) : W_EXITCODE(1, 0);

		mark_restarting(g, is_succeeded(g) || !is_over(g, status));
		clear_up(g);
		if (is_succeeded(g)) {
			succeed(g);
			continue;
		}
		if (is_over(g, status))
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		describe_end(g, status);
		/* Asked to end in the pause: it does so in order, and what was loaded is kept for the next start. */
		if (!may_start_again(g))
			return g->state == GUARD_LEAVING ? 0 : 1;
		g->restarts++;
	}
}

int guardian_run(const struct guardian *guardian)
{
	struct guard g = { .guardian = guardian,
			   .state = guardian->restarted ? GUARD_UP : GUARD_STARTING,
			   .ready = guardian->ready,
			   .pulse = -1 };
	sigset_t signals;

	supervisor_open(&g.supervisor,
			guardian->restarted ? SUPERVISOR_RELOADING : SUPERVISOR_STARTING,
			guardian->notification);
	if (!guardian->supervised)
		supervisor_close(&g.supervisor);
	signals_settle(SIGNALS_OF_GUARDIAN, &signals);
	g.signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)prctl(PR_SET_NAME, "tds-guardian");
	mark_restarting(&g, guardian->restarted);
	supervisor_tell(&g.supervisor, g.supervisor.state,
			guardian->restarted ? "restarting" : "starting");
	leftovers_kill(guardian->rundir);
	leftovers_mark(guardian->rundir);
	int status = g.signals < 0 ? 1 : guard_all(&g);
	mark_restarting(&g, false);
	tds_close_fd(&g.ready);
	supervisor_close(&g.supervisor);
	if (guardian->passing)
		passing_remove(guardian->rundir, guardian->passing, guardian->home);
	return status;
}
