/* SPDX-License-Identifier: MIT */
/* tds-admin shutdown: done when nothing runs any more and nothing would come back; else it says what is so. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "tool/client.h"
#include "base/io.h"
#include "base/mem.h"
#include "director/rundir.h"

#define SILENT_SECONDS 30 /* that one which holds the lock may neither answer nor go */
#define ANSWER_MS 10000

const char admin_shutdown_help[] =
	"usage: tds-admin [options] shutdown [--grace=SECONDS]\n"
	"End all actors and the admin process. Where it does not run, nothing happens.\n";

/* One shutdown under way. */
struct ending {
	struct admin *admin;
	struct tds_dir dir;
	struct tds_dir rundir;
	bool ran;  /* something ran: it answered, or held the lock */
	bool said; /* the daemon has said what came of it: */
	int rc;    /* 0, or the code for err */
	struct tds_err err;
};

static int64_t now_mono_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Is there what the next start would bring back, or fall over? */
static bool would_return(const struct ending *e)
{
	int rundir = e->rundir.fd;
	tds_autofree char *text = NULL;
	struct stat st;
	size_t len;

	if (fstatat(rundir, TDS_GROUPS_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	int rc = tds_io_slurp(rundir, TDS_LOADED_NAME, TDS_LOADED_MAX_BYTES, &text, &len, NULL);
	if (rc == TDS_E_MISSING)
		return false;
	json_t *state = rc == 0 ? json_loadb(text, len, 0, NULL) : NULL;
	const json_t *sources = json_object_get(state, "Sources");
	bool empty = json_is_array(sources) && json_array_size(sources) == 0;
	json_decref(state);
	return !empty;
}

/* What comes after the first answer: how it ended, and the end of the connection. */
static void hear(struct ending *e, struct tds_client *client)
{
	json_t *line;

	while (tds_client_receive(client, &line, NULL) == 0) {
		const char *kind = json_string_value(json_object_get(line, "DirectorResponse"));
		const char *why = json_string_value(json_object_get(line, "Message"));

		if (kind && strcmp(kind, "ShutDown") == 0) {
			e->said = true;
			if (!json_is_true(json_object_get(line, "Success")))
				e->rc = tds_err_set(&e->err,
						    tds_status_code(json_integer_value(
							    json_object_get(line, "Status"))),
						    "%s", why ? why : "not all of it is gone");
		}
		json_decref(line);
	}
}

/* Ask what listens there to end. False: nobody answers, or who did has not said what came of it. */
static bool ask(struct ending *e)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	json_t *request = json_pack("{s:s}", "DirectorOp", "Shutdown");
	json_t *answer = NULL;

	if (e->admin->grace_s >= 0)
		(void)json_object_set_new(request, "Grace", json_real(e->admin->grace_s));
	int rc = tds_client_open(&e->dir, &client, &e->err);
	if (rc != 0) {
		json_decref(request);
		e->rc = rc == TDS_E_NO_ADMIN ? 0 : rc;
		return rc != TDS_E_NO_ADMIN;
	}
	e->ran = true;
	client.any_protocol = true;
	rc = tds_client_ask(&client, request, &answer, &e->err);
	bool refused = rc != 0 && (answer || rc != TDS_E_NO_ADMIN);
	json_decref(answer);
	if (rc == 0)
		hear(e, &client);
	else if (refused)
		e->rc = rc;
	return e->said || refused;
}

/* Has another one come up since? */
static bool is_another_up(const struct ending *e)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	enum tds_client_state state = TDS_CLIENT_STOPPING;
	json_t *status;

	bool answers = tds_client_probe(&e->dir, &client, ANSWER_MS, &state, &status, NULL) == 0;
	json_decref(status);
	return answers && (state == TDS_CLIENT_READY || state == TDS_CLIENT_RESTORING);
}

/* One that is on its way up is asked as soon as it listens; one that is dying lets go of the lock. */
static void end_all(struct ending *e)
{
	int64_t end_mono_s = now_mono_s() + SILENT_SECONDS;
	enum tds_lock lock = TDS_LOCK_HIDDEN;

	while (!ask(e) && (lock = tds_client_lock(&e->dir)) == TDS_LOCK_HELD) {
		e->ran = true;
		if (now_mono_s() >= end_mono_s) {
			e->rc = tds_err_set(&e->err, TDS_E_NO_ADMIN,
					    "an admin process holds the lock, but does not answer");
			return;
		}
		(void)usleep(5000);
	}
	if (e->rc != 0 || e->said || !e->ran)
		return;
	if (would_return(e))
		e->rc = tds_err_set(&e->err, TDS_E_WRITE,
				    "what was loaded could not be forgotten: the admin process "
				    "died before its end, and the next start brings it back");
	else if (lock == TDS_LOCK_HIDDEN)
		e->rc = tds_err_set(&e->err, TDS_E_NO_ADMIN,
				    "the admin process ended without saying that all is gone");
}

/* The daemon has said that it ends; its guardian follows when no process is left. */
static void await_guardian(struct ending *e)
{
	int64_t end_mono_s = now_mono_s() + SILENT_SECONDS;

	while (tds_client_lock(&e->dir) == TDS_LOCK_HELD && !is_another_up(e)) {
		if (now_mono_s() >= end_mono_s) {
			if (e->rc == 0)
				e->rc = tds_err_set(&e->err, TDS_E_NO_ADMIN,
						    "the admin process has ended, but not all of "
						    "what ran below it");
			return;
		}
		(void)usleep(2000);
	}
}

void admin_shutdown(struct admin *admin, int argc, char **argv)
{
	struct ending e = { .admin = admin, .dir = { .fd = -1 }, .rundir = { .fd = -1 } };

	(void)argv;
	if (argc > 0) {
		tds_cli_usage(&admin->cli, "shutdown: wrong number of operands");
		return;
	}
	e.rc = admin_open_dir(admin, &e.dir, &e.err);
	if (e.rc == 0)
		e.rc = tds_rundir_open(&e.dir, &e.rundir, &e.err);
	if (e.rc == TDS_E_MISSING)
		e.rc = 0; /* nothing has ever run */
	else if (e.rc == 0)
		end_all(&e);
	if (e.said)
		await_guardian(&e);
	if (e.rc != 0)
		tds_cli_error(&admin->cli, NULL, &e.err);
	if (admin->cli.json)
		tds_cli_print_document(&admin->cli, json_pack("{s:b}", "Ran", e.ran));
	tds_dir_close(&e.rundir);
	tds_dir_close(&e.dir);
}
