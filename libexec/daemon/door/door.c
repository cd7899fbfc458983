/* SPDX-License-Identifier: MIT */
/* Both doors, and what the Director tells those who stand in them. */
#include "door.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asks.h"
#include "beacon.h"
#include "clients.h"
#include "directoractor.h"
#include "requests.h"

static bool changes_active(const char *what)
{
	return what && (strcmp(what, "Loaded") == 0 || strcmp(what, "Unloaded") == 0 ||
			strcmp(what, "Activated") == 0);
}

/* On the socket a package has other names besides. */
static json_t *for_clients(const json_t *event)
{
	json_t *told = json_copy((json_t *)(uintptr_t)event);
	json_t *path = json_object_get(event, "Path");
	json_t *md5 = json_object_get(event, "MD5");

	if (told && path && md5) {
		(void)json_object_set(told, "SourceHash", md5);
		(void)json_object_set(told, "Source", path);
	}
	return told;
}

void door_tell(struct door *door, const json_t *event)
{
	bool active = changes_active(json_string_value(json_object_get(event, "Event")));
	json_t *told = for_clients(event);

	clients_changed(door->clients, told, active);
	json_decref(told);
	if (active)
		directoractor_changed(door->actor);
}

static void on_output(void *ctx, const struct line *line)
{
	struct door *door = ctx;

	door->settings->output(door->settings->ctx, line);
	clients_output(door->clients, line);
}

static void on_asked(void *ctx, uint64_t ticket, uint32_t source)
{
	const struct door *door = ctx;

	asks_asked(door->clients, ticket, source);
}

static enum answered on_answer(void *ctx, uint32_t source, uint64_t endpoint,
			       const struct payload *payload)
{
	const struct door *door = ctx;

	return asks_answer(door->clients, source, endpoint, payload);
}

static void on_delivered(void *ctx, uint64_t ticket, const char *error)
{
	const struct door *door = ctx;

	asks_delivered(door->clients, ticket, error);
}

static void on_question(void *ctx, const struct engine_asker *from, const struct payload *payload)
{
	const struct door *door = ctx;

	directoractor_take(door->actor, from, payload);
}

static void on_shutdown_asked(void *ctx, json_t *by)
{
	const struct door *door = ctx;

	door->settings->shutdown(door->settings->ctx, -1, by);
}

static void light(struct door *door, struct event_base *base)
{
	struct tds_err err = { 0 };

	door->beacon = beacon_open(base, door->settings->port, &err);
	if (!door->beacon && door->settings->port != 0)
		door->settings->no_port(door->settings->ctx, err.reason);
}

struct door *door_open(struct event_base *base, int listener, struct director *director,
		       const struct door_settings *settings)
{
	struct door *door = calloc(1, sizeof(*door));

	if (!door) {
		(void)close(listener);
		return NULL;
	}
	*door = (struct door){ .director = director, .settings = settings };
	door->clients = clients_new(door, base, listener, request_dispatch);
	door->actor = directoractor_new(door, base, request_dispatch);
	if (!door->clients || !door->actor) {
		door_close(door);
		return NULL;
	}
	light(door, base);
	director_watch(director, &(struct director_watch){ .output = on_output,
							   .asked = on_asked,
							   .answer = on_answer,
							   .question = on_question,
							   .shutdown_asked = on_shutdown_asked,
							   .delivered = on_delivered,
							   .ctx = door });
	return door;
}

void door_close(struct door *door)
{
	if (!door)
		return;
	director_watch(door->director, &(struct director_watch){ 0 });
	beacon_close(door->beacon);
	clients_free(door->clients);
	directoractor_free(door->actor);
	free(door);
}

void door_reloaded(struct door *door)
{
	clients_reloaded(door->clients);
}

void door_opened(struct door *door)
{
	door->state = DOOR_OPEN;
}

void door_restarting(struct door *door)
{
	door->state = DOOR_RESTARTING;
}

void door_farewell(struct door *door, int status, const char *why)
{
	clients_farewell(door->clients, status, why);
}
