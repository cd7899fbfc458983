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

static size_t size_of(const json_t *capabilities)
{
	const char *name;
	json_t *value;
	size_t size = 0;

	json_object_foreach((json_t *)(uintptr_t)capabilities, name, value) size +=
		strlen(name) + json_string_length(value) + 8;
	return size;
}

json_t *capabilities_new(const struct settings *settings)
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

json_t *setters_new(const json_t *capabilities)
{
	json_t *setters = json_object();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)capabilities, name, value)(void)
		json_object_set_new(setters, name, json_integer(BY_SYSTEM));
	return setters;
}

static void tell_all(struct local *engine)
{
	json_t *all = engine->capabilities;

	for (struct realm *r = engine->realms; r; r = r->next) {
		/* One that is greeted later finds them in its greeting. */
		if (!traits(r)->counts || r->state == REALM_STOPPING || realm_actors_wait(r) ||
		    r->process == PROCESS_NONE)
			continue;
		/* The parent before the actors: what it forks from now on has them from the start. */
		link_control(&r->link,
			     json_pack("{s:s, s:O}", "op", "capabilities", "capabilities", all));
		for (struct actor *a = r->actors; a; a = a->next)
			link_control(&a->link, json_pack("{s:s, s:O}", "op", "capabilities",
							 "capabilities", all));
	}
}

/* False: there is no room for it. */
static bool put(json_t *all, const char *name, const char *literal)
{
	if (!literal)
		return json_object_del(all, name) == 0;
	return size_of(all) + strlen(name) + strlen(literal) <= CAPABILITIES_MAX_BYTES &&
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
	if (!put(all, name, literal))
		return;
	if (by == BY_SYSTEM || (literal && (!setter || json_integer_value(setter) != BY_SYSTEM)))
		(void)json_object_set_new(engine->setters, name, json_integer(by));
	else if (setter && json_integer_value(setter) != BY_SYSTEM)
		(void)json_object_del(engine->setters, name);
	tell_all(engine);
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
