/* SPDX-License-Identifier: MIT */
/* What the engine says of itself to whoever asks the system's address for its status. */
#include "usersource.h"

#define NAMES_MAX 8192 /* of actors */
#define ROOM_LEFT 4096 /* bytes, for what else the answer has */

#define STATUS_WEIGHS 32 /* operations, and one more for each so many bytes */
#define BYTES_WEIGH_ONE 512

static json_t *address_or_null(const struct actor *actor)
{
	return actor ? json_string(actor->pub.address) : json_null();
}

static size_t size_of(const json_t *value)
{
	return json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
}

/* Of one actor, where there is room for so much. Returns what is left of it. */
static size_t add_name(json_t *names, const struct actor *actor, size_t room)
{
	json_t *name = json_string(actor->bearer.name);
	size_t size = size_of(name) + ENGINE_ADDRESS_MAX + 4;

	json_decref(name);
	if (size > room || json_object_size(names) == NAMES_MAX)
		return room;
	(void)json_object_set_new(names, actor->bearer.name, address_or_null(actor));
	return room - size;
}

/* Those that do not fit into so much are left out. Takes what it needs from room. */
static json_t *names_of(const struct local *engine, size_t *room)
{
	json_t *names = json_object();

	for (const struct realm *r = engine->realms; r; r = r->next)
		for (const struct actor *a = r->actors; a; a = a->next)
			if (a->bearer.name)
				*room = add_name(names, a, *room);
	return names;
}

/* The answer is one frame, however long any user has made a name. */
bool status_answer(struct link *link, const struct realm *by)
{
	struct local *engine = by->engine;

	if (link->deaf) /* its end is gone: no one takes the time that this takes */
		return true;
	json_t *sources = usersource_list(by);
	size_t taken = size_of(engine->capabilities) + size_of(sources);
	size_t room = taken < FRAME_MAX - ROOM_LEFT ? FRAME_MAX - ROOM_LEFT - taken : 0;
	json_t *names = names_of(engine, &room);
	link_weigh(link, STATUS_WEIGHS + (unsigned)((FRAME_MAX - room) / BYTES_WEIGH_ONE));
	return link_control(
		link, json_pack("{s:s, s:b, s:O, s:o, s:o, s:o, s:o}", "op", "status", "shutdown",
				engine->stopping, "capabilities", engine->capabilities, "names",
				names, "sources", sources, "authority",
				address_or_null(usersource_authority(by)), "deadletters",
				address_or_null(actor_by_id(engine, engine->dead_letters))));
}
