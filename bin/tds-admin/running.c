/* SPDX-License-Identifier: MIT */
/* What runs, for tds-admin status: its version, and the settings that have changed since. */
#include <string.h>

#include "admin.h"
#include "base/jsontext.h"
#include "base/release.h"
#include "base/text.h"

/* Is there no room for more? Where there is no limit in numbers there is. */
static bool is_over(const json_t *budget, const json_t *limits, const char *key, const char *limit)
{
	const json_t *most = json_object_get(limits, limit);

	return json_is_integer(most) &&
	       json_integer_value(json_object_get(budget, key)) >= json_integer_value(most);
}

static void print_whose(FILE *out, const char *what, const json_t *budget)
{
	const char *group = tds_json_string(budget, "Group");

	(void)fprintf(out, "over budget: %s of ", what);
	if (*group)
		tds_text_print(out, group);
	else
		(void)fprintf(out, "uid %lld",
			      (long long)json_integer_value(json_object_get(budget, "Uid")));
}

/* Who has no room left, and for what, by its name in budget.cfg. */
static void print_over(FILE *out, const char *what, const json_t *budget, const json_t *limits)
{
	static const struct {
		const char *key;
		const char *limit;
	} counted[] = {
		{ "BytesIn", "Bytes" },           { "BytesOut", "Bytes" }, { "BytesTold", "Bytes" },
		{ "Descriptors", "Descriptors" }, { "Actors", "Actors" },
	};
	const char *said = NULL;

	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		const char *limit = counted[i].limit;

		if (!is_over(budget, limits, counted[i].key, limit) ||
		    (said && strcmp(said, limit) == 0))
			continue;
		if (!said)
			print_whose(out, what, budget);
		(void)fprintf(out, "%s%s", said ? ", " : ": ", limit);
		said = limit;
	}
	if (said)
		(void)fputc('\n', out);
}

static void print_all_over(FILE *out, const json_t *status)
{
	const json_t *limits = json_object_get(status, "BudgetLimits");
	const json_t *budget;
	size_t i;

	json_array_foreach(json_object_get(status, "Budgets"), i, budget) print_over(
		out, json_object_get(budget, "Uid") ? "programs" : "a source", budget, limits);
	json_array_foreach(json_object_get(status, "ClientBudgets"), i, budget)
		print_over(out, "clients", budget, limits);
}

/* N of MOST; what is not known, or no limit, is left out. */
static void print_share(FILE *out, const char *before, const json_t *limits, const char *key,
			const char *most, const char *what)
{
	const json_t *n = json_object_get(limits, key);
	const json_t *of = json_object_get(limits, most);

	if (!json_is_integer(n))
		return;
	(void)fprintf(out, "%s%lld", before, (long long)json_integer_value(n));
	if (json_is_integer(of))
		(void)fprintf(out, " of %lld", (long long)json_integer_value(of));
	(void)fprintf(out, " %s", what);
}

void running_print_limits(FILE *out, const json_t *status)
{
	const json_t *limits;
	size_t i;

	json_array_foreach(json_object_get(status, "Limits"), i, limits)
	{
		tds_text_print(out, tds_json_string(limits, "Group"));
		(void)fprintf(out, " %s", tds_json_string(limits, "SourceHash"));
		print_share(out, ": ", limits, "Processes", "ProcessesMost", "processes");
		print_share(out, ", ", limits, "Memory", "MemoryMost", "bytes of memory");
		(void)fputc('\n', out);
	}
}

void running_print(FILE *out, const json_t *status)
{
	const char *version = tds_json_string(status, "Version");
	const json_t *file;
	size_t i;

	(void)fprintf(out, "tds %s", version);
	if (strcmp(version, tds_release_version) != 0)
		(void)fprintf(out, ", installed is %s: tds-admin restart takes over",
			      tds_release_version);
	(void)fputc('\n', out);
	print_all_over(out, status);
	json_array_foreach(json_object_get(status, "Changed"), i, file)
	{
		(void)fprintf(out, "changed since it was read: %s, counts %s\n",
			      tds_json_string(file, "File"), tds_json_string(file, "Counts"));
	}
}

/* A connection that is not there: since when, and why. */
static void print_side(FILE *out, const json_t *side, const char *what)
{
	const char *why = tds_json_string(side, "Message");

	if (!side || json_is_true(json_object_get(side, "Up")))
		return;
	(void)fprintf(out, "convention: no %s since %s", what, tds_json_string(side, "Since"));
	(void)fputs(*why ? ": " : "", out);
	tds_text_print(out, why);
	(void)fputc('\n', out);
}

void running_print_convention(FILE *out, const json_t *status)
{
	const json_t *convention = json_object_get(status, "Convention");
	const char *leader = tds_json_string(convention, "Leader");
	json_int_t members = json_integer_value(json_object_get(convention, "Members"));

	if (!json_is_object(convention))
		return;
	(void)fprintf(out, "convention %s, system %s, a %s; %s%s leads; %lld member%s there\n",
		      tds_json_string(convention, "Name"), tds_json_string(convention, "System"),
		      tds_json_string(convention, "Role"), leader, *leader ? "" : "nobody",
		      (long long)members, members == 1 ? " is" : "s are");
	print_side(out, json_object_get(convention, "Bus"), "bus");
	print_side(out, json_object_get(convention, "Store"), "store");
}
