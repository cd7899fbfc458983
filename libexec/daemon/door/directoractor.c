/* SPDX-License-Identifier: MIT */
/* The Director as an actor: literals to JSON Lines, and the answers to tagged JSON. */
#include "directoractor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "base/mem.h"
#include "director/rundir.h"
#include "literal/literal.h"
#include "literal/repr.h"
#include "literal/value.h"

#define QUESTIONS_MAX 64             /* that are not answered yet */
#define QUESTION_MAX_BYTES (1 << 20) /* as on the socket */

struct question {
	struct directoractor *actor;
	struct question *next;
	struct question **self;
	uint64_t from;
	struct bufferevent *bev;
};

struct directoractor {
	struct event_base *base;
	struct engine *engine;
	int rundir;
	struct question *first;
	unsigned n;
};

struct directoractor *directoractor_new(struct event_base *base, struct engine *engine, int rundir)
{
	struct directoractor *actor = calloc(1, sizeof(*actor));

	if (actor)
		*actor = (struct directoractor){ .base = base, .engine = engine, .rundir = rundir };
	return actor;
}

static void question_free(struct question *question)
{
	*question->self = question->next;
	if (question->next)
		question->next->self = question->self;
	question->actor->n--;
	if (question->bev)
		bufferevent_free(question->bev);
	free(question);
}

void directoractor_free(struct directoractor *actor)
{
	while (actor && actor->first)
		question_free(actor->first);
	free(actor);
}

/* --- answers --- */

/* A time of the protocol as Thespian's Director gives it: a datetime without zone, local. */
static json_t *local_time(const char *text)
{
	struct tm tm = { 0 };
	char local[40];
	int ms = 0;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) != 7)
		return json_string(text);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	time_t seconds = timegm(&tm);
	if (!localtime_r(&seconds, &tm))
		return json_string(text);
	size_t n = strftime(local, sizeof(local), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(local + n, sizeof(local) - n, ".%03d", ms);
	return json_pack("{s:[s, i, n]}", "~datetime", local, 0);
}

/* Addresses and times become values of Python. A new reference. */
static json_t *tagged(const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_array(value)) {
		json_t *array = json_array();

		json_array_foreach(value, i, item)(void) json_array_append_new(array, tagged(item));
		return array;
	}
	if (!json_is_object(value))
		return json_incref((json_t *)(uintptr_t)value);
	const char *address = json_string_value(json_object_get(value, "ActorAddress"));
	if (address && json_object_size(value) == 1)
		return json_pack("{s:s}", "~address", address);
	/* A group's name may begin as a tag does. */
	bool plain = true;
	json_t *object = json_object();
	json_t *pairs = json_array();
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		json_t *to = strcmp(key, "StartTime") == 0 && json_is_string(item)
				     ? local_time(json_string_value(item))
				     : tagged(item);

		plain = plain && key[0] != '~';
		(void)json_array_append_new(pairs, json_pack("[s, O]", key, to));
		(void)json_object_set_new(object, key, to);
	}
	if (!plain) {
		json_decref(object);
		return json_pack("{s:o}", "~dict", pairs);
	}
	json_decref(pairs);
	return object;
}

/* Takes the reference. */
static void answer(struct directoractor *actor, uint64_t to, json_t *doc)
{
	const char *response = json_string_value(json_object_get(doc, "DirectorResponse"));

	/* Its documented name. The answer comes when the load has ended, and so says how. */
	if (response && strcmp(response, "SourceLoaded") == 0)
		(void)json_object_set_new(doc, "DirectorResponse", json_string("SourceLoading"));
	else if (response && strcmp(response, "RoleAddress") == 0) /* documented to have these */
		(void)json_object_update_missing_new(
			doc, json_pack("{s:n, s:n}", "Group", "SourceHash"));
	json_t *python = tagged(doc);
	tds_autofree char *text = json_dumps(python, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (text)
		actor->engine->ops->post(actor->engine, DIRECTOR_ID, to,
					 &(struct payload){ .encoding = ENCODING_TAGGED,
							    .data = text,
							    .len = strlen(text) });
	json_decref(python);
	json_decref(doc);
}

static void refuse(struct directoractor *actor, uint64_t to, const char *why)
{
	answer(actor, to,
	       json_pack("{s:s, s:b, s:s}", "DirectorResponse", "Error", "Success", 0, "Message",
			 why));
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct question *question = arg;
	size_t len;
	char *line = evbuffer_readln(bufferevent_get_input(bev), &len, EVBUFFER_EOL_LF);

	if (!line)
		return;
	json_t *doc = json_loadb(line, len, 0, NULL);
	free(line);
	if (json_is_object(doc))
		answer(question->actor, question->from, doc);
	else
		json_decref(doc);
	question_free(question);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		question_free(arg);
}

/* --- questions --- */

static int connect_self(const struct directoractor *actor)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	tds_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/" TDS_RUNDIR_SOCKET,
		       actor->rundir);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		return -1;
	return tds_steal_fd(&fd);
}

/* Ask on the socket; takes the reference. False: not possible now. */
static bool ask(struct directoractor *actor, uint64_t from, json_t *request)
{
	tds_autofree char *text = json_dumps(request, JSON_COMPACT);
	tds_autofd int fd = text && actor->n < QUESTIONS_MAX ? connect_self(actor) : -1;
	struct question *question = fd < 0 ? NULL : calloc(1, sizeof(*question));

	json_decref(request);
	if (!question)
		return false;
	*question = (struct question){
		.actor = actor, .next = actor->first, .self = &actor->first, .from = from
	};
	if (question->next)
		question->next->self = &question->next;
	actor->first = question;
	actor->n++;
	question->bev = bufferevent_socket_new(actor->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!question->bev) {
		question_free(question);
		return false;
	}
	(void)tds_steal_fd(&fd);
	bufferevent_setcb(question->bev, on_read, NULL, on_event, question);
	(void)bufferevent_write(question->bev, text, strlen(text));
	(void)bufferevent_write(question->bev, "\n", 1);
	(void)bufferevent_enable(question->bev, EV_READ | EV_WRITE);
	return true;
}

/* The messages of a declaration may be any literals, which JSON does not say: so it goes as text. */
static json_t *declaration(struct tds_value *value)
{
	const struct tds_value *group = tds_value_get(value, "Group");
	struct tds_value rest = { .type = TDS_VALUE_DICT };

	rest.items = calloc(value->n ? 2 * value->n : 1, sizeof(*rest.items));
	for (size_t i = 0; rest.items && i < value->n; i++) {
		const struct tds_value *key = value->items[2 * i];

		if (key->type == TDS_VALUE_STR &&
		    (strcmp(key->text, "Group") == 0 || strcmp(key->text, "DirectorOp") == 0))
			continue;
		rest.items[2 * rest.n] = value->items[2 * i];
		rest.items[2 * rest.n + 1] = value->items[2 * i + 1];
		rest.n++;
	}
	tds_autofree char *text = rest.items ? tds_value_repr(&rest) : NULL;
	free(rest.items);
	return json_pack("{s:s, s:o, s:s}", "DirectorOp", "DefineGroup", "Group",
			 group && group->type == TDS_VALUE_STR ? json_string(group->text)
							       : json_null(),
			 "Literal", text ? text : "");
}

static const struct {
	const char *name;
	bool changes;
} operations[] = {
	{ "RetrieveAll", false }, { "RetrieveRole", false }, { "RequestNotification", false },
	{ "DefineGroup", true },  { "LoadSource", true },    { "UnloadSource", true },
	{ "Refresh", true },      { "Status", false },
};

static int find_operation(const struct tds_value *value)
{
	const struct tds_value *name = tds_value_get(value, "DirectorOp");

	for (size_t i = 0;
	     name && name->type == TDS_VALUE_STR && i < sizeof(operations) / sizeof(operations[0]);
	     i++)
		if (strcmp(name->text, operations[i].name) == 0)
			return (int)i;
	return -1;
}

void directoractor_take(struct directoractor *actor, uint64_t from, bool may_change,
			const struct payload *payload)
{
	tds_auto(value) struct tds_value *value = NULL;
	struct tds_err err = { 0 };

	if (payload->encoding != ENCODING_LITERAL || payload->len > QUESTION_MAX_BYTES ||
	    tds_literal_parse(payload->data, payload->len, false, &value, &err) != 0 ||
	    !tds_value_get(value, "DirectorOp"))
		return;
	int op = find_operation(value);
	if (op < 0 || (operations[op].changes && !may_change)) {
		refuse(actor, from, op < 0 ? "no such DirectorOp" : "not allowed");
		return;
	}
	json_t *request = strcmp(operations[op].name, "DefineGroup") == 0
				  ? declaration(value)
				  : tds_value_plain_json(value);
	if (!request)
		refuse(actor, from, "a field has a value that it cannot have");
	else if (!ask(actor, from, request))
		refuse(actor, from, "too many questions");
}
