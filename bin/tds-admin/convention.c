/* SPDX-License-Identifier: MIT */
/* tds-admin convention: which of its commands is meant. */
#include "convention.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

const char admin_convention_help[] =
	"usage: tds-admin [options] convention init [SYSTEM...]\n"
	"       tds-admin [options] convention remove SYSTEM...\n"
	"       tds-admin [options] convention join FOLDER\n"
	"       tds-admin [options] convention leave\n"
	"       tds-admin [options] convention status\n"
	"Set up a convention of systems over a NATS server, see tds-convention(7).\n"
	"\n"
	"init    make the CA, certificates and settings of the systems and the server in a folder, "
	"and say "
	"what to\n"
	"        copy where; add systems to one that is there\n"
	"remove  take systems out of it\n"
	"join    make the director directory that of a system, by its part of the folder\n"
	"leave   take that back\n"
	"status  try what the bus lets this system do, and say what to do where that is wrong\n"
	"\n"
	"      --folder=FOLDER    init, remove: the folder of the convention (convention)\n"
	"      --bus=HOSTS        init: names and addresses of the server, HOST[:PORT],... (this "
	"host)\n"
	"      --name=NAME        init: the name of the convention (thespian)\n"
	"      --candidates=NAMES  init: who may lead it, NAME,..., and nobody else (the first "
	"SYSTEM)\n"
	"      --days=N           init: how long new certificates are good for (730)\n"
	"      --renew            init: make new certificates, of SYSTEMs or of all\n"
	"      --timeout=SECONDS  status: how long to wait for a server, each time "
	"(5)\n" TDS_CLI_HELP;

static const struct {
	const char *name;
	void (*run)(struct admin *admin, int argc, char **argv);
	bool keeps_folder; /* it goes with --folder */
} commands[] = {
	{ "init", convention_init, true },      { "remove", convention_remove, true },
	{ "join", convention_join, false },     { "leave", convention_leave, false },
	{ "status", convention_status, false },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void tell_unknown(struct admin *admin, const char *name)
{
	struct tds_nearest nearest = { .word = name };
	char hint[TDS_NEAREST_HINT_MAX];

	for (size_t i = 0; i < COMMANDS; i++)
		tds_nearest_offer(&nearest, commands[i].name);
	tds_cli_usage(&admin->cli, "convention: no such command: %s%s", name,
		      tds_nearest_hint(&nearest, hint));
}

/* The options of init that were given are a mistake with another command. */
static const char *option_of_init(const struct admin *admin)
{
	return admin->bus          ? "bus"
	       : admin->name       ? "name"
	       : admin->candidates ? "candidates"
	       : admin->days       ? "days"
	       : admin->renew      ? "renew"
				   : NULL;
}

void admin_convention(struct admin *admin, int argc, char **argv)
{
	const char *option = option_of_init(admin);
	size_t i = 0;

	if (argc == 0) {
		tds_cli_usage(&admin->cli, "convention: init, remove, join, leave or status?");
		return;
	}
	while (i < COMMANDS && strcmp(commands[i].name, argv[0]) != 0)
		i++;
	if (i == COMMANDS)
		tell_unknown(admin, argv[0]);
	else if (option && commands[i].run != convention_init)
		tds_cli_usage(&admin->cli, "--%s goes only with convention init", option);
	else if (admin->timeout_s >= 0 && commands[i].run != convention_status)
		tds_cli_usage(&admin->cli, "--timeout goes only with convention status");
	else if (admin->folder && !commands[i].keeps_folder)
		tds_cli_usage(&admin->cli, "--folder goes only with convention init and remove");
	else
		commands[i].run(admin, argc - 1, argv + 1);
}
