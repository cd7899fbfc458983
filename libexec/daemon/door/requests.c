/* SPDX-License-Identifier: MIT */
/* What may be asked of the Director, by whom: a table, and one function for each request of tds-protocol(7). */
#include "requests.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "asks.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/release.h"
#include "clients.h"
#include "places.h"
#include "systems.h"
#include "tool/cli.h"

#define WAIT_S_DEFAULT 60

static void answer_retrieve_all(struct asker *asker, const struct request *row,
				const json_t *request)
{
	struct director *director = asker->door->director;
	const json_t *actors =
		json_object_get(request, "Actors"); /* of DefineGroup they are others */

	if (actors && !json_is_null(actors) && !json_is_boolean(actors)) {
		asker_refuse(asker, row, 2, "Actors is not true or false");
		return;
	}
	json_t *answer = director_retrieve_all(director, request_text(request, "Group"));
	if (json_is_true(actors))
		(void)json_object_set_new(answer, "Actors", director_actors(director));
	asker_answer(asker, answer);
}

static void answer_retrieve_role(struct asker *asker, const struct request *row,
				 const json_t *request)
{
	json_t *answer =
		director_retrieve_role(asker->door->director, request_text(request, "Role"),
				       request_text(request, "Group"));

	/* Who has it may be on the way back. */
	if (asker->door->state == DOOR_RESTORING &&
	    !json_is_true(json_object_get(answer, "Success"))) {
		json_decref(answer);
		answer = later_json(row->response);
	}
	asker_answer(asker, answer);
}

static void answer_notification(struct asker *asker, const struct request *row,
				const json_t *request)
{
	(void)row;
	(void)request;
	asker->notify = true;
	asker->ops->stay(asker);
}

static void on_changed(void *ctx, const struct outcome *outcome)
{
	struct asker *asker = ctx;

	asker_answer(asker, outcome_json(asker->row->response, outcome));
}

/* The seconds that a load may take. False: refused already. */
static bool get_wait(struct asker *asker, const struct request *row, const json_t *request,
		     unsigned *wait_s)
{
	const json_t *wait = json_object_get(request, "Wait");
	json_int_t value = wait ? json_integer_value(wait) : WAIT_S_DEFAULT;

	*wait_s = (unsigned)value;
	if (!wait || (json_is_integer(wait) && value >= 1 && value <= 86400))
		return true;
	asker_refuse(asker, row, 2, "Wait is not a number of seconds");
	return false;
}

static void load_for(struct asker *asker, struct load_request *load)
{
	struct who who;

	asker_identify(asker, &who);
	load->by = &who.by;
	asker->pending = true;
	director_load(asker->door->director, load, on_changed, asker);
	who_fini(&who);
}

static void answer_load(struct asker *asker, const struct request *row, const json_t *request)
{
	bool refresh = json_is_true(json_object_get(request, "Refresh"));
	struct load_request load = { .purpose = refresh ? LOAD_REFRESH : LOAD_NAMED,
				     .target = request_text(request, "Source"),
				     .group = request_text(request, "Group"),
				     .retry = json_is_true(json_object_get(request, "Retry")),
				     .allow_downgrade = json_is_true(
					     json_object_get(request, "AllowDowngrade")) };

	if (!get_wait(asker, row, request, &load.wait_s))
		return;
	load_for(asker, &load);
}

static void answer_hold(struct asker *asker, const struct request *row, const json_t *request)
{
	struct load_request load = { .purpose = LOAD_HOLD,
				     .target = request_text(request, "Group"),
				     .version = json_string_value(
					     json_object_get(request, "Version")) };

	if (!get_wait(asker, row, request, &load.wait_s))
		return;
	load_for(asker, &load);
}

static void answer_rollback(struct asker *asker, const struct request *row, const json_t *request)
{
	struct load_request load = { .purpose = LOAD_ROLLBACK,
				     .target = request_text(request, "Group") };

	if (!get_wait(asker, row, request, &load.wait_s))
		return;
	load_for(asker, &load);
}

/* A change of what a text names. */
typedef void change_fn(struct director *director, const char *what, const struct requester *by,
		       change_done_fn *done, void *ctx);

static void change(struct asker *asker, const char *what, change_fn *begin)
{
	struct who who;

	asker_identify(asker, &who);
	asker->pending = true;
	begin(asker->door->director, what, &who.by, on_changed, asker);
	who_fini(&who);
}

static void answer_release(struct asker *asker, const struct request *row, const json_t *request)
{
	(void)row;
	change(asker, request_text(request, "Group"), director_release);
}

static void answer_forget(struct asker *asker, const struct request *row, const json_t *request)
{
	(void)row;
	change(asker, request_text(request, "Group"), director_forget_group);
}

static void answer_unload(struct asker *asker, const struct request *row, const json_t *request)
{
	(void)row;
	change(asker, request_text(request, "SourceHash"), director_unload);
}

static void on_refreshed(void *ctx, json_t *results, int status)
{
	asker_answer(ctx, json_pack("{s:s, s:b, s:i, s:o}", "DirectorResponse", "Refreshed",
				    "Success", status == 0, "Status", status, "Results", results));
}

static void answer_refresh(struct asker *asker, const struct request *row, const json_t *request)
{
	unsigned wait_s;
	struct who who;

	if (!get_wait(asker, row, request, &wait_s))
		return;
	asker_identify(asker, &who);
	asker->pending = true;
	director_refresh(asker->door->director, wait_s,
			 json_is_true(json_object_get(request, "Retry")), &who.by, on_refreshed,
			 asker);
	who_fini(&who);
}

static void answer_define(struct asker *asker, const struct request *row, const json_t *request)
{
	struct tds_err err = { 0 };
	struct who who;

	asker_identify(asker, &who);
	int rc = director_define(asker->door->director, request_text(request, "Group"), request,
				 &who.by, &err);
	who_fini(&who);
	if (rc != 0)
		asker_refuse(asker, row, tds_code_status(err.code), err.reason);
	else
		asker_answer(asker, success_json(row->response));
}

static void answer_status(struct asker *asker, const struct request *row, const json_t *request)
{
	const struct door *door = asker->door;
	const struct door_settings *settings = door->settings;
	json_t *status = json_pack(
		"{s:s, s:b, s:s, s:i, s:I, s:I, s:O, s:o, s:o, s:o}", "DirectorResponse",
		row->response, "Success", 1, "Version", tds_release_version, "Pid", (int)getpid(),
		"Clients", (json_int_t)clients_count(door->clients), "StrayAnswers",
		(json_int_t)director_strays(door->director), "Capabilities",
		settings->engine->ops->capabilities(settings->engine), "Cgroup",
		settings->cgroup ? tds_cli_json_text(settings->cgroup) : json_null(), "Restarted",
		director_restarted(door->director), "Sandboxes",
		director_sandboxes(door->director));

	(void)request;
	(void)json_object_set_new(status, "Counters", director_counters(door->director));
	(void)json_object_set_new(status, "Budgets", director_budgets(door->director));
	(void)json_object_set_new(status, "Limits", director_limits(door->director));
	(void)json_object_set_new(status, "ClientBudgets", places_json(door->clients));
	settings->describe(settings->ctx, status);
	asker_answer(asker, status);
}

/* --- of clients alone --- */

static void answer_watch(struct asker *asker, const struct request *row, const json_t *request)
{
	struct client *client = client_of(asker);

	client->watching = true;
	client->following = json_is_true(json_object_get(request, "Output"));
	asker_answer(asker, success_json(row->response));
}

/* How long actors may take to exit; negative: not given. False: refused already. */
static bool get_grace(struct asker *asker, const struct request *row, const json_t *request,
		      int64_t *grace_ms)
{
	const json_t *grace = json_object_get(request, "Grace");
	double seconds = json_is_number(grace) ? json_number_value(grace) : -1;

	*grace_ms = grace ? (int64_t)(seconds * 1000) : -1;
	if (!grace || (seconds >= 0 && seconds <= 86400))
		return true;
	asker_refuse(asker, row, 2, "Grace is not a number of seconds");
	return false;
}

static void answer_shutdown(struct asker *asker, const struct request *row, const json_t *request)
{
	const struct door_settings *settings = asker->door->settings;
	struct who who;
	int64_t grace_ms;

	if (!get_grace(asker, row, request, &grace_ms))
		return;
	client_of(asker)->leaving = true;
	asker_identify(asker, &who);
	asker_answer(asker, success_json(row->response));
	settings->shutdown(settings->ctx, grace_ms, who.by.by);
	who_fini(&who);
}

/* Whoever names a program has the admin's user run it: so that is for who may do that anyway. */
static void answer_restart(struct asker *asker, const struct request *row, const json_t *request)
{
	const struct door_settings *settings = asker->door->settings;
	const char *program = request_text(request, "Program");
	struct tds_err err = { 0 };
	struct who who;
	int64_t grace_ms;

	if (program && !asker_check(asker, row, TDS_ASKED_RESTART_AS, NULL))
		return;
	if (!get_grace(asker, row, request, &grace_ms))
		return;
	if (program && program[0] != '/') {
		asker_refuse(asker, row, 2, "Program is not an absolute path");
		return;
	}
	asker_identify(asker, &who);
	int rc = settings->restart(settings->ctx, grace_ms, program, who.by.by, &err);
	who_fini(&who);
	if (rc != 0)
		asker_refuse(asker, row, tds_code_status(err.code), err.reason);
	else
		asker_answer(asker, json_pack("{s:s, s:b, s:i}", "DirectorResponse", row->response,
					      "Success", 1, "Pid", (int)getpid()));
}

static void on_reloaded(void *ctx, json_t *answer)
{
	asker_answer(ctx, answer);
}

static void answer_reload(struct asker *asker, const struct request *row, const json_t *request)
{
	const struct door_settings *settings = asker->door->settings;

	(void)request;
	asker->pending = true;
	if (!settings->reload(settings->ctx, on_reloaded, asker))
		asker_refuse(asker, row, 5, "out of memory");
}

/* The connection becomes a link; what is left here is only the client. */
static void answer_join(struct asker *asker, const struct request *row, const json_t *request)
{
	struct client *client = client_of(asker);
	int fd = bufferevent_getfd(client->bev);
	tds_autofd int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	struct engine *engine = asker->door->settings->engine;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	const char *kind = NULL;
	struct tds_err err = { 0 };

	if (client->watching || asker->notify ||
	    evbuffer_get_length(bufferevent_get_input(client->bev)) > 0 ||
	    evbuffer_get_length(bufferevent_get_output(client->bev)) > 0) {
		asker_refuse(asker, row, 2, "a Join stands alone");
		return;
	}
	if (own < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		tds_err_sys(&err, TDS_E_WRITE, "the connection");
	else if (engine->ops->join(engine, own, &peer, request, &kind, &err) == 0) {
		(void)tds_steal_fd(&own);
		client->joined = true;
		return;
	}
	json_t *answer = failure_json(row->response, tds_code_status(err.code), err.reason);
	if (kind)
		(void)json_object_set_new(answer, "Kind", json_string(kind));
	asker_answer(asker, answer);
}

/* --- the table --- */

/* clang-format off */
#define REQUEST(name, response, what, needs, answer) \
	{ name, response, TDS_ASKED_##what, false, needs, answer }
#define IN_ANY_PROTOCOL(name, response, what, needs, answer) \
	{ name, response, TDS_ASKED_##what, true, needs, answer }

static const struct request requests[] = {
	REQUEST("DefineGroup", "DeclaredGroup", DEFINE, "Group", answer_define),
	REQUEST("LoadSource", "SourceLoaded", LOAD, "Source", answer_load),
	REQUEST("UnloadSource", "SourceUnloaded", UNLOAD, "SourceHash", answer_unload),
	REQUEST("Refresh", "Refreshed", REFRESH, NULL, answer_refresh),
	REQUEST("Hold", "GroupHeld", HOLD, "Group", answer_hold),
	REQUEST("Release", "GroupReleased", RELEASE, "Group", answer_release),
	REQUEST("Forget", "GroupForgotten", FORGET, "Group", answer_forget),
	REQUEST("Rollback", "GroupRolledBack", ROLLBACK, "Group", answer_rollback),
	REQUEST("RetrieveAll", "AllAddresses", ALL, NULL, answer_retrieve_all),
	REQUEST("RetrieveRole", "RoleAddress", ROLE, "Role", answer_retrieve_role),
	REQUEST("RequestNotification", "NotificationOfUpdate", NOTIFICATION, NULL, answer_notification),
	IN_ANY_PROTOCOL("Status", "Status", STATUS, NULL, answer_status),
	REQUEST("Members", "Members", MEMBERS, NULL, answer_members),
	REQUEST("Tell", "Told", TELL, "Target", answer_tell),
	REQUEST("Ask", "Answer", ASK, "Target", answer_ask),
	REQUEST("Watch", "Watching", WATCH, NULL, answer_watch),
	REQUEST("Reload", "Reloaded", RELOAD, NULL, answer_reload),
	IN_ANY_PROTOCOL("Restart", "Restarting", RESTART, NULL, answer_restart),
	IN_ANY_PROTOCOL("Shutdown", "ShuttingDown", SHUTDOWN, NULL, answer_shutdown),
	IN_ANY_PROTOCOL("Join", "Joined", JOIN, NULL, answer_join),
};
/* clang-format on */

static const struct request *find_request(const char *name)
{
	for (size_t i = 0; name && i < sizeof(requests) / sizeof(requests[0]); i++)
		if (strcmp(name, requests[i].name) == 0)
			return &requests[i];
	return NULL;
}

static bool is_truth(const json_t *value)
{
	return json_is_boolean(value);
}

/* What a field must be, wherever it stands; those with numbers look for themselves. */
static const struct {
	const char *name;
	bool (*fits)(const json_t *value);
	const char *why;
} fields[] = {
	{ "DirectorOp", tds_json_is_text, "DirectorOp is not a text" },
	{ "Group", tds_json_is_text, "Group is not a text" },
	{ "Role", tds_json_is_text, "Role is not a text" },
	{ "Source", tds_json_is_text, "Source is not a text" },
	{ "SourceHash", tds_json_is_text, "SourceHash is not a text" },
	{ "Target", tds_json_is_text, "Target is not a text" },
	{ "Literal", tds_json_is_text, "Literal is not a text" },
	{ "Program", tds_json_is_text, "Program is not a text" },
	{ "Version", tds_json_is_text, "Version is not a text" },
	{ "Retry", is_truth, "Retry is not true or false" },
	{ "Refresh", is_truth, "Refresh is not true or false" },
	{ "AllowDowngrade", is_truth, "AllowDowngrade is not true or false" },
	{ "Output", is_truth, "Output is not true or false" },
};

/* Why a request cannot be taken; NULL: it can. A field that is null is one that is not there. */
static const char *wrong_field(const json_t *request)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const json_t *value = json_object_get(request, fields[i].name);

		if (value && !json_is_null(value) && !fields[i].fits(value))
			return fields[i].why;
	}
	return NULL;
}

static void refuse_unknown(struct asker *asker, const char *name)
{
	asker_answer(asker, failure_json("Error", 2,
					 name ? "no such DirectorOp" : "no DirectorOp is given"));
}

/*
 * False: refused already. What this kind of asker has no way to ask for is not there. Where its rights are about groups,
 * any one lets it pass: which group it is about is found out, and looked at, by the Director.
 */
static bool check_asker(struct asker *asker, const struct request *row, const char *name)
{
	if (asker->guest && !(row && row->what == TDS_ASKED_JOIN)) {
		director_turned_away(asker->door->director);
		asker_answer(asker, failure_json("Error", 8, DOOR_NOT_ALLOWED));
		return false;
	}
	if (!row) {
		refuse_unknown(asker, name);
		return false;
	}
	const struct tds_asking asking = asker->ops->asking(asker);
	if (tds_asked_row(row->what)->may[asking.kind] == TDS_MAY_NOT_TRY) {
		refuse_unknown(asker, name);
		return false;
	}
	return tds_asking_may_any(&asking, row->what) || asker_check(asker, row, row->what, NULL);
}

/* What a request of another protocol means cannot be known, but for those that are the same in all. Join looks for itself. */
static bool speaks_alike(const struct request *row, const json_t *request)
{
	const json_t *protocol = json_object_get(request, "Protocol");

	return (row && row->in_any_protocol) || !json_is_integer(protocol) ||
	       json_integer_value(protocol) == tds_release_protocol;
}

static void refuse_protocol(struct asker *asker, const json_t *request)
{
	char text[160];

	(void)snprintf(
		text, sizeof(text),
		"the request is of protocol %lld, the admin process is tds %s with protocol %d",
		(long long)json_integer_value(json_object_get(request, "Protocol")),
		tds_release_version, tds_release_protocol);
	json_t *answer = failure_json("Error", 8, text);
	(void)json_object_set_new(answer, "Version", json_string(tds_release_version));
	asker_answer(asker, answer);
}

void request_dispatch(struct asker *asker, const json_t *request, const char *why)
{
	const char *name = json_string_value(json_object_get(request, "DirectorOp"));
	const struct request *row = find_request(name);
	const char *wrong = request ? wrong_field(request) : why;
	char text[64];

	if (request && !speaks_alike(row, request)) {
		refuse_protocol(asker, request);
	} else if (!asker->guest && !row && wrong) {
		asker_answer(asker, failure_json("Error", 2, wrong));
	} else if (!check_asker(asker, row, name)) {
		return;
	} else if (wrong) {
		asker_refuse(asker, row, 2, wrong);
	} else if (row->needs && !request_text(request, row->needs)) {
		(void)snprintf(text, sizeof(text), "no %s is given", row->needs);
		asker_refuse(asker, row, 2, text);
	} else if (asker->door->state == DOOR_RESTARTING && !row->in_any_protocol) {
		asker_answer(asker, later_json(row->response));
	} else {
		asker->row = row;
		row->answer(asker, row, request);
	}
}
