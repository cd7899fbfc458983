/* SPDX-License-Identifier: MIT */
/*
 * Capabilities: what the system says of itself, against which classes of actors are checked. Their values are texts of
 * Python literals, which only the hosts look into.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "local.h"

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

void set_capability(struct local *engine, const char *name, const char *literal)
{
	json_t *all = engine->capabilities;
	const char *before = json_string_value(json_object_get(all, name));

	if (literal ? before && strcmp(before, literal) == 0 : !before)
		return;
	if (!literal)
		(void)json_object_del(all, name);
	else if (size_of(all) + strlen(name) + strlen(literal) <= CAPABILITIES_MAX_BYTES)
		(void)json_object_set_new(all, name, json_string(literal));
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
