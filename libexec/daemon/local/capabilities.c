/* SPDX-License-Identifier: MIT */
/*
 * Capabilities: what the system says of itself, against which classes of actors are checked. Their values are texts of
 * Python literals, which only the hosts look into.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "local.h"

#define BY_SYSTEM 0 /* no realm has this number */
#define MOMENT_MS 100
#define BYTES_A_MS 16  /* to read them takes an actor a twentieth of that time at most */
#define AT_ONCE_MAX 4  /* changes, after a time without any */
#define WEIGH_ONE 4096 /* bytes; more count for more changes */
#define AGAIN_AFTER_MS 100
#define TOLD_IN_A_TURN 64

static size_t size_of(const json_t *capabilities)
{
	const char *name;
	json_t *value;
	size_t size = 0;

	json_object_foreach((json_t *)(uintptr_t)capabilities, name, value) size +=
		strlen(name) + json_string_length(value) + 8;
	return size;
}

static json_t *of_system(const struct settings *settings)
{
	json_t *capabilities = json_object();
	struct timespec now;
	char version[32];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(version, sizeof(version), "'%jd%03ld'", (intmax_t)now.tv_sec,
		       now.tv_nsec / 1000000);
	(void)json_object_set_new(capabilities, "Thespian ActorSystem Name",
				  json_string("'tdsLocalBase'"));
	(void)json_object_set_new(capabilities, "Thespian Version", json_string(version));
	(void)json_object_update(capabilities, settings->capabilities);
	return capabilities;
}

void capabilities_init(struct local *engine)
{
	const char *name;
	json_t *value;

	engine->capabilities = of_system(engine->config->settings);
	engine->setters = json_object();
	json_object_foreach(engine->capabilities, name, value)(void)
		json_object_set_new(engine->setters, name, json_integer(BY_SYSTEM));
}

/* One that is greeted later finds them in its greeting. */
static bool is_told(const struct realm *realm)
{
	return traits(realm)->counts && realm->state != REALM_STOPPING &&
	       !realm_actors_wait(realm) && realm->process != PROCESS_NONE;
}

static void tell_after(struct local *engine, unsigned ms)
{
	const struct timeval after = { .tv_sec = ms / 1000,
				       .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	(void)evtimer_add(engine->capabilities_due, &after);
}

/* All share one text: there may be thousands of them, and each change is another one. */
void capabilities_tell(struct local *engine, struct link *link)
{
	link->behind = false;
	if (link->told == engine->capabilities_version || link->ended)
		return;
	if (!engine->capabilities_text)
		engine->capabilities_text = frame_text_new(json_pack(
			"{s:s, s:O}", "op", "capabilities", "capabilities", engine->capabilities));
	struct frame *frame =
		engine->capabilities_text ? frame_of_text(engine->capabilities_text) : NULL;
	if (!frame) {
		tell_after(engine, AGAIN_AFTER_MS); /* there may be memory then */
		return;
	}
	link->told = engine->capabilities_version;
	link_send(link, frame);
}

void capabilities_forks(struct realm *realm)
{
	capabilities_tell(realm->engine, &realm->link);
}

/* Now, or when it has read what waits. Returns how many were told. */
static unsigned tell_or_wait(struct local *engine, struct link *link)
{
	if (link->told == engine->capabilities_version || link->ended || link->behind)
		return 0;
	link->behind = link->first != NULL;
	if (!link->behind)
		capabilities_tell(engine, link);
	return 1;
}

static unsigned tell_realm(struct realm *realm, unsigned most)
{
	unsigned n = tell_or_wait(realm->engine, &realm->link);

	for (struct actor *a = realm->actors; a && n < most; a = a->next)
		n += tell_or_wait(realm->engine, &a->link);
	return n;
}

/* So many in a turn of the loop. False: there are more. */
static bool tell_all(struct local *engine)
{
	unsigned n = 0;

	for (struct realm *r = engine->realms; r && n < TOLD_IN_A_TURN; r = r->next)
		if (is_told(r))
			n += tell_realm(r, TOLD_IN_A_TURN - n);
	return n < TOLD_IN_A_TURN;
}

/* All actors read what one sets: the more there is, the longer it is until they are told again. */
static void tell_and_rest(struct local *engine)
{
	if (!tell_all(engine)) {
		tell_after(engine, 0);
	} else if (engine->capabilities_rested != engine->capabilities_version) {
		engine->capabilities_rested = engine->capabilities_version;
		tell_after(engine,
			   MOMENT_MS + (unsigned)(size_of(engine->capabilities) / BYTES_A_MS));
	}
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	struct local *engine = arg;

	(void)fd;
	(void)what;
	engine->capabilities_at_once = AT_ONCE_MAX;
	tell_and_rest(engine);
}

/* Told at once, before whatever is said next; of many within a moment the later ones together. */
static void change(struct local *engine)
{
	engine->capabilities_version++;
	frame_text_unref(engine->capabilities_text);
	engine->capabilities_text = NULL;
	if (!engine->capabilities_due)
		engine->capabilities_due = evtimer_new(engine->base, on_due, engine);
	if (!engine->capabilities_due)
		return;
	if (!evtimer_pending(engine->capabilities_due, NULL))
		engine->capabilities_at_once = 0;
	if (engine->capabilities_at_once >= AT_ONCE_MAX)
		return;
	engine->capabilities_at_once += 1 + (unsigned)(size_of(engine->capabilities) / WEIGH_ONE);
	tell_and_rest(engine);
}

void capabilities_free(struct local *engine)
{
	if (engine->capabilities_due)
		event_free(engine->capabilities_due);
	frame_text_unref(engine->capabilities_text);
	json_decref(engine->capabilities);
	json_decref(engine->setters);
}

/* What one has set. */
static size_t size_set_by(const struct local *engine, uint32_t by)
{
	const char *name;
	json_t *setter;
	size_t size = 0;

	json_object_foreach(engine->setters, name, setter)
	{
		if (json_integer_value(setter) == by)
			size += strlen(name) +
				json_string_length(json_object_get(engine->capabilities, name));
	}
	return size;
}

/* A source leaves as much room for others as it takes; the system has it all. */
static bool has_room(const struct local *engine, size_t size, uint32_t by)
{
	size_t taken = size_of(engine->capabilities) + size;

	return by == BY_SYSTEM
		       ? taken <= CAPABILITIES_MAX_BYTES
		       : budget_has_place(size_set_by(engine, by), taken, CAPABILITIES_MAX_BYTES);
}

/* False: there is no room for it. */
static bool put(struct local *engine, const char *name, const char *literal, uint32_t by)
{
	json_t *all = engine->capabilities;

	if (!literal)
		return json_object_del(all, name) == 0;
	return has_room(engine, strlen(name) + strlen(literal), by) &&
	       json_object_set_new(all, name, json_string(literal)) == 0;
}

/* by: the realm that sets it, or BY_SYSTEM. What is the system's stays so, whoever sets it, or takes it away. */
static void set(struct local *engine, const char *name, const char *literal, uint32_t by)
{
	json_t *all = engine->capabilities;
	const char *before = json_string_value(json_object_get(all, name));
	const json_t *setter = json_object_get(engine->setters, name);

	if (literal ? before && strcmp(before, literal) == 0 : !before)
		return;
	if (!put(engine, name, literal, by))
		return;
	if (by == BY_SYSTEM || (literal && (!setter || json_integer_value(setter) != BY_SYSTEM)))
		(void)json_object_set_new(engine->setters, name, json_integer(by));
	else if (setter && json_integer_value(setter) != BY_SYSTEM)
		(void)json_object_del(engine->setters, name);
	change(engine);
}

void set_capability(struct local *engine, const char *name, const char *literal)
{
	set(engine, name, literal, BY_SYSTEM);
}

/* What is set already, and by whom. *of: the realm, which may be who asks; NULL: none that is there. */
static bool is_set(const struct local *engine, const char *name, struct realm **of)
{
	const json_t *setter = json_object_get(engine->setters, name);
	json_int_t number = json_integer_value(setter);

	*of = NULL;
	for (struct realm *r = engine->realms; r && setter && !*of; r = r->next)
		if (r->number == number && number != BY_SYSTEM)
			*of = r;
	return setter && (number == BY_SYSTEM || *of);
}

void ask_for_capability(const struct sender *from, const char *name, const char *literal)
{
	const struct realm *origin = realm_origin(from->of);
	struct realm *of;
	bool others = is_set(from->engine, name, &of) && of != origin;

	if (asker_may(from, others ? TDS_ASKED_CAPABILITY_OTHER : TDS_ASKED_CAPABILITY, of))
		set(from->engine, name, literal, origin->number);
}
