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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/base/clock.h"
#include "local.h"
#include "proc.h"

struct actor *actor_of(const struct bearer *bearer)
{
	return bearer && bearer->kind == BEARER_ACTOR
		       ? (struct actor *)((uintptr_t)bearer - offsetof(struct actor, bearer))
		       : NULL;
}

struct actor *actor_by_id(const struct local *engine, uint64_t id)
{
	return actor_of(registry_find(&engine->registry, id));
}

struct actor *actor_by_name(const struct local *engine, const char *global_name)
{
	return actor_of(registry_find_name(&engine->registry, global_name));
}

struct actor *actor_by_address(const struct local *engine, const char *address)
{
	const char *dot = strchr(address, '.');
	uint64_t realm;
	uint64_t id;

	if (!dot || !tds_parse_uint(address, (size_t)(dot - address), UINT32_MAX, &realm) ||
	    !tds_parse_uint(dot + 1, strlen(dot + 1), UINT64_MAX, &id))
		return NULL;
	struct actor *actor = actor_by_id(engine, id);
	return actor && actor->realm->number == realm ? actor : NULL;
}

bool actor_bind(struct local *engine, const char *global_name, struct actor *actor)
{
	/* An actor that ends would keep the name beyond its own end. */
	if (actor && (actor->state == ACTOR_LEFT || actor->state == ACTOR_DEAD))
		return false;
	return registry_bind(&engine->registry, global_name, actor ? &actor->bearer : NULL);
}

json_t *actor_grant_ids(struct actor *actor)
{
	struct registry *registry = &actor->realm->engine->registry;
	uint64_t *block = actor->ids[1] ? actor->ids[1] : calloc(IDS_IN_A_BLOCK, sizeof(*block));
	json_t *ids = json_array();

	if (!block)
		return ids;
	actor->ids[1] = actor->ids[0];
	actor->ids[0] = block;
	for (size_t i = 0; i < IDS_IN_A_BLOCK; i++) {
		block[i] = registry_id(registry);
		(void)json_array_append_new(ids, json_integer((json_int_t)block[i]));
	}
	return ids;
}

bool actor_takes_id(struct actor *actor, uint64_t id)
{
	for (size_t i = 0; i < 2 * IDS_IN_A_BLOCK && id != 0; i++) {
		uint64_t *block = actor->ids[i / IDS_IN_A_BLOCK];

		if (block && block[i % IDS_IN_A_BLOCK] == id) {
			block[i % IDS_IN_A_BLOCK] = 0;
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
	if (!budget_has_descriptor(realm_budget(actor->realm), theirs))
		return false;
	struct frame *spawn = frame_control(json_pack(
		"{s:s, s:I, s:s, s:O?, s:s?, s:o}", "op", "spawn", "id",
		(json_int_t)actor->bearer.id, "class", actor->class_name, "requirements",
		requirements, "name", actor->bearer.name, "parent", parent_address(actor)));
	if (!spawn ||
	    !link_init(&actor->link, engine->base, ours, engine->hooks->actor_link, actor)) {
		frame_free(spawn);
		return false;
	}
	(void)tds_steal_fd(&ours);
	link_charge(&actor->link, realm_budget(actor->realm));
	realm_budget(actor->realm)->descriptors++;
	frame_add_fd(spawn, tds_steal_fd(&theirs));
	/* The process that it is forked from knows the newest: so does the actor. */
	engine->hooks->forks(actor->realm);
	actor->link.told = actor->realm->link.told;
	link_send(&actor->realm->link, spawn);
	return true;
}

/* Frames for it wait, as with one that is starting. */
static void open_queue(struct actor *actor)
{
	actor->link = (struct link){ .fd = -1, .corked = true };
	actor->link.last = &actor->link.first;
	link_charge(&actor->link, realm_budget(actor->realm));
}

static bool wait_for_realm(struct actor *actor, json_t *requirements)
{
	open_queue(actor);
	actor->requirements = json_incref(requirements);
	return true;
}

bool actor_begin(struct actor *actor)
{
	struct frame *waiting = link_take_queue(&actor->link);

	link_fini(&actor->link);
	bool ok = open_channels(actor, actor->requirements);
	if (!ok)
		open_queue(actor); /* from which all is given back */
	actor->link.corked = true;
	for (struct frame *f = waiting, *next; f; f = next) {
		next = f->next;
		f->next = NULL;
		link_send(&actor->link, f);
	}
	return ok;
}

/* --- budgets --- */

void realm_over_budget(struct realm *realm, struct actor *actor, const char *why)
{
	struct local *engine = realm->engine;

	if (realm->state == REALM_STOPPING)
		return;
	engine->counts.refused++;
	uint64_t times = budget_refuse(&realm_budget(realm)->refusals, clock_now_mono_ms());
	if (times > 0)
		engine->events->refused(engine->ctx, &realm_origin(realm)->pub,
					actor ? &actor->pub : NULL, times, why);
}

const char *realm_lack(const struct realm *realm)
{
	const struct budget *budget = realm_budget(realm);

	if (!realm_may_grow(realm))
		return "it has as many actors as its sandbox lets it have";
	if (!budget_has_actor(budget))
		return "it has as many actors as budget.cfg lets it have";
	if (budget->descriptors >= budget->limits->descriptors)
		return "it has as many descriptors as budget.cfg lets it have";
	return "no descriptor or memory is left for another actor";
}

void realm_has_no_room(struct realm *realm, struct actor *actor)
{
	realm_over_budget(realm, actor, realm_lack(realm));
}

bool actor_text_fits(const char *class_name, const char *name)
{
	return strlen(class_name) <= NAME_MAX_BYTES && (!name || strlen(name) <= NAME_MAX_BYTES);
}

/* What is remembered while it lives, or (requirements) waits. False: there is no room in the budget. */
static bool hold(struct actor *actor, const char *class_name, const char *name,
		 const json_t *requirements)
{
	struct budget *budget = realm_budget(actor->realm);
	size_t size = strlen(class_name) + (name ? strlen(name) : 0);

	if (realm_actors_wait(actor->realm))
		size += sizeof(*actor) + json_dumpb(requirements, NULL, 0, JSON_COMPACT);
	if (!budget_has_memory(budget, size))
		return false;
	budget->bytes_held += size;
	actor->held = size;
	return true;
}

static void take_out(struct actor *actor)
{
	registry_remove(&actor->realm->engine->registry, &actor->bearer);
	*actor->self = actor->next;
	if (actor->next)
		actor->next->self = actor->self;
}

static void actor_free(struct actor *actor)
{
	struct realm *realm = actor->realm;

	realm_budget(realm)->bytes_held -= actor->held;
	realm_budget(realm)->descriptors -= actor->link.fd >= 0;
	realm_budget(realm)->actors--;
	link_fini(&actor->link);
	json_decref(actor->requirements);
	free(actor->ids[0]);
	free(actor->ids[1]);
	free(actor->class_name);
	free(actor);
	realm->engine->hooks->actor_freed(realm);
}

static struct actor *actor_alloc(struct realm *realm, uint64_t id)
{
	struct actor *actor = calloc(1, sizeof(*actor));

	if (!actor)
		return NULL;
	*actor = (struct actor){
		.realm = realm,
		.bearer = { .id = id, .realm = realm->number, .kind = BEARER_ACTOR },
		.pub = { .source = &realm->pub },
		.link = { .fd = -1, .ended = true },
		.next = realm->actors,
		.self = &realm->actors,
	};
	actor->bearer.link = &actor->link;
	(void)snprintf(actor->pub.address, ENGINE_ADDRESS_MAX, "%u.%ju", realm->number,
		       (uintmax_t)id);
	if (actor->next)
		actor->next->self = &actor->next;
	realm->actors = actor;
	realm->refs++;
	realm_budget(realm)->actors++;
	return actor;
}

/* Without a process an actor would wait for ever. */
static bool takes_actors(const struct realm *realm)
{
	return realm->state != REALM_STOPPING && budget_has_actor(realm_budget(realm)) &&
	       realm_may_grow(realm) &&
	       (realm->process == PROCESS_RUNS || realm_actors_wait(realm));
}

struct actor *actor_create(struct realm *realm, uint64_t id, const char *class_name,
			   json_t *requirements, const char *name, uint64_t creator, void *owner)
{
	struct local *engine = realm->engine;
	struct actor *actor = takes_actors(realm) ? actor_alloc(realm, id) : NULL;

	if (!actor)
		return NULL;
	actor->pub.owner = owner;
	actor->creator = creator;
	actor->global = name != NULL;
	actor->class_name = strdup(class_name);
	actor->pub.class_name = actor->class_name;
	actor->pub.status = ENGINE_NO_STATUS;
	if (!actor->class_name || !hold(actor, class_name, name, requirements) ||
	    !registry_add(&engine->registry, &actor->bearer) ||
	    (name && !registry_bind(&engine->registry, name, &actor->bearer)) ||
	    !(realm_actors_wait(realm) ? wait_for_realm(actor, requirements)
				       : open_channels(actor, requirements))) {
		/* Who asked for it is told by that, and nobody else knows of it. */
		take_out(actor);
		actor_free(actor);
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
}

void actor_is_up(struct actor *actor)
{
	struct local *engine = actor->realm->engine;

	actor->state = ACTOR_UP;
	actor->pub.up = true;
	link_uncork(&actor->link);
	engine->hooks->created(actor, FAILURE_EXIT, NULL);
	engine->events->actor_up(engine->ctx, &actor->pub);
}

void actor_fail(struct actor *actor, enum failure failure, const char *error)
{
	struct local *engine = actor->realm->engine;

	if (actor->state != ACTOR_STARTING)
		return;
	actor->state = failure_returns(failure) ? ACTOR_NEVER : ACTOR_FAILED;
	engine->hooks->created(actor, failure, error);
	engine->events->actor_failed(engine->ctx, &actor->pub, error);
}

static void tell_creator(const struct actor *actor)
{
	struct actor *creator = actor_by_id(actor->realm->engine, actor->creator);
	bool never = actor->state == ACTOR_FAILED || actor->state == ACTOR_NEVER;

	if (creator)
		link_control(&creator->link, json_pack("{s:s, s:s, s:b, s:b}", "op", "exited",
						       "address", actor->pub.address, "never",
						       never, "system", actor->global));
}

/* To other actors it is over. */
static void part(struct actor *actor, enum actor_state state)
{
	struct local *engine = actor->realm->engine;

	if (actor->state != ACTOR_LEFT) {
		actor->pub.up = false;
		engine->hooks->left(actor);
		tell_creator(actor);
		registry_unbind(&engine->registry, &actor->bearer);
		if (engine->dead_letters == actor->bearer.id)
			engine->dead_letters = 0;
	}
	actor->state = state;
}

/* One that says so before it is up is about to fail. */
void actor_leave(struct actor *actor)
{
	if (actor->state == ACTOR_UP)
		part(actor, ACTOR_LEFT);
}

/* For people, as far as it is known. */
static void describe_ending(struct actor *actor, const char *how)
{
	bool was_up = actor->state == ACTOR_UP || actor->state == ACTOR_LEFT;

	(void)snprintf(actor->pub.ending, ENGINE_ENDING_MAX, "%s%s", how,
		       was_up ? "" : " before it was ready");
}

/* What it sent before it went still counts. */
static void hear_out(struct actor *actor)
{
	if (actor->link.fd >= 0)
		link_drain(&actor->link);
}

void actor_reaped(struct actor *actor, int status)
{
	char how[ENGINE_ENDING_MAX / 2];

	hear_out(actor);
	if (status == -SIGKILL && limits_killed(actor->realm))
		(void)strcpy(how, "killed: " LIMITS_STARVED);
	else
		(void)snprintf(how, sizeof(how),
			       status < 0 ? "killed by signal %d" : "exited with status %d",
			       status < 0 ? -status : status);
	describe_ending(actor, how);
	actor->pub.status = status;
	actor_gone(actor);
}

/* Its process is gone, or there never was one. */
void actor_gone(struct actor *actor)
{
	struct local *engine = actor->realm->engine;

	hear_out(actor);
	if (actor->ended_for)
		realm_over_budget(actor->realm, actor, actor->ended_for);
	output_actor_gone(actor->realm->output, actor);
	if (actor->pub.ending[0] == '\0')
		describe_ending(actor, "exited");
	actor_fail(actor, FAILURE_EXIT, actor->pub.ending);
	bool never = actor->state == ACTOR_NEVER;
	/* First it leaves: what its end sets in motion must neither find it by its name nor give it one. */
	part(actor, ACTOR_DEAD);
	engine->events->actor_exited(engine->ctx, &actor->pub);
	take_out(actor);
	registry_add_tombstone(&engine->registry, actor->bearer.id, actor->realm->number, never);
	engine->hooks->undelivered(actor);
	actor_free(actor);
}

void actor_exit(struct actor *actor)
{
	link_control(&actor->link, json_pack("{s:s, s:b}", "op", "exit", "recursive", 1));
}

/*
 * Only the source's process knows which process it is. One that is confined may not be able to kill; it has no reason to
 * name a child that is not the actor, since its children are all that is killed for it.
 */
void actor_kill(struct actor *actor)
{
	struct realm *realm = actor->realm;

	if (realm_is_confined(realm) && proc_kill_child(actor->pub.pid, realm->pid))
		return;
	link_control(&realm->link,
		     json_pack("{s:s, s:I}", "op", "kill", "id", (json_int_t)actor->bearer.id));
}
