/* SPDX-License-Identifier: MIT */
/* tds-admin bootstart: a systemd unit that starts the admin at boot and loads the newest source of each group. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "base/io.h"
#include "base/mem.h"
#include "command.h"
#include "director/adminuser.h"

#define UNITS "/etc/systemd/system" /* for the units of a machine's administrator */
#define NAME_DEFAULT "thespian-director"
#define NAME_MAX_BYTES 200

const char admin_bootstart_help[] =
	"usage: tds-admin [options] bootstart [--root=ROOT] [NAME] [nostart]\n"
	"Write a systemd unit NAME.service (" NAME_DEFAULT
	") that starts the admin process at boot and loads the\n"
	"newest source of each group; enable it and, without nostart, start it.\n";

static void fail(struct admin *admin, const char *subject, const struct tds_err *err)
{
	tds_cli_error(&admin->cli, subject, err);
}

/* The name of the unit: dots become dashes, as the Director has it. Caller frees; NULL: said already. */
static char *unit_name(struct admin *admin, const char *name)
{
	size_t n = strlen(name);
	tds_autofree char *unit = strdup(name);

	for (char *p = unit; p && *p; p++) {
		if (*p == '.')
			*p = '-';
		if (!isalnum((unsigned char)*p) && !strchr("-_:", *p))
			n = 0;
	}
	if (!unit || n == 0 || n > NAME_MAX_BYTES || name[0] == '-') {
		tds_cli_usage(&admin->cli, "not a possible name of a service: \"%s\"", name);
		return NULL;
	}
	return tds_steal(&unit);
}

/* A word in double quotes. In a command line systemd would replace variables too. */
static void print_word(FILE *out, const char *before, const char *word, bool command)
{
	(void)fprintf(out, "\"%s", before);
	for (const unsigned char *p = (const unsigned char *)word; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			(void)fprintf(out, "\\x%02x", *p);
		else if (*p == '"' || *p == '\\')
			(void)fprintf(out, "\\%c", *p);
		else if (*p == '%' || (*p == '$' && command))
			(void)fprintf(out, "%c%c", *p, *p);
		else
			(void)fputc(*p, out);
	}
	(void)fputc('"', out);
}

static void print_command(FILE *out, const char *key, const char *bin, const char *tool,
			  const char *dir, const char *rest)
{
	tds_autofree char *path = NULL;

	if (asprintf(&path, "%s/%s", bin, tool) < 0)
		path = NULL;
	(void)fputs(key, out);
	print_word(out, "", path ? path : tool, true);
	(void)fputs(" -C ", out);
	print_word(out, "", dir, true);
	(void)fprintf(out, " %s\n", rest);
}

/*
 * The daemon is a child of the process that systemd starts, so all may say when it is ready. A group that does not
 * load is no reason to end the others: the dash. The cgroup is ours, for a limit of processes to each source; so systemd is
 * told whose it is to be.
 */
static void print_unit(FILE *out, const char *bin, const char *dir, const char *user)
{
	(void)fputs("# Written by tds-admin bootstart.\n"
		    "[Unit]\n"
		    "Description=Thespian Director: loads and runs actor sources\n"
		    "Documentation=man:tds-admin(1)\n"
		    "Wants=network-online.target\n"
		    "After=network-online.target\n"
		    "\n"
		    "[Service]\n"
		    "Type=notify\n"
		    "NotifyAccess=all\n"
		    "Delegate=yes\n"
		    "KillMode=mixed\n"
		    "Restart=on-failure\n"
		    "RestartSec=60\n"
		    "TimeoutStartSec=10min\n"
		    "Environment=",
		    out);
	print_word(out, "THESPIAN_DIRECTOR_DIR=", dir, false);
	if (user)
		(void)fprintf(out, "\nUser=%s", user);
	(void)fputs("\nEnvironmentFile=-/etc/sysconfig/thespian\nEnvironmentFile=-/etc/default/"
		    "thespian\n",
		    out);
	print_command(out, "ExecStart=", bin, "tds-admin", dir, "start --foreground");
	print_command(out, "ExecStartPost=-", bin, "tds-load", dir, "--no-start --all");
	print_command(out, "ExecReload=", bin, "tds-admin", dir, "reload");
	print_command(out, "ExecStop=", bin, "tds-admin", dir, "shutdown");
	(void)fputs("\n[Install]\nWantedBy=multi-user.target\n", out);
}

/* The text of the unit. Caller frees; NULL: out of memory. */
static char *unit_text(const char *dir, const char *user)
{
	tds_autofree char *bin = tds_cli_folder();
	char *text = NULL;
	size_t len;
	FILE *out = bin ? open_memstream(&text, &len) : NULL;

	if (!out)
		return NULL;
	print_unit(out, bin, dir, user);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* Caller frees *path, the unit's. */
static int write_unit(struct admin *admin, const char *unit, const char *text, char **path,
		      struct tds_err *err)
{
	tds_auto(outfile) struct tds_outfile out = { .fd = -1 };
	tds_autofree char *folder = NULL;
	tds_autofree char *file = NULL;

	if (asprintf(&folder, "%s" UNITS, admin->root ? admin->root : "") < 0 ||
	    asprintf(&file, "%s.service", unit) < 0 || asprintf(path, "%s/%s", folder, file) < 0) {
		*path = NULL;
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	tds_autofd int dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	int rc = tds_outfile_open(dirfd, file, &out, err);
	if (rc == 0 && tds_io_write(out.fd, text, strlen(text)) != 0)
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	return rc == 0 ? tds_outfile_commit(&out, 0644, err) : rc;
}

/* Run systemctl with up to three words, and print the command as the Director does. False: said already. */
static bool systemctl(struct admin *admin, const char *verb, const char *option, const char *unit)
{
	const char *const words[] = { "systemctl", verb, option ? option : unit,
				      option ? unit : NULL, NULL };
	tds_autofree char *subject = NULL;
	struct tds_err err;

	if (!admin->cli.quiet && !admin->cli.json)
		(void)fprintf(admin->cli.out, "systemctl %s%s%s%s%s\n", verb, option ? " " : "",
			      option ? option : "", unit ? " " : "", unit ? unit : "");
	if (command_run(words, &err) == 0)
		return true;
	if (asprintf(&subject, "systemctl %s", verb) < 0)
		subject = NULL;
	fail(admin, subject ? subject : verb, &err);
	return false;
}

static bool start_unit(struct admin *admin, const char *unit, bool start)
{
	return systemctl(admin, "enable", NULL, unit) &&
	       systemctl(admin, "daemon-reload", NULL, NULL) &&
	       (!start || systemctl(admin, "start", "--no-block", unit));
}

/* [NAME] [nostart]. False: said already. */
static bool parse_operands(struct admin *admin, int argc, char **argv, const char **name,
			   bool *start)
{
	bool named = argc > 0 && strcmp(argv[0], "nostart") != 0;

	*name = named && argv[0][0] ? argv[0] : NAME_DEFAULT;
	*start = argc == named;
	if (argc - named > 1 || (!*start && strcmp(argv[named], "nostart") != 0)) {
		tds_cli_usage(&admin->cli, "bootstart takes a name and \"nostart\"");
		return false;
	}
	return true;
}

/* The user that systemd is to start it as; NULL: root, as ever. */
static const char *user_of(const struct tds_adminuser *adminuser)
{
	return adminuser->is_named && adminuser->user.uid != 0 ? adminuser->user.name : NULL;
}

void admin_bootstart(struct admin *admin, int argc, char **argv)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(adminuser) struct tds_adminuser adminuser = { 0 };
	tds_autofree char *path = NULL;
	struct tds_err err = { 0 };
	const char *name;
	bool start;

	if (!parse_operands(admin, argc, argv, &name, &start))
		return;
	tds_autofree char *unit = unit_name(admin, name);
	if (!unit)
		return;
	if (admin_open_dir(admin, &dir, &err) != 0) {
		fail(admin, NULL, &err);
		return;
	}
	if (tds_adminuser_read(&dir, &adminuser, &err) != 0) {
		fail(admin, "adminuser.cfg", &err);
		return;
	}
	tds_autofree char *whole = realpath(dir.path, NULL);
	tds_autofree char *text = whole ? unit_text(whole, user_of(&adminuser)) : NULL;
	int rc = text ? write_unit(admin, unit, text, &path, &err)
		      : tds_err_sys(&err, TDS_E_UNUSABLE, "%s", dir.path);
	if (rc != 0) {
		fail(admin, path, &err);
		return;
	}
	if (admin->cli.verbose)
		(void)fprintf(admin->cli.err, "tds-admin: wrote %s\n", path);
	if (admin->cli.json)
		tds_cli_print_document(&admin->cli,
				       json_pack("{s:s, s:o, s:o}", "Unit", unit, "Path",
						 tds_cli_json_text(path), "Directory",
						 tds_cli_json_text(whole)));
	/* Below another root there is no systemd that runs. */
	if (!admin->root)
		(void)start_unit(admin, unit, start);
}
