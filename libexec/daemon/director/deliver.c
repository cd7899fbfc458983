/* SPDX-License-Identifier: MIT */
/*
 * Messages of clients to actors. Whom a role or a global name means is found out at delivery: while a load, an unload or a
 * restart has nobody there for the moment, the message is held, and goes to who comes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "job.h"

#define HELD_MAX 1024
#define HELD_MAX_BYTES (16 << 20)

/* A message that waits for its target. */
struct held {
	struct held *next;
	char *target;
	char *group; /* NULL: any */
	uint64_t ticket;
	bool wants_answer;
	struct payload payload; /* its data are ours */
};

enum presence {
	ABSENT,
	COMING,
	PRESENT,
};

/* Is a change under way that may bring the group's names back, or move them? */
static bool is_changing(const struct director *director, const struct group *group)
{
	const struct job *job = director->jobs;

	return job && job->step != STEP_WAITING && job->group == group;
}

static bool has(const char *declared, const char *wanted)
{
	return declared && wanted && strcmp(declared, wanted) == 0;
}

/* Is its actor on its way? One that waits for its next turn is not. */
static bool is_starting(const struct run *run)
{
	if (run->actor)
		return !run->actor->up;
	return run->again && run->delay_ms == 0 && evtimer_pending(run->again, NULL);
}

/* Is there a source that declares the role or global name, and may have an actor for it in a moment? */
static bool is_coming(const struct director *director, const char *role, const char *name,
		      const char *group)
{
	for (const struct group *g = director->groups; g; g = g->next) {
		if (group && strcmp(group, g->name) != 0)
			continue;
		for (const struct source *s = g->sources; s; s = s->next)
			for (size_t i = 0; i < s->nruns; i++) {
				const struct run *run = &s->runs[i];

				if (!has(run->role, role) && !has(run->global_name, name))
					continue;
				if (is_changing(director, g) ||
				    (s == g->active && is_starting(run)))
					return true;
			}
	}
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
	const struct run *run = name ? NULL : role_find(director, target, group);

	*actor = name  ? director->engine->ops->find_name(director->engine, name)
		 : run ? run->actor
		       : NULL;
	/* One that a declaration starts gets its OnLoad message first; for others the engine keeps what comes early. */
	if (*actor && !is_exiting(*actor) && ((*actor)->up || !(*actor)->owner))
		return PRESENT;
	if (is_coming(director, name ? NULL : target, name, name ? NULL : group))
		return COMING;
	*actor = name || run ? NULL : director->engine->ops->find(director->engine, target);
	return *actor && !is_exiting(*actor) ? PRESENT : ABSENT;
}

const char *director_absence(const struct director *director, const char *target, const char *group,
			     char why[ABSENCE_MAX])
{
	const char *name = target[0] == '@' ? target + 1 : NULL;

	for (const struct group *g = director->groups; g; g = g->next)
		for (size_t i = 0; g->active && i < g->active->nruns; i++) {
			const struct run *run = &g->active->runs[i];

			if (run->actor || !run->again || !evtimer_pending(run->again, NULL) ||
			    !(name ? has(run->global_name, name)
				   : has(run->role, target) && (!group || has(g->name, group))))
				continue;
			int64_t left_s = (run->next_wall_ms - wall_ms() + 999) / 1000;
			(void)snprintf(why, ABSENCE_MAX,
				       "its actor is not running, and is started again in %d s",
				       left_s > 1 ? (int)left_s : 1);
			return why;
		}
	return "no such role, global name or address";
}

static void held_free(struct held *held)
{
	free(held->target);
	free(held->group);
	free((void *)(uintptr_t)held->payload.data);
	free(held);
}

static enum delivery hold(struct director *director, const char *target, const char *group,
			  uint64_t ticket, bool wants_answer, const struct payload *payload)
{
	struct held **last = &director->held;
	size_t bytes = payload->len;
	size_t n = 0;

	for (; *last; last = &(*last)->next, n++)
		bytes += (*last)->payload.len;
	if (n >= HELD_MAX || bytes > HELD_MAX_BYTES)
		return DELIVERY_FULL;
	struct held *held = calloc(1, sizeof(*held));
	void *data = malloc(payload->len ? payload->len : 1);
	if (!held || !data) {
		free(held);
		free(data);
		return DELIVERY_FULL;
	}
	memcpy(data, payload->data, payload->len);
	*held = (struct held){ .target = strdup(target),
			       .group = group ? strdup(group) : NULL,
			       .ticket = ticket,
			       .wants_answer = wants_answer,
			       .payload = { payload->encoding, data, payload->len } };
	if (!held->target || (group && !held->group)) {
		held_free(held);
		return DELIVERY_FULL;
	}
	*last = held;
	return DELIVERY_HELD;
}

static void deliver(struct director *director, struct engine_actor *to, uint64_t endpoint,
		    const struct payload *payload)
{
	struct engine_message message = { .payload = *payload, .endpoint = endpoint };

	director->engine->ops->send(director->engine, to, &message);
}

enum delivery director_send(struct director *director, const char *target, const char *group,
			    uint64_t ticket, bool wants_answer, const struct payload *payload)
{
	struct engine_actor *actor;
	enum presence presence = find(director, target, group, &actor);

	if (presence == COMING)
		return hold(director, target, group, ticket, wants_answer, payload);
	if (presence == PRESENT)
		deliver(director, actor, wants_answer ? ticket : 0, payload);
	return presence == PRESENT ? DELIVERY_DONE : DELIVERY_NONE;
}

void director_forget(struct director *director, uint64_t ticket)
{
	for (struct held **p = &director->held; *p; p = &(*p)->next) {
		struct held *held = *p;

		if (held->ticket != ticket)
			continue;
		*p = held->next;
		held_free(held);
		return;
	}
}

void held_release(struct director *director)
{
	struct held *all = director->held;
	struct held *next;

	/* Who is told may send the next one: that goes behind those that still wait. */
	director->held = NULL;
	for (struct held **last = &director->held; all; all = next) {
		char why[ABSENCE_MAX];
		struct engine_actor *actor;
		enum presence presence = find(director, all->target, all->group, &actor);

		next = all->next;
		all->next = NULL;
		if (presence == COMING) {
			while (*last)
				last = &(*last)->next;
			*last = all;
			continue;
		}
		if (presence == PRESENT)
			deliver(director, actor, all->wants_answer ? all->ticket : 0,
				&all->payload);
		if (director->watch.delivered)
			director->watch.delivered(
				director->watch.ctx, all->ticket,
				presence == PRESENT
					? NULL
					: director_absence(director, all->target, all->group, why));
		held_free(all);
	}
}

void held_free_all(struct director *director)
{
	while (director->held) {
		struct held *held = director->held;

		director->held = held->next;
		held_free(held);
	}
}
