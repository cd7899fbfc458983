/* SPDX-License-Identifier: MIT */
/* tds-daemon: the actor-admin process with its guardian, as tds-admin start hands over to it. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "daemon.h"
#include "daemon/base/reserve.h"
#include "daemon/keep/audit.h"
#include "director/handover.h"
#include "director/rundir.h"
#include "tool/cli.h"

static const struct option options[] = {
	{ TDS_DAEMON_FRESH, no_argument, NULL, 'f' },
	{ TDS_DAEMON_TRANSIENT, no_argument, NULL, 't' },
	{ TDS_DAEMON_FOREGROUND, no_argument, NULL, 'g' },
	{ NULL, 0, NULL, 0 },
};

/* Nothing of the handover is for what is started from here. */
static bool is_handed_over(bool foreground)
{
	int end = foreground ? TDS_HANDOVER_READY : TDS_HANDOVER_END;

	for (int fd = TDS_HANDOVER_LOCK; fd < end; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
			return false;
	return true;
}

static bool parse(int argc, char **argv, struct daemon_settings *settings, bool *foreground)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		settings->fresh |= opt == 'f';
		settings->transient |= opt == 't';
		*foreground |= opt == 'g';
		if (opt == '?')
			return false;
	}
	if (optind != argc - 1)
		return false;
	settings->dir.path = argv[optind];
	return is_handed_over(*foreground);
}

static int run_daemon(void *ctx, const struct ward *ward)
{
	return daemon_run(ctx, ward);
}

/* In the guardian, at its end. */
static void give_up(void *ctx, const char *why)
{
	const struct daemon_settings *settings = ctx;
	struct timespec now;
	struct audit audit;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	audit_open(&audit, settings->rundir);
	audit_add(&audit,
		  json_pack("{s:s, s:I, s:s}", "Event", "GivenUp", "TimeMs",
			    (json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, "Message", why));
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

int main(int argc, char **argv)
{
	tds_autofree char *libexec = tds_cli_folder();
	tds_autofree char *rundir = NULL;
	struct daemon_settings settings = { .dir = { .fd = TDS_HANDOVER_DIR },
					    .rundir = TDS_HANDOVER_RUNDIR,
					    .libexec = libexec };
	struct tds_err err;
	bool foreground = false;

	reserve_for_json(malloc, free);
	if (!libexec || !parse(argc, argv, &settings, &foreground)) {
		(void)fputs("tds-daemon is started by tds-admin start\n", stderr);
		return 2;
	}
	if (settings.transient && tds_rundir_path(&settings.dir, &rundir, &err) != 0)
		rundir = NULL;
	return guardian_run(&(struct guardian){ .lock = TDS_HANDOVER_LOCK,
						.rundir = settings.rundir,
						.ready = foreground ? -1 : TDS_HANDOVER_READY,
						.passing = rundir,
						.home = settings.dir.path,
						.patience = patience(),
						.run = run_daemon,
						.give_up = give_up,
						.ctx = &settings });
}
