/* SPDX-License-Identifier: MIT */
/* Connections, their requests, and the answers. One that misbehaves harms only itself. */
#include "clients.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "actorlog.h"
#include "cli.h"
#include "literal.h"
#include "mem.h"
#include "refresh.h"

#define ASK_TIMEOUT_MS_DEFAULT 5000
#define WAIT_S_DEFAULT 60

struct client {
	struct clients *clients;
	struct client *next;
	struct client **self;
	struct bufferevent *bev;
	uid_t uid;
	bool served;       /* has completed a request */
	bool busy;         /* an answer is still to come; further requests wait */
	bool watching;     /* gets changes */
	bool following;    /* gets output */
	bool notify;       /* RequestNotification: the next change of what is active */
	bool silent;       /* has shut its writing side: goes when all is answered */
	bool ending;       /* goes when its output is sent */
	unsigned refs;     /* jobs that will still call back */
	uint64_t endpoint; /* of its Ask; 0: none */
	struct event *deadline;
};

struct clients {
	struct event_base *base;
	struct event *accept;
	int listener;
	struct director *director;
	const struct clients_settings *settings;
	struct client *first; /* newest first */
	size_t n;
};

static void serve(struct client *client);

static void client_free(struct client *client)
{
	*client->self = client->next;
	if (client->next)
		client->next->self = client->self;
	client->clients->n--;
	if (client->deadline)
		event_free(client->deadline);
	bufferevent_free(client->bev);
	free(client);
}

/* A job that was asked for goes on without the one who asked; the struct stays until it calls back. */
static void client_close(struct client *client)
{
	client->ending = true;
	(void)bufferevent_disable(client->bev, EV_READ | EV_WRITE);
	if (client->refs == 0)
		client_free(client);
}

static void reply(struct client *client, json_t *doc)
{
	tds_autofree char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	json_decref(doc);
	if (!text || client->ending)
		return;
	(void)bufferevent_write(client->bev, text, strlen(text));
	(void)bufferevent_write(client->bev, "\n", 1);
}

static json_t *failure(const char *response, int status, const char *why)
{
	return json_pack("{s:s, s:b, s:i, s:o?}", "DirectorResponse", response, "Success", 0,
			 "Status", status, "Message", tds_cli_json_text(why));
}

/* The answer that the client waited for; the next request may come. */
static void finish(struct client *client, json_t *doc)
{
	reply(client, doc);
	client->busy = false;
	client->served = true;
	if (client->deadline)
		(void)event_del(client->deadline);
	client->endpoint = 0;
}

/* --- operations --- */

struct operation {
	const char *name;
	const char *response;
	/* Answers with finish(), now or, having set busy, later. */
	void (*run)(struct client *client, const struct operation *op, const json_t *request);
};

static const char *text_of(const json_t *request, const char *key)
{
	const char *text = json_string_value(json_object_get(request, key));

	return text && *text ? text : NULL;
}

static void refuse(struct client *client, const struct operation *op, int status, const char *why)
{
	finish(client, failure(op->response, status, why));
}

static void run_retrieve_all(struct client *client, const struct operation *op,
			     const json_t *request)
{
	(void)op;
	finish(client, director_retrieve_all(client->clients->director, text_of(request, "Group")));
}

static void run_retrieve_role(struct client *client, const struct operation *op,
			      const json_t *request)
{
	const char *role = text_of(request, "Role");

	if (!role)
		refuse(client, op, 2, "no Role is given");
	else
		finish(client, director_retrieve_role(client->clients->director, role,
						      text_of(request, "Group")));
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

/* What it waited for, much later: it may be gone by now. */
static void finish_later(struct client *client, json_t *doc)
{
	client->refs--;
	if (!client->ending) {
		finish(client, doc);
		serve(client);
		return;
	}
	json_decref(doc);
	if (client->refs == 0)
		client_free(client);
}

static void on_loaded(void *ctx, const struct outcome *outcome)
{
	finish_later(ctx, outcome_json("SourceLoaded", outcome));
}

static void on_unloaded(void *ctx, const struct outcome *outcome)
{
	finish_later(ctx, outcome_json("SourceUnloaded", outcome));
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
	refuse(client, op, 2, "Wait is not a number of seconds");
	return false;
}

static void run_load(struct client *client, const struct operation *op, const json_t *request)
{
	const char *source = text_of(request, "Source");
	unsigned wait_s;

	if (!source) {
		refuse(client, op, 2, "no Source is given");
	} else if (get_wait(client, op, request, &wait_s)) {
		client->refs++;
		director_load(client->clients->director, source, text_of(request, "Group"), wait_s,
			      json_is_true(json_object_get(request, "Retry")), on_loaded, client);
	}
}

static void on_refreshed(void *ctx, json_t *results, int status)
{
	finish_later(ctx, json_pack("{s:s, s:b, s:i, s:o}", "DirectorResponse", "Refreshed",
				    "Success", status == 0, "Status", status, "Results", results));
}

static void run_refresh(struct client *client, const struct operation *op, const json_t *request)
{
	unsigned wait_s;

	if (!get_wait(client, op, request, &wait_s))
		return;
	client->refs++;
	refresh(client->clients->director, client->clients->settings->dir, wait_s,
		json_is_true(json_object_get(request, "Retry")), on_refreshed, client);
}

static void run_define(struct client *client, const struct operation *op, const json_t *request)
{
	const char *group = text_of(request, "Group");
	struct tds_err err = { 0 };

	if (!group)
		refuse(client, op, 2, "no Group is given");
	else if (director_define(client->clients->director, group, request, &err) != 0)
		refuse(client, op, tds_code_status(err.code), err.reason);
	else
		finish(client,
		       json_pack("{s:s, s:b}", "DirectorResponse", op->response, "Success", 1));
}

static void run_unload(struct client *client, const struct operation *op, const json_t *request)
{
	const char *hash = text_of(request, "SourceHash");

	if (!hash) {
		refuse(client, op, 2, "no SourceHash is given");
		return;
	}
	client->refs++;
	director_unload(client->clients->director, hash, on_unloaded, client);
}

static void run_status(struct client *client, const struct operation *op, const json_t *request)
{
	(void)request;
	finish(client,
	       json_pack("{s:s, s:b, s:i, s:I}", "DirectorResponse", op->response, "Success", 1,
			 "Pid", (int)getpid(), "Clients", (json_int_t)client->clients->n));
}

/* Literal text as it is, or Message as JSON. The text is the caller's to free. */
static char *message_text(const json_t *request, struct payload *payload, struct tds_err *err)
{
	const char *literal = json_string_value(json_object_get(request, "Literal"));
	const json_t *message = json_object_get(request, "Message");
	tds_auto(value) struct tds_value *value = NULL;
	char *text;

	if ((literal != NULL) == (message != NULL)) {
		tds_err_set(err, TDS_E_USAGE, "either Literal or Message is wanted");
		return NULL;
	}
	if (literal && tds_literal_parse(literal, strlen(literal), false, &value, err) != 0)
		return NULL;
	text = literal ? strdup(literal) : json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY);
	*payload = (struct payload){ .encoding = literal ? ENCODING_LITERAL : ENCODING_JSON,
				     .data = text,
				     .len = text ? strlen(text) : 0 };
	if (!text)
		tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return text;
}

static void send_message(struct client *client, const struct operation *op, const json_t *request,
			 uint64_t endpoint)
{
	struct payload payload;
	struct tds_err err = { 0 };
	const char *target = text_of(request, "Target");
	tds_autofree char *text = target ? message_text(request, &payload, &err) : NULL;

	if (!target)
		refuse(client, op, 2, "no Target is given");
	else if (!text)
		refuse(client, op, 2, err.reason);
	else if (!director_send(client->clients->director, target, text_of(request, "Group"),
				endpoint, &payload))
		refuse(client, op, 1, "no such role, global name or address");
	else if (endpoint == 0)
		finish(client,
		       json_pack("{s:s, s:b}", "DirectorResponse", op->response, "Success", 1));
	else
		return;
	client->endpoint = 0;
}

static void run_tell(struct client *client, const struct operation *op, const json_t *request)
{
	send_message(client, op, request, 0);
}

static void on_ask_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;

	(void)fd;
	(void)what;
	finish(client, failure("Answer", 9, "no answer in time"));
	serve(client);
}

static void run_ask(struct client *client, const struct operation *op, const json_t *request)
{
	const json_t *timeout = json_object_get(request, "Timeout");
	double seconds = timeout ? json_number_value(timeout) : ASK_TIMEOUT_MS_DEFAULT / 1000.0;
	struct timeval tv = { .tv_sec = (time_t)seconds,
			      .tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6) };

	if (timeout && (!json_is_number(timeout) || !(seconds >= 0 && seconds <= 86400))) {
		refuse(client, op, 2, "Timeout is not a number of seconds");
		return;
	}
	if (!client->deadline)
		client->deadline = evtimer_new(client->clients->base, on_ask_timeout, client);
	client->endpoint = director_endpoint(client->clients->director);
	uint64_t endpoint = client->endpoint;
	if (!client->deadline || evtimer_add(client->deadline, &tv) != 0)
		refuse(client, op, 5, "out of memory");
	else
		send_message(client, op, request, endpoint);
}

static void run_watch(struct client *client, const struct operation *op, const json_t *request)
{
	client->watching = true;
	client->following = json_is_true(json_object_get(request, "Output"));
	finish(client, json_pack("{s:s, s:b}", "DirectorResponse", op->response, "Success", 1));
}

static void run_shutdown(struct client *client, const struct operation *op, const json_t *request)
{
	const json_t *grace = json_object_get(request, "Grace");
	double seconds = json_is_number(grace) ? json_number_value(grace) : -1;

	if (grace && !(seconds >= 0 && seconds <= 86400)) {
		refuse(client, op, 2, "Grace is not a number of seconds");
		return;
	}
	finish(client, json_pack("{s:s, s:b}", "DirectorResponse", op->response, "Success", 1));
	client->clients->settings->shutdown(client->clients->settings->ctx,
					    grace ? (int64_t)(seconds * 1000) : -1);
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

static void dispatch(struct client *client, const char *line, size_t len)
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
	if (op && wrong)
		refuse(client, op, 2, wrong);
	else if (op)
		op->run(client, op, request);
	else if (wrong)
		finish(client, failure("Error", 2, wrong));
	else
		finish(client, failure("Error", 2,
				       !request ? why.text
				       : name   ? "no such DirectorOp"
						: "no DirectorOp is given"));
	json_decref(request);
}

/* --- connections --- */

static void end_after_output(struct client *client)
{
	client->ending = true;
	(void)bufferevent_disable(client->bev, EV_READ);
}

/* One that will say no more, as a pipe into socat, goes when it has all its answers. May free it. */
static void leave_if_silent(struct client *client)
{
	if (!client->silent || client->watching || client->notify)
		return;
	if (evbuffer_get_length(bufferevent_get_output(client->bev)) == 0)
		client_close(client);
	else
		end_after_output(client);
}

/* Requests one after the other, as long as each is answered at once. May free the client. */
static void serve(struct client *client)
{
	struct evbuffer *in = bufferevent_get_input(client->bev);

	while (!client->busy && !client->ending) {
		size_t len;
		tds_autofree char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);

		if (!line) {
			if (evbuffer_get_length(in) <= CLIENT_LINE_MAX) {
				leave_if_silent(client);
				return;
			}
			reply(client, failure("Error", 2, "a request of more than 1 MiB"));
			end_after_output(client);
			return;
		}
		if (len > 0)
			dispatch(client, line, len);
	}
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	serve(arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;

	(void)bev;
	if (client->ending && client->refs == 0)
		client_free(client);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *client = arg;
	struct pollfd end = { .fd = bufferevent_getfd(bev) };

	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
		return;
	/* A hangup is the end of both directions; else it still reads. */
	if (!(what & BEV_EVENT_ERROR) && poll(&end, 1, 0) == 0) {
		client->silent = true;
		serve(client);
	} else {
		client_close(client);
	}
}

static bool may_use(const struct clients *clients, uid_t uid)
{
	const struct clients_settings *s = clients->settings;

	if (uid == 0 || uid == s->uid)
		return true;
	for (size_t i = 0; i < s->nusers; i++)
		if (s->users[i] == uid)
			return true;
	return false;
}

/* Room for one more: the oldest that never completed a request makes it. False: there is none. */
static bool make_room(struct clients *clients, uid_t uid)
{
	struct client *oldest = NULL;
	size_t of_uid = 0;

	for (struct client *c = clients->first; c; c = c->next) {
		of_uid += c->uid == uid;
		if (!c->served && c->refs == 0)
			oldest = c;
	}
	if (uid != 0 && uid != clients->settings->uid && of_uid >= CLIENTS_PER_UID_MAX)
		return false;
	if (clients->n < CLIENTS_MAX)
		return true;
	if (oldest)
		client_free(oldest);
	return oldest != NULL;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct clients *clients = arg;
	int s = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t len = sizeof(peer);
	static const char refusal[] = "{\"DirectorResponse\":\"Error\",\"Success\":false,"
				      "\"Status\":8,\"Message\":\"not allowed\"}\n";

	(void)what;
	if (s < 0)
		return;
	if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    !may_use(clients, peer.uid) || !make_room(clients, peer.uid)) {
		(void)send(s, refusal, strlen(refusal), MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)close(s);
		return;
	}
	struct client *client = calloc(1, sizeof(*client));
	struct bufferevent *bev =
		client ? bufferevent_socket_new(clients->base, s, BEV_OPT_CLOSE_ON_FREE) : NULL;
	if (!bev) {
		free(client);
		(void)close(s);
		return;
	}
	*client = (struct client){ .clients = clients,
				   .bev = bev,
				   .uid = peer.uid,
				   .next = clients->first,
				   .self = &clients->first };
	if (client->next)
		client->next->self = &client->next;
	clients->first = client;
	clients->n++;
	bufferevent_setcb(bev, on_read, on_written, on_event, client);
	bufferevent_setwatermark(bev, EV_READ, 0, CLIENT_LINE_MAX + 1);
	(void)bufferevent_enable(bev, EV_READ | EV_WRITE);
}

/* --- what the Director tells --- */

/* One that does not read what it asked to be told is cut off. */
static void stream(struct client *client, json_t *doc)
{
	if (evbuffer_get_length(bufferevent_get_output(client->bev)) > CLIENT_UNREAD_MAX) {
		json_decref(doc);
		client->watching = client->following = false;
		client_close(client);
		return;
	}
	reply(client, doc);
}

static bool changes_active(const char *what)
{
	return what && (strcmp(what, "Loaded") == 0 || strcmp(what, "Unloaded") == 0 ||
			strcmp(what, "Activated") == 0);
}

static void on_change(void *ctx, json_t *event)
{
	struct clients *clients = ctx;
	bool active = changes_active(json_string_value(json_object_get(event, "Event")));

	for (struct client *c = clients->first, *next; c; c = next) {
		next = c->next;
		if (c->notify && active) {
			c->notify = false;
			reply(c, json_pack("{s:s, s:b}", "DirectorResponse", "NotificationOfUpdate",
					   "Success", 1));
		}
		if (c->watching && !c->ending)
			stream(c, json_incref(event));
	}
}

static void on_output(void *ctx, const char *who, const char *text, size_t len)
{
	struct clients *clients = ctx;
	tds_autofree char *line = strndup(text, len);

	actorlog_add(clients->settings->log, who, text, len);
	for (struct client *c = clients->first, *next; c; c = next) {
		next = c->next;
		if (c->following && !c->ending && line)
			stream(c,
			       json_pack("{s:s, s:o?, s:o?}", "Event", "Output", "From",
					 tds_cli_json_text(who), "Text", tds_cli_json_text(line)));
	}
}

/* Message too, where it says exactly the same as the literal. */
static json_t *answer_json(const struct payload *payload)
{
	tds_autofree char *text = strndup(payload->data, payload->len);
	tds_auto(value) struct tds_value *value = NULL;
	json_t *doc = json_pack("{s:s, s:b, s:o?}", "DirectorResponse", "Answer", "Success",
				payload->encoding == ENCODING_LITERAL, "Literal",
				text ? tds_cli_json_text(text) : NULL);

	if (doc && payload->encoding == ENCODING_POISON) {
		(void)json_object_set_new(doc, "Status", json_integer(1));
		(void)json_object_set_new(doc, "Message",
					  json_string("the actor failed on it (PoisonMessage)"));
	} else if (doc && tds_literal_parse(text, strlen(text), false, &value, NULL) == 0) {
		json_t *plain = tds_value_plain_json(value);

		if (plain)
			(void)json_object_set_new(doc, "Message", plain);
	}
	return doc;
}

static bool on_answer(void *ctx, uint64_t endpoint, const struct payload *payload)
{
	struct clients *clients = ctx;

	for (struct client *c = clients->first; c; c = c->next) {
		if (c->endpoint != endpoint || c->ending)
			continue;
		finish(c, answer_json(payload));
		serve(c);
		return true;
	}
	return false;
}

struct clients *clients_new(struct event_base *base, int listener, struct director *director,
			    const struct clients_settings *settings)
{
	struct clients *clients = calloc(1, sizeof(*clients));

	if (!clients)
		return NULL;
	*clients = (struct clients){
		.base = base, .listener = listener, .director = director, .settings = settings
	};
	clients->accept = event_new(base, listener, EV_READ | EV_PERSIST, on_accept, clients);
	if (!clients->accept || evutil_make_socket_nonblocking(listener) != 0 ||
	    event_add(clients->accept, NULL) != 0) {
		clients_free(clients);
		return NULL;
	}
	director_watch(director, &(struct director_watch){ .change = on_change,
							   .output = on_output,
							   .answer = on_answer,
							   .ctx = clients });
	return clients;
}

void clients_free(struct clients *clients)
{
	if (!clients)
		return;
	while (clients->first) {
		/* The answer to a shutdown, say, is still worth a try. */
		struct evbuffer *out = bufferevent_get_output(clients->first->bev);

		(void)evbuffer_unfreeze(out, 1);
		(void)evbuffer_write(out, bufferevent_getfd(clients->first->bev));
		client_free(clients->first);
	}
	if (clients->accept)
		event_free(clients->accept);
	(void)close(clients->listener);
	free(clients);
}
