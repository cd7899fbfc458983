/* SPDX-License-Identifier: MIT */
/* tds-admin members: the systems of the convention, as this one knows them. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "admin.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"
#include "tool/client.h"

#define WAIT_S 60 /* where --timeout says nothing */

const char admin_members_help[] =
	"usage: tds-admin [options] members [--wait=N [--timeout=SECONDS]]\n"
	"Print the systems of the convention, as this one knows them: role, since when, version, "
	"clock,\n"
	"actors, capabilities and packages. With --wait=N not before N of them are there, status "
	"9 where\n"
	"they do not come (60 seconds).\n";

/* --- printing --- */

static void print_part(FILE *out, const char *before, const char *text)
{
	if (!*text)
		return;
	(void)fputs(before, out);
	tds_text_print(out, text);
}

static void print_count(FILE *out, const json_t *member, const char *key, const char *what)
{
	json_int_t n = json_integer_value(json_object_get(member, key));

	(void)fprintf(out, ", %lld %s%s", (long long)n, what, n == 1 ? "" : "s");
}

/* What is kept of who speaks another protocol, or was never heard properly, is nothing more than that. */
static void print_line(FILE *out, const char *name, const json_t *member)
{
	bool self = json_is_true(json_object_get(member, "Self"));
	const char *state = tds_json_string(member, "State");

	tds_text_print(out, name);
	(void)fprintf(out, "%s: %s, %s since %s", self ? " (this system)" : "",
		      tds_json_string(member, "Role"), state, tds_json_string(member, "Since"));
	print_part(out, ": ", tds_json_string(member, "Message"));
	print_part(out, ", last heard ", tds_json_string(member, "LastHeard"));
	print_part(out, ", tds ", tds_json_string(member, "Version"));
	print_count(out, member, "Actors", "actor");
	print_count(out, member, "Flaps", "flap");
	if (!self)
		(void)fprintf(out, ", clock %+.3f s",
			      json_number_value(json_object_get(member, "ClockOffset")));
	(void)fputc('\n', out);
}

static void print_capabilities(FILE *out, json_t *capabilities)
{
	const char *before = "  capabilities: ";
	const char *name;
	json_t *value;

	json_object_foreach(capabilities, name, value)
	{
		print_part(out, before, name);
		print_part(out, " = ", json_string_value(value));
		before = ", ";
	}
	if (json_object_size(capabilities) > 0)
		(void)fputc('\n', out);
}

static void print_packages(FILE *out, const json_t *member)
{
	const json_t *package;
	size_t i;

	json_array_foreach(json_object_get(member, "Sources"), i, package)
	{
		print_part(out, "  ", tds_json_string(package, "Group"));
		print_part(out, " ", tds_json_string(package, "Version"));
		(void)fputs(json_is_true(json_object_get(package, "Active")) ? ", active" : "",
			    out);
		print_part(out, ", by ", tds_json_string(package, "Key"));
		(void)fprintf(out, ", SHA256 %.16s\n", tds_json_string(package, "SHA256"));
	}
	json_array_foreach(json_object_get(member, "Refused"), i, package)
	{
		print_part(out, "  refused: ", tds_json_string(package, "Group"));
		print_part(out, ": ", tds_json_string(package, "Reason"));
		(void)fprintf(out, ", SHA256 %.16s\n", tds_json_string(package, "SHA256"));
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* By their names. */
static void print_members(FILE *out, json_t *members)
{
	const char **names = calloc(json_object_size(members) + 1, sizeof(*names));
	const char *name;
	json_t *member;
	size_t n = 0;

	if (!names)
		return;
	json_object_foreach(members, name, member)
	{
		names[n++] = name;
	}
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++) {
		member = json_object_get(members, names[i]);
		print_line(out, names[i], member);
		print_capabilities(out, json_object_get(member, "Capabilities"));
		print_packages(out, member);
	}
	free(names);
}

/* --- waiting --- */

static uint64_t count_here(const json_t *answer)
{
	json_t *members = json_object_get(answer, "Members");
	const char *name;
	json_t *member;
	uint64_t n = 0;

	json_object_foreach(members, name, member)
	{
		n += strcmp(tds_json_string(member, "State"), "here") == 0;
	}
	return n;
}

static int ask(struct admin *admin, json_t **answer, struct tds_err *err)
{
	json_decref(*answer);
	return admin_request(admin, json_pack("{s:s}", "DirectorOp", "Members"), answer, err);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until an event says that a system is there. TDS_E_TIMEOUT: none does in time. */
static int wait_for_one(struct tds_client *client, int64_t until_ms, struct tds_err *err)
{
	for (;;) {
		int64_t left = until_ms - now_ms();
		const struct timeval tv = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };
		json_t *event = NULL;

		if (left <= 0 ||
		    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) != 0)
			return tds_err_set(err, TDS_E_TIMEOUT, "timed out");
		int rc = tds_client_receive(client, &event, err);
		if (rc != 0 && now_ms() >= until_ms)
			return tds_err_set(err, TDS_E_TIMEOUT, "timed out");
		bool joined = strcmp(tds_json_string(event, "Event"), "MemberJoined") == 0;
		json_decref(event);
		if (rc != 0 || joined)
			return rc;
	}
}

/* Whoever comes after the first answer is told by the watch that began before it. */
static int ask_until_there(struct admin *admin, json_t **answer, struct tds_err *err)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	double wait_s = admin->timeout_s >= 0 ? admin->timeout_s : WAIT_S;
	int64_t until_ms = now_ms() + (int64_t)(wait_s * 1000);
	json_t *watching = NULL;
	int rc = admin_connect(admin, &client, err);

	if (rc == 0)
		rc = tds_client_ask(&client, json_pack("{s:s}", "DirectorOp", "Watch"), &watching,
				    err);
	json_decref(watching);
	if (rc == 0)
		rc = ask(admin, answer, err);
	while (rc == 0 && count_here(*answer) < admin->wait) {
		rc = wait_for_one(&client, until_ms, err);
		if (rc == 0)
			rc = ask(admin, answer, err);
	}
	if (rc == TDS_E_TIMEOUT)
		tds_err_set(err, rc, "%llu of %llu systems are there",
			    (unsigned long long)count_here(*answer),
			    (unsigned long long)admin->wait);
	return rc;
}

void admin_members(struct admin *admin, int argc, char **argv)
{
	struct tds_err err = { 0 };
	json_t *answer = NULL;

	(void)argv;
	if (argc > 0) {
		tds_cli_usage(&admin->cli, "members takes no operand");
		return;
	}
	if (admin->timeout_s >= 0 && admin->wait == 0) {
		tds_cli_usage(&admin->cli, "--timeout goes with --wait");
		return;
	}
	int rc =
		admin->wait > 0 ? ask_until_there(admin, &answer, &err) : ask(admin, &answer, &err);
	if (rc != 0)
		tds_cli_error(&admin->cli, NULL, &err);
	if (admin->cli.json && answer)
		tds_cli_print_document(&admin->cli, json_incref(answer));
	else if (!admin->cli.json)
		print_members(admin->cli.out, json_object_get(answer, "Members"));
	json_decref(answer);
}
