/* SPDX-License-Identifier: MIT */
/* What the engine says of itself to whoever asks the system's address for its status. */
#include "usersource.h"

#define NAMES_MAX 8192 /* of actors, so that the answer is one frame */

static json_t *address_or_null(const struct actor *actor)
{
	return actor ? json_string(actor->pub.address) : json_null();
}

json_t *status_of(const struct realm *by)
{
	struct local *engine = by->engine;
	json_t *names = json_object();

	for (const struct realm *r = engine->realms; r; r = r->next)
		for (const struct actor *a = r->actors; a; a = a->next)
			if (a->bearer.name && json_object_size(names) < NAMES_MAX)
				(void)json_object_set_new(names, a->bearer.name,
							  address_or_null(a));
	return json_pack("{s:s, s:b, s:O, s:o, s:o, s:o, s:o}", "op", "status", "shutdown",
			 engine->stopping, "capabilities", engine->capabilities, "names", names,
			 "sources", usersource_list(by), "authority",
			 address_or_null(usersource_authority(by)), "deadletters",
			 address_or_null(actor_by_id(engine, engine->dead_letters)));
}
