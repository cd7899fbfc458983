/* SPDX-License-Identifier: MIT */
/* tds-admin convention init and remove: the folder of a convention, and what goes where from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "base/text.h"
#include "busconf.h"
#include "convention.h"
#include "tool/document.h"

#define FOLDER_DEFAULT "convention"
#define HOST_MAX (TDS_BUS_HOST_MAX + 1)

/* One run. */
struct work {
	struct admin *admin;
	const char *path; /* of the folder, as given */
	struct convfolder folder;
	size_t systems; /* how many systems there were before */
	unsigned days;
	bool has_new_bus; /* the servers are others than before */
};

static void tds_work_cleanup(struct work *work)
{
	convfolder_close(&work->folder);
}

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* --- what is asked for --- */

/* Call take for each part of "A,B". Errors: those of take. */
static int each_part(const char *list,
		     int (*take)(struct work *work, const char *part, size_t len,
				 struct tds_err *err),
		     struct work *work, struct tds_err *err)
{
	int rc = 0;

	for (const char *at = list; rc == 0; at += strcspn(at, ",") + 1) {
		rc = take(work, at, strcspn(at, ","), err);
		if (!at[strcspn(at, ",")])
			break;
	}
	return rc;
}

static int take_server(struct work *work, const char *part, size_t len, struct tds_err *err)
{
	struct convfolder *folder = &work->folder;
	struct tds_bus_server server;
	uint16_t port = folder->n_servers ? folder->servers[0].port : TDS_BUS_PORT;

	if (!tds_bus_host_parse(part, len, port, &server))
		return tds_err_set(err, TDS_E_USAGE, "--bus: not HOST or HOST:PORT: %.*s", (int)len,
				   part);
	if (folder->n_servers && server.port != port)
		return tds_err_set(err, TDS_E_USAGE,
				   "--bus: these are of one server, with one port");
	struct tds_bus_server *more =
		reallocarray(folder->servers, folder->n_servers + 1, sizeof(*more));
	if (!more)
		return no_memory(err);
	folder->servers = more;
	server.tls = true;
	more[folder->n_servers++] = server;
	return 0;
}

/* Those that are named, else those of before, else this host. */
static int take_servers(struct work *work, struct tds_err *err)
{
	struct convfolder *folder = &work->folder;
	const char *bus = work->admin->bus;
	char host[HOST_MAX] = "";

	if (!bus && folder->n_servers)
		return 0;
	if (!bus && gethostname(host, sizeof(host) - 1) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "the name of this host");
	tds_autofree char *before = conv_servers_text(folder->servers, folder->n_servers);
	folder->n_servers = 0;
	int rc = each_part(bus ? bus : host, take_server, work, err);
	tds_autofree char *after = conv_servers_text(folder->servers, folder->n_servers);
	if (rc == 0 && (!before || !after))
		rc = no_memory(err);
	work->has_new_bus = rc == 0 && strcmp(before, after) != 0;
	return rc;
}

/* The name is in every system's settings: it stays what it was. */
static int take_name(struct work *work, struct tds_err *err)
{
	struct convfolder *folder = &work->folder;
	const char *name = work->admin->name ? work->admin->name : TDS_CONVNAME_DEFAULT;

	if (!tds_system_name_fits(name, strlen(name)))
		return tds_err_set(err, TDS_E_USAGE, "--name: not " TDS_SYSTEM_NAME_RULE ": %s",
				   name);
	if (folder->name)
		return !work->admin->name || strcmp(folder->name, name) == 0
			       ? 0
			       : tds_err_set(err, TDS_E_REFUSED,
					     "%s is the folder of the convention %s", work->path,
					     folder->name);
	folder->name = strdup(name);
	return folder->name ? 0 : no_memory(err);
}

static int take_days(struct work *work, struct tds_err *err)
{
	const char *text = work->admin->days;
	uint64_t days = CONV_DAYS;

	if (text && (!tds_parse_uint(text, strlen(text), 3650, &days) || days == 0))
		return tds_err_set(err, TDS_E_USAGE, "--days: not a number from 1 to 3650: %s",
				   text);
	work->days = (unsigned)days;
	return 0;
}

/* A system that is to be there is not: with a name that may be meant. */
static int no_such_system(const struct work *work, const char *name, struct tds_err *err)
{
	struct tds_nearest nearest = { .word = name };
	char hint[TDS_NEAREST_HINT_MAX];

	for (size_t i = 0; i < work->folder.n; i++)
		tds_nearest_offer(&nearest, work->folder.systems[i].name);
	return tds_err_set(err, TDS_E_MISSING, "no such system in %s: %s%s", work->path, name,
			   tds_nearest_hint(&nearest, hint));
}

/* A system that is named. It may be there already. */
static int take_system(struct work *work, const char *name, struct tds_err *err)
{
	if (!tds_system_name_fits(name, strlen(name)))
		return tds_err_set(err, TDS_E_USAGE,
				   "a system's name is " TDS_SYSTEM_NAME_RULE ": %s", name);
	if (convfolder_find(&work->folder, name))
		return 0;
	if (work->admin->renew)
		return no_such_system(work, name, err);
	int rc = convfolder_add(&work->folder, name, err);
	return rc == TDS_E_REFUSED ? tds_err_prefix(err, "%s", name) : rc;
}

static int take_candidate(struct work *work, const char *part, size_t len, struct tds_err *err)
{
	tds_autofree char *name = strndup(part, len);
	struct conv_system *system = name ? convfolder_find(&work->folder, name) : NULL;

	if (system)
		system->is_candidate = true;
	return !name ? no_memory(err) : system ? 0 : no_such_system(work, name, err);
}

/* Those that are named and no others; else those of before; of a new folder the first. */
static int take_candidates(struct work *work, const char *first, struct tds_err *err)
{
	const char *list = work->admin->candidates;

	if (!list)
		return work->systems == 0 && first ? take_candidate(work, first, strlen(first), err)
						   : 0;
	for (size_t i = 0; i < work->folder.n; i++)
		work->folder.systems[i].is_candidate = false;
	return each_part(list, take_candidate, work, err);
}

static int take_all(struct work *work, int argc, char **argv, struct tds_err *err)
{
	int rc = take_days(work, err);

	if (rc == 0)
		rc = take_name(work, err);
	if (rc == 0)
		rc = take_servers(work, err);
	for (int i = 0; rc == 0 && i < argc; i++)
		rc = take_system(work, argv[i], err);
	return rc == 0 ? take_candidates(work, argv[0], err) : rc;
}

/* --- writing --- */

static bool is_among(const char *name, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return false;
}

/* The server's configuration comes last, which lets in who has a certificate by then. */
static int write_all(struct work *work, int argc, char **argv, struct tds_err *err)
{
	struct convfolder *folder = &work->folder;
	bool renew = work->admin->renew;
	int rc = convfolder_write_ca(folder, err);

	for (size_t i = 0; rc == 0 && i < folder->n; i++) {
		struct conv_system *system = &folder->systems[i];

		rc = convfolder_write_system(
			folder, system, renew && (argc == 0 || is_among(system->name, argc, argv)),
			work->days, err);
	}
	return rc == 0 ? convfolder_write_server(folder, (renew && argc == 0) || work->has_new_bus,
						 work->days, err)
		       : rc;
}

/* --- telling --- */

static void print_made(FILE *out, const char *path, const char *what, enum conv_state state,
		       int64_t expires_wall_ms)
{
	time_t seconds = (time_t)(expires_wall_ms / 1000);
	char day[32] = "?";
	struct tm utc;

	if (state == CONV_THERE)
		return;
	if (gmtime_r(&seconds, &utc))
		(void)strftime(day, sizeof(day), "%Y-%m-%d", &utc);
	(void)fprintf(out, "%s %s: %s, good until %s\n", conv_state_word(state), path, what, day);
}

static void print_systems(const struct work *work, FILE *out)
{
	for (size_t i = 0; i < work->folder.n; i++) {
		const struct conv_system *system = &work->folder.systems[i];
		tds_autofree char *path = NULL;

		if (asprintf(&path, "%s/" CONV_SYSTEMS "/%s", work->path, system->name) < 0)
			path = NULL;
		print_made(out, path ? path : system->name,
			   system->is_candidate ? "a candidate" : "a member", system->state,
			   system->expires_wall_ms);
	}
}

static void print_server(const struct work *work, FILE *out)
{
	tds_autofree char *urls = conv_servers_text(work->folder.servers, work->folder.n_servers);
	tds_autofree char *path = NULL;

	if (asprintf(&path, "%s/" CONV_SERVER, work->path) < 0)
		path = NULL;
	if (urls)
		urls[strcspn(urls, "\n")] = '\0';
	print_made(out, path ? path : CONV_SERVER, urls ? urls : "the server",
		   work->folder.server_state, work->folder.server_expires_wall_ms);
}

/* What is done on the server's machine: all of it, the first time. */
static void print_for_server(const struct work *work, FILE *out)
{
	static const char first[] = "On the machine of the server, as root, with nats-server 2.9 "
				    "or later and a copy of %s/" CONV_SERVER ":\n"
				    "  install -d -o root -g nats -m 0750 " BUSCONF_PLACE "\n"
				    "  install -o root -g nats -m 0640 server/*.pem "
				    "server/server.key server/nats-server.conf "
				    "" BUSCONF_PLACE "\n"
				    "  install -D -m 0644 server/tds.conf "
				    "/etc/systemd/system/nats-server.service.d/tds.conf\n"
				    "  systemctl daemon-reload\n"
				    "  systemctl restart nats-server\n";
	static const char again[] =
		"On the machine of the server, as root, with a copy of %s/" CONV_SERVER
		" (no system is dropped that stays):\n"
		"  install -o root -g nats -m 0640 server/*.pem server/server.key "
		"server/nats-server.conf "
		"" BUSCONF_PLACE "\n"
		"  systemctl reload nats-server\n";

	(void)fprintf(out, work->folder.server_state == CONV_MADE ? first : again, work->path);
}

static void print_for_systems(const struct work *work, FILE *out)
{
	bool any = work->has_new_bus;

	for (size_t i = 0; i < work->folder.n; i++)
		any = any || work->folder.systems[i].state != CONV_THERE;
	if (any)
		(void)fprintf(out,
			      "On the machine of each system NAME, with a copy of %s/" CONV_SYSTEMS
			      "/NAME, which is removed then:\n"
			      "  tds-admin convention join NAME\n"
			      "  tds-admin restart\n",
			      work->path);
}

static void print_text(const struct work *work, FILE *out)
{
	print_systems(work, out);
	print_server(work, out);
	print_for_server(work, out);
	print_for_systems(work, out);
	if (work->folder.is_new)
		(void)fprintf(out,
			      "Whoever has %s/" CONV_CA_KEY " can make itself any system: keep the "
			      "folder where nobody else reads it.\n",
			      work->path);
}

static json_t *systems_json(const struct convfolder *folder)
{
	json_t *list = json_array();
	bool whole = list != NULL;

	for (size_t i = 0; whole && i < folder->n; i++) {
		const struct conv_system *system = &folder->systems[i];

		whole = json_array_append_new(
				list,
				json_pack("{s:s, s:s, s:s, s:o}", "Name", system->name, "Role",
					  system->is_candidate ? "candidate" : "member", "State",
					  conv_state_word(system->state), "Expires",
					  tds_document_time(system->expires_wall_ms))) == 0;
	}
	if (whole)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *servers_json(const struct convfolder *folder)
{
	tds_autofree char *text = conv_servers_text(folder->servers, folder->n_servers);
	json_t *list = json_array();

	for (char *line = text; line && *line;) {
		size_t n = strcspn(line, "\n");

		(void)json_array_append_new(list, json_stringn(line, n));
		line += n + (line[n] == '\n');
	}
	return list;
}

static void tell(const struct work *work)
{
	const struct convfolder *folder = &work->folder;
	struct tds_cli *cli = &work->admin->cli;

	if (cli->json)
		tds_cli_print_document(
			cli, json_pack("{s:o, s:s, s:o, s:{s:s, s:o}, s:o}", "Folder",
				       tds_document_text(work->path), "Name", folder->name, "Bus",
				       servers_json(folder), "Server", "State",
				       conv_state_word(folder->server_state), "Expires",
				       tds_document_time(folder->server_expires_wall_ms), "Systems",
				       systems_json(folder)));
	else if (!cli->quiet)
		print_text(work, cli->out);
}

/* --- the commands --- */

static const char *folder_of(const struct admin *admin)
{
	return admin->folder ? admin->folder : FOLDER_DEFAULT;
}

static void fail(struct admin *admin, const struct tds_err *err)
{
	if (err->code == TDS_E_USAGE)
		tds_cli_usage(&admin->cli, "%s", err->reason);
	else
		tds_cli_error(&admin->cli, NULL, err);
}

/* Without a SYSTEM there is something else to do, with a folder that is there. */
static bool asks_for_nothing(const struct admin *admin, int argc)
{
	return argc == 0 && !admin->renew && !admin->candidates && !admin->bus;
}

void convention_init(struct admin *admin, int argc, char **argv)
{
	tds_auto(work) struct work work = { .admin = admin,
					    .path = folder_of(admin),
					    .folder = { .dir = { .fd = -1 } } };
	struct tds_err err = { 0 };

	if (asks_for_nothing(admin, argc)) {
		tds_cli_usage(&admin->cli, "convention init: which systems?");
		return;
	}
	int rc = convfolder_open(work.path, argc > 0 && !admin->renew, &work.folder, &err);
	work.systems = work.folder.n;
	if (rc == 0 && work.folder.is_new && (argc == 0 || admin->renew))
		rc = tds_err_set(&err, TDS_E_MISSING, "%s is not the folder of a convention",
				 work.path);
	if (rc == 0)
		rc = take_all(&work, argc, argv, &err);
	if (rc == 0)
		rc = write_all(&work, argc, argv, &err);
	if (rc == 0)
		tell(&work);
	else
		fail(admin, &err);
}

/* All of them are there, before the first is removed. */
static int remove_all(struct work *work, int argc, char **argv, struct tds_err *err)
{
	struct convfolder *folder = &work->folder;
	int rc = 0;

	for (int i = 0; rc == 0 && i < argc; i++)
		if (!convfolder_find(folder, argv[i]))
			rc = no_such_system(work, argv[i], err);
	for (int i = 0; rc == 0 && i < argc; i++) {
		struct conv_system *system = convfolder_find(folder, argv[i]);

		if (system) /* it is named once */
			rc = convfolder_remove(folder, system, err);
	}
	return rc == 0 ? write_all(work, 0, NULL, err) : rc;
}

static void warn_without_candidate(const struct work *work)
{
	for (size_t i = 0; i < work->folder.n; i++)
		if (work->folder.systems[i].is_candidate)
			return;
	tds_cli_warn(&work->admin->cli, work->path,
		     "no candidate is left: the convention has no leader (init --candidates)");
}

void convention_remove(struct admin *admin, int argc, char **argv)
{
	tds_auto(work) struct work work = { .admin = admin,
					    .path = folder_of(admin),
					    .folder = { .dir = { .fd = -1 } },
					    .days = CONV_DAYS };
	struct tds_err err = { 0 };

	if (argc == 0) {
		tds_cli_usage(&admin->cli, "convention remove: which systems?");
		return;
	}
	int rc = convfolder_open(work.path, false, &work.folder, &err);
	if (rc == 0 && work.folder.is_new)
		rc = tds_err_set(&err, TDS_E_MISSING, "%s is not the folder of a convention",
				 work.path);
	if (rc == 0)
		rc = remove_all(&work, argc, argv, &err);
	if (rc != 0) {
		fail(admin, &err);
		return;
	}
	warn_without_candidate(&work);
	for (int i = 0; i < argc && !admin->cli.json && !admin->cli.quiet; i++)
		(void)fprintf(admin->cli.out, "Removed %s/" CONV_SYSTEMS "/%s\n", work.path,
			      argv[i]);
	tell(&work);
}
