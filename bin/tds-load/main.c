/* SPDX-License-Identifier: MIT */
/* Load, refresh and unload sources in the running admin process, which is started where it does not run. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cores.h"
#include "base/dir.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/desired.h"
#include "director/groups.h"
#include "director/rundir.h"
#include "judge.h"
#include "plan.h"
#include "progress.h"
#include "start.h"
#include "tool/cli.h"
#include "tool/client.h"
#include "tool/strictly.h"

static const char help[] =
	"usage: tds-load [options] NAME...\n"
	"       tds-load [options] --all\n"
	"       tds-load [options] --unload HASH...\n"
	"       tds-load [options] --hold GROUP [VERSION]\n"
	"       tds-load [options] --release GROUP...\n"
	"       tds-load [options] --rollback GROUP...\n"
	"Load the newest package of groups, or package files, and make them active.\n"
	"NAME is a group, a package file, or a TLI file.\n"
	"\n"
	"  -a, --all              refresh: the newest package of every group, where it is not "
	"active already\n"
	"      --unload           NAMEs are source hashes: unload these\n"
	"      --hold             keep GROUP at VERSION (at what is active, or else the newest), "
	"which is\n"
	"                         loaded where it is not active\n"
	"      --release          let GROUPs not be held any more\n"
	"      --rollback         back to the version of GROUP before, and hold it there\n"
	"  -n, --dry-run          only say what would be loaded\n"
	"      --retry            with --all: also packages whose last load was undone\n"
	"      --allow-downgrade  also a version below the floor of its group, which is set to it\n"
	"      --wait=SECONDS     how long a source may take until it is ready (60)\n"
	"      --no-start         do not start the admin process: status 8 where it does not "
	"run\n" TDS_CLI_HELP_NAMES TDS_CLI_HELP_NUL TDS_CLI_HELP;

enum {
	OPT_UNLOAD = 256,
	OPT_HOLD,
	OPT_RELEASE,
	OPT_ROLLBACK,
	OPT_RETRY,
	OPT_ALLOW_DOWNGRADE,
	OPT_WAIT,
	OPT_NO_START
};

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "unload", no_argument, NULL, OPT_UNLOAD },
	{ "hold", no_argument, NULL, OPT_HOLD },
	{ "release", no_argument, NULL, OPT_RELEASE },
	{ "rollback", no_argument, NULL, OPT_ROLLBACK },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "retry", no_argument, NULL, OPT_RETRY },
	{ "allow-downgrade", no_argument, NULL, OPT_ALLOW_DOWNGRADE },
	{ "wait", required_argument, NULL, OPT_WAIT },
	{ "no-start", no_argument, NULL, OPT_NO_START },
	TDS_CLI_LONG_NAMES,
	TDS_CLI_LONG_NUL,
	TDS_CLI_LONG,
	{ NULL, 0, NULL, 0 },
};

#define ANSWER_MS 10000  /* that an admin may take to say how it is */
#define RESTART_MS 70000 /* that one may take to be there again */

/* What is done with what is named. */
enum deed {
	DEED_LOAD,
	DEED_UNLOAD,
	DEED_HOLD,
	DEED_RELEASE,
	DEED_ROLLBACK,
};

static const struct {
	const char *option;
	const char *request; /* of the protocol */
	const char *field;   /* where it has the name */
	const char *done;    /* the word for it; NULL: nothing is said */
	bool waits;          /* for actors to be up, as long as --wait says */
	bool again;          /* done twice is done once */
} deeds[] = {
	[DEED_LOAD] = { NULL, "LoadSource", "Source", "Loaded", true, true },
	[DEED_UNLOAD] = { "--unload", "UnloadSource", "SourceHash", NULL, false, false },
	[DEED_HOLD] = { "--hold", "Hold", "Group", "Held", true, true },
	[DEED_RELEASE] = { "--release", "Release", "Group", "Released", false, true },
	[DEED_ROLLBACK] = { "--rollback", "Rollback", "Group", "Rolled back", true, false },
};

struct run {
	struct tds_cli cli;
	const char *names_from;
	struct tds_names names; /* the operands */
	bool all;
	enum deed deed;
	bool twice; /* two deeds are asked for */
	bool dry_run;
	bool retry;
	bool allow_downgrade;
	bool no_start;
	bool incomplete; /* not all that was loaded before came back with the admin, as it has said */
	uint64_t wait_s;
	struct tds_dir dir;
	struct tds_client client;
};

static void set_deed(struct run *run, enum deed deed)
{
	run->twice = run->twice || (run->deed != DEED_LOAD && run->deed != deed);
	run->deed = deed;
}

static void parse_option(struct run *run, int opt, bool *done)
{
	switch (opt) {
	case 'a':
		run->all = true;
		break;
	case OPT_UNLOAD:
		set_deed(run, DEED_UNLOAD);
		break;
	case OPT_HOLD:
		set_deed(run, DEED_HOLD);
		break;
	case OPT_RELEASE:
		set_deed(run, DEED_RELEASE);
		break;
	case OPT_ROLLBACK:
		set_deed(run, DEED_ROLLBACK);
		break;
	case 'n':
		run->dry_run = true;
		break;
	case OPT_RETRY:
		run->retry = true;
		break;
	case OPT_ALLOW_DOWNGRADE:
		run->allow_downgrade = true;
		break;
	case OPT_WAIT:
		if (!tds_parse_uint(optarg, strlen(optarg), 86400, &run->wait_s) ||
		    run->wait_s == 0) {
			tds_cli_usage(&run->cli, "--wait: not a number of seconds: %s", optarg);
			*done = true;
		}
		break;
	case OPT_NO_START:
		run->no_start = true;
		break;
	case 'T':
		run->names_from = optarg;
		break;
	default:
		(void)tds_cli_option(&run->cli, opt, optarg, help, done);
		break;
	}
}

/* What does not go together. */
static void check_opts(struct run *run)
{
	const char *option = deeds[run->deed].option;

	if (run->twice)
		tds_cli_usage(&run->cli,
			      "only one of --unload, --hold, --release and --rollback at a time");
	else if (run->all && (run->names.n > 0 || option))
		tds_cli_usage(&run->cli, "--all goes with no NAME and not with %s",
			      option ? option : "--unload");
	else if (run->dry_run && option)
		tds_cli_usage(&run->cli, "--dry-run does not go with %s", option);
	else if (run->allow_downgrade && option)
		tds_cli_usage(&run->cli, "--allow-downgrade does not go with %s", option);
	else if (!run->all && run->names.n == 0 && !run->names_from)
		tds_cli_usage(&run->cli, "nothing is named");
	else if (run->deed == DEED_HOLD && (run->names.n > 2 || run->names_from))
		tds_cli_usage(&run->cli, "--hold takes one GROUP and at most one VERSION");
}

static bool parse_opts(struct run *run, int argc, char **argv)
{
	struct tds_err err;
	bool done = false;
	int opt;

	run->wait_s = 60;
	while (!done && (opt = getopt_long(argc, argv, TDS_CLI_SHORT "anT:0", options, NULL)) != -1)
		parse_option(run, opt, &done);
	if (done)
		return false;
	if (tds_names_read(argv + optind, argc - optind, run->names_from, run->cli.nul, &run->names,
			   &err) != 0) {
		tds_cli_error(&run->cli, NULL, &err);
		return false;
	}
	check_opts(run);
	return run->cli.status == 0;
}

/* Only one that says that it is up is worth a request: what listens may be dying. */
static int connect_ready(struct run *run, struct tds_err *err)
{
	enum tds_client_state state = TDS_CLIENT_READY;
	json_t *status;
	int rc = tds_client_probe(&run->dir, &run->client, ANSWER_MS, &state, &status, err);

	json_decref(status);
	if (rc != 0 || state == TDS_CLIENT_READY)
		return rc;
	tds_client_close(&run->client);
	if (state == TDS_CLIENT_OTHER)
		return err->code;
	if (state == TDS_CLIENT_REFUSING) /* whom the request will tell why */
		return tds_client_open(&run->dir, &run->client, err);
	return tds_err_set(err, TDS_E_NO_ADMIN, "the admin process is %s",
			   state == TDS_CLIENT_STOPPING ? "on its way down" : "not up yet");
}

/* Is it about to be there again? Else the connection is open, or rc says why not. */
static bool is_restarting(struct run *run, int *rc, struct tds_err *err)
{
	enum tds_client_state state = TDS_CLIENT_READY;
	json_t *status;

	*rc = tds_client_probe(&run->dir, &run->client, ANSWER_MS, &state, &status, err);
	bool ends = json_is_true(json_object_get(status, "Restarting"));
	json_decref(status);
	if (*rc == 0 && state == TDS_CLIENT_OTHER)
		*rc = err->code;
	if (*rc != 0 || ends)
		tds_client_close(&run->client);
	return ends || (*rc == TDS_E_NO_ADMIN && tds_client_is_restarting(&run->dir));
}

/* One that is about to be there again is waited for; its guardian gives up in the end. */
static int connect_running(struct run *run, struct tds_err *err)
{
	int rc;

	for (unsigned ms = 0; is_restarting(run, &rc, err); ms += 20) {
		if (ms >= RESTART_MS)
			return tds_err_set(err, TDS_E_NO_ADMIN, "the admin process is restarting");
		(void)usleep(20000);
	}
	return rc;
}

static int connect_admin(struct run *run, struct tds_err *err)
{
	if (run->no_start)
		return connect_running(run, err);
	int rc = connect_ready(run, err);
	if (rc != TDS_E_NO_ADMIN)
		return rc;
	rc = start_admin(&run->cli, &run->incomplete, err);
	if (rc == 0)
		rc = connect_ready(run, err);
	return rc == TDS_E_NO_ADMIN && run->incomplete
		       ? tds_err_set(err, rc, "the admin process could not be started")
		       : rc;
}

/* Who asks for quiet, a crontab say, has been told when it was undone, or refused for the first time. */
static bool was_told(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "LeftAlone")) ||
	       json_is_true(json_object_get(answer, "Again"));
}

static void report(struct run *run, const char *name, int rc, json_t *answer, struct tds_err *err)
{
	const json_t *warning;
	const json_t *deleted;
	size_t i;

	json_array_foreach(json_object_get(answer, "Warnings"), i, warning)
		tds_cli_warn(&run->cli, name, "%s", json_string_value(warning));
	if (rc == TDS_E_TIMEOUT && deeds[run->deed].waits)
		(void)strncat(err->reason, "; --wait=SECONDS gives it more",
			      sizeof(err->reason) - strlen(err->reason) - 1);
	if (rc != 0 && run->cli.quiet && was_told(answer))
		tds_cli_keep_failure(&run->cli, name, err);
	else if (rc != 0)
		complain(&run->cli, name, json_string_value(json_object_get(answer, "Path")), err);
	if (run->cli.json) {
		tds_cli_print_document(&run->cli, answer ? json_incref(answer) : json_object());
		return;
	}
	if (rc != 0 || !deeds[run->deed].done || run->cli.quiet)
		return;
	(void)fprintf(run->cli.out, "%s \"%s\"", deeds[run->deed].done,
		      tds_json_string(answer, "Group"));
	if (run->deed != DEED_RELEASE)
		(void)fprintf(run->cli.out, " %s: %s", tds_json_string(answer, "Path"),
			      tds_json_string(answer, "SourceHash"));
	(void)fputc('\n', run->cli.out);
	json_array_foreach(json_object_get(answer, "Deleted"), i, deleted)
	{
		if (!run->cli.quiet)
			(void)fprintf(run->cli.out, "Deleted %s (TLS_Keep_Limit)\n",
				      json_string_value(deleted));
	}
}

/*
 * Ask, and ask again where a restart came in between: it says that nothing was done of it, or the connection ends without an
 * answer. A load that was done all the same is found done. Takes the reference.
 */
static int ask_on(struct run *run, json_t *request, json_t **answer, struct tds_err *err)
{
	bool ended = false;

	for (;;) {
		int rc = tds_client_ask(&run->client, json_incref(request), answer, err);
		bool later = json_is_true(json_object_get(*answer, "Restarting"));
		bool again = later ||
			     (rc == TDS_E_NO_ADMIN && !*answer && deeds[run->deed].again && !ended);

		if (again) {
			ended = !later;
			json_decref(*answer);
			*answer = NULL;
			tds_client_close(&run->client);
			rc = connect_admin(run, err);
		}
		if (!again || rc != 0) {
			json_decref(request);
			return rc;
		}
	}
}

/* version: of DEED_HOLD; NULL: not said. */
static void one(struct run *run, const char *name, const char *version)
{
	struct tds_err err = { 0 };
	json_t *answer = NULL;
	json_t *request = json_pack("{s:s, s:s, s:s*}", "DirectorOp", deeds[run->deed].request,
				    deeds[run->deed].field, name, "Version", version);

	if (deeds[run->deed].waits)
		(void)json_object_set_new(request, "Wait", json_integer((json_int_t)run->wait_s));
	if (run->deed == DEED_LOAD) {
		(void)json_object_set_new(request, "Retry", json_boolean(!run->all || run->retry));
		(void)json_object_set_new(request, "Refresh", json_boolean(run->all));
		(void)json_object_set_new(request, "AllowDowngrade",
					  json_boolean(run->allow_downgrade));
	}
	struct progress progress;
	progress_start(&progress, &run->cli, tds_text_base(name));
	int rc = ask_on(run, request, &answer, &err);
	progress_stop(&progress);

	report(run, name, rc, answer, &err);
	json_decref(answer);
}

/* A file that is here goes by its whole path: the admin is somewhere else. */
static char *resolve(const char *name)
{
	if (strchr(name, '/') || access(name, F_OK) == 0) {
		char *whole = realpath(name, NULL);

		if (whole)
			return whole;
	}
	return strdup(name);
}

static void do_named(struct run *run)
{
	if (run->deed == DEED_HOLD) {
		one(run, run->names.v[0], run->names.n > 1 ? run->names.v[1] : NULL);
		return;
	}
	for (size_t i = 0; i < run->names.n; i++) {
		size_t n = strlen(run->names.v[i]);
		bool is_file = n > 4 && strcmp(run->names.v[i] + n - 4, ".tls") == 0;
		tds_autofree char *name = is_file && run->deed == DEED_LOAD
						  ? resolve(run->names.v[i])
						  : strdup(run->names.v[i]);

		if (name)
			one(run, name, NULL);
	}
}

static bool some_are_empty(const struct tds_groups *groups)
{
	for (size_t i = 0; i < groups->n; i++)
		if (groups->v[i].n == 0)
			return true;
	return false;
}

static void load_all(struct run *run)
{
	tds_auto(groups) struct tds_groups groups = { 0 };
	tds_auto(loaded) struct tds_loaded loaded = { 0 };
	struct tds_err err = { 0 };

	if (tds_groups_scan(&run->dir, &groups, &err) != 0) {
		tds_cli_error(&run->cli, run->cli.dir, &err);
		return;
	}
	/* A group may be held at what the store alone has. Where that cannot be read, the admin says so. */
	if (some_are_empty(&groups))
		(void)!tds_loaded_read(&run->dir, &loaded, NULL);
	for (size_t i = 0; i < groups.n; i++)
		if (groups.v[i].n > 0 || tds_desired_held(loaded.desired, groups.v[i].name))
			one(run, groups.v[i].name, NULL);
}

/* No admin process is started for names that mean nothing, which is said then. */
static bool is_worth_it(struct run *run)
{
	if (run->all || run->no_start || tds_client_lock(&run->dir) != TDS_LOCK_FREE)
		return true;
	size_t n = run->deed == DEED_HOLD ? 1 : run->names.n; /* the other is a version */

	return judge(&run->cli, &run->dir, run->names.v, n,
		     run->deed == DEED_LOAD     ? JUDGED_PACKAGES
		     : run->deed == DEED_UNLOAD ? JUDGED_HASHES
						: JUDGED_GROUPS);
}

/* That is no name's fault: it is told after them. */
static void keep_incomplete(struct run *run)
{
	struct tds_err err;

	tds_err_set(&err, TDS_E_REFUSED, "not all of what was loaded before came back");
	tds_cli_keep_failure(&run->cli, NULL, &err);
}

static void work(struct run *run)
{
	struct tds_err err = { 0 };
	int rc = tds_dir_open(run->cli.dir, &run->dir, &err);

	if (rc != 0) {
		tds_cli_error(&run->cli, run->cli.dir, &err);
		return;
	}
	if (tds_strictly_demand(&run->cli, &run->dir, false, &err) != 0) {
		tds_cli_error(&run->cli, NULL, &err);
		return;
	}
	if (run->dry_run) {
		plan(&run->cli, &run->dir, &run->names,
		     &(struct plan_request){ .all = run->all,
					     .retry = !run->all || run->retry,
					     .allow_downgrade = run->allow_downgrade });
		return;
	}
	if (!is_worth_it(run))
		return;
	rc = connect_admin(run, &err);
	if (rc == 0)
		rc = tds_client_compare(&run->client, &run->cli, &err);
	if (rc != 0)
		tds_cli_error(&run->cli, NULL, &err);
	else if (run->all)
		load_all(run);
	else
		do_named(run);
	if (run->incomplete)
		keep_incomplete(run);
}

int main(int argc, char **argv)
{
	struct run run = { .dir = { .fd = -1 }, .client = { .fd = -1 } };

	tds_cli_start(&run.cli, "tds-load", argv);
	tds_cores_off();
	run.cli.options = options;
	if (parse_opts(&run, argc, argv))
		work(&run);
	tds_names_fini(&run.names);
	tds_client_close(&run.client);
	tds_dir_close(&run.dir);
	return tds_cli_finish(&run.cli);
}
