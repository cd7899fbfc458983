/* SPDX-License-Identifier: MIT */
/* The texts of the help command. Three of them are the Director's, because scripts may know them. */
#include "director.h"

#include <string.h>

static const char general[] =
	"usage: tds-director [verbose] COMMAND [operands]\n"
	"The command lines of the Thespian Director, run by the tds tools.\n"
	"\n"
	"  help [COMMAND]             print this help, or that of a command\n"
	"  config                     print the configuration\n"
	"  avail                      list what can be loaded\n"
	"  gensrc GROUP KEYFILE SRCDIR [version:V] [deps:FILE] [tli:FILE] [fmt:FMT] SOURCE...\n"
	"                             pack and sign a loadable source\n"
	"  tlsinfo FILE [contents | MEMBER]\n"
	"                             verify a loadable source, list it, or print a member\n"
	"  start [wait]               start the system, and refresh\n"
	"  load GROUP | FILE          load a source\n"
	"  refresh                    load the newest source of each group\n"
	"  unload HASH                unload a source\n"
	"  list [GROUP]               list the loaded sources and their actors\n"
	"  shutdown                   end the system\n"
	"  bootstart [NAME] [nostart] have the system started at boot\n"
	"\n"
	"\"verbose\" before a command makes tlsinfo and gensrc say what they do.\n"
	"The environment variable THESPIAN_DIRECTOR_DIR names the director directory\n"
	"(else " TDS_DIRECTOR_DIR_DEFAULT "). tds-director(1) has more.\n";

static const struct {
	const char *command;
	const char *text;
} texts[] = {
	{ "config", "Shows current running configuration information\n" },
	{ "shutdown", "Shuts down any currently running sytem\n" },
	{ "refresh", "Verifies latest version of all group's sources is loaded.\n" },
	{ "avail", "List the packages of each group, newest first, with their MD5 sums.\n" },
	{ "bootstart",
	  "bootstart [NAME] [nostart]\n"
	  "Write a systemd unit NAME.service (thespian-director) that starts the system at boot "
	  "and loads\n"
	  "the newest source of each group; enable it and, without nostart, start it.\n" },
	{ "start", "start [wait]\n"
		   "Start the system where it does not run, and load the newest source of each "
		   "group. With an operand,\n"
		   "stay until the system ends.\n" },
	{ "gensrc",
	  "gensrc GROUP KEYFILE SRCDIR [version:V] [deps:FILE] [tli:FILE] [fmt:FMT] SOURCE...\n"
	  "Pack the files below SRCDIR that match the SOURCEs, sign them with the private key in "
	  "KEYFILE, and\n"
	  "write GROUP-V.tls to the director directory. Relative names count from SRCDIR. Packages "
	  "beyond the\n"
	  "group's TLS_Keep_Limit are deleted, but not those that are loaded. tds-gensrc(1) has "
	  "more.\n" },
	{ "tlsinfo", "tlsinfo FILE [contents | MEMBER]\n"
		     "Verify FILE, which may also be a name in the director directory. With "
		     "\"contents\", list its members;\n"
		     "with MEMBER, print that one and a newline. tds-verify(1) has more.\n" },
	{ "load", "load GROUP | FILE\n"
		  "Load the newest source of a group, or a package file, once a key validates it, "
		  "and make it active.\n"
		  "The system is started where it does not run. tds-load(1) has more.\n" },
	{ "unload", "unload HASH\n"
		    "Unload a source and end all its actors. Where it was the active one, the "
		    "highest version that is still\n"
		    "loaded becomes active again.\n" },
	{ "list", "list [GROUP]\n"
		  "List the loaded sources and their actors, of one group or of all.\n" },
};

const char *help_text(const char *command)
{
	if (!command)
		return general;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].command, command) == 0)
			return texts[i].text;
	return NULL;
}
