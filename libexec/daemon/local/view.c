/* SPDX-License-Identifier: MIT */
/* How the engine is seen from outside: what it has counted, its actors, and what is taken of each budget. */
#include "program.h"

void view_counts(const struct engine *engine, struct engine_counts *counts)
{
	*counts = ((const struct local *)engine)->counts;
}

/* Who created it, where that is there: an actor, or a program, which has an address in its realm. */
static const char *parent_of(const struct actor *actor, char address[ENGINE_ADDRESS_MAX])
{
	const struct bearer *parent =
		actor->global ? NULL
			      : registry_find(&actor->realm->engine->registry, actor->creator);

	address[0] = '\0';
	if (parent)
		(void)snprintf(address, ENGINE_ADDRESS_MAX, "%u.%ju", parent->realm,
			       (uintmax_t)parent->id);
	return address;
}

static size_t directs_of(const struct actor *actor)
{
	size_t n = 0;

	for (size_t i = 0; i < DIRECTS_OF_ACTOR; i++)
		n += actor->directs[i] != NULL;
	return n;
}

void view_actors(const struct engine *engine,
		 void (*show)(void *ctx, const struct engine_actor_view *actor), void *ctx)
{
	char parent[ENGINE_ADDRESS_MAX];

	for (const struct realm *r = ((const struct local *)engine)->realms; r; r = r->next)
		for (const struct actor *a = r->actors; a; a = a->next)
			show(ctx, &(struct engine_actor_view){ .actor = &a->pub,
							       .parent = parent_of(a, parent),
							       .global_name = a->bearer.name,
							       .received = a->received,
							       .sent = a->sent,
							       .queued = a->link.queued,
							       .directs = directs_of(a) });
}

/* Those that take of the budget of their home have none of their own, and the fork server and the warm process take nothing. */
static bool has_budget(const struct realm *realm)
{
	return realm->kind == REALM_PACKAGE || realm->kind == REALM_PROGRAM;
}

void view_budgets(const struct engine *engine,
		  void (*show)(void *ctx, const struct engine_budget_view *budget), void *ctx)
{
	for (const struct realm *r = ((const struct local *)engine)->realms; r; r = r->next) {
		const struct budget *budget = &r->budget;

		if (has_budget(r))
			show(ctx, &(struct engine_budget_view){ .source = &r->pub,
								.actors = budget->actors,
								.descriptors = budget->descriptors +
									       budget->passing,
								.bytes_in = budget->bytes_in,
								.bytes_out = budget->bytes_out,
								.bytes_held = budget->bytes_held });
	}
}
