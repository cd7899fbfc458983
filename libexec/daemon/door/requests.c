/* SPDX-License-Identifier: MIT */
/* What clients ask of the Director: one function for each operation of tds-protocol(7). */
#include "requests.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "base/mem.h"
#include "tool/cli.h"

#define WAIT_S_DEFAULT 60

json_t *failure_json(const char *response, int status, const char *why)
{
	return json_pack("{s:s, s:b, s:i, s:o?}", "DirectorResponse", response, "Success", 0,
			 "Status", status, "Message", tds_cli_json_text(why));
}

const char *request_text(const json_t *request, const char *key)
{
	const char *text = json_string_value(json_object_get(request, key));

	return text && *text ? text : NULL;
}

void client_refuse(struct client *client, const struct operation *op, int status, const char *why)
{
	client_finish(client, failure_json(op->response, status, why));
}

static void run_retrieve_all(struct client *client, const struct operation *op,
			     const json_t *request)
{
	(void)op;
	client_finish(client, director_retrieve_all(client->clients->director,
						    request_text(request, "Group")));
}

static void run_retrieve_role(struct client *client, const struct operation *op,
			      const json_t *request)
{
	const char *role = request_text(request, "Role");

	if (!role)
		client_refuse(client, op, 2, "no Role is given");
	else
		client_finish(client, director_retrieve_role(client->clients->director, role,
							     request_text(request, "Group")));
}

static void run_notification(struct client *client, const struct operation *op,
			     const json_t *request)
{
	(void)op;
	(void)request;
	client->notify = true;
	client->busy = false;
	client->served = true;
}

static void on_loaded(void *ctx, const struct outcome *outcome)
{
	client_finish_later(ctx, outcome_json("SourceLoaded", outcome));
}

static void on_unloaded(void *ctx, const struct outcome *outcome)
{
	client_finish_later(ctx, outcome_json("SourceUnloaded", outcome));
}

/* The seconds that a load may take. False: refused already. */
static bool get_wait(struct client *client, const struct operation *op, const json_t *request,
		     unsigned *wait_s)
{
	const json_t *wait = json_object_get(request, "Wait");
	json_int_t value = wait ? json_integer_value(wait) : WAIT_S_DEFAULT;

	*wait_s = (unsigned)value;
	if (!wait || (json_is_integer(wait) && value >= 1 && value <= 86400))
		return true;
	client_refuse(client, op, 2, "Wait is not a number of seconds");
	return false;
}

static void run_load(struct client *client, const struct operation *op, const json_t *request)
{
	const char *source = request_text(request, "Source");
	unsigned wait_s;

	if (!source) {
		client_refuse(client, op, 2, "no Source is given");
	} else if (get_wait(client, op, request, &wait_s)) {
		client->refs++;
		director_load(client->clients->director,
			      &(struct load_request){
				      .target = source,
				      .group = request_text(request, "Group"),
				      .wait_s = wait_s,
				      .retry = json_is_true(json_object_get(request, "Retry")) },
			      on_loaded, client);
	}
}

static void on_refreshed(void *ctx, json_t *results, int status)
{
	client_finish_later(ctx, json_pack("{s:s, s:b, s:i, s:o}", "DirectorResponse", "Refreshed",
					   "Success", status == 0, "Status", status, "Results",
					   results));
}

static void run_refresh(struct client *client, const struct operation *op, const json_t *request)
{
	unsigned wait_s;

	if (!get_wait(client, op, request, &wait_s))
		return;
	client->refs++;
	director_refresh(client->clients->director, wait_s,
			 json_is_true(json_object_get(request, "Retry")), on_refreshed, client);
}

static void run_define(struct client *client, const struct operation *op, const json_t *request)
{
	const char *group = request_text(request, "Group");
	struct tds_err err = { 0 };

	if (!group)
		client_refuse(client, op, 2, "no Group is given");
	else if (director_define(client->clients->director, group, request, &err) != 0)
		client_refuse(client, op, tds_code_status(err.code), err.reason);
	else
		client_finish(client, json_pack("{s:s, s:b}", "DirectorResponse", op->response,
						"Success", 1));
}

static void run_unload(struct client *client, const struct operation *op, const json_t *request)
{
	const char *hash = request_text(request, "SourceHash");

	if (!hash) {
		client_refuse(client, op, 2, "no SourceHash is given");
		return;
	}
	client->refs++;
	director_unload(client->clients->director, hash, on_unloaded, client);
}

static void run_status(struct client *client, const struct operation *op, const json_t *request)
{
	(void)request;
	const struct clients_settings *settings = client->clients->settings;
	json_t *status = json_pack(
		"{s:s, s:b, s:i, s:I, s:O, s:o, s:o}", "DirectorResponse", op->response, "Success",
		1, "Pid", (int)getpid(), "Clients", (json_int_t)client->clients->n, "Capabilities",
		client->clients->settings->engine->ops->capabilities(
			client->clients->settings->engine),
		"Cgroup", settings->cgroup ? tds_cli_json_text(settings->cgroup) : json_null(),
		"Restarted", director_restarted(client->clients->director));

	settings->describe(settings->ctx, status);
	client_finish(client, status);
}

static void run_watch(struct client *client, const struct operation *op, const json_t *request)
{
	client->watching = true;
	client->following = json_is_true(json_object_get(request, "Output"));
	client_finish(client,
		      json_pack("{s:s, s:b}", "DirectorResponse", op->response, "Success", 1));
}

static void run_shutdown(struct client *client, const struct operation *op, const json_t *request)
{
	const json_t *grace = json_object_get(request, "Grace");
	double seconds = json_is_number(grace) ? json_number_value(grace) : -1;

	if (grace && !(seconds >= 0 && seconds <= 86400)) {
		client_refuse(client, op, 2, "Grace is not a number of seconds");
		return;
	}
	client->leaving = true;
	client_finish(client,
		      json_pack("{s:s, s:b}", "DirectorResponse", op->response, "Success", 1));
	client->clients->settings->shutdown(client->clients->settings->ctx,
					    grace ? (int64_t)(seconds * 1000) : -1);
}

/* The connection becomes a link; what is left here is only the client. */
static void run_join(struct client *client, const struct operation *op, const json_t *request)
{
	int fd = bufferevent_getfd(client->bev);
	tds_autofd int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	struct engine *engine = client->clients->settings->engine;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct tds_err err = { 0 };

	if (client->refs > 0 || client->watching || client->notify ||
	    evbuffer_get_length(bufferevent_get_input(client->bev)) > 0 ||
	    evbuffer_get_length(bufferevent_get_output(client->bev)) > 0) {
		client_refuse(client, op, 2, "a Join stands alone");
		return;
	}
	if (own < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		tds_err_sys(&err, TDS_E_WRITE, "the connection");
	else if (engine->ops->join(engine, own, &peer, request, &err) == 0) {
		(void)tds_steal_fd(&own);
		client->joined = true;
		return;
	}
	client_refuse(client, op, tds_code_status(err.code), err.reason);
}

static const struct operation operations[] = {
	{ "DefineGroup", "DeclaredGroup", run_define },
	{ "RetrieveAll", "AllAddresses", run_retrieve_all },
	{ "RetrieveRole", "RoleAddress", run_retrieve_role },
	{ "RequestNotification", "NotificationOfUpdate", run_notification },
	{ "LoadSource", "SourceLoaded", run_load },
	{ "UnloadSource", "SourceUnloaded", run_unload },
	{ "Refresh", "Refreshed", run_refresh },
	{ "Status", "Status", run_status },
	{ "Tell", "Told", run_tell },
	{ "Ask", "Answer", run_ask },
	{ "Watch", "Watching", run_watch },
	{ "Shutdown", "ShuttingDown", run_shutdown },
	{ "Join", "Joined", run_join },
};

static bool is_text(const json_t *value)
{
	return json_is_string(value) &&
	       strlen(json_string_value(value)) == json_string_length(value);
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
	{ "DirectorOp", is_text, "DirectorOp is not a text" },
	{ "Group", is_text, "Group is not a text" },
	{ "Role", is_text, "Role is not a text" },
	{ "Source", is_text, "Source is not a text" },
	{ "SourceHash", is_text, "SourceHash is not a text" },
	{ "Target", is_text, "Target is not a text" },
	{ "Literal", is_text, "Literal is not a text" },
	{ "Retry", is_truth, "Retry is not true or false" },
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

void client_dispatch(struct client *client, const char *line, size_t len)
{
	json_error_t why;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	const char *name = json_string_value(json_object_get(request, "DirectorOp"));
	const struct operation *op = NULL;

	for (size_t i = 0; name && i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(name, operations[i].name) == 0)
			op = &operations[i];
	const char *wrong = wrong_field(request);
	client->busy = true;
	if (client->guest && (!op || op->run != run_join))
		client_finish(client, failure_json("Error", 8, "not allowed"));
	else if (op && wrong)
		client_refuse(client, op, 2, wrong);
	else if (op)
		op->run(client, op, request);
	else if (wrong)
		client_finish(client, failure_json("Error", 2, wrong));
	else
		client_finish(client, failure_json("Error", 2,
						   !request ? why.text
						   : name   ? "no such DirectorOp"
							    : "no DirectorOp is given"));
	json_decref(request);
}
