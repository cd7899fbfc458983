/* SPDX-License-Identifier: MIT */
/* What an actor asks of the admin, besides messages. */
#include <stdio.h>
#include <string.h>

#include "usersource.h"

/* The address of what an actor asked for, or would have had. */
static void name_it(struct actor *actor, const json_t *op, const char *address)
{
	if (json_object_get(op, "ref"))
		link_control(&actor->link, json_pack("{s:s, s:I, s:s}", "op", "named", "ref",
						     json_integer_value(json_object_get(op, "ref")),
						     "address", address));
}

static void refuse(struct actor *actor, const json_t *op, uint64_t id)
{
	char address[ENGINE_ADDRESS_MAX];

	registry_add_tombstone(&actor->realm->engine->registry, id, actor->realm->number, true);
	(void)snprintf(address, sizeof(address), "%u.%ju", actor->realm->number, (uintmax_t)id);
	link_control(&actor->link, json_pack("{s:s, s:s, s:b, s:b}", "op", "exited", "address",
					     address, "never", 1, "refused", 1));
	name_it(actor, op, address);
}

/* The realm that it may create an actor in. NULL: none. */
static struct realm *realm_for(struct actor *actor, const char *hash, const char *name)
{
	const struct sender from = sender_of(actor);
	struct realm *own = actor->realm;
	struct realm *realm = hash ? usersource_realm(own, hash) : own;
	bool near = realm && realm_origin(realm) == realm_origin(own);

	return realm && asker_may(&from, near ? TDS_ASKED_CREATE : TDS_ASKED_CREATE_OTHER, realm) &&
			       (!name || asker_may_name(&from, name))
		       ? realm
		       : NULL;
}

static bool op_create(struct actor *actor, const json_t *op)
{
	uint64_t id = (uint64_t)json_integer_value(json_object_get(op, "id"));
	const char *class_name = json_string_value(json_object_get(op, "class"));
	const char *name = json_string_value(json_object_get(op, "name"));
	const char *hash = json_string_value(json_object_get(op, "hash"));

	if (!class_name || !actor_takes_id(actor, id))
		return false;
	if (!actor_text_fits(class_name, name)) {
		refuse(actor, op, id);
		return true;
	}
	if (name && strcmp(name, DIRECTOR_NAME) == 0) {
		name_it(actor, op, DIRECTOR_ADDRESS);
		return true;
	}
	struct actor *made = name ? actor_by_name(actor->realm->engine, name) : NULL;
	struct realm *realm = made ? NULL : realm_for(actor, hash, name);
	if (realm)
		made = actor_create(realm, id, class_name, json_object_get(op, "requirements"),
				    name, actor->bearer.id, NULL);
	if (made)
		name_it(actor, op, made->pub.address);
	else
		refuse(actor, op, id);
	if (!made && realm)
		realm_has_no_room(realm, actor);
	return true;
}

static bool op_up(struct actor *actor, const json_t *op)
{
	(void)op;
	if (actor->state != ACTOR_STARTING)
		return false;
	actor_is_up(actor);
	return true;
}

static bool op_failed(struct actor *actor, const json_t *op)
{
	const char *kind = json_string_value(json_object_get(op, "kind"));
	const char *error = json_string_value(json_object_get(op, "error"));

	actor->pub.traceback = json_string_value(json_object_get(op, "traceback"));
	actor_fail(actor, failure_parse(kind, FAILURE_INIT),
		   error ? error : "could not be constructed");
	actor->pub.traceback = NULL;
	return true;
}

static bool op_ids(struct actor *actor, const json_t *op)
{
	(void)op;
	link_control(&actor->link,
		     json_pack("{s:s, s:o}", "op", "ids", "ids", actor_grant_ids(actor)));
	return true;
}

static bool op_done(struct actor *actor, const json_t *op)
{
	const char *ref = json_string_value(json_object_get(op, "ref"));
	const char *error = json_string_value(json_object_get(op, "error"));
	bool ok = json_is_true(json_object_get(op, "ok"));

	if (!ref)
		return false;
	actor->pub.traceback = json_string_value(json_object_get(op, "traceback"));
	actor->realm->engine->events->message_done(actor->realm->engine->ctx, &actor->pub, ref,
						   ok      ? NULL
						   : error ? error
							   : "failed");
	actor->pub.traceback = NULL;
	return true;
}

static bool op_dead_letters(struct actor *actor, const json_t *op)
{
	struct local *engine = actor->realm->engine;
	const struct sender from = sender_of(actor);

	if (!asker_may(&from, TDS_ASKED_DEAD_LETTERS, NULL))
		return true;
	if (json_is_true(json_object_get(op, "on")))
		engine->dead_letters = actor->bearer.id;
	else if (engine->dead_letters == actor->bearer.id)
		engine->dead_letters = 0;
	return true;
}

static bool op_log(struct actor *actor, const json_t *op)
{
	return output_record(actor->realm, actor, op);
}

static bool op_shutdown(struct actor *actor, const json_t *op)
{
	const struct sender from = sender_of(actor);

	(void)op;
	ask_for_end(&from);
	return true;
}

static bool op_leaving(struct actor *actor, const json_t *op)
{
	(void)op;
	actor_leave(actor);
	return true;
}

static bool op_status(struct actor *actor, const json_t *op)
{
	(void)op;
	return status_answer(&actor->link, actor->realm);
}

static bool op_authority(struct actor *actor, const json_t *op)
{
	const struct sender from = sender_of(actor);

	(void)op;
	return !asker_may(&from, TDS_ASKED_SOURCES_OWN, NULL) || usersource_register(actor);
}

static bool op_load(struct actor *actor, const json_t *op)
{
	const struct sender from = sender_of(actor);

	return usersource_load(&from, op);
}

static bool op_unload(struct actor *actor, const json_t *op)
{
	const struct sender from = sender_of(actor);

	return usersource_unload(&from, op);
}

static bool op_capability(struct actor *actor, const json_t *op)
{
	const struct sender from = sender_of(actor);
	const char *name = json_string_value(json_object_get(op, "name"));

	if (name)
		ask_for_capability(&from, name, json_string_value(json_object_get(op, "value")));
	return name != NULL;
}

static const struct {
	const char *name;
	bool (*run)(struct actor *actor, const json_t *op);
	enum asks asks;
} ops[] = {
	{ "up", op_up, ASKS_NOTHING },
	{ "failed", op_failed, ASKS_NOTHING },
	{ "leaving", op_leaving, ASKS_NOTHING },
	{ "create", op_create, ASKS_FORKER },
	{ "ids", op_ids, ASKS },
	{ "done", op_done, ASKS_NOTHING },
	{ "unheeded", dead_op_unheeded, ASKS_NOTHING },
	{ "deadletters", op_dead_letters, ASKS_NOTHING },
	{ "log", op_log, ASKS_NOTHING },
	{ "shutdown", op_shutdown, ASKS_NOTHING },
	{ "linked", direct_op_linked, ASKS_NOTHING },
	{ "switched", direct_op_switched, ASKS_NOTHING },
	{ "status", op_status, ASKS },
	{ "capability", op_capability, ASKS_NOTHING },
	{ "authority", op_authority, ASKS_NOTHING },
	{ "load", op_load, ASKS_NOTHING },
	{ "validated", usersource_op_validated, ASKS_NOTHING },
	{ "unload", op_unload, ASKS_NOTHING },
	{ "sources", usersource_op_watch, ASKS },
};

static enum link_verdict run(struct actor *actor, size_t i, const json_t *op)
{
	enum link_verdict verdict = usersource_may_ask(&actor->link, actor->realm, ops[i].asks, op);

	if (verdict == LINK_BROKEN)
		realm_over_budget(actor->realm, actor,
				  "an actor asks for more than it takes before it is up");
	if (verdict == LINK_TAKEN && !ops[i].run(actor, op))
		verdict = LINK_BROKEN;
	return verdict;
}

static enum link_verdict take_control(struct actor *actor, const unsigned char *body, size_t len)
{
	json_t *op = json_loadb((const char *)body, len, JSON_ALLOW_NUL, NULL);
	const char *name = json_string_value(json_object_get(op, "op"));
	enum link_verdict verdict = name ? LINK_TAKEN : LINK_BROKEN;

	for (size_t i = 0; name && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(name, ops[i].name) == 0)
			verdict = run(actor, i, op);
	json_decref(op);
	return verdict;
}

static enum link_verdict on_frame(void *ctx, enum frame_type type, const unsigned char *body,
				  size_t len)
{
	struct actor *actor = ctx;

	if (type == FRAME_MESSAGE || type == FRAME_MESSAGE_FD) {
		const struct sender from = sender_of(actor);

		return route_message(&from, type, body, len);
	}
	return type == FRAME_CONTROL ? take_control(actor, body, len) : LINK_BROKEN;
}

static void on_begins(void *ctx, enum frame_type type, const unsigned char *body)
{
	const struct sender from = sender_of(ctx);

	route_begins(&from, type, body);
}

static void on_caught_up(void *ctx)
{
	struct actor *actor = ctx;

	capabilities_tell(actor->realm->engine, &actor->link);
}

/* The end of a process is what the source's process says. One that only closed its link can do no more good. */
static void on_ended(void *ctx)
{
	actor_kill(ctx);
}

const struct link_events actorops_link = {
	.frame = on_frame, .begins = on_begins, .caught_up = on_caught_up, .ended = on_ended
};
