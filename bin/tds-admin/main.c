/* SPDX-License-Identifier: MIT */
/* The administration of a director directory: which command is meant, and its options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"

static const char help[] =
	"usage: tds-admin [options] COMMAND [operands]\n"
	"\n"
	"  start                  start the admin process\n"
	"  shutdown               end it, and all actors\n"
	"  status                 say whether it runs\n"
	"  list [GROUP]           list the loaded sources and their actors\n"
	"  role ROLE              print the address of the actor that has a role\n"
	"  tell TARGET MESSAGE    send a message to a role, @GLOBALNAME or address\n"
	"  ask TARGET MESSAGE     the same, and print the answer\n"
	"  log [ROLE]             print what actors print and log\n"
	"  watch                  print each change as a line of JSON\n"
	"  check [FILE...]        check TLI files, configuration and keys; without FILE all of the "
	"directory\n"
	"  config                 print the configuration\n"
	"  bootstart [NAME] [nostart]\n"
	"                         have systemd start the admin process at boot\n"
	"  help [COMMAND]         print this help, or that of a command\n"
	"\n"
	"  -T, --names-from=FILE  check: read names from FILE too, one a line (-: standard input)\n"
	"  -0, --null             check: these names end in NUL instead of a newline\n"
	"      --foreground       start: stay, for a supervisor\n"
	"      --fresh            start: do not restore what a crash left, move it aside\n"
	"      --transient        start: at the end leave no run directory behind\n"
	"      --python-path      config: print only the folder of the package thespian\n"
	"      --grace=SECONDS    shutdown: how long actors may take to exit\n"
	"      --group=GROUP      role, tell, ask: the role of this group\n"
	"      --timeout=SECONDS  ask, tell: how long to wait (5)\n"
	"      --json-message     tell, ask: MESSAGE is JSON\n"
	"  -f, --follow           log: go on with what comes\n"
	"      --audit            log: check the audit log, and print the digest of its last line\n"
	"      --root=ROOT        bootstart: write below ROOT, and leave the running systemd "
	"alone\n"
	"      --literal          check: FILE may hold any literal, not only a known kind of file\n"
	"      --strict           check: warnings are errors\n" TDS_CLI_HELP;

enum {
	OPT_LITERAL = 256,
	OPT_STRICT,
	OPT_FOREGROUND,
	OPT_FRESH,
	OPT_TRANSIENT,
	OPT_PYTHON_PATH,
	OPT_JSON_MESSAGE,
	OPT_GROUP,
	OPT_GRACE,
	OPT_TIMEOUT,
	OPT_AUDIT,
	OPT_ROOT
};

static const char short_options[] = TDS_CLI_SHORT "T:0f";

static const struct option options[] = {
	TDS_CLI_LONG,
	TDS_CLI_LONG_NAMES,
	TDS_CLI_LONG_NUL,
	{ "literal", no_argument, NULL, OPT_LITERAL },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "fresh", no_argument, NULL, OPT_FRESH },
	{ "transient", no_argument, NULL, OPT_TRANSIENT },
	{ "python-path", no_argument, NULL, OPT_PYTHON_PATH },
	{ "follow", no_argument, NULL, 'f' },
	{ "audit", no_argument, NULL, OPT_AUDIT },
	{ "json-message", no_argument, NULL, OPT_JSON_MESSAGE },
	{ "group", required_argument, NULL, OPT_GROUP },
	{ "grace", required_argument, NULL, OPT_GRACE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ NULL, 0, NULL, 0 },
};

static void print_help(struct admin *admin, int argc, char **argv);

static const struct command {
	const char *name;
	const char *help;
	void (*run)(struct admin *admin, int argc, char **argv);
} commands[] = {
	{ "start", admin_start_help, admin_start },
	{ "shutdown", admin_shutdown_help, admin_shutdown },
	{ "status", admin_status_help, admin_status },
	{ "list", admin_list_help, admin_list },
	{ "role", admin_role_help, admin_role },
	{ "tell", admin_tell_help, admin_tell },
	{ "ask", admin_ask_help, admin_ask },
	{ "watch", admin_watch_help, admin_watch },
	{ "log", admin_log_help, admin_log },
	{ "config", admin_config_help, admin_config },
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

static void print_help(struct admin *admin, int argc, char **argv)
{
	const struct command *command = argc > 0 ? find_command(argv[0]) : find_command("help");

	if (argc > 1)
		tds_cli_usage(&admin->cli, "help takes one command");
	else if (!command)
		tds_cli_usage(&admin->cli, "no such command: %s", argv[0]);
	else
		(void)fputs(command->help, admin->cli.out);
}

/* A number of seconds, up to a day. */
static bool parse_seconds(struct admin *admin, const char *option, double *seconds)
{
	char *end;

	*seconds = strtod(optarg, &end);
	if (optarg[strspn(optarg, "0123456789.")] == '\0' && end != optarg && *end == '\0' &&
	    *seconds <= 86400)
		return true;
	tds_cli_usage(&admin->cli, "%s: not a number of seconds: %s", option, optarg);
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

/* Options may stand before and after the command. Returns whether there is anything to do. */
static bool parse_opts(struct admin *admin, int argc, char **argv)
{
	bool done = false;
	int opt;

	while (!done && (opt = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
		if (opt == 'T')
			admin->names_from = optarg;
		else if (opt == OPT_LITERAL)
			admin->literal = true;
		else if (opt == OPT_STRICT)
			admin->strict = true;
		else if (opt == OPT_FOREGROUND)
			admin->foreground = true;
		else if (opt == 'f')
			admin->follow = true;
		else if (opt == OPT_AUDIT)
			admin->audit = true;
		else if (opt == OPT_FRESH)
			admin->fresh = true;
		else if (opt == OPT_TRANSIENT)
			admin->transient = true;
		else if (opt == OPT_PYTHON_PATH)
			admin->python_path = true;
		else if (opt == OPT_JSON_MESSAGE)
			admin->json_message = true;
		else if (opt == OPT_GROUP)
			admin->group = optarg;
		else if (opt == OPT_ROOT)
			admin->root = optarg;
		else if (opt == OPT_GRACE)
			done = !parse_seconds(admin, "--grace", &admin->grace_s);
		else if (opt == OPT_TIMEOUT)
			done = !parse_seconds(admin, "--timeout", &admin->timeout_s);
		else
			(void)tds_cli_option(&admin->cli, opt, optarg,
					     opt == 'h' ? help_for(argc, argv) : help, &done);
	}
	return !done;
}

static void run_command(struct admin *admin, int argc, char **argv)
{
	const struct command *command = argc > 0 ? find_command(argv[0]) : NULL;

	if (command)
		command->run(admin, argc - 1, argv + 1);
	else if (argc > 0)
		tds_cli_usage(&admin->cli, "no such command: %s", argv[0]);
	else
		tds_cli_usage(&admin->cli, "no command given");
}

int main(int argc, char **argv)
{
	struct admin admin = { .grace_s = -1, .timeout_s = -1 };

	tds_cli_start(&admin.cli, "tds-admin", argv);
	admin.cli.options = options;
	if (parse_opts(&admin, argc, argv))
		run_command(&admin, argc - optind, argv + optind);
	return tds_cli_finish(&admin.cli);
}
