/* SPDX-License-Identifier: MIT */
/* What clients are told unasked: changes, output, and the end. */
#include "clients.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tool/cli.h"

/* One that does not read what it asked to be told is cut off. */
static void stream(struct client *client, json_t *doc)
{
	if (client_is_behind(client)) {
		json_decref(doc);
		client->watching = client->following = false;
		client_cut(client);
		return;
	}
	client_reply(client, doc);
}

void clients_changed(struct clients *clients, json_t *event, bool active)
{
	for (struct client *c = clients->first, *next; c; c = next) {
		next = c->next;
		if (c->asker.notify && active) {
			c->asker.notify = false;
			client_answer(c, notification_json());
		}
		if (c->watching && !c->ending)
			stream(c, json_incref(event));
		client_free_if_over(c);
	}
	clients_cut_gluttons(clients);
}

static const char *or_dash(const char *word)
{
	return word ? word : "-";
}

/* A new reference; NULL: out of memory. */
static json_t *output_event(const struct line *line)
{
	tds_autofree char *text = strndup(line->text, line->len);
	tds_autofree char *who = NULL;

	if (asprintf(&who, "%s %s %s", or_dash(line->group), or_dash(line->role),
		     or_dash(line->address)) < 0)
		who = NULL;
	if (!text || !who)
		return NULL;
	json_t *event = json_pack("{s:s, s:o?, s:o?}", "Event", "Output", "From",
				  tds_cli_json_text(who), "Text", tds_cli_json_text(text));
	if (event && line->level > 0)
		(void)json_object_set_new(event, "Level", json_integer(line->level));
	return event;
}

void clients_output(struct clients *clients, const struct line *line)
{
	json_t *event = NULL;

	for (struct client *c = clients->first, *next; c; c = next) {
		next = c->next;
		if (c->following && !c->ending && (event || (event = output_event(line))))
			stream(c, json_incref(event));
		client_free_if_over(c);
	}
	json_decref(event);
	clients_cut_gluttons(clients);
}

void clients_farewell(struct clients *clients, int status, const char *why)
{
	for (struct client *c = clients->first; c; c = c->next)
		if (clients->door->state == DOOR_RESTARTING && c->busy && !c->ending)
			client_answer(c, later_json("Error"));
		else if (c->leaving && status == 0)
			client_answer(c, json_pack("{s:s, s:b, s:i}", "DirectorResponse",
						   "ShutDown", "Success", 1, "Status", 0));
		else if (c->leaving)
			client_answer(c, failure_json("ShutDown", status, why));
}
