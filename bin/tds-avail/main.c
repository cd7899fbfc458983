/* SPDX-License-Identifier: MIT */
/*
 * List what can be loaded from a director directory, newest first, and find or delete what TLS_Keep_Limit makes
 * superfluous.
 */
#include "avail.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/groups.h"
#include "director/prune.h"
#include "director/unknown.h"

static const char help[] =
	"usage: tds-avail [options] [GROUP...]\n"
	"List the packages of each group (of those named, or of all), newest first, with their MD5 "
	"sums.\n"
	"\n"
	"  -p, --paths            print paths alone\n"
	"  -l, --latest           only the newest package of each group\n"
	"      --verify           say of each package whether it loads, and by which key\n"
	"      --excess           print the packages beyond their group's TLS_Keep_Limit\n"
	"      --prune            delete them, and print each\n"
	"      --wait=SECONDS     with --prune: wait so long for another process that deletes or "
	"loads (30)\n" TDS_CLI_HELP_NAMES TDS_CLI_HELP_NUL TDS_CLI_HELP;

enum { OPT_VERIFY = 256, OPT_EXCESS, OPT_PRUNE, OPT_WAIT };

static const struct option options[] = {
	{ "paths", no_argument, NULL, 'p' },
	{ "latest", no_argument, NULL, 'l' },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "excess", no_argument, NULL, OPT_EXCESS },
	{ "prune", no_argument, NULL, OPT_PRUNE },
	{ "wait", required_argument, NULL, OPT_WAIT },
	TDS_CLI_LONG_NAMES,
	TDS_CLI_LONG_NUL,
	TDS_CLI_LONG,
	{ NULL, 0, NULL, 0 },
};

#define WAIT_DEFAULT_S 30
#define WAIT_MAX_S 86400

/* The caller's own folder for caches, by the rules of XDG; NULL: none. Caller frees. */
static char *find_cache_home(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	char *path = NULL;

	if (xdg && xdg[0] == '/')
		return strdup(xdg);
	if (!home || home[0] != '/' || asprintf(&path, "%s/.cache", home) < 0)
		return NULL;
	return path;
}

static void set_mode(struct opts *opts, enum mode mode, bool *done)
{
	if (opts->mode != MODE_LIST && opts->mode != mode) {
		tds_cli_usage(&opts->cli, "only one of --paths, --excess and --prune at a time");
		*done = true;
	}
	opts->mode = mode;
}

static void set_wait(struct opts *opts, const char *arg, bool *done)
{
	uint64_t seconds;

	if (tds_parse_uint(arg, strlen(arg), WAIT_MAX_S, &seconds)) {
		opts->wait_s = (int64_t)seconds;
		return;
	}
	tds_cli_usage(&opts->cli, "--wait: not a number of seconds: %s", arg);
	*done = true;
}

static void parse_option(struct opts *opts, int opt, bool *done)
{
	switch (opt) {
	case 'p':
		set_mode(opts, MODE_PATHS, done);
		break;
	case 'l':
		opts->latest = true;
		break;
	case 'T':
		opts->names_from = optarg;
		break;
	case OPT_VERIFY:
		opts->verify = true;
		break;
	case OPT_EXCESS:
		set_mode(opts, MODE_EXCESS, done);
		break;
	case OPT_PRUNE:
		set_mode(opts, MODE_PRUNE, done);
		break;
	case OPT_WAIT:
		set_wait(opts, optarg, done);
		break;
	default:
		(void)tds_cli_option(&opts->cli, opt, optarg, help, done);
		break;
	}
}

/* What does not go together. */
static void check_opts(struct opts *opts)
{
	if (opts->verify && opts->mode != MODE_LIST)
		tds_cli_usage(&opts->cli, "--verify does not go with --paths, --excess or --prune");
	else if (opts->latest && (opts->mode == MODE_EXCESS || opts->mode == MODE_PRUNE))
		tds_cli_usage(&opts->cli, "--latest does not go with --excess or --prune");
	else if (opts->cli.json && opts->mode == MODE_PATHS)
		tds_cli_usage(&opts->cli,
			      "--json has the paths already: it does not go with --paths");
	else if (opts->wait_s >= 0 && opts->mode != MODE_PRUNE)
		tds_cli_usage(&opts->cli, "--wait goes with --prune only");
}

/* Returns whether there is anything to do; names are then the groups that are asked for. */
static bool parse_opts(struct opts *opts, int argc, char **argv, struct tds_names *names)
{
	struct tds_err err;
	bool done = false;
	int opt;

	opts->wait_s = -1;
	opts->cache_home = find_cache_home();
	while (!done && (opt = getopt_long(argc, argv, TDS_CLI_SHORT "0T:pl", options, NULL)) != -1)
		parse_option(opts, opt, &done);
	if (!done)
		check_opts(opts);
	if (done || opts->cli.status != 0)
		return false;
	if (tds_names_read(argv + optind, argc - optind, opts->names_from, opts->cli.nul, names,
			   &err) == 0)
		return true;
	tds_cli_error(&opts->cli, NULL, &err);
	return false;
}

/* Open the directory, locked where something will be deleted, and read which groups and packages it has. */
static bool open_directory(struct avail *avail)
{
	struct opts *opts = avail->opts;
	struct tds_err err;
	int rc = tds_dir_open(opts->cli.dir, &avail->dir, &err);

	if (rc == 0 && opts->mode == MODE_PRUNE) {
		rc = tds_prune_lock(&avail->dir,
				    1000 * (opts->wait_s < 0 ? WAIT_DEFAULT_S : opts->wait_s),
				    &err);
		if (rc == 0)
			tds_io_sweep(avail->dir.fd);
	}
	if (rc == 0)
		rc = tds_groups_scan(&avail->dir, &avail->groups, &err);
	if (rc != 0)
		tds_cli_error(&opts->cli, opts->cli.dir, &err);
	else
		tds_strictly_warn(&opts->cli, &avail->dir, &avail->strict);
	return rc == 0;
}

/* An empty list of names from a file is not the same as none: it chooses no group. */
static bool choose(struct avail *avail, const struct tds_names *names)
{
	tds_autofree bool *named = calloc(avail->groups.n + 1, sizeof(*named));

	avail->all = names->n == 0 && !avail->opts->names_from;
	avail->chosen = calloc(avail->groups.n + 1, sizeof(struct tds_group *));
	if (!named || !avail->chosen) {
		report_nomem(avail);
		return false;
	}
	for (size_t i = 0; i < names->n; i++) {
		const struct tds_group *group = tds_groups_find(&avail->groups, names->v[i]);
		struct tds_err none;

		if (group) {
			named[group - avail->groups.v] = true;
			continue;
		}
		(void)tds_unknown_group(&avail->dir, &avail->groups, names->v[i], &none);
		tds_cli_error(&avail->opts->cli, names->v[i], &none);
	}
	for (size_t i = 0; i < avail->groups.n; i++)
		if (avail->all || named[i])
			avail->chosen[avail->nchosen++] = &avail->groups.v[i];
	return true;
}

static void list(const struct avail *avail)
{
	tds_auto(items) struct items items = { 0 };
	tds_auto(loaded) struct tds_loaded loaded = { 0 };
	struct tds_err err;

	if (items_look(avail, &items, &err) != 0) {
		tds_cli_error(&avail->opts->cli, NULL, &err);
		return;
	}
	bool known = tds_loaded_read(&avail->dir, &loaded, &err) == 0;
	if (!known)
		tds_cli_warn(&avail->opts->cli, NULL, "%s", err.reason);
	if (avail->opts->cli.json)
		list_json(avail, &items, known ? &loaded : NULL);
	else
		list_text(avail, &items, known ? &loaded : NULL);
}

static void run(struct avail *avail)
{
	switch (avail->opts->mode) {
	case MODE_LIST:
		list(avail);
		break;
	case MODE_PATHS:
		list_paths(avail);
		break;
	case MODE_EXCESS:
	case MODE_PRUNE:
		excess_run(avail);
		break;
	}
}

int main(int argc, char **argv)
{
	struct opts opts = { 0 };
	struct avail avail = { .opts = &opts, .dir = { .fd = -1 } };
	struct tds_names names = { 0 };

	tds_cli_start(&opts.cli, "tds-avail", argv);
	opts.cli.options = options;
	if (parse_opts(&opts, argc, argv, &names) && open_directory(&avail) &&
	    choose(&avail, &names))
		run(&avail);
	tds_names_fini(&names);
	tds_groups_fini(&avail.groups);
	tds_dir_close(&avail.dir);
	free(avail.chosen);
	free(opts.cache_home);
	return tds_cli_finish(&opts.cli);
}
