/* SPDX-License-Identifier: MIT */
/* What events say. */
#include "eventtext.h"

#include <string.h>

#include "base/jsontext.h"
#include "base/text.h"

#define INFO 20
#define WARNING 30
#define ERROR 40
#define INDENT "    "

/* All others are history, and INFO, but for what has failed in part, which has a Status, and what has Warnings. */
static const struct {
	const char *name;
	int level;
	bool is_history;
} known[] = {
	{ "BusLost", ERROR, false },       { "BusUp", INFO, false },
	{ "LeaderChanged", INFO, false },  { "MemberForeign", WARNING, false },
	{ "MemberJoined", INFO, false },   { "MemberLeft", INFO, false },
	{ "MemberLost", ERROR, false },    { "NameClash", ERROR, false },
	{ "ActorExited", WARNING, false }, { "ActorFailed", ERROR, false },
	{ "ActorStarted", INFO, false },   { "FloorLowered", WARNING, true },
	{ "GivenUp", ERROR, true },        { "LeftOut", ERROR, true },
	{ "Lost", ERROR, true },           { "NoEffect", WARNING, true },
	{ "NotAllowed", WARNING, false },  { "NotDeleted", WARNING, true },
	{ "NotUnderstood", ERROR, true },  { "OverBudget", WARNING, false },
	{ "Refused", ERROR, true },        { "Restarted", WARNING, true },
	{ "Revoked", ERROR, true },        { "StateNotWritten", ERROR, true },
	{ "Strangers", WARNING, false },   { "Undone", ERROR, true },
};

static size_t find(const json_t *event)
{
	const char *name = tds_json_string(event, "Event");
	size_t i = 0;

	while (i < sizeof(known) / sizeof(known[0]) && strcmp(known[i].name, name) != 0)
		i++;
	return i;
}

int tds_event_level(const json_t *event)
{
	size_t i = find(event);

	if (i < sizeof(known) / sizeof(known[0]))
		return known[i].level;
	if (json_integer_value(json_object_get(event, "Status")) != 0)
		return ERROR;
	return json_object_get(event, "Warnings") ? WARNING : INFO;
}

bool tds_event_is_history(const json_t *event)
{
	size_t i = find(event);

	return i == sizeof(known) / sizeof(known[0]) || known[i].is_history;
}

static void print(FILE *out, const char *before, const char *text)
{
	if (!*text)
		return;
	(void)fputs(before, out);
	tds_text_print(out, text);
}

/* The lines behind the first are indented. */
static void print_lines(FILE *out, const char *text)
{
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		tds_text_escape(out, text, n);
		(void)fputs(text[n] == '\n' && text[n + 1] ? "\n" INDENT : "", out);
	}
}

void tds_event_print_lines(FILE *out, const char *text)
{
	print_lines(out, text);
	(void)fputc('\n', out);
}

/* The user, the actor or the signal that it was asked by. */
static void print_asker(FILE *out, const json_t *by, const char *(*user)(uid_t uid))
{
	const json_t *uid = json_object_get(by, "Uid");
	const char *name = json_string_value(json_object_get(by, "User"));

	if (!name)
		name = uid && user ? user((uid_t)json_integer_value(uid)) : NULL;
	if (name)
		print(out, ", by ", name);
	else if (uid)
		(void)fprintf(out, ", by uid %lld", (long long)json_integer_value(uid));
	print(out, ", by actor ", tds_json_string(by, "Actor"));
	print(out, " (", tds_json_string(by, "Class"));
	print(out, ", role ", tds_json_string(by, "Role"));
	(void)fputs(*tds_json_string(by, "Class") ? ")" : "", out);
	print(out, " of ", *tds_json_string(by, "Actor") ? tds_json_string(by, "Group") : "");
	if (json_object_get(by, "Signal"))
		(void)fprintf(out, ", by signal %lld",
			      (long long)json_integer_value(json_object_get(by, "Signal")));
}

/* The actor that it is about. */
static void print_actor(FILE *out, const json_t *event)
{
	const char *class_name = tds_json_string(event, "Class");

	if (!*class_name)
		return;
	print(out, " ", class_name);
	print(out, ", role ", tds_json_string(event, "Role"));
	print(out, ", address ", tds_json_string(event, "Address"));
}

static void print_subject(FILE *out, const json_t *event)
{
	static const char *const subjects[] = { "Path", "Target", "File", "System" };

	if (*tds_json_string(event, "Class")) {
		print_actor(out, event);
		return;
	}
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		if (*tds_json_string(event, subjects[i])) {
			print(out, " ", tds_json_string(event, subjects[i]));
			return;
		}
}

static void print_each(FILE *out, const char *before, const json_t *texts)
{
	const json_t *text;
	size_t i;

	json_array_foreach(texts, i, text)
		print(out, before, json_string_value(text) ? json_string_value(text) : "");
}

/* Below the line. */
static void print_more(FILE *out, const json_t *event)
{
	print_each(out, "\n" INDENT, json_object_get(event, "Files"));
	print_each(out, "\n" INDENT "warning: ", json_object_get(event, "Warnings"));
	if (tds_event_level(event) >= ERROR) {
		print(out, "\n" INDENT "SHA256 ", tds_json_string(event, "SHA256"));
		print(out, "\n" INDENT "key ", tds_json_string(event, "Key"));
	}
	if (*tds_json_string(event, "Traceback")) {
		(void)fputs("\n" INDENT, out);
		tds_event_print_lines(out, tds_json_string(event, "Traceback"));
	} else {
		(void)fputc('\n', out);
	}
}

void tds_event_print(FILE *out, const json_t *event, const char *(*user)(uid_t uid))
{
	print(out, "", tds_json_string(event, "Event"));
	print_subject(out, event);
	print_asker(out, json_object_get(event, "By"), user);
	(void)fputs(*tds_json_string(event, "Message") ? ": " : "", out);
	print_lines(out, tds_json_string(event, "Message"));
	print_more(out, event);
}
