/* SPDX-License-Identifier: MIT */
/* tds-admin restart: another tds, or other settings, take over with what is loaded. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/release.h"
#include "director/actoruser.h"
#include "director/handover.h"
#include "director/rundir.h"
#include "judge.h"
#include "tool/client.h"
#include "tool/strictly.h"

#define SILENT_SECONDS \
	70 /* that it may take to answer, or to be there again; what it brings back takes its time */
#define ANSWER_MS 10000
#define PAUSE_US 10000
#define VERSION_MAX 256 /* bytes */

const char admin_restart_help[] = "usage: tds-admin [options] restart [--grace=SECONDS]\n"
				  "End the admin process and start it again, with what is loaded: "
				  "as this tds, and with the settings of now.\n"
				  "Where it does not run, start it.\n";

/* One restart under way. */
struct restart {
	struct admin *admin;
	struct tds_dir dir;
	char *program;
	json_int_t pid; /* of the daemon that was asked; 0: none was yet */
	int64_t end_mono_s;
};

static int64_t now_mono_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* --- the program that is to take over --- */

/* What the program says of its version; it is run for nothing else. NULL: it cannot be run. Caller frees. */
static char *ask_version(const char *program)
{
	char *text = NULL;
	size_t len;
	int ends[2];
	int status = -1;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return NULL;
	pid_t pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execl(program, TDS_DAEMON_PROGRAM, "--" TDS_DAEMON_VERSION, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	if (tds_io_slurp_fd(ends[0], VERSION_MAX, &text, &len, NULL) != 0)
		text = NULL;
	(void)close(ends[0]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return text;
	free(text);
	return NULL;
}

/* One that cannot be run, or is half of another installation, is no reason to end the one that runs. */
static int check_program(struct restart *r, struct tds_err *err)
{
	r->program = admin_installed(TDS_LIBEXEC "/" TDS_DAEMON_PROGRAM);
	if (!r->program)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	tds_autofree char *said = ask_version(r->program);
	tds_autofree char *wanted = NULL;
	if (!said)
		return tds_err_set(err, TDS_E_WRITE, "%s cannot be run", r->program);
	if (asprintf(&wanted, TDS_DAEMON_PROGRAM " %s\n", tds_release_version) < 0)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (strcmp(said, wanted) != 0)
		return tds_err_set(err, TDS_E_WRITE, "%s is not of tds %s", r->program,
				   tds_release_version);
	return 0;
}

/* --- the one that runs --- */

/* Whose the admin process is. False: nobody knows. */
static bool find_owner(const struct restart *r, uid_t *owner)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };
	struct stat st;

	if (tds_rundir_open(&r->dir, &rundir, NULL) != 0 || fstat(rundir.fd, &st) != 0)
		return false;
	*owner = st.st_uid;
	return true;
}

/* Who is neither root nor the admin's user has it start again as what it is. */
static bool may_name_program(const struct restart *r)
{
	uid_t owner;

	return geteuid() == 0 || (find_owner(r, &owner) && owner == geteuid());
}

/*
 * What would keep this tds from starting: one of another version runs, which looks ahead by its own rules alone.
 * Errors:  as those of start.
 */
static int look_ahead(struct restart *r, struct tds_err *err)
{
	uid_t owner;

	if (!may_name_program(r) || !find_owner(r, &owner))
		return 0;
	int rc = tds_strictly_demand(&r->admin->cli, &r->dir, true, err);
	return rc == 0 ? tds_actoruser_judge(&r->dir, owner, err) : rc;
}

static json_t *request_of(const struct restart *r)
{
	json_t *request = json_pack("{s:s}", "DirectorOp", "Restart");

	if (may_name_program(r))
		(void)json_object_set_new(request, "Program", json_string(r->program));
	if (r->admin->grace_s >= 0)
		(void)json_object_set_new(request, "Grace", json_real(r->admin->grace_s));
	return request;
}

/* Errors: TDS_E_NO_ADMIN where nobody takes the request just now. */
static int ask(struct restart *r, struct tds_err *err)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	json_t *answer = NULL;
	int rc = tds_client_open(&r->dir, &client, err);

	client.any_protocol = true;
	if (rc == 0)
		rc = tds_client_ask(&client, request_of(r), &answer, err);
	if (rc == 0)
		r->pid = json_integer_value(json_object_get(answer, "Pid"));
	json_decref(answer);
	return rc;
}

/* One that is on its way up, or down, is asked when it is there. *runs: somebody has it to restart. */
static int ask_in_time(struct restart *r, bool *runs, struct tds_err *err)
{
	int rc;

	while ((rc = ask(r, err)) == TDS_E_NO_ADMIN) {
		enum tds_lock lock = tds_client_lock(&r->dir);

		*runs = lock != TDS_LOCK_FREE;
		if (lock != TDS_LOCK_HELD || now_mono_s() >= r->end_mono_s)
			return rc;
		(void)usleep(PAUSE_US);
	}
	*runs = true;
	return rc;
}

/* --- the one that comes --- */

/* It is up: is it the one that was to come, and with all that was loaded? */
static int judge(struct restart *r, const json_t *status, struct tds_err *err)
{
	const char *version = json_string_value(json_object_get(status, "Version"));

	admin_report_not_restored(r->admin, status);
	if (version && strcmp(version, tds_release_version) != 0 && may_name_program(r))
		return tds_err_set(err, TDS_E_REFUSED, "tds %s runs, since %s could not be run",
				   version, r->program);
	return 0;
}

/* *over: it has come, or does not; then the code says which. */
static int look(struct restart *r, bool *over, struct tds_err *err)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	enum tds_client_state state = TDS_CLIENT_STOPPING;
	json_t *status = NULL;
	int rc = tds_client_probe(&r->dir, &client, ANSWER_MS, &state, &status, err);
	bool is_new = rc == 0 && json_integer_value(json_object_get(status, "Pid")) != r->pid;

	*over = is_new && state != TDS_CLIENT_RESTORING && state != TDS_CLIENT_STOPPING;
	if (is_new && state == TDS_CLIENT_RESTORING)
		r->end_mono_s = now_mono_s() + SILENT_SECONDS;
	if (is_new && state == TDS_CLIENT_READY)
		rc = judge(r, status, err);
	if (is_new && state == TDS_CLIENT_OTHER)
		rc = err->code;
	json_decref(status);
	if (is_new || rc == 0)
		return rc;
	*over = tds_client_lock(&r->dir) == TDS_LOCK_FREE;
	return rc;
}

static int await_successor(struct restart *r, struct tds_err *err)
{
	bool over = false;
	int rc;

	r->end_mono_s = now_mono_s() + SILENT_SECONDS;
	for (;;) {
		rc = look(r, &over, err);
		if (over && rc == TDS_E_NO_ADMIN)
			return tds_err_set(err, rc,
					   "the admin process ended, and was not started again");
		if (over)
			return rc;
		if (now_mono_s() >= r->end_mono_s)
			return tds_err_set(err, TDS_E_NO_ADMIN,
					   "the admin process does not come back");
		(void)usleep(PAUSE_US);
	}
}

void admin_restart(struct admin *admin, int argc, char **argv)
{
	struct restart r = { .admin = admin,
			     .dir = { .fd = -1 },
			     .end_mono_s = now_mono_s() + SILENT_SECONDS };
	struct tds_err err = { 0 };
	bool runs = true;

	if (argc > 0) {
		tds_cli_usage(&admin->cli, "restart takes no operand");
		return;
	}
	int rc = admin_open_dir(admin, &r.dir, &err);
	if (rc == 0)
		rc = check_program(&r, &err);
	if (rc == 0)
		rc = look_ahead(&r, &err);
	if (rc == 0)
		rc = ask_in_time(&r, &runs, &err);
	if (rc == 0)
		rc = await_successor(&r, &err);
	if (runs && rc != 0)
		tds_cli_error(&admin->cli, NULL, &err);
	if (runs && rc == 0)
		judge_start(admin, &r.dir);
	if (!runs)
		admin_start(admin, argc, argv);
	else if (admin->cli.json)
		tds_cli_print_document(&admin->cli, json_pack("{s:b}", "Started", 0));
	free(r.program);
	tds_dir_close(&r.dir);
}
