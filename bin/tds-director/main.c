/* SPDX-License-Identifier: MIT */
/*
 * The Director's own command lines, on top of the other tools: which command is meant, how many operands it takes,
 * and the status that the Director ends with.
 */
#include "director.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/release.h"
#include "director/groups.h"
#include "tool/client.h"

#define TOOL(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char unrecognized[] =
	"Unrecognized command; use the \"help\" command to get usage information.\n";

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What cannot be read is named on stderr; the Director takes the default, and so ends with 0. */
static int command_config(struct director *d, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return tool_run(d, "tds-admin", TOOL("-C", d->dir, "config"), 0, NULL) == 5 ? 1 : 0;
}

/* A line of tds-avail as the Director has it, without what is behind the sum. Returns where its newline is; NULL: nowhere. */
static const char *print_plainly(FILE *out, const char *line)
{
	static const char *const marks[] = { "    active", "    loaded", "    active, held",
					     "    loaded, held", "    held" };
	const char *end = strchrnul(line, '\n');
	size_t len = (size_t)(end - line);

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t n = strlen(marks[i]);

		if (len > n && memcmp(end - n, marks[i], n) == 0) {
			len -= n;
			break;
		}
	}
	(void)fprintf(out, "%.*s\n", (int)len, line);
	return *end ? end : NULL;
}

static int command_avail(struct director *d, int argc, char **argv)
{
	tds_auto(output) struct output output = { 0 };

	(void)argc;
	(void)argv;
	(void)fprintf(d->cli.out, "THESPIAN_DIRECTOR_DIR=%s\n", d->dir);
	if (!is_folder(d->place))
		return 0;
	int status = tool_run(d, "tds-avail", TOOL("-C", d->place), TOOL_OUT, &output);
	const char *rest = output.out ? strchr(output.out, '\n') : NULL;
	while (rest && *++rest)
		rest = print_plainly(d->cli.out, rest);
	return status == 0 ? 0 : 1;
}

/* A group that has no package ends the Director's refresh with 1. */
static int check_packages(struct director *d)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(groups) struct tds_groups groups = { 0 };
	struct tds_err err;
	int status = 0;

	if (tds_dir_open(d->place, &dir, &err) != 0 || tds_groups_scan(&dir, &groups, &err) != 0)
		return fail(d, 1, "%s: %s", d->place, err.reason);
	for (size_t i = 0; i < groups.n; i++)
		if (groups.v[i].n == 0)
			status = fail(d, 1, "%s: the group has no package", groups.v[i].name);
	return status;
}

/* 6 and 7 say what the Director leaves unsaid: that the package was refused. */
static int load_status(int status)
{
	return status == 0 || status == 6 || status == 7 ? status : 1;
}

/*
 * Run tds-load with these arguments. It names packages by their whole path; where the director directory is named by
 * a relative one, the Director's lines are too.
 */
static int run_load(struct director *d, const char *const *argv)
{
	tds_auto(output) struct output output = { 0 };
	tds_autofree char *cwd = getcwd(NULL, 0);
	tds_autofree char *whole = NULL;

	if (d->place[0] == '/' || !cwd)
		return load_status(tool_run(d, "tds-load", argv, 0, NULL));
	if (asprintf(&whole, "%s/%s", cwd, d->place) < 0) {
		whole = NULL;
		return fail(d, 1, "out of memory");
	}
	int status = tool_run(d, "tds-load", argv, TOOL_OUT, &output);
	const char *rest = output.out ? output.out : "";
	for (const char *at; (at = strstr(rest, whole)); rest = at + strlen(whole))
		(void)fprintf(d->cli.out, "%.*s%s", (int)(at - rest), rest, d->place);
	(void)fputs(rest, d->cli.out);
	return load_status(status);
}

static int command_refresh(struct director *d, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int status = run_load(d, TOOL("-C", d->place, "--all"));
	int missing = check_packages(d);

	return status > missing ? status : missing;
}

/* A connection lasts as long as the daemon does. */
static void await_end_of(const struct tds_dir *dir)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	json_t *line = NULL;
	int rc = tds_client_open(dir, &client, NULL);

	/* One that has asked something is not the first to go where there are too many. */
	if (rc == 0)
		rc = tds_client_ask(&client, json_pack("{s:s}", "DirectorOp", "Status"), &line,
				    NULL);
	while (rc == 0) {
		json_decref(line);
		rc = tds_client_receive(&client, &line, NULL);
	}
}

/* Until another daemon is there, or the guardian is gone as well. */
static bool comes_back(const struct tds_dir *dir)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };

	do {
		(void)usleep(20000);
		if (tds_client_open(dir, &client, NULL) == 0)
			return true;
	} while (tds_client_lock(dir) == TDS_LOCK_HELD);
	return false;
}

static void await_end(struct director *d)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };

	(void)fflush(d->cli.out);
	if (tds_dir_open(d->place, &dir, NULL) != 0)
		return;
	do
		await_end_of(&dir);
	while (comes_back(&dir));
}

static int command_start(struct director *d, int argc, char **argv)
{
	int status = tool_run(d, "tds-admin", TOOL("-C", d->place, "start"), 0, NULL);
	int refreshed = status == 0 || status == 1 ? command_refresh(d, 0, argv) : 1;

	if (status != 0 && refreshed == 0)
		refreshed = 1;
	if (argc > 0 && refreshed == 0)
		await_end(d);
	return refreshed;
}

static int command_load(struct director *d, int argc, char **argv)
{
	(void)argc;
	if (!argv[0][0])
		return fail(d, 1, "the name of the group is empty");
	return run_load(d, TOOL("-C", d->place, "--", argv[0]));
}

/* One that is not loaded is unloaded already: the Director says nothing of it. */
static int command_unload(struct director *d, int argc, char **argv)
{
	tds_auto(output) struct output output = { 0 };

	(void)argc;
	if (!argv[0][0])
		return 0;
	int status = tool_run(d, "tds-load", TOOL("-C", d->place, "--unload", "--", argv[0]),
			      TOOL_ERR, &output);
	if (output.err && (status != 4 || d->verbose))
		(void)fputs(output.err, d->cli.err);
	return status == 0 || status == 4 ? 0 : 1;
}

static int command_shutdown(struct director *d, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	/* Where there is no directory, nothing runs. */
	if (is_folder(d->place) &&
	    tool_run(d, "tds-admin", TOOL("-C", d->place, "shutdown"), 0, NULL) != 0)
		return 1;
	(void)fputs("Shutdown completed\n", d->cli.out);
	return 0;
}

static int command_bootstart(struct director *d, int argc, char **argv)
{
	const char *args[] = { "-C",
			       d->place,
			       "bootstart",
			       "--",
			       argc > 0 ? argv[0] : NULL,
			       argc > 1 && argv[1][0] ? "nostart" : NULL,
			       NULL };

	if (!is_folder(d->place)) {
		(void)fprintf(d->cli.err,
			      "THESPIAN_DIRECTOR_DIR \"%s\" does not exist; "
			      "cannot create boot start configuration\n",
			      d->dir);
		return 5;
	}
	return tool_run(d, "tds-admin", args, 0, NULL);
}

static const struct command {
	const char *name;
	int least; /* operands */
	int most;
	command_fn *run;
	const char *operands;
} commands[] = {
	{ "config", 0, 0, command_config, "no operand" },
	{ "bootstart", 0, 2, command_bootstart, "[NAME] [nostart]" },
	{ "start", 0, 1, command_start, "[wait]" },
	{ "shutdown", 0, 0, command_shutdown, "no operand" },
	{ "avail", 0, 0, command_avail, "no operand" },
	{ "gensrc", 3, 1 << 30, command_gensrc, "GROUP KEYFILE SRCDIR SOURCE..." },
	{ "tlsinfo", 1, 2, command_tlsinfo, "FILE [contents | MEMBER]" },
	{ "load", 1, 1, command_load, "GROUP or FILE" },
	{ "refresh", 0, 0, command_refresh, "no operand" },
	{ "unload", 1, 1, command_unload, "HASH" },
	{ "list", 0, 1, command_list, "[GROUP]" },
	{ "get_role_address", 1, 3, command_role, "ROLE [GROUP [SILENT]]" },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void print_help(struct director *d, const char *name)
{
	const char *text = help_text(name);

	(void)fputs(text ? text : "Unrecognized command\n", d->cli.out);
}

/* The Director's words, and on standard error what may be meant. */
static int tell_unrecognized(struct director *d, const char *name)
{
	struct tds_nearest nearest = { .word = name };

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		tds_nearest_offer(&nearest, commands[i].name);
	(void)fputs(unrecognized, d->cli.out);
	if (nearest.found)
		(void)fail(d, 2, "did you mean \"%s\"?", nearest.found);
	return 2;
}

/* The Director knows no options; these two are what people try first. Returns whether it was one. */
static bool take_option(struct director *d, const char *word)
{
	if (strcmp(word, "--help") == 0)
		print_help(d, NULL);
	else if (strcmp(word, "--version") == 0)
		(void)fprintf(d->cli.out, "tds-director %s\n", tds_release_version);
	else
		return false;
	return true;
}

static int run_command(struct director *d, int argc, char **argv)
{
	const struct command *command = argc > 0 ? find_command(argv[0]) : NULL;

	if (argc > 0 && take_option(d, argv[0]))
		return 0;
	if (argc == 0 || strcmp(argv[0], "help") == 0) {
		print_help(d, argc > 1 ? argv[1] : NULL);
		return 0;
	}
	if (!command)
		return tell_unrecognized(d, argv[0]);
	if (argc - 1 < command->least || argc - 1 > command->most)
		return fail(d, 1, "%s takes %s", command->name, command->operands);
	return command->run(d, argc - 1, argv + 1);
}

static bool start(struct director *d, char *const *argv)
{
	const char *dir = getenv("THESPIAN_DIRECTOR_DIR");

	tds_cli_start(&d->cli, "tds-director", argv);
	d->dir = dir ? dir : TDS_DIRECTOR_DIR_DEFAULT;
	d->place = d->dir[0] ? d->dir : ".";
	d->bin = tds_cli_folder();
	return d->bin != NULL;
}

int main(int argc, char **argv)
{
	struct director d = { 0 };

	argc--;
	argv++;
	if (!start(&d, argv)) {
		d.cli.status = fail(&d, 1, "the folder of the tools cannot be found");
	} else {
		d.verbose = argc > 0 && strcmp(argv[0], "verbose") == 0;
		if (d.verbose && argc == 1)
			d.cli.status = fail(&d, 1, "verbose goes before a command");
		else
			d.cli.status = run_command(&d, argc - d.verbose, argv + d.verbose);
	}
	free(d.bin);
	return tds_cli_finish(&d.cli);
}
