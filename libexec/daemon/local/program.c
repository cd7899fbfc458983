/* SPDX-License-Identifier: MIT */
/* Programs: what they ask for, and how they and their realm end. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

#include "usersource.h"

#define PENDING_MAX 256 /* of one actor */

/* A program that waits for an actor to be up. */
struct pending_create {
	struct pending_create *next;
	uint64_t endpoint;
	json_int_t ref;
};

/* --- life of programs and of their process --- */

static struct endpoint *endpoint_by_id(const struct local *engine, uint64_t id)
{
	struct bearer *bearer = registry_find(&engine->registry, id);

	return bearer && bearer->kind == BEARER_PROGRAM && !bearer->link->ended
		       ? (struct endpoint *)((uintptr_t)bearer - offsetof(struct endpoint, bearer))
		       : NULL;
}

/* Whether a program is there; what its actors have joined as goes with it. */
static bool has_programs(const struct local *engine)
{
	for (const struct realm *r = engine->realms; r; r = r->next)
		for (const struct endpoint *e = r->program ? r->program->endpoints : NULL; e;
		     e = e->next)
			if (!e->within)
				return true;
	return false;
}

static void on_endpoint_over(evutil_socket_t fd, short what, void *arg)
{
	struct endpoint *endpoint = arg;
	struct realm *realm = endpoint->realm;
	struct local *engine = realm->engine;

	(void)fd;
	(void)what;
	realm_ref(realm);
	program_endpoint_free(endpoint);
	program_changed(realm);
	realm_unref(realm);
	if (engine->ends_with_programs && !engine->stopping && !has_programs(engine))
		engine->events->shutdown_asked(engine->ctx, NULL);
}

struct endpoint *program_endpoint_new(struct realm *realm)
{
	struct local *engine = realm->engine;
	struct endpoint *endpoint = calloc(1, sizeof(*endpoint));

	if (!endpoint)
		return NULL;
	*endpoint = (struct endpoint){ .realm = realm,
				       .bearer = { .id = registry_id(&engine->registry),
						   .realm = realm->number,
						   .kind = BEARER_PROGRAM },
				       .link = { .fd = -1, .ended = true },
				       .next = realm->program->endpoints,
				       .self = &realm->program->endpoints };
	endpoint->bearer.link = &endpoint->link;
	if (endpoint->next)
		endpoint->next->self = &endpoint->next;
	realm->program->endpoints = endpoint;
	realm->program->nendpoints++;
	realm_ref(realm);
	endpoint->over = evtimer_new(engine->base, on_endpoint_over, endpoint);
	if (endpoint->over && registry_add(&engine->registry, &endpoint->bearer))
		return endpoint;
	program_endpoint_free(endpoint);
	return NULL;
}

void program_endpoint_free(struct endpoint *endpoint)
{
	struct realm *realm = endpoint->realm;

	registry_remove(&realm->engine->registry, &endpoint->bearer);
	*endpoint->self = endpoint->next;
	if (endpoint->next)
		endpoint->next->self = endpoint->self;
	realm->program->nendpoints--;
	realm->budget.descriptors -= endpoint->link.fd >= 0;
	link_fini(&endpoint->link);
	if (endpoint->over)
		event_free(endpoint->over);
	free(endpoint);
	realm_unref(realm);
}

static void on_endpoint_ended(void *ctx)
{
	struct endpoint *endpoint = ctx;

	event_active(endpoint->over, EV_TIMEOUT, 0);
}

/* The process is gone, as far as we can see: its actors go too, by their death signal or by the end of their links. */
static void on_process_over(evutil_socket_t fd, short what, void *arg)
{
	struct realm *realm = arg;

	(void)fd;
	(void)what;
	realm_ref(realm);
	link_fini(&realm->link);
	forkserver_lost(realm);
	realm_process_over(realm);
	realm_await_actors(realm);
	realm_unref(realm);
}

void program_kill(struct realm *realm)
{
	if (!realm->program->over)
		realm->program->over = evtimer_new(realm->engine->base, on_process_over, realm);
	if (realm->program->over)
		event_active(realm->program->over, EV_TIMEOUT, 0);
}

/*
 * With neither programs nor actors, its process is of no use, unless the system is the user's own. Programs of a realm
 * that stops are cut off when all else of it is gone.
 */
void program_changed(struct realm *realm)
{
	struct program *program = realm->program;
	bool empty = !realm->actors && !usersource_busy(realm);

	if (realm->state == REALM_STOPPING && realm->process == PROCESS_NONE && empty)
		for (struct endpoint *e = program->endpoints; e; e = e->next)
			event_active(e->over, EV_TIMEOUT, 0);
	else if (empty && !program->endpoints && realm->state != REALM_STOPPING &&
		 !realm->engine->config->transient)
		realm_stop(realm);
}

void program_close(struct realm *realm)
{
	while (realm->program->endpoints)
		program_endpoint_free(realm->program->endpoints);
	realm_process_over(realm);
}

void program_free(struct realm *realm)
{
	if (realm->program->over)
		event_free(realm->program->over);
	free(realm->program);
}

void programs_stop(struct local *engine)
{
	engine->stopping = true;
	for (struct realm *r = engine->realms, *next; r; r = next) {
		next = r->next;
		if (r->kind != REALM_PROGRAM)
			continue;
		realm_ref(r);
		realm_stop(r);
		if (r->process == PROCESS_NONE)
			program_kill(r);
		next = r->next;
		realm_unref(r);
	}
}

/* --- what a program asks for --- */

static struct sender sender_at(struct endpoint *endpoint)
{
	return (struct sender){ .engine = endpoint->realm->engine,
				.of = endpoint->realm,
				.id = endpoint->bearer.id,
				.link = &endpoint->link };
}

static void created(struct endpoint *endpoint, json_int_t ref, const char *address)
{
	link_control(&endpoint->link,
		     json_pack("{s:s, s:I, s:s}", "op", "created", "ref", ref, "address", address));
}

/* No more of it than ERROR_MAX_BYTES, cut between characters. A new reference; NULL: out of memory. */
static json_t *short_text(const char *text)
{
	size_t len = strnlen(text, ERROR_MAX_BYTES + 1);

	if (len > ERROR_MAX_BYTES)
		for (len = ERROR_MAX_BYTES; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	return json_stringn(text, len);
}

static void refused(struct endpoint *endpoint, json_int_t ref, enum failure failure,
		    const char *error)
{
	/* What went wrong an actor may have told, at any length. */
	link_control(&endpoint->link,
		     json_pack("{s:s, s:I, s:s, s:o?}", "op", "refused", "ref", ref, "kind",
			       failure_name(failure), "error", short_text(error)));
}

void program_created(struct actor *actor, enum failure failure, const char *error)
{
	struct pending_create *next;

	for (struct pending_create *p = actor->pending; p; p = next) {
		struct endpoint *endpoint = endpoint_by_id(actor->realm->engine, p->endpoint);

		next = p->next;
		/* What failed only when it was constructed has an address; that it is dead is found out by asking it. */
		if (endpoint && error && failure_raises(failure))
			refused(endpoint, p->ref, failure, error);
		else if (endpoint)
			created(endpoint, p->ref, actor->pub.address);
		free(p);
	}
	actor->pending = NULL;
	actor->npending = 0;
}

/* A program that waits for an actor again and again leaves room for others that do. */
static bool may_await(const struct endpoint *endpoint, const struct actor *actor)
{
	unsigned mine = 0;

	for (const struct pending_create *p = actor->pending; p; p = p->next)
		mine += p->endpoint == endpoint->bearer.id;
	return budget_has_place(mine, actor->npending, PENDING_MAX);
}

static void await_creation(struct endpoint *endpoint, json_int_t ref, struct actor *actor)
{
	bool starting = actor->state == ACTOR_STARTING;
	bool refuses = starting && !may_await(endpoint, actor);
	struct pending_create *p = starting && !refuses ? malloc(sizeof(*p)) : NULL;

	if (refuses) {
		refused(endpoint, ref, FAILURE_PROCESS, "too many programs wait for this actor");
		return;
	}
	if (!p) {
		created(endpoint, ref, actor->pub.address);
		return;
	}
	*p = (struct pending_create){ .next = actor->pending,
				      .endpoint = endpoint->bearer.id,
				      .ref = ref };
	actor->pending = p;
	actor->npending++;
}

/* The realm that a program's request means. NULL: refused, and said so. */
static struct realm *realm_for(struct endpoint *endpoint, json_int_t ref, const char *hash)
{
	const struct sender from = sender_at(endpoint);
	struct realm *own = endpoint->realm;
	struct realm *realm = hash ? usersource_realm(own, hash) : own;

	if (own->engine->stopping)
		refused(endpoint, ref, FAILURE_SHUTDOWN, "the system is shutting down");
	else if (!realm ||
		 (realm_origin(realm) != own && !asker_may(&from, TDS_ASKED_CREATE_OTHER, realm)))
		refused(endpoint, ref, FAILURE_HASH, "no such source");
	else if (realm->process != PROCESS_RUNS && !realm_actors_wait(realm))
		refused(endpoint, ref, FAILURE_PARENT, "no process to start it from");
	else
		return realm;
	return NULL;
}

static void create(struct endpoint *endpoint, json_int_t ref, const json_t *op)
{
	const char *name = json_string_value(json_object_get(op, "name"));
	struct realm *realm =
		realm_for(endpoint, ref, json_string_value(json_object_get(op, "hash")));

	if (!realm)
		return;
	struct actor *actor = actor_create(realm, registry_id(&realm->engine->registry),
					   json_string_value(json_object_get(op, "class")),
					   json_object_get(op, "requirements"), name, 0, NULL);
	if (actor) {
		await_creation(endpoint, ref, actor);
		return;
	}
	refused(endpoint, ref, FAILURE_PROCESS, "no process could be started");
	realm_has_no_room(realm, NULL);
}

static bool op_create(struct endpoint *endpoint, const json_t *op)
{
	json_int_t ref = json_integer_value(json_object_get(op, "ref"));
	const char *name = json_string_value(json_object_get(op, "name"));
	struct actor *there = name ? actor_by_name(endpoint->realm->engine, name) : NULL;
	const struct sender from = sender_at(endpoint);

	const char *class_name = json_string_value(json_object_get(op, "class"));

	if (!class_name)
		return false;
	if (!actor_text_fits(class_name, name))
		refused(endpoint, ref, FAILURE_PROCESS, "the name is longer than 4096 bytes");
	else if (name && strcmp(name, DIRECTOR_NAME) == 0)
		created(endpoint, ref, DIRECTOR_ADDRESS);
	else if (there)
		await_creation(endpoint, ref, there);
	else if (name && !asker_may_name(&from, name))
		refused(endpoint, ref, FAILURE_NAME,
			"the global name belongs to a group, whose GROUP.tli declares it");
	else
		create(endpoint, ref, op);
	return true;
}

static bool op_shutdown(struct endpoint *endpoint, const json_t *op)
{
	const struct sender from = sender_at(endpoint);

	(void)op;
	ask_for_end(&from);
	return true;
}

static bool op_capability(struct endpoint *endpoint, const json_t *op)
{
	const struct sender from = sender_at(endpoint);
	const char *name = json_string_value(json_object_get(op, "name"));

	if (name)
		ask_for_capability(&from, name, json_string_value(json_object_get(op, "value")));
	return name != NULL;
}

static bool op_status(struct endpoint *endpoint, const json_t *op)
{
	(void)op;
	return status_answer(&endpoint->link, endpoint->realm);
}

static bool op_load(struct endpoint *endpoint, const json_t *op)
{
	const struct sender from = sender_at(endpoint);

	return usersource_load(&from, op);
}

static bool op_unload(struct endpoint *endpoint, const json_t *op)
{
	const struct sender from = sender_at(endpoint);

	return usersource_unload(&from, op);
}

static const struct {
	const char *name;
	bool (*run)(struct endpoint *endpoint, const json_t *op);
	enum asks asks;
} ops[] = {
	{ "create", op_create, ASKS_FORKER },
	{ "shutdown", op_shutdown, ASKS_NOTHING },
	{ "capability", op_capability, ASKS_NOTHING },
	{ "status", op_status, ASKS },
	{ "load", op_load, ASKS_NOTHING },
	{ "unload", op_unload, ASKS_NOTHING },
};

static enum link_verdict run(struct endpoint *endpoint, size_t i, const json_t *op)
{
	enum link_verdict verdict =
		usersource_may_ask(&endpoint->link, endpoint->realm, ops[i].asks, op);

	if (verdict == LINK_TAKEN && !ops[i].run(endpoint, op))
		verdict = LINK_BROKEN;
	return verdict;
}

static enum link_verdict take_control(struct endpoint *endpoint, const unsigned char *body,
				      size_t len)
{
	json_t *op = json_loadb((const char *)body, len, JSON_ALLOW_NUL, NULL);
	const char *name = json_string_value(json_object_get(op, "op"));
	enum link_verdict verdict = name ? LINK_TAKEN : LINK_BROKEN;

	for (size_t i = 0; name && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(name, ops[i].name) == 0)
			verdict = run(endpoint, i, op);
	json_decref(op);
	return verdict;
}

static enum link_verdict on_frame(void *ctx, enum frame_type type, const unsigned char *body,
				  size_t len)
{
	struct endpoint *endpoint = ctx;

	if (type == FRAME_MESSAGE || type == FRAME_MESSAGE_FD) {
		const struct sender from = sender_at(endpoint);

		return route_message(&from, type, body, len);
	}
	return type == FRAME_CONTROL ? take_control(endpoint, body, len) : LINK_BROKEN;
}

static void on_begins(void *ctx, enum frame_type type, const unsigned char *body)
{
	const struct sender from = sender_at(ctx);

	route_begins(&from, type, body);
}

const struct link_events program_link = { .frame = on_frame,
					  .begins = on_begins,
					  .ended = on_endpoint_ended };
