/* SPDX-License-Identifier: MIT */
#include "fake_engine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fake_engine *to_fake(const struct engine *engine)
{
	return (struct fake_engine *)(uintptr_t)engine;
}

/* What is not in the engine's lists is gone: nobody may hand it in any more. */
static struct fake_source *source_of(const struct fake_engine *engine,
				     const struct engine_source *source)
{
	struct fake_source *s = engine->sources;

	while (s && &s->pub != source)
		s = s->next;
	assert(s);
	return s;
}

static struct fake_actor *actor_of(const struct fake_engine *engine,
				   const struct engine_actor *actor)
{
	struct fake_actor *a = engine->actors;

	while (a && &a->pub != actor)
		a = a->next;
	assert(a);
	return a;
}

unsigned fake_number(const struct fake_source *source)
{
	return (unsigned)strtoul(source->md5 + 24, NULL, 16);
}

struct fake_source *fake_source(const struct fake_engine *engine, unsigned number)
{
	struct fake_source *s = engine->sources;

	while (s && fake_number(s) != number)
		s = s->next;
	return s;
}

struct fake_actor *fake_actor(const struct fake_engine *engine, unsigned number,
			      const char *class_name)
{
	struct fake_actor *a = engine->actors;

	while (a && (fake_number(a->of) != number || strcmp(a->class_name, class_name) != 0))
		a = a->next;
	return a;
}

/* --- what happens --- */

void fake_imported(struct fake_engine *engine, struct fake_source *source, const char *error)
{
	json_t *classes = error ? NULL : json_object();
	const json_t *name;
	size_t i;

	assert(!source->told && !source->ended);
	source->told = true;
	json_array_foreach(source->names, i, name)
	{
		if (classes)
			(void)json_object_set(classes, json_string_value(name), (json_t *)name);
	}
	engine->events->imported(engine->ctx, &source->pub, classes, error);
	json_decref(classes);
}

void fake_up(struct fake_engine *engine, struct fake_actor *actor)
{
	assert(!actor->pub.up && !actor->failed);
	actor->pub.up = true;
	engine->events->actor_up(engine->ctx, &actor->pub);
}

void fake_failed(struct fake_engine *engine, struct fake_actor *actor, const char *error)
{
	assert(!actor->pub.up && !actor->failed);
	actor->failed = true;
	engine->events->actor_failed(engine->ctx, &actor->pub, error);
}

void fake_taken(struct fake_engine *engine, struct fake_actor *actor, const char *error)
{
	char ref[REFERENCE_SIZE];

	assert(actor->ref[0]);
	memcpy(ref, actor->ref, sizeof(ref));
	actor->ref[0] = '\0';
	engine->events->message_done(engine->ctx, &actor->pub, ref, error);
}

bool fake_forge(struct fake_engine *engine, const struct fake_actor *forger,
		const struct fake_actor *asked, enum encoding encoding)
{
	struct payload payload = { .encoding = encoding, .data = "'fine'", .len = 6 };

	assert(asked->endpoint);
	return engine->events->answer(engine->ctx, &forger->of->pub, asked->endpoint, &payload);
}

bool fake_answer(struct fake_engine *engine, struct fake_actor *actor, enum encoding encoding)
{
	const struct fake_actor asked = *actor;

	actor->endpoint = 0;
	return fake_forge(engine, actor, &asked, encoding);
}

/* As in a real engine it leaves first, and is freed last; what it was at is told to have ended with it. */
void fake_exited(struct fake_engine *engine, struct fake_actor *actor, const char *ending)
{
	bool came_up = actor->pub.up;
	struct fake_actor **p = &engine->actors;

	(void)snprintf(actor->pub.ending, ENGINE_ENDING_MAX, "%s", ending);
	if (!came_up && !actor->failed)
		fake_failed(engine, actor, ending);
	actor->pub.up = false;
	actor->name[0] = '\0';
	engine->events->actor_exited(engine->ctx, &actor->pub);
	if (actor->ref[0])
		fake_taken(engine, actor, ending);
	if (actor->endpoint && !came_up)
		engine->events->undelivered(engine->ctx, actor->endpoint);
	while (*p != actor)
		p = &(*p)->next;
	*p = actor->next;
	free(actor);
}

void fake_process_ended(struct fake_source *source)
{
	source->ended = true;
}

static struct fake_actor *first_of(const struct fake_engine *engine,
				   const struct fake_source *source)
{
	struct fake_actor *a = engine->actors;

	while (a && a->of != source)
		a = a->next;
	return a;
}

void fake_source_gone(struct fake_engine *engine, struct fake_source *source,
		      const char *last_words)
{
	struct fake_source **p = &engine->sources;
	struct fake_actor *actor;

	fake_process_ended(source);
	while ((actor = first_of(engine, source)))
		fake_exited(engine, actor, "killed by signal 9");
	while (*p != source)
		p = &(*p)->next;
	*p = source->next;
	source->pub.last_words = last_words;
	engine->events->source_gone(engine->ctx, &source->pub);
	json_decref(source->names);
	free(source);
}

/* --- what is asked --- */

/* It tells nothing any more. */
static void op_close(struct engine *head)
{
	struct fake_engine *engine = to_fake(head);

	while (engine->actors) {
		struct fake_actor *actor = engine->actors;

		engine->actors = actor->next;
		free(actor);
	}
	while (engine->sources) {
		struct fake_source *source = engine->sources;

		engine->sources = source->next;
		json_decref(source->names);
		free(source);
	}
	free(engine);
}

static bool op_busy(const struct engine *head)
{
	return to_fake(head)->sources != NULL;
}

static void op_prepare(struct engine *head)
{
	to_fake(head)->prepared++;
}

static struct engine_source *op_load(struct engine *head, const struct engine_load *load,
				     struct tds_err *err)
{
	struct fake_engine *engine = to_fake(head);
	struct fake_source *source = calloc(1, sizeof(*source));

	assert(source && load->owner && load->archive >= 0);
	(void)close(load->archive);
	if (engine->fail_load || engine->stopped) {
		free(source);
		json_decref(load->names);
		tds_err_set(err, TDS_E_REFUSED, "no process could be started");
		return NULL;
	}
	source->pub.owner = load->owner;
	source->pub.number = ++engine->next_number;
	source->pub.origin = &source->pub;
	(void)snprintf(source->md5, sizeof(source->md5), "%s", load->md5);
	source->names = load->names;
	source->next = engine->sources;
	engine->sources = source;
	fake_trace_add(engine->trace, "load %u", fake_number(source));
	return &source->pub;
}

static void op_unload(struct engine *head, struct engine_source *pub)
{
	struct fake_engine *engine = to_fake(head);
	struct fake_source *source = source_of(engine, pub);

	source->stopping = true;
	fake_trace_add(engine->trace, "unload %u", fake_number(source));
}

static struct fake_actor *actor_new(struct fake_engine *engine, struct fake_source *source,
				    const char *class_name, void *owner)
{
	struct fake_actor *actor = calloc(1, sizeof(*actor));
	struct fake_actor **last = &engine->actors;

	assert(actor);
	actor->pub = (struct engine_actor){ .owner = owner, .source = &source->pub, .pid = 1 };
	actor->of = source;
	(void)snprintf(actor->pub.address, ENGINE_ADDRESS_MAX, "%u.%ju", fake_number(source),
		       (uintmax_t)++engine->next_id);
	(void)snprintf(actor->class_name, sizeof(actor->class_name), "%s", class_name);
	actor->pub.class_name = actor->class_name;
	while (*last)
		last = &(*last)->next;
	*last = actor;
	return actor;
}

static struct engine_actor *op_create(struct engine *head, struct engine_source *pub,
				      const char *class_name, void *owner, struct tds_err *err)
{
	struct fake_engine *engine = to_fake(head);
	struct fake_source *source = source_of(engine, pub);

	assert(source->told && class_name && owner);
	if (engine->fail_create || source->stopping || source->ended || engine->stopped) {
		tds_err_set(err, TDS_E_REFUSED, "no process could be started");
		return NULL;
	}
	fake_trace_add(engine->trace, "create %u %s", fake_number(source), class_name);
	return &actor_new(engine, source, class_name, owner)->pub;
}

static bool op_full(struct engine *head, const struct engine_actor *to)
{
	(void)head, (void)to;
	return false;
}

static void op_send(struct engine *head, struct engine_actor *to,
		    const struct engine_message *message)
{
	struct fake_engine *engine = to_fake(head);
	struct fake_actor *actor = actor_of(engine, to);

	assert(!message->ref || message->endpoint == 0);
	if (message->ref)
		(void)snprintf(actor->ref, sizeof(actor->ref), "%s", message->ref);
	if (message->endpoint)
		actor->endpoint = message->endpoint;
	fake_trace_add(engine->trace, "send %u %s %.*s", fake_number(actor->of), actor->class_name,
		       (int)message->payload.len, (const char *)message->payload.data);
}

static void op_post(struct engine *head, uint64_t from, uint64_t to, const struct payload *payload)
{
	(void)head;
	(void)from;
	(void)to;
	(void)payload;
}

static struct fake_actor *named(const struct fake_engine *engine, const char *name)
{
	struct fake_actor *a = engine->actors;

	while (a && strcmp(a->name, name) != 0)
		a = a->next;
	return a;
}

static bool op_bind(struct engine *head, const char *name, struct engine_actor *pub)
{
	struct fake_engine *engine = to_fake(head);
	struct fake_actor *before = named(engine, name);
	struct fake_actor *actor = pub ? actor_of(engine, pub) : NULL;

	if (before)
		before->name[0] = '\0';
	if (actor)
		(void)snprintf(actor->name, sizeof(actor->name), "%s", name);
	if (actor)
		fake_trace_add(engine->trace, "bind %s %u %s", name, fake_number(actor->of),
			       actor->class_name);
	else
		fake_trace_add(engine->trace, "bind %s -", name);
	return true;
}

static struct engine_actor *op_find(struct engine *head, const char *address)
{
	struct fake_actor *a = to_fake(head)->actors;

	while (a && strcmp(a->pub.address, address) != 0)
		a = a->next;
	return a ? &a->pub : NULL;
}

static struct engine_actor *op_find_name(struct engine *head, const char *name)
{
	struct fake_actor *actor = named(to_fake(head), name);

	return actor ? &actor->pub : NULL;
}

static uint64_t op_ticket(struct engine *head)
{
	return ++to_fake(head)->next_id;
}

static void op_counts(const struct engine *head, struct engine_counts *counts)
{
	*counts = to_fake(head)->counts;
}

static void op_each_actor(const struct engine *head,
			  void (*show)(void *ctx, const struct engine_actor_view *actor), void *ctx)
{
	for (const struct fake_actor *a = to_fake(head)->actors; a; a = a->next)
		show(ctx, &(struct engine_actor_view){ .actor = &a->pub, .parent = "" });
}

static void op_each_budget(const struct engine *head,
			   void (*show)(void *ctx, const struct engine_budget_view *budget),
			   void *ctx)
{
	for (const struct fake_source *s = to_fake(head)->sources; s; s = s->next)
		show(ctx, &(struct engine_budget_view){ .source = &s->pub });
}

static void op_each_limits(const struct engine *head,
			   void (*show)(void *ctx, const struct engine_limits_view *limits),
			   void *ctx)
{
	const struct tds_cgroup_use use = { .pids = 3,
					    .memory = 4096,
					    .most = { .pids = 2048, .memory = TDS_CGROUP_NONE } };

	for (const struct fake_source *s = to_fake(head)->sources; s; s = s->next)
		show(ctx, &(struct engine_limits_view){ .source = &s->pub, .use = use });
}

static void op_stop(struct engine *head)
{
	to_fake(head)->stopped = true;
	fake_trace_add(to_fake(head)->trace, "stop");
}

static const struct engine_ops ops = {
	.close = op_close,
	.busy = op_busy,
	.prepare = op_prepare,
	.load = op_load,
	.unload = op_unload,
	.create = op_create,
	.send = op_send,
	.full = op_full,
	.post = op_post,
	.bind = op_bind,
	.find = op_find,
	.find_name = op_find_name,
	.ticket = op_ticket,
	.counts = op_counts,
	.each_actor = op_each_actor,
	.each_budget = op_each_budget,
	.each_limits = op_each_limits,
	.stop = op_stop,
};

struct fake_engine *fake_engine_open(const struct engine_events *events, void *ctx)
{
	struct fake_engine *engine = calloc(1, sizeof(*engine));

	if (engine)
		*engine = (struct fake_engine){
			.engine = { .ops = &ops }, .events = events, .ctx = ctx, .next_id = 100
		};
	return engine;
}

struct fake_actor *fake_stranger(struct fake_engine *engine, struct fake_source *source,
				 const char *name)
{
	struct fake_actor *actor = actor_new(engine, source, "stranger", NULL);

	actor->pub.up = true;
	(void)snprintf(actor->name, sizeof(actor->name), "%s", name);
	return actor;
}
