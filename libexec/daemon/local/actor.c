/* SPDX-License-Identifier: MIT */
/*
 * The life of an actor: asked for, up, gone.
 *
 * An actor is gone when its process is, never only because a socket ended. The source's process says so ("gone"), when
 * it has reaped the actor. What a source's process says of its own actors harms nobody but them, and is believed: a
 * process that it forgot ends with it. Where the source's process itself is gone, its actors have had SIGKILL as their
 * death signal before we hear of it, and what ignores that is killed by the guardian: each of them is waited for
 * (realm.c).
 */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/text.h"
#include "local.h"

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = ((const struct actor *)a)->id;
	uint64_t y = ((const struct actor *)b)->id;

	return x < y ? -1 : x > y;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct actor *)a)->name, ((const struct actor *)b)->name);
}

struct actor *actor_by_id(struct local *engine, uint64_t id)
{
	struct actor key = { .id = id };
	struct actor **found = tfind(&key, &engine->actors_by_id, compare_ids);

	return found ? *found : NULL;
}

struct actor *find_name(struct local *engine, const char *global_name)
{
	struct actor key = { .name = (char *)(uintptr_t)global_name };
	struct actor **found = tfind(&key, &engine->actors_by_name, compare_names);

	return found ? *found : NULL;
}

struct engine_actor *actor_find(struct local *engine, const char *address)
{
	const char *dot = strchr(address, '.');
	uint64_t realm;
	uint64_t id;

	if (!dot || !tds_parse_uint(address, (size_t)(dot - address), UINT32_MAX, &realm) ||
	    !tds_parse_uint(dot + 1, strlen(dot + 1), UINT64_MAX, &id))
		return NULL;
	struct actor *actor = actor_by_id(engine, id);
	return actor && actor->realm->number == realm ? &actor->pub : NULL;
}

static void drop_name(struct actor *actor)
{
	if (!actor->name)
		return;
	(void)tdelete(actor, &actor->realm->engine->actors_by_name, compare_names);
	free(actor->name);
	actor->name = NULL;
}

bool set_name(struct local *engine, const char *global_name, struct actor *actor)
{
	struct actor *before = find_name(engine, global_name);
	char *name;

	if (before == actor)
		return true;
	/* An actor that ends would keep the name beyond its own end. */
	if (actor && actor->left)
		return false;
	if (before)
		drop_name(before);
	if (!actor)
		return true;
	drop_name(actor);
	name = strdup(global_name);
	actor->name = name;
	if (!name || !tsearch(actor, &engine->actors_by_name, compare_names)) {
		free(name);
		actor->name = NULL;
		return false;
	}
	return true;
}

json_t *actor_grant_ids(struct actor *actor)
{
	struct local *engine = actor->realm->engine;

	memcpy(actor->ids[1], actor->ids[0], sizeof(actor->ids[0]));
	actor->ids[0][0] = engine->next_id;
	engine->next_id += IDS_IN_A_BLOCK;
	actor->ids[0][1] = engine->next_id;
	return json_pack("[I, I]", (json_int_t)actor->ids[0][0], (json_int_t)actor->ids[0][1]);
}

bool actor_takes_id(struct actor *actor, uint64_t id)
{
	for (int i = 0; i < 2; i++) {
		if (id >= actor->ids[i][0] && id < actor->ids[i][1]) {
			actor->ids[i][0] = id + 1;
			return true;
		}
	}
	return false;
}

static json_t *parent_address(struct actor *actor)
{
	struct actor *creator =
		actor->global ? NULL : actor_by_id(actor->realm->engine, actor->creator);

	return creator ? json_string(creator->pub.address) : json_null();
}

/* Both ends of its link; the host's end goes with the spawn. What it prints goes where the source's process prints. */
static bool open_channels(struct actor *actor, json_t *requirements)
{
	struct local *engine = actor->realm->engine;
	tds_autofd int ours = -1;
	tds_autofd int theirs = -1;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	ours = ends[0];
	theirs = ends[1];
	if (!descriptors_suffice(theirs))
		return false;
	struct frame *spawn = frame_control(json_pack(
		"{s:s, s:I, s:s, s:O?, s:s?, s:o, s:o}", "op", "spawn", "id", (json_int_t)actor->id,
		"class", actor->class_name, "requirements", requirements, "name", actor->name,
		"parent", parent_address(actor), "ids", actor_grant_ids(actor)));
	if (!spawn || !link_init(&actor->link, engine->base, tds_steal_fd(&ours),
				 &actor_link_events, actor)) {
		frame_free(spawn);
		return false;
	}
	frame_add_fd(spawn, tds_steal_fd(&theirs));
	link_send(&actor->realm->link, spawn);
	return true;
}

/* Frames for it wait, as with one that is starting. */
static bool wait_for_realm(struct actor *actor, json_t *requirements)
{
	actor->link = (struct link){ .fd = -1, .corked = true };
	actor->link.last = &actor->link.first;
	actor->requirements = json_incref(requirements);
	return true;
}

bool actor_begin(struct actor *actor)
{
	struct frame *waiting = link_take_queue(&actor->link);

	link_fini(&actor->link);
	bool ok = open_channels(actor, actor->requirements);
	actor->link.corked = true;
	for (struct frame *f = waiting, *next; f; f = next) {
		next = f->next;
		f->next = NULL;
		link_send(&actor->link, f);
	}
	return ok;
}

static void unlink_actor(struct actor *actor)
{
	(void)tdelete(actor, &actor->realm->engine->actors_by_id, compare_ids);
	*actor->self = actor->next;
	if (actor->next)
		actor->next->self = actor->self;
}

static void actor_free(struct actor *actor)
{
	link_fini(&actor->link);
	json_decref(actor->requirements);
	free(actor->class_name);
	free(actor);
}

/* An actor whose creation failed half way: who asked for it is told by that, and nobody else knows of it. */
static void discard(struct actor *actor)
{
	drop_name(actor);
	unlink_actor(actor);
	actor_free(actor);
}

struct actor *actor_create(struct realm *realm, uint64_t id, const char *class_name,
			   json_t *requirements, const char *name, uint64_t creator, void *owner)
{
	struct local *engine = realm->engine;
	/* No parent, no child: it would wait for ever. */
	bool possible = !realm->stopping && (realm->pid > 0 || realm->pending);
	struct actor *actor = possible ? calloc(1, sizeof(*actor)) : NULL;

	if (!actor)
		return NULL;
	*actor = (struct actor){ .id = id,
				 .realm = realm,
				 .creator = creator,
				 .global = name != NULL,
				 .pub = { .owner = owner, .source = &realm->pub },
				 .link = { .fd = -1, .ended = true } };
	(void)snprintf(actor->pub.address, ENGINE_ADDRESS_MAX, "%u.%ju", realm->number,
		       (uintmax_t)id);
	actor->class_name = strdup(class_name);
	actor->next = realm->actors;
	actor->self = &realm->actors;
	if (actor->next)
		actor->next->self = &actor->next;
	realm->actors = actor;
	if (!actor->class_name || !tsearch(actor, &engine->actors_by_id, compare_ids) ||
	    (name && !set_name(engine, name, actor)) ||
	    !(realm->pending ? wait_for_realm(actor, requirements)
			     : open_channels(actor, requirements))) {
		discard(actor);
		return NULL;
	}
	/* What comes now waits: should the actor never come up, it goes back to its senders. */
	actor->link.corked = true;
	return actor;
}

void actor_spawned(struct actor *actor, pid_t pid)
{
	actor->pub.pid = pid;
	output_spawned(actor->realm->output, pid);
	if (actor->exiting && actor->realm->stopping)
		actor_exit(actor);
}

void actor_fail(struct actor *actor, const char *kind, const char *error)
{
	if (actor->state != ACTOR_STARTING)
		return;
	actor->state = ACTOR_FAILED;
	actor->never = strcmp(kind, "import") == 0 || strcmp(kind, "capability") == 0 ||
		       strcmp(kind, "source") == 0 || strcmp(kind, "class") == 0;
	guest_creation_ended(actor, kind, error);
	actor->realm->engine->events->actor_failed(actor->realm->engine->ctx, &actor->pub, error);
}

/* To other actors it is over, while its process still has to end. */
void actor_leave(struct actor *actor)
{
	struct local *engine = actor->realm->engine;

	if (actor->left)
		return;
	actor->left = true;
	actor->pub.up = false;
	directs_end(actor);
	tell_exit(engine, actor->creator, actor);
	drop_name(actor);
	if (engine->dead_letters == actor->id)
		engine->dead_letters = 0;
}

/* For people, as far as it is known. */
static void describe_ending(struct actor *actor)
{
	const char *when = actor->state == ACTOR_UP ? "" : " before it was ready";
	char *text = actor->pub.ending;

	if (!actor->told)
		(void)snprintf(text, ENGINE_ENDING_MAX, "exited%s", when);
	else if (actor->status < 0)
		(void)snprintf(text, ENGINE_ENDING_MAX, "killed by signal %d%s", -actor->status,
			       when);
	else
		(void)snprintf(text, ENGINE_ENDING_MAX, "exited with status %d%s", actor->status,
			       when);
}

/* Its process is gone, or there never was one. */
void actor_gone(struct actor *actor)
{
	struct local *engine = actor->realm->engine;

	/* What it sent and printed before it went still counts. */
	if (actor->link.fd >= 0)
		link_drain(&actor->link);
	output_actor_gone(actor->realm->output, actor);
	describe_ending(actor);
	actor_fail(actor, "exit", actor->pub.ending);
	/* First it leaves: what its end sets in motion must neither find it by its name nor give it one. */
	actor_leave(actor);
	engine->events->actor_exited(engine->ctx, &actor->pub);
	unlink_actor(actor);
	bury(engine, actor->id, actor->realm->number, actor->never);
	return_queue(actor);
	struct realm *realm = actor->realm;
	actor_free(actor);
	realm_forget(realm);
}

void actor_deliver(struct actor *actor, const struct engine_message *message)
{
	const struct payload *payload = &message->payload;
	char encoding[2] = { (char)payload->encoding, '\0' };

	if (message->ref == 0)
		link_send(&actor->link, message_frame(message->endpoint, 0, payload));
	else
		link_control(&actor->link,
			     json_pack("{s:s, s:I, s:s, s:s%}", "op", "message", "ref",
				       (json_int_t)message->ref, "enc", encoding, "text",
				       payload->data, payload->len));
}

void actor_exit(struct actor *actor)
{
	actor->exiting = true;
	link_control(&actor->link, json_pack("{s:s, s:b}", "op", "exit", "recursive", 1));
}

void actor_kill(struct actor *actor)
{
	actor->exiting = true;
	link_control(&actor->realm->link,
		     json_pack("{s:s, s:I}", "op", "kill", "id", (json_int_t)actor->id));
}
