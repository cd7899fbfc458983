/* SPDX-License-Identifier: MIT */
/* The administration of a director directory: which command is meant, and its options. */
#include <stdio.h>
#include <string.h>

#include "admin.h"

static const char help[] =
	"usage: tds-admin [options] COMMAND [operands]\n"
	"\n"
	"  check [FILE...]        check TLI files, configuration and keys; without FILE all of the "
	"directory\n"
	"  help [COMMAND]         print this help, or that of a command\n"
	"\n"
	"  -T, --names-from=FILE  check: read names from FILE too, one a line (-: standard input)\n"
	"  -0, --null             check: these names end in NUL instead of a newline\n"
	"      --literal          check: FILE may hold any literal, not only a known kind of file\n"
	"      --strict           check: warnings are errors\n" TDS_CLI_HELP;

enum { OPT_LITERAL = 256, OPT_STRICT };

static const char short_options[] = TDS_CLI_SHORT "T:0";

static const struct option options[] = {
	TDS_CLI_LONG,
	TDS_CLI_LONG_NAMES,
	TDS_CLI_LONG_NUL,
	{ "literal", no_argument, NULL, OPT_LITERAL },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ NULL, 0, NULL, 0 },
};

static void print_help(struct admin *admin, int argc, char **argv);

static const struct command {
	const char *name;
	const char *help;
	void (*run)(struct admin *admin, int argc, char **argv);
} commands[] = {
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
	struct admin admin = { 0 };

	tds_cli_start(&admin.cli, "tds-admin", argv);
	if (parse_opts(&admin, argc, argv))
		run_command(&admin, argc - optind, argv + optind);
	return tds_cli_finish(&admin.cli);
}
