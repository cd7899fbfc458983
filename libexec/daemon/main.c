/* SPDX-License-Identifier: MIT */
/* tds-daemon: the actor-admin process with its guardian, as tds-admin start hands over to it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cores.h"
#include "base/mem.h"
#include "base/release.h"
#include "base/when.h"
#include "daemon.h"
#include "daemon/base/reserve.h"
#include "director/handover.h"
#include "director/rundir.h"
#include "tool/cli.h"
#include "world.h"

static const struct option options[] = {
	{ TDS_DAEMON_FRESH, no_argument, NULL, 'f' },
	{ TDS_DAEMON_TRANSIENT, no_argument, NULL, 't' },
	{ TDS_DAEMON_FOREGROUND, no_argument, NULL, 'g' },
	{ TDS_DAEMON_LOAD_ALL, no_argument, NULL, 'l' },
	{ TDS_DAEMON_NOTIFIES, no_argument, NULL, 'n' },
	{ TDS_DAEMON_RESTARTED, no_argument, NULL, 'r' },
	{ NULL, 0, NULL, 0 },
};

/* How it was started. */
struct start {
	struct daemon_settings settings;
	bool restarted;
	bool notifies;
};

static bool has_ready(const struct start *start)
{
	return !start->settings.foreground && !start->restarted;
}

/* Nothing of the handover is for what is started from here, but for a successor. */
static bool keep_handover(int end, int flags)
{
	for (int fd = TDS_HANDOVER_LOCK; fd < end; fd++)
		if (fcntl(fd, F_SETFD, flags) != 0)
			return false;
	return true;
}

static bool parse(int argc, char **argv, struct start *start)
{
	struct daemon_settings *settings = &start->settings;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		settings->fresh |= opt == 'f';
		settings->transient |= opt == 't';
		settings->foreground |= opt == 'g';
		settings->load_all |= opt == 'l';
		start->restarted |= opt == 'r';
		start->notifies |= opt == 'n';
		if (opt == '?')
			return false;
	}
	if (optind != argc - 1)
		return false;
	settings->dir.path = argv[optind];
	return keep_handover(has_ready(start) || start->notifies ? TDS_HANDOVER_END
								 : TDS_HANDOVER_READY,
			     FD_CLOEXEC);
}

static int run_daemon(void *ctx, const struct ward *ward)
{
	const struct start *start = ctx;

	return daemon_run(&start->settings, ward);
}

/* What is handed over lies where it lay. What was to be moved aside, by --fresh, was that at the first start. */
static void succeed(void *ctx, const char *program, bool settled)
{
	const struct start *start = ctx;
	const char *argv[6] = { TDS_DAEMON_PROGRAM, "--" TDS_DAEMON_RESTARTED };
	int argc = 2;

	if (start->settings.foreground)
		argv[argc++] = "--" TDS_DAEMON_FOREGROUND;
	if (start->settings.load_all && !settled)
		argv[argc++] = "--" TDS_DAEMON_LOAD_ALL;
	argv[argc++] = start->settings.dir.path;
	tds_cores_restore();
	if (keep_handover(TDS_HANDOVER_READY, 0))
		(void)execv(program, (char *const *)argv);
	int saved = errno;
	tds_cores_off();
	(void)keep_handover(TDS_HANDOVER_READY, FD_CLOEXEC);
	errno = saved;
}

/* In the guardian, at its end. */
static void give_up(void *ctx, const char *why)
{
	const struct start *start = ctx;
	struct world world = { .rundir = start->settings.rundir };
	json_t *event = events_new(tds_when_now(), "GivenUp");

	events_set(event, "Message", why);
	world_open(&world);
	world_note(&world, event);
	world_close(&world);
}

/* The tests have less of it. */
static struct patience patience(void)
{
	const char *text = getenv("TDS_TEST_GUARDIAN");
	struct patience found = PATIENCE;

	if (text)
		(void)sscanf(text, "%9u:%9u", &found.silent_ms, &found.window_ms);
	return found;
}

/* The folder that this program is in is TDS_LIBEXEC below it. NULL: it is not, or out of memory. */
static char *find_prefix(void)
{
	static const char below[] = "/" TDS_LIBEXEC;
	char *folder = tds_cli_folder();
	size_t len = folder ? strlen(folder) : 0;

	if (len < sizeof(below) || strcmp(folder + len + 1 - sizeof(below), below) != 0) {
		free(folder);
		return NULL;
	}
	folder[len + 1 - sizeof(below)] = '\0';
	return folder;
}

int main(int argc, char **argv)
{
	tds_autofree char *prefix = find_prefix();
	tds_autofree char *rundir = NULL;
	struct start start = { .settings = { .dir = { .fd = TDS_HANDOVER_DIR },
					     .rundir = TDS_HANDOVER_RUNDIR,
					     .prefix = prefix } };
	struct tds_err err;

	if (argc == 2 && strcmp(argv[1], "--" TDS_DAEMON_VERSION) == 0)
		return printf(TDS_DAEMON_PROGRAM " %s\n", tds_release_version) < 0;
	tds_cores_off(); /* of guardian and daemon */
	reserve_for_json(malloc, free);
	if (!prefix || !parse(argc, argv, &start)) {
		(void)fputs("tds-daemon is started by tds-admin start\n", stderr);
		return 2;
	}
	if (start.settings.transient && tds_rundir_path(&start.settings.dir, &rundir, &err) != 0)
		rundir = NULL;
	return guardian_run(
		&(struct guardian){ .lock = TDS_HANDOVER_LOCK,
				    .rundir = start.settings.rundir,
				    .ready = has_ready(&start) ? TDS_HANDOVER_READY : -1,
				    .passing = rundir,
				    .home = start.settings.dir.path,
				    .supervised = start.settings.foreground,
				    .notification = start.notifies ? TDS_HANDOVER_READY : -1,
				    .restarted = start.restarted,
				    .patience = patience(),
				    .run = run_daemon,
				    .give_up = give_up,
				    .succeed = succeed,
				    .ctx = &start });
}
