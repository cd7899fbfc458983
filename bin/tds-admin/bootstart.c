/* SPDX-License-Identifier: MIT */
/* tds-admin bootstart: have the manager of services start the admin at boot, and load the newest source of each group. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin.h"
#include "base/io.h"
#include "base/mem.h"
#include "bootservice.h"
#include "bootsupervisor.h"
#include "boottext.h"
#include "command.h"
#include "director/adminuser.h"

#define NAME_DEFAULT "thespian-director"
#define NAME_MAX_BYTES 200
#define SUPERVISOR_END_MS \
	20000 /* runsvdir looks every five seconds whether a link is still there */

const char admin_bootstart_help[] =
	"usage: tds-admin [options] bootstart [--manager=MANAGER] [--user] [--root=ROOT] [NAME] "
	"[nostart]\n"
	"       tds-admin [options] bootstart --print [--manager=MANAGER] [--user] [NAME]\n"
	"       tds-admin [options] bootstart --remove [--manager=MANAGER] [--user] [--root=ROOT] "
	"[NAME]\n"
	"Have the manager of services start the admin process at boot, as the service NAME\n"
	"(" NAME_DEFAULT "), and load the newest source of each group; unless nostart is given,\n"
	"start it now. MANAGER is systemd, openrc, runit, s6, upstart or sysv, by default the one\n"
	"that runs here. --print changes nothing and prints the file, --remove takes it back,\n"
	"--user is for the user's own systemd. Files of somebody else's are left alone.\n";

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* --- what is asked for --- */

/* The name of the service: dots become dashes, as the Director has it. Caller frees; NULL: said already. */
static char *service_name(struct admin *admin, const char *name)
{
	size_t n = strlen(name);
	tds_autofree char *service = strdup(name);

	for (char *p = service; p && *p; p++) {
		if (*p == '.')
			*p = '-';
		if (!isalnum((unsigned char)*p) && !strchr("-_:", *p))
			n = 0;
	}
	if (!service || n == 0 || n > NAME_MAX_BYTES || name[0] == '-') {
		tds_cli_usage(&admin->cli, "not a possible name of a service: \"%s\"", name);
		return NULL;
	}
	return tds_steal(&service);
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
	if (admin->print && admin->remove) {
		tds_cli_usage(&admin->cli, "--print does not go with --remove");
		return false;
	}
	if (admin->user && *admin->user) {
		tds_cli_usage(&admin->cli, "--user=USER goes only with setup, not with bootstart");
		return false;
	}
	return true;
}

/* Below another root nothing runs that could be asked: systemd it is, where nothing else is said. NULL: said already, or none. */
static const struct boot_manager *choose_manager(struct admin *admin)
{
	const char *name = admin->manager ? admin->manager : admin->root ? "systemd" : NULL;
	const struct boot_manager *found = name ? boot_manager_find(name, admin->user != NULL)
						: boot_manager_here(admin->user != NULL);

	if (name && !found && admin->user && boot_manager_find(name, false))
		tds_cli_usage(&admin->cli, "--user goes only with systemd, not with %s", name);
	else if (name && !found)
		tds_cli_usage(&admin->cli, "--manager: no such manager of services: %s", name);
	return found;
}

static int refuse_other(const char *path, struct tds_err *err)
{
	return tds_err_set(err, TDS_E_WRITE, "%s: was not written by bootstart, and stays as it is",
			   path);
}

/* --- commands --- */

static const char *word_of(const struct boot_service *s, const char *word)
{
	if (strcmp(word, BOOT_NAME) == 0)
		return s->name;
	if (strcmp(word, BOOT_SCANNED) == 0)
		return s->scanned;
	return strcmp(word, BOOT_AT) == 0 ? s->at : word;
}

/* Print it as the Director does, and run it. False: said already. */
static bool run_one(const struct boot_service *s, const struct boot_command *command)
{
	const size_t most = sizeof(command->argv) / sizeof(command->argv[0]);
	const char *words[sizeof(command->argv) / sizeof(command->argv[0]) + 1] = { NULL };
	struct tds_cli *cli = &s->admin->cli;
	tds_autofree char *subject = NULL;
	struct tds_err err;

	for (size_t i = 0; i < most && command->argv[i]; i++) {
		words[i] = word_of(s, command->argv[i]);
		if (!cli->quiet && !cli->json)
			(void)fprintf(cli->out, "%s%s", i > 0 ? " " : "", words[i]);
	}
	if (!cli->quiet && !cli->json)
		(void)fputc('\n', cli->out);
	if (command_run(words, &err) == 0)
		return true;
	if (asprintf(&subject, "%s %s", words[0], words[1]) < 0)
		subject = NULL;
	tds_cli_error(cli, subject ? subject : words[0], &err);
	return false;
}

/* Below another root there is nothing that runs. */
static bool run_all(const struct boot_service *s, const struct boot_command *commands)
{
	bool has_run = false;

	for (size_t i = 0; !s->admin->root && i < BOOT_COMMANDS && commands[i].argv[0]; i++) {
		const bool is_next = i + 1 < BOOT_COMMANDS && commands[i + 1].instead;

		if (commands[i].instead ? has_run : is_next && !command_exists(commands[i].argv[0]))
			continue;
		has_run = true;
		if (!run_one(s, &commands[i]))
			return false;
	}
	return true;
}

/* --- writing --- */

static int make_folders(const struct boot_service *s, struct tds_err *err)
{
	tds_autofree char *path = strdup(s->at);

	if (!path)
		return no_memory(err);
	/* Those of a user, and of a service; but a manager that is not there is not made up. One whose services are folders is
	   there where the folder is that it scans. */
	bool made = s->scanned && access(s->scanned, F_OK) == 0;
	size_t kept = s->manager->of_user ? 0
		      : made              ? strlen(s->admin->root ? s->admin->root : "")
					  : strlen(s->folder);
	for (char *p = path + kept; p && *p; p++) {
		char *slash = strchrnul(p + 1, '/');
		char was = *slash;

		*slash = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return tds_err_sys(err, TDS_E_WRITE, "%s", path);
		*slash = was;
		p = slash - (was == '\0');
	}
	return 0;
}

static int write_file(const struct boot_service *s, const struct boot_file *file, const char *text,
		      struct tds_err *err)
{
	tds_autofree char *name = boot_service_file(s, file);
	tds_autofd int dirfd = open(s->at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!name)
		return no_memory(err);
	if (dirfd < 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s/%s: cannot be written", s->at, name);
	int rc = tds_outfile_write(dirfd, name, text, strlen(text), file->mode, err);
	return rc == 0 ? 0 : tds_err_prefix(err, "%s/%s", s->at, name);
}

static int write_files(const struct boot_service *s, const struct boot_values *values,
		       struct tds_err *err)
{
	if (boot_service_whose(s) == BOOT_OTHERS)
		return refuse_other(s->path, err);
	int rc = make_folders(s, err);
	for (size_t i = 0; rc == 0 && i < BOOT_FILES && s->manager->files[i].mode; i++) {
		const struct boot_file *file = &s->manager->files[i];
		tds_autofree char *text = boot_text(file->template, s->manager->quoting, values);

		rc = text ? write_file(s, file, text, err) : no_memory(err);
	}
	return rc;
}

/* What is linked to runs from then on, and at each boot. */
static int link_service(const struct boot_service *s, struct tds_err *err)
{
	if (!s->link || boot_service_is_linked(s) || symlink(boot_service_target(s), s->link) == 0)
		return 0;
	return errno == EEXIST ? refuse_other(s->link, err)
			       : tds_err_sys(err, TDS_E_WRITE, "%s", s->link);
}

/* --- what is done --- */

static json_t *describe(const struct boot_service *s, const char *dir)
{
	return json_pack("{s:s, s:s, s:o, s:o*}", "Manager", s->manager->name, "Unit", s->name,
			 "Path", tds_cli_json_text(s->path), "Directory",
			 dir ? tds_cli_json_text(dir) : NULL);
}

/* Its file; where there are several, each below its path. */
static int print_files(const struct boot_service *s, const struct boot_values *values,
		       struct tds_err *err)
{
	struct tds_cli *cli = &s->admin->cli;
	const struct boot_file *files = s->manager->files;
	json_t *all = json_array();

	for (size_t i = 0; i < BOOT_FILES && files[i].mode; i++) {
		tds_autofree char *name = boot_service_file(s, &files[i]);
		tds_autofree char *text = boot_text(files[i].template, s->manager->quoting, values);

		if (!name || !text) {
			json_decref(all);
			return no_memory(err);
		}
		(void)json_array_append_new(
			all, json_pack("{s:o, s:i, s:o}", "Name", tds_cli_json_text(name), "Mode",
				       (int)files[i].mode, "Text", tds_cli_json_text(text)));
		if (!cli->json && files[1].mode)
			(void)fprintf(cli->out, "%s==> %s/%s <==\n", i > 0 ? "\n" : "", s->at,
				      name);
		if (!cli->json)
			(void)fputs(text, cli->out);
	}
	if (!cli->json) {
		json_decref(all);
		return 0;
	}
	json_t *document = describe(s, values->folders[0]);
	(void)json_object_set_new(document, "Files", all);
	tds_cli_print_document(cli, document);
	return 0;
}

static int add_service(const struct boot_service *s, const struct boot_values *values, bool start,
		       struct tds_err *err)
{
	struct tds_cli *cli = &s->admin->cli;
	int rc = write_files(s, values, err);

	if (rc != 0)
		return rc;
	if (cli->verbose)
		(void)fprintf(cli->err, "tds-admin: wrote %s\n", s->path);
	if (cli->json)
		tds_cli_print_document(cli, describe(s, values->folders[0]));
	if (!run_all(s, s->manager->enable) || !start)
		return 0;
	rc = link_service(s, err);
	if (rc != 0 || !run_all(s, s->manager->start))
		return rc;
	if (s->manager->of_user && !cli->quiet && !s->admin->root)
		(void)fprintf(cli->err, "tds-admin: it starts when the user logs in; at boot after "
					"loginctl enable-linger\n");
	return 0;
}

static int remove_files(const struct boot_service *s, struct tds_err *err)
{
	for (size_t i = 0; i < BOOT_FILES && s->manager->files[i].mode; i++) {
		tds_autofree char *name = boot_service_file(s, &s->manager->files[i]);
		tds_autofree char *path = NULL;

		if (!name || asprintf(&path, "%s/%s", s->at, name) < 0) {
			path = NULL;
			return no_memory(err);
		}
		if (unlink(path) != 0 && errno != ENOENT)
			return tds_err_sys(err, TDS_E_WRITE, "%s", path);
	}
	/* What somebody else has put there stays. */
	if (s->manager->files[0].name)
		(void)rmdir(s->at);
	return 0;
}

/* Where nothing is there, nothing is to be done. */
static int remove_service(const struct boot_service *s, struct tds_err *err)
{
	enum boot_whose whose = boot_service_whose(s);

	if (whose == BOOT_OTHERS)
		return refuse_other(s->path, err);
	if (s->admin->cli.json)
		tds_cli_print_document(&s->admin->cli, describe(s, NULL));
	if (whose == BOOT_NOBODYS)
		return 0;
	bool linked = boot_service_is_linked(s);
	/* The link goes first: a supervisor that ends while it is there is begun anew. */
	if (linked && unlink(s->link) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", s->link);
	/* One that does not run cannot be stopped, and is removed all the same. */
	if (!s->link || linked)
		(void)run_all(s, s->manager->stop);
	int rc = s->link ? boot_supervisor_clear(s->at, linked ? SUPERVISOR_END_MS : 0, err) : 0;
	if (rc == 0)
		rc = remove_files(s, err);
	if (rc == 0 && !s->link)
		(void)run_all(s, s->manager->forget);
	return rc;
}

/* --- all --- */

/* What it is to say of the director directory. The user that a unit names: root's own, as ever, needs none. */
static int find_values(struct admin *admin, const struct tds_dir *dir,
		       struct tds_adminuser *adminuser, struct boot_values *values,
		       struct tds_err *err)
{
	if (tds_adminuser_read(dir, adminuser, err) != 0)
		return tds_err_prefix(err, "adminuser.cfg");
	bool own = adminuser->is_named && adminuser->user.uid != 0;
	values->kind = admin->user ? BOOT_OF_USER : own ? BOOT_OF_OWN : BOOT_OF_ROOT;
	values->user = own ? adminuser->user.name : NULL;
	return boot_values_find(dir, values, err);
}

/* A line of a shell's or upstart's file ends where one in a name does. */
static int judge_quoting(const struct boot_manager *manager, const char *path, struct tds_err *err)
{
	for (const char *p = path; manager->quoting == BOOT_AS_SHELL && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return tds_err_set(err, TDS_E_UNUSABLE,
					   "%s: cannot be named in a file of %s", path,
					   manager->name);
	return 0;
}

static int refuse_unknown(const struct boot_values *values, struct tds_err *err)
{
	tds_autofree char *command = boot_text_command(values);

	return tds_err_set(err, TDS_E_REFUSED,
			   "no manager of services is known here; have one run: %.*s",
			   command ? (int)strcspn(command, "\n") : 0, command ? command : "");
}

static int set_up(struct boot_service *s, struct boot_values *values, bool start,
		  struct tds_err *err)
{
	struct admin *admin = s->admin;
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(adminuser) struct tds_adminuser adminuser = { 0 };
	tds_autofree char *bin = tds_cli_folder();
	int rc = bin ? admin_open_dir(admin, &dir, err) : no_memory(err);

	values->bin = bin;
	if (rc == 0)
		rc = find_values(admin, &dir, &adminuser, values, err);
	if (rc == 0 && !s->manager)
		rc = refuse_unknown(values, err);
	if (rc == 0)
		rc = judge_quoting(s->manager, values->folders[0], err);
	if (rc != 0)
		return rc;
	return admin->print ? print_files(s, values, err) : add_service(s, values, start, err);
}

void admin_bootstart(struct admin *admin, int argc, char **argv)
{
	tds_auto(boot_service) struct boot_service service = { .admin = admin };
	tds_auto(boot_values) struct boot_values values = { 0 };
	struct tds_err err = { 0 };
	const char *name;
	bool start;

	if (!parse_operands(admin, argc, argv, &name, &start))
		return;
	service.manager = choose_manager(admin);
	if (!service.manager && admin->cli.status != 0)
		return;
	service.name = service_name(admin, name);
	if (!service.name)
		return;
	values.name = service.name;
	int rc = service.manager ? boot_service_find(&service, &err) : 0;
	if (rc == 0 && admin->remove && !service.manager)
		rc = tds_err_set(&err, TDS_E_REFUSED, "no manager of services is known here");
	else if (rc == 0)
		rc = admin->remove ? remove_service(&service, &err)
				   : set_up(&service, &values, start, &err);
	if (rc != 0)
		tds_cli_error(&admin->cli, NULL, &err);
}
