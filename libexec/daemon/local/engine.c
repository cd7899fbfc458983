/* SPDX-License-Identifier: MIT */
/* The local engine as a whole: all realms, and the ids that they share. */
#include <stdlib.h>
#include <sys/wait.h>

#include "local.h"
#include "sources.h"

struct engine *engine_new(struct event_base *base, const struct engine_limits *limits,
			  const struct engine_events *events, void *ctx)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (engine)
		*engine = (struct engine){
			.base = base,
			.limits = limits,
			.events = events,
			.ctx = ctx,
			.next_id = DIRECTOR_ID + 1,
			.capabilities = capabilities_new(limits->settings),
		};
	return engine;
}

bool engine_busy(const struct engine *engine)
{
	const struct realm *r = engine->realms;

	/* The first process and the parent that waits are nobody's. */
	while (r && !r->owner && !r->guest && !r->home)
		r = r->next;
	return r != NULL;
}

uint64_t engine_next_id(struct engine *engine)
{
	return engine->next_id++;
}

void engine_each(struct engine *engine, struct realm *realm,
		 void (*fn)(void *ctx, struct actor *actor), void *ctx)
{
	for (struct realm *r = realm ? realm : engine->realms; r; r = realm ? NULL : r->next)
		for (struct actor *a = r->actors, *next; a; a = next) {
			next = a->next;
			fn(ctx, a);
		}
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	engine->ending = true;
	sources_free(engine);
	while (engine->realms) {
		struct realm *realm = engine->realms;

		realm->stopping = true;
		realm->held = true;
		realm->pending = false;
		realm_kill(realm);
		while (realm->actors)
			actor_gone(realm->actors);
		if (realm->pid > 0 && !realm->guest)
			(void)waitpid(realm->pid, NULL, 0);
		realm->pid = 0;
		realm->starting = false;
		guest_free(realm);
		realm->held = false;
		realm_forget(realm);
	}
	json_decref(engine->capabilities);
	free(engine);
}
