/* SPDX-License-Identifier: MIT */
/* The administration of a director directory: which command is meant, and its options. */
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/when.h"
#include "tool/logline.h"

#define LINES_MAX 1000000 /* of --lines */
#define SYSTEMS_MAX 4096  /* of --wait: a convention remembers no more */

static const char help[] =
	"usage: tds-admin [options] COMMAND [operands]\n"
	"\n"
	"  start                  start the admin process\n"
	"  restart                start it again, with what is loaded\n"
	"  reload                 have it read its settings again, and open its logs anew\n"
	"  shutdown               end it, and all actors\n"
	"  status                 say whether it runs\n"
	"  list [GROUP]           list the loaded sources and their actors\n"
	"  members                list the systems of the convention\n"
	"  role ROLE              print the address of the actor that has a role\n"
	"  keys                   list the keys: what they are, sign for, and last validated\n"
	"  forget GROUP           remove what the actors of a group have kept\n"
	"  tell TARGET MESSAGE    send a message to a role, @GLOBALNAME or address\n"
	"  ask TARGET MESSAGE     the same, and print the answer\n"
	"  log [ROLE]             print what actors print and log, and what has happened\n"
	"  tree                   print all actors, each below the one that created it\n"
	"  top                    show all actors, and what each uses, again and again\n"
	"  metrics                print metrics, as Prometheus reads them\n"
	"  history [GROUP]        print which version was active when, and what failed\n"
	"  watch                  print each change as a line of JSON\n"
	"  check [FILE...]        check TLI files, configuration and keys; without FILE all of the "
	"directory\n"
	"  config                 print the configuration\n"
	"  may [GROUP|USER]       print who may ask for what\n"
	"  sandbox GROUP|PACKAGE  explain what its actors would be let do, and why\n"
	"  convention init|remove|join|leave|status\n"
	"                         set up a convention of systems on many machines\n"
	"  setup [DIR]            make a director directory with an admin process of its own user\n"
	"  bootstart [NAME] [nostart]\n"
	"                         have it started at boot\n"
	"  help [COMMAND]         print this help, or that of a command\n"
	"\n"
	"  -T, --names-from=FILE  check: read names from FILE too, one a line (-: standard input)\n"
	"  -0, --null             check: these names end in NUL instead of a newline\n"
	"      --foreground       start: stay, for a supervisor\n"
	"      --load-all         start: with --foreground, load the newest of each group\n"
	"      --notify-fd=N      start: with --foreground, a newline goes there once it is up\n"
	"      --fresh            start: do not restore what a crash left, move it aside\n"
	"      --transient        start: at the end leave no run directory behind\n"
	"      --python-path      config: print only the folder of the package thespian\n"
	"      --grace=SECONDS    shutdown, restart: how long actors may take to exit\n"
	"      --group=GROUP      role, tell, ask, log: of this group alone\n"
	"      --timeout=SECONDS  ask, tell, convention, members: how long to wait (5; members "
	"60)\n"
	"      --wait=N           members: until N systems are there\n"
	"      --json-message     tell, ask: MESSAGE is JSON\n"
	"  -f, --follow           log: go on with what comes\n"
	"  -n, --lines=N          log, history, top: only the last N; of top N tables\n"
	"      --since=TIME       log, history: what is not older: a time, or ago: 10m, 2h, 1d\n"
	"      --role=ROLE        log: of this role alone\n"
	"      --level=LEVEL      log: what is at least DEBUG, INFO, WARNING, ERROR or CRITICAL\n"
	"      --audit            log: check the audit log, and print the digest of its last line\n"
	"      --root=ROOT        setup, bootstart: write below ROOT, and leave the running system "
	"alone\n"
	"      --user[=USER]      setup, bootstart: whose process the admin process is (tds); its "
	"own systemd\n"
	"      --manager=MANAGER  bootstart: systemd, openrc, runit, s6, upstart or sysv\n"
	"      --remove           bootstart: take the service back\n"
	"      --print            setup, bootstart: change nothing, print the commands or the "
	"file\n"
	"      --once             top: print one table, and end\n"
	"      --delay=SECONDS    top: how long until the next table (2)\n"
	"      --sort=COLUMN      top: by cpu, memory, messages, queue, restarts, pid or name\n"
	"      --textfile=FILE    metrics: write FILE, whole, for node_exporter\n"
	"      --folder=FOLDER    convention: the folder of init and remove (convention)\n"
	"      --bus=HOSTS        convention: names and addresses of the server (this host)\n"
	"      --name=NAME        convention: its name (thespian)\n"
	"      --candidates=NAMES  convention: who may lead it, and nobody else (the first)\n"
	"      --days=N           convention: how long new certificates are good for (730)\n"
	"      --renew            convention: make new certificates\n"
	"      --literal          check: FILE may hold any literal, not only a known kind of file\n"
	"      --strict           check: warnings are errors\n" TDS_CLI_HELP;

enum {
	OPT_LITERAL = 256,
	OPT_STRICT,
	OPT_FOREGROUND,
	OPT_LOAD_ALL,
	OPT_NOTIFY_FD,
	OPT_FRESH,
	OPT_TRANSIENT,
	OPT_PYTHON_PATH,
	OPT_JSON_MESSAGE,
	OPT_GROUP,
	OPT_GRACE,
	OPT_TIMEOUT,
	OPT_AUDIT,
	OPT_LEVEL,
	OPT_ROLE,
	OPT_SINCE,
	OPT_ROOT,
	OPT_USER,
	OPT_MANAGER,
	OPT_REMOVE,
	OPT_PRINT,
	OPT_TEXTFILE,
	OPT_ONCE,
	OPT_DELAY,
	OPT_SORT,
	OPT_FOLDER,
	OPT_BUS,
	OPT_NAME,
	OPT_CANDIDATES,
	OPT_DAYS,
	OPT_RENEW,
	OPT_WAIT
};

static const char short_options[] = TDS_CLI_SHORT "T:0fn:";

static const struct option options[] = {
	TDS_CLI_LONG,
	TDS_CLI_LONG_NAMES,
	TDS_CLI_LONG_NUL,
	{ "literal", no_argument, NULL, OPT_LITERAL },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "load-all", no_argument, NULL, OPT_LOAD_ALL },
	{ "notify-fd", required_argument, NULL, OPT_NOTIFY_FD },
	{ "fresh", no_argument, NULL, OPT_FRESH },
	{ "transient", no_argument, NULL, OPT_TRANSIENT },
	{ "python-path", no_argument, NULL, OPT_PYTHON_PATH },
	{ "follow", no_argument, NULL, 'f' },
	{ "audit", no_argument, NULL, OPT_AUDIT },
	{ "json-message", no_argument, NULL, OPT_JSON_MESSAGE },
	{ "group", required_argument, NULL, OPT_GROUP },
	{ "level", required_argument, NULL, OPT_LEVEL },
	{ "lines", required_argument, NULL, 'n' },
	{ "role", required_argument, NULL, OPT_ROLE },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "grace", required_argument, NULL, OPT_GRACE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "user", optional_argument, NULL, OPT_USER },
	{ "manager", required_argument, NULL, OPT_MANAGER },
	{ "remove", no_argument, NULL, OPT_REMOVE },
	{ "print", no_argument, NULL, OPT_PRINT },
	{ "textfile", required_argument, NULL, OPT_TEXTFILE },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "delay", required_argument, NULL, OPT_DELAY },
	{ "sort", required_argument, NULL, OPT_SORT },
	{ "folder", required_argument, NULL, OPT_FOLDER },
	{ "bus", required_argument, NULL, OPT_BUS },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "candidates", required_argument, NULL, OPT_CANDIDATES },
	{ "days", required_argument, NULL, OPT_DAYS },
	{ "renew", no_argument, NULL, OPT_RENEW },
	{ "wait", required_argument, NULL, OPT_WAIT },
	{ NULL, 0, NULL, 0 },
};

/* Each option that is not common: where its value goes in struct admin, and the commands that it goes with. */
enum value { FLAG, TEXT, SECONDS, LINES, SYSTEMS, TIME, LEVEL, DESCRIPTOR, COMMON };

static const struct own_option {
	int opt;
	enum value value; /* COMMON: tds_cli_option takes it */
	size_t offset;
	const char *commands; /* their names, in words */
} own_options[] = {
	{ 'T', TEXT, offsetof(struct admin, names_from), "check" },
	{ '0', COMMON, 0, "check" },
	{ OPT_LITERAL, FLAG, offsetof(struct admin, literal), "check" },
	{ OPT_STRICT, FLAG, offsetof(struct admin, strict), "check" },
	{ OPT_FOREGROUND, FLAG, offsetof(struct admin, foreground), "start" },
	{ OPT_LOAD_ALL, FLAG, offsetof(struct admin, load_all), "start" },
	{ OPT_NOTIFY_FD, DESCRIPTOR, offsetof(struct admin, notify_fd), "start" },
	{ OPT_FRESH, FLAG, offsetof(struct admin, fresh), "start" },
	{ OPT_TRANSIENT, FLAG, offsetof(struct admin, transient), "start" },
	{ OPT_PYTHON_PATH, FLAG, offsetof(struct admin, python_path), "config" },
	{ 'f', FLAG, offsetof(struct admin, follow), "log" },
	{ OPT_AUDIT, FLAG, offsetof(struct admin, audit), "log" },
	{ OPT_JSON_MESSAGE, FLAG, offsetof(struct admin, json_message), "tell, ask" },
	{ 'n', LINES, offsetof(struct admin, lines), "log, history, top" },
	{ OPT_SINCE, TIME, offsetof(struct admin, since_wall_ms), "log, history" },
	{ OPT_ROLE, TEXT, offsetof(struct admin, role), "log" },
	{ OPT_LEVEL, LEVEL, offsetof(struct admin, level), "log" },
	{ OPT_GROUP, TEXT, offsetof(struct admin, group), "role, tell, ask, log" },
	{ OPT_GRACE, SECONDS, offsetof(struct admin, grace_s), "shutdown, restart" },
	{ OPT_TIMEOUT, SECONDS, offsetof(struct admin, timeout_s),
	  "ask, tell, convention, members" },
	{ OPT_WAIT, SYSTEMS, offsetof(struct admin, wait), "members" },
	{ OPT_ROOT, TEXT, offsetof(struct admin, root), "setup, bootstart" },
	{ OPT_USER, TEXT, offsetof(struct admin, user), "setup, bootstart" },
	{ OPT_MANAGER, TEXT, offsetof(struct admin, manager), "bootstart" },
	{ OPT_REMOVE, FLAG, offsetof(struct admin, remove), "bootstart" },
	{ OPT_PRINT, FLAG, offsetof(struct admin, print), "setup, bootstart" },
	{ OPT_TEXTFILE, TEXT, offsetof(struct admin, textfile), "metrics" },
	{ OPT_ONCE, FLAG, offsetof(struct admin, once), "top" },
	{ OPT_DELAY, SECONDS, offsetof(struct admin, delay_s), "top" },
	{ OPT_SORT, TEXT, offsetof(struct admin, sort), "top" },
	{ OPT_FOLDER, TEXT, offsetof(struct admin, folder), "convention" },
	{ OPT_BUS, TEXT, offsetof(struct admin, bus), "convention" },
	{ OPT_NAME, TEXT, offsetof(struct admin, name), "convention" },
	{ OPT_CANDIDATES, TEXT, offsetof(struct admin, candidates), "convention" },
	{ OPT_DAYS, TEXT, offsetof(struct admin, days), "convention" },
	{ OPT_RENEW, FLAG, offsetof(struct admin, renew), "convention" },
};

#define OWN_OPTIONS (sizeof(own_options) / sizeof(own_options[0]))

static void print_help(struct admin *admin, int argc, char **argv);

static const struct command {
	const char *name;
	const char *help;
	void (*run)(struct admin *admin, int argc, char **argv);
} commands[] = {
	{ "start", admin_start_help, admin_start },
	{ "reload", admin_reload_help, admin_reload },
	{ "restart", admin_restart_help, admin_restart },
	{ "shutdown", admin_shutdown_help, admin_shutdown },
	{ "status", admin_status_help, admin_status },
	{ "list", admin_list_help, admin_list },
	{ "members", admin_members_help, admin_members },
	{ "role", admin_role_help, admin_role },
	{ "forget", admin_forget_help, admin_forget },
	{ "keys", admin_keys_help, admin_keys },
	{ "tell", admin_tell_help, admin_tell },
	{ "ask", admin_ask_help, admin_ask },
	{ "watch", admin_watch_help, admin_watch },
	{ "log", admin_log_help, admin_log },
	{ "history", admin_history_help, admin_history },
	{ "tree", admin_tree_help, admin_tree },
	{ "top", admin_top_help, admin_top },
	{ "metrics", admin_metrics_help, admin_metrics },
	{ "config", admin_config_help, admin_config },
	{ "may", admin_may_help, admin_may },
	{ "sandbox", admin_sandbox_help, admin_sandbox },
	{ "convention", admin_convention_help, admin_convention },
	{ "setup", admin_setup_help, admin_setup },
	{ "bootstart", admin_bootstart_help, admin_bootstart },
	{ "check", admin_check_help, admin_check },
	{ "help", help, print_help },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void tell_unknown(struct admin *admin, const char *name)
{
	struct tds_nearest nearest = { .word = name };
	char hint[TDS_NEAREST_HINT_MAX];

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		tds_nearest_offer(&nearest, commands[i].name);
	tds_cli_usage(&admin->cli, "no such command: %s%s", name, tds_nearest_hint(&nearest, hint));
}

static void print_help(struct admin *admin, int argc, char **argv)
{
	const struct command *command = argc > 0 ? find_command(argv[0]) : find_command("help");

	if (argc > 1)
		tds_cli_usage(&admin->cli, "help takes one command");
	else if (!command)
		tell_unknown(admin, argv[0]);
	else
		(void)fputs(command->help, admin->cli.out);
}

/* The long name of an option. */
static const char *option_name(int opt)
{
	const struct option *o = options;

	while (o->name && o->val != opt)
		o++;
	return o->name;
}

/* A number of seconds, up to a day. */
static bool parse_seconds(struct admin *admin, int opt, double *seconds)
{
	char *end;

	*seconds = strtod(optarg, &end);
	if (optarg[strspn(optarg, "0123456789.")] == '\0' && end != optarg && *end == '\0' &&
	    *seconds <= 86400)
		return true;
	tds_cli_usage(&admin->cli, "--%s: not a number of seconds: %s", option_name(opt), optarg);
	return false;
}

static bool parse_number(struct admin *admin, int opt, uint64_t most, uint64_t *number)
{
	if (tds_parse_uint(optarg, strlen(optarg), most, number) && *number > 0)
		return true;
	tds_cli_usage(&admin->cli, "--%s: not a number from 1 to %llu: %s", option_name(opt),
		      (unsigned long long)most, optarg);
	return false;
}

static bool parse_time(struct admin *admin, int opt, int64_t *wall_ms)
{
	if (tds_when_parse(optarg, tds_when_now(), wall_ms))
		return true;
	tds_cli_usage(&admin->cli, "--%s: neither a time nor one ago, as 10m: %s", option_name(opt),
		      optarg);
	return false;
}

/* Now, before a descriptor of our own has that number. It is for one program that this one becomes, and nobody else. */
static bool parse_descriptor(struct admin *admin, int opt, int *fd)
{
	uint64_t number;

	if (tds_parse_uint(optarg, strlen(optarg), INT_MAX, &number) && number > 2 &&
	    fcntl((int)number, F_SETFD, FD_CLOEXEC) == 0) {
		*fd = (int)number;
		return true;
	}
	tds_cli_usage(&admin->cli, "--%s: not an open descriptor above 2: %s", option_name(opt),
		      optarg);
	return false;
}

static bool parse_level(struct admin *admin, int *level)
{
	*level = tds_level_find(optarg);
	if (*level > 0)
		return true;
	tds_cli_usage(&admin->cli, "--level: no such level: %s", optarg);
	return false;
}

/*
 * The help for what is asked: that of the command among the operands, wherever it stands. What
 * comes behind --help is only looked at for it.
 */
static const char *help_for(int argc, char **argv)
{
	opterr = 0;
	while (getopt_long(argc, argv, short_options, options, NULL) != -1)
		;
	const struct command *command = optind < argc ? find_command(argv[optind]) : NULL;
	return command ? command->help : help;
}

/* Take one option. given: which of the own ones stood there. Returns whether to go on. */
static bool take_option(struct admin *admin, int opt, const char *help_text, bool *given)
{
	bool done = false;
	size_t i = 0;

	while (i < OWN_OPTIONS && own_options[i].opt != opt)
		i++;
	if (i < OWN_OPTIONS)
		given[i] = true;
	void *value = i < OWN_OPTIONS ? (char *)admin + own_options[i].offset : NULL;
	switch (i < OWN_OPTIONS ? own_options[i].value : COMMON) {
	case FLAG:
		*(bool *)value = true;
		return true;
	case TEXT:
		*(const char **)value = optarg ? optarg : "";
		return true;
	case SECONDS:
		return parse_seconds(admin, opt, value);
	case LINES:
		return parse_number(admin, opt, LINES_MAX, value);
	case SYSTEMS:
		return parse_number(admin, opt, SYSTEMS_MAX, value);
	case TIME:
		return parse_time(admin, opt, value);
	case DESCRIPTOR:
		return parse_descriptor(admin, opt, value);
	case LEVEL:
		return parse_level(admin, value);
	case COMMON:
		break;
	}
	(void)tds_cli_option(&admin->cli, opt, optarg, help_text, &done);
	return !done;
}

/* Options may stand before and after the command. Returns whether there is anything to do. */
static bool parse_opts(struct admin *admin, int argc, char **argv, bool *given)
{
	bool going = true;
	int opt;

	while (going && (opt = getopt_long(argc, argv, short_options, options, NULL)) != -1)
		going = take_option(admin, opt, opt == 'h' ? help_for(argc, argv) : help, given);
	return going;
}

/* Is the name one of those in a list as "tell, ask"? */
static bool is_among(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; *p; p += strcspn(p, ","), p += strspn(p, ", "))
		if (strcspn(p, ",") == len && strncmp(p, name, len) == 0)
			return true;
	return false;
}

/* An option that this command would not heed is a mistake, and perhaps meant for another. */
static bool goes_with(struct admin *admin, const struct command *command, const bool *given)
{
	for (size_t i = 0; i < OWN_OPTIONS; i++) {
		const struct own_option *own = &own_options[i];

		if (!given[i] || is_among(own->commands, command->name))
			continue;
		tds_cli_usage(&admin->cli, "--%s goes only with %s, not with %s",
			      option_name(own->opt), own->commands, command->name);
		return false;
	}
	return true;
}

static void run_command(struct admin *admin, int argc, char **argv, const bool *given)
{
	const struct command *command = argc > 0 ? find_command(argv[0]) : NULL;

	if (argc == 0)
		tds_cli_usage(&admin->cli, "no command given");
	else if (!command)
		tell_unknown(admin, argv[0]);
	else if (goes_with(admin, command, given))
		command->run(admin, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	struct admin admin = { .notify_fd = -1,
			       .grace_s = -1,
			       .timeout_s = -1,
			       .delay_s = -1,
			       .lines = UINT64_MAX,
			       .since_wall_ms = INT64_MIN };
	bool given[OWN_OPTIONS] = { false };

	tds_cli_start(&admin.cli, "tds-admin", argv);
	admin.cli.options = options;
	if (parse_opts(&admin, argc, argv, given))
		run_command(&admin, argc - optind, argv + optind, given);
	return tds_cli_finish(&admin.cli);
}
