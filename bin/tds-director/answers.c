/* SPDX-License-Identifier: MIT */
/* list and get_role_address: what the admin process answers, in the Director's words. */
#include "director.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "tool/grouplist.h"

#define TOOL(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* "2026-01-31T12:00:00.250Z" as Python's str(datetime.now()) has it: "2026-01-31 12:00:00.250000", local time. */
static void format_time(const char *text, char *buf, size_t size)
{
	struct tm tm = { 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	time_t seconds = rest ? timegm(&tm) : 0;
	int digits = rest && *rest == '.' ? (int)strspn(rest + 1, "0123456789") : 0;

	if (!rest || !localtime_r(&seconds, &tm)) {
		(void)snprintf(buf, size, "?");
		return;
	}
	size_t n = strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm);
	(void)snprintf(buf + n, size - n, ".%-6.*s", digits, rest + (digits ? 1 : 0));
	for (char *p = buf + n; *p; p++)
		if (*p == ' ')
			*p = '0';
}

static void print_actor(FILE *out, const json_t *run)
{
	const char *address = tds_grouplist_address(run);
	const char *role = text_of(run, "Role");
	char since[80];

	format_time(text_of(run, "StartTime"), since, sizeof(since));
	(void)fprintf(out, "      %s%s -- %s", address ? "ActorAddr-" : "LOAD FAILED... no address",
		      address ? address : "", text_of(run, "ActorClass"));
	if (role && *role)
		(void)fprintf(out, " (%s)", role);
	(void)fprintf(out, "  (since %s)\n", since);
}

/* Ask the admin, which is started where it does not run. Returns its status; *answer may be NULL all the same. */
static int ask(struct director *d, const char *const *argv, json_t **answer, bool *shown)
{
	tds_auto(output) struct output output = { 0 };
	int status = tool_run(d, "tds-admin", TOOL("-C", d->place, "start"), 0, NULL);

	*answer = NULL;
	*shown = status != 0 && status != 1;
	if (*shown)
		return status;
	status = tool_run(d, "tds-admin", argv, TOOL_OUT | TOOL_ERR, &output);
	*answer = output.out ? json_loads(output.out, 0, NULL) : NULL;
	if (status != 0 && status != 1 && status != 4) {
		*shown = true;
		(void)fputs(output.err ? output.err : "", d->cli.err);
	}
	return status;
}

int command_list(struct director *d, int argc, char **argv)
{
	const char *wanted = argc > 0 && argv[0][0] ? argv[0] : NULL;
	json_t *answer;
	bool shown;
	int status = ask(d, TOOL("-C", d->place, "-j", "--", "list", wanted), &answer, &shown);
	json_t *groups = json_object_get(answer, "Groups");

	if (shown || (status != 0 && !wanted)) {
		json_decref(answer);
		return shown ? 1 : fail(d, 1, "the admin process did not answer");
	}
	/* A group of which nothing is loaded is one without sources, even where it was never declared. */
	if (wanted && !json_object_get(groups, wanted))
		(void)fprintf(d->cli.out, "Group %s::\n", wanted);
	tds_grouplist_write(d->cli.out, answer, NULL, print_actor);
	json_decref(answer);
	return 0;
}

/* A string as Python's repr() has it, for the plain ones that names of roles and groups are. */
static void print_repr(FILE *out, const char *text)
{
	char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';

	(void)fputc(quote, out);
	for (const char *p = text; *p; p++) {
		if (*p == quote || *p == '\\')
			(void)fputc('\\', out);
		(void)fputc(*p, out);
	}
	(void)fputc(quote, out);
}

static void print_pair(FILE *out, const char *key, const char *value)
{
	(void)fprintf(out, "('%s', ", key);
	print_repr(out, value ? value : "None");
	(void)fputc(')', out);
}

static void print_role(FILE *out, const json_t *answer)
{
	const char *address = tds_grouplist_address(answer);
	tds_autofree char *whole = NULL;
	char since[80];

	format_time(text_of(answer, "StartTime"), since, sizeof(since));
	if (address && asprintf(&whole, "ActorAddr-%s", address) < 0)
		whole = NULL;
	const char *pairs[][2] = {
		{ "ActorAddress", whole },
		{ "ActorClass", text_of(answer, "ActorClass") },
		{ "DirectorResponse", "RoleAddress" },
		{ "Group", text_of(answer, "Group") },
		{ "Role", text_of(answer, "Role") },
		{ "SourceHash", text_of(answer, "SourceHash") },
		{ "StartTime", since },
		{ "Success", "True" },
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		(void)fputs(i == 0 ? "[" : ", ", out);
		print_pair(out, pairs[i][0], pairs[i][1]);
	}
	(void)fputs("]\n", out);
}

static void print_no_role(struct director *d, const char *role, const char *group)
{
	FILE *err = d->cli.err;

	(void)fputs("RoleAddress ERROR: {'DirectorResponse': 'RoleAddress', 'Success': False, "
		    "'Group': ",
		    err);
	if (group)
		print_repr(err, group);
	else
		(void)fputs("None", err);
	(void)fputs(", 'SourceHash': None, 'ActorClass': None, 'Role': ", err);
	print_repr(err, role);
	(void)fputs(", 'ActorAddress': None}\n", err);
}

/* Not a command of the Director but its method of this name, which programs call. */
int command_role(struct director *d, int argc, char **argv)
{
	const char *group = argc > 1 && argv[1][0] ? argv[1] : NULL;
	bool silent = argc > 2 && strcmp(argv[2], "0") != 0 && argv[2][0];
	json_t *answer;
	bool shown;
	int status = ask(
		d, TOOL("-C", d->place, "-j", "--group", group ? group : "", "--", "role", argv[0]),
		&answer, &shown);

	if (shown) {
		json_decref(answer);
		return 1;
	}
	if (status == 0) {
		print_role(d->cli.out, answer);
	} else {
		(void)fputs("None\n", d->cli.out);
		if (!silent)
			print_no_role(d, argv[0], group);
	}
	json_decref(answer);
	return 0;
}
