/* SPDX-License-Identifier: MIT */
/* The Director as an actor: literals to requests, and the answers to tagged JSON. */
#include "directoractor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "daemon/base/budget.h"
#include "literal/literal.h"
#include "literal/repr.h"
#include "literal/value.h"

#define QUESTIONS_MAX 256            /* that are not answered yet */
#define QUESTION_MAX_BYTES (1 << 20) /* as on the socket */
#define NOTIFIED_MAX 1024            /* actors that wait to be notified */

/*
 * The engine that brings a question is in the middle of something else: so the question is taken, and its answer given, in
 * a turn of its own.
 */
enum question_state {
	QUESTION_ASKED,    /* request is to be taken */
	QUESTION_TAKEN,    /* the answer is to come */
	QUESTION_ANSWERED, /* the answer is to be given */
	QUESTION_OVER      /* a notification was asked for, which is no question any more */
};

struct question {
	struct asker asker;
	struct directoractor *actor;
	struct question *next; /* asked later */
	struct question **self;
	enum question_state state;
	uint64_t from;
	uint32_t source; /* that it is of */
	char address[ENGINE_ADDRESS_MAX];
	uid_t uid;  /* of a program: its user */
	json_t *by; /* who that is, for the event log */
	struct tds_asking
		asking;  /* what it may; a copy, since it may be gone when its turn comes */
	json_t *request; /* NULL: it has a value that JSON has not */
	json_t *answer;
};

/* Who is to be notified, and the source that it is of. */
struct notified {
	uint64_t id;
	uint32_t source;
};

struct directoractor {
	struct door *door;
	dispatch_fn *dispatch;
	struct event *turn;
	struct question *first;
	struct question **last;
	unsigned n;
	/*
	 * Who is to be notified, each once, in the order in which they asked. Nobody tells that one of them is gone: so they
	 * have a bound of their own, and take no question's place.
	 */
	struct notified notified[NOTIFIED_MAX];
	size_t nnotified;
	bool changed; /* since the last turn: they are to be told */
};

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
static void post(const struct directoractor *actor, uint64_t to, json_t *doc)
{
	struct engine *engine = actor->door->settings->engine;
	const char *response = json_string_value(json_object_get(doc, "DirectorResponse"));

	/* Its documented name. The answer comes when the load has ended, and so says how. */
	if (response && strcmp(response, "SourceLoaded") == 0)
		(void)json_object_set_new(doc, "DirectorResponse", json_string("SourceLoading"));
	else if (response && strcmp(response, "RoleAddress") == 0) /* documented to have these */
		(void)json_object_update_missing_new(
			doc, json_pack("{s:n, s:n}", "Group", "SourceHash"));
	json_t *python = tagged(doc);
	tds_autofree char *text = tds_json_text(python, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (text)
		engine->ops->post(engine, DIRECTOR_ID, to,
				  &(struct payload){ .encoding = ENCODING_TAGGED,
						     .data = text,
						     .len = strlen(text) });
	json_decref(python);
	json_decref(doc);
}

/* --- questions --- */

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

static void question_free(struct question *question)
{
	struct directoractor *actor = question->actor;

	*question->self = question->next;
	if (question->next)
		question->next->self = question->self;
	else
		actor->last = question->self;
	actor->n--;
	json_decref(question->by);
	tds_asking_fini(&question->asking);
	json_decref(question->request);
	json_decref(question->answer);
	free(question);
}

static struct question *question_of(struct asker *asker)
{
	return (struct question *)(void *)((char *)asker - offsetof(struct question, asker));
}

static void on_answer(struct asker *asker, json_t *doc)
{
	struct question *question = question_of(asker);

	question->answer = doc;
	question->state = QUESTION_ANSWERED;
	event_active(question->actor->turn, EV_TIMEOUT, 1);
}

/* --- notifications --- */

static void unlist(struct directoractor *actor, size_t i)
{
	actor->nnotified--;
	memmove(&actor->notified[i], &actor->notified[i + 1],
		(actor->nnotified - i) * sizeof(actor->notified[0]));
}

static void notify_all(struct directoractor *actor)
{
	size_t n = actor->nnotified;

	actor->changed = false;
	actor->nnotified = 0;
	for (size_t i = 0; i < n; i++)
		post(actor, actor->notified[i].id, notification_json());
}

/* Whose place is taken where there is none: the oldest's, but of a source that has half of them its own oldest's. */
static size_t find_displaced(const struct directoractor *actor, uint32_t source)
{
	size_t own = 0;
	size_t n = 0;

	for (size_t i = NOTIFIED_MAX; i-- > 0;)
		if (actor->notified[i].source == source) {
			own = i;
			n++;
		}
	return n >= NOTIFIED_MAX / 2 ? own : 0;
}

/* One that asks again is the newest; one that makes room for another hears so if it is still there. */
static void list(struct directoractor *actor, uint64_t from, uint32_t source)
{
	if (actor->changed) /* that was before this one asked */
		notify_all(actor);
	for (size_t i = 0; i < actor->nnotified; i++)
		if (actor->notified[i].id == from) {
			unlist(actor, i);
			break;
		}
	if (actor->nnotified == NOTIFIED_MAX) {
		size_t displaced = find_displaced(actor, source);

		post(actor, actor->notified[displaced].id,
		     failure_json("NotificationOfUpdate", 1, "too many wait to be notified"));
		unlist(actor, displaced);
	}
	actor->notified[actor->nnotified++] = (struct notified){ .id = from, .source = source };
}

static void on_stay(struct asker *asker)
{
	struct question *question = question_of(asker);

	list(question->actor, question->from, question->source);
	question->state = QUESTION_OVER;
}

static struct tds_asking on_asking(struct asker *asker)
{
	return question_of(asker)->asking;
}

static void on_identify(struct asker *asker, struct requester *by)
{
	const struct question *question = question_of(asker);

	by->by = json_incref(question->by);
	by->actor = director_actor(asker->door->director, question->address);
	if (question->asking.kind != TDS_ASKER_ACTOR)
		by->refused_mono_ms = director_told_of_user(asker->door->director, question->uid);
}

static const struct asker_ops question_ops = {
	.answer = on_answer, .stay = on_stay, .asking = on_asking, .identify = on_identify
};

/* --- turns --- */

static void take_turn(struct question *question)
{
	struct directoractor *actor = question->actor;

	if (question->state == QUESTION_ASKED) {
		question->state = QUESTION_TAKEN;
		actor->dispatch(&question->asker, question->request,
				"a field has a value that it cannot have");
	}
	if (question->state == QUESTION_ANSWERED)
		post(actor, question->from, tds_steal(&question->answer));
	if (question->state >= QUESTION_ANSWERED)
		question_free(question);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct directoractor *actor = arg;

	(void)fd;
	(void)what;
	if (actor->changed)
		notify_all(actor);
	for (struct question *q = actor->first, *next; q; q = next) {
		next = q->next;
		take_turn(q);
	}
}

/* False: no memory is left. */
static bool add(struct directoractor *actor, const struct engine_asker *from, json_t *request)
{
	const struct director *director = actor->door->director;
	struct question *question = calloc(1, sizeof(*question));
	struct tds_asking asking;

	if (!question)
		return false;
	director_asking(director, from, &asking);
	*question = (struct question){ .asker = { .ops = &question_ops, .door = actor->door },
				       .actor = actor,
				       .self = actor->last,
				       .from = from->id,
				       .source = from->source->number,
				       .uid = from->uid,
				       .by = director_asker_json(director, from),
				       .request = request };
	(void)snprintf(question->address, sizeof(question->address), "%s", from->address);
	if (!tds_asking_copy(&asking, &question->asking)) {
		json_decref(question->by);
		free(question);
		return false;
	}
	*actor->last = question;
	actor->last = &question->next;
	actor->n++;
	event_active(actor->turn, EV_TIMEOUT, 1);
	return true;
}

/* A source that asks and asks leaves others as many places as it takes. */
static bool may_ask(const struct directoractor *actor, const struct engine_asker *from)
{
	size_t mine = 0;

	for (const struct question *q = actor->first; q; q = q->next)
		mine += q->source == from->source->number;
	return budget_has_place(mine, actor->n, QUESTIONS_MAX);
}

void directoractor_take(struct directoractor *actor, const struct engine_asker *from,
			const struct payload *payload)
{
	tds_auto(value) struct tds_value *value = NULL;
	const struct tds_value *name;

	if (payload->encoding != ENCODING_LITERAL || payload->len > QUESTION_MAX_BYTES ||
	    tds_literal_parse(payload->data, payload->len, false, &value, NULL) != 0 ||
	    !(name = tds_value_get(value, "DirectorOp")))
		return;
	bool defines = name->type == TDS_VALUE_STR && strcmp(name->text, "DefineGroup") == 0;
	bool may = may_ask(actor, from);
	json_t *request = !may ? NULL : defines ? declaration(value) : tds_value_plain_json(value);
	if (may && add(actor, from, request))
		return;
	json_decref(request);
	post(actor, from->id, failure_json("Error", 1, "too many questions"));
}

void directoractor_changed(struct directoractor *actor)
{
	if (actor->nnotified == 0)
		return;
	actor->changed = true;
	event_active(actor->turn, EV_TIMEOUT, 1);
}

struct directoractor *directoractor_new(struct door *door, struct event_base *base,
					dispatch_fn *dispatch)
{
	struct directoractor *actor = calloc(1, sizeof(*actor));

	if (!actor)
		return NULL;
	*actor = (struct directoractor){ .door = door, .dispatch = dispatch };
	actor->last = &actor->first;
	actor->turn = evtimer_new(base, on_turn, actor);
	if (actor->turn)
		return actor;
	free(actor);
	return NULL;
}

void directoractor_free(struct directoractor *actor)
{
	if (!actor)
		return;
	while (actor->first)
		question_free(actor->first);
	event_free(actor->turn);
	free(actor);
}
