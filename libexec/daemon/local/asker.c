/* SPDX-License-Identifier: MIT */
/* Who asks, and whether that may be: the table of director/asking.h, before the Director is asked for what a list grants. */
#include <stdio.h>

#include "program.h"

static enum tds_asker kind_of(const struct realm *origin)
{
	if (origin->kind != REALM_PROGRAM)
		return TDS_ASKER_ACTOR;
	return origin->foreign ? TDS_ASKER_FOREIGN : TDS_ASKER_PROGRAM;
}

struct engine_asker asker_of(const struct sender *from)
{
	struct realm *origin = realm_origin(from->of);
	struct engine_asker asker = { .kind = kind_of(origin),
				      .source = &origin->pub,
				      .actor = from->actor ? &from->actor->pub : NULL,
				      .id = from->id,
				      .uid = origin->program ? origin->program->uid : (uid_t)-1 };

	(void)snprintf(asker.address, sizeof(asker.address), "%u.%ju", from->of->number,
		       (uintmax_t)from->id);
	return asker;
}

bool asker_may(const struct sender *from, enum tds_asked what, const struct realm *of)
{
	const struct local *engine = from->engine;
	enum tds_asker kind = kind_of(realm_origin(from->of));

	if (tds_asked_row(what)->may[kind] == TDS_MAY_YES)
		return true;
	const struct engine_asker asker = asker_of(from);
	return engine->events->may(engine->ctx, &asker, what, of ? of->pub.origin : NULL);
}

bool asker_may_name(const struct sender *from, const char *name)
{
	const struct local *engine = from->engine;
	bool declared = engine->events->declares(engine->ctx, &realm_origin(from->of)->pub, name);

	return asker_may(from, declared ? TDS_ASKED_NAME_DECLARED : TDS_ASKED_NAME, NULL);
}

bool asker_commands(const struct realm *of, uint64_t id, const struct actor *to)
{
	const struct realm *origin = realm_origin(of);
	bool own = origin == realm_origin(to->realm) || id == to->creator;

	return own || tds_asked_row(TDS_ASKED_EXIT_OTHER)->may[kind_of(origin)] == TDS_MAY_YES;
}

void ask_for_end(const struct sender *from)
{
	const struct engine_asker asker = asker_of(from);

	if (asker_may(from, TDS_ASKED_SYSTEM_END, NULL))
		from->engine->events->shutdown_asked(from->engine->ctx, &asker);
}
