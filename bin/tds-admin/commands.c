/* SPDX-License-Identifier: MIT */
/* The commands that ask a running admin process, and print what it answers. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "base/io.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/groups.h"
#include "director/rundir.h"
#include "director/unknown.h"
#include "judge.h"
#include "literal/literal.h"
#include "target.h"
#include "overview.h"
#include "tool/client.h"
#include "tool/grouplist.h"

const char admin_status_help[] =
	"usage: tds-admin [options] status\n"
	"Say that the admin process runs, whether it was started again, and "
	"which actors it had to\n"
	"start again; status 8 where it does not run, or is restarting.\n";
const char admin_list_help[] = "usage: tds-admin [options] list [GROUP]\n"
			       "List the loaded sources and their actors.\n";
const char admin_role_help[] = "usage: tds-admin [options] role [--group=GROUP] ROLE\n"
			       "Print the address of the actor that has a role.\n";
const char admin_forget_help[] =
	"usage: tds-admin [options] forget GROUP\n"
	"Remove the group's data folder with all that is in it, and what is remembered of its "
	"versions.\n"
	"Nothing of the group may be loaded. A hold stays.\n";
const char admin_tell_help[] =
	"usage: tds-admin [options] tell [--timeout=SECONDS] TARGET MESSAGE\n"
	"Send a message. TARGET is a role, @GLOBALNAME or an address; "
	"MESSAGE a Python literal, or -\n"
	"for standard input.\n";
const char admin_ask_help[] = "usage: tds-admin [options] ask [--timeout=SECONDS] TARGET MESSAGE\n"
			      "Send a message and print the answer, as a Python literal.\n";
const char admin_watch_help[] = "usage: tds-admin [options] watch\n"
				"Print each change, a JSON object a line, until interrupted.\n";

static void fail(struct admin *admin, const char *subject, const struct tds_err *err)
{
	tds_cli_error(&admin->cli, subject, err);
}

int admin_connect(struct admin *admin, struct tds_client *client, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	int rc = admin_open_dir(admin, &dir, err);

	if (rc == 0)
		rc = tds_client_open(&dir, client, err);
	return rc == 0 ? tds_client_compare(client, &admin->cli, err) : rc;
}

static bool takes(struct admin *admin, const char *command, int argc, int least, int most)
{
	if (argc >= least && argc <= most)
		return true;
	tds_cli_usage(&admin->cli, "%s: wrong number of operands", command);
	return false;
}

int admin_request(struct admin *admin, json_t *request, json_t **answer, struct tds_err *err)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	int rc = admin_connect(admin, &client, err);

	*answer = NULL;
	if (rc != 0) {
		json_decref(request);
		return rc;
	}
	return tds_client_ask(&client, request, answer, err);
}

/* With -j the answer itself. Returns whether there is text left to print. */
static bool report(struct admin *admin, const char *subject, int rc, json_t *answer,
		   const struct tds_err *err)
{
	if (rc != 0)
		fail(admin, subject, err);
	if (admin->cli.json && answer)
		tds_cli_print_document(&admin->cli, json_incref(answer));
	return rc == 0 && !admin->cli.json;
}

/* ", killed by signal 9, started again 3 times", and when next; nothing where it never ended. */
static void print_restarts(FILE *out, const json_t *actor)
{
	json_int_t n = json_integer_value(json_object_get(actor, "Restarts"));
	const char *next = tds_json_string(actor, "NextStart");
	const char *ending = tds_json_string(actor, "LastEnd");

	if (*ending)
		(void)fprintf(out, ", %s", ending);
	if (n > 0)
		(void)fprintf(out, ", started again %lld time%s", (long long)n, n > 1 ? "s" : "");
	if (*next)
		(void)fprintf(out, ", next at %s", next);
}

/* Its name in the declaration, and its role. */
static void print_declared_actor(FILE *out, const json_t *actor)
{
	const char *class_name = tds_json_string(actor, "ActorClass");
	const char *role = tds_json_string(actor, "Role");

	tds_text_print(out, class_name);
	if (!*role)
		return;
	(void)fputs(" (", out);
	tds_text_print(out, role);
	(void)fputc(')', out);
}

static void print_actor(FILE *out, const json_t *actor)
{
	const char *address = tds_grouplist_address(actor);

	(void)fprintf(out, "      %s%s -- ", address ? "ActorAddr-" : "not running",
		      address ? address : "");
	print_declared_actor(out, actor);
	const char *since = tds_json_string(actor, "StartTime");
	(void)fprintf(out, "  (%s%s", *since ? "since " : "never started", since);
	print_restarts(out, actor);
	(void)fputs(")\n", out);
}

static void print_restarted(FILE *out, const json_t *actor)
{
	(void)fprintf(out, "%s: ", tds_json_string(actor, "Group"));
	print_declared_actor(out, actor);
	print_restarts(out, actor);
	(void)fputc('\n', out);
}

void admin_print_user(FILE *out, json_int_t uid)
{
	const struct passwd *user = getpwuid((uid_t)uid);

	if (user)
		tds_text_print(out, user->pw_name);
	else
		(void)fprintf(out, "%lld", (long long)uid);
}

/* Which way it is set up: what stands between actors and the admin process, and between the actors of two groups. */
static void print_users(FILE *out, const json_t *answer)
{
	const json_t *own = json_object_get(answer, "Uid");
	const json_t *actors = json_object_get(answer, "ActorUid");

	(void)fputs("user ", out);
	admin_print_user(out, json_integer_value(own));
	if (json_is_null(actors)) {
		(void)fputs(", each group's actors have a uid of their own\n", out);
	} else if (json_equal(own, actors)) {
		(void)fputs(", and so are the actors: no user's rights stand between them\n", out);
	} else {
		(void)fputs(", actors ", out);
		admin_print_user(out, json_integer_value(actors));
		(void)fputs(": no user's rights stand between groups\n", out);
	}
}

/* Of a source. */
static void print_granted(FILE *out, const json_t *granted)
{
	static const char *const keys[] = { "Group", "File", "Sandbox" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *text = tds_json_string(granted, keys[i]);

		(void)fputs(i == 0 ? "" : i == 1 ? ": " : ", sandbox ", out);
		tds_text_print(out, text);
	}
	(void)fputc('\n', out);
}

/* What packages have that ask for nothing, and what others may have at most. */
static void print_sandbox(FILE *out, const json_t *answer)
{
	const json_t *sandbox = json_object_get(answer, "Sandbox");
	const char *unasked = tds_json_string(sandbox, "Unasked");
	const char *most = tds_json_string(sandbox, "Most");

	if (!*unasked)
		return;
	(void)fputs("sandbox ", out);
	tds_text_print(out, unasked);
	if (strcmp(unasked, most) != 0) {
		(void)fputs(", at most ", out);
		tds_text_print(out, most);
	}
	(void)fputs(json_is_true(json_object_get(sandbox, "There")) ? "\n"
								    : ": there is no sandbox.cfg\n",
		    out);
}

void admin_status(struct admin *admin, int argc, char **argv)
{
	struct tds_err err = { 0 };
	json_t *answer = NULL;
	const json_t *actor;
	const json_t *granted;
	size_t i;

	(void)argv;
	if (!takes(admin, "status", argc, 0, 0))
		return;
	int rc = admin_request(admin, json_pack("{s:s}", "DirectorOp", "Status"), &answer, &err);
	if (rc == 0 && json_is_true(json_object_get(answer, "Restarting"))) {
		json_decref(tds_steal(&answer));
		rc = tds_err_set(&err, TDS_E_NO_ADMIN, "the admin process is restarting");
	}
	if (report(admin, NULL, rc, answer, &err)) {
		(void)fprintf(admin->cli.out, "running, pid %lld",
			      (long long)json_integer_value(json_object_get(answer, "Pid")));
		print_restarts(admin->cli.out, answer);
		(void)fputc('\n', admin->cli.out);
		running_print(admin->cli.out, answer);
		running_print_convention(admin->cli.out, answer);
		print_users(admin->cli.out, answer);
		print_sandbox(admin->cli.out, answer);
		if (json_is_true(json_object_get(answer, "AutoRefresh")))
			(void)fputs("packages are loaded as they come (autorefresh.cfg)\n",
				    admin->cli.out);
		const char *cgroup = tds_json_string(answer, "Cgroup");
		if (*cgroup)
			(void)fprintf(admin->cli.out, "cgroup %s\n", cgroup);
		running_print_limits(admin->cli.out, answer);
		json_array_foreach(json_object_get(answer, "Restarted"), i, actor)
			print_restarted(admin->cli.out, actor);
		json_array_foreach(json_object_get(answer, "Sandboxes"), i, granted)
			print_granted(admin->cli.out, granted);
	}
	json_decref(answer);
	judge_configured(admin);
}

int admin_find_group(struct admin *admin, const char *group, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(groups) struct tds_groups groups = { 0 };
	int rc = admin_open_dir(admin, &dir, err);

	if (rc == 0)
		rc = tds_groups_scan(&dir, &groups, err);
	if (rc != 0 || tds_groups_find(&groups, group))
		return rc;
	return tds_unknown_group(&dir, &groups, group, err);
}

/* What the director directory has is ours to see, and costs the admin process nothing. */
static void add_overview(struct admin *admin, json_t *answer)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };

	if (admin_open_dir(admin, &dir, NULL) == 0)
		overview_add_newest(&dir, answer);
}

void admin_list(struct admin *admin, int argc, char **argv)
{
	struct tds_err err = { 0 };
	json_t *answer = NULL;

	if (!takes(admin, "list", argc, 0, 1))
		return;
	int rc = admin_request(
		admin,
		json_pack("{s:s, s:s}", "DirectorOp", "RetrieveAll", "Group", argc ? argv[0] : ""),
		&answer, &err);
	if (rc == 0 && argc > 0 && json_object_size(json_object_get(answer, "Groups")) == 0)
		rc = admin_find_group(admin, argv[0], &err);
	if (rc == 0)
		add_overview(admin, answer);
	if (report(admin, argc ? argv[0] : NULL, rc, answer, &err))
		tds_grouplist_write(admin->cli.out, answer, overview_print, print_actor);
	json_decref(answer);
}

/* Where a role or name was refused, the one that may be meant is named. */
static void hint(struct admin *admin, const char *target, struct tds_err *err)
{
	json_t *answer = NULL;

	if (admin_request(admin, json_pack("{s:s}", "DirectorOp", "RetrieveAll"), &answer, NULL) ==
	    0)
		target_hint(admin, answer, target, err);
	json_decref(answer);
}

void admin_role(struct admin *admin, int argc, char **argv)
{
	struct tds_err err = { 0 };
	json_t *answer = NULL;

	if (!takes(admin, "role", argc, 1, 1))
		return;
	int rc = admin_request(admin,
			       json_pack("{s:s, s:s, s:s}", "DirectorOp", "RetrieveRole", "Role",
					 argv[0], "Group", admin->group ? admin->group : ""),
			       &answer, &err);
	if (rc == TDS_E_REFUSED && !json_object_get(answer, "Message")) {
		tds_err_set(&err, rc, "no active actor has this role");
		hint(admin, argv[0], &err);
	}
	if (report(admin, argv[0], rc, answer, &err))
		(void)fprintf(admin->cli.out, "%s\n", tds_grouplist_address(answer));
	json_decref(answer);
}

void admin_forget(struct admin *admin, int argc, char **argv)
{
	struct tds_err err = { 0 };
	json_t *answer = NULL;

	if (!takes(admin, "forget", argc, 1, 1))
		return;
	int rc = admin_request(admin,
			       json_pack("{s:s, s:s}", "DirectorOp", "Forget", "Group", argv[0]),
			       &answer, &err);
	if (rc == TDS_E_MISSING)
		(void)!admin_find_group(admin, argv[0], &err);
	(void)report(admin, argv[0], rc, answer, &err);
	json_decref(answer);
}

/* MESSAGE as the request wants it. False: reported already. */
static bool add_message(struct admin *admin, const char *message, json_t *request)
{
	tds_autofree char *text = NULL;
	tds_auto(value) struct tds_value *value = NULL;
	struct tds_err err = { 0 };
	size_t len;
	int rc = 0;

	if (strcmp(message, "-") == 0)
		rc = tds_io_slurp_fd(STDIN_FILENO, 1 << 20, &text, &len, &err);
	else if (!(text = strdup(message)))
		rc = tds_err_set(&err, TDS_E_NOMEM, "out of memory");
	if (rc == 0 && admin->json_message) {
		json_error_t why;
		json_t *json = json_loads(text, JSON_DECODE_ANY, &why);

		if (!json)
			rc = tds_err_at(&err, TDS_E_USAGE, (unsigned)why.line, (unsigned)why.column,
					"%s", why.text);
		else
			(void)json_object_set_new(request, "Message", json);
	} else if (rc == 0) {
		rc = tds_literal_parse(text, strlen(text), false, &value, &err);
		if (rc == 0)
			(void)json_object_set_new(request, "Literal", json_string(text));
		else
			err.code = TDS_E_USAGE;
	}
	if (rc != 0)
		fail(admin, "MESSAGE", &err);
	return rc == 0;
}

static void send_message(struct admin *admin, const char *op, char **argv, json_t **answer, int *rc,
			 struct tds_err *err)
{
	json_t *request = json_pack("{s:s, s:s, s:s}", "DirectorOp", op, "Target", argv[0], "Group",
				    admin->group ? admin->group : "");

	*rc = TDS_E_USAGE;
	if (!add_message(admin, argv[1], request)) {
		json_decref(request);
		return;
	}
	if (admin->timeout_s >= 0)
		(void)json_object_set_new(request, "Timeout", json_real(admin->timeout_s));
	*rc = admin_request(admin, request, answer, err);
	if (*rc == TDS_E_REFUSED)
		hint(admin, argv[0], err);
}

void admin_tell(struct admin *admin, int argc, char **argv)
{
	struct tds_err err = { 0 };
	json_t *answer = NULL;
	int rc;

	if (!takes(admin, "tell", argc, 2, 2))
		return;
	send_message(admin, "Tell", argv, &answer, &rc, &err);
	if (rc == 0 || err.code)
		(void)report(admin, argv[0], rc, answer, &err);
	json_decref(answer);
}

void admin_ask(struct admin *admin, int argc, char **argv)
{
	struct tds_err err = { 0 };
	json_t *answer = NULL;
	int rc;

	if (!takes(admin, "ask", argc, 2, 2))
		return;
	send_message(admin, "Ask", argv, &answer, &rc, &err);
	if (rc != 0 && !err.code)
		return;
	if (report(admin, argv[0], rc, answer, &err))
		(void)fprintf(admin->cli.out, "%s\n",
			      json_string_value(json_object_get(answer, "Literal")));
	json_decref(answer);
}

void admin_watch(struct admin *admin, int argc, char **argv)
{
	tds_auto(client) struct tds_client client = { .fd = -1 };
	struct tds_err err = { 0 };
	json_t *event = NULL;

	(void)argv;
	if (!takes(admin, "watch", argc, 0, 0))
		return;
	int rc = admin_connect(admin, &client, &err);
	if (rc == 0)
		rc = tds_client_ask(&client,
				    json_pack("{s:s, s:b}", "DirectorOp", "Watch", "Output", 0),
				    &event, &err);
	json_decref(event);
	while (rc == 0 && (rc = tds_client_receive(&client, &event, &err)) == 0) {
		tds_cli_print_record(&admin->cli, event);
		if (ferror(admin->cli.out))
			return;
	}
	fail(admin, NULL, &err);
}
