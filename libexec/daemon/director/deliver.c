/* SPDX-License-Identifier: MIT */
/*
 * Messages of clients to actors. Whom a role or a global name means is found out at delivery: while a load, an unload or a
 * restart has nobody there for the moment, the message is parked, and goes to who comes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/base/budget.h"
#include "daemon/base/charge.h"
#include "change.h"
#include "declaration.h"
#include "launch.h"
#include "rules.h"

#define PARKED_MAX 1024
#define PARKED_MAX_BYTES (16 << 20)

/* A message that waits for its target. */
struct parked {
	struct parked *next;
	char *target;
	char *group; /* NULL: any */
	uid_t uid;   /* whose it is */
	uint64_t ticket;
	bool wants_answer;
	struct payload payload; /* its data and a reference to its charge are ours */
};

enum presence {
	ABSENT,
	COMING,
	PRESENT,
};

/*
 * The one rule for what is on its way, by a load, a loss, a restart or a restore: a message for a role or global name is
 * parked where a source that declares it is being changed, or is lost, or is active and its actor is about to start.
 */
static bool is_coming(const struct source *source, const struct declared *declared)
{
	const struct group *group = source->group;

	return group_is_changing(group) || source->state == SOURCE_LOST ||
	       (source == group->active && declared_is_starting(declared));
}

static bool source_brings(const struct source *source, const char *role, const char *name)
{
	for (size_t i = 0; source && i < source->ndeclared; i++)
		if (declared_has(&source->declared[i], role, name) &&
		    is_coming(source, &source->declared[i]))
			return true;
	return false;
}

/* Does the group bring the role or global name in a moment? */
static bool group_brings(const struct group *group, const char *role, const char *name)
{
	for (const struct source *s = group->sources; s; s = s->next)
		if (source_brings(s, role, name))
			return true;
	return group->changes && source_brings(group->changes->incoming, role, name);
}

static bool is_brought(const struct director *director, const char *role, const char *name,
		       const char *group)
{
	for (const struct group *g = director->groups; g; g = g->next)
		if ((!group || strcmp(group, g->name) == 0) && group_brings(g, role, name))
			return true;
	return false;
}

/* What is sent to an actor after its exit request, nobody handles. */
static bool is_exiting(const struct engine_actor *actor)
{
	const struct source *source = actor->source->owner;

	return source && source->state == SOURCE_UNLOADING;
}

static enum presence find(struct director *director, const char *target, const char *group,
			  struct engine_actor **actor)
{
	const char *name = target[0] == '@' ? target + 1 : NULL;
	const struct declared *declared = name ? NULL : role_find(director, target, group);

	*actor = name       ? director->engine->ops->find_name(director->engine, name)
		 : declared ? declared->actor
			    : NULL;
	/* One that a declaration starts gets its OnLoad message first; for others the engine keeps what comes early. */
	if (*actor && !is_exiting(*actor) && ((*actor)->up || !(*actor)->owner))
		return PRESENT;
	if (is_brought(director, name ? NULL : target, name, name ? NULL : group))
		return COMING;
	*actor = name || declared ? NULL : director->engine->ops->find(director->engine, target);
	return *actor && !is_exiting(*actor) ? PRESENT : ABSENT;
}

const char *director_absence(const struct director *director, const char *target, const char *group,
			     char why[ABSENCE_MAX])
{
	const char *name = target[0] == '@' ? target + 1 : NULL;

	for (const struct group *g = director->groups; g; g = g->next)
		for (size_t i = 0; g->active && i < g->active->ndeclared; i++) {
			const struct declared *d = &g->active->declared[i];

			if (d->actor || !timer_runs(&d->again) ||
			    !declared_has(d, name ? NULL : target, name) ||
			    (!name && group && strcmp(group, g->name) != 0))
				continue;
			int64_t left_s = (d->next_wall_ms -
					  director->clock->wall_ms(director->clock) + 999) /
					 1000;
			(void)snprintf(why, ABSENCE_MAX,
				       "its actor is not running, and is started again in %d s",
				       left_s > 1 ? (int)left_s : 1);
			return why;
		}
	return "no such role, global name or address";
}

static void parked_free(struct parked *parked)
{
	free(parked->target);
	free(parked->group);
	free((void *)(uintptr_t)parked->payload.data);
	charge_unref(parked->payload.charge);
	free(parked);
}

/* A user leaves others as much room as he takes: of places, and of bytes, with so many more. */
static bool may_park(const struct director *director, uid_t uid, size_t len)
{
	size_t bytes = len, n = 0;
	size_t own_bytes = 0, own_n = 0;

	for (const struct parked *p = director->parked; p; p = p->next) {
		bool own = p->uid == uid;

		n++;
		bytes += p->payload.len;
		own_n += own;
		own_bytes += own ? p->payload.len : 0;
	}
	return budget_has_place(own_n, n, PARKED_MAX) &&
	       budget_has_place(own_bytes, bytes, PARKED_MAX_BYTES);
}

static enum delivery park(struct director *director, const char *target, const char *group,
			  uid_t uid, uint64_t ticket, bool wants_answer,
			  const struct payload *payload)
{
	struct parked **last = &director->parked;

	if (!may_park(director, uid, payload->len))
		return DELIVERY_FULL;
	struct parked *parked = calloc(1, sizeof(*parked));
	void *data = malloc(payload->len ? payload->len : 1);
	if (!parked || !data) {
		free(parked);
		free(data);
		return DELIVERY_FULL;
	}
	memcpy(data, payload->data, payload->len);
	*parked = (struct parked){ .target = strdup(target),
				   .group = group ? strdup(group) : NULL,
				   .uid = uid,
				   .ticket = ticket,
				   .wants_answer = wants_answer,
				   .payload = { payload->encoding, data, payload->len,
						charge_ref(payload->charge) } };
	if (!parked->target || (group && !parked->group)) {
		parked_free(parked);
		return DELIVERY_FULL;
	}
	while (*last)
		last = &(*last)->next;
	*last = parked;
	return DELIVERY_PARKED;
}

static void deliver(struct director *director, struct engine_actor *to, uint64_t endpoint,
		    const struct payload *payload)
{
	struct engine_message message = { .payload = *payload, .endpoint = endpoint };

	if (endpoint != 0 && director->watch.asked)
		director->watch.asked(director->watch.ctx, endpoint, to->source->number);
	director->engine->ops->send(director->engine, to, &message);
}

enum delivery director_send(struct director *director, const char *target, const char *group,
			    uid_t uid, uint64_t ticket, bool wants_answer,
			    const struct payload *payload)
{
	struct engine_actor *actor;
	enum presence presence = find(director, target, group, &actor);

	if (presence == COMING)
		return park(director, target, group, uid, ticket, wants_answer, payload);
	if (presence == ABSENT)
		return DELIVERY_NONE;
	if (director->engine->ops->full(director->engine, actor))
		return DELIVERY_UNREAD;
	deliver(director, actor, wants_answer ? ticket : 0, payload);
	return DELIVERY_DONE;
}

void director_forget(struct director *director, uint64_t ticket)
{
	for (struct parked **p = &director->parked; *p; p = &(*p)->next) {
		struct parked *parked = *p;

		if (parked->ticket != ticket)
			continue;
		*p = parked->next;
		parked_free(parked);
		return;
	}
}

static void append(struct director *director, struct parked *parked)
{
	struct parked **last = &director->parked;

	while (*last)
		last = &(*last)->next;
	*last = parked;
	parked->next = NULL;
}

/* It goes to who is there, or fails; who sent it is told, and may ask for more within that. */
static void settle(struct director *director, const struct parked *parked,
		   struct engine_actor *actor)
{
	char why[ABSENCE_MAX];
	const char *error = NULL;

	if (actor)
		deliver(director, actor, parked->wants_answer ? parked->ticket : 0,
			&parked->payload);
	else
		error = director_absence(director, parked->target, parked->group, why);
	if (director->watch.delivered)
		director->watch.delivered(director->watch.ctx, parked->ticket, error);
}

/* What is parked meanwhile, by who is told, goes behind those that still wait; nothing of the list is held across that. */
void parked_release(struct director *director)
{
	struct parked *all = director->parked;
	struct parked *next;

	director->parked = NULL;
	for (; all; all = next) {
		struct engine_actor *actor;
		enum presence presence = find(director, all->target, all->group, &actor);

		next = all->next;
		if (presence == COMING) {
			append(director, all);
			continue;
		}
		settle(director, all, presence == PRESENT ? actor : NULL);
		parked_free(all);
	}
}

void parked_free_all(struct director *director)
{
	while (director->parked) {
		struct parked *parked = director->parked;

		director->parked = parked->next;
		parked_free(parked);
	}
}
