/* SPDX-License-Identifier: MIT */
/* What the admin process and its groups are at, for Prometheus: a table of metrics, and where each gets its samples. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "actors.h"
#include "admin.h"
#include "base/io.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/groups.h"
#include "exposition.h"
#include "overview.h"
#include "tool/client.h"

const char admin_metrics_help[] =
	"usage: tds-admin [options] metrics [--textfile=FILE]\n"
	"Print metrics of the admin process, its groups and its budgets, as Prometheus reads "
	"them;\n"
	"or write them to FILE, whole, for node_exporter. Without an admin process: tds_up 0, and "
	"status 8.\n";

/* What there is to tell of. Of an admin process that does not answer only the director directory. */
struct facts {
	struct tds_dir dir;
	json_t *place;  /* the label directory */
	json_t *status; /* the answer to Status; NULL: none */
	json_t *all;    /* the answer to RetrieveAll */
	struct tds_groups groups;
};

struct metric {
	const char *name;
	const char *type;
	const char *help;
	void (*fill)(const struct facts *facts, const struct metric *metric, json_t *family);
	const char *key;                           /* where fill looks in what the admin answers */
	json_t *(*number_of)(const json_t *group); /* fill_each */
};

/* One more label, of a text; NULL, or one that is not there: it is left out. */
static json_t *with(json_t *labels, const char *name, const json_t *text)
{
	if (json_is_string(text))
		(void)json_object_set(labels, name, (json_t *)(uintptr_t)text);
	return labels;
}

static json_t *place(const struct facts *facts)
{
	return json_pack("{s:O}", "directory", facts->place);
}

static json_t *of_group(const struct facts *facts, const char *group)
{
	return json_pack("{s:O, s:s}", "directory", facts->place, "group", group);
}

/* A switch is 0 or 1. */
static json_t *number(const json_t *value)
{
	return json_is_number(value)    ? json_incref((json_t *)(uintptr_t)value)
	       : json_is_boolean(value) ? json_integer(json_is_true(value))
					: NULL;
}

/* --- of the admin process --- */

static void fill_up(const struct facts *facts, const struct metric *metric, json_t *family)
{
	(void)metric;
	exposition_add(family, place(facts), json_integer(facts->status != NULL));
}

static void fill_info(const struct facts *facts, const struct metric *metric, json_t *family)
{
	const json_t *version = json_object_get(facts->status, "Version");

	(void)metric;
	if (version)
		exposition_add(family, with(place(facts), "version", version), json_integer(1));
}

static void fill_status(const struct facts *facts, const struct metric *metric, json_t *family)
{
	exposition_add(family, place(facts), number(json_object_get(facts->status, metric->key)));
}

static void fill_counter(const struct facts *facts, const struct metric *metric, json_t *family)
{
	const json_t *counters = json_object_get(facts->status, "Counters");

	exposition_add(family, place(facts), number(json_object_get(counters, metric->key)));
}

/* A sample for each key of an object of numbers, in small letters; null is no number. */
static void fill_object(const struct facts *facts, const json_t *object, const char *label,
			json_t *family)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		tds_autofree char *small = strdup(key);

		for (char *p = small; p && *p; p++)
			*p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
		exposition_add(
			family,
			small ? json_pack("{s:O, s:s}", "directory", facts->place, label, small)
			      : NULL,
			number(value));
	}
}

static void fill_loads(const struct facts *facts, const struct metric *metric, json_t *family)
{
	const json_t *counters = json_object_get(facts->status, "Counters");

	fill_object(facts, json_object_get(counters, metric->key), "result", family);
}

static void fill_limits(const struct facts *facts, const struct metric *metric, json_t *family)
{
	fill_object(facts, json_object_get(facts->status, metric->key), "resource", family);
}

/* --- of groups --- */

static json_t *groups_of(const struct facts *facts)
{
	return json_object_get(facts->all, "Groups");
}

static void fill_groups(const struct facts *facts, const struct metric *metric, json_t *family)
{
	(void)metric;
	if (facts->all)
		exposition_add(family, place(facts),
			       json_integer((json_int_t)json_object_size(groups_of(facts))));
}

static void fill_each(const struct facts *facts, const struct metric *metric, json_t *family)
{
	const char *name;
	json_t *group;

	json_object_foreach(groups_of(facts), name, group)
		exposition_add(family, of_group(facts, name), metric->number_of(group));
}

static json_t *sources_of(const json_t *group)
{
	return json_integer((json_int_t)json_object_size(json_object_get(group, "Sources")));
}

static json_t *restarts_of(const json_t *group)
{
	return number(json_object_get(group, "Restarts"));
}

static json_t *held_of(const json_t *group)
{
	return json_integer(json_object_get(group, "Held") != NULL);
}

static json_t *newer_of(const json_t *group)
{
	return json_integer(json_object_get(group, "Newest") != NULL);
}

static const json_t *declared_of(const json_t *group)
{
	return json_object_get(json_object_get(group, "Running"),
			       tds_json_string(group, "ActiveHash"));
}

static json_t *actors_declared(const json_t *group)
{
	return json_integer((json_int_t)json_array_size(declared_of(group)));
}

static json_t *actors_up(const json_t *group)
{
	const json_t *actor;
	json_int_t n = 0;
	size_t i;

	json_array_foreach(declared_of(group), i, actor) n +=
		json_is_object(json_object_get(actor, "ActorAddress"));
	return json_integer(n);
}

static void fill_active(const struct facts *facts, const struct metric *metric, json_t *family)
{
	const char *name;
	json_t *group;

	(void)metric;
	json_object_foreach(groups_of(facts), name, group)
	{
		const json_t *active = overview_active(group);
		json_t *labels = active ? of_group(facts, name) : NULL;

		labels = with(labels, "version", json_object_get(active, "Version"));
		labels = with(labels, "file", json_object_get(active, "File"));
		exposition_add(family, with(labels, "sha256", json_object_get(active, "SHA256")),
			       json_integer(1));
	}
}

static void fill_floor(const struct facts *facts, const struct metric *metric, json_t *family)
{
	const char *name;
	json_t *group;

	(void)metric;
	json_object_foreach(groups_of(facts), name, group)
	{
		const json_t *floor = json_object_get(group, "Floor");

		if (floor)
			exposition_add(family, with(of_group(facts, name), "version", floor),
				       json_integer(1));
	}
}

/* Since when the newest package of each declared group is in the director directory as it is. */
static void fill_age(const struct facts *facts, const struct metric *metric, json_t *family)
{
	time_t now = time(NULL);
	struct stat st;

	(void)metric;
	for (size_t i = 0; facts->all && i < facts->groups.n; i++) {
		const struct tds_group *group = &facts->groups.v[i];

		if (group->n > 0 && fstatat(facts->dir.fd, group->files[0].name, &st, 0) == 0)
			exposition_add(family, of_group(facts, group->name),
				       json_integer(st.st_mtime < now ? now - st.st_mtime : 0));
	}
}

/* --- of what actors take --- */

/* Of a group's source, or of a user's programs. */
static json_t *of_owner(const struct facts *facts, const json_t *of)
{
	const json_t *uid = json_object_get(of, "Uid");
	json_t *labels = with(place(facts), "group", json_object_get(of, "Group"));
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(uid));
	if (uid)
		(void)json_object_set_new(labels, "uid", json_string(text));
	return labels;
}

static void fill_queued(const struct facts *facts, const struct metric *metric, json_t *family)
{
	const json_t *actor;
	size_t i;

	json_array_foreach(json_object_get(facts->all, "Actors"), i, actor) exposition_add(
		family, of_owner(facts, actor), number(json_object_get(actor, metric->key)));
}

static void fill_budget(const struct facts *facts, const struct metric *metric, json_t *family)
{
	const json_t *of;
	size_t i;

	json_array_foreach(json_object_get(facts->status, "Budgets"), i, of) exposition_add(
		family, with(of_owner(facts, of), "source", json_object_get(of, "SourceHash")),
		number(json_object_get(of, metric->key)));
}

/* --- the table --- */

/* clang-format off */
#define GAUGE(n, h, ...) { .name = n, .type = "gauge", .help = h, __VA_ARGS__ }
#define COUNTER(n, h, ...) { .name = n, .type = "counter", .help = h, __VA_ARGS__ }

static const struct metric metrics[] = {
	GAUGE("tds_up", "Whether the admin process answers", .fill = fill_up),
	GAUGE("tds_info", "Which version of tds the admin process is, always 1", .fill = fill_info),
	GAUGE("tds_ready", "Whether all is back that was loaded when it began, and it does not end", .fill = fill_status, .key = "Ready"),
	GAUGE("tds_uptime_seconds", "How long the admin process runs", .fill = fill_status, .key = "Uptime"),
	COUNTER("tds_admin_restarts_total", "How often the guardian has started the admin process again", .fill = fill_status, .key = "Restarts"),
	GAUGE("tds_clients", "Connections to its socket", .fill = fill_status, .key = "Clients"),
	COUNTER("tds_stray_answers_total", "Answers that were not from who was asked", .fill = fill_status, .key = "StrayAnswers"),
	COUNTER("tds_loads_total", "Loads that have ended, by how", .fill = fill_loads, .key = "Loads"),
	COUNTER("tds_actor_restarts_total", "How often declared actors were started again", .fill = fill_counter, .key = "ActorRestarts"),
	COUNTER("tds_messages_total", "Messages that passed the admin process, without those on direct links", .fill = fill_counter, .key = "Messages"),
	COUNTER("tds_dead_letters_total", "Messages to actors that are gone", .fill = fill_counter, .key = "DeadLetters"),
	COUNTER("tds_direct_links_total", "Direct links that were made between two actors", .fill = fill_counter, .key = "DirectLinks"),
	COUNTER("tds_not_allowed_total", "Requests of who had no right to them", .fill = fill_counter, .key = "NotAllowed"),
	COUNTER("tds_over_budget_total", "What sources and programs were refused for want of room in their budgets", .fill = fill_counter, .key = "OverBudget"),
	GAUGE("tds_groups", "Groups that are known to the admin process", .fill = fill_groups),
	GAUGE("tds_group_active_info", "Which package of a group is active, always 1", .fill = fill_active),
	GAUGE("tds_group_sources", "Sources of a group that are loaded", .fill = fill_each, .number_of = sources_of),
	GAUGE("tds_group_actors_declared", "Actors that the declaration of the active source names", .fill = fill_each, .number_of = actors_declared),
	GAUGE("tds_group_actors_up", "Those of them that are there", .fill = fill_each, .number_of = actors_up),
	GAUGE("tds_group_actor_restarts", "How often those of the active source were started again", .fill = fill_each, .number_of = restarts_of),
	GAUGE("tds_group_held", "Whether the group is held at a package", .fill = fill_each, .number_of = held_of),
	GAUGE("tds_group_floor_info", "The version below which nothing of a group is chosen, always 1", .fill = fill_floor),
	GAUGE("tds_group_newer_package", "Whether another package than the active one is the newest", .fill = fill_each, .number_of = newer_of),
	GAUGE("tds_group_newest_package_age_seconds", "How long ago the newest package of a group was written", .fill = fill_age),
	GAUGE("tds_queued_bytes", "Bytes that wait for actors of a group or a user's programs", .fill = fill_queued, .key = "Queued"),
	GAUGE("tds_budget_actors", "Actors of a source, or a user's programs", .fill = fill_budget, .key = "Actors"),
	GAUGE("tds_budget_descriptors", "Descriptors of the admin process that it takes", .fill = fill_budget, .key = "Descriptors"),
	GAUGE("tds_budget_in_bytes", "Bytes that were read from it and wait", .fill = fill_budget, .key = "BytesIn"),
	GAUGE("tds_budget_out_bytes", "Bytes that wait for it", .fill = fill_budget, .key = "BytesOut"),
	GAUGE("tds_budget_held_bytes", "Bytes that are remembered of it", .fill = fill_budget, .key = "BytesHeld"),
	GAUGE("tds_budget_limit", "What each may take at most, where there is a limit", .fill = fill_limits, .key = "BudgetLimits"),
};
/* clang-format on */

/* NULL: out of memory. */
static json_t *families(const struct facts *facts)
{
	json_t *all = json_array();

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		json_t *family =
			exposition_family(metrics[i].name, metrics[i].type, metrics[i].help);

		metrics[i].fill(facts, &metrics[i], family);
		if (exposition_is_empty(family))
			json_decref(family);
		else
			(void)json_array_append_new(all, family);
	}
	return all;
}

/* The whole file is there, or the one before. */
static int write_textfile(const char *path, const json_t *all, struct tds_err *err)
{
	const char *slash = strrchr(path, '/');
	tds_autofree char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	tds_autofree char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);

	if (memory)
		exposition_print(memory, all);
	if (!folder || !memory || fclose(memory) != 0)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	tds_autofd int dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", folder);
	return tds_outfile_write(dirfd, slash ? slash + 1 : path, text, len, 0644, err);
}

/* Its whole path, which tells one director directory from another wherever it is asked from. */
static json_t *place_of(const struct admin *admin)
{
	tds_autofree char *path = realpath(admin->cli.dir, NULL);

	return tds_cli_json_text(path ? path : admin->cli.dir);
}

static int ask(struct admin *admin, struct facts *facts, struct tds_err *err)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	int rc = admin_open_dir(admin, &facts->dir, err);

	if (rc == 0)
		rc = tds_client_open(&facts->dir, &client, err);
	if (rc == 0)
		rc = tds_client_ask(&client, actors_request(), &facts->all, err);
	if (rc == 0)
		rc = tds_client_ask(&client, json_pack("{s:s}", "DirectorOp", "Status"),
				    &facts->status, err);
	if (rc == 0)
		rc = tds_groups_scan(&facts->dir, &facts->groups, err);
	if (rc == 0)
		overview_add_newest(&facts->dir, facts->all);
	return rc;
}

static void forget(struct facts *facts)
{
	json_decref(facts->status);
	json_decref(facts->all);
	facts->status = facts->all = NULL;
}

void admin_metrics(struct admin *admin, int argc, char **argv)
{
	struct facts facts = { .dir = { .fd = -1 }, .place = place_of(admin) };
	struct tds_err err = { 0 };

	(void)argv;
	if (argc > 0) {
		tds_cli_usage(&admin->cli, "metrics: wrong number of operands");
	} else {
		/* Half of an answer is none: what is missing would look as if it were zero. */
		if (ask(admin, &facts, &err) != 0) {
			tds_cli_error(&admin->cli, NULL, &err);
			forget(&facts);
		}
		json_t *all = families(&facts);
		if (admin->textfile && write_textfile(admin->textfile, all, &err) != 0)
			tds_cli_error(&admin->cli, admin->textfile, &err);
		if (admin->cli.json)
			tds_cli_print_document(&admin->cli, json_pack("{s:O}", "Metrics", all));
		else if (!admin->textfile)
			exposition_print(admin->cli.out, all);
		json_decref(all);
	}
	forget(&facts);
	tds_groups_fini(&facts.groups);
	tds_dir_close(&facts.dir);
	json_decref(facts.place);
}
